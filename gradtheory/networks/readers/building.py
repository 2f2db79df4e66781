"""Nodes as a reader finds them: added one by one, with a list of what was not understood, and cut to what matters."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradtheory.activations import activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Operation, Scale

ADVICE = "gradtheory.audit measures any torch module"
_SHOWN = 8  # of what is not understood


@dataclass
class Builder:
    """Nodes under construction.

    Parameters
    ----------
    what, called : str
        What is read, for messages, such as "module", and its name or path.
    places, holders : dict
        The place of each value of the other program, and the values at each place.
    problems : list of str
        What is not understood, and where it stands.
    names : dict of str to int
        How many nodes have a name.

    """

    what: str
    called: str
    places: dict[Hashable, int] = field(default_factory=dict)
    holders: dict[int, list[Hashable]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, value: Hashable, name: str, operation: Operation, *sources: Hashable) -> None:
        """Add a node that computes a value from others."""
        number = self.names.get(name, 0) + 1
        while _numbered(name, number) in self.names:
            number += 1
        self.names[name] = number
        self.names.setdefault(_numbered(name, number), 1)
        places = tuple(self.places[source] for source in sources)
        self.nodes.append(Node(_numbered(name, number), operation, places))
        self.places[value] = place = len(self.nodes) - 1
        self.holders[place] = [value]

    def same(self, value: Hashable, source: Hashable) -> None:
        """Let a value be another: nothing happens to it."""
        self.places[value] = place = self.places[source]
        self.holders.setdefault(place, []).append(value)

    def element(self, value: Hashable, name: str, source: Hashable, which: str, /, **parameters: Any) -> None:
        """Add an activation of the catalogue, with parameters as the numbers that a person wrote."""
        written = {key: repr(float(number)) for key, number in parameters.items()}
        self.add(value, name, Elementwise(activation(which, **written)), source)

    def refuse(self, value: Hashable, what: str, where: str) -> None:
        """Note what is not understood; what follows it is not looked at."""
        self.problems.append(f"{what} at {where!r}")
        self.places.pop(value, None)

    def knows(self, *values: Hashable) -> bool:
        """Return whether the places of all these values are known."""
        return all(value in self.places for value in values)

    def finish(self, output: Hashable) -> tuple[tuple[Node, ...], int]:
        """Return the nodes on the way to the output, and the width of the input.

        Raises
        ------
        InvalidArgument
            With the list of what was not understood.

        """
        if self.problems:
            listed = "; ".join(self.problems[:_SHOWN])
            more = f"; and {len(self.problems) - _SHOWN} more" if len(self.problems) > _SHOWN else ""
            raise InvalidArgument(self.what, self.called, f"holds what is not understood: {listed}{more}; {ADVICE}")
        last = self.places.get(output, INPUT)
        needed, waiting = set(), [last]
        while waiting:
            place = waiting.pop()
            if place != INPUT and place not in needed:
                needed.add(place)
                waiting.extend(self.nodes[place].sources)
        kept = sorted(needed)
        renumbered = {INPUT: INPUT, **{old: new for new, old in enumerate(kept)}}
        nodes = tuple(
            replace(self.nodes[old], sources=tuple(renumbered[source] for source in self.nodes[old].sources))
            for old in kept
        )
        width = _input_width(nodes)
        if width is None:
            rule = f"has no dense layer, from which the width of the input would be read; {ADVICE}"
            raise InvalidArgument(self.what, self.called, rule)
        return nodes, width


def exact(array: Any) -> Array:
    """Return weights as float64: float32, float16 and bfloat16 are exact in it."""
    return np.array(array, dtype=np.float64)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}#{number}"


def _input_width(nodes: tuple[Node, ...]) -> int | None:
    """Return the width of the input, as the first nodes that state one say; None where none does."""
    reached, widths = {INPUT}, []
    for place, node in enumerate(nodes):
        if not reached.intersection(node.sources):
            continue
        match node.operation:
            case Dense(w=w):
                widths.append(w.shape[1])
            case LayerNorm(gain=gain) if gain is not None:
                widths.append(len(gain))
            case Scale(factor=factor) if factor.ndim:
                widths.append(len(factor))
            case _:
                reached.add(place)
    return int(widths[0]) if widths else None
