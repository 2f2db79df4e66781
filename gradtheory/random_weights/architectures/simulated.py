"""Architectures by experiment: networks with random weights, in parallel."""

from collections.abc import Sequence

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.architectures.layers import Block, drawer_of
from gradtheory.random_weights.simulation.networks import variance_and_correlation


def token_inputs(shape: tuple[int, ...], tokens: int, c: float, rng: np.random.Generator) -> Array:
    """Return sequences of tokens of mean square 1 as columns, any two of one sequence with correlation c ≥ 0.

    The first tokens of all sequences come first, then the second ones: column i and the one half the columns further on
    are tokens of one sequence.
    """
    width, inputs = shape
    own = rng.standard_normal((width, tokens, inputs // tokens))
    z = np.sqrt(max(0.0, c)) * rng.standard_normal((width, 1, inputs // tokens)) + np.sqrt(1.0 - c) * own
    z = z.reshape(shape)
    return np.asarray(z / np.sqrt(np.mean(z * z, axis=0)))


def one_network(blocks: Sequence[Block], depth: int, inputs: Array, rng: np.random.Generator) -> Array:
    """Return variances and correlations after each layer, and the gradient's mean square before each."""
    width, means, backs, z = len(inputs), np.empty((3, depth)), [], inputs
    drawer = drawer_of(blocks, rng, width, depth)
    for layer in range(depth):
        z, back = drawer()(z)
        backs.append(back)
        means[:2, layer] = variance_and_correlation(z)
    delta = np.asarray(rng.standard_normal(z.shape))
    delta /= np.sqrt(np.mean(delta * delta))
    for layer in reversed(range(depth)):
        delta = backs[layer](delta)
        means[2, layer] = np.mean(delta * delta)
    return means
