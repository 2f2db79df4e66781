"""Zeros of a function of one variable: isolated, bracketed, refined.

Each answer is proven to be complete: an interval that was searched holds no zero outside the returned ones. What is
not proven at one precision is tried at a higher one, and in the end refused as `Undecided`: no zero is missed, and no
loop is endless.
"""

import functools
from dataclasses import dataclass

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import (
    FIRST_BITS,
    GUARD_BITS,
    MOST_BITS,
    as_rational,
    digits_of,
    doubling,
    evaluate,
    precision,
)
from gradtheory.arithmetic.enclosure.intervals import Interval, bounds
from gradtheory.arithmetic.enclosure.signs import CUT, MOST_CELLS, Univariate, sign_of, signed_cells
from gradtheory.errors import Undecided

_INFINITY = flint.arb("inf")


def zeros(
    function: Univariate, lower: sympy.Expr, upper: sympy.Expr, most_cells: int = MOST_CELLS
) -> tuple[tuple[sympy.Rational, sympy.Rational], ...]:
    """Return isolating intervals of all zeros of a function in the open interval (lower, upper), proven complete.

    In each interval lies exactly one zero, a simple one; outside of them lies none.

    Raises
    ------
    Undecided
        If a zero is not simple, or the proof does not succeed.

    Examples
    --------
    >>> import sympy
    >>> z = sympy.Symbol("z", real=True)
    >>> [bool(low < root < high) for (low, high), root in zip(
    ...     zeros(Univariate(z**2 - 2, z), sympy.S(-9), sympy.S(9)), (-sympy.sqrt(2), sympy.sqrt(2)))]
    [True, True]

    """
    return tuple(
        (as_rational(cell.interval.lower), as_rational(cell.interval.upper))
        for side, cell in signed_cells(function, lower, upper, most_cells)
        if side == 0
    )


def crossing(
    function: Univariate,
    level: Ball | sympy.Expr,
    lower: sympy.Expr,
    upper: sympy.Expr,
    *,
    rises: bool,
    least_bits: int = FIRST_BITS,
    most_bits: int,
) -> tuple[Ball, Ball]:
    """Return a narrow bracket of the one place in (lower, upper) where a monotone function takes a value.

    Parameters
    ----------
    function : Univariate
        Strictly monotone on the open interval.
    level : ball or SymPy number
        A value between its limits at the ends.
    lower, upper : sympy.Expr
        The ends, possibly infinite.
    rises : bool
        Whether the function increases.
    least_bits, most_bits : int
        The precision to begin with, and that at which to give up.

    Returns
    -------
    pair of balls
        Exact points in increasing order; the level is proven to lie between the function's values at them.

    Raises
    ------
    Undecided
        If no such bracket is proven at `most_bits`.

    """
    for bits in doubling(most_bits, least_bits):
        with precision(bits):
            ball = evaluate(level, bits, {}) if isinstance(level, sympy.Expr) else level
            bracket = _bracket(_Difference(function, ball, 1 if rises else -1, bits), bounds(lower, upper, bits))
            if bracket is not None:
                return bracket
    digits = digits_of(most_bits)
    raise Undecided(
        f"the place where {shorten(function.expr)} takes the value {shorten(level)} is not decided at {digits} digits; "
        f"where the call takes digits=, ask for more with digits={2 * digits}"
    )


@dataclass(frozen=True)
class _Difference:
    """A function minus a level, with the sign that makes it increase."""

    function: Univariate
    level: Ball
    direction: int
    bits: int

    def __call__(self, point: Ball) -> Ball:
        return self.direction * (self.function.at(point, self.bits) - self.level)

    def sign(self, point: Ball) -> int:
        return sign_of(self(point))

    def newton(self, point: Ball) -> Ball:
        """Return the correction that Newton's step adds to a point."""
        return -self(point) / (self.direction * self.function.at(point, self.bits, 1))


