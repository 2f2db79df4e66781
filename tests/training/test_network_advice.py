"""Advice on networks: judged by runs that are made again here, and named for networks that explode, vanish or do well."""

import itertools

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import optimisers, remedies
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Elementwise, LayerNorm, Network, Node, Sum
from gradtheory.networks.variants import normalised, scaled, unit_variance, with_shortcuts
from gradtheory.training.advice import NetworkAdvice


def blobs(seed=0, samples=60, n_in=8, classes=3):
    rng = np.random.default_rng(seed)
    centres, y = rng.normal(size=(classes, n_in)), rng.integers(0, classes, samples)
    return centres[y] + 0.5 * rng.normal(size=(samples, n_in)), y


def deep(depth, activation, gain, width=12, n_in=8, seed=1):
    rng = np.random.default_rng(seed)
    widths = [n_in, *[width] * (depth - 1), 3]
    w = [rng.normal(0, gain / np.sqrt(m), (n, m)) for m, n in itertools.pairwise(widths)]
    activations = [*[activation] * (depth - 1), "identity"]
    return Network(widths, activations, "softmax_cross_entropy", w=w, b=[np.zeros(n) for n in widths[1:]])


def check_judgement(network, x, y, advice, optimiser, steps):
    """Train again, without each remedy and with it."""
    assert isinstance(advice, NetworkAdvice)
    for remedy in advice.remedies:
        with_it = optimiser
        if remedy.kind == "learning_rate":
            with_it = getattr(optimisers, optimiser.name)(remedy.value)
        clip = remedies.clipping("norm", remedy.value) if remedy.kind == "clip_gradients" else None
        start = scaled(network, remedy.value) if remedy.kind == "initialisation" else remedy.network
        runs = [
            gt.train(network, x, y, optimiser=optimiser, steps=steps),
            gt.train(start, x, y, optimiser=with_it, clip=clip, steps=steps),
        ]
        ends = [np.inf if run.has_diverged else run.loss[-1] for run in runs]
        assert ends == pytest.approx([remedy.loss_without, remedy.loss_with], rel=1e-9)
        np.testing.assert_array_equal(runs[1].loss, remedy.curve_with)
        if remedy.works:
            assert remedy.loss_with <= remedy.loss_without
            assert runs[1].gradient_norm.max() <= 1e3
            assert remedy.cost == ""
        else:
            assert remedy.cost
    kinds = [remedy.kind for remedy in advice.remedies]
    order = ["learning_rate", "clip_gradients", "initialisation", "normalisation", "residual_connections"]
    assert kinds == [kind for kind in order if kind in kinds]
    assert bool(advice.reason) is (advice.advised is None)


@pytest.mark.slow
def test_too_large_weights_are_made_smaller_and_no_learning_rate_mends_them():
    x, y = blobs()
    network, descent = deep(10, "relu", 4 * 2**0.5), optimisers.gradient_descent(0.1)
    advice = gt.advise(network, x, y, optimiser=descent, steps=10)
    check_judgement(network, x, y, advice, descent, 10)
    assert advice.advised.kind == "initialisation"
    assert 0.8 < advice.advised.growth_with < 1.2
    assert advice.advised.growth_without > 3
    rate = advice.remedies[0]
    assert (rate.kind, rate.works) == ("learning_rate", False)
    assert "the gradient's norm reaches" in rate.cost or "diverges" in rate.cost
    assert "multiply the initial weights by" in str(advice)
    assert "works" in repr(advice)


@pytest.mark.slow
def test_too_large_a_step_is_made_smaller_first():
    x, y = blobs(2)
    network, descent = deep(3, "tanh", 1.0), optimisers.gradient_descent(30.0)
    advice = gt.advise(network, x, y, optimiser=descent, steps=10)
    check_judgement(network, x, y, advice, descent, 10)
    assert advice.advised.kind == "learning_rate"
    assert advice.advised.value < 30.0


@pytest.mark.slow
def test_sigmoids_that_do_not_learn_are_given_a_way_around():
    x, y = blobs(3)
    network, adam = deep(20, "sigmoid", 1.0), optimisers.adam(0.01)
    advice = gt.advise(network, x, y, optimiser=adam, steps=100)
    check_judgement(network, x, y, advice, adam, 100)
    shortcuts = next(each for each in advice.remedies if each.kind == "residual_connections")
    assert shortcuts.works
    assert shortcuts.loss_with < 0.5 * shortcuts.loss_without
    assert not advice.remedies[0].works


