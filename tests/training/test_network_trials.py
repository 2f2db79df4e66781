"""How the trial runs of a network's advice are compared: rounding must not decide, and the usual rate is among them."""

from dataclasses import replace

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.training.advice.of_network.advise_network import _best, _why_not, _wrong
from gradtheory.training.advice.of_network.changes import KINDS, Change, changes
from gradtheory.training.advice.of_network.trial import Trial, with_twins
from gradtheory.training.optimisers import adam, gradient_descent


@pytest.fixture(scope="module")
def usual():
    network = gt.Network((1, 1), "identity", "mse", w=[[[1.0]]], b=[[0.0]])
    run = gt.train(network, [[1.0]], [[0.0]], optimiser=gradient_descent(0.1), steps=1)
    return Trial(
        Change("", None, network, gradient_descent(0.1)), run, start=1.0, loss=0.6, growth=1.0, wrong="", twins=(0.8,)
    )


def _tried(losses, usual):
    def tried(change):
        loss = losses.get(change.value, 2.0)
        return replace(usual, change=change, loss=loss, twins=())

    return tried


def _chosen(usual, losses, twins):
    beside = lambda trial: replace(trial, twins=twins.get(trial.change.value, ()))  # noqa: E731
    return _best("learning_rate", usual, _tried(losses, usual), beside, np.array([[1.0]]), None, 7)


def test_a_rate_whose_twin_ends_as_low_is_preferred_to_a_lower_one(usual):
    remedy = _chosen(usual, {0.3: 0.1, 0.01: 0.2}, {0.3: (0.1, 0.7)})
    assert (remedy.value, remedy.works, remedy.loss_with) == (0.01, True, 0.2)


def test_where_rounding_decides_nothing_works(usual):
    remedy = _chosen(usual, {0.3: 0.1}, {0.3: (0.1, 0.7)})
    assert (remedy.value, remedy.works) == (0.3, False)
    assert remedy.cost == "rounding decides how these runs end"
    lucky = replace(usual, loss=0.8, twins=(0.8, 0.1))  # it might have ended lower than with the change
    assert not _chosen(lucky, {0.3: 0.2}, {}).works


def test_the_usual_rate_is_tried_beside_those_near_the_given_one(usual):
    start = replace(usual.change, optimiser=adam(1e-3))
    rates = [change.value for change in changes("learning_rate", start, usual.run, np.array([[1.0]]), None)]
    assert rates == [1e-5, 1e-4, 3.33e-4, 3e-3, 1e-2, 0.1]


@pytest.mark.parametrize(
    ("without", "with_it", "wrong", "told"),
    [
        (0.6, 0.3, "", "0.6 without it, 0.3 with it, 50% lower: works"),
        (0.6, 0.59, "", "0.6 without it, 0.59 with it, 1.67% lower: NOT advised"),
        (0.6, 0.59, "it vanishes", "0.59 with it, 1.67% lower: mends the gradient, and hardly the loss"),
        (np.inf, 0.59, "it diverges", "diverged without it, 0.59 with it: works"),
        (0.6, 0.9, "", "0.9 with it, 50% higher: NOT advised"),
        (567.6, 0.00398, "", "567.6 without it, 0.00398 with it, >99.9% lower: works"),
        (0.6, 0.0, "", "0.6 without it, 0 with it, 100% lower: works"),
    ],
)
def test_a_remedy_states_its_runs_and_does_not_look_better_than_it_is(usual, without, with_it, wrong, told):
    losses = {change.value: with_it for change in changes("learning_rate", usual.change, usual.run, None, None)}
    start = replace(usual, loss=without, twins=(), wrong=wrong)
    tried = lambda change: replace(_tried(losses, usual)(change), wrong="")  # noqa: E731
    remedy = _best("learning_rate", start, tried, lambda trial: trial, np.array([[1.0]]), None, 7)
    for text in (str(remedy), repr(remedy)):
        assert "loss after 7 steps of gradient_descent, η = 0.1: " in text
        assert told in text


