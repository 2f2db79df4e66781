r"""The spread of the logarithm of the gradient product: its asymptotic variance per layer.

Σ log|σ'(z_l)·w_l| is a sum along a Markov chain, so its variance over L layers tends to v·L, and it is Gaussian in the
limit. With f one term, λ = E f, and h the solution of Poisson's equation h - Kh = E[f | s] - λ,

    v = E[(f - λ)²] + 2·E[(f - λ)·h(s')]      (S. Meyn & R. Tweedie, "Markov Chains and Stochastic Stability" (2009),
                                               theorem 17.4.4 and equation 17.50).
"""

import math

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.lyapunov.extent import ends_of, has_heavy_tail
from gradtheory.random_weights.lyapunov.log_factor import LogFactor
from gradtheory.random_weights.lyapunov.stationary import COARSE, FINE, Resolution, left_vector, nothing, operators


def log_variance(record: Activation, sigma_w: float, sigma_b: float) -> Estimate:
    """Return v for a chain with a stationary law, its error from two resolutions; inf where f² has no mean."""
    if has_heavy_tail(record, sigma_w, moment=2):
        return Estimate(math.inf, 0.0)
    ends = ends_of(record, sigma_w, sigma_b)
    coarse, fine = (_at(record, sigma_w, sigma_b, ends, each) for each in (COARSE, FINE))
    return Estimate(max(fine, 0.0), 4.0 * abs(fine - coarse) + 1e-8 * abs(fine))


def _at(record: Activation, sigma_w: float, sigma_b: float, ends: tuple[float, float], resolution: Resolution) -> float:
    panels, (transfer,) = operators(record, sigma_w, sigma_b, ends, resolution, [nothing])
    factor = LogFactor(record, sigma_w, sigma_b, np.exp(panels.log_s))
    law = left_vector(transfer)

    def moments(z: Array, xi: Array, owner: np.ndarray) -> Array:
        return np.stack(factor.moments(z, xi, owner))

    mean, square = factor.expected(moments)
    rate = float(law @ mean)
    potential = np.linalg.solve(np.eye(len(law)) - transfer + law, mean - rate)  # law @ potential = 0

    def carried(z: Array, xi: Array, owner: np.ndarray) -> Array:
        mean, _ = factor.moments(z, xi, owner)
        return np.asarray(((mean - rate) * panels.interpolated(potential, factor.after(z)))[np.newaxis])

    (ahead,) = factor.expected(carried)
    return float(law @ (square + 2.0 * ahead)) - rate * rate
