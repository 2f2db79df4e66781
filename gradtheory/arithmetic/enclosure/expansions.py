"""Sums of scales on [R, oo), each times a coefficient whose limit at oo is known exactly and whose values are bounded.

Smooth functions of them are expanded by Taylor's formula with Lagrange's remainder.
"""

import functools
import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.effort import size, spend
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import evaluate, is_finite
from gradtheory.arithmetic.enclosure.derivatives import derivative
from gradtheory.arithmetic.enclosure.intervals import Interval, around, hull, plus, range_over, times
from gradtheory.arithmetic.enclosure.scales import ONE, Scale, decreasing, number_sign
from gradtheory.errors import Undecided

_LEAST_START = 3  # from where log x is above 1
_MOST_TERMS = 16  # of a sum; faster ones are kept, slower ones join the bounds of the last
_UNITS_OF_A_PRODUCT = 200
_SHORT = 60  # parts of two numbers whose product SymPy makes
_MOST_POWER = 12  # that is multiplied out
_U = sympy.Dummy("u", real=True)
_ZERO = Interval(flint.arb(0), flint.arb(0))


class TooNear(Exception):
    """[R, oo) begins too early for a proof; a greater R may do."""


@dataclass(frozen=True)
class Coefficient:
    """A function on [R, oo) of which its limit at oo is known exactly, and an interval that holds its values.

    Without an interval it is constant; without a limit it is not known to have one.
    """

    limit: sympy.Expr | None
    over: Interval | None = None

    def bounds(self, bits: int) -> Interval:
        """Return an interval that holds its values."""
        return around(evaluate(self.limit, bits, {})) if self.over is None else self.over

    @property
    def is_constant(self) -> bool:
        """Whether it is an exact number."""
        return self.over is None


Sum: TypeAlias = dict[Scale, Coefficient]
UNIT: Sum = {ONE: Coefficient(sympy.S.One)}


