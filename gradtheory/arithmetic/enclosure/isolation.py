"""Zeros of SymPy expressions in one variable: isolated, proven complete, refined; and proven signs between them.

What is not proven at one precision is tried at a higher one, and in the end refused as `Undecided`: never a zero
missed, never an endless loop.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import flint
import sympy

from gradtheory.arithmetic.enclosure.balls import (
    FIRST_BITS,
    GUARD_BITS,
    MOST_BITS,
    Ball,
    doubling,
    evaluate,
    precision,
    sign,
)
from gradtheory.arithmetic.enclosure.intervals import Interval, bounds, range_over
from gradtheory.errors import Undecided

_CUT = flint.arb(127) / 256  # off-centre: a zero in the middle, as odd functions have, is not cut through
_MOST_PIECES = 4_000  # of one bisection
_BITS_BY_PIECES = ((50, FIRST_BITS), (500, 4 * FIRST_BITS), (2 * _MOST_PIECES, 16 * FIRST_BITS))
_INFINITY = flint.arb("inf")
_FARTHEST = flint.arb(2) ** 200
_ORDERS = 4  # derivatives asked where a function vanishes at an end


@dataclass(frozen=True)
class Univariate:
    """A function f of one variable, a SymPy expression, with the derivatives that proofs ask for."""

    expr: sympy.Expr
    variable: sympy.Symbol

    def at(self, point: Ball, bits: int, order: int = 0) -> Ball:
        """Return a ball around the derivative of this order at a point."""
        with precision(bits):
            return evaluate(derivative(self.expr, self.variable, order), bits, {self.variable: point})

    def over(self, interval: Interval, bits: int, order: int = 0) -> Interval:
        """Return bounds of the derivative of this order over an interval."""
        return range_over(derivative(self.expr, self.variable, order), self.variable, interval, bits)


@functools.lru_cache(maxsize=1024)
def derivative(expr: sympy.Expr, variable: sympy.Symbol, order: int) -> sympy.Expr:
    """Return a derivative, remembered: finding it takes longer than most proofs."""
    return expr if order == 0 else derivative(expr, variable, order - 1).diff(variable)


@dataclass(frozen=True)
class _Piece:
    """A part of the interval that is bisected, and whether it reaches to the ends of the whole."""

    interval: Interval
    at_lower: bool
    at_upper: bool

    @property
    def is_hopeless(self) -> bool:
        """Whether it is unbounded and so far out that the function must tend to 0 there."""
        lower, upper = self.interval
        return bool((not upper.is_finite() and lower > _FARTHEST) or (not lower.is_finite() and upper < -_FARTHEST))

    def halves(self) -> tuple["_Piece", "_Piece"]:
        lower, upper = self.interval
        if lower.is_finite() and upper.is_finite():
            cut = (lower + (upper - lower) * _CUT).mid()
        elif lower.is_finite():
            cut = (2 * abs(lower) + 1).mid()
        elif upper.is_finite():
            cut = -(2 * abs(upper) + 1).mid()
        else:
            cut = _CUT.mid()
        return (
            _Piece(Interval(lower, cut), self.at_lower, False),
            _Piece(Interval(cut, upper), False, self.at_upper),
        )


def sign_on(function: Univariate, lower: sympy.Expr, upper: sympy.Expr) -> int:
    """Prove that a function has one sign on the open interval (lower, upper), and return it: -1 or 1.

    It may vanish at the ends, which may be infinite.

    Raises
    ------
    Undecided
        If the function has a zero in the interval, or the proof does not succeed.

    Examples
    --------
    >>> import sympy
    >>> z = sympy.Symbol("z", real=True)
    >>> sign_on(Univariate(-z, z), sympy.S.Zero, sympy.oo)
    -1

    """
    signs = {found for found, _ in _signed_pieces(function, lower, upper)}
    if len(signs) == 1 and 0 not in signs:
        return int(signs.pop())
    raise Undecided(f"{function.expr} has a zero in the open interval ({lower}, {upper}), where none was expected")


def zeros(
    function: Univariate, lower: sympy.Expr, upper: sympy.Expr
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
        (as_rational(piece.interval.lower), as_rational(piece.interval.upper))
        for found, piece in _signed_pieces(function, lower, upper)
        if found == 0
    )


def _signed_pieces(function: Univariate, lower: sympy.Expr, upper: sympy.Expr) -> Iterator[tuple[int, _Piece]]:
    """Yield, from left to right, pieces that cover the interval: f has the sign there, or 0: one simple zero."""
    pending = [_Piece(bounds(lower, upper, FIRST_BITS), True, True)]
    tried = 0
    while pending:
        piece = pending.pop()
        tried += 1
        bits = next(bits for most, bits in _BITS_BY_PIECES if tried < most)
        found = _sign_of_piece(function, piece, lower, upper, bits)
        if found is not None:
            yield found, piece
        elif tried >= _MOST_PIECES or piece.is_hopeless:
            raise Undecided(
                f"the zeros of {function.expr} between {lower} and {upper} are not decided after {tried} cuts: "
                f"one near {float(piece.interval.lower.mid()):.17g} is not simple, or too close to another"
            )
        else:
            pending.extend(reversed(piece.halves()))


def _sign_of_piece(function: Univariate, piece: _Piece, lower: sympy.Expr, upper: sympy.Expr, bits: int) -> int | None:
    """Return the sign of f on a piece, 0 where it has exactly one, simple, zero, or None where nothing is proven."""
    whole = function.over(piece.interval, bits).sign
    if whole:
        return whole
    for is_there, end, side in ((piece.at_lower, lower, 1), (piece.at_upper, upper, -1)):
        order = _order_at(function, end) if is_there else 0
        if order:  # f = f⁽ᵏ⁾(ξ)(z - end)ᵏ/k!
            leading = function.over(piece.interval, bits, order).sign
            return leading * side**order if leading else None
    if not (piece.interval.lower.is_finite() and piece.interval.upper.is_finite()):
        return None
    if not function.over(piece.interval, bits, 1).sign:
        return None
    at_lower, at_upper = (_sign(function.at(end, bits)) for end in piece.interval)
    if at_lower == 0 or at_upper == 0:
        return None
    return at_lower if at_lower == at_upper else 0


@functools.lru_cache(maxsize=256)
def _order_at(function: Univariate, end: sympy.Expr) -> int:
    """Return to which order f vanishes at an end; 0 if it does not, or cannot be evaluated there."""
    if end.is_infinite:
        return 0
    if _defines(function.expr, end):
        return 1
    for order in range(_ORDERS + 1):
        bend = derivative(function.expr, function.variable, order)
        with precision(4 * FIRST_BITS):
            ball = evaluate(bend, 4 * FIRST_BITS, {function.variable: evaluate(end, 4 * FIRST_BITS, {})})
        if not ball.is_finite() or not ball.contains(0):
            return order if ball.is_finite() else 0
        if sign(bend.subs(function.variable, end)) != 0:
            return order
    raise Undecided(f"{function.expr} vanishes at {end} with {_ORDERS} derivatives")


def _defines(expr: sympy.Expr, end: sympy.Expr) -> bool:
    """Return whether a number is defined as a simple zero of this very expression: no ball can see that it is one."""
    defined = getattr(end, "function", None)
    return isinstance(defined, sympy.Lambda) and end.value in defined.variables and defined.expr in (expr, -expr)


def _sign(ball: Ball) -> int:
    return int(bool(ball > 0)) - int(bool(ball < 0))


def sign_at(expr: sympy.Expr, variable: sympy.Symbol, point: sympy.Expr) -> int:
    """Return the proven sign of an expression at a point, without rewriting it there as substitution would.

    SymPy makes 2 - erfc(x) of erfc(-x), which cancels.
    """
    for bits in doubling(4 * FIRST_BITS):
        with precision(bits):
            found = _sign(evaluate(expr, bits, {variable: evaluate(point, bits, {})}))
        if found:
            return found
    return sign(expr.subs(variable, point))


def as_rational(point: Ball) -> sympy.Rational:
    """Return the midpoint of a ball, a dyadic number, exactly."""
    mantissa, exponent = (int(part) for part in point.mid().man_exp())
    return sympy.Integer(mantissa) * sympy.Integer(2) ** exponent


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
        Exact points with proven function(one) < level < function(other), in increasing order.

    Raises
    ------
    Undecided
        If no such bracket is proven at `most_bits`.

    """
    for bits in doubling(most_bits, least_bits):
        with precision(bits):
            at = evaluate(level, bits, {}) if isinstance(level, sympy.Expr) else level
            found = _bracket(_Difference(function, at, 1 if rises else -1, bits), bounds(lower, upper, bits))
            if found is not None:
                return found
    digits = int(most_bits * 0.30103)
    raise Undecided(
        f"the place where {function.expr} takes the value {level} is not decided at {digits} digits; "
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
        return _sign(self(point))

    def newton(self, point: Ball) -> Ball:
        """Return the correction that Newton's step adds to a point."""
        return -self(point) / (self.direction * self.function.at(point, self.bits, 1))


def _bracket(difference: _Difference, whole: Interval) -> tuple[Ball, Ball] | None:
    """Return exact points around the zero of an increasing difference, or None at this precision."""
    lower, upper = whole  # the zero lies between; the difference need not be defined at these ends
    point, last_step = _inside(lower, upper), _INFINITY
    for _ in range(4 * difference.bits):
        value = difference(point)
        found = _sign(value)
        if not value.is_finite() and not (whole.lower.is_finite() and whole.upper.is_finite()):
            found = 1 if whole.lower.is_finite() else -1  # too far out; what is found in the end is proven anyway
        elif found == 0:
            return _widened(difference, point, whole)
        lower, upper = (point, upper) if found < 0 else (lower, point)
        step = difference.newton(point).mid()
        closer = (point + step).mid()
        if abs(step) <= abs(point) * flint.arb(2) ** -(difference.bits // 2):
            return _widened(difference, closer, whole)
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
    return _CUT.mid()


def _widened(difference: _Difference, point: Ball, whole: Interval) -> tuple[Ball, Ball] | None:
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
            signs = [_sign(each) for each in ends]
            over = _sign(evaluate(slope, bits, {variable: _between(lower, upper, bits)}))
            if 0 not in signs and (over or signs[0] == signs[1]):
                return signs[0] != signs[1]
        bits *= 2
    return False


@functools.lru_cache(maxsize=256)  # an expression may hold the same root many times
def zero(function: sympy.Lambda, slope: sympy.Expr, lower: sympy.Rational, upper: sympy.Rational, bits: int) -> Ball:
    """Return a ball of about `bits` correct bits around the only zero of `function` in [lower, upper].

    Interval Newton, N(X) = m - f(m)/f'(X), at a precision that doubles with each step (W. Tucker, "Validated
    Numerics", 2011, section 5.1): the zero lies in X and in N(X), hence in their intersection.
    Precondition: `has_one_zero`. The derivative `slope`, in the function's variable, is given: finding it takes longer
    than the proof.
    """
    (variable,) = function.variables
    first = _bits_to_tell_apart(lower, upper)
    with precision(first):
        ball = _between(lower, upper, first)
    for working in _doubling(bits + GUARD_BITS, first):
        with precision(working):
            wide_enough = max(working // 2 + GUARD_BITS, first)  # the derivative only divides a small correction
            for _ in range(MOST_BITS):
                middle = ball.mid()
                value = evaluate(function.expr, working, {variable: middle})
                with precision(wide_enough):
                    steepness = evaluate(slope, wide_enough, {variable: ball})
                closer = (middle - value / steepness).intersection(ball)
                gained = closer.rad() < ball.rad() / 2
                ball = closer
                if not gained or ball.rel_accuracy_bits() >= working - GUARD_BITS:
                    break
    return ball


def _bits_to_tell_apart(lower: sympy.Rational, upper: sympy.Rational) -> int:
    """Return a precision at which the ends are far from equal."""
    share = (upper - lower) / max(abs(lower), abs(upper))
    return max(FIRST_BITS, int(share.q).bit_length() - int(share.p).bit_length() + 3 * GUARD_BITS)


def _doubling(bits: int, first: int) -> list[int]:
    """Return precisions that about double up to `bits`, each with room for the guard bits of the last step."""
    steps = [max(bits, first)]
    while steps[-1] > 2 * first:
        steps.append(steps[-1] // 2 + GUARD_BITS)
    return steps[::-1]


def _between(lower: sympy.Rational, upper: sympy.Rational, bits: int) -> Ball:
    return evaluate(lower, bits, {}).union(evaluate(upper, bits, {}))
