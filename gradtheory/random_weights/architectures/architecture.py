"""Architectures of wide networks: blocks one after the other, layer after layer."""

import functools
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import (
    Array,
    one_of,
    read_count,
    read_depth,
    read_float,
    read_positive_float,
    read_seed,
)
from gradtheory.errors import InvalidArgument, Undecided, extra
from gradtheory.random_weights.architectures.blocks import (
    BatchNorm,
    Block,
    Dense,
    Residual,
    composed,
    passed,
    read_blocks,
)
from gradtheory.random_weights.architectures.growth import Growth, growth_law
from gradtheory.random_weights.architectures.signal import Signal, Step
from gradtheory.random_weights.simulation.measured import Measured, Progress, shown
from gradtheory.random_weights.simulation.networks import NetworkSample, input_pairs
from gradtheory.typing import NumberLike

_MOST_WIDTH, _MOST_NETWORKS = 16_384, 1_000_000
_SETTLED, _FAR = 1e-13, 1e60
_MOST_STEPS = 60
_NOISE = 1e-12  # of the logarithm of a factor
_GRID = 24
_CLOSE = 1e-10  # of correlations and slopes to 1
_PARAMETERS = ("sigma_w", "sigma_b", "keep", "scale")


class _Pair(NamedTuple):
    correlation: float
    slope: float
    error: float


