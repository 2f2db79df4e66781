"""Certified bounds of networks drawn at random from all kinds of nodes, in all orders, beside sampled Jacobians."""

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.networks import Dense, Elementwise, LayerNorm, Node, Scale, Sum

_ACTIVATIONS = [
    "tanh", "sigmoid", "relu", "gelu", "silu", "softplus", "hard_sigmoid", "leaky_relu", "softshrink", "hardshrink",
    "threshold", "sine", "selu", "softsign", "gaussian", sympy.Abs(sympy.tanh(Z)), sympy.tanh(Z) + sympy.sign(Z) / 4,
    sympy.Piecewise((2, sympy.Eq(Z, 0)), (sympy.tanh(Z), True)),
]  # fmt: skip


def graph(rng):
    """Return a network of up to eight nodes in a row, some with a sum around them, and a box."""
    width = int(rng.integers(1, 5))
    nodes, last = [], -1
    for number in range(int(rng.integers(2, 9))):
        kind, name = rng.integers(0, 7), f"n{number}"
        if number == 0 or kind == 0:
            out = int(rng.integers(1, 5))
            size = rng.choice([0.3, 1.0, 3.0]) / np.sqrt(width)
            b = None if rng.random() < 0.3 else rng.normal(size=out)
            nodes.append(Node(name, Dense(size * rng.normal(size=(out, width)), b), (last,)))
            width = out
        elif kind in (1, 2):
            activation = gt.activation(_ACTIVATIONS[rng.integers(0, len(_ACTIVATIONS))])
            nodes.append(Node(name, Elementwise(activation), (last,)))
        elif kind == 3:
            factor = rng.normal(size=width) if rng.random() < 0.5 else np.asarray(rng.normal())
            nodes.append(Node(name, Scale(factor), (last,)))
        elif kind in (4, 5):
            gain, bias = (None if rng.random() < 0.3 else rng.normal(size=width) for _ in range(2))
            is_centred = bool(kind == 4)
            nodes.append(Node(name, LayerNorm(gain, bias if is_centred else None, 1e-3, is_centred), (last,)))
        else:
            places = [place for place in range(last) if _width(nodes, place) == width]
            other = int(rng.choice(places)) if places else last
            nodes.append(Node(name, Sum(), (last, other)))
        last = len(nodes) - 1
    inputs = nodes[0].operation.w.shape[1]
    centre, reach = rng.normal(size=inputs), rng.choice([0.0, 1e-3, 0.1, 1.0]) * rng.random(inputs)
    return gt.Network.from_nodes(nodes, inputs), (centre - reach, centre + reach)


def _width(nodes, place):
    operation = nodes[place].operation
    return len(operation.w) if isinstance(operation, Dense) else _width(nodes, nodes[place].sources[0])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_no_sampled_jacobian_is_above_the_bound(seed):
    rng = np.random.default_rng(seed)
    for _ in range(12):
        network, box = graph(rng)
        x = rng.uniform(*box, size=(100, network.n_inputs))
        bound = float(network.jacobian_bound(box))
        with np.errstate(all="ignore"):
            jacobians = network.jacobian(x).reshape(len(x), -1, network.n_inputs)
        norms = np.linalg.norm(jacobians[np.isfinite(jacobians).all(axis=(1, 2))], 2, axis=(1, 2))
        assert bound >= norms.max(initial=0.0) * (1.0 - 1e-12), network.nodes
        is_small = network.n_inputs <= 2 and np.all(box[0] < box[1])
        if is_small and not any(isinstance(node.operation, LayerNorm) for node in network.nodes):
            check_region(network, box, norms)


def check_region(network, box, norms):
    threshold = norms.max(initial=0.0) / 2.0 + 1e-9
    region = gt.explosion_region(network, box, threshold=threshold, tolerance=0.3, most_boxes=300)
    for (lower, upper), is_inside in ((region.inside, True), (region.outside, False)):
        middle = (lower + upper) / 2.0
        if len(middle):
            with np.errstate(all="ignore"):
                jacobians = network.jacobian(middle).reshape(len(middle), -1, network.n_inputs)
            sizes = np.linalg.norm(jacobians, 2, axis=(1, 2))
            known = np.isfinite(sizes) & (np.abs(sizes - threshold) > 1e-9 * threshold)
            assert np.all((sizes > threshold)[known] == is_inside), network.nodes