def _bracket(difference: _Difference, whole: Interval) -> tuple[Ball, Ball] | None:
    """Return exact points around the zero of an increasing difference, or None at this precision."""
    lower, upper = whole  # the zero lies between; the difference need not be defined at these ends
    point, last_step = _inside(lower, upper), _INFINITY
    for _ in range(4 * difference.bits):
        value = difference(point)
        side = sign_of(value)
        if not value.is_finite() and not (whole.lower.is_finite() and whole.upper.is_finite()):
            side = 1 if whole.lower.is_finite() else -1  # too far out; the bracket returned is proven anyway
        elif side == 0:
            return _bracket_around(difference, point, whole)
        lower, upper = (point, upper) if side < 0 else (lower, point)
        step = difference.newton(point).mid()
        closer = (point + step).mid()
        if abs(step) <= abs(point) * flint.arb(2) ** -(difference.bits // 2):
            return _bracket_around(difference, closer, whole)
        is_slow = abs(step) > last_step / 2 and lower.is_finite() and upper.is_finite()  # as exp(z) from far away
        if is_slow or not (closer > lower and closer < upper):  # also where it is nan
            closer = _inside(lower, upper)
            if not (closer > lower and closer < upper):
                return None
        point, last_step = closer, abs(step)
    return None


def _inside(lower: Ball, upper: Ball) -> Ball:
    """Return a point between two ends; beyond a finite one, squares are taken to reach any magnitude soon."""
    if lower.is_finite() and upper.is_finite():
        return ((lower + upper) / 2).mid()
    if lower.is_finite():
        return (lower * lower).mid() if lower > 2 else (lower + 1).max(flint.arb(2)).mid()
    if upper.is_finite():
        return (-upper * upper).mid() if upper < -2 else (upper - 1).min(flint.arb(-2)).mid()
    return CUT.mid()


def _bracket_around(difference: _Difference, point: Ball, whole: Interval) -> tuple[Ball, Ball] | None:
    """Return the narrowest of some brackets around a point whose signs are proven."""
    for lost in range(10, difference.bits - 8, 6):
        radius = abs(point).max(flint.arb(2) ** -64) * flint.arb(2) ** (lost - difference.bits)
        below, above = (point - radius).mid(), (point + radius).mid()
        if not (below > whole.lower and above < whole.upper):
            return None
        if difference.sign(below) < 0 < difference.sign(above):
            return below, above
    return None


def has_one_zero(function: sympy.Lambda, slope: sympy.Expr, lower: sympy.Rational, upper: sympy.Rational) -> bool:
    """Prove that `function` has exactly one zero in [lower, upper]: its ends differ in sign, its derivative has none.

    False means *not proven*, at any precision tried.
    """
    (variable,) = function.variables
    bits = _bits_to_tell_apart(lower, upper)
    most = max(MOST_BITS, 4 * bits)
    while bits <= most:
        with precision(bits):
            ends = [evaluate(function.expr, bits, {variable: evaluate(end, bits, {})}) for end in (lower, upper)]
            signs = [sign_of(end) for end in ends]
            over = sign_of(evaluate(slope, bits, {variable: _between(lower, upper, bits)}))
            if 0 not in signs and (over or signs[0] == signs[1]):
                return signs[0] != signs[1]
        bits *= 2
    return False


@functools.lru_cache(maxsize=256)  # an expression may hold the same root many times
def zero(function: sympy.Lambda, slope: sympy.Expr, lower: sympy.Rational, upper: sympy.Rational, bits: int) -> Ball:
    """Return a ball of about `bits` correct bits around the only zero of `function` in [lower, upper].

    Precondition: `has_one_zero`. The precision about doubles with each contraction. `slope` is the derivative, in the
    function's variable: callers keep it, since finding it takes longer than the proof.
    """
    first = _bits_to_tell_apart(lower, upper)
    with precision(first):
        ball = _between(lower, upper, first)
    for working in _precisions_to(bits + GUARD_BITS, first):
        with precision(working):
            wide_enough = max(working // 2 + GUARD_BITS, first)  # the derivative only divides a small correction
            for _ in range(MOST_BITS):
                closer = _contract(function, slope, ball, working, wide_enough)
                if not closer.is_finite():  # both vanish to rounding
                    break
                gained = closer.rad() < ball.rad() / 2
                ball = closer
                if not gained or ball.rel_accuracy_bits() >= working - GUARD_BITS:
                    break
    return ball


def _contract(function: sympy.Lambda, slope: sympy.Expr, ball: Ball, bits: int, bits_of_slope: int) -> Ball:
    """Return a ball within X that holds every zero of f in X: X ∩ N(X), with Newton's N(X) = m - f(m)/f'(X).

    W. Tucker, "Validated Numerics", 2011, section 5.1.
    """
    (variable,) = function.variables
    middle = ball.mid()
    value = evaluate(function.expr, bits, {variable: middle})
    with precision(bits_of_slope):
        steepness = evaluate(slope, bits_of_slope, {variable: ball})
    return (middle - value / steepness).intersection(ball)


def _bits_to_tell_apart(lower: sympy.Rational, upper: sympy.Rational) -> int:
    """Return a precision at which the ends are far from equal."""
    share = (upper - lower) / max(abs(lower), abs(upper))
    return max(FIRST_BITS, int(share.q).bit_length() - int(share.p).bit_length() + 3 * GUARD_BITS)


def _precisions_to(bits: int, first: int) -> list[int]:
    """Return precisions that about double up to `bits`, each with room for the guard bits of the last step."""
    steps = [max(bits, first)]
    while steps[-1] > 2 * first:
        steps.append(steps[-1] // 2 + GUARD_BITS)
    return steps[::-1]


def _between(lower: sympy.Rational, upper: sympy.Rational, bits: int) -> Ball:
    return evaluate(lower, bits, {}).union(evaluate(upper, bits, {}))
