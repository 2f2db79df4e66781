"""What the article says in numbers, computed again by other means than its own."""

import itertools
import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.document.messages import words
from gradtheory.pages import article
from gradtheory.pages.article.training import four_sigmoids, run_with_jumps

_CLAIMS = {claim.name: claim for claim in article.CLAIMS}


def _logit(slope):
    """Return the z ≥ 0 at which the sigmoid has a slope."""
    value = (1.0 + math.sqrt(1.0 - 4.0 * slope)) / 2.0
    return math.log(value / (1.0 - value))


def _chain_of_factors(w, factor):
    """Return the gradients by the biases of a chain whose every factor is the same, whatever its weights."""
    x, before, b = 0.5, 0.5, []
    for weight in w:
        z = _logit(factor / weight)
        b.append(z - weight * before)
        before = 1.0 / (1.0 + math.exp(-z))
    return gt.Chain(len(w)).backprop(x=x, y=0.0, w=w, b=b).b


@pytest.mark.parametrize("w", [(8.0, 16.0), (16.0, 8.0), (9.0, 10.0, 24.0), (16.0, 16.0, 16.0)])
def test_equal_factors_multiply_up_to_the_ratio_of_the_outer_weights(w):
    by_bias = _chain_of_factors(w, 2.0)
    assert by_bias[0] / by_bias[-1] == pytest.approx(2.0 ** (len(w) - 1) * w[-1] / w[0], rel=1e-12)


def test_of_mixed_factors_another_layer_suffers_most():
    w = np.array([0.5, 0.5, 8.0, 8.0])
    by_bias = gt.Chain(4).backprop(x=0.5, y=0.0, w=w, b=-w / 2.0).b
    assert (by_bias / by_bias[-1]).tolist() == [0.5, 4.0, 2.0, 1.0]
    assert _CLAIMS["depth"].finding().computed["ratios"] == r"\frac{1}{2}$, $4$, $2$, $1"


def test_the_gradient_by_the_first_bias_is_large_on_one_interval():
    w, b = [0.001] + [6.9] * 5, [0.0] + [-3.45] * 5
    x = np.linspace(-3000.0, 3000.0, 600_001)
    y, slope = [x], 1.0
    for weight, bias in zip(w, b, strict=True):
        y.append(1.0 / (1.0 + np.exp(-(weight * y[-1] + bias))))
        slope = slope * y[-1] * (1.0 - y[-1]) * weight
    explodes = x[np.abs(y[-1] * slope / w[0]) > 1.0]
    assert len(explodes) == round((explodes[-1] - explodes[0]) / 0.01) + 1
    computed = _CLAIMS["narrow"].finding().computed
    assert (float(computed["left"]), float(computed["right"])) == pytest.approx((explodes[0], explodes[-1]), abs=0.06)


def test_no_weight_of_a_cut_off_normal_distribution_exceeds_what_is_said():
    u = np.linspace(-2.0, 2.0, 400_001)
    density = np.exp(-(u**2) / 2.0)
    most = 2.0 / math.sqrt(np.trapezoid(u**2 * density, u) / np.trapezoid(density, u))
    said = float(_CLAIMS["standard_method"].finding().computed["most"])
    assert most < said < most + 1e-5


def _penalised(kind, penalty):
    """Return losses and weights of both kinds of penalty, both on the weights alone."""
    w, b, run = np.full(3, 4.0), np.array([0.0, -2.0, -2.0]), []
    for _ in range(201):
        each = [gt.Chain(3).backprop(x=x, y=y, w=w, b=b) for x, y in ((-1.0, 0.0), (1.0, 1.0))]
        run.append((sum(of.loss for of in each), np.abs(w).max()))
        moved = w - sum(of.w for of in each)
        b = b - sum(of.b for of in each)
        w = moved - penalty * w if kind == "l2" else np.sign(moved) * np.maximum(np.abs(moved) - penalty, 0.0)
    return np.array(run).T


