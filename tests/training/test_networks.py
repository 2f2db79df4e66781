"""Training of networks: of one neuron per layer as the chain, of others step by step, with minibatches and clipping."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory import optimisers, remedies
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Elementwise, LayerNorm, Network, Node, Sum
from gradtheory.networks.parameters import flat, parameters, shaped, slots, with_parameters
from gradtheory.training import ChainTraining, EventKind, NetworkTraining
from gradtheory.training.batches import Batches

_OPTIMISERS = (
    optimisers.gradient_descent(0.05),
    optimisers.heavy_ball(0.05, 0.8, dampening=0.3, weight_decay=0.01),
    optimisers.nesterov(0.05),
    optimisers.rmsprop(0.01, centred=True),
    optimisers.adam(0.02, amsgrad=True),
    optimisers.adamw(0.02, fully_decoupled=True, weight_decay=0.001),
)


def wide(w, b, activations, loss="squared"):
    """Return the chain's network of width 1."""
    depth = len(w)
    return Network((1,) * (depth + 1), activations, loss, w=np.reshape(w, (depth, 1, 1)), b=np.reshape(b, (depth, 1)))


def graph(rng, width=4):
    """A residual block with a norm between two dense layers, one of which has no bias."""
    return Network.from_nodes(
        [
            Node("in", Dense(rng.normal(size=(width, 3)), rng.normal(size=width)), (-1,)),
            Node("norm", LayerNorm(rng.normal(1, 0.1, width), rng.normal(0, 0.1, width), 1e-5), (0,)),
            Node("act", Elementwise(gt.activation("tanh")), (1,)),
            Node("mid", Dense(rng.normal(size=(width, width)) / 2), (2,)),
            Node("sum", Sum(), (3, 0)),
            Node("out", Dense(rng.normal(size=(2, width)), rng.normal(size=2)), (4,)),
        ],
        3,
        "mse",
    )


@given(
    seed=st.integers(0, 2**32), optimiser=st.sampled_from(_OPTIMISERS), batch=st.sampled_from([None, 3]),
    how=st.sampled_from([None, "norm", "value", "adaptive"]),
)  # fmt: skip
def test_one_neuron_per_layer_trains_as_the_chain(seed, optimiser, batch, how):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(3, ["tanh", "gelu", "sigmoid"], "squared")
    w, b, x, y = rng.normal(size=3), rng.normal(size=3), rng.normal(size=8), rng.random(8)
    # of the adaptive kind the unit is a chain's whole vector, and a network's row
    clip = None if how in (None, "adaptive") else remedies.clipping(how, 0.1)
    options = {
        "optimiser": optimiser, "steps": 12, "batch_size": batch, "seed": seed, "clip": clip,
        "schedule": remedies.warm_up(optimiser.eta, 5), "proximal": lambda w: remedies.soft_threshold(w, 1e-4),
    }  # fmt: skip
    ours = gt.train(wide(w, b, chain.layer_activations), x[:, None], y[:, None], **options)
    theirs = gt.train(chain, x, y, w, b, **options)
    assert isinstance(ours, NetworkTraining)
    assert isinstance(theirs, ChainTraining)
    for name in ("loss", "gradient_norm", "layer_norms", "factors"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-12)
    assert np.ravel(ours.network.w) == pytest.approx(theirs.w[-1], rel=1e-8)
    assert np.ravel(ours.network.b) == pytest.approx(theirs.b[-1], rel=1e-8)
    told = [[(e.step, e.kind, e.layer, e.last_step, e.count) for e in run.events] for run in (ours, theirs)]
    assert told[0] == told[1]
    assert ours.jumps == theirs.jumps


def test_a_diverging_network_is_told_of_as_the_chain():
    w, b, x, y = [3.0] * 5, [0.0] * 5, [1.0], [0.0]
    descent = optimisers.gradient_descent(1.0)
    chain = gt.train(gt.Chain(5, "identity"), x, y, w, b, optimiser=descent)
    network = gt.train(wide(w, b, "identity"), [x], [y], optimiser=descent)
    assert network.has_diverged
    assert [(e.step, e.kind, e.layer) for e in network.events] == [(e.step, e.kind, e.layer) for e in chain.events]
    assert "above the stable limit" in network.events[-1].cause
    assert np.isfinite(network.network.w[0]).all()
    empty = gt.train(wide([1e200, 1.0], [0.0, 0.0], "identity"), [[1e200]], [[0.0]], optimiser=descent)
    assert (empty.steps, empty.has_diverged, empty.factors.shape) == (0, True, (0, 2))
    assert np.ravel(empty.network.w).tolist() == [1e200, 1.0]


