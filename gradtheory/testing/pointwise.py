"""σ, σ' and σ'' at a point, in ball arithmetic: on the smooth formula that holds there.

A formula changes where a switch (the argument of an Abs, the difference in a Max, …) is 0. The balls of the switches
say which formula holds. Exactly on a kink the number is the one-sided one that the float64 kernel takes.
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.pieces import piece_at, switches
from gradtheory.enclosure import (
    Ball,
    Balls,
    Interval,
    as_rational,
    bounds,
    evaluate,
    exactly,
    plus,
    precision,
    range_over,
    sign_at,
    times,
)
from gradtheory.errors import Undecided
from gradtheory.functions import stable

_ASIDE = sympy.Rational(1, 2**200)  # how far beside a kink its two formulas are read off
_FAR = sympy.Integer(2) ** 40  # beyond it exponentials may be too large or too small for Arb
_SAME = 1e-12

AtKink: TypeAlias = Callable[[float], tuple[float, ...]]


class Pointwise:
    """Functions of `Z` that are smooth between the zeros of their switches.

    Parameters
    ----------
    functions : tuple of sympy.Expr
        In `Z`, and perhaps in other symbols that no switch holds.
    at_kink : callable, optional
        Returns the functions in float64 at a point; needed where there are switches.

    """

    def __init__(self, functions: tuple[sympy.Expr, ...], at_kink: AtKink | None = None) -> None:
        self.functions, self._at_kink = functions, at_kink
        self._switches = tuple(dict.fromkeys(each for function in functions for each in switches(function)))
        self._formulas: dict[tuple[int, ...], tuple[sympy.Expr, ...]] = {}

    def at(self, z: Ball, bits: int, others: Balls | None = None) -> list[Ball]:
        """Return balls of the functions, where the caller has set the precision.

        Parameters
        ----------
        z : ball
            Where.
        bits : int
            The working precision.
        others : mapping of Symbol to ball, optional
            Balls of the other symbols.

        Raises
        ------
        Undecided
            If it is not decided on which side of a kink the numbers of the ball are.

        """
        at = {Z: z} if others is None else {Z: z, **others}
        signs = tuple(self._side(each, bits, at) for each in self._switches)
        if 0 in signs:
            return self._on_kink(as_rational(z), bits, at)
        if signs not in self._formulas:
            middle = as_rational(z)
            self._formulas[signs] = tuple(piece_at(each, Z, middle) for each in self.functions)
        return [evaluate(each, bits, at) for each in self._formulas[signs]]

    def _side(self, switch: sympy.Expr, bits: int, at: Balls) -> int:
        ball, z = evaluate(switch, bits, at), at[Z]
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        if z.is_exact():
            return sign_at(switch, Z, as_rational(z))
        raise Undecided(f"z = {z.str(10)} is not told from a kink with {bits} bits")

    def _on_kink(self, point: sympy.Rational, bits: int, at: Balls) -> list[Ball]:
        assert self._at_kink is not None  # noqa: S101  # functions with switches are made with it
        found = []
        for function, taken in zip(self.functions, self._at_kink(float(point)), strict=True):
            sides = [evaluate(piece_at(function, Z, point + aside), bits, at) for aside in (-_ASIDE, _ASIDE)]
            nearest = min(sides, key=lambda ball: abs(float(ball.mid()) - taken))
            is_taken = abs(float(nearest.mid()) - taken) <= _SAME * abs(taken)
            found.append(nearest if is_taken else exactly(taken))
        return found


@functools.lru_cache(maxsize=256)
def value_and_slope(record: Activation) -> Pointwise:
    """Return σ and σ'."""
    functions = stable(record.expr), stable(record.derivative)
    return Pointwise(functions, lambda z: tuple(map(float, record.value_and_slope(z))))


@functools.lru_cache(maxsize=256)
def value_slope_and_bend(record: Activation) -> Pointwise:
    """Return σ, σ' and σ''."""
    functions = stable(record.expr), stable(record.derivative), record.bend
    return Pointwise(functions, lambda z: (*map(float, record.value_and_slope(z)), float(record.second_derivative(z))))


def far_out(record: Activation, z: sympy.Expr, bits: int) -> tuple[Interval, Interval, Interval]:
    """Return bounds of σ, σ' and σ'' at a point far out, from those of σ' on the rest of the line.

    σ(z) = σ(M) + ∫σ' for M = ±2**40, beyond which a slope that tends to its limit exponentially has reached it.

    Raises
    ------
    Undecided
        If the point is not that far out.

    """
    if not abs(z) >= _FAR:
        raise Undecided(f"σ is not finite in ball arithmetic at z = {z}")
    start = _FAR if z > 0 else -_FAR
    rest = bounds(_FAR, sympy.oo, bits) if z > 0 else bounds(-sympy.oo, -_FAR, bits)
    slope = record.profile.over(rest, bits)
    bend = range_over(piece_at(record.bend, Z, 2 * start), Z, rest, bits)
    with precision(bits):
        (at_start,) = (evaluate(piece_at(stable(record.expr), Z, start), bits, {Z: evaluate(start, bits, {})}),)
        way = bounds(z - start, z - start, bits)
        return plus(Interval(at_start.lower(), at_start.upper()), times(way, slope)), slope, bend
