"""Architectures of wide networks: blocks one after the other, layer after layer."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_depth, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures.closed import refuse_without_maps
from gradtheory.random_weights.architectures.far_depths import logs_beyond
from gradtheory.random_weights.architectures.flow import (
    correlation_scale,
    critical_value,
    first_signal,
    gradients_back,
    log_gradients,
    steps,
    tokens_in,
)
from gradtheory.random_weights.architectures.growth import Growth, growth_law
from gradtheory.random_weights.architectures.layers import (
    BatchNorm,
    Block,
    all_blocks,
    read_blocks,
)
from gradtheory.random_weights.architectures.scale_free import power_of_depth
from gradtheory.random_weights.architectures.simulated import one_network, token_inputs
from gradtheory.random_weights.simulation.measured import Progress
from gradtheory.random_weights.simulation.networks import (
    Experiment,
    NetworkSample,
    read_common_correlation,
    read_correlation,
)
from gradtheory.typing import NumberLike

_LEAST = 1e-100
_PARAMETERS = ("sigma_w", "sigma_b", "sigma_q", "sigma_k", "sigma_v", "keep", "scale")


@dataclass(frozen=True, eq=False)
class Propagation(ShownAsTable):
    """What flows through an architecture, from its input (row 0) to its output (row L).

    Attributes
    ----------
    variance : ndarray of shape (L + 1,)
    correlation : ndarray of shape (L + 1,)
        Of two inputs; nan where none was asked for.
    gradient : ndarray of shape (L + 1,)
        The mean square of the gradient by the stream, 1 at the output.
    log_gradient : ndarray of shape (L + 1,)
        Its logarithm, also where it leaves float64; -inf where no gradient comes through.

    """

    variance: Array
    correlation: Array
    gradient: Array
    log_gradient: Array

    def __repr__(self) -> str:
        first, log = self.gradient[0], self.log_gradient[0]
        times = f"e^{log:.4f}" if np.isfinite(log) and not 0.0 < first < np.inf else f"{first:.4g}"
        return f"Propagation through {len(self.variance) - 1} layers: gradient × {times}"


@dataclass(frozen=True, repr=False)
class Architecture(ShownAsTable):
    """A wide network whose layers each consist of the same blocks.

    Attributes
    ----------
    blocks : tuple of Block

    """

    blocks: tuple[Block, ...]

    def __repr__(self) -> str:
        return f"architecture([{', '.join(map(repr, self.blocks))}])"

    def propagate(self, depth: int, variance: NumberLike = 1, correlation: NumberLike | None = None) -> Propagation:
        """Return variances, correlations and gradients in every place of a network of `depth` layers.

        Parameters
        ----------
        depth : int
            L.
        variance : number
            The mean square of the inputs.
        correlation : number, optional
            Of two inputs, from -1 to 1; without it only variances and gradients are computed, which is faster. With
            attention, of any two of the n tokens of a sequence, at least -1/(n - 1), and 0 by default: gradients depend
            on it. With batch_norm, of any two of a large batch, not negative.

        Raises
        ------
        InvalidArgument
            If an argument breaks a rule, or the variance leaves float64 on the way; or if `recurrent` or
            `gated_recurrent` stands where its maps are not closed, as they say.

        """
        refuse_without_maps(self.blocks)
        layers = read_depth(depth)
        q = read_positive_float(variance, "variance")
        signal = first_signal(self.blocks, q, None if correlation is None else self._read_correlation(correlation))
        passes = list(steps(self.blocks, signal, layers))
        if len(passes) < layers:
            raise InvalidArgument("depth", depth, f"must be at most {len(passes)}: the variance leaves float64 there")
        signals = signal, *(step.signal for step in passes)
        rows = np.array([(each.variance, each.correlation) for each in signals]).T
        return Propagation(rows[0], rows[1], *gradients_back(passes))

    def _read_correlation(self, correlation: NumberLike) -> float:
        if tokens := tokens_in(self.blocks):
            return read_common_correlation(correlation, tokens, f"{tokens} tokens")
        if any(isinstance(block, BatchNorm) for block in all_blocks(self.blocks)):
            return read_common_correlation(correlation, math.inf, "a large batch")
        return read_correlation(correlation)

    @functools.cached_property
    def growth(self) -> Growth:
        """The law by which the gradient's mean square grows over depth, for inputs of variance 1.

        It is read off the first 2,048 layers, and off a continuous limit up to 5·10⁸ layers where each of them changes
        little; its error takes what is left for 1/log L at most. Refused where `propagate` is, as are the two below.
        """
        refuse_without_maps(self.blocks)
        power = power_of_depth(self.blocks, first_signal(self.blocks, 1.0, None).correlation)
        logs, beyond = (functools.partial(each, self.blocks) for each in (log_gradients, logs_beyond))
        return growth_law(logs, beyond, power)

    @functools.cached_property
    def depth_scale(self) -> Estimate:
        """ξ of correlations: they approach their fixed point as e^(-l/ξ) over layers; inf where more slowly.

        That is so where the variance has settled. From elsewhere a fixed point below 1, as with dropout, is approached
        no faster than the variance settles, since it moves with the variance. There is none where a residual connection
        has another scale at each depth.
        """
        refuse_without_maps(self.blocks)
        return correlation_scale(self.blocks)

    def critical(self, parameter: str = "sigma_w", *, least: NumberLike = 0.01, most: NumberLike = 100) -> Estimate:
        """Return the value of a parameter, in all blocks that have it, at which the gradient neither grows nor fades.

        The factor per layer is 1 at the fixed point of the variance.

        Parameters
        ----------
        parameter : {"sigma_w", "sigma_b", "sigma_q", "sigma_k", "sigma_v", "keep", "scale"}
            Its name.
        least, most : number
            Between which it is looked for; `keep` up to 1 only, as a probability.

        Raises
        ------
        InvalidArgument
            If no block has the parameter, or `most` does not exceed `least`; or if a residual connection has another
            scale at each depth, so that there is no one factor per layer.
        Undecided
            If the factor is on one side of 1 wherever it is looked at: residual connections and batch normalisation
            only make it larger than 1. Or if it jumps over 1, as that of gelu does, whose variance, from 1, settles at
            0 or grows without bound.

        """
        refuse_without_maps(self.blocks)
        name = one_of(parameter, "parameter", _PARAMETERS)
        first, last = read_positive_float(least, "least"), read_positive_float(most, "most")
        if name == "keep":
            last = min(last, 1.0)
        if not _LEAST <= first < last <= 1.0 / _LEAST:
            rule = f"must exceed least = {first:g}, and lie between {_LEAST:g} and {1.0 / _LEAST:g}, of keep at most 1"
            raise InvalidArgument("most", most, rule)
        if not any(hasattr(block, name) for block in all_blocks(self.blocks)):
            raise InvalidArgument(
                "parameter", parameter, "must belong to one of the blocks, such as 'sigma_w' of dense"
            )
        return critical_value(self.blocks, name, first, last)

    def simulate(
        self,
        depth: int = 20,
        width: int = 256,
        *,
        networks: int = 20,
        inputs: int = 256,
        correlation: NumberLike | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> NetworkSample:
        """Simulate networks with random weights, for inputs of mean square 1 that come in pairs.

        Weights are drawn anew for each layer, but for those of `recurrent`.

        Parameters
        ----------
        depth, width : int
            Layers, and neurons in each.
        networks, inputs : int
            Their numbers; confidence intervals come from the spread over networks.
        correlation : number, optional
            Of the two inputs of a pair, 0.5 by default; inputs of different pairs are independent. With attention, of
            any two tokens of a sequence, not negative, and 0 by default as in `propagate`: gradients depend on it.
            Inputs are as many sequences as fit.
        seed : int
            Of NumPy's generator.
        progress : callable, optional
            Such as ``tqdm.tqdm``.

        Returns
        -------
        NetworkSample
            `variance` and `correlation` after each layer, and `gradient` before each: 1 behind the last.

        Raises
        ------
        InvalidArgument
            If an argument breaks a rule.
        MissingDependency
            If threadpoolctl, of the extra `simulation`, is not installed.

        """
        layers = read_depth(depth)
        tokens = tokens_in(self.blocks)
        c = (0.0 if tokens else 0.5) if correlation is None else correlation
        experiment = Experiment.of(width, networks, inputs, c, seed)
        if tokens and (tokens % 2 or inputs % tokens):
            raise InvalidArgument("inputs", inputs, f"must be a multiple of the {tokens} tokens, and these even")

        def simulate(z: Array, rng: np.random.Generator) -> Array:
            start = token_inputs(z.shape, tokens, experiment.correlation, rng) if tokens else z
            return one_network(self.blocks, layers, start, rng)

        return experiment.run(simulate, progress)


def architecture(blocks: Sequence[Block]) -> Architecture:
    r"""Return the architecture of a wide network whose layers each consist of these blocks.

    Parameters
    ----------
    blocks : sequence of Block
        From `gradtheory.blocks`, such as ``[dense("relu", sigma_w=2**0.5)]``.

    Returns
    -------
    Architecture
        `.growth`, `.depth_scale`, `.propagate(depth)`, `.critical(parameter)`, `.simulate(depth, width)`.

    Raises
    ------
    InvalidArgument
        If there are no blocks, or one is none of `gradtheory.blocks`; or if attention over tokens stands beside another
        over more or fewer of them, or beside batch_norm, whose inputs are of many sequences.

    References
    ----------
    Those of the blocks.

    Examples
    --------
    >>> from gradtheory import blocks
    >>> normed = architecture([blocks.dense("relu"), blocks.batch_norm()])
    >>> normed.growth.kind, round(normed.growth.rate, 10)  # π/(π - 1), whatever the weights' scale
    ('exponential', 1.4669422069)
    >>> round(architecture([blocks.dropout("relu", 0.8)]).critical("sigma_w"), 9)  # √(2·keep)
    1.264911064

    """
    read = read_blocks(blocks)
    numbers = {block.mixes for block in all_blocks(read)} - {0}
    if len(numbers) > 1 or (numbers and any(isinstance(block, BatchNorm) for block in all_blocks(read))):
        raise InvalidArgument("blocks", blocks, "must have attention over one number of tokens, and without batch_norm")
    return Architecture(read)
