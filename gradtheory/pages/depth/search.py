"""Chains of L layers with wide explosion sets, looked for in float64: what is found is a lower bound of D_L.

If f maps the inputs 0 and 1 so that layer l has the pre-activations p_l and q_l there, then
f'(0) = (σ(q_L) - σ(p_L)) · Π σ'(p_l)·(q_l - p_l)/(σ(q_l) - σ(p_l)), f'(1) is the same with σ'(q_l), and every choice of
the pairs is a chain. Between two inputs the gradient of a chain of class N is nowhere smaller than at both, so that
c·width is at least the lesser of the two. All layers but the last take the same pair.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, differential_evolution, minimize

from gradtheory.activations import Activation, activation
from gradtheory.explosion import widest_explosion

DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
SEARCHED = ("softsign", "cloglog", "sigmoid")
_LEAST_STEP = 0.01  # between p and q: closer together, σ(q) - σ(p) would lose digits
_FARTHEST = {"softsign": 9.0}  # of arsinh z
_NEVER = 1e9
_SLACK = 1e-8  # relative: more than float64 may be off
_GAIN = 1e-6  # less is not worth another start
_OPTIONS: Any = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 1500}


@functools.cache
def lower_bounds(name: str) -> tuple[float, ...]:
    """Return a lower bound of D_L, the greatest c·width of all chains of L layers, for each of `DEPTHS`."""
    record = activation(name)
    far = _FARTHEST.get(name, 3.5)
    bounds = [float(widest_explosion(record).width)]  # D_1 = K, and D_L does not fall
    best: Any = None
    for depth in DEPTHS:
        loss: Any = functools.partial(_loss, record=record, depth=depth)
        if depth <= 2:  # a search everywhere; for more layers from what was found for fewer
            best = differential_evolution(
                loss,
                Bounds([-far] * 4, [far] * 4),
                rng=1,
                popsize=20,
                maxiter=200,
                tol=1e-12,
                vectorized=True,
                updating="deferred",
                polish=False,
            ).x
        least, before = loss(best), np.inf
        while before - least > _GAIN:  # Nelder and Mead's method may stop too early where the two gradients are equal
            polished = minimize(loss, best, method="Nelder-Mead", options=_OPTIONS)
            best, least, before = polished.x, polished.fun, least
        bounds.append(max(float(np.exp(-least)) * (1.0 - _SLACK), bounds[-1]))
    return tuple(bounds[1:])


def _loss(pairs: NDArray[np.float64], record: Activation, depth: int) -> NDArray[np.float64]:
    """Return -log of the lesser gradient, for the pair of the last layer and that of the others, as arsinh z."""
    places = np.sinh(pairs)
    last_p, last_q, p, q = places
    values, slopes = record.value_and_slope(places)
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(slopes))
        size = np.log(np.abs(last_q - last_p))
        here, there = size + logs[0], size + logs[1]
        if depth > 1:
            mean = np.log(np.abs((values[3] - values[2]) / (q - p)))
            here = here + (depth - 1) * (logs[2] - mean)
            there = there + (depth - 1) * (logs[3] - mean)
        lesser = np.minimum(here, there)
        is_sound = np.isfinite(lesser) & ((np.abs(q - p) > _LEAST_STEP) | (depth == 1))
    return np.where(is_sound, -lesser, _NEVER)
