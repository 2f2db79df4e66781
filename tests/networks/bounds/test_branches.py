"""Certified bounds of networks with branches from one node: what one rounds off is not what another does."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.networks import Dense, Elementwise, LayerNorm, Node, Scale, Sum
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.passes import forward

_ACTIVATIONS = ["tanh", "relu", "hard_tanh", "leaky_relu", "elu", "gelu", "sigmoid", "softplus"]


def branched(rng):
    """Return a network of two to three branches of one to three nodes behind one layer, twice, and a box."""
    width = int(rng.integers(1, 4))
    nodes = []

    def add(operation, *sources):
        nodes.append(Node(f"n{len(nodes)}", operation, sources))
        return len(nodes) - 1

    def dense(out):
        scale = 10.0 ** rng.uniform(-0.5, 0.7)
        return Dense(scale * rng.normal(size=(out, width)) / np.sqrt(width), scale * rng.normal(size=out))

    def activation():
        return Elementwise(gt.activation(_ACTIVATIONS[rng.integers(0, len(_ACTIVATIONS))]))

    last = -1
    for _ in range(2):
        start, ends = add(dense(width), last), []
        for _ in range(int(rng.integers(2, 4))):
            end = add(activation(), start)
            if rng.random() < 0.5:
                end = add(activation(), add(dense(width), end))
            if rng.random() < 0.2:
                end = add(LayerNorm(None, None, 1e-2, bool(rng.random() < 0.5)), end)
            ends.append(add(Scale(np.asarray(rng.choice([-1.0, 0.5]))), end) if rng.random() < 0.5 else end)
        last = add(Sum(), *ends)
    add(Elementwise(gt.activation("tanh")), add(dense(2), last))
    centre, reach = rng.normal(size=width), 10.0 ** rng.uniform(-2, 0.7) * rng.random(width)
    return gt.Network.from_nodes(nodes, width), centre - reach, centre + reach


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 22))])
def test_what_branches_compute_is_within_their_bounds(seed):
    rng = np.random.default_rng(seed)
    for _ in range(5):
        network, lower, upper = branched(rng)
        x = np.concatenate([rng.uniform(lower, upper, size=(200, len(lower))), [lower, upper]])
        outputs = enclose_network(network.nodes, lower[None], upper[None]).outputs
        for place, values in enumerate(forward(network.nodes, x).values):
            hull, room = outputs[place].hull, 1e-12 * (1.0 + np.abs(values))
            assert np.all((values >= hull.lower - room) & (values <= hull.upper + room)), (place, network.nodes)
        norms = np.linalg.norm(network.jacobian(x).reshape(len(x), -1, network.n_inputs), 2, axis=(1, 2))
        assert float(network.jacobian_bound((lower, upper))) >= norms.max() * (1.0 - 1e-10)


def test_two_switches_behind_one_layer_are_two():
    """relu(x) - relu(-x) is x; both leave their lines by the most, and to the same side, at 0."""
    relu, minus = Elementwise(gt.activation("relu")), Scale(np.asarray(-1.0))
    nodes = [
        Node("x", Dense(np.eye(1), None), (-1,)),
        Node("on", relu, (0,)),
        Node("-x", minus, (0,)),
        Node("-on", relu, (2,)),
        Node("|x|", Sum(), (1, 3)),
        Node("-|x|", minus, (3,)),
        Node("back", Sum(), (1, 5)),
    ]
    outputs = enclose_network(tuple(nodes), np.array([[-1.0]]), np.array([[3.0]])).outputs
    for place, ends in ((4, (0, 3)), (6, (-1, 3))):
        hull = outputs[place].hull
        assert hull.lower[0, 0] <= ends[0] < ends[1] <= hull.upper[0, 0]