def test_growth_is_told_only_where_its_digits_differ(usual):
    losses = {change.value: 0.3 for change in changes("learning_rate", usual.change, usual.run, None, None)}
    remedy = _best("learning_rate", usual, _tried(losses, usual), lambda trial: trial, np.array([[1.0]]), None, 7)
    for growth, is_told in ((13.9, True), (13.4901, False), (np.nan, False)):
        assert ("instead of 13.5" in str(replace(remedy, growth_without=13.49, growth_with=growth))) == is_told


def test_progress_goes_through_the_kinds_and_only_the_run_without_is_explained(monkeypatch):
    asked = []

    def seen(problem, parameters, rows, optimiser):
        asked.append(optimiser.eta)
        return 1.0

    monkeypatch.setattr("gradtheory.training.network_problem.NetworkProblem.limit", seen)
    kinds = []
    network = gt.Network((1, 1, 1), "relu", "mse", w=[[[1.0]], [[1.0]]], b=[[0.1], [0.1]])
    data = [[1.0], [2.0]], [[3.0], [5.0]]
    how = {"optimiser": gradient_descent(1.0), "steps": 30}
    advice = gt.advise(network, *data, **how, progress=lambda work: (kinds.append(each) or each for each in work))
    assert kinds == ["", *KINDS]
    assert advice.run.jumps
    assert asked == [1.0]
    with pytest.raises(InvalidArgument, match=r"progress = .*must be left out for a chain"):
        gt.advise(gt.Chain(1), [1.0], [0.0], [1.0], [0.0], progress=iter)


def test_advice_is_no_worse_than_the_usual_rate():
    rng = np.random.default_rng(0)
    w, x = [rng.normal(size=(3, 2)), rng.normal(size=(1, 3))], rng.normal(size=(8, 2))
    network = gt.Network((2, 3, 1), ["tanh", "identity"], "mse", w=w, b=[np.zeros(3), np.zeros(1)])
    y = np.sin(x[:, :1])
    advised = gt.advise(network, x, y, optimiser=gradient_descent(1e-4), steps=20).advised
    usual = gt.train(network, x, y, optimiser=gradient_descent(0.1), steps=20).network
    assert advised.loss_with <= np.mean((usual.forward(x) - y) ** 2) * (1.0 + 1e-9)


def test_the_layer_whose_gradient_vanishes_is_named():
    rng = np.random.default_rng(0)
    w, b = [rng.normal(0.0, 0.5, (4, 4)) for _ in range(11)], [np.zeros(4)] * 11
    network = gt.Network((4,) * 12, "sigmoid", w=w, b=b)
    x, y = rng.normal(size=(8, 4)), rng.uniform(size=(8, 4))
    run = gt.train(network, x, y, optimiser=gradient_descent(1e-3), steps=2)
    assert "the gradient vanishes: at the start layer1 has" in _wrong(run, network, x, y)


@pytest.mark.parametrize(
    ("ends", "twins"), [([0.6], (0.6,)), ([0.60001], (0.60001,)), ([0.7, 0.6, 0.5, 0.9], (0.7, 0.6, 0.5, 0.9))]
)
def test_runs_that_end_elsewhere_than_their_first_twin_have_more_of_them(usual, ends, twins):
    nudged = []

    def end_of(change):
        nudged.append(float(change.network.nodes[0].operation.w[0, 0]))
        return ends[len(nudged) - 1]

    assert with_twins(usual, end_of).twins == twins
    assert len(set(nudged)) == len(nudged)
    assert all(0.0 < abs(weight - 1.0) < 1e-9 for weight in nudged)


@pytest.mark.parametrize("eta", [1.0, 0.1])
def test_large_targets_are_no_exploding_gradient(eta):
    """At the start the gradient is 5,000, as the error is, whatever the rate; with 0.1 it falls from there."""
    network = gt.Network((1, 1), "identity", "mse", w=[[[0.0]]], b=[[0.0]])
    advice = gt.advise(network, [[1.0], [2.0]], [[1000.0], [2000.0]], optimiser=gradient_descent(eta))
    if eta == 1.0:
        assert advice.advised.kind == "learning_rate"
        assert advice.advised.loss_with < 2000.0
    else:
        assert advice.reason.startswith("nothing is advised: gradients stay in range")