@pytest.mark.parametrize("optimiser", _OPTIMISERS, ids=lambda optimiser: optimiser.name)
def test_a_graph_takes_the_optimisers_steps_of_its_gradients(optimiser):
    rng = np.random.default_rng(3)
    network, x, y = graph(rng), rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
    run = gt.train(network, x, y, optimiser=optimiser, steps=4, clip=remedies.clipping("adaptive", 0.05), batch_size=4)
    state, rows = optimiser.start(parameters(network.nodes)), iter(Batches(10, 4, 0))
    for step in range(4):
        chosen = next(rows)
        now = Network.from_nodes(with_parameters(network.nodes, state.parameters), 3, "mse")
        by = now.backprop(x[chosen], y[chosen])
        assert run.loss[step] == by.loss
        gradients = [*by.w, by.b[0], by.b[2], by.norms[0][0], by.norms[0][1]]
        assert run.gradient_norm[step] == pytest.approx(np.linalg.norm(flat(gradients)), rel=1e-12)
        assert run.layer_norms[step, 0] == pytest.approx(np.linalg.norm(flat([by.w[0], by.b[0]])), rel=1e-12)
        clipped = [remedies.adaptive_clip(*pair, 0.05) for pair in zip(gradients, state.parameters, strict=True)]
        state = optimiser.step(state, clipped)
    trained = parameters(run.network.nodes)
    assert [each.shape for each in trained] == [(4, 3), (4, 4), (2, 4), (4,), (2,), (4,), (4,)]
    assert flat(trained) == pytest.approx(flat(state.parameters), rel=1e-12)
    assert flat(run.state.parameters) == pytest.approx(flat(state.parameters), rel=1e-12)
    assert run.network.nodes[3].operation.b is None


def test_factors_are_the_steepest_slope_times_the_spectral_norm():
    rng = np.random.default_rng(4)
    w = [rng.normal(size=(5, 3)), rng.normal(size=(2, 5))]
    network = Network((3, 5, 2), ["tanh", "identity"], "mse", w=w, b=[np.zeros(5), np.zeros(2)])
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    run = gt.train(network, x, y, optimiser=optimisers.gradient_descent(0.05), steps=30)
    first = (1 - np.tanh(x @ w[0].T) ** 2).max() * np.linalg.norm(w[0], 2)
    np.testing.assert_allclose(run.factors[0], [first, np.linalg.norm(w[1], 2)], rtol=1e-12)
    last = [np.linalg.norm(each, 2) for each in run.network.w]
    assert run.factors[-1, 1] == pytest.approx(last[1], rel=1e-4)
    assert run.factors[-1, 1] <= last[1] * (1 + 1e-12)
    entered = [event for event in run.events if event.kind is EventKind.EXPLOSION]
    assert {event.layer for event in entered} == {1, 2}
    assert "‖W‖ = " in entered[0].cause
    assert {event.name for event in entered} == {"layer1", "layer2"}
    assert " in layer1: " in str(next(event for event in entered if event.layer == 1))


@pytest.mark.parametrize("width", [2, 12])  # of small layers all singular values are computed
def test_a_factor_follows_a_direction_that_becomes_the_largest(width):
    last = 1.0 * (np.arange(width) == 1)
    w = [np.diag(1.0 - 0.5 * last), last[None, :]]
    network = Network((width, width, 1), "identity", "mse", w=w, b=[np.zeros(width), np.zeros(1)])
    run = gt.train(network, last[None, :], [[100.0]], optimiser=optimisers.gradient_descent(1e-3), steps=2000)
    largest = np.linalg.norm(run.network.w[0], 2)
    assert run.factors[-1, 0] == pytest.approx(largest, rel=1e-5)
    assert run.factors[-1, 0] < largest
    assert 1 in [event.layer for event in run.events if event.kind is EventKind.EXPLOSION]


