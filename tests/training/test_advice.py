"""Advice: the diagnosis is what backprop says, and following it is tried with `train`, on random chains of all kinds."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.training.advice import STEPS, advise
from tests.training import following
from tests.training.following import follow, last_loss

_X = np.linspace(-1, 1, 24)
_Y = (_X > 0) * 1.0


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32),
    depth=st.integers(1, 5),
    which=st.sampled_from(["sigmoid", "tanh", "relu", "gelu", "softsign"]),
    size=st.sampled_from([0.3, 1.0, 3.0, 9.0]),
)
def test_the_diagnosis_is_what_backprop_says(seed, depth, which, size):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(depth, which)
    w, b = rng.normal(0, size, (2, depth))
    advice = advise(chain, _X, _Y, w, b)
    gradients = chain.backprop(_X, np.full_like(_X, -1e3), w, b, reduction="none")
    total = np.abs(gradients.x) / np.sqrt(2 * gradients.loss)
    assert advice.total_factor == pytest.approx(total.max(), rel=1e-9, abs=1e-300)
    assert advice.growth**depth == pytest.approx(advice.total_factor, rel=1e-9)
    a = _X
    for layer, weight, bias in zip(advice.layers, w, b, strict=True):
        z = weight * a + bias
        a, slope = gt.activation(which).value_and_slope(z)
        factors = np.abs(slope * weight)
        assert layer.largest_factor == pytest.approx(factors.max(), rel=1e-12)
        assert layer.exploding == np.mean(factors > 1)
        assert layer.vanishing == np.mean(factors < 0.1)
        assert layer.critical_weight == pytest.approx(float(gt.critical_weight(which)))
    assert advice.overflow["float32"] == gt.overflow_depth(advice.growth)


@pytest.mark.slow
@pytest.mark.minutes
@pytest.mark.parametrize(
    "seeds",
    [range(start, start + 250) for start in range(0, 500, 250)],
    ids=str,
)
def test_following_the_advice_never_costs_and_mends_most_of_what_fails(seeds):
    failing, mended = following.check(seeds)
    assert failing > len(seeds) / 4
    assert mended >= 0.8 * failing


def test_a_learning_rate_is_one_at_which_the_loss_falls():
    """Once advised: to stay below 43.35, at .9 of which the loss rises from 2.13 to 5 in one step."""
    problem = gt.Chain(3), np.linspace(-1, 1, 20), np.repeat([0.0, 1.0], 10), [8.0] * 3, [-4.0] * 3
    advice = advise(*problem)
    rate = next(remedy for remedy in advice.remedies if remedy.kind == "learning_rate")
    assert (rate.eta_without, rate.eta) == (0.1, rate.value)
    assert f"with η = 0.1, {rate.loss_with:.4g} with η = {rate.value:.4g}: works" in str(rate)
    run = follow(problem, [rate], STEPS)
    assert rate.works
    assert np.all(np.diff(run.loss) <= 1e-9)
    assert run.loss[-1] == pytest.approx(rate.loss_with, rel=1e-9)
    assert rate.loss_with < 0.02 < last_loss(follow(problem, [], STEPS)) == pytest.approx(rate.loss_without, rel=1e-9)


def test_a_check_can_fail():
    """Weights clipped to their critical ones, or drawn to 0, take the loss with them: it says what they cost."""
    advice = advise(gt.Chain(3), np.linspace(-1, 1, 20), np.repeat([0.0, 1.0], 10), [8.0] * 3, [-4.0] * 3)
    refused = {remedy.kind: remedy for remedy in advice.remedies if not remedy.works}
    assert {"clip_weights", "weight_decay"} <= set(refused)
    assert refused["clip_weights"].value.tolist() == [4.0] * 3
    surplus = refused.pop("clip_gradients")  # no gradient of these runs is so long
    assert surplus.loss_with == surplus.loss_without
    assert surplus.cost == "it changes nothing"
    for remedy in refused.values():
        assert remedy.loss_with > remedy.loss_without
        assert "it costs: the loss ends" in remedy.cost
        assert "NOT advised" in str(remedy)


def test_no_remedy_is_advised_that_changes_nothing():
    x, y = np.linspace(-1, 1, 20), np.repeat([0.0, 1.0], 10)
    for sizes in ([8.0] * 3, [5.0] * 3, [6.0, 6.0]):
        remedies = advise(gt.Chain(len(sizes)), x, y, sizes, [-size / 2.0 for size in sizes]).remedies
        advised = [remedy for remedy in remedies if remedy.works]
        assert advised
        assert len(advised) == 1 or all(each.loss_with < each.loss_without / 1.001 for each in advised)


@pytest.mark.slow
def test_a_cost_is_said_with_its_size():
    x = np.linspace(-1, 1, 11)
    costs = {
        remedy.kind: remedy.cost
        for remedy in advise(gt.Chain(5, "tanh"), x, np.linspace(-0.5, 0.5, 11), [9.0] * 5, [3.0] * 5).remedies
    }
    assert costs["weight_decay"] == "it costs: the loss ends slightly higher"
    assert costs["clip_weights"].startswith("it costs: the loss ends 41.1 times as high")
    advice = advise(gt.Chain(3, "tanh"), [0.5, -0.2, 1.0], [0.3, 0.1, -0.5], [3.0] * 3, [0.0] * 3)
    costs = {remedy.kind: remedy.cost for remedy in advice.remedies}
    assert costs["weight_decay"] == "alone, with η = 0.1, the loss is higher on the way"
    assert costs["clip_gradients"] == "it changes nothing"


def test_what_ruins_training_is_no_advice():
    """λ = 15.7 for tanh with weights of 3 once was."""
    problem = gt.Chain(3, "tanh"), _X, _Y, [3.0] * 3, [0.0] * 3
    for remedy in advise(*problem).remedies:
        if remedy.works:
            assert last_loss(follow(problem, [remedy], STEPS)) <= 1.05 * last_loss(follow(problem, [], STEPS))


@pytest.mark.slow
def test_biases_that_are_advised_bring_no_explosion():
    x = np.linspace(-1, 1, 11)
    problem = gt.Chain(5, "tanh"), x, (x > 0) * 1.0, [9.0] * 5, [3.0] * 5
    advice = advise(*problem)
    biases = [remedy for remedy in advice.remedies if remedy.kind == "biases"]
    assert any(remedy.works for remedy in biases)
    together = follow(problem, [remedy for remedy in advice.remedies if remedy.works], STEPS)
    assert together.gradient_norm.max() <= 1e3
    assert together.loss[-1] < 0.2 * problem[0].backprop(*problem[1:]).loss
    for remedy in biases:
        assert follow(problem, [remedy], STEPS).gradient_norm.max() <= 1e3
        assert advise(*problem[:4], remedy.value).total_factor <= 1e3


@pytest.mark.slow
def test_a_chain_that_overflows_has_an_answer():
    advice = advise(gt.Chain(4, "exponential"), _X, _Y, [2.0] * 4, [0.0] * 4)
    assert (advice.total_factor, advice.growth) == (math.inf, math.inf)
    assert set(advice.overflow.values()) == {1}
    assert any(remedy.works and math.isfinite(remedy.loss_with) for remedy in advice.remedies)


def test_what_is_left_of_the_gradient_is_said():
    advice = advise(gt.Chain(3), [-0.2, 0.2], [0.0, 1.0], [7.0] * 3, [0.0, -3.5, -3.5])
    clipped = next(remedy for remedy in advice.remedies if remedy.kind == "clip_weights")
    assert "at the end a layer is saturated" in clipped.cost
    rate = next(remedy for remedy in advice.remedies if remedy.kind == "learning_rate")
    assert "at the end the gradient vanishes: |da_L/dx| is at most" in rate.cost


def test_nothing_is_advised_with_a_reason():
    dead = advise(gt.Chain(2, "threshold"), [1.0], [0.0], [-1.0, -1.0], [-5.0, -5.0])
    assert not any(remedy.works for remedy in dead.remedies)
    assert dead.reason.startswith("nothing is advised: the gradient is 0")
    assert dead.reason in str(dead)
    lost = advise(gt.Chain(1, "identity"), [1.0], [1e200], [0.0], [0.0])
    assert "the loss is not finite" in lost.reason
    assert "no samples" in advise(gt.Chain(2), [], [], [1.0, 1.0], [0.0, 0.0]).reason
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 6, 12).round(2), rng.normal(0, 0.2, 12).round(2)
    assert " rounding decides: in" in str(advise(gt.Chain(1, "sine"), x, y, [-9.0], [-2.8]))


@pytest.mark.parametrize("seed", range(4))
def test_where_rounding_decides_the_usual_run_is_that_of_train(seed):
    """A run that is steep at every sample ends elsewhere for every last digit: none of a dozen may end lower."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 3, 5), rng.normal(0, 1, 5)
    chain, w, b = gt.Chain(4, "sine"), rng.normal(0, 4, 4), rng.normal(0, 1, 4)
    usual = gt.train(chain, x, y, w, b, optimiser=gt.optimisers.gradient_descent(0.1), steps=200).loss[-1]
    nudged = [
        gt.train(chain, x, y, w * (1 + k * 1e-10), b, optimiser=gt.optimisers.gradient_descent(0.1), steps=200).loss[-1]
        for k in (-3, -2, -1, 1, 2, 3)
    ]
    assert max(nudged) > 1.2 * min(nudged)  # chaotic
    advice = advise(chain, x, y, w, b)
    for remedy in advice.remedies:
        if remedy.works and len([each for each in advice.remedies if each.works]) == 1:
            assert remedy.loss_without == usual
            assert remedy.loss_with < usual
            assert "rounding decides: in" in remedy.cost
    assert "rounding decides" in str(advice)


