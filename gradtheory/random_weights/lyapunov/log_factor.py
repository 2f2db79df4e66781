"""The logarithm of one factor, f = log|σ'(z)| + log|w|, given s and z: its mean and its mean square.

Given z and the activation before, w is Gaussian, and E log|w|, E log²|w| are functions of its mean over its deviation.
"""

import functools
import math

import numpy as np
from scipy.interpolate import CubicSpline

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.places import places_and_period
from gradtheory.random_weights.gaussian.quadrature import Gaussians, Integrand, integrate
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere, log_slope
from gradtheory.random_weights.lyapunov.stationary import ladders

_SHIFTED_TO = 40.0  # standard deviations; beyond, the series in 1/x is exact to 1e-10
_TABLE, _STEP = 2049, 0.005
_TOLERANCE = 1e-9
_LEAST = 1e-300


class LogFactor:
    """f for z ~ N(0, s²) with every s of a grid."""

    def __init__(self, record: Activation, sigma_w: float, sigma_b: float, scale: Array) -> None:
        self.record, self.sigma_w, self.sigma_b, self.scale = record, sigma_w, sigma_b, scale
        self._own = sigma_b / scale  # the part of z's deviation that is the bias's
        self._of_weight = np.sqrt(np.maximum(1.0 - self._own**2, 0.0))

    def moments(self, z: Array, xi: Array, owner: np.ndarray) -> tuple[Array, Array]:
        """Return E[f | s, z] and E[f² | s, z]."""
        slope = self._log_slope(z)
        first, second = _log_moments(
            self.sigma_w * self._of_weight[owner] * np.abs(xi), self.sigma_w * self._own[owner]
        )
        return slope + first, slope * slope + 2.0 * slope * first + second

    def _log_slope(self, z: Array) -> Array:
        slope = self.record.slope(z)
        if is_flat_somewhere(self.record):  # where it is 0, what is asked for leaves out
            return np.asarray(np.log(np.maximum(np.abs(slope), _LEAST)))
        return log_slope(self.record, z, slope)

    def after(self, z: Array) -> Array:
        """Return the logarithm of the next s."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.hypot(self.sigma_w * self.record.value(z), self.sigma_b)))

    def expected(self, integrand: Integrand) -> Array:
        """Return E[… | s] for every s, for each of several functions of z, ξ = z/s and which s."""
        places, period = places_and_period(self.record)
        places = (*places, *ladders(self.record, self.sigma_w, self.sigma_b))
        laws = Gaussians(np.zeros(len(self.scale)), self.scale)
        return integrate(integrand, laws, places, period, floor=1.0, tolerance=_TOLERANCE).value


def _log_moments(mean: Array, deviation: Array) -> tuple[Array, Array]:
    """Return E log|w| and E log²|w| for w ~ N(mean, deviation²), mean >= 0; the deviation may be 0."""
    near = mean <= _SHIFTED_TO * deviation
    scale = np.log(np.maximum(np.where(near, deviation, mean), 1e-300))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(near, 0.0, np.square(deviation / mean))
    # log|x + ξ| = log x + log(1 + ξ/x), in powers of 1/x²
    first = -inverse * (0.5 + inverse * (0.75 + inverse * 2.5))
    second = inverse * (1.0 + inverse * (2.75 + inverse * 137.0 / 12.0))
    first[near], second[near] = _shifted_logs()(mean[near] / deviation[near]).T
    return scale + first, scale * scale + 2.0 * scale * first + second


@functools.cache
def _shifted_logs() -> CubicSpline:
    """Return E log|x + ξ| and E log²|x + ξ|, ξ ~ N(0, 1), as a function of x: by the trapezoidal rule in log|x + ξ|."""
    shift = np.linspace(0.0, _SHIFTED_TO, _TABLE)
    log = np.arange(-45.0, math.log(_SHIFTED_TO + 10.0), _STEP)
    place = np.exp(log)
    powers = (_STEP / math.sqrt(2.0 * math.pi)) * place * np.stack([log, log * log])
    moments = []
    for some in np.array_split(shift, 32):
        density = sum(np.exp(-np.square(side * place[:, np.newaxis] - some) / 2.0) for side in (-1.0, 1.0))
        moments.append((powers @ density).T)
    return CubicSpline(shift, np.concatenate(moments))