def test_factors_of_small_layers_are_right_in_every_step():
    """Two steps of the power method were behind by half, where another direction becomes the largest within a few."""
    rng, optimiser, steps = np.random.default_rng(0), optimisers.adam(0.05), 25
    w, x = [0.1 * rng.normal(size=(4, 4)) for _ in range(2)], rng.normal(size=(32, 4))
    network = Network((4, 4, 4), "identity", "mse", w=w, b=[np.zeros(4)] * 2)
    y = x @ rng.normal(size=(4, 4))
    run = gt.train(network, x, y, optimiser=optimiser, steps=steps)
    state = optimiser.start([*w, np.zeros(4), np.zeros(4)])
    for step in range(steps):
        sizes = [np.linalg.norm(each, 2) for each in state.parameters[:2]]
        np.testing.assert_allclose(run.factors[step], sizes, rtol=1e-12)
        by = network.carrying(list(state.parameters[:2]), list(state.parameters[2:])).backprop(x, y)
        state = optimiser.step(state, [*by.w, *by.b])


def test_weights_given_take_the_place_of_those_carried():
    rng = np.random.default_rng(5)
    network, x, y = graph(rng), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    moved = [2 * each for each in network.w]
    run = gt.train(network, x, y, moved, network.b, optimiser=optimisers.adam(), steps=0)
    assert run.loss[0] == network.carrying(moved, network.b).backprop(x, y).loss != network.backprop(x, y).loss
    bare = gt.train(gt.Network((3, 2)), x, y, moved[:1] and [np.ones((2, 3))], [[0, 0]], optimiser=optimisers.adam())
    assert bare.loss[-1] < bare.loss[0]
    with pytest.raises(InvalidArgument, match="w = None: is needed"):
        gt.train(gt.Network((3, 2)), x, y, optimiser=optimisers.adam())
    with pytest.raises(InvalidArgument, match="has no bias"):
        network.carrying(network.w, [np.ones_like(each) for each in network.b])


@given(samples=st.integers(1, 20), size=st.integers(1, 25), seed=st.integers(0, 9))
def test_an_epoch_takes_every_sample_once(samples, size, seed):
    batches = Batches(samples, size, seed)
    rows = [np.arange(samples)[chosen] for chosen, _ in zip(batches, range(2 * batches.per_epoch), strict=False)]
    for epoch in (rows[: batches.per_epoch], rows[batches.per_epoch :]):
        assert sorted(np.concatenate(epoch)) == list(range(samples))
        assert all(len(each) == min(size, samples) for each in epoch[:-1])
    again = [np.arange(samples)[chosen] for chosen, _ in zip(Batches(samples, size, seed), rows, strict=False)]
    assert all((one == other).all() for one, other in zip(rows, again, strict=True))


def test_a_jump_is_one_over_all_samples():
    """The two samples have losses of 1 and 100: their turns are no jumps."""
    network = Network((1, 1), "identity", "squared", w=[[[1.0]]], b=[[0.0]])
    x, y = [[1.0], [10.0]], [[0.0], [0.0]]
    steady = gt.train(network, x, y, optimiser=optimisers.gradient_descent(1e-6), steps=20, batch_size=1)
    assert steady.steps_per_epoch == 2
    assert max(steady.loss[1:] / steady.loss[:-1]) > 2
    assert steady.jumps == ()
    assert all(event.kind is not EventKind.LOSS_JUMP for event in steady.events)
    wild = gt.train(network, x, y, optimiser=optimisers.gradient_descent(0.05), steps=20, batch_size=1)
    (jump,) = [event for event in wild.events if event.kind is EventKind.LOSS_JUMP]
    assert (jump.step, jump.count) == (wild.jumps[0], len(wild.jumps))


@pytest.mark.parametrize("kind", ["mean", "sum", "chain"])
def test_samples_that_meet_in_a_batch_are_no_jump(kind):
    """Means over a smaller last batch, and sums where outliers meet, are larger than any before: nothing has moved."""
    large, count, size = (1, 9, 8) if kind == "mean" else (5, 200, 10)
    x = np.where(np.arange(count) < large, 10.0, 1e-3)
    how = {"optimiser": optimisers.gradient_descent(1e-12), "steps": 4000, "batch_size": size}
    if kind == "chain":
        run = gt.train(gt.Chain(1, "identity"), x, 0.0 * x, [1.0], [0.0], **how)
    else:
        network = Network((1, 1), "identity", "mse" if kind == "mean" else "squared", w=[[[1.0]]], b=[[0.0]])
        run = gt.train(network, x[:, None], 0.0 * x[:, None], **how)
    window = 2 * run.steps_per_epoch - 1
    assert any(run.loss[k] > 2.0 * run.loss[k - window : k].max() for k in range(window, 4001))
    assert (run.jumps, run.events) == ((), ())
    assert repr(run).startswith("Training(4000 steps, batch loss ")


