"""The minimal gated recurrent layer: against simulation, gradients by differences, and its limits."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import blocks
from gradtheory.errors import InvalidArgument


@pytest.mark.parametrize("sigma_w", [1.0, pytest.param(3.0, marks=pytest.mark.slow)])
def test_simulated_networks_agree(sigma_w):
    made = gt.architecture([blocks.gated_recurrent(sigma_w, 0.2, input_size=0.7)])
    theory = made.propagate(4, correlation=0.3)
    sample = made.simulate(4, 256, networks=10, inputs=32, correlation=0.3, seed=1)
    for measured, limit in (
        (sample.variance, theory.variance[1:]),
        (sample.correlation, theory.correlation[1:]),
        (sample.gradient, theory.gradient[:-1]),
    ):
        apart = np.abs(measured.mean - limit)
        assert np.all(apart <= 4.5 * measured.standard_error + 0.04 * np.abs(limit)), apart


@pytest.mark.parametrize("input_size", [0.0, 0.7])
def test_gradients_of_a_drawn_layer_are_difference_quotients(input_size):
    z, direction, delta = np.random.default_rng(0).standard_normal((3, 12, 8))
    h = 1e-6

    def layer(state):
        drawn = blocks.gated_recurrent(1.5, 0.1, input_size=input_size).draw(np.random.default_rng(1), 12, 5)
        return drawn(state)

    quotient = np.sum(delta * (layer(z + h * direction)[0] - layer(z - h * direction)[0])) / (2 * h)
    assert np.sum(layer(z)[1](delta) * direction) == pytest.approx(quotient, rel=1e-6)


def test_small_gates_halve_and_large_ones_choose():
    small = gt.architecture([blocks.gated_recurrent(1e-6, input_size=0)]).propagate(1)
    assert (small.variance[1], small.gradient[0]) == pytest.approx((0.25, 0.25))  # u = ½
    large = gt.architecture([blocks.gated_recurrent(1e-6, 1e3, input_size=0)]).propagate(1)
    assert large.variance[1] == pytest.approx(0.5, abs=1e-3)  # u is 0 or 1


def test_the_settled_state_is_critical_at_one_scale():
    block = blocks.gated_recurrent(2.0, 0.1)
    assert repr(block) == "gated_recurrent(sigma_w=2, sigma_b=0.1, sigma_v=1, input_size=1)"
    below, above = (gt.architecture([blocks.gated_recurrent(each)]).propagate(20).gradient[0] for each in (0.5, 20.0))
    assert below < 1 < above
    with pytest.raises(InvalidArgument, match="sigma_v = -1"):
        blocks.gated_recurrent(sigma_v=-1)
