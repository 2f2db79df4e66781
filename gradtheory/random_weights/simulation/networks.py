"""Random wide networks: variances, correlations and gradients layer by layer."""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import (
    Array,
    read_count,
    read_depth,
    read_float,
    read_nonnegative_float,
    read_positive_float,
    read_seed,
)
from gradtheory.errors import InvalidArgument, extra
from gradtheory.random_weights.initialisation import Initialisation, orthogonal, standard_normal
from gradtheory.random_weights.simulation.measured import Measured, Progress, shown
from gradtheory.typing import ActivationLike, NumberLike

_WIDEST, _MOST_INPUTS, _MOST_NETWORKS = 16_384, 16_384, 1_000_000
_MOST_THREADS = 4  # each holds the weights of a whole network


@dataclass(frozen=True)
class NetworkSample(ShownAsTable):
    """What many random networks did, layer by layer.

    Attributes
    ----------
    variance : Measured of shape (depth,)
        The mean square of the pre-activations of each layer: q_l in the limit.
    correlation : Measured of shape (depth,)
        The correlation of the pre-activations of two inputs: c_l; of pairs of which neither has become 0.
    gradient : Measured of shape (depth,)
        The mean square of ∂C/∂z of each layer, for ∂C/∂a of the last layer drawn from N(0, 1).

    """

    variance: Measured
    correlation: Measured
    gradient: Measured

    def __repr__(self) -> str:
        return f"NetworkSample of {len(self.variance.mean)} layers (n = {self.variance.count})"


def random_networks(
    activation: ActivationLike,
    depth: int = 20,
    width: int = 256,
    sigma_w: NumberLike = 1.0,
    sigma_b: NumberLike = 0.0,
    *,
    networks: int = 20,
    inputs: int = 256,
    correlation: float = 0.5,
    weights: str = "gaussian",
    seed: int = 0,
    progress: Progress | None = None,
) -> NetworkSample:
    r"""Simulate networks z_l = W_l·a_{l-1} + b_l of one width, with W_l ~ N(0, σ_w²/width) and b_l ~ N(0, σ_b²).

    The inputs have mean square 1, so that q_1 = σ_w² + σ_b², and come in pairs of one correlation.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth, width : int
        Layers, and neurons in each.
    sigma_w, sigma_b : number
        Standard deviations of the weights (times √width) and biases.
    networks : int
        The number of networks; confidence intervals come from their spread.
    inputs : int
        The number of inputs to each network, even, since inputs come in pairs.
    correlation : float
        The correlation of the two inputs of a pair, from -1 to 1; of one neuron 1 or -1.
    weights : {"gaussian", "orthogonal"}
        How the weights are drawn; orthogonal ones are σ_w times an orthogonal matrix.
    seed : int
        Of NumPy's generator: the same seed, the same result, whatever the number of threads.
    progress : callable, optional
        What shows how far the work is: it takes an iterable and yields its items, such as ``tqdm.tqdm``.

    Returns
    -------
    NetworkSample
        What was measured, with its confidence intervals.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, or another argument breaks a rule.
    MissingDependency
        If threadpoolctl, of the extra `simulation`, is not installed.

    Examples
    --------
    >>> sample = random_networks("relu", depth=8, width=64, sigma_w=2**0.5, networks=40)
    >>> bool(abs(sample.variance.deviation(2.0)).max() < 3)  # He's scale keeps the variance
    True

    """
    record = as_activation(activation)
    deep, sizes = read_depth(depth), Experiment.of(width, networks, inputs, correlation, seed)
    size, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    kind, wide = one_of(weights, "weights", ("gaussian", "orthogonal")), sizes.width
    scheme = orthogonal(wide, gain=size) if kind == "orthogonal" else standard_normal(wide, sigma=size / wide**0.5)
    return sizes.run(lambda a, rng: _one_network(record, scheme, bias, a, deep, rng), progress)


