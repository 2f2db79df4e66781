"""The parameters of a network as one list of arrays: all weights, then all biases, then gains and biases of norms.

That is the order of a chain's parameters, w_1 … w_L, b_1 … b_L, for networks of any widths.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.losses import Ending
from gradtheory.networks.nodes import Dense, LayerNorm, Node
from gradtheory.networks.passes import Forward


class Slot(NamedTuple):
    """Where a parameter is: the place of its node, and its name there: "w", "b", "gain" or "bias"; "x" at the input."""

    place: int
    name: str


def slots(nodes: Sequence[Node]) -> list[Slot]:
    """Return the parameters that a network has, in order."""
    wanted = (("w", Dense), ("b", Dense), ("gain", LayerNorm), ("bias", LayerNorm))
    return [
        Slot(place, name)
        for name, kind in wanted
        for place, node in enumerate(nodes)
        if isinstance(node.operation, kind) and getattr(node.operation, name) is not None
    ]


def parameters(nodes: Sequence[Node]) -> list[Array]:
    """Return the parameters' values."""
    return [getattr(nodes[slot.place].operation, slot.name) for slot in slots(nodes)]


def with_parameters(nodes: Sequence[Node], values: Sequence[Array]) -> tuple[Node, ...]:
    """Return the nodes with other values."""
    changed: dict[int, dict[str, Array]] = {}
    for slot, value in zip(slots(nodes), values, strict=True):
        changed.setdefault(slot.place, {})[slot.name] = value
    return tuple(
        Node(node.name, replace(node.operation, **changed[place]), node.sources)  # type: ignore[type-var]  # dataclasses
        if place in changed
        else node
        for place, node in enumerate(nodes)
    )


def gradients(where: Sequence[Slot], passed: Forward, start: Ending) -> list[Array]:
    """Return the gradient by each parameter, and by x where `Slot(INPUT, "x")` is asked for; 0 where none comes back.

    Gradients by outputs are dropped when they have been used.
    """
    names: dict[int, list[str]] = {}
    for slot in where:
        names.setdefault(slot.place, []).append(slot.name)
    by_slot: dict[Slot, Array] = {}
    for place, delta in passed.walk_back(start.gradient, start.place):
        for name in names.pop(place, ()):
            by_slot[Slot(place, name)] = _gradient(name, delta, passed.kept[place])
    for place, left in names.items():
        for name in left:
            by_slot[Slot(place, name)] = _gradient(name, np.zeros_like(passed.values[place]), passed.kept[place])
    return [by_slot[slot] for slot in where]


def _gradient(name: str, delta: Array, kept: Any) -> Array:
    match name:
        case "w":
            return np.asarray(delta.T @ kept)
        case "gain":
            return np.asarray((delta * kept[0]).sum(axis=0))
        case "x":
            return delta
    return np.asarray(delta.sum(axis=0))


def flat(arrays: Sequence[Array]) -> Array:
    """Return arrays as one vector."""
    return np.concatenate([each.ravel() for each in arrays]) if arrays else np.zeros(0)


def shaped(vector: Array, like: Sequence[Array]) -> list[Array]:
    """Return a vector as arrays of these shapes."""
    return list(_shaped(vector, like))


def _shaped(vector: Array, like: Sequence[Array]) -> Iterator[Array]:
    start = 0
    for array in like:
        yield vector[start : start + array.size].reshape(array.shape)
        start += array.size
