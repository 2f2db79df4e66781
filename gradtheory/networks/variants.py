"""Networks that are made from others: weights scaled, layers normalised, or given a way around them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.network import Network
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Sum
from gradtheory.networks.passes import dense_places, forward

_EPSILON = 1e-5  # PyTorch's


def scaled(network: Network, factors: Sequence[float]) -> Network:
    """Return the network with the weights of each dense layer multiplied by a factor.

    Examples
    --------
    >>> scaled(Network((1, 1), "identity", w=[[[2.0]]], b=[[1.0]]), [3.0]).forward([[1.0]])
    array([[7.]])

    """
    rest = iter(factors)
    nodes = [
        replace(node, operation=replace(node.operation, w=node.operation.w * next(rest)))
        if isinstance(node.operation, Dense)
        else node
        for node in network.nodes
    ]
    return Network.from_nodes(nodes, network.n_inputs, network.loss)


def unit_variance(network: Network, x: Array) -> list[float]:
    """Return by which factors the weights give pre-activations a mean square of 1 on the data, layer after layer.

    References
    ----------
    D. Mishkin & J. Matas, "All you need is a good init" (2016): LSUV, on the whole batch and in one pass.

    """
    factors, current = [1.0] * network.depth, network
    with np.errstate(all="ignore"):
        for row, place in enumerate(dense_places(network.nodes)):
            z = forward(current.nodes, x).values[place]
            size = float(np.sqrt(np.mean(z * z)))
            factors[row] = 1.0 / size if 0.0 < size < np.inf else 1.0
            current = scaled(network, factors)
    return factors


def normalised(network: Network) -> Network:
    """Return the network with a LayerNorm between every dense layer and its activations, except in the last layer."""
    last = dense_places(network.nodes)[-1]
    nodes: list[Node] = []
    moved, normed = {INPUT: INPUT}, dict[int, int]()  # from the old places to the new ones, and to those of norms
    for place, node in enumerate(network.nodes):
        source = node.sources[0]
        before = INPUT if source == INPUT else moved[source]
        is_hidden = isinstance(node.operation, Elementwise) and source not in (INPUT, last)
        if is_hidden and isinstance(network.nodes[source].operation, Dense):
            if source not in normed:
                width = len(network.nodes[source].operation.w)  # type: ignore[attr-defined]  # a Dense, as was just asked
                norm = LayerNorm(np.ones(width), np.zeros(width), _EPSILON)
                nodes.append(Node(_free(f"{network.nodes[source].name}.norm", network), norm, (before,)))
                normed[source] = len(nodes) - 1
            nodes.append(replace(node, sources=(normed[source],)))
        else:
            nodes.append(replace(node, sources=tuple(moved[each] for each in node.sources)))
        moved[place] = len(nodes) - 1
    return Network.from_nodes(nodes, network.n_inputs, network.loss)


def with_shortcuts(network: Network) -> Network:
    """Return the network with a residual connection around every dense layer and its activation that keep the width.

    The last layer has none. The network has to be dense layers in a row.
    """
    last = dense_places(network.nodes)[-1]
    nodes: list[Node] = []
    ends = INPUT  # of what has been written, the output
    entry, layer, width = INPUT, INPUT, network.n_inputs
    for place, node in enumerate(network.nodes):
        if isinstance(node.operation, Dense):
            entry, layer = ends, place
        nodes.append(replace(node, sources=(ends,)))
        ends = len(nodes) - 1
        follows = place + 1 < len(network.nodes) and isinstance(network.nodes[place + 1].operation, Elementwise)
        if follows or layer == last:
            continue
        dense = network.nodes[layer]
        assert isinstance(dense.operation, Dense)  # noqa: S101  # dense layers in a row
        if dense.operation.w.shape == (width, width):
            nodes.append(Node(_free(f"{dense.name}.sum", network), Sum(), (ends, entry)))
            ends = len(nodes) - 1
        width = len(dense.operation.w)
    return Network.from_nodes(nodes, network.n_inputs, network.loss)


def _free(name: str, network: Network) -> str:
    """Return a name that no node has, this one if it is free."""
    taken = {node.name for node in network.nodes}
    while name in taken:
        name += "_"
    return name
