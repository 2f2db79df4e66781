"""What a network consists of: a list of nodes, each an operation on the outputs of nodes before it.

A node's sources are places in that list; -1 is the network's input. The output is that of the last node. All values are
arrays of shape (batch, n).
"""

from dataclasses import dataclass
from typing import TypeAlias

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array

INPUT = -1


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


@dataclass(frozen=True)
class Elementwise:
    """a = σ(z), entry by entry."""

    activation: Activation


@dataclass(frozen=True)
class Sum:
    """The sum of two or more sources of one width: a residual connection."""


@dataclass(frozen=True, eq=False)
class Scale:
    """a ↦ factor·a, by a number or entry by entry."""

    factor: Array


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """a ↦ gain·(a - mean a)/√(var a + ε) + bias, sample by sample; RMSNorm, which is not centred, takes a/√(mean a² + ε).

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


Operation: TypeAlias = Dense | Elementwise | Sum | Scale | LayerNorm


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
