"""The kinds of blocks: what each does to a signal and to gradients, and itself with random weights.

All formulas are limits of infinite width.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_nonnegative_float
from gradtheory.arithmetic.kinds import read_items
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures.signal import (
    Signal,
    Step,
    Variances,
    mean_squares,
    product_moments,
    second_moments,
)

Backward: TypeAlias = Callable[[Array], Array]
Layer: TypeAlias = Callable[[Array], tuple[Array, Backward]]  # of a stream of shape (width, inputs)


class Block(ShownAsTable, ABC):
    """One block of an architecture: made by the functions of `gradtheory.blocks`."""

    __slots__ = ()
    is_mixed = False  # whether fresh weights of mean 0 stand at its end
    is_tied = False  # whether all layers share its weights

    @property
    def mixes(self) -> int:
        """How many inputs it mixes, tokens of one sequence; 0 where it mixes none."""
        return 0

    @abstractmethod
    def step(self, signal: Signal, depth: int) -> Step:
        """Return what the block does to a signal, in a network of so many layers."""

    @abstractmethod
    def variances(self, q: Array) -> Variances:
        """Return what `step` makes of many variances, in a network of one layer."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the block with random weights, for a simulation."""

    def drawer(self, rng: np.random.Generator, width: int, depth: int) -> Callable[[], Layer]:
        """Return what gives the block of each layer in turn: always the same one where weights are shared."""
        shared = self.draw(rng, width, depth) if self.is_tied else None
        return lambda: shared or self.draw(rng, width, depth)


@dataclass(frozen=True, repr=False)
class Dense(Block):
    """z' = W·(m ∘ σ(z))/keep + b + u, with m = 1 with probability `keep`, and 0 otherwise."""

    activation: Activation
    sigma_w: float
    sigma_b: float
    keep: float = 1.0
    input_size: float = 0.0
    is_tied: bool = False

    is_mixed = True

    @property
    def is_linear(self) -> bool:
        """Whether it takes streams that are not Gaussian."""
        return self.activation.name == "identity"

    def __repr__(self) -> str:
        kind = "recurrent" if self.is_tied else "dense" if self.keep == 1.0 else "dropout"
        numbers = {"keep": self.keep, "sigma_w": self.sigma_w, "sigma_b": self.sigma_b, "input_size": self.input_size}
        usual = {"keep": 1.0, "sigma_b": 0.0, "input_size": 0.0}
        said = (f"{name}={value:.6g}" for name, value in numbers.items() if value != usual.get(name))
        return f"{kind}({', '.join((repr(self.activation.name), *said))})"

    def step(self, signal: Signal, depth: int) -> Step:
        """Return σ_w²·E[σ²]/keep + σ_b², σ_w²·E[σ(x)σ(y)] + σ_b², σ_w²·E[σ'²]/keep; inputs add like biases."""
        del depth
        size, added = self.sigma_w**2, self.sigma_b**2 + self.input_size**2
        value, slope = second_moments(self.activation, signal.variance)
        variance = size / self.keep * value + added
        error = max(value.error / value, slope.error / slope) if value and slope else 0.0
        if math.isnan(signal.covariance):
            return Step(Signal(variance), size / self.keep * slope, error=error)
        product, slopes = product_moments(self.activation, signal)
        after = Signal(variance, size * product + added)
        return Step(after, size / self.keep * slope, size * slopes, error + (product.error / value if value else 0.0))

    def variances(self, q: Array) -> Variances:
        """Return σ_w²·E[σ²]/keep + σ_b²."""
        size, (value, growth, error) = self.sigma_w**2 / self.keep, mean_squares(self.activation, q)
        return Variances(size * value + self.sigma_b**2 + self.input_size**2, size * growth, size * error)

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the layer with W ~ N(0, σ_w²/width), b ~ N(0, σ_b²)."""
        del depth
        weights = rng.normal(0.0, self.sigma_w / math.sqrt(width), (width, width))
        bias = rng.normal(0.0, self.sigma_b, (width, 1)) if self.sigma_b else 0.0

        def layer(z: Array) -> tuple[Array, Backward]:
            a, slope = self.activation.value_and_slope(z)
            if self.keep < 1.0:
                mask = (rng.random(z.shape) < self.keep) / self.keep
                a, slope = mask * a, mask * slope
            z = weights @ a + bias
            if self.input_size:
                z += rng.normal(0.0, self.input_size, (width, 1))
            return z, lambda delta: slope * (weights.T @ delta)

        return layer


@dataclass(frozen=True, repr=False)
class Residual(Block):
    """z' = z + α·f(z)."""

    blocks: tuple[Block, ...]
    scale: float | Callable[[int], float]

    def __repr__(self) -> str:
        scale = "scale(L)" if callable(self.scale) else f"{self.scale:.6g}"
        return f"residual([{', '.join(map(repr, self.blocks))}], {scale})"

    def step(self, signal: Signal, depth: int) -> Step:
        """Add, since the branch ends with weights of mean 0: q + α²·q_f, and 1 + α²·χ_f for the gradient."""
        branch, square = passed(self.blocks, signal, depth), self.alpha(depth) ** 2
        added = (each + square * more for each, more in zip(signal, branch.signal, strict=True))
        mixing = square * branch.mixing[0], square * branch.mixing[1]
        return Step(Signal(*added), 1.0 + square * branch.gradient, 1.0 + square * branch.slope, branch.error, mixing)

    def variances(self, q: Array) -> Variances:
        """Return q + α²·q_f."""
        (value, growth, error), square = variances_behind(self.blocks, q), self.alpha(1) ** 2
        return Variances(q + square * value, 1.0 + square * growth, square * error)

    def alpha(self, depth: int) -> float:
        """Return α of a network of so many layers."""
        return read_nonnegative_float(self.scale(depth), "scale(depth)") if callable(self.scale) else self.scale

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the connection around a drawn branch."""
        return self.drawer(rng, width, depth)()

    def drawer(self, rng: np.random.Generator, width: int, depth: int) -> Callable[[], Layer]:
        """Return what gives the connection around the branch of each layer."""
        branches, alpha = drawer_of(self.blocks, rng, width, depth), self.alpha(depth)

        def around(branch: Layer) -> Layer:
            def layer(z: Array) -> tuple[Array, Backward]:
                out, back = branch(z)
                return z + alpha * out, lambda delta: delta + alpha * back(delta)

            return layer

        return lambda: around(branches())


@dataclass(frozen=True, repr=False)
class Norm(Block):
    """Each input divided by its root mean square over the neurons, less its mean before that where `is_centred`."""

    is_centred: bool

    def __repr__(self) -> str:
        return "layer_norm()" if self.is_centred else "rms_norm()"

    def step(self, signal: Signal, depth: int) -> Step:
        """Return q' = 1, p' = p/q, 1/q: the mean over neurons and the gradient's way through q vanish as 1/width."""
        del depth
        scale = 1.0 / signal.variance
        return Step(Signal(1.0, scale * signal.covariance), scale, scale)

    def variances(self, q: Array) -> Variances:
        """Return 1."""
        return Variances(np.ones_like(q), np.zeros_like(q), np.zeros_like(q))

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the norm over the neurons."""
        del rng, width, depth
        return lambda z: _normed(z, 0, self.is_centred)


@dataclass(frozen=True, repr=False)
class BatchNorm(Block):
    """Each neuron less its mean over the batch, over its standard deviation there."""

    def __repr__(self) -> str:
        return "batch_norm()"

    def step(self, signal: Signal, depth: int) -> Step:
        """Return q' = 1, p' = 0, 1/(q - p): any two of a large batch have covariance p, which the mean takes away."""
        del depth
        inside = signal.variance - (0.0 if math.isnan(signal.covariance) else signal.covariance)
        if not inside > 0.0:
            raise InvalidArgument("correlation", 1.0, "must be less than 1 before batch_norm: all inputs are one there")
        return Step(Signal(1.0, 0.0), 1.0 / inside, 0.0)

    def variances(self, q: Array) -> Variances:
        """Return 1."""
        return Variances(np.ones_like(q), np.zeros_like(q), np.zeros_like(q))

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the norm over the batch."""
        del rng, width, depth
        return lambda z: _normed(z, 1, True)


