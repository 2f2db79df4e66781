"""What is told of networks of one neuron per layer is what is told of the chain, function by function.

Backpropagation, training, Hessians, bounds, regions and guarantees have this test beside their others; here are the
rest.
"""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import stable_schedule

_NAMES = ("tanh", "arctan", "sigmoid")


def both(seed):
    """A chain, the network of width 1, and for each x, y, w and b."""
    rng = np.random.default_rng(seed)
    (w, b), (x, y) = rng.normal(0, 2, (2, 3)), rng.normal(size=(2, 5))
    chain, network = gt.Chain(3, _NAMES), gt.Network((1,) * 4, _NAMES)
    return (chain, x, y, w, b), (network, x[:, None], y[:, None], w.reshape(3, 1, 1), b.reshape(3, 1))


def test_eigenvalues_and_directions():
    for seed in range(3):
        one, wide = both(seed)
        ours, theirs = (gt.curvature.largest_eigenvalues(*each, count=3) for each in (wide, one))
        assert [*map(float, ours)] == pytest.approx([*map(float, theirs)], rel=1e-8)


def test_jacobians_and_their_products():
    for seed in range(3):
        (_, x, _, w, b), (network, wide_x, _, wide_w, wide_b) = both(seed)
        a, factor = x, np.ones_like(x)
        for name, weight, bias in zip(_NAMES, w, b, strict=True):
            z = weight * a + bias
            a, slope = gt.activation(name).value_and_slope(z)
            factor = factor * weight * slope
        carrying = network.carrying(wide_w, wide_b)
        np.testing.assert_allclose(carrying.jacobian(wide_x)[:, 0, 0], factor, rtol=1e-12)
        direction = np.random.default_rng(seed).normal(size=wide_x.shape)
        for product in (carrying.jvp, carrying.vjp):
            np.testing.assert_allclose(product(wide_x, direction), factor[:, None] * direction, rtol=1e-12)
        np.testing.assert_allclose(carrying.forward(wide_x)[:, 0], a, rtol=1e-12)


def test_layer_bounds_are_the_widest_factors():
    (_, _, _, w, b), (network, _, _, wide_w, wide_b) = both(1)
    bounds = network.carrying(wide_w, wide_b).layer_bounds(([-0.5], [0.5]))
    a = np.linspace(-0.5, 0.5, 2001)
    for layer, name, weight, bias in zip(bounds.layers, _NAMES, w, b, strict=True):
        a, slope = gt.activation(name).value_and_slope(weight * a + bias)
        largest = np.max(np.abs(weight * slope))
        assert largest <= layer.factor <= largest * 1.01
        assert abs(weight) <= layer.norm <= abs(weight) * (1.0 + 1e-12)


def test_a_stable_schedule_takes_the_same_steps():
    (chain, x, y, w, b), (network, wide_x, wide_y, wide_w, wide_b) = both(2)
    network, optimiser = network.carrying(wide_w, wide_b), gradient_descent(50.0)  # far too long
    losses = [
        gt.train(
            each, *data, *start, optimiser=optimiser, steps=6, schedule=stable_schedule(each, *data, optimiser)
        ).loss
        for each, data, start in ((chain, (x, y), (w, b)), (network, (wide_x, wide_y), ()))
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-7)
    assert losses[0][-1] < losses[0][0]


@pytest.mark.slow
def test_advice_on_the_network_is_advice_on_the_chain():
    """Constants differ, as a chain's remedies are chosen together and a network's one by one; what they do does not."""
    depth, x = 4, np.linspace(0.3, 0.7, 8)
    y, w, b = (x > 0.5) * 1.0, np.full(depth, 8.0), np.full(depth, -4.0)
    chain, network = gt.Chain(depth), gt.Network((1,) * (depth + 1), w=w.reshape(-1, 1, 1), b=b.reshape(-1, 1))
    of_chain, of_network = gt.advise(chain, x, y, w, b), gt.advise(network, x[:, None], y[:, None], steps=30)
    assert of_chain.exploding
    firsts = [next(remedy for remedy in advice.remedies if remedy.works) for advice in (of_chain, of_network)]
    assert [first.kind for first in firsts] == ["learning_rate"] * 2
    for first in firsts:
        assert first.loss_with < 0.95 * first.loss_without
    for eta, losses in ((0.1, firsts[1].curve_without), (firsts[1].value, firsts[1].curve_with)):
        run = gt.train(chain, x, y, w, b, optimiser=gradient_descent(eta), steps=30)
        np.testing.assert_allclose(run.loss, losses, rtol=1e-6)
    run = gt.train(network, x[:, None], y[:, None], optimiser=gradient_descent(firsts[0].eta), steps=200)
    np.testing.assert_allclose(run.loss[-1], firsts[0].loss_with, rtol=0.05)
