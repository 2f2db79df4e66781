"""Scales x^a·(log x)^l·e^P(x) with a polynomial P, on a tail [R, oo): how they grow, and the values they take."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from gradtheory.checker.intervals import OO, ZERO, Interval, Undefined
from gradtheory.checker.jets import derivatives
from gradtheory.checker.terms import Term, number

Coefficient: TypeAlias = Term | Interval


@dataclass(frozen=True)
class Scale:
    """x^power·(log x)^logs·e^Σcᵢxⁱ: the exponents i with their cᵢ, greatest first."""

    rises: tuple[tuple[Fraction, Term], ...] = ()
    power: Fraction = Fraction(0)
    logs: Fraction = Fraction(0)

    def __mul__(self, other: "Scale") -> "Scale":
        rises = dict(self.rises)
        for exponent, coefficient in other.rises:
            rises[exponent] = rises.get(exponent, number(0)) + coefficient
        kept = ((exponent, rises[exponent]) for exponent in sorted(rises, reverse=True))
        rest = tuple((exponent, coefficient) for exponent, coefficient in kept if coefficient != number(0))
        return Scale(rest, self.power + other.power, self.logs + other.logs)

    def to_the(self, exponent: Fraction) -> "Scale":
        """Return a power."""
        rises = tuple((each, coefficient * number(exponent)) for each, coefficient in self.rises)
        return Scale(rises, self.power * exponent, self.logs * exponent)


UNIT = Scale()


@dataclass(frozen=True)
class Beyond:
    """The tail itself: where it starts, a number of at least 2, who knows the signs of exact numbers, and the work."""

    start: Interval
    sign: Callable[[Term], int]
    spend: Callable[[int], None]

    def enclosed(self, coefficient: Coefficient) -> Interval:
        """Return a coefficient as an interval."""
        zero = Interval(ZERO, ZERO, self.start.bits)
        return coefficient if isinstance(coefficient, Interval) else derivatives(coefficient, zero, 0)[0]

    def growth(self, scale: Scale) -> int:
        """Return 1 if a scale tends to infinity, -1 if to 0, 0 if it is constant."""
        for _, coefficient in scale.rises:
            sign = self.sign(coefficient)
            if sign:
                return sign
        first = scale.power or scale.logs
        return (first > 0) - (first < 0)

    def order(self, left: Scale, right: Scale) -> int:
        """Return how two scales compare."""
        return self.growth(left * right.to_the(Fraction(-1)))

    def span(self, scale: Scale) -> Interval:
        """Return the values of a scale on the tail, where it is proven monotone."""
        one = self.start.like(Fraction(1))
        direction = self.growth(scale)
        if direction == 0:
            return one
        x, at = Interval(self.start.lower, OO, self.start.bits), self.start
        top = scale.rises[0][0] if scale.rises else Fraction(0)
        slope = one.like(scale.power) + one.like(scale.logs) * x.apply("log").power(Fraction(-1))
        slope = slope * x.power(-top) if top else slope  # of log g, times x^(1 - top)
        exponent = one.like(scale.power) * at.apply("log") + one.like(scale.logs) * at.apply("log").apply("log")
        for power, coefficient in scale.rises:
            rate = self.enclosed(coefficient)
            slope = slope + rate * one.like(power) * (x.power(power - top) if power != top else one)
            exponent = exponent + rate * at.power(power)
        if slope.sign != direction:
            raise Undefined("a part of a tail is not seen to be monotone")
        first = exponent.apply("exp")
        ends = (first.lower, OO) if direction > 0 else (ZERO, first.upper)
        return Interval(*ends, first.bits, nonzero=True)