def read_blocks(blocks: Any) -> tuple[Block, ...]:
    """Return a tuple of blocks."""
    rule = "must be a sequence of blocks of gradtheory.blocks, such as [dense('relu', 2**0.5)]"
    items = read_items(blocks, "blocks", rule)
    if not items or not all(isinstance(item, Block) for item in items):
        raise InvalidArgument("blocks", blocks, rule)
    return tuple(items)


def all_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks and those inside residual connections."""
    inside = (all_blocks(block.blocks) if isinstance(block, Residual) else () for block in blocks)
    return [each for block, more in zip(blocks, inside, strict=True) for each in (block, *more)]


def has_scale_of_depth(blocks: Sequence[Block]) -> bool:
    """Return whether a residual connection has a scale that is a function of the network's depth."""
    return any(isinstance(block, Residual) and callable(block.scale) for block in all_blocks(blocks))


def passed(blocks: Sequence[Block], signal: Signal, depth: int) -> Step:
    """Return what blocks do one after the other."""
    whole = Step(signal, 1.0, 1.0)
    for block in blocks:
        step = block.step(whole.signal, depth)
        gradient, slope, mixing = whole.gradient * step.gradient, whole.slope * step.slope, (0.0, 0.0)
        if any((*whole.mixing, *step.mixing)):
            (gradient, up), (down, slope) = (whole.backward @ step.backward).tolist()
            mixing = up, down
        whole = Step(step.signal, gradient, slope, whole.error + step.error, mixing)
    return whole


def variances_behind(blocks: Sequence[Block], q: Array) -> Variances:
    """Return what blocks make of many variances one after the other."""
    whole = Variances(q, np.ones_like(q), np.zeros_like(q))
    for block in blocks:
        value, growth, error = block.variances(whole.value)
        with np.errstate(all="ignore"):
            whole = Variances(value, whole.growth * growth, whole.error * np.abs(growth) + error)
    return whole


def drawer_of(blocks: Sequence[Block], rng: np.random.Generator, width: int, depth: int) -> Callable[[], Layer]:
    """Return what gives drawn blocks one after the other, for each layer in turn."""
    drawers = [block.drawer(rng, width, depth) for block in blocks]
    return lambda: composed([drawer() for drawer in drawers])


def composed(layers: Sequence[Layer]) -> Layer:
    """Return drawn blocks one after the other."""

    def layer(z: Array) -> tuple[Array, Backward]:
        backs = []
        for step in layers:
            z, back = step(z)
            backs.append(back)

        def backward(delta: Array) -> Array:
            for back in reversed(backs):
                delta = back(delta)
            return delta

        return z, backward

    return layer


def _normed(z: Array, axis: int, is_centred: bool) -> tuple[Array, Backward]:
    def centred(rows: Array) -> Array:
        return rows - rows.mean(axis=axis, keepdims=True) if is_centred else rows

    z = centred(z)
    size = np.sqrt(np.mean(z * z, axis=axis, keepdims=True))
    out = z / size

    def backward(delta: Array) -> Array:
        delta = centred(delta)
        return np.asarray((delta - out * np.mean(delta * out, axis=axis, keepdims=True)) / size)

    return out, backward
