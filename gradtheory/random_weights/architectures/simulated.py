"""Architectures by experiment: networks with random weights, in parallel."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import extra
from gradtheory.random_weights.architectures.layers import Block, all_blocks, composed
from gradtheory.random_weights.simulation.measured import Measured, Progress, shown
from gradtheory.random_weights.simulation.networks import NetworkSample, input_pairs

_MOST_THREADS = 4


def simulated(
    blocks: Sequence[Block],
    depth: int,
    sizes: tuple[int, int, int],
    correlation: float,
    seed: int,
    progress: Progress | None,
) -> NetworkSample:
    """Return what networks do, whose width, pairs of inputs and number are `sizes`."""
    with extra("simulation"):
        from threadpoolctl import threadpool_limits
    width, pairs, networks = sizes

    def simulate(network_seed: np.random.SeedSequence) -> Array:
        rng = np.random.default_rng(network_seed)
        return _one_network(blocks, depth, input_pairs(rng, width, pairs, correlation), rng)

    seeds = np.random.SeedSequence(seed).spawn(networks)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
        runs = [threads.submit(simulate, network_seed) for network_seed in seeds]
        samples = np.array([run.result() for run in shown(runs, progress)])
    return NetworkSample(*(Measured.of(samples[:, kind]) for kind in range(3)))


def _one_network(blocks: Sequence[Block], depth: int, inputs: Array, rng: np.random.Generator) -> Array:
    """Return variances and correlations after each layer, and the gradient's mean square before each."""
    width, means, backs, z = len(inputs), np.empty((3, depth)), [], inputs
    is_tied = any(block.is_tied for block in all_blocks(blocks))
    drawn = composed([block.draw(rng, width, depth) for block in blocks])
    for layer in range(depth):
        if layer and not is_tied:
            drawn = composed([block.draw(rng, width, depth) for block in blocks])
        z, back = drawn(z)
        backs.append(back)
        squares = np.mean(z * z, axis=0)
        products = np.mean(np.multiply(*np.split(z, 2, axis=1)), axis=0)
        means[:2, layer] = squares.mean(), np.mean(products / np.sqrt(np.multiply(*np.split(squares, 2))))
    delta = np.asarray(rng.standard_normal(z.shape))
    delta /= np.sqrt(np.mean(delta * delta))
    for layer in reversed(range(depth)):
        delta = backs[layer](delta)
        means[2, layer] = np.mean(delta * delta)
    return means
