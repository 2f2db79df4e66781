"""Bounds of SymPy expressions over intervals, which may be unbounded.

A ball cannot stand for [R, ∞), and a wide ball overestimates: tanh of a ball loses its monotonicity. So an interval
here has two ends, each a ball or ±∞; a monotone function maps ends to ends (W. Tucker, "Validated Numerics", 2011,
sections 2.3 and 3.2; the infinite ends follow IEEE 1788-2015).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.effort import charge
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import above_one, evaluate, function_of, is_infinite, precision
from gradtheory.errors import Undecided

_INFINITY = flint.arb("inf")


class Interval(NamedTuple):
    """The real numbers from the lower bound of `lower` to the upper bound of `upper`."""

    lower: Ball
    upper: Ball

    @property
    def sign(self) -> int | None:
        """The sign of all its numbers, or None where it is not proven that they share one."""
        if self.lower > 0:
            return 1
        if self.upper < 0:
            return -1
        return 0 if self.lower.is_zero() and self.upper.is_zero() else None


_Map: TypeAlias = Callable[..., Interval]
_Intervals: TypeAlias = Mapping[sympy.Symbol, Interval]
_Evaluator: TypeAlias = Callable[[int, _Intervals], Interval]


@runtime_checkable
class Bounded(Protocol):
    """A SymPy object that bounds itself over intervals."""

    def over(self, bits: int, at: _Intervals) -> Interval:
        """Return bounds of its values for symbols in the intervals."""


@runtime_checkable
class Increasing(Protocol):
    """An increasing SymPy function of the package's own."""

    limits: tuple[int | sympy.Expr, int | sympy.Expr]  # at -oo and oo
    plain: sympy.Expr  # the same in SymPy's functions

    @staticmethod
    def ball(x: Ball) -> Ball:
        """Return the function of a ball."""


def bounds(lower: sympy.Expr, upper: sympy.Expr, bits: int) -> Interval:
    """Return the interval between two exact numbers, each finite or ±oo."""
    with precision(bits):
        return Interval(_end(lower, bits).lower(), _end(upper, bits).upper())


def _end(number: sympy.Expr, bits: int) -> Ball:
    if is_infinite(number):
        return _INFINITY if number is sympy.oo else -_INFINITY
    return evaluate(number, bits, {})


def range_over(expr: sympy.Expr, variable: sympy.Symbol, interval: Interval, bits: int) -> Interval:
    """Return an interval that holds all values of `expr` for the variable in `interval`.

    `Bounded` objects answer for themselves.

    Raises
    ------
    Undecided
        If `expr` holds a function without bounds.

    Examples
    --------
    >>> import sympy
    >>> z = sympy.Symbol("z", real=True)
    >>> range_over(2 - z * sympy.tanh(z), z, bounds(sympy.S(3), sympy.oo, 64), 64).sign
    -1

    """
    charge(expr, bits, 5)
    with precision(bits):
        return _evaluator(expr)(bits, {variable: interval})


@functools.lru_cache(maxsize=1024)
def _evaluator(expr: sympy.Expr) -> _Evaluator:
    if not expr.free_symbols:
        return lambda bits, at: _proper(around(evaluate(expr, bits, {})))
    if isinstance(expr, Bounded):
        return expr.over
    if expr.is_Symbol:
        return lambda bits, at: at[expr]
    if isinstance(expr, sympy.log) and (rest := above_one(expr.args[0])) is not None:
        beyond_one = _evaluator(rest)
        return lambda bits, at: _proper(_log_above_one(beyond_one(bits, at)))
    map_ends = _map_of(expr)
    if expr.is_Pow and not expr.exp.free_symbols:
        inner = [_evaluator(expr.base)]
    else:
        inner = [_evaluator(each) for each in expr.args]
    return lambda bits, at: _proper(map_ends(*(each(bits, at) for each in inner)))


def _proper(interval: Interval) -> Interval:
    """Return an interval whose unknown ends are infinite: Arb gives nan for sinh of a huge number, and for (-oo)³."""
    lower, upper = interval
    return Interval(-_INFINITY if lower.is_nan() else lower, _INFINITY if upper.is_nan() else upper)