class Experiment(NamedTuple):
    """How many networks are simulated, of which width, with how many pairs of inputs of which correlation."""

    width: int
    networks: int
    pairs: int
    correlation: float
    seed: int

    @classmethod
    def of(cls, width: Any, networks: Any, inputs: Any, correlation: Any, seed: Any) -> "Experiment":
        """Return what was asked for; the arguments are checked."""
        wide, many = read_count(width, "width", _WIDEST), read_count(networks, "networks", _MOST_NETWORKS)
        if (number := read_count(inputs, "inputs", _MOST_INPUTS)) % 2:
            raise InvalidArgument("inputs", inputs, "must be even, such as 256: inputs come in pairs")
        c = read_correlation(correlation)
        if wide == 1 and abs(c) != 1.0:
            raise InvalidArgument("correlation", c, "must be 1 or -1 where width = 1: two numbers have no other")
        return cls(wide, many, number // 2, c, read_seed(seed))

    def run(self, simulate: Callable[[Array, np.random.Generator], Array], progress: Progress | None) -> NetworkSample:
        """Return means over the networks; one is simulated from inputs and a generator, to an array (3, depth).

        Raises
        ------
        MissingDependency
            If threadpoolctl, of the extra `simulation`, is not installed.

        """
        with extra("simulation"):
            from threadpoolctl import threadpool_limits

        def one(network_seed: np.random.SeedSequence) -> Array:
            rng = np.random.default_rng(network_seed)
            return simulate(_input_pairs(rng, self.width, self.pairs, self.correlation), rng)

        # NumPy's products and functions run beside each other; BLAS's own threads would only wait for theirs.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
            runs = [threads.submit(one, each) for each in np.random.SeedSequence(self.seed).spawn(self.networks)]
            samples = np.array([run.result() for run in shown(runs, progress)])
        return NetworkSample(*(Measured.of(samples[:, kind]) for kind in range(3)))


def read_correlation(correlation: Any) -> float:
    """Return a correlation of two inputs, from -1 to 1."""
    c = read_float(correlation, "correlation")
    if not -1.0 <= c <= 1.0:
        raise InvalidArgument("correlation", correlation, "must lie between -1 and 1, such as 0.5")
    return c


def read_common_correlation(correlation: Any, many: float, of: str) -> float:
    """Return a correlation that any two of so many inputs have: at least -1/(many - 1)."""
    c = read_correlation(correlation)
    if c < -1.0 / (many - 1.0):
        least = f"-1/{many - 1:.0f}" if many < math.inf else "0"
        raise InvalidArgument("correlation", correlation, f"must be at least {least}, as any two of {of} have it")
    return c


def _input_pairs(rng: np.random.Generator, width: int, pairs: int, correlation: float) -> Array:
    """Return inputs of mean square 1 as columns: the first of each pair, then the second of each."""
    first, second = rng.standard_normal((2, width, pairs))
    first /= np.sqrt(np.mean(np.square(first), axis=0))
    second -= first * np.mean(first * second, axis=0)
    if width > 1:
        second /= np.sqrt(np.mean(np.square(second), axis=0))
    return np.hstack([first, correlation * first + np.sqrt(1.0 - correlation**2) * second])


def variance_and_correlation(z: Array) -> tuple[float, float]:
    """Return the mean square of inputs as columns, and the mean correlation of those pairs of which neither is 0."""
    squares = np.einsum("ij,ij->j", z, z) / len(z)
    products = np.einsum("ij,ij->j", *np.split(z, 2, axis=1)) / len(z)
    sizes = np.multiply(*np.split(np.sqrt(squares), 2))  # no square underflows
    alive = sizes != 0.0
    return float(squares.mean()), float(np.mean(products[alive] / sizes[alive])) if alive.any() else math.nan


def _one_network(
    record: Activation, scheme: Initialisation, sigma_b: float, a: Array, depth: int, rng: np.random.Generator
) -> Array:
    """Return q, c and the gradient's mean square, of shape (3, depth)."""
    with np.errstate(over="ignore", invalid="ignore"):
        means = _means(record, scheme, sigma_b, a, depth, rng)
    if np.isnan(means[2]).any():
        rule = f"must be smaller for {record.name} with these scales, whose numbers leave float64"
        raise InvalidArgument("depth", depth, rule)
    return means


def _means(
    record: Activation, scheme: Initialisation, sigma_b: float, a: Array, depth: int, rng: np.random.Generator
) -> Array:
    means = np.empty((3, depth))
    weights, slopes = [], []
    for layer in range(depth):
        weights.append(scheme.sample(rng))
        z = weights[-1] @ a
        if sigma_b:
            z += sigma_b * rng.standard_normal((len(z), 1))
        means[:2, layer] = variance_and_correlation(z)
        a, slope = record.value_and_slope(z)
        slopes.append(slope)
    delta = rng.standard_normal(a.shape)
    for layer in range(depth - 1, -1, -1):
        delta *= slopes[layer]
        means[2, layer] = np.vdot(delta, delta) / delta.size
        if layer:
            delta = weights[layer].T @ delta
    return means
