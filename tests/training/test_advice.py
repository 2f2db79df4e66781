"""Advice: the diagnosis is what backprop says, and every remedy does what its theorem promises."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.training.advice import advise

_X = np.linspace(-1, 1, 24)
_Y = (_X > 0) * 1.0


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
    for remedy in advice.remedies:
        assert remedy.works, str(remedy)


def test_an_exploding_chain_is_told_three_remedies():
    advice = advise(gt.Chain(4), _X, _Y, [8.0] * 4, [-4.0] * 4)
    assert advice.exploding == (1, 2, 3, 4)
    clip, decay, step = advice.remedies
    assert clip.before > 1.9
    assert clip.after <= 1
    assert decay.constant == gt.remedies.weight_decay_guarantee(gt.Chain(4), _X, _Y).weight_decay
    assert decay.after <= 1 < decay.before
    h = gt.curvature.sharpness(gt.Chain(4), _X, _Y, [8.0] * 4, [-4.0] * 4)
    assert step.constant == pytest.approx(2 / h)
    assert step.after == pytest.approx(0.8**50)
    text = str(advice)
    assert text.count("as promised") == 3
    assert "NOT" not in text
    assert "layer 1: w = 8 (critical 4)" in text
    assert "float64" in text


def test_a_vanishing_chain_is_told_where_its_slopes_are():
    advice = advise(gt.Chain(3), _X, _Y, [3.0] * 3, [-20.0] * 3)
    assert advice.vanishing == (1, 2, 3)
    remedy = advice.remedies[0]
    assert remedy.after > 1e6 * remedy.before
    again = advise(gt.Chain(3), _X, _Y, [3.0] * 3, remedy.constant)
    assert again.vanishing == ()


@pytest.mark.parametrize("which", ["tanh", "softplus", "gelu", "sine", "cosine", "gaussian"])  # the last two are even
def test_a_product_that_vanishes_slowly_is_raised_to_one(which):
    chain, w = gt.Chain(6, which), [0.5, -0.4, 0.5, 0.3, 0.0, -0.6]
    advice = advise(chain, _X, _Y, w, [0.0] * 6)
    raised = next(each for each in advice.remedies if each.remedy.startswith("raise"))
    again = advise(chain, _X, _Y, *raised.constant)
    assert advice.total_factor < 0.1
    assert again.total_factor > 0.99
    assert not any(each.remedy.startswith("raise") for each in again.remedies)


def test_what_no_weight_can_raise_is_not_prescribed():
    assert advise(gt.Chain(2, "exponential"), _X, _Y, [0.1, 0.1], [-9.0, -9.0]).vanishing == (1, 2)


def test_a_sound_chain_is_left_alone():
    advice = advise(gt.Chain(2), _X, _Y, [3.0, 3.0], [0.0, -1.5])
    assert (advice.exploding, advice.vanishing) == ((), ())
    assert [each.remedy for each in advice.remedies] == ["keep the learning rate of gradient descent below"]


def test_a_constant_activation_has_an_infinite_critical_weight():
    step = gt.activation(sympy.sign(sympy.Symbol("z", real=True)))
    advice = advise(gt.Chain(2, step), _X + 0.01, _Y, [1.0, 1.0], [0.0, 0.0])
    assert [layer.critical_weight for layer in advice.layers] == [math.inf, math.inf]
    assert advice.vanishing == (1, 2)


def test_results_show_in_a_line():
    advice = advise(gt.Chain(4), _X, _Y, [8.0] * 4, [-4.0] * 4)
    for result in (advice, *advice.remedies):
        assert "\n" not in repr(result)
    assert repr(advice).startswith("Advice(exploding layers (1, 2, 3, 4), vanishing layers ()")
    assert all("as promised" in repr(remedy) for remedy in advice.remedies)


def test_flat_and_unbounded_ones_have_answers_too():
    dead = advise(gt.Chain(2, "relu"), _X, _Y, [1.0, 1.0], [-5.0, -5.0])
    assert dead.total_factor == 0
    assert dead.overflow["float64"] == 1
    grown = advise(gt.Chain(2, "exponential"), _X, _Y, [1.5, 1.5], [0.0, 0.0])
    assert grown.exploding
    assert all(each.remedy.startswith("keep") for each in grown.remedies)
    huge = advise(gt.Chain(2, "identity"), [1e200], [0.0], [1e200, 1.0], [0.0, 0.0])
    assert math.isfinite(huge.total_factor)


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
