"""What float64 arithmetic loses of a formula in Z, found in ball arithmetic and written in its place."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import functools
import math

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import breaks, formula_near, switches
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.later import np

_INFINITE = sympy.nan, sympy.zoo, sympy.oo, -sympy.oo
_BITS = (128, 1_024, 4_096)  # with the last, exp(-1000) is added to 1 and not lost
_MANY, _SOME, _NODES, _CONVERGED = 48, 8, 20, 1e-15  # a panel is kept, and asked again
_TINY = 1e-290
_SHIFT = 2_000  # more than any exponent


def mend(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the true value of an expression where float64 arithmetic gave nan at a finite z.

    Where that are many places far out, all on one smooth piece, values are interpolated between a few.
    """
    lost = np.flatnonzero(np.isnan(numbers) & np.isfinite(z))
    if len(lost) >= _MANY:
        lost = _mend_far_out(numbers, expr, z, lost)
    for place in lost:
        numbers[place] = _true_value(expr, float(z[place]), numbers[place])


@functools.lru_cache(maxsize=1024)
def _plain(expr: sympy.Expr) -> sympy.Expr | None:
    """Return an equal formula that holds everywhere, if there are no switches."""
    plain = stable(expr)
    return None if switches(plain) or plain.has(sympy.DiracDelta) else plain


def _true_value(expr: sympy.Expr, point: float, otherwise: float) -> float:
    smooth = _plain(expr) or formula_near(stable(expr), Z, sympy.Rational(point))
    if smooth.has(*_INFINITE):  # such as the slope of √|z| at 0
        return otherwise
    for bits in _BITS:
        ball = enclose(smooth, bits, {Z: exactly(point)})
        if ball.is_finite() and (ball.rel_accuracy_bits() > 53 or bits == _BITS[-1]):
            return float(ball.mid())
    return otherwise


def _mend_far_out(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Write the values that are interpolated, and return the places that are left."""
    fraction, exponent = np.frexp(np.abs(z[lost]))
    key, left = np.where(z[lost] < 0.0, -1, 1) * (exponent + _SHIFT), []
    for panel in np.unique(key).tolist():
        here = key == panel
        series = _far_values(expr, abs(panel) - _SHIFT, math.copysign(1.0, panel)) if here.sum() >= _SOME else None
        if series is None:
            left.append(lost[here])
        else:
            numbers[lost[here]] = np.polynomial.chebyshev.chebval(4.0 * fraction[here] - 3.0, series)
    return np.concatenate([np.empty(0, dtype=int), *left])


@functools.lru_cache(maxsize=4096)
def _far_values(expr: sympy.Expr, exponent: int, side: float) -> np.ndarray | None:
    """Return Chebyshev coefficients over |z| from 2^(exponent - 1) to 2^exponent, or None if they are too few."""
    ends = sorted(sympy.Rational(side) * sympy.Integer(2) ** int(exponent - each) for each in (0, 1))
    if breaks(expr, Z, *ends):
        return None
    order = np.arange(_NODES)
    nodes = np.cos(np.pi * (2 * order + 1) / (2 * _NODES))
    values = np.array([_true_value(expr, side * math.ldexp((each + 3.0) / 4.0, exponent), np.nan) for each in nodes])
    if (np.abs(values) < _TINY).all():
        return np.zeros(1)
    angles = np.outer(order, 2 * order + 1) % (4 * _NODES)  # reduced exactly: no noise where the values are constant
    series = np.cos(np.pi / (2 * _NODES) * angles) @ values * np.where(order, 2.0, 1.0) / _NODES
    return series if np.abs(series[-3:]).max() <= _CONVERGED * np.abs(values).min() else None
