"""Passes through a network's nodes, each linear in their number: values, derivatives along a direction, adjoints.

The system hands out fresh memory page by page when it is first written, which for a layer of width 256 and as many
samples can take as long as its matrix products. So what is used is let go early, and malloc is made to keep it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.nodes import INPUT, Dense, LayerNorm, Node

# glibc keeps twice as much freed memory as the largest array that was freed, which counts up to 32 MB (mallopt(3)).
np.empty(2**22 - 2**10)


@dataclass(frozen=True)
class Forward:
    """What a forward pass leaves.

    Attributes
    ----------
    nodes : tuple of Node
    x : ndarray of shape (batch, n_0)
    values : list of ndarray
        The output of each node.
    kept : list
        What each operation remembers.

    """

    nodes: Sequence[Node]
    x: Array
    values: list[Array]
    kept: list[Any]

    @property
    def output(self) -> Array:
        """The output of the last node."""
        return self.values[-1]

    def along(self, direction: Array, directions: Mapping[int, Mapping[str, Array]] | None = None) -> list[Array]:
        """Return the derivative of every node's output along a direction of x and, by node, of its parameters.

        Parameters
        ----------
        direction : ndarray of shape (batch, n_0)
            Of x.
        directions : mapping of int to mapping of str to ndarray, optional
            Of the parameters, as for `hessian_product`.

        """
        derivatives: list[Array] = []
        for place, node in enumerate(self.nodes):
            taken = tuple(direction if source == INPUT else derivatives[source] for source in node.sources)
            derivative = node.operation.along(self.kept[place], taken)
            if directions is not None and place in directions:
                derivative += _turn(self.kept[place], directions[place])
            derivatives.append(derivative)
        return derivatives

    def walk_back(self, gradient: Array, first: int | None = None) -> Iterator[tuple[int, Array]]:
        """Yield the gradient by the output of every node that it reaches, from the last to the first, then that by x.

        It starts from that by the output of one, the last unless given; x is the output of `INPUT`.
        """
        last = len(self.nodes) - 1 if first is None else first
        flowing = {last: gradient}
        for place in range(last, -1, -1):
            if place not in flowing:
                continue
            node, by_output = self.nodes[place], flowing.pop(place)
            yield place, by_output
            for source, part in zip(node.sources, node.operation.back(self.kept[place], by_output), strict=True):
                flowing[source] = flowing[source] + part if source in flowing else part
        yield INPUT, flowing[INPUT] if INPUT in flowing else np.zeros_like(self.x)

    def back(self, gradient: Array, first: int | None = None) -> "Backward":
        """Return all that `walk_back` yields."""
        by_output = dict(self.walk_back(gradient, first))
        by_x = by_output.pop(INPUT)
        return Backward([by_output.get(place) for place in range(len(self.nodes))], by_x)


@dataclass(frozen=True)
class Backward:
    """Gradients by the output of every node, None where it does not reach the last, and by x."""

    by_output: list[Array | None]
    by_x: Array

    def at(self, place: int, forward: Forward) -> Array:
        """Return the gradient by a node's output: 0 where it does not reach the loss."""
        gradient = self.by_output[place]
        return np.zeros_like(forward.values[place]) if gradient is None else gradient


def forward(nodes: Sequence[Node], x: Array) -> Forward:
    """Return what a forward pass computes; numbers that overflow are inf or nan."""
    values: list[Array] = []
    kept: list[Any] = []
    for node in nodes:
        inputs = (x if source == INPUT else values[source] for source in node.sources)
        value, memory = node.operation.value(*inputs)
        values.append(value)
        kept.append(memory)
    return Forward(nodes, x, values, kept)


def derivative_along(nodes: Sequence[Node], x: Array, direction: Array) -> Array:
    """Return the derivative of the output along a direction of x; what no later node takes is let go.

    So memory is used again, that takes as long as the products of matrices where it is fresh.
    """
    last = {source: place for place, node in enumerate(nodes) for source in node.sources}
    known = {INPUT: (x, direction)}
    for place, node in enumerate(nodes):
        inputs, directions = zip(*(known[source] for source in node.sources), strict=True)
        value, kept = node.operation.value(*inputs)
        known[place] = value, node.operation.along(kept, directions)
        for source in {source for source in node.sources if last[source] == place}:
            del known[source]
    return known[len(nodes) - 1][1]


def dense_places(nodes: Sequence[Node]) -> list[int]:
    """Return where the dense layers are, in order."""
    return [place for place, node in enumerate(nodes) if isinstance(node.operation, Dense)]


def norm_places(nodes: Sequence[Node]) -> list[int]:
    """Return where the norms are, in order."""
    return [place for place, node in enumerate(nodes) if isinstance(node.operation, LayerNorm)]


def hessian_product(
    forward: Forward,
    place: int,
    gradient: Array,
    turned: Callable[[Array], Array],
    directions: Mapping[int, Mapping[str, Array]],
) -> dict[int, dict[str, Array]]:
    """Return H·v by the parameters of dense layers and norms, for the gradient with which a backward pass starts.

    Parameters
    ----------
    forward : Forward
        What a forward pass left.
    place : int
        Where the backward pass starts.
    gradient : ndarray
        The gradient there.
    turned : callable
        Takes the derivative of the output there along v, and returns that of the gradient.
    directions : mapping of int to mapping of str to ndarray
        v: by the place of each dense layer a direction of "w", or of "w" and "b", and by that of a norm one of "gain",
        "bias" or both.

    """
    nodes, none = forward.nodes, np.zeros_like(forward.x)
    along = forward.along(none, directions)
    flowing = {place: (gradient, turned(along[place]))}
    products: dict[int, dict[str, Array]] = {k: {} for k in directions}
    for k in range(place, -1, -1):
        if k not in flowing:
            continue
        node, (flow, turn), kept, parts = nodes[k], flowing.pop(k), forward.kept[k], directions.get(k, {})
        taken = tuple(none if source == INPUT else along[source] for source in node.sources)
        match node.operation:
            case Dense() if parts:
                products[k]["w"] = turn.T @ kept
                products[k]["w"] += flow.T @ taken[0]
            case LayerNorm() as norm if "gain" in parts:
                products[k]["gain"] = (turn * kept[0] + flow * norm.along_input(kept, taken[0])).sum(axis=0)
        for name in {"b", "bias"} & parts.keys():
            products[k][name] = turn.sum(axis=0)
        if node.sources == (INPUT,):
            continue
        back, turned_back = node.operation.back(kept, flow), node.operation.turned(kept, taken, flow, turn)
        match node.operation:
            case Dense() if parts:
                turned_back[0][...] += flow @ parts["w"]
            case LayerNorm() as norm if "gain" in parts:
                turned_back[0][...] += norm.along_input(kept, flow * parts["gain"])
        for source, part, more in zip(node.sources, back, turned_back, strict=True):
            if source != INPUT:
                before = flowing.get(source)
                flowing[source] = (part, more) if before is None else (before[0] + part, before[1] + more)
    for k, parts in directions.items():
        products[k] |= {name: np.zeros_like(part) for name, part in parts.items() if name not in products[k]}
    return products


def _turn(kept: Any, parts: Mapping[str, Array]) -> Array:
    """Return how the output of a dense layer or a norm changes along a direction of its parameters."""
    moved: Array = np.zeros(())
    if "w" in parts:
        moved = kept @ parts["w"].T
    if "gain" in parts:
        moved = kept[0] * parts["gain"]
    for name in {"b", "bias"} & parts.keys():
        moved = moved + parts[name]
    return moved
