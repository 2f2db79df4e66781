"""Bounds that are carried back hold what ball arithmetic computes, and lie closer than affine forms."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.networks.bounds import backward, enclosure
from gradtheory.networks.bounds.activation_range import range_of
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.nodes import Dense
from tests.networks.bounds.balls import mlp, residual, values
from tests.networks.bounds.test_enclosures import sampled
from tests.networks.bounds.test_jacobian_bound import norms

_KINDS = ("tanh", "relu", "gelu", "elu", "hard_swish", "snake", "selu", "hardshrink", "softsign")


def widths(network, centre, half):
    """Return how wide the bounds of all dense nodes are."""
    outputs = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None]).outputs
    hulls = [outputs[place].hull for place, node in enumerate(network.nodes) if isinstance(node.operation, Dense)]
    return np.concatenate([(hull.upper - hull.lower)[0] for hull in hulls])


@pytest.mark.parametrize("kind", _KINDS)
def test_an_activation_lies_between_its_lines(kind):
    rng = np.random.default_rng(0)
    lower = rng.normal(0, 3, (1, 40))
    upper = lower + 10.0 ** rng.uniform(-6, 1, (1, 40))
    ranges = range_of(gt.activation(kind))
    lines = backward.lines_of(ranges, (lower, upper), ranges.values(lower, upper))
    for share in np.linspace(0, 1, 201):
        z = np.clip(lower + share * (upper - lower), lower, upper)
        value, room = ranges.activation.value(z), 1e-13 * (1 + np.abs(z))
        assert (lines.below[0] * z + lines.below[1] <= value + room).all()
        assert (value <= lines.above[0] * z + lines.above[1] + room).all()


@pytest.mark.parametrize(
    "network",
    [*(mlp((3, 6, 6, 4), kind, 1, gain=2) for kind in _KINDS), residual(5), residual(6, "tanh", is_centred=False)],
)
def test_what_is_carried_back_holds_the_values_at_inputs_of_the_box(network):
    centre = np.full(network.n_inputs, 0.3)
    for half in (1.0, 0.1, 0.0):
        outputs = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None]).outputs
        for x in sampled(network, centre, half, number=8):
            for place, balls in values(network, x).items():
                hull = outputs[place].hull
                assert all(
                    low <= ball <= high for ball, low, high in zip(balls, *(side[0] for side in hull), strict=True)
                )


def test_bounds_without_their_roundings_err(monkeypatch):
    network, x = mlp((30, 30, 8), "identity", 0), np.random.default_rng(7).normal(size=30)
    outputs = dict(enclose_network(network.nodes, x[None], x[None]).outputs)
    exact = np.array([float(ball) for ball in values(network, x)[2]])
    rows, identity = (
        np.eye(8),
        np.ones((1, 30)),
    )
    lines = {1: backward.Lines((identity[0], np.zeros((1, 30))), (identity[0], np.zeros((1, 30))))}
    assert (backward._upper_bounds(network.nodes, outputs, lines, 2, rows) >= exact).all()
    monkeypatch.setattr(backward, "UNIT", 0.0)
    monkeypatch.setattr(backward, "gamma", lambda roundings: 0.0)
    monkeypatch.setattr(backward, "up", lambda bound, roundings=1.0: bound)
    balls = values(network, x)[2]
    bounds = backward._upper_bounds(network.nodes, outputs, lines, 2, rows)
    assert not all(ball <= bound for ball, bound in zip(balls, bounds, strict=True))


def test_they_are_closer_than_forms_alone(monkeypatch):
    network, centre = mlp((4, 20, 20, 20, 3), "relu", 1, gain=1.4), np.full(4, 0.2)
    with_lines = widths(network, centre, 0.3)
    monkeypatch.setattr(enclosure, "_MOST_CARRIED", -1.0)
    alone = widths(network, centre, 0.3)
    assert (with_lines <= alone * (1 + 1e-9)).mean() > 0.95
    assert with_lines.sum() < 0.8 * alone.sum()


@pytest.mark.slow
def test_bounds_of_the_jacobian_still_hold():
    for seed, kind in enumerate(("relu", "leaky_relu", "tanh", "gelu")):
        network, centre = mlp((5, 12, 12, 3), kind, seed, gain=2), np.full(5, 0.1)
        for half in (0.5, 0.1, 0.01):
            bound = network.jacobian_bound((centre - half, centre + half))
            assert float(bound) >= norms(network, sampled(network, centre, half, number=2000)).max()
