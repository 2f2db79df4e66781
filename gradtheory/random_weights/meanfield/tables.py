"""An activation's second moments over all variances, tabulated once: where equations in q change sign is read off."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.second_moments import moments

GRID = 10.0 ** np.linspace(-12.0, 12.0, 241)
KINDS = ("value", "slope", "growth")


class Moments(NamedTuple):
    """E[σ²], E[σ'²] and d/dq E[σ²] at variances q, and a bound of the errors of the last two together."""

    value: Array
    slope: Array
    growth: Array
    error: Array


@functools.lru_cache(maxsize=128)
def moment_table(record: Activation) -> Moments:
    """Return the moments on `GRID`; nan where they diverge, and where a periodic activation has too many waves."""
    few = GRID if record.period is None else GRID[GRID <= 1e6]
    known = moments_at(record, few)
    return Moments(*(np.concatenate([each, np.full(len(GRID) - len(few), np.nan)]) for each in known))


def moments_at(record: Activation, q: Array) -> Moments:
    """Return the moments at variances q, of shape (m,)."""
    (value, slope, growth), (_, slope_error, growth_error) = moments(record, q, KINDS)
    with np.errstate(invalid="ignore"):
        raw = Moments(value, slope, growth / q, slope_error + growth_error / q)
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
    return np.asarray((before * after <= 0.0) & (before != after))  # nan compares false
