"""Guarantees of networks by spectral norms: attacked by biases, targets and weights at their bounds, and by sampling."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Node, Sum
from gradtheory.training.optimisers import adamw, gradient_descent, heavy_ball, nesterov
from gradtheory.training.remedies import initial_factor_guarantee, weight_decay_guarantee

LOSSES = ("squared", "cross_entropy", "mse", "mse_sum", "softmax_cross_entropy", "binary_cross_entropy_with_logits")


def problem(rng, loss, widths=(3, 5, 4, 2), samples=4):
    """A network without weights, data, and weights whose spectral norms are critical."""
    last = "identity" if "logits" in loss or "softmax" in loss else "sigmoid"
    network = gt.Network(widths, ["tanh"] * (len(widths) - 2) + [last], loss)
    y = rng.integers(0, 2, (samples, widths[-1])).astype(float)
    if loss == "softmax_cross_entropy":
        y = np.eye(widths[-1])[rng.integers(0, widths[-1], samples)]
    w = [rng.normal(size=shape) for shape in zip(widths[1:], widths[:-1], strict=True)]
    return network, rng.normal(size=(samples, widths[0])), y, w


def scaled_to(w, norms):
    return [each * (norm / np.linalg.norm(each, 2)) for each, norm in zip(w, norms, strict=True)]


@pytest.mark.parametrize("loss", LOSSES)
def test_no_gradient_exceeds_its_bound(loss):
    rng = np.random.default_rng(0)
    network, x, y, w = problem(rng, loss)
    guarantee = weight_decay_guarantee(network, x, y)
    largest = np.zeros(3)
    for trial in range(60):
        size = 10.0 ** rng.uniform(-2, 1)
        b = [size * rng.normal(size=width) for width in network.widths[1:]]
        w = scaled_to([rng.normal(size=each.shape) for each in w], guarantee.critical_weights)
        some = rng.permutation(len(x))[: 1 + trial % len(x)]
        gradients = network.backprop(x[some], y[some], w, b)
        largest = np.maximum(largest, [np.linalg.norm(each, 2) for each in gradients.w])
    assert np.all(largest <= guarantee.gradient_bounds)
    assert largest[-1] > guarantee.gradient_bounds[-1] / 20.0


def test_the_bound_of_the_last_layer_is_attained():
    network = gt.Network((1, 3), "sigmoid", "squared")
    guarantee = weight_decay_guarantee(network, [[2.0]], [[0.0, 1.0, 0.0]])
    best = math.log(2.0)  # σ = 2/3, where σ·σ' is greatest
    b = [[best - 2.0 * 0.5, -best - 2.0 * 0.5, best - 2.0 * 0.5]]
    gradient = network.backprop([[2.0]], [[0.0, 1.0, 0.0]], [np.full((3, 1), 0.5)], b).w[0]
    assert 0.999 < np.linalg.norm(gradient, 2) / guarantee.gradient_bounds[0] <= 1.0
    classes = weight_decay_guarantee(gt.Network((1, 3), "identity", "softmax_cross_entropy"), [[2.0]], [1])
    assert classes.gradient_bounds[0] == pytest.approx(2.0 * math.sqrt(2.0), rel=1e-9)


@pytest.mark.parametrize("optimiser", [gradient_descent(1.0), heavy_ball(1.0, 0.5), nesterov(1.0, 0.5)], ids=repr)
@pytest.mark.parametrize("loss", ["squared", "softmax_cross_entropy"])
def test_training_keeps_the_norms_below_the_critical_ones(loss, optimiser):
    rng = np.random.default_rng(1)
    network, x, y, w = problem(rng, loss)
    guarantee = weight_decay_guarantee(network, x, y, optimiser=optimiser)
    decay = 1.0001 * guarantee.weight_decay
    eta, beta = guarantee.largest_step(decay), optimiser.beta
    for decays in (True, False):
        now, velocity = scaled_to(w, guarantee.critical_weights), [np.zeros_like(each) for each in w]
        worst = 0.0
        for _ in range(80):
            b = [3.0 * rng.normal(size=width) for width in network.widths[1:]]  # biases may move in any way
            ahead = [
                each - beta * v if optimiser.name == "nesterov" else each for each, v in zip(now, velocity, strict=True)
            ]
            signs = 1.0 if decays else -1.0  # without decay, climb
            gradients = network.backprop(x, y, ahead, b).w
            for layer, gradient in enumerate(gradients):
                step = signs * gradient + (decay * ahead[layer] if decays else 0.0)
                velocity[layer] = beta * velocity[layer] + eta * step
                now[layer] = now[layer] - velocity[layer]
            norms = np.array([np.linalg.norm(each, 2) for each in now])
            worst = max(worst, float(np.max(norms / guarantee.critical_weights)))
        assert (worst <= 1.0 + 1e-12) is decays, worst


def test_decoupled_decay_bounds_the_norm_of_a_step():
    optimiser = adamw(1e-3)
    network = gt.Network((3, 4, 2), "sigmoid")
    guarantee = weight_decay_guarantee(network, [], [], kind="decoupled", optimiser=optimiser)
    entry = weight_decay_guarantee(gt.Chain(1), [], [], kind="decoupled", optimiser=optimiser).gradient_bounds[0]
    assert guarantee.gradient_bounds == pytest.approx([entry * math.sqrt(12), entry * math.sqrt(8)])
    sign = np.sign(np.random.default_rng(2).normal(size=(4, 3)))
    assert np.linalg.norm(entry * sign, 2) <= guarantee.gradient_bounds[0]
    assert np.linalg.norm(entry * np.ones((4, 3)), 2) == pytest.approx(guarantee.gradient_bounds[0])


@pytest.mark.parametrize(("kind", "optimiser"), [("l2", None), ("l2", heavy_ball(1.0, 0.5)), ("l1", None)])
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_on_width_1_the_guarantees_are_the_chains(kind, optimiser, loss):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=6), rng.integers(0, 2, 6).astype(float)
    chain, network = (
        gt.Chain(3, ["tanh", "arctan", "sigmoid"], loss),
        gt.Network((1,) * 4, ["tanh", "arctan", "sigmoid"], loss),
    )
    one = weight_decay_guarantee(chain, x, y, kind=kind, optimiser=optimiser)
    wide = weight_decay_guarantee(network, x[:, None], y[:, None], kind=kind, optimiser=optimiser)
    assert wide.weight_decay == pytest.approx(one.weight_decay, rel=4e-12)
    assert wide.gradient_bounds == pytest.approx(one.gradient_bounds, rel=4e-12)
    assert wide.critical_weights.tolist() == one.critical_weights.tolist()
    for scheme in (gt.initialisation.he(1), gt.initialisation.glorot(1, shape="uniform")):
        assert initial_factor_guarantee(network, [scheme] * 3, threshold="1.2") == initial_factor_guarantee(
            chain, scheme, threshold="1.2"
        )


@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize(("n_in", "n_out", "share"), [(2, 1, 1.3), (6, 4, 1.2), (24, 8, 1.1)])
def test_the_probability_is_no_higher_than_what_is_sampled(law, n_in, n_out, share):
    scheme = gt.initialisation.he(n_in, n_out, shape=law)
    norms = np.array([np.linalg.norm(scheme.sample(seed), 2) for seed in range(300)])
    network = gt.Network((n_in, n_out), "tanh")
    for threshold in (0.8, 1.0, share, 1.6, 2.5):
        c = threshold * float(scheme.scale) * (math.sqrt(n_in) + math.sqrt(n_out))
        stated = float(initial_factor_guarantee(network, [scheme], threshold=c).probability)
        sampled = np.mean(norms < c)
        assert stated <= sampled + 4.0 * math.sqrt(max(sampled * (1.0 - sampled), 1e-3) / 300.0)
    assert stated > 0.9
    bound = initial_factor_guarantee(network, [scheme], threshold=c)
    assert bound.largest_factor.is_infinite is (law == "normal")
    if law == "uniform":
        assert float(bound.largest_factor) >= norms.max()


def test_orthogonal_and_several_layers():
    scheme = gt.initialisation.orthogonal(3, 5)
    network = gt.Network((3, 5), "tanh")
    largest = float(initial_factor_guarantee(network, [scheme]).largest_factor)
    assert largest == pytest.approx(np.linalg.norm(scheme.sample(0), 2))
    assert initial_factor_guarantee(network, [scheme], threshold=2 * largest).probability == 1
    assert initial_factor_guarantee(network, [scheme], threshold=largest / 2).probability == 0
    he = gt.initialisation.he
    one = initial_factor_guarantee(gt.Network((4, 4), "tanh"), [he(4, 4)], threshold=5).probability
    two = initial_factor_guarantee(gt.Network((4, 4, 4), "tanh"), [he(4, 4)] * 2, threshold=5).probability
    assert float(two) == pytest.approx(float(one) ** 2)
    assert initial_factor_guarantee(gt.Network((2, 2), "exponential"), [he(2, 2)]).probability == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weight_decay_guarantee(gt.Network((2, 2), "sigmoid"), [[1.0, 2.0]], [[0.0, 1.0]], kind="l1"), "kind = 'l1'"),
        (lambda: weight_decay_guarantee(gt.Network((2, 2, 1), "relu"), [[1.0, 2.0]], [[0.0]]), "'relu': is unbounded"),
        (lambda: weight_decay_guarantee(gt.Network((2, 1), "identity", "mse"), [[1.0, 2.0]], [[0.0]]), "is unbounded"),
        (lambda: weight_decay_guarantee(graph(), [[1.0, 2.0]], [[0.0, 1.0]]), "must be dense layers in a row"),
        (lambda: weight_decay_guarantee(gt.Network((2, 1)), [[1.0]], [[0.0]]), "x.shape"),
        (lambda: weight_decay_guarantee(gt.Network((2, 1)), np.zeros((0, 2)), np.zeros((0, 1))), "at least one sample"),
        (lambda: initial_factor_guarantee(gt.Network((2, 1)), [gt.initialisation.he(3, 1)]), "one for each layer"),
        (lambda: initial_factor_guarantee(gt.Network((2, 1)), gt.initialisation.he(2, 1)), "scheme = "),
        (lambda: initial_factor_guarantee(graph(), [gt.initialisation.he(2, 2)]), "dense layers in a row"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


def graph():
    dense = Node("layer", Dense(np.eye(2)), (-1,))
    return gt.Network.from_nodes([dense, Node("sum", Sum(), (0, -1))], 2)