def _map_of(expr: sympy.Expr) -> _Map:  # one a case
    kind = expr.func
    if expr.is_Add:
        return lambda *terms: functools.reduce(plus, terms)
    if expr.is_Mul:
        return lambda *factors: functools.reduce(times, factors)
    if expr.is_Pow and not expr.exp.free_symbols:
        return _power(expr.exp)
    if kind in _INCREASING:
        return _increasing(function_of(kind), *_INCREASING[kind])
    if isinstance(expr, Increasing):
        at_left, at_right = (sympy.S(limit) for limit in expr.limits)
        return _increasing(expr.ball, lambda: _end(at_left, 0), lambda: _end(at_right, 0))
    if kind in _OTHERS:
        return _OTHERS[kind]
    raise Undecided(f"no proven bounds over an interval are known for {kind.__name__} in {shorten(expr)}")


def around(ball: Ball) -> Interval:
    """Return the interval of a ball."""
    return Interval(ball.lower(), ball.upper())


def plus(left: Interval, right: Interval) -> Interval:
    """Return the interval of all sums, where the caller has set the precision."""
    # ∞ - ∞ at one end bounds nothing there.
    lower, upper = left.lower + right.lower, left.upper + right.upper
    return Interval(
        -_INFINITY if lower.is_nan() else lower.lower(),
        _INFINITY if upper.is_nan() else upper.upper(),
    )


def times(left: Interval, right: Interval) -> Interval:
    """Return the interval of all products, where the caller has set the precision."""
    products = [_end_product(a, b) for a in left for b in right]
    return hull(products)


def _end_product(left: Ball, right: Ball) -> Ball:
    # 0·∞ is 0 for bounds: every number of the interval is finite.
    return flint.arb(0) if left.is_zero() or right.is_zero() else left * right


def hull(ends: list[Ball]) -> Interval:
    """Return the least interval that holds all balls."""
    lower, upper = ends[0].lower(), ends[0].upper()
    for end in ends[1:]:
        lower, upper = lower.min(end.lower()), upper.max(end.upper())
    if lower.is_nan() or upper.is_nan():
        return Interval(-_INFINITY, _INFINITY)
    return Interval(lower, upper)


def _power(exponent: sympy.Expr) -> _Map:
    if exponent.is_negative:
        positive = _power(-exponent)
        return lambda base: _reciprocal(positive(base))
    if exponent.is_Integer:
        whole = int(exponent)
        if whole % 2:
            return lambda base: Interval((base.lower**whole).lower(), (base.upper**whole).upper())
        return lambda base: _even(base, lambda size: size**whole)
    power = flint.arb(flint.fmpq(int(exponent.p), int(exponent.q))) if exponent.is_Rational else None
    if power is None:
        raise Undecided(f"no proven bounds are known for the power {shorten(exponent)}")
    return lambda base: _from_zero(base, lambda end: end**power)


def _from_zero(base: Interval, function: Callable[[Ball], Ball]) -> Interval:
    """Map the nonnegative part of an interval by an increasing function that is 0 at 0 and oo at oo."""
    ends = [
        flint.arb(0) if not end > 0 else _INFINITY if not end.is_finite() else function(end)
        for end in (base.lower, base.upper)
    ]
    if base.lower < 0:
        return Interval(-_INFINITY, _INFINITY)  # no real number there
    return Interval(ends[0].lower(), ends[1].upper())


def _even(base: Interval, function: Callable[[Ball], Ball]) -> Interval:
    """Map by an even function that increases with |z|."""
    low, high = abs(base.lower), abs(base.upper)
    ends = [_INFINITY if not end.is_finite() else function(end) for end in (low, high)]
    if base.lower >= 0:
        return Interval(ends[0].lower(), ends[1].upper())
    if base.upper <= 0:
        return Interval(ends[1].lower(), ends[0].upper())
    return Interval(function(flint.arb(0)).lower(), ends[0].upper().max(ends[1].upper()))


def _reciprocal(interval: Interval) -> Interval:
    lower, upper = interval
    if not (lower >= 0 or upper <= 0):
        return Interval(-_INFINITY, _INFINITY)
    if lower >= 0:
        return Interval(_inverted(upper, _INFINITY).lower(), _inverted(lower, _INFINITY).upper())
    return Interval(_inverted(upper, -_INFINITY).lower(), _inverted(lower, -_INFINITY).upper())


