"""Proven signs: of a number; of a function of one variable at a point, or on an interval that may be unbounded.

What is not proven at one precision is tried at a higher one, and in the end refused as `Undecided`.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import (
    FIRST_BITS,
    MOST_BITS,
    Enclosable,
    digits_of,
    doubling,
    evaluate,
    is_infinite,
    precision,
)
from gradtheory.arithmetic.enclosure.derivatives import derivative
from gradtheory.arithmetic.enclosure.exponential_sums import exponential_sum
from gradtheory.arithmetic.enclosure.intervals import Interval, around, bounds, plus, range_over, times
from gradtheory.arithmetic.enclosure.tails import sign_beyond
from gradtheory.arithmetic.enclosure.vanishing import is_small_number_zero
from gradtheory.errors import Undecided

CUT = flint.arb(127) / 256  # off-centre: a zero in the middle, as odd functions have, is not cut through
MOST_CELLS = 4_000  # of one bisection
_ASKED, _LATE = 2, 16  # times the first precision, beyond which SymPy is asked whether a number is 0
_BITS_BY_CELLS = ((50, FIRST_BITS), (500, 4 * FIRST_BITS), (2 * MOST_CELLS, 16 * FIRST_BITS))
_FARTHEST = flint.arb(2) ** 200
_ORDERS = 4  # derivatives asked where a function vanishes at an end


def sign_of(ball: Ball) -> int:
    """Return the sign of all numbers in a ball; 0 where it is not proven that they share one."""
    return int(bool(ball > 0)) - int(bool(ball < 0))


def sign(expr: sympy.Expr, most_bits: int = MOST_BITS, *, ask_sympy: bool = True) -> int:
    """Return the proven sign of a real number or of ±oo: -1, 0 or 1.

    Rationals are read off. Otherwise balls of growing precision decide, unless the number is so close to zero that
    SymPy is asked whether it *is* zero: no ball can prove that. It may take long, and `ask_sympy=False` leaves it out.

    Raises
    ------
    Undecided
        If neither decides within `most_bits` bits.

    Examples
    --------
    >>> import sympy
    >>> sign(sympy.pi - sympy.Rational(355, 113)), sign(sympy.sqrt(8) - 2 * sympy.sqrt(2))
    (-1, 0)

    """
    if expr.is_Rational:
        return int(expr.p > 0) - int(expr.p < 0)
    if is_infinite(expr):
        return 1 if expr is sympy.oo else -1
    for bits in doubling(most_bits):
        with precision(bits):
            ball = evaluate(expr, bits, {})
        if (side := sign_of(ball)) or ball.is_zero():
            return side
        if bits > _ASKED * FIRST_BITS and ask_sympy and (bits > _LATE * FIRST_BITS or not _holds_zeros(expr)):
            ask_sympy = False  # once
            if abs(ball) < 1 and is_small_number_zero(expr):
                return 0
    digits = digits_of(most_bits)
    raise Undecided(
        f"the sign of {shorten(expr)} is not decided at {digits} digits: it is zero, or smaller than 1e-{digits}; "
        f"where the call takes digits=, ask for more with digits={2 * digits}"
    )


def _holds_zeros(expr: sympy.Expr) -> bool:
    """Return whether a number holds one that encloses itself, as zeros do: SymPy takes long with their formulas."""
    return any(isinstance(part, Enclosable) for part in sympy.preorder_traversal(expr))


def order(left: sympy.Expr, right: sympy.Expr, *, ask_sympy: bool = True) -> int:
    """Return the proven sign of left - right, for real numbers and ±oo: -1, 0 or 1.

    Examples
    --------
    >>> import sympy
    >>> order(sympy.oo, sympy.oo), order(-sympy.oo, sympy.pi), order(sympy.pi, sympy.Integer(3))
    (0, -1, 1)

    """
    if left == right:
        return 0
    if is_infinite(right):
        return -1 if right is sympy.oo else 1
    return sign(left - right, ask_sympy=ask_sympy)


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


def sign_at(expr: sympy.Expr, variable: sympy.Symbol, point: sympy.Expr) -> int:
    """Return the proven sign of an expression at a point, without rewriting it there as substitution would.

    SymPy makes 2 - erfc(x) of erfc(-x), which cancels.
    """
    for bits in doubling(4 * FIRST_BITS):
        with precision(bits):
            ball = evaluate(expr, bits, {variable: evaluate(point, bits, {})})
        if side := sign_of(ball):
            return side
    if not ball.is_finite():
        at = shorten(point)
        raise Undecided(f"the value of {shorten(expr)} at {at} is not enclosed: it may be too large for that")
    return sign(expr.subs(variable, point))


def sign_on(function: Univariate, lower: sympy.Expr, upper: sympy.Expr, most_cells: int = MOST_CELLS) -> int:
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
    sides = (side for side, _ in signed_cells(function, lower, upper, most_cells))
    first = next(sides)
    if first and all(side == first for side in sides):
        return first
    raise Undecided(
        f"{shorten(function.expr)} has a zero in the open interval ({shorten(lower)}, {shorten(upper)}), where none "
        "was expected"
    )


@dataclass(frozen=True)
class Cell:
    """A part of an interval that is bisected.

    Parameters
    ----------
    interval : Interval
        The part.
    has_lower, has_upper : bool
        Whether it reaches to the lower and to the upper end of the whole.

    """

    interval: Interval
    has_lower: bool
    has_upper: bool

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return bool(self.interval.lower.is_finite() and self.interval.upper.is_finite())

    @property
    def is_hopeless(self) -> bool:
        """Whether it is unbounded and so far out that the function must tend to 0 there."""
        lower, upper = self.interval
        return bool((not upper.is_finite() and lower > _FARTHEST) or (not lower.is_finite() and upper < -_FARTHEST))

    def halves(self, bits: int) -> tuple["Cell", "Cell"]:
        """Return the cell in two; an unbounded one is cut far enough out to end soon."""
        lower, upper = self.interval
        if self.is_bounded:
            with precision(bits):  # far out, the ends may have their first digits in common
                cut = (lower + (upper - lower) * CUT).mid()
        elif lower.is_finite():
            cut = (2 * abs(lower) + 1).mid()
        elif upper.is_finite():
            cut = -(2 * abs(upper) + 1).mid()
        else:
            cut = CUT.mid()
        return Cell(Interval(lower, cut), self.has_lower, False), Cell(Interval(cut, upper), False, self.has_upper)


def signed_cells(
    function: Univariate, lower: sympy.Expr, upper: sympy.Expr, most_cells: int = MOST_CELLS
) -> Iterator[tuple[int, Cell]]:
    """Yield cells that cover the interval, from left to right, with the sign of f there; 0 means one simple zero."""
    pending = [Cell(bounds(lower, upper, FIRST_BITS), True, True)]
    tried = 0
    while pending:
        cell = pending.pop()
        tried += 1
        bits = next(bits for most, bits in _BITS_BY_CELLS if tried < most)
        side = _sign_on_cell(function, cell, lower, upper, bits)
        if side is not None:
            yield side, cell
        elif tried >= most_cells or cell.is_hopeless:
            raise Undecided(
                f"the zeros of {shorten(function.expr)} between {shorten(lower)} and {shorten(upper)} are not decided "
                f"after {tried} cuts: "
                f"one near {float(cell.interval.lower.mid()):.17g} is not simple, or too close to another"
            )
        else:
            pending.extend(reversed(cell.halves(bits)))


def _sign_on_cell(function: Univariate, cell: Cell, lower: sympy.Expr, upper: sympy.Expr, bits: int) -> int | None:
    """Return the sign of f on a cell, 0 where it has exactly one, simple, zero, or None where nothing is proven."""
    whole = function.over(cell.interval, bits).sign
    if whole:
        return whole
    for has_end, end, side in ((cell.has_lower, lower, 1), (cell.has_upper, upper, -1)):
        order = _order_at(function, end) if has_end else 0
        if order:  # f = f⁽ᵏ⁾(ξ)(z - end)ᵏ/k!
            leading = function.over(cell.interval, bits, order).sign
            return leading * side**order if leading else None
    if not cell.is_bounded:
        return _sign_far_out(function, cell.interval, bits)
    by_slope = _by_its_slope(function, cell.interval, bits)
    total = exponential_sum(function.expr, function.variable) if by_slope is None else None
    return by_slope if total is None else total.sign_over(cell.interval, bits)


def _sign_far_out(function: Univariate, interval: Interval, bits: int) -> int | None:
    """Return the sign on an interval with one infinite end, or None."""
    rightwards = interval.lower.is_finite()
    if not (rightwards or interval.upper.is_finite()):
        return None
    return sign_beyond(function.expr, function.variable, interval[not rightwards], rightwards=rightwards, bits=bits)


def _by_its_slope(function: Univariate, interval: Interval, bits: int) -> int | None:
    """Return the sign on a bounded interval as far as f' tells it: f(z) = f(m) + f'(ξ)(z - m)."""
    lower, upper = interval
    slope = function.over(interval, bits, 1)
    with precision(bits):
        middle = ((lower + upper) / 2).mid()
        near = plus(around(function.at(middle, bits)), times(slope, Interval(lower - middle, upper - middle))).sign
    if near or not slope.sign:
        return near
    at_ends = [sign_of(function.at(end, bits)) for end in interval]
    if 0 in at_ends:
        return None
    return at_ends[0] if at_ends[0] == at_ends[1] else 0


@functools.lru_cache(maxsize=256)
def _order_at(function: Univariate, end: sympy.Expr) -> int:
    """Return to which order f vanishes at an end; 0 if it does not, or cannot be evaluated there."""
    if is_infinite(end):
        return 0
    if _defines(function.expr, end):
        return 1
    for order in range(_ORDERS + 1):
        formula = derivative(function.expr, function.variable, order)
        with precision(4 * FIRST_BITS):
            ball = evaluate(formula, 4 * FIRST_BITS, {function.variable: evaluate(end, 4 * FIRST_BITS, {})})
        if not ball.is_finite() or not ball.contains(0):
            return order if ball.is_finite() else 0
        if sign(formula.subs(function.variable, end)) != 0:
            return order
    raise Undecided(f"{shorten(function.expr)} vanishes at {shorten(end)} with {_ORDERS} derivatives")


def _defines(expr: sympy.Expr, end: sympy.Expr) -> bool:
    """Return whether a number is defined as a simple zero of this very expression: no ball can prove that it is one."""
    function = getattr(end, "function", None)  # of a `Root`, which is defined in terms of this room
    return isinstance(function, sympy.Lambda) and end.value in function.variables and function.expr in (expr, -expr)
