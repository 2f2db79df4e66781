"""Means over z in a chain's stationary law: what depends on the activation alone is tabulated over the scale of z."""

import functools
import math

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.interpolated import Interpolated
from gradtheory.random_weights.gaussian.places import places_and_period
from gradtheory.random_weights.gaussian.quadrature import Gaussians, Integrals, integrate
from gradtheory.random_weights.lyapunov.slopes import log_slope
from gradtheory.random_weights.lyapunov.stationary import StationaryLaw

_RARE, _FARTHEST = 1e-18, 1e9


def means_in_law(law: StationaryLaw, *, logs: bool) -> tuple[Array, Array]:
    """Return E log|σ'(z)| (0 unless wanted), E[(σ'(z)·w)²] and the rate of the mean square; errors of the first two."""
    if law.record.period:
        law = law.without_rare(_RARE)  # of waves, whose means are bounded, and cost the more the more of them there are
    own = np.square(law.sigma_b / law.scale)
    share = law.sigma_w**2 * np.stack([own, 1.0 - own])  # E[w² | z]: the second part grows with ξ²
    value, error = (
        np.stack([log, share[0] * slope + share[1] * stretched])
        for log, slope, stretched in _tabulated(law.record, logs).at(np.square(law.scale))
    )
    return np.append(value @ law.weight, law.mean_square_rate), error @ np.abs(law.weight)


@functools.lru_cache(maxsize=128)
def _tabulated(record: Activation, logs: bool) -> Interpolated:
    """Return `slope_means` as functions of s², the same for all scales of weights and biases."""
    return Interpolated(functools.partial(slope_means, record, logs), at_once=0)


@functools.lru_cache(maxsize=128)
def largest_mean_square(record: Activation) -> float:
    """Return the greatest E[σ'(z)²] and E[σ'(z)²ξ²], z = s·ξ, over the scale s: no mean square grows by more.

    It is looked for in steps of a factor 1.65, less than the width of log|ξ|.
    """
    last = _FARTHEST if record.period is None else min(_FARTHEST, 50.0 * float(record.period))
    scales = np.exp(np.arange(math.log(1.0 / _FARTHEST), math.log(last), 0.5))
    (_, *squares), _ = slope_means(record, False, np.square(scales))
    return float(np.max(squares))


def slope_means(record: Activation, logs: bool, variances: Array) -> Integrals:
    """Return E log|σ'(z)| (0 unless wanted), E[σ'(z)²] and E[σ'(z)²ξ²], z = s·ξ, for each variance s² of z."""

    def integrand(z: Array, xi: Array, _: np.ndarray) -> Array:
        slope = record.slope(z)
        log_of_slope = log_slope(record, z, slope) if logs else np.zeros_like(z)
        square = np.square(slope)
        return np.stack([log_of_slope, square, square * xi * xi])

    # a logarithm near 0 has an absolute rounding error
    return integrate(integrand, Gaussians.centred(variances), *places_and_period(record), floor=(1.0, 1e-3, 1e-3))
