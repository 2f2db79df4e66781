"""Where a chain could start instead: smaller weights, and biases that put its samples where slopes carry gradients."""

import functools
import itertools
from collections.abc import Iterator

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import forward_pass, steepest_slopes
from gradtheory.explosion import critical_weight
from gradtheory.training.events import SATURATED

_PLACES = np.linspace(-6.0, 6.0, 241)[np.argsort(np.abs(np.linspace(-6.0, 6.0, 241)), kind="stable")]  # nearest 0 first
_SHARES = 1.0, 2.0, 4.0  # of critical weights
_UNBOUNDED = 0.5  # a limit where slopes are unbounded and no weight is critical
_LARGEST = 1e3  # factor of a whole chain at which biases are left out


def critical_weights(chain: Chain) -> Array:
    """Return 1/sup|σ'| of every layer: inf for a constant σ, 0 where slopes are unbounded."""
    return np.array([_critical_weight(each) for each in chain.layer_activations])


@functools.lru_cache(maxsize=256)
def _critical_weight(activation: Activation) -> float:
    return float(critical_weight(activation))


def weight_limits(chain: Chain, w: Array) -> Iterator[Array]:
    """Yield limits of |w|, a few times the critical weights, that change some weight."""
    critical = critical_weights(chain)
    for share in _SHARES:
        limits = share * np.where(critical > 0.0, critical, _UNBOUNDED)
        if np.any(np.abs(w) > limits):
            yield limits


def biases(chain: Chain, x: Array, y: Array, w: Array) -> Iterator[Array]:
    """Yield biases that put the samples of every layer in a good place, by one of several measures of good."""
    for measure, by_loss in itertools.product((_mean_slope, _nearness_to_one, _centred), (False, True)):
        moved, a, total = np.zeros_like(w), x, np.ones_like(x)
        with np.errstate(all="ignore"):
            for layer, record in enumerate(chain.layer_activations):
                spread = w[layer] * (a - np.mean(a))
                places = _PLACES * max(1.0, float(np.abs(spread).max()) / 3.0)
                z = places[:, np.newaxis] + spread
                slopes = record.slope(z.ravel()).reshape(z.shape)
                merit = measure(slopes, w[layer], z)
                if layer == len(w) - 1 and by_loss:
                    loss = np.square(record.value(z.ravel()).reshape(z.shape) - y).sum(axis=1)
                    merit = np.where(np.any(slopes != 0.0, axis=1), -loss, -np.inf)
                best = places[np.argmax(np.nan_to_num(merit, nan=-np.inf))]
                moved[layer] = best - w[layer] * np.mean(a)
                a, slope = record.value_and_slope(w[layer] * a + moved[layer])
                total = total * slope * w[layer]
        if np.isfinite(moved).all() and np.abs(total).max(initial=0.0) <= _LARGEST:
            yield moved


def carries(chain: Chain, x: Array, w: Array, b: Array) -> bool:
    """Whether in every layer some sample meets a slope other than 0, so that no layer is saturated."""

    def affine(a: Array, weight: Array, bias: Array) -> Array:
        return np.asarray(weight * a + bias)

    with np.errstate(all="ignore"):
        slopes = np.abs(np.array(forward_pass(chain.layer_activations, affine, x, w, b).slopes))
    steepest = steepest_slopes(chain.layer_activations)
    is_met = np.isfinite(steepest)
    is_met[-1] &= chain.loss_record.name != "cross_entropy"  # which divides by it
    greatest = slopes.max(axis=1, initial=0.0)
    return not np.any(is_met & (greatest < SATURATED * steepest) | (greatest == 0.0))


def _mean_slope(slopes: Array, w: float, z: Array) -> Array:
    return np.asarray(np.minimum(np.abs(slopes), 1e3).mean(axis=1))


def _nearness_to_one(slopes: Array, w: float, z: Array) -> Array:
    return np.asarray(-np.minimum(np.abs(np.log(np.abs(slopes * w) + 1e-300)), 5.0).mean(axis=1))


def _centred(slopes: Array, w: float, z: Array) -> Array:
    return np.asarray(-np.abs(z.mean(axis=1)))
