"""The shape of a network: whether its nodes fit together, and whether it is dense layers in a row."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from gradtheory.activations import Activation, activation
from gradtheory.arithmetic.inputs import Array, read_array, read_nonnegative_float
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.errors import InvalidArgument
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Operation, Scale, Sum
from gradtheory.typing import ArrayLike

_IDENTITY = activation("identity")


def plain_nodes(w: Sequence[Array], b: Sequence[Array], activations: Sequence[Activation]) -> tuple[Node, ...]:
    """Return dense layers in a row: layer1, layer1.activation, layer2, …."""
    nodes: list[Node] = []
    for number, (weight, bias, record) in enumerate(zip(w, b, activations, strict=True), start=1):
        nodes.append(Node(f"layer{number}", Dense(weight, bias), (len(nodes) - 1,)))
        nodes.append(Node(f"layer{number}.activation", Elementwise(record), (len(nodes) - 1,)))
    return tuple(nodes)


def is_plain(nodes: Sequence[Node]) -> bool:
    """Return whether the nodes are dense layers in a row, each with an activation or none."""
    follows = all(node.sources == (place - 1,) for place, node in enumerate(nodes))
    dense = [isinstance(node.operation, Dense) for node in nodes]
    others = [isinstance(node.operation, Elementwise) for node in nodes]
    alternate = dense[:1] == [True] and not any(a and b for a, b in itertools.pairwise(others))
    return follows and alternate and all(a or b for a, b in zip(dense, others, strict=True))


def plain_layers(nodes: Sequence[Node]) -> list[tuple[Dense, Activation]]:
    """Return each dense layer with the activation that alone takes its output, the identity where none does.

    A network without a dense layer is refused.
    """
    behind = followers(nodes)
    layers = [
        (node.operation, activation_at(nodes, behind.get(place)))
        for place, node in enumerate(nodes)
        if isinstance(node.operation, Dense)
    ]
    if not layers:
        raise InvalidArgument("nodes", nodes, "must have a dense layer")
    return layers


def output_width(nodes: Sequence[Node], n_inputs: int) -> int:
    """Return the width of the last node's output."""
    return _widths(nodes, n_inputs)[-1]


def checked(nodes: Sequence[Node], n_inputs: int) -> tuple[Node, ...]:
    """Return nodes whose names, sources and widths fit together.

    Raises
    ------
    InvalidArgument
        If they do not, naming the node.

    """
    listed = tuple(_read(read_kind(node, "nodes", Node, "must be a sequence of Node")) for node in _items(nodes))
    if len({node.name for node in listed}) < len(listed):
        names = [node.name for node in listed]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidArgument("nodes", twice, "is the name of two nodes: give each its own")
    _widths(listed, n_inputs)
    return listed


def _items(nodes: Sequence[Node]) -> Sequence[Node]:
    rule = "must be a sequence of Node, such as [Node('layer1', Dense(w, b), (-1,))]"
    items = read_items(nodes, "nodes", rule)
    if not items:
        raise InvalidArgument("nodes", nodes, rule)
    return items


def _read(node: Node) -> Node:
    """Return a node with its numbers as arrays of float64, and its activation as a record."""

    def read(name: str, value: ArrayLike) -> Array:
        return read_array(value, f"{name} of {node.name!r}")

    match node.operation:
        case Dense(w=w, b=b):
            operation: Operation = Dense(read("w", w), None if b is None else read("b", b))
        case Elementwise(activation=given):
            operation = Elementwise(activation(given))
        case Scale(factor=factor):
            operation = Scale(read("factor", factor))
        case LayerNorm(gain=gain, bias=bias) as norm:
            gain, bias = (
                None if given is None else read(name, given) for name, given in (("gain", gain), ("bias", bias))
            )
            epsilon = read_nonnegative_float(norm.epsilon, f"epsilon of {node.name!r}")
            operation = LayerNorm(gain, bias, epsilon, norm.is_centred)
        case Sum():
            operation = node.operation
        case _:
            rule = "must be Dense, Elementwise, Sum, Scale or LayerNorm"
            raise InvalidArgument(f"operation of {node.name!r}", node.operation, rule)
    return replace(node, operation=operation)


def _widths(nodes: Sequence[Node], n_inputs: int) -> list[int]:
    """Return the width of every node's output."""
    widths: list[int] = []
    for place, node in enumerate(nodes):
        if not node.sources or any(not INPUT <= source < place for source in node.sources):
            rule = f"must be places before {place}, from {INPUT} for the input: a network has no loops"
            raise InvalidArgument(f"sources of {node.name!r}", node.sources, rule)
        taken = [n_inputs if source == INPUT else widths[source] for source in node.sources]
        if len(set(taken)) > 1 or (len(taken) > 1) is not isinstance(node.operation, Sum):
            raise InvalidArgument(f"sources of {node.name!r}", taken, "must be one, or for a sum several of one width")
        widths.append(_width(node, taken[0]))
    return widths


def _width(node: Node, width: int) -> int:
    """Return the width of a node's output from that of its input."""
    match node.operation:
        case Dense(w=w, b=b):
            _require(node, "w", w.shape, w.ndim == 2 and w.shape[1] == width and w.size > 0, f"(n, {width})")
            if b is not None:
                _require(node, "b", b.shape, b.shape == w.shape[:1], f"{w.shape[:1]}")
            return len(w)
        case Scale(factor=factor):
            _require(node, "factor", factor.shape, factor.shape in ((), (width,)), f"() or ({width},)")
        case LayerNorm(gain=gain, bias=bias):
            for name, array in (("gain", gain), ("bias", bias)):
                if array is not None:
                    _require(node, name, array.shape, array.shape == (width,), f"({width},)")
    return width


def _require(node: Node, name: str, shape: tuple[int, ...], fits: bool, wanted: str) -> None:
    if not fits:
        raise InvalidArgument(f"{name}.shape of {node.name!r}", shape, f"must be {wanted}")


def followers(nodes: Sequence[Node]) -> dict[int, int]:
    """Return the activation that alone takes a node's output, for each node that has one."""
    takers: dict[int, set[int]] = {}
    for number, node in enumerate(nodes):
        for source in node.sources:
            takers.setdefault(source, set()).add(number)
    alone = {place: next(iter(numbers)) for place, numbers in takers.items() if len(numbers) == 1}
    return {place: number for place, number in alone.items() if isinstance(nodes[number].operation, Elementwise)}


def activation_at(nodes: Sequence[Node], place: int | None) -> Activation:
    """Return the activation of a node; the identity for no node."""
    operation = None if place is None else nodes[place].operation
    return operation.activation if isinstance(operation, Elementwise) else _IDENTITY
