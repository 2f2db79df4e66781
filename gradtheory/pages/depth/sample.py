"""Random deep chains of sigmoids in float64: where they explode, how widely, and how their gradients fall elsewhere."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_MOST_LAYERS, _LARGEST_WEIGHT = 20, 12.0
_FAR = 1e3  # inputs beyond which no such chain explodes
_ROUNDS = 200  # of narrowing an interval


class Chains(NamedTuple):
    """Chains in columns, of up to 20 layers; those that are not used have the weight 0."""

    w: _Floats
    b: _Floats


class Explosions(NamedTuple):
    """A threshold for each chain, and the ends of where its gradient exceeds that."""

    threshold: _Floats
    left: _Floats
    right: _Floats
    peak: _Floats


def draw(count: int, seed: int = 0) -> Chains:
    """Return chains of 2 to 20 layers with weights up to 12 and biases that keep them near the middle."""
    source = np.random.default_rng(seed)
    w = source.uniform(2.0, _LARGEST_WEIGHT, (_MOST_LAYERS, count)) * source.choice([-1.0, 1.0], (_MOST_LAYERS, count))
    b = -w / 2 + source.normal(0.0, 1.0, w.shape)
    depths = source.integers(2, _MOST_LAYERS + 1, count)
    return Chains(np.where(np.arange(_MOST_LAYERS)[:, None] < depths, w, 0.0), b)


def log_gradient(chains: Chains, x: _Floats) -> _Floats:
    """Return log|f'(x)|, one input for each chain, or one row of inputs."""
    total, a = np.zeros_like(x), x
    for w, b in zip(chains.w, chains.b, strict=True):
        z = w * a + b
        tail = np.exp(-np.abs(z))
        is_used = w != 0.0
        with np.errstate(divide="ignore"):
            total = total + np.where(is_used, np.log(np.abs(w)) - np.abs(z) - 2.0 * np.log1p(tail), 0.0)
        a = np.where(is_used, np.where(z > 0.0, 1.0, tail) / (1.0 + tail), a)
    return total


def explosions(chains: Chains, seed: int = 0) -> Explosions:
    """Return, for a random threshold below the greatest gradient of each chain, where that is exceeded: an interval."""
    low, high = np.full((2, chains.w.shape[1]), [[-_FAR], [_FAR]])
    for _ in range(_ROUNDS):  # thirds: |f'| rises up to its greatest value, and falls from there
        first, second = low + (high - low) / 3, high - (high - low) / 3
        rises = log_gradient(chains, first) < log_gradient(chains, second)
        low, high = np.where(rises, first, low), np.where(rises, high, second)
    peak = (low + high) / 2
    share = np.random.default_rng(seed).uniform(0.01, 0.99, peak.size)
    level = log_gradient(chains, peak) + np.log(share)
    left, right = (_end(chains, peak, peak + side * _FAR, level) for side in (-1.0, 1.0))
    return Explosions(np.exp(level), left, right, peak)


def _end(chains: Chains, inside: _Floats, outside: _Floats, level: _Floats) -> _Floats:
    """Return where the gradient falls to the level, towards one side."""
    for _ in range(_ROUNDS):
        middle = (inside + outside) / 2
        exceeds = log_gradient(chains, middle) > level
        inside, outside = np.where(exceeds, middle, inside), np.where(exceeds, outside, middle)
    return inside
