"""An activation's second moments over all variances, tabulated once: where equations in q change sign is read off."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.interpolated import NODES, Interpolated
from gradtheory.random_weights.gaussian.quadrature import Integrals
from gradtheory.random_weights.gaussian.second_moments import moments

KINDS = ("value", "slope", "growth")
_LEAST, _MOST = -12, 12
_PERIODS = 4.0  # of |σ'| in a standard deviation: of the Fourier series of σ², exp(-8π²) = 5e-35 is left
_EPSILON = 2.0**-52


class Moments(NamedTuple):
    """E[σ²], E[σ'²] and d/dq E[σ²] at variances q, and bounds of their errors."""

    value: Array
    slope: Array
    growth: Array
    value_error: Array
    slope_error: Array
    growth_error: Array


def variances(least: int = _LEAST, most: int = _MOST) -> Array:
    """Return 10^least to 10^most, ten to a decade."""
    return np.asarray(10.0 ** (np.arange(10 * least, 10 * most + 1) / 10.0))


GRID = variances()


@functools.lru_cache(maxsize=256)
def moment_table(record: Activation, least: int = _LEAST, most: int = _MOST) -> Moments:
    """Return the moments at `variances(least, most)`; nan where they diverge."""
    return moments_at(record, variances(least, most))


def moments_at(record: Activation, q: Array) -> Moments:
    """Return the moments at variances q, of shape (m,)."""
    if record.period is None:
        return _integrated(record, q)
    # Beyond a few periods σ = mx + p(x) has the moments m²q + E[p²], E[σ'²] and m², each E the mean over a period.
    period = float(record.period)
    last = (_PERIODS * period) ** 2
    known = _integrated(record, np.minimum(q, last))
    start, end = record.value(np.array([0.0, 2.0 * period]))  # σ' may change its sign after one
    rise = ((end - start) / (2.0 * period)) ** 2
    far = q > last
    value = known.value + rise * np.maximum(q - last, 0.0)
    rounding = 8.0 * _EPSILON * (np.abs(value) + rise)
    return known._replace(
        value=value,
        growth=np.where(far, rise, known.growth),
        value_error=known.value_error + np.where(far, rounding, 0.0),
        growth_error=np.where(far, rounding / last, known.growth_error),
    )


@functools.lru_cache(maxsize=64)
def interpolated(record: Activation, at_once: int = 2 * NODES) -> Interpolated:
    """Return E[σ²], E[σ'²] and d/dq E[σ²], on panels that are made where so many variances were asked for."""

    def exact(q: Array) -> Integrals:
        integrals = moments_at(record, q)
        return Integrals(np.stack(integrals[:3]), np.stack(integrals[3:]))

    return Interpolated(exact, at_once=at_once)


def many_moments_at(record: Activation, q: Array) -> Moments:
    """Return the moments at many variances, of shape (m,), interpolated; nan where they diverge."""
    value, error = interpolated(record).at(q)
    return Moments(*value, *error)


def _integrated(record: Activation, q: Array) -> Moments:
    (value, slope, growth), (value_error, slope_error, growth_error) = moments(record, q, KINDS)
    with np.errstate(invalid="ignore"):
        raw = Moments(value, slope, growth / q, value_error, slope_error, growth_error / q)
    return Moments(*(np.where(np.isfinite(each), each, np.nan) for each in raw))


def solve_between(
    record: Activation, residual: Callable[..., Array], left: Array, right: Array, *parameters: Array
) -> Array:
    """Return the q between `left` and `right` at which residual(q, moments, *parameters) is zero, elementwise."""

    def residual_at(log_q: Array, *values: Array) -> Array:
        q = np.exp(log_q)
        return np.asarray(residual(q, moments_at(record, q.reshape(-1)), *values).reshape(q.shape))

    roots = elementwise.find_root(residual_at, (np.log(left), np.log(right)), args=parameters)
    return np.asarray(np.exp(roots.x))


def sign_changes(residuals: Array) -> np.ndarray:
    """Return where residuals on `GRID`, along the last axis, change sign before the next point."""
    before, after = residuals[..., :-1], residuals[..., 1:]
    return np.asarray((np.sign(before) * np.sign(after) <= 0.0) & (before != after))  # nan compares false
