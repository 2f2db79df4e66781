"""What an expression takes in float64 at its switches: its own value where it may jump, or that from the left."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import math
from functools import lru_cache

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.jumps import value_at
from gradtheory.activations.slopes.numeric import Numeric, numeric
from gradtheory.activations.slopes.switches import formula_left_of, switches
from gradtheory.arithmetic.effort import within
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.later import np
from gradtheory.errors import Undecided

_BITS = 128
_BESIDE, _MANY_BITS, _SAME = (sympy.Rational(1, 2**200), sympy.Rational(1, 2**400)), 2_048, 1e-15


def write_at_jumps(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the value of an expression that may jump at places where a switch is 0: nan where it has none."""
    for place in at_switches(expr, z):
        there = _value_at(expr, float(z[place]))
        numbers[place] = numbers[place] if there is None else there


def write_from_the_left(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> list[int]:
    """Write what an expression has just before places where a switch is 0; return those where that is not found."""
    left = []
    for place in at_switches(expr, z).tolist():
        there = _from_the_left(expr, float(z[place]))
        if there is None:
            left.append(place)
        else:
            numbers[place] = there
    return left


@lru_cache(maxsize=1024)
def _switches_of(expr: sympy.Expr) -> list[Numeric]:
    return [numeric(switch) for switch in switches(expr)]


def at_switches(expr: sympy.Expr, z: np.ndarray) -> np.ndarray:
    """Return where some switch is 0 in float64, at finite z."""
    functions = _switches_of(expr)
    if not functions:
        return np.empty(0, dtype=int)
    return np.flatnonzero(np.any([function(z) == 0.0 for function in functions], axis=0) & np.isfinite(z))


@lru_cache(maxsize=4096)
def _value_at(expr: sympy.Expr, z: float) -> float | None:
    """Return the value at a place that is a switch in float64, nan where it has none, or None where it is not found."""
    try:
        with within():
            value = value_at(expr, sympy.Rational(z))
    except Undecided:
        return None
    ball = None if value is None else enclose(value, _BITS)
    if ball is None:
        return math.nan
    return float(ball.mid()) if ball.is_finite() else None


@lru_cache(maxsize=4096)  # batches often hold one kink many times
def _from_the_left(expr: sympy.Expr, z: float) -> float | None:
    """Return what an expression has just before a place, or None where it is not found, or infinite."""
    place = sympy.Rational(z)
    try:
        with within():
            formula = formula_left_of(stable(expr), Z, place)
            ball = enclose(formula, _BITS, {Z: exactly(z)})
            return float(ball.mid()) if ball.is_finite() else _limit_from_the_left(formula, place)
    except Undecided:
        return None


def _limit_from_the_left(formula: sympy.Expr, place: sympy.Rational) -> float | None:
    """Return what a formula tends to that is 0/0 at a place, or as √z·log z, or None: by its values very near."""
    far, near = (
        enclose(formula, _MANY_BITS, {Z: enclose(place - max(abs(place), 1) * distance, _MANY_BITS)})
        for distance in _BESIDE
    )
    if not (far.is_finite() and near.is_finite()):
        return None
    if abs(far - near) < _SAME * abs(near):
        return float(near.mid())
    return 0.0 if abs(near) < abs(far) ** 1.5 else None
