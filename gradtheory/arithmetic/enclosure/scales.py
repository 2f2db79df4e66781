"""Scales of growth near +oo: x^a · (log x)^b · exp(E), with E a sum of real multiples of growing scales.

They are totally ordered by growth, products and quotients of scales are scales, and each is monotone far enough out,
which is proven where it is used: that is how a scale is bounded on [R, oo) (J. van der Hoeven, "Transseries and Real
Differential Algebra", 2006, chapter 4).
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import enclose, evaluate
from gradtheory.arithmetic.enclosure.intervals import Interval, around, plus, times
from gradtheory.errors import Undecided

_INFINITY = flint.arb("inf")
_BITS_OF_SIGNS = (64, 256, 1_024)


@dataclass(frozen=True)
class Scale:
    """x^power · (log x)^log · exp(Σ c·scale) for x > e."""

    power: sympy.Rational = sympy.S.Zero
    log: sympy.Rational = sympy.S.Zero
    exponent: tuple[tuple["Scale", sympy.Expr], ...] = ()  # in decreasing order; each scale grows, no c is 0

    def __mul__(self, other: "Scale") -> "Scale":
        return Scale(self.power + other.power, self.log + other.log, merged((*self.exponent, *other.exponent)))

    def __pow__(self, power: sympy.Rational) -> "Scale":
        exponent = tuple((scale, power * factor) for scale, factor in self.exponent) if power else ()
        return Scale(power * self.power, power * self.log, exponent)

    def __truediv__(self, other: "Scale") -> "Scale":
        return self if other == ONE else ONE if self == other else self * other**sympy.S.NegativeOne

    @functools.cached_property
    def growth(self) -> int:
        """1 if it tends to oo, -1 if to 0, 0 if it is 1."""
        if self.exponent:
            return number_sign(self.exponent[0][1])
        return int(sympy.sign(self.power or self.log))

    def at(self, x: Ball, bits: int) -> Ball:
        """Return a ball around its value."""
        value = x ** evaluate(self.power, bits, {}) if self.power else flint.arb(1)
        if self.log:
            value = value * x.log() ** evaluate(self.log, bits, {})
        for scale, factor in self.exponent:
            value = value * (evaluate(factor, bits, {}) * scale.at(x, bits)).exp()
        return value

    @functools.cached_property
    def rate(self) -> tuple[tuple["Scale", sympy.Expr], ...]:
        """x·s'(x)/s(x) as a sum of multiples of scales, in decreasing order."""
        terms = [(ONE, self.power), (Scale(log=sympy.S.NegativeOne), self.log)]
        for scale, factor in self.exponent:
            terms += [(scale * inner, factor * rate) for inner, rate in scale.rate]
        return merged(terms)

    def beyond(self, start: Ball, bits: int) -> Interval | None:
        """Return bounds on [start, oo), or None where it is not proven to be monotone there."""
        if self == ONE:
            return Interval(flint.arb(1), flint.arb(1))
        first = self.at(start, bits)
        if not first.is_finite() or sign_beyond(self.rate, start, bits) != self.growth:
            return None
        return Interval(first.lower(), _INFINITY) if self.growth > 0 else Interval(flint.arb(0), first.upper())


ONE = Scale()


def number_sign(number: sympy.Expr) -> int:
    """Return the sign of an exact number, without asking SymPy, which may take for ever.

    Raises
    ------
    Undecided
        If it is too close to zero.

    """
    if number.is_Rational:
        return int(number.p > 0) - int(number.p < 0)
    for bits in _BITS_OF_SIGNS:
        ball = enclose(number, bits)
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
    if sympy.expand(number) == 0:
        return 0
    raise Undecided(f"the sign of {shorten(number)} is not decided: it is zero, or very small")


def _compared(one: Scale, other: Scale) -> int:
    """Return the growth of one scale divided by the other, without making the quotient."""
    for (scale, factor), (inner, rate) in zip(one.exponent, other.exponent, strict=False):
        if scale != inner:
            return number_sign(factor) if _compared(scale, inner) > 0 else -number_sign(rate)
        if factor != rate and (side := number_sign(factor - rate)):
            return side
    length = min(len(one.exponent), len(other.exponent))
    for rest, side in ((one.exponent[length:], 1), (other.exponent[length:], -1)):
        if rest:
            return side * number_sign(rest[0][1])
    return number_sign(one.power - other.power) or number_sign(one.log - other.log)


_BY_GROWTH = functools.cmp_to_key(_compared)


def decreasing(scales: Iterable[Scale]) -> list[Scale]:
    """Return scales from the fastest growing to the fastest fading."""
    return sorted(scales, key=_BY_GROWTH, reverse=True)


def merged(terms: Iterable[tuple[Scale, sympy.Expr]]) -> tuple[tuple[Scale, sympy.Expr], ...]:
    """Return a sum of multiples of scales with each scale once, in decreasing order, without those that cancel."""
    factors: dict[Scale, sympy.Expr] = {}
    for scale, factor in terms:
        factors[scale] = factors.get(scale, sympy.S.Zero) + factor
    kept = [scale for scale, factor in factors.items() if factor != 0 and number_sign(factor)]
    return tuple((scale, factors[scale]) for scale in decreasing(kept))


def sign_beyond(terms: tuple[tuple[Scale, sympy.Expr], ...], start: Ball, bits: int) -> int | None:
    """Return the sign on [start, oo) of a sum of multiples of scales in decreasing order, or None if not proven."""
    (first, leading), *others = terms
    total = around(evaluate(leading, bits, {}))
    for scale, factor in others:
        bounds = (scale / first).beyond(start, bits)
        if bounds is None:
            return None
        total = plus(total, times(around(evaluate(factor, bits, {})), bounds))
    return total.sign