@pytest.mark.slow
@pytest.mark.parametrize(("claim", "kind", "bound"), [("weight_decay", "l2", 2 / 27), ("lasso", "l1", 8 / 27)])
def test_both_penalties_are_on_the_weights_alone_and_the_loss_rises(claim, kind, bound):
    loss, sizes = _penalised(kind, 1.01 * bound)
    _, weaker = _penalised(kind, 0.101 * bound)
    computed = _CLAIMS[claim].finding().computed
    assert computed["start"] == f"{loss[0]:.3g}" == "0.0337"
    assert computed["loss"] == f"{loss[-1]:.3g}" == "0.25"
    assert computed["empty"] == str(np.flatnonzero(sizes < 1e-3)[0])
    assert computed["largest"] == f"{weaker[-1]:.3g}"


def test_clipping_is_of_no_use_where_the_gradient_is_infinite():
    gradients = gt.Chain(6, "identity").backprop(x=1.0, y=1.0, w=[1e-300] + [1e62] * 5, b=[0.0] * 6)
    assert np.isinf(gradients.w[0])
    computed = _CLAIMS["clipping"].finding().computed
    assert float(computed["low"]) < 0.1 < float(computed["high"])
    assert computed["end"].endswith("10^{-16}")


def test_the_gain_of_a_standard_normal_z_is_not_that_of_deep_layers():
    rows = {row[0]: row[1:] for row in _CLAIMS["gains"].finding().rows}
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    q, g = 1.0, float(rows["sigmoid"][0].strip("$"))

    def mean(values):
        return float(weights @ values) / math.sqrt(2.0 * math.pi)

    for _ in range(60):
        q = g**2 * mean((1.0 / (1.0 + np.exp(-math.sqrt(q) * nodes))) ** 2)
    s = 1.0 / (1.0 + np.exp(-math.sqrt(q) * nodes))
    assert g**2 * mean((s * (1.0 - s)) ** 2) == pytest.approx(float(rows["sigmoid"][1].strip("$")), abs=5e-4)
    assert rows["relu"][1] == "$1.000$"


def test_softsign_is_first_for_one_neuron_and_sixth_at_depth():
    rows = _CLAIMS["steep"].finding().rows
    assert [row[0] for row in rows][:2] == ["softsign", "arctan"]
    differ = [row[0] for row in rows if row[4] != row[5]]
    assert differ == ["softsign"]
    depth = {row[0]: row[5] for row in rows}
    assert (depth["softsign"], depth["sigmoid"]) == (r"$\frac{1}{2}$", "$0.4477$")


def _curvature(depth):
    """Return the second derivatives of the loss of linear layers of weight 2 without biases, by hand."""
    out, w, b = 2.0**depth, 2.0 ** (depth - 1), 2.0 ** np.arange(depth - 1, -1, -1)
    by_w = np.full((depth, depth), out * w / 2.0) - np.diag(np.full(depth, out * w / 2.0)) + w**2
    mixed = np.array([[w * b[j] + out * (b[j] / 2.0 if i > j else 0.0) for j in range(depth)] for i in range(depth)])
    return np.block([[by_w, mixed], [mixed.T, np.outer(b, b)]])


