"""What a network consists of: a list of nodes, each an operation on the outputs of nodes before it.

A node's sources are places in that list; -1 is the network's input. The output is that of the last node. All values are
arrays of shape (batch, n). An operation knows its value, its derivative along a direction, its adjoint, and how the
adjoint turns along a direction: all that gradients and products with the Hessian need. What it has to remember of the
forward pass it returns beside its value, and takes again.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array

_BLOCK = 16384  # entries whose temporary arrays stay in cache
INPUT = -1
Arrays: TypeAlias = tuple[Array, ...]


class Operation(Protocol):
    """What a node does with its inputs."""

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Return the output, and what the other methods take as `kept`."""

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return the derivative of the output along a direction of the inputs, in an array of its own."""

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return the gradient by each input, given that by the output."""

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return the derivative of `back` along a direction of the inputs, where `turn` is that of the gradient."""


@dataclass(frozen=True, eq=False)
class Dense:
    """z = W·a + b.

    Parameters
    ----------
    w : ndarray of shape (n_out, n_in)
        A row for each neuron, as in PyTorch's ``Linear.weight``.
    b : ndarray of shape (n_out,), optional
        None where there is no bias.

    """

    w: Array
    b: Array | None = None

    def __repr__(self) -> str:
        n_out, n_in = np.shape(self.w) if np.ndim(self.w) == 2 else ("?", "?")
        return f"Dense({n_in} → {n_out}{', no bias' if self.b is None else ''})"

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Keep a."""
        z = inputs[0] @ self.w.T
        if self.b is not None:
            z += self.b
        return z, inputs[0]

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return W·da."""
        return np.asarray(directions[0] @ self.w.T)

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return Wᵀ·δ."""
        return (gradient @ self.w,)

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return Wᵀ·dδ."""
        return (turn @ self.w,)


@dataclass(frozen=True)
class Elementwise:
    """a = σ(z), entry by entry."""

    activation: Activation

    def __repr__(self) -> str:
        return f"Elementwise({getattr(self.activation, 'name', self.activation)})"

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Keep z and σ'(z)."""
        z = inputs[0]
        value, slope = np.empty_like(z), np.empty_like(z)
        for start in range(0, z.size, _BLOCK):
            block, *results = (array.reshape(-1)[start : start + _BLOCK] for array in (z, value, slope))
            self.activation.kernel(block.copy(), *results)
        return value, (z, slope)

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return σ'(z)·dz."""
        return np.asarray(kept[1] * directions[0])

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return σ'(z)·∂C/∂a."""
        return (gradient * kept[1],)

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return σ'(z)·d∂C/∂a + σ''(z)·dz·∂C/∂a."""
        turned = np.empty_like(kept[0])
        arrays = [array.reshape(-1) for array in (*kept, directions[0], gradient, turn, turned)]
        for start in range(0, turned.size, _BLOCK):
            z, slope, direction, by_output, its_turn, result = (array[start : start + _BLOCK] for array in arrays)
            np.multiply(slope, its_turn, out=result)
            result += self.activation.bend(z) * direction * by_output
        return (turned,)


@dataclass(frozen=True)
class Sum:
    """The sum of two or more sources of one width: a residual connection."""

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Keep how many there are."""
        return np.asarray(sum(inputs[1:], start=inputs[0])), len(inputs)

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return the sum of the directions."""
        return np.asarray(sum(directions[1:], start=directions[0]))

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return the gradient, for every source."""
        return (gradient,) * int(kept)

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return the turn, for every source."""
        return (turn,) * int(kept)


@dataclass(frozen=True, eq=False)
class Scale:
    """a ↦ factor·a, by a number or entry by entry."""

    factor: Array

    def __repr__(self) -> str:
        return f"Scale({self.factor:g})" if np.ndim(self.factor) == 0 else f"Scale({np.size(self.factor)} factors)"

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Keep nothing."""
        return np.asarray(inputs[0] * self.factor), None

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return factor·da."""
        return np.asarray(directions[0] * self.factor)

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return factor·∂C/∂a."""
        return (np.asarray(gradient * self.factor),)

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return factor·d∂C/∂a."""
        return self.back(kept, turn)


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """a ↦ gain·u + bias with u = (a - mean a)/√(var a + ε), sample by sample; RMSNorm has u = a/√(mean a² + ε).

    Parameters
    ----------
    gain, bias : ndarray of shape (n,), optional
        None for 1 and 0.
    epsilon : float
        ε ≥ 0.
    is_centred : bool
        Whether the mean is taken off: LayerNorm does, RMSNorm does not.

    """

    gain: Array | None
    bias: Array | None
    epsilon: float
    is_centred: bool = True

    def __repr__(self) -> str:
        return f"{'LayerNorm' if self.is_centred else 'RMSNorm'}(epsilon={self.epsilon:g})"

    def value(self, *inputs: Array) -> tuple[Array, Any]:
        """Keep u, and the root by which it was divided, of shape (batch, 1)."""
        centred = self._centred(inputs[0])
        root = np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + self.epsilon)
        u = centred / root
        return (self._gained(u) if self.bias is None else self._gained(u) + self.bias), (u, root)

    def along(self, kept: Any, directions: Arrays) -> Array:
        """Return gain·∂u/∂a·da."""
        return self._gained(self._along(kept[0], kept[1], directions[0]))

    def back(self, kept: Any, gradient: Array) -> Arrays:
        """Return ∂u/∂a·gain·δ: the matrix is symmetric."""
        return (self._along(kept[0], kept[1], self._gained(gradient)),)

    def turned(self, kept: Any, directions: Arrays, gradient: Array, turn: Array) -> Arrays:
        """Return the derivative of (g - mean g - u·mean(u·g))/root, g = gain·δ, by the product rule."""
        u, root = kept
        g, d_u = self._gained(gradient), self._along(u, root, directions[0])
        d_root = np.mean(u * self._centred(directions[0]), axis=-1, keepdims=True)
        bent = d_u * np.mean(u * g, axis=-1, keepdims=True) + u * np.mean(d_u * g, axis=-1, keepdims=True)
        return (self._along(u, root, self._gained(turn)) - (bent + self._along(u, root, g) * d_root) / root,)

    def along_input(self, kept: tuple[Array, Array], direction: Array) -> Array:
        """Return ∂u/∂a·da, without the gain."""
        return self._along(*kept, direction)

    def _centred(self, a: Array) -> Array:
        return a - np.mean(a, axis=-1, keepdims=True) if self.is_centred else a

    def _gained(self, u: Array) -> Array:
        return u if self.gain is None else u * self.gain

    def _along(self, u: Array, root: Array, direction: Array) -> Array:
        """Return ∂u/∂a·v = (v - mean v - u·mean(u·v))/root."""
        return np.asarray((self._centred(direction) - u * np.mean(u * direction, axis=-1, keepdims=True)) / root)


@dataclass(frozen=True)
class Node:
    """An operation in a network.

    Parameters
    ----------
    name : str
        Unique in the network, as the torch module or the ONNX node is called.
    operation : Operation
    sources : tuple of int
        Where its inputs come from.

    """

    name: str
    operation: Operation
    sources: tuple[int, ...]
