"""What an expression takes in float64 at its switches, its own value or that from the left, and at ±inf."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import math
from functools import lru_cache

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.jumps import value_at
from gradtheory.activations.slopes.numeric import Numeric, numeric
from gradtheory.activations.slopes.switches import breaks, formula_left_of, formula_near, switches
from gradtheory.arithmetic.effort import spend, within
from gradtheory.arithmetic.enclosure import enclose, exactly, limit_at
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.later import np
from gradtheory.errors import Undecided

_BITS, _LARGEST = 128, sympy.Integer(2) ** 1023
_OF_A_PLACE = 600  # units of work, about a millisecond
_BESIDE_SWITCH, _MUCH_LESS = 2.0**-30, 2.0**-6  # far more than rounding moves a zero
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


def at_switches(expr: sympy.Expr, z: np.ndarray) -> np.ndarray:
    """Return where some switch is 0, or so near to it that rounding may give the other side of it, at finite z."""
    tests = _tests_of_switches(expr)
    if not tests:
        return np.empty(0, dtype=int)
    return np.flatnonzero(np.any([test(z) for test in tests], axis=0) & np.isfinite(z))


@lru_cache(maxsize=1024)
def _tests_of_switches(expr: sympy.Expr) -> list[Numeric]:
    return [_test_of(switch) for switch in switches(expr)]


def _test_of(switch: sympy.Expr) -> Numeric:
    """Return a function that tells at which of many places a switch is 0, or nearly so."""
    slope = switch.diff(Z)
    if not slope.has(Z) and not slope.is_zero:  # linear: it has one zero
        zero = -switch.subs(Z, 0) / slope
        if abs(zero) > _LARGEST:
            return lambda z: np.zeros(z.shape, dtype=bool)
        place = float(zero)
        return lambda z: np.asarray(np.abs(z - place) <= _BESIDE_SWITCH * abs(place))
    function = numeric(switch)

    def test(z: np.ndarray) -> np.ndarray:
        way = np.where(z == 0.0, _BESIDE_SWITCH, _BESIDE_SWITCH * np.abs(z))
        before, here, after = (np.broadcast_to(function(place), z.shape) for place in (z - way, z, z + way))
        return np.asarray(np.abs(here) <= _MUCH_LESS * np.maximum(np.abs(before), np.abs(after)))

    return test


@lru_cache(maxsize=4096)
def _value_at(expr: sympy.Expr, z: float) -> float | None:
    """Return the value at a place that is a switch in float64, nan where it has none, or None where it is not found."""
    spend(_OF_A_PLACE)
    try:
        with within():
            value = value_at(expr, sympy.Rational(z))
    except Undecided:
        return None
    ball = None if value is None else enclose(value, _BITS)
    if ball is None:
        return math.nan
    return float(ball.mid()) if ball.is_finite() else None


def write_limits(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the limit of an expression at ±inf where float64 arithmetic gave nan, if there is one and it is proven."""
    for place in np.flatnonzero(np.isnan(numbers) & np.isinf(z)):
        end = sympy.oo if z[place] > 0.0 else -sympy.oo
        there = _limit_at(expr, end)
        numbers[place] = numbers[place] if there is None else there


@lru_cache(maxsize=1024)
def _limit_at(expr: sympy.Expr, end: sympy.Expr) -> float | None:
    smooth = stable(expr)
    try:
        with within():
            cuts = (-sympy.oo, *breaks(smooth, Z, -sympy.oo, sympy.oo), sympy.oo)
            inside = inner_point(*(cuts[-2:] if end is sympy.oo else cuts[:2]))
            return float(limit_at(formula_near(smooth, Z, inside), Z, end))
    except Undecided:
        return None


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
