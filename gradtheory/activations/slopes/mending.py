"""What float64 arithmetic loses of a formula in Z, found in ball arithmetic and written in its place."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import functools
import math
from typing import NamedTuple

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import breaks, formula_near, switches
from gradtheory.arithmetic.enclosure import enclose, evaluate, exactly, precision
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.later import np
from gradtheory.errors import Undecided

_INFINITE = sympy.nan, sympy.zoo, sympy.oo, -sympy.oo
_BITS = (128, 1_024, 4_096)  # with the last, exp(-1000) is added to 1 and not lost
_MANY, _SOME, _NODES, _CONVERGED = 48, 8, 20, 1e-15  # a panel is kept, and asked again
_TINY = 1e-290
_SHIFT = 2_000  # more than any exponent
_NARROW = 2.0**-20  # of an octave
_ZERO_BITS, _STEPS, _EXACT = 1_024, 40, 2.0**-160  # of the search for a zero: great numbers have cancelled there


def mend(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the true value of an expression where float64 arithmetic gave nan at a finite z.

    Where that are many places on one smooth piece, far out or beside a zero, values are interpolated between a few.
    """
    lost = np.flatnonzero(np.isnan(numbers) & np.isfinite(z))
    if len(lost) >= _MANY:
        lost = _mend_far_out(numbers, expr, z, lost)
    if len(lost) >= _MANY:
        lost = _mend_beside_zeros(numbers, expr, z, lost)
    for place in lost:
        numbers[place] = _true_value(expr, float(z[place]), numbers[place])


@functools.lru_cache(maxsize=1024)
def _plain(expr: sympy.Expr) -> sympy.Expr | None:
    """Return an equal formula that holds everywhere, if there are no switches."""
    plain = stable(expr)
    return None if switches(plain) else plain


def _smooth_near(expr: sympy.Expr, point: float) -> sympy.Expr:
    """Return the smooth formula near a place; of those that are not told apart, by a thousand digits, one."""
    return _plain(expr) or formula_near(stable(expr), Z, sympy.Rational(point), takes_either=True)


def _is_smooth(expr: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether an expression is seen to be one smooth formula between two places."""
    try:
        return not breaks(expr, Z, left, right)
    except Undecided:
        return False


def _true_value(expr: sympy.Expr, point: float, otherwise: float) -> float:
    smooth = _smooth_near(expr, point)
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


def _mend_beside_zeros(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Write the values that lie many together on narrow panels, and return the places that are left.

    An integral of a logarithm asks for thousands of places beside a zero, where great terms cancel.
    """
    fraction, exponent = np.frexp(z[lost])
    panels, owner = np.unique(np.stack([np.round(fraction / _NARROW), exponent]), axis=1, return_inverse=True)
    owner, left = owner.reshape(-1), []
    for number, (middle, power) in enumerate(panels.T.tolist()):
        here = lost[owner == number]
        series = _narrow_values(expr, math.ldexp(middle * _NARROW, int(power))) if len(here) >= _MANY else None
        if series is None:
            left.append(here)
        else:
            numbers[here] = series.at(z[here])
    return np.concatenate([np.empty(0, dtype=int), *left])


class _Narrow(NamedTuple):
    """A function on a narrow panel: Chebyshev's series, times the distance from a zero where there is one."""

    coefficients: np.ndarray
    middle: float
    half: float
    zero: tuple[float, float] | None  # as the sum of two floats

    def at(self, z: np.ndarray) -> np.ndarray:
        """Return its values."""
        series = np.asarray(np.polynomial.chebyshev.chebval((z - self.middle) / self.half, self.coefficients))
        return series if self.zero is None else series * ((z - self.zero[0]) - self.zero[1])


@functools.lru_cache(maxsize=4096)
def _narrow_values(expr: sympy.Expr, middle: float) -> _Narrow | None:
    """Return an expression on the panel about a place, or None where its values do not settle."""
    half = abs(middle) * 2.0 * _NARROW
    ends = [sympy.Rational(middle + side * half) for side in (-1.0, 1.0)]
    if not half or not _is_smooth(expr, *ends):
        return None
    zero = _zero_within(expr, *map(float, ends))
    places = middle + half * _nodes()
    values = np.array([_true_value(expr, float(place), np.nan) for place in places])
    if zero is not None:
        values = values / ((places - zero[0]) - zero[1])
    series = _series(values)
    return None if series is None else _Narrow(series, middle, half, zero)


def _zero_within(expr: sympy.Expr, left: float, right: float) -> tuple[float, float] | None:
    """Return the zero between two places, as the sum of two floats; None where none is found by the secant rule."""
    smooth = _smooth_near(expr, left)
    with precision(_ZERO_BITS):
        places = [exactly(left), exactly(right)]
        values = [evaluate(smooth, _ZERO_BITS, {Z: place}) for place in places]
        for _ in range(_STEPS):
            slope = values[1] - values[0]
            if not slope.is_finite() or slope.contains(0):
                break
            step = (values[1] * (places[1] - places[0]) / slope).mid()
            zero = (places[1] - step).mid()
            if not left < zero < right:
                break
            if abs(step) < abs(zero) * exactly(_EXACT):
                return float(zero), float(zero - exactly(float(zero)))
            places, values = [places[1], zero], [values[1], evaluate(smooth, _ZERO_BITS, {Z: zero})]
    return None


@functools.lru_cache(maxsize=4096)
def _far_values(expr: sympy.Expr, exponent: int, side: float) -> np.ndarray | None:
    """Return Chebyshev coefficients over |z| from 2^(exponent - 1) to 2^exponent, or None if they are too few."""
    ends = sorted(sympy.Rational(side) * sympy.Integer(2) ** int(exponent - each) for each in (0, 1))
    if not _is_smooth(expr, *ends):
        return None
    values = np.array([_true_value(expr, side * math.ldexp((each + 3.0) / 4.0, exponent), np.nan) for each in _nodes()])
    return np.zeros(1) if (np.abs(values) < _TINY).all() else _series(values)


def _nodes() -> np.ndarray:
    """Return Chebyshev's nodes."""
    return np.cos(np.pi * (2 * np.arange(_NODES) + 1) / (2 * _NODES))


def _series(values: np.ndarray) -> np.ndarray | None:
    """Return Chebyshev coefficients from values at the nodes, or None if they are too few."""
    order = np.arange(_NODES)
    angles = np.outer(order, 2 * order + 1) % (4 * _NODES)  # reduced exactly: no noise where the values are constant
    series = np.cos(np.pi / (2 * _NODES) * angles) @ values * np.where(order, 2.0, 1.0) / _NODES
    return series if np.abs(series[-3:]).max() <= _CONVERGED * np.abs(values).min() else None