def test_an_exploding_gradient_is_more_than_the_errors():
    rng = np.random.default_rng(0)
    w = [rng.normal(0.0, 4.0 / 32**0.5, (32, 32)) for _ in range(12)]
    network = gt.Network((32,) * 13, "relu", "mse", w=w, b=[np.zeros(32)] * 12)
    x, y = rng.normal(size=(64, 32)), rng.normal(size=(64, 32))
    advice = gt.advise(network, x, y, optimiser=gradient_descent(1e-14), steps=20)
    assert advice.reason or advice.advised.kind in ("initialisation", "normalisation")
    assert "the gradient's norm reaches" in str(advice)


def test_what_ends_higher_than_it_starts_does_not_work():
    network = gt.Network((1, 1), "identity", "mse", w=[[[0.0]]], b=[[0.0]])
    advice = gt.advise(network, [[1.0]], [[0.1]], optimiser=gradient_descent(0.55), steps=30)
    clip = next(each for each in advice.remedies if each.kind == "clip_gradients")
    assert clip.loss_with > advice.run.loss[0]
    assert not clip.works
    assert clip.cost == "the loss ends higher than it starts"
    assert all(each.loss_with <= advice.run.loss[0] for each in advice.remedies if each.works)


def test_twins_that_end_higher_than_the_start_are_chance(usual):
    diverged = replace(usual, loss=float("inf"), twins=(float("inf"),), wrong="the run diverges at step 3")
    start = float(usual.run.loss[0])
    assert _why_not(diverged, replace(usual, loss=0.5 * start, twins=(0.6 * start,))) == ""
    told = _why_not(diverged, replace(usual, loss=0.5 * start, twins=(2.0 * start,)))
    assert told == "rounding decides how these runs end"


def test_batches_are_not_compared_with_all_samples():
    """A batch of 8 has a loss of 15, all 256 samples have 341: where training starts, and what its end is held to."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8))
    y = np.tanh(x @ rng.normal(size=(8, 2)) / 2.0)
    w = [rng.normal(0.0, 8**-0.5, shape) for shape in ((8, 8), (8, 8), (8, 8), (2, 8))]
    network = gt.Network((8, 8, 8, 8, 2), "tanh", "mse_sum", w=w, b=[np.zeros(len(each)) for each in w])
    start, tiny = network.backprop(x, y).loss, gradient_descent(1e-5)
    advice = gt.advise(network, x, y, optimiser=tiny, steps=50, batch_size=8)
    assert advice.run.loss[0] < start / 10.0
    assert advice.advised.kind == "learning_rate"
    assert advice.run.loss[0] < advice.advised.loss_with < start
    best = gt.Network((1, 1), "identity", "mse_sum", w=[[[0.0]]], b=[[0.0]])
    data = [[1.0], [-1.0], [1.0], [-1.0]], [[1.0], [1.0], [-1.0], [-1.0]]
    assert "the loss goes from 4 to 4," in gt.advise(best, *data, optimiser=gradient_descent(1e-9), batch_size=2).reason


def test_a_batch_without_a_gradient_is_none_that_vanishes():
    """The last batch is a sample at which every unit is off: of all samples no gradient vanishes."""
    network = gt.Network((1, 1, 1), ["relu", "identity"], "mse", w=[[[1.0]], [[1.0]]], b=[[0.0], [0.0]])
    x, y = np.array([[1.0], [-1.0]]), np.array([[0.0], [1.0]])
    for seed in range(4):
        run = gt.train(network, x, y, optimiser=gradient_descent(1e-3), steps=3, batch_size=1, seed=seed)
        assert run.layer_norms[:, 0].min() == 0.0
        assert _wrong(run, network, x, y) == ""


def test_no_growth_is_told_where_it_is_not_a_number():
    w = [np.full((2, 2), size) for size in (1e3, -1.0, 1.0)]
    network = gt.Network((2,) * 4, "exponential", "mse", w=w, b=[np.zeros(2)] * 3)
    advice = gt.advise(network, np.ones((2, 2)), np.ones((2, 2)), steps=2)
    assert any(np.isnan(each.growth_without) for each in advice.remedies)
    assert "nan" not in str(advice)