def test_where_nothing_is_wrong_the_reason_is_the_answer():
    x, y = blobs(4)
    start = deep(3, "tanh", 1.0)
    trained = gt.train(start, x, y, optimiser=optimisers.adam(0.05), steps=60).network
    advice = gt.advise(trained, x, y, optimiser=optimisers.gradient_descent(1e-9), steps=3)
    assert advice.advised is None
    assert "gradients stay in range" in advice.reason
    assert all(not remedy.works for remedy in advice.remedies)
    assert advice.reason in str(advice)


@pytest.mark.slow
def test_a_clipping_threshold_comes_from_the_run():
    x, y = blobs(5)
    network = deep(4, "relu", 2.2)
    advice = gt.advise(network, x, y, optimiser=optimisers.gradient_descent(1.0), steps=10)
    clip = next(each for each in advice.remedies if each.kind == "clip_gradients")
    norms = advice.run.gradient_norm
    assert norms.min() <= clip.value <= norms.max()


def test_variants_do_what_they_say():
    x, _ = blobs(6)
    network = deep(4, "tanh", 3.0)
    factors = unit_variance(network, x)
    even, a = scaled(network, factors), x
    for w, record in zip(even.w, even.layer_activations, strict=True):
        z = a @ w.T
        assert np.mean(z * z) == pytest.approx(1.0)
        a = record.value(z)
    with_norms = normalised(network)
    kinds = [type(node.operation) for node in with_norms.nodes]
    assert kinds.count(LayerNorm) == 3
    assert [kinds[k + 1] for k, kind in enumerate(kinds) if kind is LayerNorm] == [Elementwise] * 3
    around = with_shortcuts(network)
    assert sum(isinstance(node.operation, Sum) for node in around.nodes) == 2  # the first and the last change the width
    a = np.tanh(x @ network.w[0].T)
    for w in network.w[1:3]:
        a = a + np.tanh(a @ w.T)
    assert around.forward(x) == pytest.approx(a @ network.w[3].T, rel=1e-12)
    z = x
    for w in network.w[:3]:
        z = z @ w.T
        z = z - z.mean(axis=1, keepdims=True)
        z = np.tanh(z / np.sqrt(np.mean(z * z, axis=1, keepdims=True) + 1e-5))
    assert with_norms.forward(x) == pytest.approx(z @ network.w[3].T, rel=1e-10)


def test_a_layer_with_two_activations_is_normalised_once():
    """As gates are: w2·(tanh(h) + relu(h)), and h goes around."""
    x, w, (tanh, relu) = (
        np.random.default_rng(0).normal(size=(3, 6, 4)),
        np.eye(4),
        map(gt.activation, ("tanh", "relu")),
    )
    nodes = [
        Node("a", Dense(w, None), (-1,)),
        Node("a.norm", Elementwise(tanh), (0,)),  # a name that is taken
        Node("b", Elementwise(relu), (0,)),
        Node("c", Sum(), (1, 2)),
        Node("d", Sum(), (3, 0)),
        Node("e", Dense(w, None), (4,)),
    ]
    network = Network.from_nodes(nodes, 4)
    changed = normalised(network)
    assert [node.name for node in changed.nodes] == ["a", "a.norm_", "a.norm", "b", "c", "d", "e"]
    h = x[0] - x[0].mean(axis=1, keepdims=True)
    h = h / np.sqrt(np.mean(h * h, axis=1, keepdims=True) + 1e-5)
    assert changed.forward(x[0]) == pytest.approx(np.tanh(h) + np.maximum(h, 0) + x[0], rel=1e-10)
    advice = gt.advise(network, x[0], x[1], optimiser=optimisers.gradient_descent(0.01), steps=3)
    assert "normalisation" in [remedy.kind for remedy in advice.remedies]


@pytest.mark.parametrize("argument", ["optimiser", "steps", "batch_size"])
def test_what_is_for_networks_is_refused_for_chains(argument):
    value = {"optimiser": optimisers.adam(), "steps": 3, "batch_size": 1}[argument]
    with pytest.raises(InvalidArgument, match=f"{argument} = .*must be left out for a chain"):
        gt.advise(gt.Chain(2), [1.0], [0.0], [1.0, 1.0], [0.0, 0.0], **{argument: value})
    with pytest.raises(InvalidArgument, match="network = None"):
        gt.advise(None, [1.0], [0.0])
