"""σ, σ' and σ'' at a point, in ball arithmetic: on the smooth formula that holds there.

A formula changes where a switch (the argument of an Abs, the difference in a Max, …) is 0. The balls of the switches
say which formula holds. Exactly on a kink it is the one that the record's expressions take there, as its kernel does;
of your own expression σ' and σ'' are those from the left, however it is written.
"""

import functools
import itertools
from collections.abc import Callable
from typing import TypeAlias

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.jumps import jumps_of
from gradtheory.activations.slopes.switches import breaks, formula_left_of, formula_near, switches
from gradtheory.arithmetic.enclosure import (
    Ball,
    Balls,
    Interval,
    as_rational,
    bounds,
    evaluate,
    order,
    plus,
    precision,
    range_over,
    sign_at,
    times,
)
from gradtheory.arithmetic.enclosure.signs import sign_of
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided

Then: TypeAlias = Callable[..., tuple[sympy.Expr, ...]]

_FAR = sympy.Integer(2) ** 40  # beyond it exponentials may be too large or too small for Arb


class Pointwise:
    """Functions of `Z` that are smooth between the zeros of their switches.

    Parameters
    ----------
    functions : tuple of sympy.Expr
        In `Z`.
    from_the_left : tuple of bool, optional
        Which of them, exactly on a kink, have the formula that holds before it.
    then : callable, optional
        Takes their smooth formulas and returns those of what is asked for.

    """

    def __init__(
        self, functions: tuple[sympy.Expr, ...], from_the_left: tuple[bool, ...] = (), then: Then | None = None
    ) -> None:
        self.functions = functions
        self._then = then
        self._from_the_left = from_the_left or (False,) * len(functions)
        self._switches = tuple(dict.fromkeys(each for function in functions for each in switches(function)))
        nested = (switch for switch in self._switches if switch.has(sympy.Piecewise))  # of which there are no balls
        self._nested = {switch: Pointwise((switch,)) for switch in nested}
        self._formulas: dict[tuple[int, ...], tuple[sympy.Expr, ...]] = {}

    def enclose(
        self, z: Ball, bits: int, others: Balls | None = None, *, exactly: sympy.Expr | None = None
    ) -> list[Ball]:
        """Return balls of the functions, where the caller has set the precision.

        Parameters
        ----------
        z : ball
            Where.
        bits : int
            The working precision.
        others : mapping of Symbol to ball, optional
            Balls of other symbols, which `then` puts in.
        exactly : sympy.Expr, optional
            The number in the ball: it may be a kink that no ball tells from its neighbours, such as 1/3.

        Raises
        ------
        Undecided
            If it is not decided on which side of a kink the numbers of the ball are.

        """
        values = {Z: z} if others is None else {Z: z, **others}
        place = as_rational(z) if exactly is None and z.is_exact() else exactly
        signs = tuple(self._side(switch, bits, values, place) for switch in self._switches)
        if 0 in signs and any(self._from_the_left):
            choices = [formula_left_of if is_left else formula_near for is_left in self._from_the_left]
            formulas = tuple(choose(each, Z, place) for choose, each in zip(choices, self.functions, strict=True))
            return [evaluate(formula, bits, values) for formula in self._finished(formulas)]
        if signs not in self._formulas:
            near = as_rational(z) if place is None else place
            self._formulas[signs] = self._finished(tuple(formula_near(each, Z, near) for each in self.functions))
        return [evaluate(formula, bits, values) for formula in self._formulas[signs]]

    def _finished(self, formulas: tuple[sympy.Expr, ...]) -> tuple[sympy.Expr, ...]:
        return formulas if self._then is None else self._then(*formulas)

    def _side(self, switch: sympy.Expr, bits: int, values: Balls, place: sympy.Expr | None) -> int:
        inner = self._nested.get(switch)
        ball = inner.enclose(values[Z], bits, exactly=place)[0] if inner else evaluate(switch, bits, values)
        if side := sign_of(ball):
            return side
        if place is not None:
            return sign_at(formula_near(switch, Z, place), Z, place)
        raise Undecided(f"z = {values[Z].str(10)} is not told from a kink with {bits} bits")


@functools.lru_cache(maxsize=256)
def value_and_slope(record: Activation) -> Pointwise:
    """Return σ and σ'."""
    is_own = record.branches is None
    return Pointwise((stable(record.expr), stable(record.slope_expr)), (False, is_own))


@functools.lru_cache(maxsize=256)
def value_slope_and_bend(record: Activation) -> Pointwise:
    """Return σ, σ' and σ''."""
    is_own = record.branches is None
    is_left = (False, is_own, record.bend_is_from_the_left)
    return Pointwise((stable(record.expr), stable(record.slope_expr), record.bend_expr), is_left)


def far_out(record: Activation, z: sympy.Expr, bits: int) -> tuple[Interval, Interval, Interval]:
    """Return bounds of σ, σ' and σ'' at a point far out, from those of σ' on all smooth pieces on the way.

    σ(z) = σ(M) + ∫σ' for M = ±2**40, beyond which a slope that tends to its limit exponentially has reached it.

    Raises
    ------
    Undecided
        If the point is not that far out, or σ jumps beyond M.

    """
    if not abs(z) >= _FAR:
        raise Undecided(f"σ is not finite in ball arithmetic at z = {z}")
    start = _FAR if z > 0 else -_FAR
    with precision(bits):
        at_start = evaluate(formula_near(stable(record.expr), Z, start), bits, {Z: evaluate(start, bits, {})})
        value = Interval(at_start.lower(), at_start.upper())
    for left, right in _pieces_beyond(record, is_right=bool(z > 0)):
        slope, bend = _slope_and_bend(record, left, right, bits)
        near, far = (left, right) if z > 0 else (right, left)
        is_here = order(left, z) < 0 <= order(right, z)
        way = (z if is_here else far) - near
        with precision(bits):
            value = plus(value, times(bounds(way, way, bits), slope))
        if is_here:
            return value, slope, bend
    raise AssertionError("the pieces reach ±oo")


@functools.lru_cache(maxsize=256)
def _pieces_beyond(record: Activation, *, is_right: bool) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Return the intervals beyond ±2**40 on which σ is one smooth formula, from there on outwards."""
    region = (_FAR, sympy.oo) if is_right else (-sympy.oo, -_FAR)
    if jumps_of(record.expr, (_FAR - 1, sympy.oo) if is_right else (-sympy.oo, 1 - _FAR)):
        raise Undecided(f"{record.name} jumps beyond 2**40, where it is not finite in ball arithmetic")
    pieces = list(itertools.pairwise((region[0], *breaks(stable(record.slope_expr), Z, *region), region[1])))
    return pieces if is_right else pieces[::-1]


@functools.lru_cache(maxsize=256)
def _slope_and_bend(record: Activation, left: sympy.Expr, right: sympy.Expr, bits: int) -> tuple[Interval, Interval]:
    """Return bounds of σ' and σ'' on an interval on which σ is smooth."""
    inside, over = inner_point(left, right), bounds(left, right, bits)
    bend = range_over(formula_near(record.bend_expr, Z, inside), Z, over, bits)
    if record.branches is None:  # not to prove the branches of an expression of one's own
        return range_over(formula_near(stable(record.slope_expr), Z, inside), Z, over, bits), bend
    return record.profile.over(over, bits), bend