def test_the_step_decides_not_the_factors():
    """By hand: ten linear layers of weight 2 learn at a tiny rate, and one layer of weight 1/2 does not at a large one."""
    finding = _CLAIMS["jumps"].finding()
    w, b, losses = np.full(10, 2.0), np.zeros(10), []
    for _ in range(50):
        a = [1.0]
        for weight, bias in zip(w, b, strict=True):
            a.append(weight * a[-1] + bias)
        losses.append(a[-1] ** 2 / 2)
        delta = a[-1] * np.array([np.prod(w[layer + 1 :]) for layer in range(10)])
        w, b = w - 1e-8 * delta * np.array(a[:-1]), b - 1e-8 * delta
    assert all(after < before for before, after in itertools.pairwise(losses))
    assert losses[0] == 2.0**19
    assert finding.rows[3][5:7] == ("$2.00$", "$0$")
    assert finding.rows[3][7:] == (r"$5.24 \times 10^{5}$", r"$1.20 \times 10^{5}$")
    assert round(losses[-1] / 1e5, 1) == 1.2
    assert float(finding.rows[3][4].strip("$").partition(" ")[0]) == pytest.approx(
        2e7 / np.linalg.eigvalsh(_curvature(10))[-1], abs=5e-3
    )
    assert finding.rows[4][3:7] == ("$1.3$", "$1.00$", "$0.500$", "$50$")
    assert finding.computed["growth"] == f"{((0.5 - 1.3 * 0.5) - 1.3 * 0.5) ** 2 / 0.5**2:.3g}" == "2.56"


def test_the_greatest_factors_are_rounded_to_the_nearest():
    """By hand, of the four sigmoids at the input 0.02."""
    finding = _CLAIMS["jumps"].finding()
    for row, weight in ((0, 8.0), (2, 4.0)):
        a, factors = 0.02, []
        for layer in range(4):
            s = 1.0 / (1.0 + math.exp(-(weight * a - weight / 2.0 * (layer > 0))))
            factors.append(weight * s * (1.0 - s))
            a = s
        assert finding.rows[row][5] == f"${max(factors):.3g}$"
    assert finding.rows[2][5] == "$0.998$"


def test_every_slope_that_is_said_to_be_constant_is_a_step():
    finding = _CLAIMS["variants"].finding()
    constant = [step.meaning.activation.name for step in finding.steps if step.rule == "constant_slope"]
    assert constant == [row[0] for row in finding.rows if row[1] != "–"]
    assert all(step.check is not None for step in finding.steps)


def test_the_variants_with_a_constant_slope_are_those_that_are_named():
    rows = _CLAIMS["variants"].finding().rows
    named = [row[0] for row in rows if row[1] != "–"]
    said = f"{', '.join(named[:-1])} and {named[-1]}", f"{'、'.join(named[:-1])} 与 {named[-1]}"
    for lang, names in zip(("en", "zh"), said, strict=True):
        assert f" {names}" in words(lang)["claims"]["variants"]["result"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_about_half_of_the_chains_underflow_at_inputs_of_at_most_1_in_size(lang):
    """Where float64 still holds the gradient, which float32 rounds to 0; a very negative input saturates the chain."""
    said = words(lang)["claims"]["vanishing"]["result"]
    w = np.random.default_rng(3).standard_normal((50, 4000))
    shares = {}
    for x in (-1.0, 0.0, 1.0, -1e6):
        a, log_gradient = np.full(4000, x), np.zeros(4000)
        for weights in w:
            a = 1.0 / (1.0 + np.exp(-np.clip(weights * a, -700.0, 700.0)))
            log_gradient += np.log(np.abs(weights * a * (1.0 - a)) + 1e-300)
        shares[x] = np.mean(log_gradient < -150.0 * math.log(2.0))
    assert max(abs(shares[x] - 0.5) for x in (-1.0, 0.0, 1.0)) < 0.04 < shares[-1e6] - 0.9
    assert {"en": "this is for inputs up to 1 in size", "zh": "输入的绝对值不超过 1"}[lang] in said
    assert {"en": "a weight beyond 4 in size", "zh": "绝对值大于 4 的权重"}[lang] in said


def test_too_large_a_step_saturates_as_the_text_says():
    run = run_with_jumps(1.0)
    _, a, *_ = four_sigmoids(8.0)
    for weight, bias in zip(run.w[4], run.b[4], strict=True):
        a = 1.0 / (1.0 + np.exp(-(weight * np.asarray(a) + bias)))
    assert a == pytest.approx([0.02, 0.02], abs=0.002)
    assert run.loss[4] == pytest.approx(0.48, abs=0.002)
