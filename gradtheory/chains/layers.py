"""The activations of the layers of a chain or a network: one for all of them, or one for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_layers
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
    if isinstance(activation, str | sympy.Expr | Activation):
        return Uniform(as_activation(activation))
    kind = f"the name of one activation, or a sequence of {depth}"
    return tuple(as_activation(item) for item in read_layers(activation, "activation", depth, kind))
