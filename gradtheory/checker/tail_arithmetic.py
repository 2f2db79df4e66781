"""Arithmetic of functions on a whole tail [R, oo): sums of a few scales, each with a coefficient, exact or enclosed.

A `Tail` is Σ cᵢ·gᵢ with scales gᵢ, where cᵢ is an exact number, or a function of x with values in an interval. Leading
parts stay exact, so that they cancel exactly; what is left of a series is enclosed by Taylor's theorem. Which scale
leads is decided by the signs of exact numbers; how much the others add, by their values at R, beyond which they are
proven to fall. Every statement holds for all x >= R, not "for x large enough".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import islice

from gradtheory.checker.intervals import ZERO, Interval, Undefined, less
from gradtheory.checker.jets import series
from gradtheory.checker.scales import UNIT, Beyond, Coefficient, Scale
from gradtheory.checker.terms import Term, number

_WORK_OF_A_PRODUCT = 8  # of two parts
_MOST_PARTS = 16
_LARGEST_MULTIPLIED = 12  # greater powers are taken of the leading part
_HALF = Fraction(1, 2)


def variable(beyond: Beyond, direction: int) -> "Tail":
    """Return z = x or z = -x on a tail."""
    return Tail(beyond, {Scale(power=Fraction(1)): number(direction)})


@dataclass(frozen=True, eq=False)
class Tail:
    """A function on a tail, as a sum of scales with coefficients.

    Examples
    --------
    >>> from gradtheory.checker.jets import derivatives
    >>> from gradtheory.checker.comparisons import Points
    >>> from gradtheory.checker.reading import read
    >>> points = Points()
    >>> beyond = Beyond(Interval.around(Fraction(8), 100), points.sign, points.spend)
    >>> [derivatives(read("z*exp(-z**2) + 1/z"), variable(beyond, 1), 2)[k].sign for k in (0, 1, 2)]
    [1, -1, 1]

    """

    beyond: Beyond
    parts: Mapping[Scale, Coefficient]

    def like(self, value: Fraction) -> "Tail":
        """Return a number."""
        return self._constant(number(value))

    def pi(self) -> "Tail":
        """Return π."""
        return self._constant(Term("pi"))

    def _constant(self, value: Coefficient) -> "Tail":
        return Tail(self.beyond, {} if value == number(0) else {UNIT: value})

    def __add__(self, other: "Tail") -> "Tail":
        return self._collected([*self.parts.items(), *other.parts.items()])

    def __mul__(self, other: "Tail") -> "Tail":
        self.beyond.spend(1 + _WORK_OF_A_PRODUCT * len(self.parts) * len(other.parts))
        pairs = ((a, b, c, d) for a, b in self.parts.items() for c, d in other.parts.items())
        return self._collected([(scale * by, self._product(one, two)) for scale, one, by, two in pairs])

    def _product(self, left: Coefficient, right: Coefficient) -> Coefficient:
        if isinstance(left, Term) and isinstance(right, Term):
            return left * right
        return self.beyond.enclosed(left) * self.beyond.enclosed(right)

    def _collected(self, items: list[tuple[Scale, Coefficient]]) -> "Tail":
        """Return the sum of parts; where they are many, the smallest are put into the coefficient of a greater one."""
        parts: dict[Scale, Coefficient] = {}
        for scale, coefficient in items:
            before = parts.get(scale)
            if before is None:
                parts[scale] = coefficient
            elif isinstance(before, Term) and isinstance(coefficient, Term):
                parts[scale] = before + coefficient
            else:
                parts[scale] = self.beyond.enclosed(before) + self.beyond.enclosed(coefficient)
        parts = {scale: coefficient for scale, coefficient in parts.items() if coefficient != number(0)}
        if len(parts) <= _MOST_PARTS:
            return Tail(self.beyond, parts)
        order = sorted(parts, key=cmp_to_key(self.beyond.order), reverse=True)
        last = order[_MOST_PARTS - 1]
        small = Tail(self.beyond, {scale: parts[scale] for scale in order[_MOST_PARTS - 1 :]})
        return Tail(self.beyond, {scale: parts[scale] for scale in order[: _MOST_PARTS - 1]} | {last: small.over(last)})

    def over(self, scale: Scale) -> Interval:
        """Return the values of the quotient by a scale."""
        total, inverse = Interval(ZERO, ZERO, self.beyond.start.bits), scale.to_the(Fraction(-1))
        for part, coefficient in self.parts.items():
            total = total + self.beyond.enclosed(coefficient) * self.beyond.span(part * inverse)
        return total

    def leading(self) -> tuple[Scale, Coefficient, "Tail"]:
        """Return the leading scale, its coefficient, and the other parts; raises Undefined for the function 0."""
        parts = dict(self.parts)
        while parts:
            scale = max(parts, key=cmp_to_key(self.beyond.order))
            coefficient = parts.pop(scale)
            if isinstance(coefficient, Interval) or self.beyond.sign(coefficient) != 0:
                return scale, coefficient, Tail(self.beyond, parts)
        raise Undefined("the function 0 has no leading part")

    @property
    def sign(self) -> int | None:
        """The sign everywhere on the tail; None if it is not proven."""
        if not self.parts:
            return 0
        return self.over(self.leading()[0]).sign

    @property
    def sign_of_limit(self) -> int | None:
        """The sign of the limit at infinity, if there is a limit; None if it is not proven."""
        if not self.parts:
            return 0
        scale = self.leading()[0]
        if self.beyond.growth(scale) < 0:
            return 0
        ratio = self.over(scale)
        return None if ZERO in (ratio.lower, ratio.upper) else ratio.sign  # a limit of positive numbers may be 0

    def power(self, exponent: Fraction) -> "Tail":
        """Return a rational power."""
        if exponent.denominator == 1 and 0 <= exponent <= _LARGEST_MULTIPLIED:
            result = self.like(Fraction(1))
            for _ in range(int(exponent)):
                result = result * self
            return result
        scale, coefficient, ratio = self._by_its_leading_part()
        if exponent.denominator > 1 and self.beyond.enclosed(coefficient).sign != 1:
            raise Undefined("the root of a number that may not be positive")
        front = Tail(self.beyond, {scale.to_the(exponent): coefficient.power(exponent)})
        near = ratio.near(number(1)).power(exponent - 2) * self.beyond.start.like(exponent * (exponent - 1) / 2)
        return front * self._to_second_order(number(1), number(exponent), near, ratio)

    def _by_its_leading_part(self) -> tuple[Scale, Coefficient, "Tail"]:
        """Return scale, c and s with self = c·scale·(1 + s) and 1 + s > 0."""
        scale, coefficient, rest = self.leading()
        if not self.beyond.enclosed(coefficient).sign:
            raise Undefined("a leading part that may be 0")
        ratio = rest * Tail(self.beyond, {scale.to_the(Fraction(-1)): coefficient.power(Fraction(-1))})
        if ratio.near(number(1)).sign != 1:
            raise Undefined("a leading part that does not lead on the whole tail")
        return scale, coefficient, ratio

    def near(self, value: Coefficient) -> Interval:
        """Return an interval with value + θ·self for all θ in [0, 1]."""
        own = self.over(UNIT)
        lower, upper = own.lower if less(own.lower, ZERO) else ZERO, own.upper if less(ZERO, own.upper) else ZERO
        return self.beyond.enclosed(value) + Interval(lower, upper, own.bits)

    def _to_second_order(self, value: Coefficient, slope: Coefficient, bend: Interval, step: "Tail") -> "Tail":
        """Return F(c) + F'(c)·s + F''(c + θs)/2·s²."""
        return self._constant(value) + self._constant(slope) * step + self._constant(bend) * step * step

    def parted(self) -> tuple["Tail", Coefficient, "Tail"]:
        """Return the parts that grow, the constant, and those that fade."""
        growth = {scale: self.beyond.growth(scale) for scale in self.parts}
        rest = [Tail(self.beyond, {s: c for s, c in self.parts.items() if growth[s] == way}) for way in (1, -1)]
        constants = Tail(self.beyond, {s: c for s, c in self.parts.items() if growth[s] == 0})
        match list(constants.parts.items()):
            case []:
                return rest[0], number(0), rest[1]
            case [(scale, coefficient)] if scale == UNIT:
                return rest[0], coefficient, rest[1]
        return rest[0], constants.over(UNIT), rest[1]

    def apply(self, name: str) -> "Tail":
        """Return a function of the tail."""
        if name == "log":
            return self._log()
        growing, constant, fading = self.parted()
        if growing.parts:
            return self._at_infinity(name, growing, constant, fading)
        near = fading.near(constant)
        if isinstance(constant, Interval):
            return self._constant(near.apply(name))
        value, slope = islice(series(name, constant), 2)
        *_, bend = islice(series(name, near), 3)
        return self._to_second_order(value, slope, bend, fading)

    def _log(self) -> "Tail":
        scale, coefficient, ratio = self._by_its_leading_part()
        if scale.logs or self.beyond.enclosed(coefficient).sign != 1:
            raise Undefined("the logarithm of what may not be positive, or of a logarithm")
        parts: dict[Scale, Coefficient] = {Scale(power=power): rate for power, rate in scale.rises}
        if scale.power:
            parts[Scale(logs=Fraction(1))] = number(scale.power)
        bend = ratio.near(number(1)).power(Fraction(-2)) * self.beyond.start.like(-_HALF)
        rest = self._to_second_order(number(0), number(1), bend, ratio)
        return Tail(self.beyond, parts) + self._constant(coefficient.apply("log")) + rest

    def _exp_of_growing(self) -> Scale:
        rises, power = [], Fraction(0)
        for scale, coefficient in self.parts.items():
            if isinstance(coefficient, Interval) or scale.rises:
                raise Undefined("an exponential that is not one of a polynomial")
            if not scale.logs:
                rises.append((scale.power, coefficient))
            elif coefficient.head == "number" and scale == Scale(logs=Fraction(1)):
                power += coefficient.value
            else:
                raise Undefined("an exponential of powers of logarithms")
        return Scale(tuple(sorted(rises, key=lambda pair: -pair[0])), power)

    def _at_infinity(  # noqa: PLR0911  # one a function
        self, name: str, growing: "Tail", constant: Coefficient, fading: "Tail"
    ) -> "Tail":
        """Return a function of what tends to infinity."""
        one, half = self.like(Fraction(1)), self.like(_HALF)
        if name == "exp":
            bounded = (self._constant(constant) + fading).apply("exp")
            return bounded * Tail(self.beyond, {growing._exp_of_growing(): number(1)})
        if name in {"sin", "cos"}:
            unit = self.beyond.start.like(Fraction(1))
            return self._constant(Interval((-unit).lower, unit.upper, unit.bits))
        direction = self.sign
        if not direction:
            raise Undefined("the sign of a growing part")
        side = self.like(Fraction(direction))
        size = side * self
        match name:
            case "sinh" | "cosh":
                other = (-self).apply("exp")
                return (self.apply("exp") + (other if name == "cosh" else -other)) * half
            case "tanh" | "coth":
                small = (size * self.like(Fraction(-2))).apply("exp")
                ratio = one + -(small * self.like(Fraction(2)) * (one + small).power(Fraction(-1)))
                return side * (ratio if name == "tanh" else ratio.power(Fraction(-1)))
            case "sech":
                small = (-size).apply("exp")
                return self.like(Fraction(2)) * small * (one + small * small).power(Fraction(-1))
            case "erf":
                return side * (one + -size._erfc())
            case "erfc":
                return size._erfc() if direction > 0 else self.like(Fraction(2)) + -size._erfc()
            case "atan":
                return side * self.pi() * half + -(self.power(Fraction(-1)).apply("atan"))
            case "asinh":
                return side * (size + (size * size + one).power(_HALF)).apply("log")
            case "acosh" if direction > 0:
                return (size + (size * size + -one).power(_HALF)).apply("log")
        raise Undefined(f"{name} of what grows")

    def __neg__(self) -> "Tail":
        return self * self.like(Fraction(-1))

    def _erfc(self) -> "Tail":
        """Return erfc: e^(-v²)/(v√π)·(1 - θ/(2v²)) with 0 < θ < 1."""
        unit = self.beyond.start.like(Fraction(1))
        share = self._constant(Interval(ZERO, unit.upper, unit.bits) * unit.like(-_HALF))
        square, root = self * self, self.pi().power(-_HALF)
        front = (-square).apply("exp") * self.power(Fraction(-1)) * root
        return front + front * share * square.power(Fraction(-1))