class Sums:
    """Sums on [R, oo) at one precision; the caller has set it."""

    def __init__(self, variable: sympy.Symbol, start: Ball, bits: int, order: int) -> None:
        if not start >= _LEAST_START:
            raise TooNear
        self.variable, self.start, self.bits, self.order = variable, start, bits, order
        self._known: dict[sympy.Expr, Sum] = {}
        self._bounds: dict[Scale, Interval] = {}

    # ---- bounds

    def _beyond(self, scale: Scale) -> Interval:
        if scale not in self._bounds:
            bounds = scale.beyond(self.start, self.bits)
            if bounds is None:
                raise TooNear
            self._bounds[scale] = bounds
        return self._bounds[scale]

    def over(self, total: Sum) -> Interval:
        """Return bounds of a sum."""
        parts = (times(part.bounds(self.bits), self._beyond(scale)) for scale, part in total.items())
        return functools.reduce(plus, parts, _ZERO)

    # ---- sums and products

    def add(self, *sums: Sum) -> Sum:
        """Return a sum of sums."""
        total: dict[Scale, list[Coefficient]] = {}
        for scale, coefficient in itertools.chain.from_iterable(each.items() for each in sums):
            total.setdefault(scale, []).append(coefficient)
        added = {scale: self._together(parts) for scale, parts in total.items()}
        return self._short({scale: part for scale, part in added.items() if part is not None})

    def _together(self, parts: list[Coefficient]) -> Coefficient | None:
        limits = [part.limit for part in parts]
        limit = None if None in limits else functools.reduce(operator.add, limits)
        if limit is not None and not number_sign(limit):
            limit = sympy.S.Zero
        if all(part.is_constant for part in parts):
            return Coefficient(limit) if limit else None
        return Coefficient(limit, functools.reduce(plus, (part.bounds(self.bits) for part in parts)))

    def _short(self, total: Sum) -> Sum:
        """Join the slowest terms of a long sum to the bounds of the last one that is kept."""
        if len(total) <= _MOST_TERMS:
            return total
        scales = decreasing(total)
        kept, rest = scales[:_MOST_TERMS], scales[_MOST_TERMS:]
        last = kept[-1]
        joined = self.over({scale / last: total[scale] for scale in rest})
        ending = Coefficient(total[last].limit, plus(total[last].bounds(self.bits), joined))
        return {scale: total[scale] for scale in kept[:-1]} | {last: ending}

    def multiply(self, left: Sum, right: Sum) -> Sum:
        """Return a product of two sums."""
        spend(_UNITS_OF_A_PRODUCT * len(left) * len(right))
        products = (
            {one * other: self._product(left[one], right[other])} for one, other in itertools.product(left, right)
        )
        return self.add(*products)

    def _product(self, left: Coefficient, right: Coefficient) -> Coefficient:
        limit = None if left.limit is None or right.limit is None else _multiplied(left.limit, right.limit)
        if left.is_constant and right.is_constant:
            return Coefficient(limit)
        return Coefficient(limit, times(left.bounds(self.bits), right.bounds(self.bits)))

    def power(self, base: Sum, whole: int) -> Sum:
        """Return a whole power of a sum."""
        return functools.reduce(self.multiply, [base] * whole, UNIT)

    def scaled(self, total: Sum, factor: Coefficient) -> Sum:
        """Return a sum times a factor."""
        return self.multiply(total, {ONE: factor})

    def negative(self, total: Sum) -> Sum:
        """Return a sum with the other sign."""
        return self.scaled(total, Coefficient(sympy.S.NegativeOne))

    # ---- functions

    def direction(self, inner: Sum) -> int:
        """Return 1 or -1 where a sum tends to oo or -oo, 0 where it has a finite limit."""
        growing = decreasing(scale for scale in inner if scale.growth > 0)
        if not growing:
            return 0
        limit = inner[growing[0]].limit
        side = number_sign(limit) if limit is not None else 0
        if not side:
            raise Undecided("an argument whose growth is not known")
        return side

    def _parted(self, inner: Sum) -> tuple[sympy.Expr, Sum]:
        """Return the limit c of a sum that has one, and the rest, which tends to 0."""
        rest = dict(inner)
        constant = rest.pop(ONE, Coefficient(sympy.S.Zero))
        if constant.limit is None:
            raise Undecided("an argument without a limit")
        if not constant.is_constant:
            away = plus(constant.bounds(self.bits), around(evaluate(-constant.limit, self.bits, {})))
            rest[ONE] = Coefficient(sympy.S.Zero, away)
        return constant.limit, rest

    def taylor(self, function: Callable[[sympy.Expr], sympy.Expr], inner: Sum) -> Sum:
        """Return f(c + r) = Σ f⁽ᵏ⁾(c)·rᵏ/k! + f⁽ⁿ⁾(ξ)·rⁿ/n! for a sum with limit c."""
        constant, rest = self._parted(inner)
        u = _U
        outer = function(u)
        total: Sum = {ONE: Coefficient(outer.subs(u, constant))} if number_sign(outer.subs(u, constant)) else {}
        power = UNIT
        around_limit = plus(around(evaluate(constant, self.bits, {})), _hull_with_zero(self.over(rest)))
        for k in range(1, self.order + 1):
            if not rest:
                return total
            power = self.multiply(power, rest)
            slope = derivative(outer, _U, k)
            at_limit = slope.subs(u, constant) / sympy.factorial(k)
            if not is_finite(at_limit):
                raise Undecided(f"{shorten(outer)} is not smooth at {shorten(constant)}")
            if k < self.order:
                factor = Coefficient(at_limit) if number_sign(at_limit) else None
            else:
                over = range_over(slope / sympy.factorial(k), u, around_limit, self.bits)
                if not (over.lower.is_finite() and over.upper.is_finite()):
                    raise TooNear
                factor = Coefficient(at_limit, over)
            if factor is not None:
                total = self.add(total, self.scaled(power, factor))
        return total

    def exp(self, inner: Sum) -> Sum:
        """Return exp of a sum whose growing part is known exactly."""
        growing = {scale: part for scale, part in inner.items() if scale.growth > 0}
        if not all(part.is_constant for part in growing.values()):
            raise Undecided("an exponential whose growth is not known exactly")
        logarithm = Scale(log=sympy.S.One)
        power = growing.pop(logarithm).limit if logarithm in growing else sympy.S.Zero
        if power is None or not power.is_Rational:
            raise Undecided("a power that is not rational")
        exponent = tuple((scale, growing[scale].limit) for scale in decreasing(growing))
        settled = self.taylor(sympy.exp, {scale: part for scale, part in inner.items() if scale.growth <= 0})
        return {Scale(power, sympy.S.Zero, exponent) * scale: part for scale, part in settled.items()}

    def _leading(self, total: Sum) -> tuple[Scale, Sum]:
        """Return the fastest scale of a sum, and the sum in units of it, with a limit that is not 0."""
        if not total:
            raise Undecided("a division by 0")
        first = decreasing(total)[0]
        if not total[first].limit or not number_sign(total[first].limit):
            raise Undecided("a sum whose growth is not known")
        return first, {scale / first: part for scale, part in total.items()}

    def pow(self, base: Sum, exponent: sympy.Expr) -> Sum:
        """Return a constant power of a sum."""
        if exponent.is_Integer and 0 <= exponent <= _MOST_POWER:
            return self.power(base, int(exponent))
        if not exponent.is_Rational:
            raise Undecided(f"the power {shorten(exponent)} is not expanded")
        first, relative = self._leading(base)
        if not exponent.is_Integer and number_sign(relative[ONE].limit) < 0:
            raise Undecided("a root of a negative number")
        settled = self.taylor(lambda u: u**exponent, relative)
        return {first**exponent * scale: part for scale, part in settled.items()}

    def log(self, inner: Sum) -> Sum:
        """Return the logarithm of a positive sum."""
        first, relative = self._leading(inner)
        if first.log or number_sign(relative[ONE].limit) < 0:
            raise Undecided("a logarithm of a logarithm, or of a negative number")
        size: Sum = {scale: Coefficient(factor) for scale, factor in first.exponent}
        if first.power:
            size = self.add(size, {Scale(log=sympy.S.One): Coefficient(first.power)})
        return self.add(size, self.taylor(sympy.log, relative))

    def reciprocal(self, total: Sum) -> Sum:
        """Return one divided by a sum."""
        return self.pow(total, sympy.S.NegativeOne)

    def oriented(self, inner: Sum, side: int) -> Sum:
        """Return a sum, or its negative."""
        return inner if side > 0 else self.negative(inner)

    def sign_of(self, total: Sum) -> int | None:
        """Return the sign of a sum on all of [R, oo), or None if not proven."""
        return self.over(self._leading(total)[1]).sign


def _multiplied(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """Return a product of numbers; SymPy, which looks for what cancels in it, may take long over long ones."""
    is_short = min(size(left), size(right)) <= 1 or size(left) + size(right) <= _SHORT
    return left * right if is_short else sympy.Mul(left, right, evaluate=False)


def _hull_with_zero(interval: Interval) -> Interval:
    """Return the least interval that holds another and 0."""
    return hull([interval.lower, flint.arb(0), interval.upper])
