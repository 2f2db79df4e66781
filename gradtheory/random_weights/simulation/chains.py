"""Random chains of single neurons, many at once."""

from dataclasses import dataclass

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import (
    read_count,
    read_depth,
    read_float,
    read_nonnegative_float,
    read_positive_float,
    read_seed,
)
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere, log_slope
from gradtheory.random_weights.simulation.measured import Measured, Progress, shown
from gradtheory.typing import ActivationLike, NumberLike

_AT_ONCE = 1 << 13  # chains: their numbers stay in cache
_MOST_CHAINS = 10_000_000


@dataclass(frozen=True)
class ChainSample(ShownAsTable):
    """What many random chains did; the factor of layer l is σ'(z_l)·w_l, the gradient the product up to there.

    Attributes
    ----------
    log_gradient : Measured of shape (depth,)
        log|gradient| after each layer: its slope is the Lyapunov exponent. -inf where a flat piece was met.
    square_gradient : Measured of shape (depth,)
        gradient². After many layers a few chains carry the mean, and the standard error says too little.
    log_factor, square_factor, exceeds : Measured
        log|factor|, factor², and whether |factor| > 1, averaged over the layers after the first `burn_in`.

    """

    log_gradient: Measured
    square_gradient: Measured
    log_factor: Measured
    square_factor: Measured
    exceeds: Measured

    def __repr__(self) -> str:
        return f"ChainSample: log|factor| = {self.log_factor}, P(|factor| > 1) = {self.exceeds}"


def random_chains(
    activation: ActivationLike,
    depth: int = 100,
    sigma_w: NumberLike = 1.0,
    sigma_b: NumberLike = 1.0,
    *,
    chains: int = 10_000,
    burn_in: int = 0,
    x: float = 1.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> ChainSample:
    """Simulate chains z_l = w_l·a_{l-1} + b_l with w_l ~ N(0, σ_w²), b_l ~ N(0, σ_b²), all independent.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth : int
        The number of layers.
    sigma_w, sigma_b : number
        Standard deviations; σ_w positive, σ_b not negative.
    chains : int
        The number of chains.
    burn_in : int
        Layers after which the law of z is taken to be stationary.
    x : float
        The input a_0.
    seed : int
        Of NumPy's generator: the same seed, the same result.
    progress : callable, optional
        What shows how far the work is: it takes an iterable and yields its items, such as ``tqdm.tqdm`` or
        ``rich.progress.track``.

    Returns
    -------
    ChainSample
        What was measured, with its confidence intervals.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, another argument breaks a rule, or a factor is too large for float64.

    Examples
    --------
    >>> random_chains("sigmoid", depth=30, burn_in=10).log_factor
    -2.30435 ± 0.00252 (n = 10000)

    """
    record = as_activation(activation)
    deep, many = read_depth(depth), read_count(chains, "chains", _MOST_CHAINS)
    skipped = read_count(burn_in, "burn_in", deep - 1, least=0)
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    first = read_float(x, "x")
    flat = is_flat_somewhere(record)
    logs, squares = np.empty((2, many, deep))
    mean_log, mean_square, exceeds = np.empty((3, many))
    blocks = [slice(start, min(start + _AT_ONCE, many)) for start in range(0, many, _AT_ONCE)]
    seeds = np.random.SeedSequence(read_seed(seed)).spawn(len(blocks))
    work = list(zip(blocks, seeds, strict=True))
    for block, block_seed in shown(work, progress):
        rng = np.random.default_rng(block_seed)
        size = block.stop - block.start
        a = np.full(size, first)
        log_factors = np.empty((deep, size))
        for layer, factor in enumerate(log_factors, 1):
            with np.errstate(all="ignore"):  # -inf on flat pieces; what leaves float64 is refused below
                w = weight * rng.standard_normal(size)
                z = w * a + bias * rng.standard_normal(size)
                a, slope = record.value_and_slope(z)
                factor[:] = np.log(np.abs(w)) + (np.log(np.abs(slope)) if flat else log_slope(record, z, slope))
            if not (factor < np.inf).all():
                raise InvalidArgument(
                    "depth", depth, f"layer {layer} leaves float64; take fewer layers or smaller scales"
                )
        with np.errstate(over="ignore", under="ignore"):
            logs[block] = np.cumsum(log_factors, axis=0).T
            squares[block] = np.exp(2.0 * logs[block])
            mean_log[block] = log_factors[skipped:].mean(axis=0)
            mean_square[block] = np.exp(2.0 * log_factors[skipped:]).mean(axis=0)
            exceeds[block] = (log_factors[skipped:] > 0.0).mean(axis=0)
    return ChainSample(*map(Measured.of, (logs, squares, mean_log, mean_square, exceeds)))