def _inverted(end: Ball, at_zero: Ball) -> Ball:
    if not end.is_finite():
        return flint.arb(0)
    return at_zero if end.is_zero() else 1 / end


# Increasing functions, with their limits at -oo and oo (None: ±oo), where they are defined on the whole line.
_INCREASING: dict[type, tuple[Callable[[], Ball], Callable[[], Ball]]] = {
    sympy.asinh: (lambda: -_INFINITY, lambda: _INFINITY),
    sympy.atan: (lambda: -flint.arb.pi() / 2, lambda: flint.arb.pi() / 2),
    sympy.erf: (lambda: flint.arb(-1), lambda: flint.arb(1)),
    sympy.exp: (lambda: flint.arb(0), lambda: _INFINITY),
    sympy.sign: (lambda: flint.arb(-1), lambda: flint.arb(1)),
    sympy.sinh: (lambda: -_INFINITY, lambda: _INFINITY),
    sympy.tanh: (lambda: flint.arb(-1), lambda: flint.arb(1)),
}


def _increasing(function: Callable[[Ball], Ball], at_left: Callable[[], Ball], at_right: Callable[[], Ball]) -> _Map:
    def end(ball: Ball) -> Ball:
        if ball.is_finite():
            return function(ball)
        return at_right() if ball > 0 else at_left()

    return lambda interval: Interval(end(interval.lower).lower(), end(interval.upper).upper())


def _erfc(interval: Interval) -> Interval:
    lower, upper = _ERF(Interval(-interval.upper, -interval.lower))
    if interval.lower > 0 and interval.lower.is_finite():  # 1 - erf cancels there
        least = interval.upper.erfc() if interval.upper.is_finite() else flint.arb(0)
        return Interval(least.lower(), interval.lower.erfc().upper())
    return Interval((1 + lower).lower(), (1 + upper).upper())


def _log(interval: Interval) -> Interval:
    if interval.lower < 0:
        return Interval(-_INFINITY, _INFINITY)
    lower = -_INFINITY if interval.lower.is_zero() else interval.lower.log().lower()
    return Interval(lower, interval.upper.log().upper() if interval.upper.is_finite() else _INFINITY)


def _log_above_one(interval: Interval) -> Interval:
    lower = interval.lower.log1p().lower() if interval.lower > -1 else -_INFINITY
    return Interval(lower, interval.upper.log1p().upper() if interval.upper.is_finite() else _INFINITY)


def _wave(function: Callable[[Ball], Ball]) -> _Map:
    def wave(interval: Interval) -> Interval:
        if interval.lower.is_finite() and interval.upper.is_finite():
            lower, upper = around(function(interval.lower.union(interval.upper)))
            return Interval(lower.max(flint.arb(-1)), upper.min(flint.arb(1)))
        return Interval(flint.arb(-1), flint.arb(1))

    return wave


def _end_by_end(choose: Callable[[Ball, Ball], Ball], intervals: Sequence[Interval]) -> Interval:
    """Return the interval whose ends are chosen among the lower ends, and among the upper ends, of some intervals."""
    lower, upper = (functools.reduce(choose, ends) for ends in zip(*intervals, strict=True))
    return Interval(lower, upper)


_COSH = function_of(sympy.cosh)
_ERF = _increasing(function_of(sympy.erf), *_INCREASING[sympy.erf])
_OTHERS: dict[type, _Map] = {
    sympy.Abs: lambda interval: _even(interval, lambda size: size),
    sympy.Max: lambda *intervals: _end_by_end(flint.arb.max, intervals),
    sympy.Min: lambda *intervals: _end_by_end(flint.arb.min, intervals),
    sympy.cos: _wave(function_of(sympy.cos)),
    sympy.cosh: lambda interval: _even(interval, _COSH),
    sympy.erfc: _erfc,
    sympy.log: _log,
    sympy.sech: lambda interval: _reciprocal(_even(interval, _COSH)),
    sympy.sin: _wave(function_of(sympy.sin)),
}