@dataclass(frozen=True)
class Propagation(ShownAsTable):
    """What flows through an architecture, from its input (row 0) to its output (row L).

    Attributes
    ----------
    variance : ndarray of shape (L + 1,)
    correlation : ndarray of shape (L + 1,)
        Of two inputs; nan where none was asked for.
    gradient : ndarray of shape (L + 1,)
        The mean square of the gradient by the stream, 1 at the output.

    """

    variance: Array
    correlation: Array
    gradient: Array

    def __repr__(self) -> str:
        return f"Propagation through {len(self.variance) - 1} layers: gradient × {self.gradient[0]:.4g}"


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
            Of two inputs, from -1 to 1; without it only variances and gradients are computed, which is faster.

        Raises
        ------
        InvalidArgument
            If an argument breaks a rule, or the variance leaves float64 on the way.

        """
        layers = read_depth(depth)
        signal = self._first(variance, correlation)
        signals, gradients = [signal], []
        for step in self._steps(signal, layers):
            signals.append(step.signal)
            gradients.append(step.gradient)
        if len(gradients) < layers:
            raise InvalidArgument(
                "depth", depth, f"must be at most {len(gradients)}: the variance leaves float64 there"
            )
        back = np.cumprod([1.0, *reversed(gradients)])[::-1]
        rows = np.array([(each.variance, each.correlation) for each in signals]).T
        return Propagation(rows[0], rows[1], np.asarray(back))

    @functools.cached_property
    def growth(self) -> Growth:
        """The law by which the gradient's mean square grows over depth, for inputs of variance 1."""
        return growth_law(self._log_gradients)

    @functools.cached_property
    def depth_scale(self) -> Estimate:
        """ξ of correlations: they approach their fixed point as e^(-l/ξ) over layers; inf where more slowly."""
        signal, is_fixed = self._settled()
        if not is_fixed:
            return Estimate(math.inf, 0.0)  # the stream grows or fades, and each layer changes its direction less
        if not self._has_batch_norm:
            at_one = self._pair(signal, 1.0)
            if abs(at_one.correlation - 1.0) <= _CLOSE and at_one.slope <= 1.0 + _CLOSE:
                return _scale(at_one)
        c = 0.0
        if self._pair(signal, 0.0).correlation > _CLOSE:
            c = float(brentq(lambda each: self._pair(signal, each).correlation - each, 0.0, 1.0 - 1e-9, xtol=1e-13))
        return _scale(self._pair(signal, c))

    @property
    def _has_batch_norm(self) -> bool:
        return any(isinstance(block, BatchNorm) for block in _all(self.blocks))

    def critical(self, parameter: str = "sigma_w", *, least: NumberLike = 0.01, most: NumberLike = 100) -> Estimate:
        """Return the value of a parameter, in all blocks that have it, at which the gradient neither grows nor fades.

        The factor per layer is 1 at the fixed point of the variance.

        Parameters
        ----------
        parameter : {"sigma_w", "sigma_b", "keep", "scale"}
            Its name.
        least, most : number
            Between which it is looked for.

        Raises
        ------
        Undecided
            If the factor is on one side of 1 throughout: residual connections and batch normalisation only make it
            larger than 1.

        """
        name = one_of(parameter, "parameter", _PARAMETERS)
        ends = read_positive_float(least, "least"), read_positive_float(most, "most")
        if not any(hasattr(block, name) for block in _all(self.blocks)):
            raise InvalidArgument(
                "parameter", parameter, "must belong to one of the blocks, such as 'sigma_w' of dense"
            )

        def excess(log_value: float) -> float:
            varied = Architecture(tuple(_varied(block, name, math.exp(log_value)) for block in self.blocks))
            return varied._log_factor()  # of this class

        grid = np.linspace(math.log(ends[0]), math.log(ends[1]), _GRID)
        values = np.array([excess(each) for each in grid])
        crossing = np.flatnonzero(values[:-1] * values[1:] < 0.0)
        zero = np.flatnonzero(np.abs(values) <= _NOISE)
        if len(zero) == 1:
            root = float(grid[zero[0]])
        elif len(crossing):
            root = float(brentq(excess, grid[crossing[-1]], grid[crossing[-1] + 1], xtol=_NOISE))
        else:
            side = "1" if len(zero) else "above 1" if np.nanmin(values) > 0.0 else "below 1"
            raise Undecided(f"the factor per layer is {side} for every {name} from {ends[0]:g} to {ends[1]:g}")
        error = _NOISE
        while error < 1.0 and min(abs(excess(root - error)), abs(excess(root + error))) <= _NOISE:
            error *= 4.0  # where the factor leaves 1 slowly, many values are as good
        return Estimate(math.exp(root), math.exp(root) * 2.0 * error)

    def simulate(
        self,
        depth: int = 20,
        width: int = 256,
        *,
        networks: int = 20,
        inputs: int = 256,
        correlation: NumberLike = 0.5,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> NetworkSample:
        """Simulate networks with random weights, for inputs of mean square 1 that come in pairs.

        Parameters
        ----------
        depth, width : int
            Layers, and neurons in each.
        networks, inputs : int
            Their numbers; confidence intervals come from the spread over networks.
        correlation : number
            Of the two inputs of a pair; inputs of different pairs are independent.
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
        with extra("simulation"):
            from threadpoolctl import threadpool_limits
        layers, wide = read_depth(depth), read_count(width, "width", _MOST_WIDTH)
        pairs = read_count(inputs, "inputs", _MOST_WIDTH) // 2
        alike = _correlation(correlation)
        seeds = np.random.SeedSequence(read_seed(seed)).spawn(read_count(networks, "networks", _MOST_NETWORKS))

        def simulate(network_seed: np.random.SeedSequence) -> Array:
            rng = np.random.default_rng(network_seed)
            return _one_network(self.blocks, layers, input_pairs(rng, wide, pairs, alike), rng)

        with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
            runs = [threads.submit(simulate, network_seed) for network_seed in seeds]
            samples = np.array([run.result() for run in shown(runs, progress)])
        return NetworkSample(*(Measured.of(samples[:, kind]) for kind in range(3)))

    def _steps(self, signal: Signal, depth: int) -> Iterator[Step]:
        """Yield what each layer does, as long as the variance is a float: always the same once the signal settles."""
        settled = None
        for _ in range(depth):
            step = settled or passed(self.blocks, signal, depth)
            if not 1.0 / _FAR < step.signal.variance < _FAR:
                return
            settled = step if _is_same(step.signal, signal) else None
            signal = step.signal
            yield step

    def _log_gradients(self, depths: Sequence[int]) -> list[float]:
        """Return the logarithm of the gradient's mean square at the input for these depths, as far as floats reach."""
        changes = any(isinstance(block, Residual) and callable(block.scale) for block in _all(self.blocks))
        logs = []
        for depth in depths if changes else depths[-1:]:
            sums = np.cumsum([math.log(step.gradient) for step in self._steps(self._first(1.0, None), depth)])
            logs += [float(sums[each - 1]) for each in ([depth] if changes else depths) if each <= len(sums)]
        return logs

    def _first(self, variance: NumberLike, correlation: NumberLike | None) -> Signal:
        """Return the signal at the input; batch norms ask for the covariance of independent inputs."""
        q = read_positive_float(variance, "variance")
        if correlation is not None:
            return Signal(q, q * _correlation(correlation))
        return Signal(q, 0.0) if self._has_batch_norm else Signal(q)

    def _settled(self) -> tuple[Signal, bool]:
        """Return where the variance settles, and whether that is a fixed point: else it is a very far one, or 0."""
        signal = self._first(1.0, None)
        for _ in range(_MOST_STEPS):
            after = passed(self.blocks, signal, 1).signal
            if _is_same(after, signal):
                return after, True
            if not 1.0 / _FAR < after.variance < _FAR:
                return after, False
            signal = after
        return self._sought(signal)

    def _sought(self, signal: Signal) -> tuple[Signal, bool]:
        """Return the first fixed point in the direction in which the variance moves, where it moves slowly."""

        def change(log_q: float) -> float:
            at = signal._replace(variance=math.exp(log_q))
            return math.log(passed(self.blocks, at, 1).signal.variance) - log_q

        place = math.log(signal.variance)
        side = 1.0 if change(place) > 0.0 else -1.0
        while abs(place) < math.log(_FAR):
            if change(place + side) * side <= 0.0:
                root = float(brentq(change, place, place + side, xtol=1e-14))
                return signal._replace(variance=math.exp(root)), True
            place += side
        return signal._replace(variance=math.exp(place)), False

    def _log_factor(self) -> float:
        return math.log(passed(self.blocks, self._settled()[0], 1).gradient)

    def _pair(self, signal: Signal, c: float) -> _Pair:
        """Return the correlation after a layer from c before it, and its slope there."""
        step = passed(self.blocks, Signal(signal.variance, c * signal.variance), 1)
        return _Pair(step.signal.correlation, step.slope * signal.variance / step.signal.variance, step.error)


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
        If there are no blocks, or one is none of `gradtheory.blocks`.

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
    return Architecture(read_blocks(blocks))


def _is_same(after: Signal, before: Signal) -> bool:
    """Return whether two signals agree but for rounding; nan is what nobody asked for."""
    return all(
        abs(new - old) <= _SETTLED * before.variance or math.isnan(new) for new, old in zip(after, before, strict=True)
    )


def _correlation(correlation: NumberLike) -> float:
    c = read_float(correlation, "correlation")
    if not -1.0 <= c <= 1.0:
        raise InvalidArgument("correlation", correlation, "must lie between -1 and 1, such as 0.5")
    return c


def _scale(pair: _Pair) -> Estimate:
    """Return -1/log(slope)."""
    if pair.slope <= 0.0:
        return Estimate(0.0, 0.0)
    if pair.slope >= 1.0 - _CLOSE:
        return Estimate(math.inf, 0.0)
    scale = -1.0 / math.log(pair.slope)
    return Estimate(scale, scale * scale * (pair.error + 1e-12) / pair.slope)


def _all(blocks: Sequence[Block]) -> list[Block]:
    return [each for block in blocks for each in (block, *(_all(block.blocks) if isinstance(block, Residual) else ()))]


def _varied(block: Block, name: str, value: float) -> Block:
    if isinstance(block, Residual):
        block = replace(block, blocks=tuple(_varied(each, name, value) for each in block.blocks))
    if isinstance(block, Dense | Residual) and hasattr(block, name):
        return replace(block, **{name: value})  # type: ignore[arg-type]  # it has this field
    return block


def _one_network(blocks: Sequence[Block], depth: int, inputs: Array, rng: np.random.Generator) -> Array:
    """Return variances and correlations after each layer, and the gradient's mean square before each."""
    width, means, backs, z = len(inputs), np.empty((3, depth)), [], inputs
    tied = composed([block.draw(rng, width, depth) for block in blocks]) if any(map(_is_tied, _all(blocks))) else None
    for layer in range(depth):
        drawn = tied or composed([block.draw(rng, width, depth) for block in blocks])
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


def _is_tied(block: Block) -> bool:
    return block.is_tied
