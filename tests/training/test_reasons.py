"""What the advice on a chain says is true of `train`: of random chains, and of some that were told otherwise."""

import numpy as np
import pytest

import gradtheory as gt
from tests.training import saying


@pytest.mark.parametrize(
    "seeds",
    [range(6), pytest.param(range(6, 60), marks=[pytest.mark.slow, pytest.mark.minutes])],
    ids=str,
)
def test_what_advice_says_of_random_chains_is_true_of_train(seeds):
    assert saying.check(seeds).total() > len(seeds)


def _run(chain, x, y, w, b, eta):
    return gt.train(chain, x, y, w, b, optimiser=gt.optimisers.gradient_descent(eta), steps=200)


def test_a_rate_that_ends_lower_is_named_with_why_it_is_not_advised():
    """Nothing that was tried did better, it said, though the loss halves with η = 0.18, with a rise on the way."""
    chain, x = gt.Chain(3, ["rrelu", "rrelu", "sigmoid"], "cross_entropy"), np.linspace(-1, 1, 5)
    problem = chain, x, (x > 0) * 1.0, [-4.0, 0.0, 0.0], [0.0, 3.0, 1.0]
    reason = gt.advise(*problem).reason
    assert reason.startswith("nothing is advised: with the learning rate 0.1 the loss goes from 4.566 to 0.0416; ")
    assert reason.endswith("with gradients in range, but the loss rises on the way")
    rate = float(reason.split("learning_rate = ")[1].split(" ")[0])
    run = _run(*problem, rate)
    assert run.loss[-1] < 0.03
    assert run.gradient_norm.max() < 1e3
    assert np.any(np.diff(run.loss) > 0)


def test_a_rate_at_which_the_loss_falls_is_advised_though_the_usual_run_was_ahead_of_it():
    problem = gt.Chain(2, "arsinh"), [-3.76, 2.26], [0.0, 1.0], [-0.44, -0.14], [1.0, -3.0]
    (rate,) = [each for each in gt.advise(*problem).remedies if each.works]
    usual, run = (_run(*problem, eta).loss for eta in (0.1, rate.value))
    assert run[-1] < 1e-6 * usual[-1]
    assert np.all(np.diff(run) <= 0)
    assert np.any(run > usual)
    assert "on the way the loss is higher than with η = 0.1 alone" in rate.cost


def test_ends_at_0_up_to_rounding_are_alike():
    """A saturated neuron was advised nothing, as the last digits of an end near 1e-32 differ from run to run."""
    problem = gt.Chain(1, "tanh"), [1.0], [0.0], [10.0], [0.0]
    advised = [each for each in gt.advise(*problem).remedies if each.works]
    assert advised
    assert advised[0].loss_with < 1e-24
    assert saying.Runs(problem, gt.advise(*problem)).end(*advised) < 1e-24
    fits = gt.advise(gt.Chain(1, "arsinh"), [1.0], [0.0], [1.0], [0.0])
    assert fits.reason.startswith("nothing is advised: with the learning rate 0.1 the loss goes from 0.3884 to ")
    assert fits.reason.endswith(", which is 0 up to rounding")


def test_a_chain_is_mended_that_overflows_at_its_start():
    """No remedy that was tried made its loss finite, it said."""
    x = np.linspace(-1, 1, 20)
    problem = gt.Chain(6, "exponential"), x, (x > 0) * 1.0, [-8.0, -4.0, 6.0, 7.0, 0.0, -6.0], [0.0] * 6
    advice = gt.advise(*problem)
    assert saying.Runs(problem, advice).end(*(each for each in advice.remedies if each.works)) < 1.0


def test_a_step_is_taken_in_the_place_of_one_with_which_the_loss_ends_higher():
    """Of 405000 a rate of 1e-10 leaves 376400, and clipped weights were told to add nothing to it."""
    problem = gt.Chain(7, "hardshrink"), [-1.0], [0.0], [2.0, 1.0, -5.0, -3.0, -5.0, -3.0, 2.0], [0.0] * 7
    advice = gt.advise(*problem)
    advised = [each for each in advice.remedies if each.works]
    assert saying.Runs(problem, advice).end(*advised) <= 0.5
    assert all(each.loss_with <= each.loss_without for each in advised)


def test_a_clip_that_no_gradient_meets_changes_nothing():
    """The loss was told to be higher on the way with it."""
    chain, x = gt.Chain(3, ["leaky_relu", "leaky_relu", "sigmoid"], "cross_entropy"), np.linspace(-1, 1, 5)
    problem = chain, x, (x > 0) * 1.0, [0.14958817867314414, -1.5856618779756229, -1.107064435430816], [0.0, 0.0, 1.0]
    (clip,) = [each for each in gt.advise(*problem).remedies if each.kind == "clip_gradients"]
    assert clip.cost.startswith("it changes nothing")
    assert _run(*problem, 0.1).gradient_norm.max() < clip.value


@pytest.mark.parametrize(
    "problem",
    [
        (gt.Chain(5, "softshrink"), [-1.0, 1.0], [0.0, 1.0], [1.0, -1.0, 4.0, 4.0, -3.0], [0.0] * 5),
        (gt.Chain(4, "relu6"), [10.32], [0.976], [-1.72, 10.46, 1.46, 13.47], [-3.0, 0.0, 3.0, -2.0]),
        (
            gt.Chain(4, "sparse_sigmoid"),
            [-1.0, 1.0],
            [-0.91, 0.91],
            [-1.08, -0.43, -0.79, 0.07],
            [2.0, 1.0, -2.0, -4.0],
        ),
        (gt.Chain(1, "hard_tanh"), [-1.008, -0.454, -0.421, -0.045, 1.037], [0.0, 0.0, 0.0, 0.0, 1.0], [5.0], [5.0]),
    ],
    ids=lambda problem: problem[0].layer_activations[0].name,
)
def test_what_is_promised_of_a_remedy_is_kept_by_the_whole_plan(problem):
    """Biases once left layers without a slope, and with weight decay a step was longer than the clip let it be."""
    problem = (problem[0], *map(np.asarray, problem[1:]))
    advice = gt.advise(*problem)
    runs = saying.Runs(problem, advice)
    for remedy in runs.plan:
        assert saying.keeps(runs, remedy)
        assert "no step" not in str(remedy)