def test_what_is_advised_ends_alike_from_starts_that_hardly_differ():
    """Clipped to the norm 10, about half of the runs end at 4.708, and the others between 4.5 and 5.2."""
    chain = gt.Chain(4, ["isrlu", "quadratic", "leaky_relu(slope=-1)", "sigmoid"], "cross_entropy")
    x = [-27.66782666, -42.88665231, -48.51275542, -5.18750554, 8.61967496, 29.76070035, -56.61224411]
    y = [0.11679606, 0.20618833, 0.89508127, 0.31718807, 0.13768987, 0.72446544, 0.39561016]
    w, b = (
        np.array([4.48296046, -6.58293231, 0.77453614, -6.5003515]),
        [5.66881089, 4.19937776, -0.28755082, -3.36541903],
    )
    clip, *others = [each for each in gt.advise(chain, x, y, w, b).remedies if each.works]
    assert (clip.kind, others) == ("clip_gradients", [])
    how = {"optimiser": gt.optimisers.gradient_descent(0.1), "clip": gt.remedies.clipping("norm", clip.value)}
    ends = [gt.train(chain, x, y, w * (1.0 + k * 1e-12), b, steps=200, **how).loss[-1] for k in range(10)]
    assert ends == pytest.approx([clip.loss_with] * 10, rel=1e-3)


