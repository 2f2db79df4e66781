r"""What two inputs do, for many scales at once: the correlations that they settle at, and how fast.

With D(q, c) = (E[σ²] - E[σ(x₁)σ(x₂)])/(q·(1 - c)) a layer takes 1 - c to σ_w²·D·q·(1 - c)/q' (see
`gaussian.differences`). At a fixed point of the variance c is kept where σ_w²·D = 1; D rises with c, so that there is
one such c at most. The map's slope is σ_w²·d/dc[q·K] = σ_w²·(D - (1 - c)·dD/dc), which at that point is 1 less a
derivative. Beside the edge of chaos, where that is small and D hardly changes, differences of σ' tell it (`beside_1`).
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.differences import Interpolation, interpolation
from gradtheory.random_weights.gaussian.places import jumps, places_and_period
from gradtheory.random_weights.gaussian.quadrature import Gaussians, integrate
from gradtheory.random_weights.meanfield.beside_1 import beside_1
from gradtheory.random_weights.meanfield.correlation import beside_a_jump, settled_at_nothing
from gradtheory.random_weights.meanfield.fixed_points import Points

_NEAREST = -20.0  # log η, where 1 - c is 1e-17
_EPSILON = 2.0**-52
_LEAST = 1e-300
_SEEN = 1e-3  # of the slope at 1, to which differences of equal inputs must tend
_ROUGH = 1e-10  # of what the slope is less than 1


class _Slope(NamedTuple):
    """σ_w²·D, what the slope of the correlation map is less than that, and the errors of both."""

    kept: Array
    lost: Array
    error: Array
    lost_error: Array


def settled_correlations(
    record: Activation, points: Points, sigma_w: Array, sigma_b: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return the stable fixed point of the correlation map at each variance, and the slope there, with errors.

    nan where there is no variance, or where the interpolation does not reach.
    """
    c, c_error = np.ones(len(points.q)), np.zeros(len(points.q))
    slope, slope_error = points.chi.copy(), points.chi_error.copy()
    none, nothing = np.isnan(points.q), points.q == 0.0
    for array in (c, c_error, slope, slope_error):
        array[none] = np.nan
    if nothing.any():
        one, its_slope = settled_at_nothing(record)
        c[nothing], c_error[nothing] = one, one.error
        slope[nothing], slope_error[nothing] = its_slope, its_slope.error
    apart = ~none & ~nothing & ((points.chi > 1.0 + points.chi_error) | bool(jumps(record)))
    chosen = np.flatnonzero(apart)
    if len(chosen):
        chi = np.full(len(chosen), np.inf) if jumps(record) else points.chi[chosen]
        parts = _below_1(record, points.q[chosen], points.q_error[chosen], chi, sigma_w[chosen], sigma_b[chosen])
        for array, part in zip((c, c_error, slope, slope_error), parts, strict=True):
            array[chosen] = part
    rough = chosen[(c[chosen] > 0.0) & (slope_error[chosen] > _ROUGH * (1.0 - slope[chosen]))]
    if len(rough) and not jumps(record):
        excess = points.chi[rough] - 1.0
        numbers = points.q[rough], points.q_error[rough], excess, points.chi_error[rough], sigma_w[rough] ** 2
        place = beside_1(record, *numbers, 1.0 - c[rough])
        better = place.lost_error < slope_error[rough]
        parts = 1.0 - place.away, place.away_error + _EPSILON, 1.0 - place.lost, place.lost_error + _EPSILON
        for array, part in zip((c, c_error, slope, slope_error), parts, strict=True):
            array[rough[better]] = part[better]
    apart_0 = chosen[(c[chosen] == 0.0) & (sigma_b[chosen] == 0.0)]
    if len(apart_0) and is_odd(record):
        lost, lost_error = _lost_at_0(record, points.q[apart_0])
        c_error[apart_0], slope[apart_0], slope_error[apart_0] = 0.0, 1.0 - lost, lost_error + _EPSILON
    if jumps(record):
        rare = chosen[(points.chi[chosen] < 1.0) & (c[chosen] == 1.0)]
        for array, part in zip((c, c_error, slope, slope_error), beside_a_jump(points.chi[rare]), strict=True):
            array[rare] = part
    return (c, c_error), (slope, slope_error)


