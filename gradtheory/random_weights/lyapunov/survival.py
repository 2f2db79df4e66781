"""Chains whose gradient is not 0, where σ' is 0 on whole intervals: how fast they become few, and how theirs grows.

Let K be the transfer operator restricted to σ'(z) != 0, ρ its spectral radius, h and ν the eigenfunctions from the
right and the left. After L layers a share ~ ρ^L of the chains is left, and in these E log|gradient| grows per layer by
ν[E[f·h(s'); σ'(z) != 0 | s]]/(ρ·ν[h]), where f is the logarithm of a factor (P. Collet, S. Martínez & J. San Martín,
"Quasi-Stationary Distributions" (2013), chapter 2).
"""

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.lyapunov.extent import ends_of, lingering, lingering_at_zero
from gradtheory.random_weights.lyapunov.log_factor import LogFactor
from gradtheory.random_weights.lyapunov.slopes import far_growth, is_half_flat
from gradtheory.random_weights.lyapunov.stationary import (
    COARSE,
    FINE,
    Resolution,
    leading,
    operators,
    survival_of_slope,
)

_APART = 1e-3  # the spectrum that is not discrete is found to so much
_HALF, _ROUNDING = 0.5, 4e-16


def survival(record: Activation, sigma_w: float, sigma_b: float) -> tuple[Estimate, Estimate]:
    """Return ρ, and the growth of log|gradient| per layer in the chains that are left; errors from two resolutions."""
    sides = [lingering(sigma_w, far_growth(record), 1.0)]
    if sigma_b == 0.0:
        sides.append(lingering_at_zero(record, sigma_w))
    slowest = max(sides)
    if len({rate for share, rate in sides if share == slowest[0]}) > 1:
        slowest = slowest[0], np.nan  # some are far out and others near 0
    if slowest[0] == 1.0 or (slowest[0] == _HALF and is_half_flat(record)):  # no more can be left
        error = 0.0 if slowest[1] == -np.inf else _ROUNDING * max(1.0, abs(slowest[1]))
        return Estimate(slowest[0], 0.0, Guarantee.EXACT), Estimate(slowest[1], error)
    ends = ends_of(record, sigma_w, sigma_b)
    coarse, fine = (_at(record, sigma_w, sigma_b, ends, each) for each in (COARSE, FINE))
    if not fine[0] and not slowest[0]:
        return Estimate(0.0, 0.0), Estimate(np.nan, np.nan)  # no chain is left that could grow
    if fine[0] <= slowest[0] * (1.0 + _APART):  # what is left is far out, or near 0
        return tuple(Estimate(each, _APART * max(slowest[0], abs(each))) for each in slowest)  # type: ignore[return-value]
    share, rate = (
        Estimate(float(value), 4.0 * abs(float(value - other)) + 1e-8 * abs(float(value)))
        for value, other in zip(fine, coarse, strict=True)
    )
    return share, rate


def _at(record: Activation, sigma_w: float, sigma_b: float, ends: tuple[float, float], resolution: Resolution) -> Array:
    panels, (alive,) = operators(record, sigma_w, sigma_b, ends, resolution, [survival_of_slope])
    factor = LogFactor(record, sigma_w, sigma_b, np.exp(panels.log_s))
    (share, ahead), (_, law) = leading(alive), leading(alive.T)

    def carried(z: Array, xi: Array, owner: np.ndarray) -> Array:
        mean, _ = factor.moments(z, xi, owner)
        passes = record.slope(z) != 0.0
        return np.asarray((np.where(passes, mean, 0.0) * panels.interpolated(ahead, factor.after(z)))[np.newaxis])

    (growth,) = factor.expected(carried)
    return np.array([share, law @ growth / (share * (law @ ahead)) if share else np.nan])
