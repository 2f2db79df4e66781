r"""Blocks of wide networks at initialisation: layers, residual connections, norms, dropout and recurrence.

Each maps the stream's variance and covariance, and says by what the gradient's mean square is multiplied on its way
back. All formulas are limits of infinite width; `simulate` of an architecture shows what finite widths do.

>>> import gradtheory as gt
>>> pre_norm = gt.architecture([residual([rms_norm(), dense("relu", sigma_w=2**0.5)])])
>>> pre_norm.growth.kind, round(pre_norm.growth.rate, 1)
('power law', 1.0)

"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import Array, read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.kinds import read_items
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures.signal import Signal, Step, product_moments, second_moments
from gradtheory.typing import ActivationLike, NumberLike

__all__ = ["Block", "batch_norm", "dense", "dropout", "layer_norm", "recurrent", "residual", "rms_norm"]

Backward: TypeAlias = Callable[[Array], Array]
Layer: TypeAlias = Callable[[Array], tuple[Array, Backward]]  # of a stream of shape (width, inputs)
_IDENTITY = "identity"


class Block(ABC):
    """One block of an architecture: made by the functions of `gradtheory.blocks`."""

    __slots__ = ()
    is_mixed = False  # whether fresh weights of mean 0 stand at its end
    is_tied = False  # whether all layers share its weights

    @abstractmethod
    def step(self, signal: Signal, depth: int) -> Step:
        """Return what the block does to a signal, in a network of so many layers."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the block with random weights, for a simulation."""


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
        return Step(after, size / self.keep * slope, size * slopes, error + product.error / float(value))

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
        return Step(Signal(*added), 1.0 + square * branch.gradient, 1.0 + square * branch.slope, branch.error)

    def alpha(self, depth: int) -> float:
        """Return α of a network of so many layers."""
        return read_positive_float(self.scale(depth), "scale(depth)") if callable(self.scale) else self.scale

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the connection around a drawn branch."""
        branch, alpha = composed([block.draw(rng, width, depth) for block in self.blocks]), self.alpha(depth)

        def layer(z: Array) -> tuple[Array, Backward]:
            out, back = branch(z)
            return z + alpha * out, lambda delta: delta + alpha * back(delta)

        return layer


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

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return the norm over the batch."""
        del rng, width, depth
        return lambda z: _normed(z, 1, True)


def dense(activation: ActivationLike = _IDENTITY, sigma_w: NumberLike = 1, sigma_b: NumberLike = 0) -> Block:
    r"""Return a layer z' = W·σ(z) + b, with W ~ N(0, σ_w²/width) and b ~ N(0, σ_b²).

    q' = σ_w²·E[σ²] + σ_b²; p' = σ_w²·E[σ(x)σ(y)] + σ_b²; the gradient's mean square times χ = σ_w²·E[σ'²].

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        σ, applied before the weights; "identity" for a linear layer.
    sigma_w, sigma_b : number
        Standard deviations of the weights, times √width, and of the biases.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    B. Poole et al. (2016); S. Schoenholz et al., "Deep information propagation" (2017).

    """
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b))


def dropout(
    activation: ActivationLike = _IDENTITY, keep: NumberLike = 0.9, sigma_w: NumberLike = 1, sigma_b: NumberLike = 0
) -> Block:
    r"""Return a layer with dropout: z' = W·(m ∘ σ(z))/keep + b, with independent masks m for every input.

    As `dense`, but q' and χ have E[σ²]/keep and E[σ'²]/keep. Two equal inputs do not stay equal, so that c = 1 is no
    fixed point of the correlation map, and there is no edge of chaos: the depth scale is finite for every σ_w.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `dense`.
    keep : number
        The probability with which a neuron is kept, above 0 and at most 1.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    S. Schoenholz et al. (2017), section 4.

    """
    kept = read_positive_float(keep, "keep")
    if kept > 1.0:
        raise InvalidArgument("keep", keep, "must be a probability above 0 and at most 1, such as 0.9")
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b), kept)


