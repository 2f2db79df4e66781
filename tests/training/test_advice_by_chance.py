"""Where rounding decides how a run ends without one of the remedies that are advised, the advice says so."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.training.advice.of_chain.bench import Bench
from gradtheory.training.advice.of_chain.reasons import why_not

_X = [0.156, 0.181, -0.504, 0.586, 0.924, 0.619, -1.102, -1.814, -0.122, 0.508, -2.593, -0.974, -0.561, 0.025, 1.14]
_X += [-0.453, 0.92, -0.348, 0.986, -0.689, -0.029, 0.892, -0.027, -2.508, -0.359, 0.445, 0.004, -1.164, -0.574, 0.705]


def _ends(chain, x, y, w, b, remedies):
    """Return where training with all of these remedies ends, from starts that hardly differ."""
    values = {remedy.kind: remedy.value for remedy in remedies}
    w = np.clip(w, -values["clip_weights"], values["clip_weights"]) if "clip_weights" in values else np.array(w)
    how = {
        "optimiser": gt.optimisers.gradient_descent(
            values.get("learning_rate", 0.1), weight_decay=values.get("weight_decay", 0.0)
        ),
        "clip": gt.remedies.clipping("norm", values["clip_gradients"]) if "clip_gradients" in values else None,
    }
    return [
        gt.train(chain, x, y, w * (1.0 + 1e-12 * k), values.get("biases", b), steps=200, **how).loss[-1]
        for k in range(4)
    ]


def test_a_run_without_a_remedy_that_ends_by_chance_is_that_of_train():
    """With other biases alone, training ends anywhere from 0.44 to 0.67."""
    y = (np.array(_X) > 0) * 1.0
    chain, w, b = gt.Chain(6, "sigmoid"), [-2.0, -6.0, 6.0, -2.0, 8.0, -2.0], [4.0, -2.0, 0.0, 1.0, 2.0, -3.0]
    works = [remedy for remedy in gt.advise(chain, _X, y, w, b).remedies if remedy.works]
    assert {remedy.kind for remedy in works} == {"biases", "clip_weights"}
    assert _ends(chain, _X, y, w, b, works) == pytest.approx([works[0].loss_with] * 4, rel=1e-3)
    for remedy in works:
        ends = _ends(chain, _X, y, w, b, [other for other in works if other is not remedy])
        assert remedy.loss_without == pytest.approx(ends[0], rel=1e-12)
        assert ("without it rounding decides: in" in remedy.cost) == (max(ends) > 1.01 * min(ends))
    assert any("without it rounding decides" in remedy.cost for remedy in works)


def test_a_run_that_hangs_on_the_order_of_the_samples_is_that_of_train():
    """A gradient of 1e93 is followed by one of 1e169, or by a chain that has gone flat, by the last digit of sums."""
    chain = gt.Chain(5, ["gelu", "leaky_relu", "softsign", "quadratic", "sigmoid"], "cross_entropy")
    x, y = np.linspace(-1, 1, 20), np.array([1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0.0])
    w, b = [3.0] * 5, [-2.0] * 5
    run = gt.train(chain, x, y, w, b, optimiser=gt.optimisers.gradient_descent(0.1), steps=200)
    rate = gt.advise(chain, x, y, w, b).remedies[0]
    assert (rate.kind, rate.works, run.has_diverged, rate.loss_without) == ("learning_rate", True, True, np.inf)
    assert "without it rounding decides: in 10 runs" in rate.cost
    assert "or diverged in" in rate.cost


def test_a_run_that_diverges_by_chance_is_told_from_one_that_diverges():
    """In exact arithmetic it ends at 0.034, as most runs do that start nearby."""
    x = np.linspace(-1, 1, 20)
    chain = gt.Chain(3, ["identity", "identity", "sigmoid"], "cross_entropy")
    rate = gt.advise(chain, x, (x > 0) * 1.0, [1.0] * 3, [0.0] * 3).remedies[0]
    assert (rate.kind, rate.works) == ("learning_rate", True)
    assert (
        "without it rounding decides: in 10 runs from starts that hardly differ the loss ended between 0.02"
        in rate.cost
    )


def test_shares_are_0_or_100_percent_only_where_they_are():
    x = np.append(np.linspace(3, 9, 1000), 0.0)
    chain, w, b = gt.Chain(1, "sigmoid"), [5.0], [0.0]
    advice = gt.advise(chain, x, x * 0.0, w, b)
    assert "explodes on <1%, vanishes on >99%" in str(advice)
    run = gt.train(chain, x, x * 0.0, w, b, optimiser=gt.optimisers.gradient_descent(0.1), steps=1)
    assert "exceeds 1 on <1% of the samples" in str(run.events[0])


def test_a_remedy_with_which_all_runs_diverge_is_refused_for_that():
    x = np.linspace(-1, 1, 8)
    bench = Bench(gt.Chain(3, "quadratic"), x, x * 0.0, np.full(3, 50.0), np.zeros(3), 1e3)
    assert why_not(bench, (), ("weight_decay", 1e-3)) == "gradients leave their range with it"


def test_a_last_sigmoid_may_be_flat_where_cross_entropy_divides_by_its_slope():
    """The advice stopped at the rate 0.18 and the loss 0.12, just before the chain fits."""
    x = np.linspace(-1, 1, 20)
    advice = gt.advise(gt.Chain(2, ["tanh", "sigmoid"], "cross_entropy"), x, (x > 0) * 1.0, [1.0] * 2, [0.0] * 2)
    (rate,) = [remedy for remedy in advice.remedies if remedy.works]
    assert rate.loss_with < 1e-6
    assert "saturated" not in rate.cost


def test_a_run_of_which_the_direction_of_a_nudge_decides_the_end_is_not_advised():
    """The advice once ended at 3.7, 4.1, 4.2, 4.7 or 4.9, the same for all sizes of a nudge in one direction."""
    kinds = ["silu", "softplus", "selu", "gelu", "leaky_relu", "silu", "relu", "sigmoid", "hard_swish", "sigmoid"]
    kinds += ["selu", "selu", "identity", "sigmoid", "tanh", "elu", "softsign", "sine", "elu", "sigmoid"]
    chain = gt.Chain(20, kinds, "cross_entropy")
    x = np.array([0.23, -1.11, -0.73, 0.48, 1.04, -1.0, 1.15, -1.08, -0.47, 8.0])
    w = np.array([2.0, -5, 5, 5, 0, -7, -6, -3, -7, -5, -8, 3, -2, -5, -7, 8, -2, 2, 4, -4])
    b = np.array([-2.0, -2, -1, 3, 1, 4, -3, 2, -2, -3, -1, -2, 0, -1, -1, -3, -2, -1, 3, -2])
    works = [remedy for remedy in gt.advise(chain, x, (x > 0) * 1.0, w, b).remedies if remedy.works]
    for seed in range(5):
        nudge = 1e-12 * np.random.default_rng(seed).choice([-1.0, 1.0], 20)
        assert _ends(chain, x, (x > 0) * 1.0, w + nudge, b, works) == pytest.approx([works[0].loss_with] * 4, rel=1e-3)
