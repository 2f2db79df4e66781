"""Proofs on unbounded intervals [R, oo): the sign of an expression there, and its limit.

There an expression is written as a finite sum of terms C(x)·s(x) with scales of growth s (see `scales`) and
coefficients C whose limits at oo are known exactly and which lie in proven intervals. Smooth functions are expanded by
Taylor's formula with Lagrange's remainder, erfc by its asymptotic series, whose partial sums enclose it (F. W. J. Olver,
"Asymptotics and Special Functions", 1974, chapter 3). The fastest scale decides the sign, once R is so large that the
others are proven to be too small to matter.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import flint
import sympy

from gradtheory.arithmetic.enclosure.balls import FIRST_BITS, Ball, evaluate, is_finite, precision
from gradtheory.arithmetic.enclosure.intervals import Increasing, Interval, around, hull, plus, range_over, times
from gradtheory.arithmetic.enclosure.scales import ONE, Scale, decreasing, number_sign
from gradtheory.errors import Undecided

_LEAST_START = 3  # from where log x is above 1
_FARTHEST = 2_000  # a limit is sought from 2**_FARTHEST on at most
_ORDERS = (2, 4)  # of Taylor's formula
_MOST_TERMS = 16  # of a sum; faster ones are kept, slower ones join the bounds of the last
_MOST_POWER = 12  # that is multiplied out
_ZERO = Interval(flint.arb(0), flint.arb(0))


class _TooNear(Exception):
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


_Sum: TypeAlias = dict[Scale, Coefficient]
_UNIT: _Sum = {ONE: Coefficient(sympy.S.One)}


def sign_beyond(
    expr: sympy.Expr, variable: sympy.Symbol, start: Ball, *, rightwards: bool, bits: int = FIRST_BITS
) -> int | None:
    """Return the proven sign of a smooth expression on (start, oo), or leftwards on (-oo, start).

    None where nothing is proven: because the start is too near, or because the expression is none of those that are
    expanded here.
    """
    try:
        towards, begin = (expr, start) if rightwards else (_mirrored(expr, variable), -start)
        for order in _ORDERS:
            with precision(bits):
                side = _Tail(variable, begin.mid(), bits, order).sign(towards)
            if side:
                return side
    except (_TooNear, Undecided):
        return None
    return None


@functools.lru_cache(maxsize=1024)
def limit_at(expr: sympy.Expr, variable: sympy.Symbol, end: sympy.Expr) -> sympy.Expr:
    """Return the proven limit of a smooth expression at oo or -oo: an exact number, or ±oo.

    Raises
    ------
    Undecided
        If it oscillates, or is no expression that is expanded here.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> limit_at(z * sympy.tanh(z) / (1 + 2 * z), z, -sympy.oo)
    -1/2

    """
    towards = expr if end is sympy.oo else _mirrored(expr, variable)
    for order, doublings in itertools.product(_ORDERS, (2, 4, 8, 16, 32, 64, 128, 256, 512, _FARTHEST)):
        bits = max(64, doublings)
        with precision(bits):
            try:
                value = _Tail(variable, flint.arb(2) ** doublings, bits, order).limit(towards)
            except _TooNear:
                continue
            if value is not None:
                return value
    raise Undecided(f"the limit of {expr} at {variable} = {end} is not proven")


def _mirrored(expr: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    return expr.xreplace({variable: -variable})


class _Tail:
    """Expansions on [R, oo) at one precision; the caller has set it."""

    def __init__(self, variable: sympy.Symbol, start: Ball, bits: int, order: int) -> None:
        if not start >= _LEAST_START:
            raise _TooNear
        self.variable, self.start, self.bits, self.order = variable, start, bits, order
        self._known: dict[sympy.Expr, _Sum] = {}
        self._bounds: dict[Scale, Interval] = {}

    def sign(self, expr: sympy.Expr) -> int | None:
        total = self._of(expr)
        if not total:
            return 0
        first = decreasing(total)[0]
        return self._over({scale / first: coefficient for scale, coefficient in total.items()}).sign

    def limit(self, expr: sympy.Expr) -> sympy.Expr | None:
        total = self._of(expr)
        growing = decreasing(scale for scale in total if scale.growth > 0)
        if not growing:
            return total[ONE].limit if ONE in total else sympy.S.Zero
        leading = total[growing[0]].limit
        side = number_sign(leading) if leading is not None else 0
        return side * sympy.oo if side else None

    # ---- bounds

    def _beyond(self, scale: Scale) -> Interval:
        if scale not in self._bounds:
            bounds = scale.beyond(self.start, self.bits)
            if bounds is None:
                raise _TooNear
            self._bounds[scale] = bounds
        return self._bounds[scale]

    def _over(self, total: _Sum) -> Interval:
        parts = (times(part.bounds(self.bits), self._beyond(scale)) for scale, part in total.items())
        return functools.reduce(plus, parts, _ZERO)

    # ---- sums and products

    def _add(self, *sums: _Sum) -> _Sum:
        total: dict[Scale, list[Coefficient]] = {}
        for scale, coefficient in itertools.chain.from_iterable(each.items() for each in sums):
            total.setdefault(scale, []).append(coefficient)
        added = {scale: self._together(parts) for scale, parts in total.items()}
        return self._short({scale: part for scale, part in added.items() if part is not None})

    def _together(self, parts: list[Coefficient]) -> Coefficient | None:
        limits = [part.limit for part in parts]
        limit = None if None in limits else sympy.Add(*limits)
        if limit is not None and not number_sign(limit):
            limit = sympy.S.Zero
        if all(part.is_constant for part in parts):
            return Coefficient(limit) if limit else None
        return Coefficient(limit, functools.reduce(plus, (part.bounds(self.bits) for part in parts)))

    def _short(self, total: _Sum) -> _Sum:
        """Join the slowest terms of a long sum to the bounds of the last one that is kept."""
        if len(total) <= _MOST_TERMS:
            return total
        scales = decreasing(total)
        kept, rest = scales[:_MOST_TERMS], scales[_MOST_TERMS:]
        last = kept[-1]
        joined = self._over({scale / last: total[scale] for scale in rest})
        ending = Coefficient(total[last].limit, plus(total[last].bounds(self.bits), joined))
        return {scale: total[scale] for scale in kept[:-1]} | {last: ending}

    def _multiply(self, left: _Sum, right: _Sum) -> _Sum:
        products = (
            {one * other: self._product(left[one], right[other])} for one, other in itertools.product(left, right)
        )
        return self._add(*products)

    def _product(self, left: Coefficient, right: Coefficient) -> Coefficient:
        limit = None if left.limit is None or right.limit is None else left.limit * right.limit
        if left.is_constant and right.is_constant:
            return Coefficient(limit)
        return Coefficient(limit, times(left.bounds(self.bits), right.bounds(self.bits)))

    def _power(self, base: _Sum, whole: int) -> _Sum:
        return functools.reduce(self._multiply, [base] * whole, _UNIT)

    def _scaled(self, total: _Sum, factor: Coefficient) -> _Sum:
        return self._multiply(total, {ONE: factor})

    def _negative(self, total: _Sum) -> _Sum:
        return self._scaled(total, Coefficient(sympy.S.NegativeOne))

    # ---- functions

    def _of(self, expr: sympy.Expr) -> _Sum:
        if expr not in self._known:
            self._known[expr] = self._expanded(expr)
        return self._known[expr]

    def _expanded(self, expr: sympy.Expr) -> _Sum:  # noqa: PLR0911  # one a case
        if not expr.has(self.variable):
            return {ONE: Coefficient(expr)} if number_sign(expr) else {}
        if expr == self.variable:
            return {Scale(power=sympy.S.One): Coefficient(sympy.S.One)}
        if expr.is_Add:
            return self._add(*(self._of(term) for term in expr.args))
        if expr.is_Mul:
            return functools.reduce(self._multiply, (self._of(factor) for factor in expr.args))
        if isinstance(expr, sympy.exp):
            return self._exp(self._of(expr.args[0]))
        if expr.is_Pow:
            return self._pow(self._of(expr.base), expr.exp)
        if isinstance(expr, Increasing):
            return self._of_cdf(expr)
        special = _SPECIAL.get(getattr(expr.func, "refines", expr.func))
        inner = self._of(expr.args[0])
        side = self._direction(inner)
        if side == 0:
            return self._taylor(expr.func, inner)
        if special is None:
            raise Undecided(f"{expr.func.__name__} is not expanded at infinity")
        return special(self, inner, side)

    def _of_cdf(self, expr: sympy.Expr) -> _Sum:
        return self._of(sympy.erfc(-expr.args[0] / sympy.sqrt(2)) / 2)

    def _direction(self, inner: _Sum) -> int:
        """Return 1 or -1 where a sum tends to oo or -oo, 0 where it has a finite limit."""
        growing = decreasing(scale for scale in inner if scale.growth > 0)
        if not growing:
            return 0
        limit = inner[growing[0]].limit
        side = number_sign(limit) if limit is not None else 0
        if not side:
            raise Undecided("an argument whose growth is not known")
        return side

    def _parted(self, inner: _Sum) -> tuple[sympy.Expr, _Sum]:
        """Return the limit c of a sum that has one, and the rest, which tends to 0."""
        rest = dict(inner)
        constant = rest.pop(ONE, Coefficient(sympy.S.Zero))
        if constant.limit is None:
            raise Undecided("an argument without a limit")
        if not constant.is_constant:
            away = plus(constant.bounds(self.bits), around(evaluate(-constant.limit, self.bits, {})))
            rest[ONE] = Coefficient(sympy.S.Zero, away)
        return constant.limit, rest

    def _taylor(self, function: Callable[[sympy.Expr], sympy.Expr], inner: _Sum) -> _Sum:
        """Return f(c + r) = Σ f⁽ᵏ⁾(c)·rᵏ/k! + f⁽ⁿ⁾(ξ)·rⁿ/n! for a sum with limit c."""
        constant, rest = self._parted(inner)
        u = _U
        outer = function(u)
        total: _Sum = {ONE: Coefficient(outer.subs(u, constant))} if number_sign(outer.subs(u, constant)) else {}
        power = _UNIT
        around_limit = plus(around(evaluate(constant, self.bits, {})), hull_with_zero(self._over(rest)))
        for k in range(1, self.order + 1):
            if not rest:
                return total
            power = self._multiply(power, rest)
            slope = _derivative(outer, k)
            at_limit = slope.subs(u, constant) / sympy.factorial(k)
            if not is_finite(at_limit):
                raise Undecided(f"{outer} is not smooth at {constant}")
            if k < self.order:
                factor = Coefficient(at_limit) if number_sign(at_limit) else None
            else:
                over = range_over(slope / sympy.factorial(k), u, around_limit, self.bits)
                if not (over.lower.is_finite() and over.upper.is_finite()):
                    raise _TooNear
                factor = Coefficient(at_limit, over)
            if factor is not None:
                total = self._add(total, self._scaled(power, factor))
        return total

    def _exp(self, inner: _Sum) -> _Sum:
        growing = {scale: part for scale, part in inner.items() if scale.growth > 0}
        if not all(part.is_constant for part in growing.values()):
            raise Undecided("an exponential whose growth is not known exactly")
        logarithm = Scale(log=sympy.S.One)
        power = growing.pop(logarithm).limit if logarithm in growing else sympy.S.Zero
        if not power.is_Rational:
            raise Undecided("a power that is not rational")
        exponent = tuple((scale, growing[scale].limit) for scale in decreasing(growing))
        settled = self._taylor(sympy.exp, {scale: part for scale, part in inner.items() if scale.growth <= 0})
        return {Scale(power, sympy.S.Zero, exponent) * scale: part for scale, part in settled.items()}

    def _leading(self, total: _Sum) -> tuple[Scale, _Sum]:
        """Return the fastest scale of a sum, and the sum in units of it, with a limit that is not 0."""
        if not total:
            raise Undecided("a division by 0")
        first = decreasing(total)[0]
        if not total[first].limit or not number_sign(total[first].limit):
            raise Undecided("a sum whose growth is not known")
        return first, {scale / first: part for scale, part in total.items()}

    def _pow(self, base: _Sum, exponent: sympy.Expr) -> _Sum:
        if exponent.is_Integer and 0 <= exponent <= _MOST_POWER:
            return self._power(base, int(exponent))
        if not exponent.is_Rational:
            if exponent.has(self.variable):
                return self._exp(self._multiply(self._of(exponent), self._log(base)))
            raise Undecided(f"the power {exponent} is not expanded")
        first, relative = self._leading(base)
        if not exponent.is_Integer and number_sign(relative[ONE].limit) < 0:
            raise Undecided("a root of a negative number")
        settled = self._taylor(lambda u: u**exponent, relative)
        return {first**exponent * scale: part for scale, part in settled.items()}

    def _log(self, inner: _Sum) -> _Sum:
        first, relative = self._leading(inner)
        if first.log or number_sign(relative[ONE].limit) < 0:
            raise Undecided("a logarithm of a logarithm, or of a negative number")
        size: _Sum = {scale: Coefficient(factor) for scale, factor in first.exponent}
        if first.power:
            size = self._add(size, {Scale(log=sympy.S.One): Coefficient(first.power)})
        return self._add(size, self._taylor(sympy.log, relative))

    def _reciprocal(self, total: _Sum) -> _Sum:
        return self._pow(total, sympy.S.NegativeOne)

    def _oriented(self, inner: _Sum, side: int) -> _Sum:
        return inner if side > 0 else self._negative(inner)

    def _log_at(self, inner: _Sum, side: int) -> _Sum:
        if side < 0:
            raise Undecided("a logarithm of a negative number")
        return self._log(inner)

    def _tanh(self, inner: _Sum, side: int) -> _Sum:
        """tanh(u) = 1 - 2/(exp(2u) + 1)."""
        power = self._exp(self._scaled(self._oriented(inner, side), Coefficient(sympy.Integer(-2))))
        quotient = self._multiply(power, self._reciprocal(self._add(_UNIT, power)))
        value = self._add(_UNIT, self._scaled(quotient, Coefficient(sympy.Integer(-2))))
        return self._oriented(value, side)

    def _coth(self, inner: _Sum, side: int) -> _Sum:
        return self._reciprocal(self._tanh(inner, side))

    def _hyperbolic(self, inner: _Sum, symmetry: int) -> _Sum:
        other = self._scaled(self._exp(self._negative(inner)), Coefficient(sympy.Integer(symmetry)))
        return self._scaled(self._add(self._exp(inner), other), Coefficient(sympy.S.Half))

    def _sinh(self, inner: _Sum, side: int) -> _Sum:
        return self._hyperbolic(inner, -1)

    def _cosh(self, inner: _Sum, side: int) -> _Sum:
        return self._hyperbolic(inner, 1)

    def _sech(self, inner: _Sum, side: int) -> _Sum:
        return self._reciprocal(self._hyperbolic(inner, 1))

    def _erfc(self, inner: _Sum, side: int) -> _Sum:
        """Σ (-1)ᵏ(2k - 1)!!/(2u²)ᵏ, cut anywhere, differs from √π·u·exp(u²)·erfc(u) by less than the term that follows."""
        if side < 0:
            return self._add({ONE: Coefficient(sympy.Integer(2))}, self._negative(self._erfc(self._negative(inner), 1)))
        if self.sign_of(inner) != 1:
            raise _TooNear
        square = self._multiply(inner, inner)
        step = self._scaled(self._reciprocal(square), Coefficient(-sympy.S.Half))
        series, term = _UNIT, _UNIT
        for k in range(1, self.order + 1):
            term = self._scaled(self._multiply(term, step), Coefficient(sympy.Integer(2 * k - 1)))
            if k == self.order:
                term = self._scaled(term, Coefficient(sympy.S.One, Interval(flint.arb(0), flint.arb(1))))
            series = self._add(series, term)
        scaled = self._multiply(self._reciprocal(inner), self._exp(self._negative(square)))
        return self._scaled(self._multiply(scaled, series), Coefficient(1 / sympy.sqrt(sympy.pi)))

    def sign_of(self, total: _Sum) -> int | None:
        first, relative = self._leading(total)
        return self._over(relative).sign

    def _erf(self, inner: _Sum, side: int) -> _Sum:
        rest = self._erfc(self._oriented(inner, side), 1)
        return self._oriented(self._add(_UNIT, self._negative(rest)), side)

    def _atan(self, inner: _Sum, side: int) -> _Sum:
        if self.sign_of(inner) != side:
            raise _TooNear
        rest = self._taylor(sympy.atan, self._reciprocal(inner))
        return self._add({ONE: Coefficient(side * sympy.pi / 2)}, self._negative(rest))

    def _asinh(self, inner: _Sum, side: int) -> _Sum:
        size = self._oriented(inner, side)
        root = self._pow(self._add(_UNIT, self._multiply(size, size)), sympy.S.Half)
        return self._oriented(self._log(self._add(size, root)), side)

    def _wave(self, inner: _Sum, side: int) -> _Sum:
        return {ONE: Coefficient(None, Interval(flint.arb(-1), flint.arb(1)))}


_U = sympy.Dummy("u", real=True)
_SPECIAL: dict[type, Callable[[_Tail, _Sum, int], _Sum]] = {
    sympy.asinh: _Tail._asinh,
    sympy.atan: _Tail._atan,
    sympy.cos: _Tail._wave,
    sympy.cosh: _Tail._cosh,
    sympy.coth: _Tail._coth,
    sympy.erf: _Tail._erf,
    sympy.erfc: _Tail._erfc,
    sympy.log: _Tail._log_at,
    sympy.sech: _Tail._sech,
    sympy.sin: _Tail._wave,
    sympy.sinh: _Tail._sinh,
    sympy.tanh: _Tail._tanh,
}


@functools.lru_cache(maxsize=512)
def _derivative(outer: sympy.Expr, order: int) -> sympy.Expr:
    return outer.diff(_U, order)


def hull_with_zero(interval: Interval) -> Interval:
    """Return the least interval that holds another and 0."""
    return hull([interval.lower, flint.arb(0), interval.upper])
