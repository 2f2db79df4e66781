"""What is certified of the layers of a network on a box: their pre-activations, slopes and greatest factors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable, downward, upward
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.boxes import read_box
from gradtheory.networks.bounds.deviations import factor_norm
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.bounds.spectral import spectral_bound
from gradtheory.networks.graph import activation_at, followers
from gradtheory.networks.nodes import Dense, Node

_MOST_LINES = 40


@dataclass(frozen=True, eq=False)
class LayerBound(ShownAsTable):
    r"""A dense layer with the activation after it, on a box of inputs.

    Attributes
    ----------
    name : str
        That of the dense node.
    activation : str or None
        That which alone takes what the layer gives; None where there is none.
    pre_activations : pair of ndarray of shape (n,)
        Lower and upper bounds of z.
    slopes : pair of ndarray of shape (n,)
        Lower and upper bounds of σ'(z), at kinks from either side; 1 where there is no such activation.
    norm : float
        An upper bound of ‖W‖.
    factor : float
        An upper bound of ‖diag(σ'(z))·W‖, the factor that the layer can contribute to a gradient.

    """

    name: str
    activation: str | None
    pre_activations: tuple[Array, Array]
    slopes: tuple[Array, Array]
    norm: float
    factor: float

    def __repr__(self) -> str:
        least, most = float(self.slopes[0].min()), float(self.slopes[1].max())
        norms = f"‖diag(σ')·W‖ ≤ {upward(self.factor)}, ‖W‖ ≤ {upward(self.norm)}"
        return f"LayerBound({self.name}: {norms}, σ' in [{downward(least, 4)}, {upward(most, 4)}])"


@dataclass(frozen=True, eq=False)
class LayerBounds(ShownAsTable):
    """The dense layers of a network on a box; a sequence of `LayerBound`."""

    layers: tuple[LayerBound, ...]

    @property
    def guarantee(self) -> Guarantee:
        """Certified, on the box."""
        return Guarantee.CERTIFIED

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, layer: int) -> LayerBound:
        return self.layers[layer]

    def __repr__(self) -> str:
        rows = [("layer", "activation", "‖W‖ ≤", "σ' from", "to", "‖diag(σ')·W‖ ≤")]
        for layer in self.layers[:_MOST_LINES]:
            ends = float(layer.slopes[0].min()), float(layer.slopes[1].max())
            numbers = upward(layer.norm), downward(ends[0]), upward(ends[1]), upward(layer.factor)
            rows.append((layer.name, layer.activation or "none", *numbers))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        more = len(self.layers) - _MOST_LINES
        return "\n".join([*lines, *([f"… {more} more layers"] if more > 0 else [])])


def layer_bounds_on(nodes: Sequence[Node], n_inputs: int, box: Any) -> LayerBounds:
    """Return what is certified of every dense layer on a box.

    Parameters
    ----------
    nodes : sequence of Node
        The network.
    n_inputs : int
        The width of its input.
    box : pair of array_like of shape (n_inputs,)
        (lower, upper).

    Raises
    ------
    InvalidArgument
        If the box is none.
    Undecided
        If the monotone branches of an activation's slope are not proven.

    Examples
    --------
    >>> import gradtheory as gt
    >>> from gradtheory.networks.nodes import Elementwise
    >>> nodes = Node("layer1", Dense(np.array([[3.0]])), (-1,)), Node("act", Elementwise(gt.activation("tanh")), (0,))
    >>> layer_bounds_on(nodes, 1, ([0.5], [2]))[0]
    LayerBound(layer1: ‖diag(σ')·W‖ ≤ 0.54212, ‖W‖ ≤ 3, σ' in [2.457e-5, 0.1808])

    """
    lower, upper = read_box(box, n_inputs)
    enclosure = enclose_network(nodes, lower[None], upper[None])
    layers, behind = [], followers(nodes)
    for place, node in enumerate(nodes):
        if not isinstance(node.operation, Dense):
            continue
        w, hull = node.operation.w, enclosure.outputs[place].hull
        norm = spectral_bound(w)
        after = behind.get(place)
        activation = None if after is None else activation_at(nodes, after).name
        if after is None:
            slopes, factor = (np.ones(len(w)), np.ones(len(w))), norm
        else:
            both = enclosure.slopes[after]
            slopes = both.lower[0], both.upper[0]
            factor = factor_norm(w, both.size[0])
        layers.append(LayerBound(node.name, activation, (hull.lower[0], hull.upper[0]), slopes, norm, factor))
    return LayerBounds(tuple(layers))
