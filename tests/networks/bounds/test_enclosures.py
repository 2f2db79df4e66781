"""Enclosures of networks hold what ball arithmetic computes, at inputs and on boxes: by the terms for rounding."""

import itertools

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.networks.bounds import forms, rounding
from gradtheory.networks.bounds.enclosure import enclose_network
from tests.networks.bounds.balls import branches, mlp, residual, values

_NETWORKS = {
    "tanh": lambda: mlp((2, 6, 6, 3), "tanh", 0, gain=2),
    "relu": lambda: mlp((3, 8, 8, 1), "relu", 1, gain=1.5),
    "gelu": lambda: mlp((1, 5, 5, 2), "gelu", 2, gain=2),
    "hardshrink": lambda: mlp((2, 6, 6, 2), "hardshrink", 3, gain=2),
    "snake": lambda: mlp((2, 5, 5, 2), "snake", 4, gain=1),
    "residual": lambda: residual(5),
    "RMSNorm": lambda: residual(6, "tanh", is_centred=False),
}
_PAIRS = [*itertools.permutations(["hard_tanh", "leaky_relu", "gelu", "softshrink"], 2)]


def sampled(network, centre, half, number=200, seed=0):
    """Return inputs in a box, its corners among them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(number, network.n_inputs))
    x[: number // 4] = np.sign(x[: number // 4])
    return np.clip(centre + half * x, centre - half, centre + half)


def of_nodes(network, x):
    """Return the outputs of all nodes at inputs: those of the networks that end there."""
    return {
        place: gt.Network.from_nodes(network.nodes[: place + 1], network.n_inputs).forward(x)
        for place in range(len(network.nodes))
    }


@pytest.mark.parametrize("kind", _NETWORKS)
def test_a_single_input_is_enclosed_with_its_rounding_errors(kind):
    network = _NETWORKS[kind]()
    rng = np.random.default_rng(7)
    for x in rng.normal(size=(3, network.n_inputs)):
        exact = values(network, x)
        outputs = enclose_network(network.nodes, x[None], x[None]).outputs
        for place, balls in exact.items():
            hull = outputs[place].hull
            for ball, low, high in zip(balls, hull.lower[0], hull.upper[0], strict=True):
                assert low <= ball, (place, low, ball)
                assert ball <= high, (place, ball, high)
                assert high - low < 1e-8


def test_without_the_terms_for_rounding_an_enclosure_errs(monkeypatch):
    monkeypatch.setattr(forms, "gamma", lambda roundings: 0.0)
    monkeypatch.setattr(forms, "UNIT", 0.0)
    monkeypatch.setattr(forms, "TINY", 0.0)
    monkeypatch.setattr(forms, "up", lambda bound, roundings=1.0: bound)
    monkeypatch.setattr(np, "nextafter", lambda value, towards: value)
    network = mlp((20, 8), "identity", 0)
    x = np.random.default_rng(7).normal(size=20)
    exact = values(network, x)[0]
    hull = enclose_network(network.nodes[:1], x[None], x[None]).outputs[0].hull
    outside = [not (low <= ball <= high) for ball, low, high in zip(exact, hull.lower[0], hull.upper[0], strict=True)]
    assert any(outside)


@pytest.mark.parametrize("half", [1.0, 0.1, 1e-2, 1e-4])
@pytest.mark.parametrize("kind", _NETWORKS)
def test_outputs_and_jacobians_on_boxes(kind, half):
    network = _NETWORKS[kind]()
    n, centre = network.n_inputs, np.full(network.n_inputs, 0.3)
    x = sampled(network, centre, half)
    outputs, jacobians = network.forward(x), network.jacobian(x)
    for symbols in (0, n):
        for batch in (1, 2):  # with symbols of the units' own, and without
            corners = (np.tile(centre + side * half, (batch, 1)) for side in (-1, 1))
            enclosure = enclose_network(network.nodes, *corners, symbols=symbols)
            hull, jacobian = enclosure.outputs[len(network.nodes) - 1].hull, enclosure.jacobian
            room = 1e-12 * (1 + np.abs(outputs))
            assert (hull.lower[0] <= outputs + room).all()
            assert (outputs <= hull.upper[0] + room).all()
            middle = jacobian.centre[0]
            if symbols:
                middle = middle + np.einsum("kij,bk->bij", jacobian.linear[:, 0], (x - centre) / half)
            assert (np.abs(jacobians - middle) <= jacobian.rest[0] * (1 + 1e-9) + 1e-11).all()


@pytest.mark.parametrize("pair", _PAIRS, ids=str)
def test_branches_of_one_layer_have_symbols_of_their_own(pair):
    rng = np.random.default_rng(0)
    for seed in range(40):
        network = branches(seed, (*pair, "tanh"))
        centre, half = rng.normal(0, 3, 2), rng.uniform(0.1, 2.0)
        x = sampled(network, centre, half, number=400, seed=seed)
        hull = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None]).outputs
        for place, values_there in of_nodes(network, x).items():
            room = 1e-12 * (1 + np.abs(values_there))
            assert (hull[place].hull.lower[0] <= values_there + room).all(), (seed, place)
            assert (values_there <= hull[place].hull.upper[0] + room).all(), (seed, place)


def test_the_enclosure_of_a_jacobian_converges_faster_than_its_box():
    network = mlp((2, 8, 8, 1), "tanh", 0, gain=1.5)
    rests = []
    for half in (1e-1, 1e-2):
        corners = (np.full((2, 2), 0.3 + side * half) for side in (-1, 1))
        rests.append(enclose_network(network.nodes, *corners, symbols=2).jacobian.rest.max())
    assert rests[1] < rests[0] / 30


def test_an_own_expression_is_enclosed_in_balls():
    z = gt.expression("z*tanh(log(1 + exp(z)))")
    network = mlp((2, 3, 1), z, 0)
    x = np.array([0.3, -0.2])
    hull = enclose_network(network.nodes, x[None], x[None]).outputs[len(network.nodes) - 1].hull
    assert hull.lower[0, 0] <= network.forward(x[None])[0, 0] <= hull.upper[0, 0]
    assert hull.upper[0, 0] - hull.lower[0, 0] < 1e-13


def test_upward_rounding_outweighs_the_sums():
    rng = np.random.default_rng(0)
    a, b = rng.random((50, 300)), rng.random((300, 50))
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    assert (rounding.product_up(a, b) > exact).all()
    assert (rounding.norm_up(a) > np.sqrt((a.astype(np.longdouble) ** 2).sum(axis=1))).all()