def test_a_sound_chain_is_told_a_learning_rate_at_most():
    advice = advise(gt.Chain(2), _X, _Y, [3.0, 3.0], [0.0, -1.5])
    assert (advice.exploding, [each.kind for each in advice.remedies]) == ((), ["learning_rate"])


def test_layers_vanish_where_the_text_says_so():
    advice = advise(gt.Chain(3), _X, _Y, [8.0] * 3, [-4.0] * 3)
    shares = [layer.vanishing for layer in advice.layers]
    assert 0 < shares[0] < 1
    assert advice.vanishing == tuple(number for number, share in enumerate(shares, 1) if share)
    for layer, share in zip(advice.layers, shares, strict=True):
        assert f"vanishes on {share:.0%}" in str(layer)
        assert str(layer) in str(advice)


def test_a_constant_activation_has_an_infinite_critical_weight():
    step = gt.activation(sympy.sign(sympy.Symbol("z", real=True)))
    advice = advise(gt.Chain(2, step), _X + 0.01, _Y, [1.0, 1.0], [0.0, 0.0])
    assert [layer.critical_weight for layer in advice.layers] == [math.inf, math.inf]
    assert advice.vanishing == (1, 2)


def test_results_show_in_a_line():
    advice = advise(gt.Chain(4), _X, _Y, [8.0] * 4, [-4.0] * 4)
    for result in (advice, *advice.remedies):
        assert "\n" not in repr(result)
    assert repr(advice).startswith("Advice(exploding layers (1, 2, 3, 4), vanishing layers (")
    assert all(("works" in repr(remedy)) == remedy.works for remedy in advice.remedies)


@pytest.mark.slow
def test_flat_and_unbounded_ones_have_answers_too():
    dead = advise(gt.Chain(2, "relu"), _X, _Y, [1.0, 1.0], [-5.0, -5.0])
    assert dead.total_factor == 0
    assert dead.overflow["float64"] == 1
    assert any(remedy.kind == "biases" and remedy.works for remedy in dead.remedies)
    huge = advise(gt.Chain(2, "identity"), [1e200], [0.0], [1e200, 1.0], [0.0, 0.0])
    assert math.isfinite(huge.total_factor)
    zero = advise(gt.Chain(2, "exponential"), [1e3], [0.0], [1.0, 0.0], [0.0, 0.0])
    assert zero.layers[1].largest_factor == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": [math.nan]}, "x = "),
        ({"w": [1.0]}, r"w.shape = \(1,\)"),
        ({"b": [0.0, math.inf]}, "b = "),
        ({"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "shapes of x, y"),
    ],
)
def test_bad_input_is_named(changed, message):
    arguments = {"x": [1.0], "y": [0.0], "w": [1.0, 1.0], "b": [0.0, 0.0]} | changed
    with pytest.raises(InvalidArgument, match=message):
        advise(gt.Chain(2), **arguments)


def test_the_price_of_a_remedy_is_what_its_trial_tells():
    """The reasons belong to the advice as it is in the end, without what adds nothing to it."""
    x, y = np.linspace(-1, 1, 20), np.repeat([0.0, 1.0], 10)
    remedies = gt.advise(gt.Chain(3), x, y, w=[8.0] * 3, b=[-4.0] * 3).remedies
    told = [each for each in remedies if "times as high" in str(each)]
    assert told
    for remedy in told:
        assert f"ends {remedy.loss_with / remedy.loss_without:.3g} times as high" in str(remedy)