def test_a_jump_on_batches_is_told_of_the_same_samples():
    network = Network((1, 1), "identity", "squared", w=[[[1.0]]], b=[[0.0]])
    x, y = [[1.0], [10.0]], [[0.0], [0.0]]
    run = gt.train(network, x, y, optimiser=optimisers.gradient_descent(0.05), steps=20, batch_size=1)
    told = next(event for event in run.events if event.kind is EventKind.LOSS_JUMP)
    before, ago, after = re.match(
        r"from (\S+), (\d) steps before and on the same samples, to (\S+);", told.cause
    ).groups()
    assert told.step - int(ago) in (0, 2, 4)
    assert float(after) == pytest.approx(run.loss[told.step], rel=1e-3)
    assert float(after) > 2.0 * float(before)


def test_parameters_are_one_vector_in_order():
    network = graph(np.random.default_rng(6))
    values = parameters(network.nodes)
    assert [slot.name for slot in slots(network.nodes)] == ["w", "w", "w", "b", "b", "gain", "bias"]
    back = shaped(flat(values), values)
    assert all((one == other).all() for one, other in zip(values, back, strict=True))
    same = with_parameters(network.nodes, back)
    assert all((one == other).all() for one, other in zip(values, parameters(same), strict=True))


@pytest.mark.slow
def test_a_stable_schedule_keeps_a_network_from_diverging():
    rng = np.random.default_rng(7)
    w = [rng.normal(size=(6, 3)), rng.normal(size=(1, 6))]
    network = Network((3, 6, 1), ["tanh", "identity"], "squared", w=w, b=[np.zeros(6), np.zeros(1)])
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    descent = optimisers.gradient_descent(10.0)
    assert gt.train(network, x, y, optimiser=descent, steps=40).loss[-1:] > 1e3
    schedule = remedies.stable_schedule(network, x, y, descent)
    calm = gt.train(network, x, y, optimiser=descent, schedule=schedule, steps=15)
    assert calm.loss[-1] < calm.loss[0]
    with pytest.raises(InvalidArgument, match=r"network = .*must have no gains or biases of norms"):
        remedies.stable_schedule(graph(rng), np.ones((2, 3)), np.ones((2, 2)), descent)
    with pytest.raises(InvalidArgument, match="optimiser = "):
        remedies.stable_schedule(network, x, y, optimisers.adam())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 0}, "batch_size = 0"),
        ({"batch_size": "all"}, "batch_size = 'all'"),
        ({"seed": -1}, "seed = -1"),
        ({"clip": 3}, "clip = 3: must be a remedies.Clipping"),
        ({"x": np.ones((2, 4))}, r"x.shape = \(2, 4\)"),
        ({"y": np.ones((2, 1))}, r"y.shape = \(2, 1\)"),
        ({"proximal": lambda _: [[1.0]]}, r"proximal\(w\).shape = \(1, 1\)"),
        ({"network": 3}, "network = 3: must be a gradtheory.Network"),
    ],
)
def test_bad_input_is_named(changed, message):
    arguments = {
        "network": graph(np.random.default_rng(8)), "x": np.ones((2, 3)), "y": np.ones((2, 2)),
        "optimiser": optimisers.adam(), "steps": 1,
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match=message):
        gt.train(**(arguments | changed))


def test_kinds_of_clipping_are_checked():
    with pytest.raises(InvalidArgument, match="kind = 'l2'"):
        remedies.clipping("l2", 1.0)
    with pytest.raises(InvalidArgument, match="limit = 0"):
        remedies.clipping("norm", 0)
    with pytest.raises(TypeError, match="here it is called 'network'"):
        gt.train(chain=gt.Chain(2), x=1.0, y=1.0, optimiser=optimisers.adam())


def test_a_factor_whose_slope_is_0_is_0_though_its_norm_overflows():
    w = [np.full((8, 8), -1e200), np.full((8, 8), -1e308), np.ones((1, 8))]
    network = gt.Network((8, 8, 8, 1), "relu", w=w, b=[np.zeros(8), -np.ones(8), np.zeros(1)])
    run = gt.train(network, np.ones((4, 8)), np.ones((4, 1)), optimiser=gt.optimisers.gradient_descent(0.1), steps=2)
    np.testing.assert_array_equal(run.factors, np.zeros((3, 3)))
