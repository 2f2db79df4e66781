"""The layers of a chain or a network: their activations, one for all or one for each, and a forward pass in NumPy."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.inputs import Array, read_layers
from gradtheory.typing import ActivationLike


@dataclass(frozen=True)
class Uniform:
    """The same activation in every layer, of which there may be any number."""

    record: Activation

    def __getitem__(self, layer: int | sympy.Expr) -> Activation:
        return self.record


LayerActivations: TypeAlias = Uniform | tuple[Activation, ...]  # indexed by layer, from 0


def read_activations(
    activation: ActivationLike | Sequence[ActivationLike], depth: int | sympy.Symbol
) -> LayerActivations:
    """Return the records of one activation for all layers, or of a sequence of them; none fits a symbolic depth.

    Examples
    --------
    >>> [record.name for record in read_activations(["tanh", "sigmoid"], 2)]
    ['tanh', 'sigmoid']
    >>> read_activations("tanh", 2)[1].name
    'tanh'

    """
    if isinstance(activation, str | sympy.Expr | Activation) or callable(activation):  # np.tanh is told its name
        return Uniform(as_activation(activation))
    kind = f"the name of one activation, or a sequence of {depth}"
    return tuple(as_activation(item) for item in read_layers(activation, "activation", depth, kind))


def in_brief(activation: ActivationLike | Sequence[ActivationLike], layers: LayerActivations) -> str:
    """Return a short text for the activations of layers, as a user wrote them where that is short."""
    if isinstance(layers, Uniform) or len(layers) <= 3:
        return shorten(repr(activation))
    names = ", ".join(shorten(record.name, 30) for record in layers[:2])
    return f"{len(layers)} activations ({names}, …)"


def steepest_slopes(activations: Sequence[Activation]) -> Array:
    """Return sup|σ'| of each layer in float64."""
    return np.array([_steepest_slope(each) for each in activations])


@functools.lru_cache(maxsize=256)
def _steepest_slope(activation: Activation) -> float:
    return float(activation.steepest_slope)


class ForwardPass(NamedTuple):
    """What enters each layer, a_0 … a_{L-1}; the pre-activations z_1 … z_L; the slopes σ'(z_1) … σ'(z_L)."""

    inputs: list[Array]
    z: list[Array]
    slopes: list[Array]


def forward_pass(
    activations: Sequence[Activation],
    affine: Callable[[Array, Array, Array], Array],
    x: Array,
    w: Iterable[Array],
    b: Iterable[Array],
) -> ForwardPass:
    """Return what a forward pass computes, where `affine` makes z_l of a_{l-1}, w_l and b_l."""
    inputs, pre_activations, slopes = [], [], []
    a = x
    for activation, weight, bias in zip(activations, w, b, strict=True):
        inputs.append(a)
        z = affine(a, weight, bias)
        a, slope = activation.value_and_slope(z)
        pre_activations.append(z)
        slopes.append(slope)
    return ForwardPass(inputs, pre_activations, slopes)


def affine_neuron(a: Array, w: Array, b: Array) -> Array:
    """Return w·a + b of one neuron, for every sample."""
    return np.asarray(w * a + b)