def _below_1(
    record: Activation, q: Array, q_error: Array, chi: Array, sigma_w: Array, sigma_b: Array
) -> tuple[Array, Array, Array, Array]:
    """Return c and the slope there, each with its error, where inputs do not become equal; `chi` is the slope at 1."""
    table, log_q, weight = interpolation(record), np.log(q), sigma_w**2
    known = slopes_at(table, log_q, weight, np.zeros(len(q)))
    nearest = slopes_at(table, log_q, weight, np.full(len(q), _NEAREST))
    # at c = 0 the map gives (σ_w²·E[σ]² + σ_b²)/q = 1 - σ_w²·D
    starts = (sigma_b == 0.0) & (1.0 - known.kept <= known.error + 4.0 * _EPSILON)
    # of a bump much narrower than the variance the panels see nothing, and say so of no error
    sees = np.isinf(chi) | (np.abs(nearest.kept - chi) <= _SEEN * chi)
    inside = np.flatnonzero((known.kept < 1.0) & (nearest.kept > 1.0) & ~starts & sees)
    ratio = np.where(starts & sees, 0.0, np.where((nearest.kept <= 1.0) & sees, -np.inf, np.nan))

    def excess(log_ratio: Array, log_q: Array, weight: Array) -> Array:
        flat = (np.asarray(each).reshape(-1) for each in (log_q, weight, log_ratio))
        return np.log(slopes_at(table, *flat).kept).reshape(np.shape(log_ratio))

    if len(inside):
        ends = np.full(len(inside), _NEAREST), np.zeros(len(inside))
        ratio[inside] = elementwise.find_root(excess, ends, args=(log_q[inside], weight[inside])).x
    at = slopes_at(table, log_q, weight, ratio)
    square = np.exp(2.0 * ratio)
    away = 2.0 * square / (1.0 + square)
    # where the log of σ_w²·D is off by the error of D and that of q, c moves by its slope in log η
    beside = slopes_at(table, log_q, weight, np.maximum(ratio - 1e-4, _NEAREST))
    steep = np.maximum(np.abs(np.log(beside.kept / at.kept)) / 1e-4, 1e-300)
    by_q = np.abs(np.log(slopes_at(table, log_q + 1e-4, weight, ratio).kept / at.kept)) / 1e-4
    relative = at.error / at.kept + 4.0 * _EPSILON + by_q * q_error / q
    log_error = np.where(starts, 0.0, np.minimum(relative / steep, 40.0))
    c_error = np.where(starts, known.error, away * (2.0 / (1.0 + square)) * np.expm1(log_error) + _EPSILON)
    slope = np.where(starts, at.kept, 1.0) - at.lost
    curve = np.abs(beside.lost - at.lost) / 1e-4 + np.where(starts, steep, 0.0)
    by_q_lost = np.abs(slopes_at(table, log_q + 1e-4, weight, ratio).lost - at.lost) / 1e-4
    slope_error = (
        at.lost_error + np.where(starts, at.error, 0.0) + curve * log_error + by_q_lost * q_error / q + 4.0 * _EPSILON
    )
    return 1.0 - away, c_error, slope, slope_error


@functools.lru_cache(maxsize=256)
def is_odd(record: Activation) -> bool:
    """Return whether σ(-z) = -σ(z), as its formula shows."""
    return bool(record.expr.subs(Z, -Z) == -record.expr)


def _lost_at_0(record: Activation, q: Array) -> tuple[Array, Array]:
    """Return what the slope at c = 0 is less than 1, for an odd σ without biases: the share of σ that is not linear.

    There E[σ(x₁)σ(x₂)] = a²·c + O(c³), with the line a·z that is nearest to σ(√q·z), and q' = q for E[σ²].
    """
    laws, (places, period) = Gaussians.centred(q), places_and_period(record)

    def products(x: Array, z: Array, _: np.ndarray) -> Array:
        value = record.value(x)
        return np.stack([z * value, value * value])

    (line, square), (_, square_error) = integrate(products, laws, places, period)

    def rest(x: Array, z: Array, owner: np.ndarray) -> Array:
        return np.asarray(np.square(record.value(x) - line[owner] * z)[np.newaxis])

    (bent,), (bent_error,) = integrate(rest, laws, places, period)
    lost = bent / square
    return lost, (bent_error + lost * square_error) / square + 8.0 * _EPSILON * lost


def slopes_at(table: Interpolation, log_q: Array, weight: Array, log_ratio: Array) -> _Slope:
    """Return the parts of the slope at variances q and c = (1 - η²)/(1 + η²)."""
    square = np.exp(2.0 * log_ratio)
    value, by_scale, by_ratio, *errors = table.at(log_q - np.log1p(square), log_ratio)
    half = (1.0 + square) / 2.0
    lost, lost_error = square * by_scale - half * by_ratio, square * errors[1] + half * errors[2]
    return _Slope(weight * np.maximum(value, _LEAST), weight * lost, weight * errors[0], weight * lost_error)