def recurrent(
    activation: ActivationLike = "tanh", sigma_w: NumberLike = 1, sigma_b: NumberLike = 0, *, input_size: NumberLike = 0
) -> Block:
    r"""Return a step of a recurrent layer, z' = W·σ(z) + u + b: one W for all steps, and inputs u ~ N(0, input_size²).

    In the limit of large width tied weights act as fresh ones: the maps are those of `dense` with
    σ_b² + input_size² in place of σ_b², and gradients neither grow nor vanish where χ = 1.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `dense`.
    input_size : number
        The standard deviation of what the inputs add to z in each step; two sequences are given the same inputs.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    M. Chen, J. Pennington & S. Schoenholz, "Dynamical isometry and a mean field theory of RNNs" (2018); R. Pascanu,
    T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013).

    """
    inputs = read_nonnegative_float(input_size, "input_size")
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b), input_size=inputs, is_tied=True)


def residual(blocks: Sequence[Block], scale: NumberLike | Callable[[int], float] = 1) -> Block:
    r"""Return a residual connection z' = z + α·f(z) around some blocks.

    q' = q + α²·q_f, p' = p + α²·p_f, and the gradient's mean square times 1 + α²·χ_f: sums, since fresh weights of
    mean 0 stand at the end of f.

    Parameters
    ----------
    blocks : sequence of Block
        f; its last block has weights.
    scale : number or callable
        α, or a function of the depth L of the network that returns it, such as ``lambda depth: depth**-0.5``.

    Raises
    ------
    InvalidArgument
        If f does not end with weights, or α is not positive.

    References
    ----------
    G. Yang & S. Schoenholz, "Mean field residual networks: on the edge of chaos" (2017); B. Hanin & D. Rolnick, "How to
    start training: the effect of initialization and architecture" (2018).

    """
    branch = read_blocks(blocks)
    if not branch[-1].is_mixed:
        raise InvalidArgument("blocks", blocks, "must end with a block that has weights, such as dense('relu')")
    return Residual(branch, scale if callable(scale) else read_positive_float(scale, "scale"))


def layer_norm() -> Block:
    r"""Return LayerNorm at its initial parameters: each input less its mean over the neurons, over its deviation.

    q' = 1, p' = p/q, and the gradient's mean square times 1/q, as for `rms_norm`: over many neurons the mean is 0.

    References
    ----------
    R. Xiong et al., "On layer normalization in the transformer architecture" (2020).

    """
    return Norm(is_centred=True)


def rms_norm() -> Block:
    r"""Return RMSNorm at its initial parameters: each input over its root mean square.

    q' = 1, p' = p/q, and the gradient's mean square times 1/q.

    References
    ----------
    B. Zhang & R. Sennrich, "Root mean square layer normalization" (2019).

    """
    return Norm(is_centred=False)


def batch_norm() -> Block:
    r"""Return BatchNorm at its initial parameters, for a large batch in which any two inputs have covariance p.

    q' = 1, p' = 0, and the gradient's mean square times 1/(q - p). After `dense(σ)` that makes E[σ'²]/Var[σ] per layer,
    whatever σ_w and σ_b. Poincaré's inequality for the Gaussian says that it is at least 1 where σ is continuous, and 1
    for linear σ only: batch normalisation makes gradients explode with depth, and no initialisation stops it. For relu
    it is π/(π - 1).

    References
    ----------
    G. Yang et al., "A mean field theory of batch normalization" (2019), where a linear network with batches of B has
    (B - 2)/(B - 3).

    """
    return BatchNorm()


def read_blocks(blocks: Any) -> tuple[Block, ...]:
    """Return a tuple of blocks."""
    rule = "must be a sequence of blocks of gradtheory.blocks, such as [dense('relu', 2**0.5)]"
    items = read_items(blocks, "blocks", rule)
    if not items or not all(isinstance(item, Block) for item in items):
        raise InvalidArgument("blocks", blocks, rule)
    return tuple(items)


def passed(blocks: Sequence[Block], signal: Signal, depth: int) -> Step:
    """Return what blocks do one after the other."""
    gradient, slope, error = 1.0, 1.0, 0.0
    for block in blocks:
        step = block.step(signal, depth)
        signal, gradient, slope, error = (
            step.signal, gradient * step.gradient, slope * step.slope, error + step.error
        )  # fmt: skip
    return Step(signal, gradient, slope, error)


def composed(layers: Sequence[Layer]) -> Layer:
    """Return drawn blocks one after the other."""

    def layer(z: Array) -> tuple[Array, Backward]:
        backs = []
        for each in layers:
            z, back = each(z)
            backs.append(back)

        def backward(delta: Array) -> Array:
            for back in reversed(backs):
                delta = back(delta)
            return delta

        return z, backward

    return layer


def _scales(sigma_w: NumberLike, sigma_b: NumberLike) -> tuple[float, float]:
    return read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")


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
