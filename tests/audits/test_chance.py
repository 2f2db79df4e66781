"""What an audit allows: the spreads against simulated weights, and no alarm where chance alone is at work."""

import itertools
import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits.chance import (
    has_one_flat_side,
    most_of_one,
    most_over_a_stretch,
    most_saturated,
    spread_of_gain,
    spread_of_scale,
)
from gradtheory.audits.verdict.judge import through_time
from gradtheory.networks import LayerNorm, Network
from tests.audits.networks import data, deep, residual


@pytest.mark.parametrize(("n_in", "n_out"), [(2, 3), (16, 16), (64, 8)])
def test_the_spread_of_gains_is_that_of_random_weights(n_in, n_out):
    rng = np.random.default_rng(0)
    slopes = rng.integers(0, 2, (4000, n_out)) * 1.0
    slopes[:, 0] = 1.0  # so that some gradient passes
    g, w = rng.normal(size=(4000, n_out)) * slopes, rng.normal(size=(4000, n_out, n_in)) / math.sqrt(n_in)
    logs = np.log(np.linalg.norm(np.einsum("ijk,ij->ik", w, g), axis=1) * math.sqrt(2.0 / n_out))
    kurtosis = np.mean(slopes**4) / np.mean(slopes**2) ** 2
    assert spread_of_gain(kurtosis, n_out, n_in) == pytest.approx(np.std(logs), rel=0.25)


def test_the_spread_of_scales_is_that_of_random_weights():
    w = np.random.default_rng(1).normal(size=(20_000, 6))
    assert spread_of_scale(6) == pytest.approx(np.std(0.5 * np.log(np.mean(w**2, axis=1))), rel=0.02)
    assert spread_of_scale(1) == pytest.approx(math.pi / math.sqrt(8.0), rel=1e-12)  # of log|g|


def test_walks_and_deviations_stay_within_their_bounds():
    steps = np.random.default_rng(2).normal(size=(4000, 60))
    walks = np.concatenate([np.zeros((4000, 1)), np.cumsum(steps, axis=1)], axis=1)
    ranges = np.ptp(walks, axis=1)
    assert np.mean(ranges > most_over_a_stretch(60.0)) <= 0.005
    assert np.mean(ranges > 0.75 * most_over_a_stretch(60.0)) > 0.01  # it is no idle bound
    assert np.mean(np.abs(steps).max(axis=1) > most_of_one(60, 1.0)) <= 0.006
    assert np.mean(np.abs(steps).max(axis=1) > 0.75 * most_of_one(60, 1.0)) > 0.05


def test_half_of_the_units_of_relu_may_be_off():
    off = np.random.default_rng(3).binomial(24, 0.5, (4000, 12)).max(axis=1) / 24.0
    assert np.mean(off > most_saturated(12, 24)) <= 0.005
    assert np.mean(off > 0.9 * most_saturated(12, 24)) > 0.01
    assert most_saturated(12, 24) > 0.75
    assert most_saturated(1, 100_000) < 0.51
    assert [has_one_flat_side(gt.activation(each)) for each in ("relu", "gelu", "tanh", "identity", "sine")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_deep_relu_layers_that_are_off_by_chance_are_no_fault():
    rng = np.random.default_rng(4)
    network = deep(rng, "relu", 30, 16)
    b = [np.where(np.arange(16) < 9, -50.0, 50.0) if k == 20 else each for k, each in enumerate(network.b)]
    report = gt.audit(network.carrying(network.w, b), data(rng))
    assert report.layers[20].saturated == 9 / 16
    assert report.layers[20].verdict != "saturated"
    assert report.verdict == "stable"


def test_narrow_networks_are_judged_by_what_narrow_weights_do():
    alarms = 0
    for seed in range(6):
        rng = np.random.default_rng([5, seed])
        alarms += gt.audit(deep(rng, "tanh", 12, 3, n_in=3, n_out=2), data(rng, 3)).verdict != "stable"
    assert alarms == 0


ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "sigmoid")


def fresh(seed):
    """A healthy network of 2 to 40 layers, 16 to 256 wide, with the initialisation that its activation asks for."""
    rng = np.random.default_rng([11, seed])
    depth, width = int(rng.integers(2, 41)), int(rng.choice([16, 32, 64, 128, 256]))
    n_in, n_out = int(rng.choice([4, 16, 50, 100])), int(rng.choice([1, 3, 10]))
    which, x = ACTIVATIONS[rng.integers(len(ACTIVATIONS))], data(rng, n_in, int(rng.choice([8, 32, 64])))
    kind = seed % 4
    if kind == 3:
        return residual(rng, max(2, depth // 2), width, n_in=n_in, n_out=n_out), x
    if kind == 2:
        return normed(rng, "gelu" if which == "sigmoid" else which, depth, width, n_in, n_out), x
    if which in ("relu", "tanh"):
        return deep(rng, which, depth, width, n_in=n_in, n_out=n_out), x
    edge = gt.meanfield.edge_of_chaos(which, [1.0])
    widths = (n_in,) + (width,) * depth + (n_out,)
    w = [rng.normal(0, edge.sigma_w[0] / math.sqrt(m), (n, m)) for m, n in itertools.pairwise(widths[:-1])]
    b = [rng.normal(0, edge.sigma_b[0], n) for n in widths[1:-1]]
    w.append(rng.normal(0, 1 / math.sqrt(width), (n_out, width)))
    return Network(widths, [which] * depth + ["identity"], w=w, b=[*b, np.zeros(n_out)]), x


def normed(rng, which, depth, width, n_in, n_out):
    """Dense layers with a norm before each activation."""
    nodes = []
    for node in deep(rng, which, depth, width, n_in=n_in, n_out=n_out).nodes[:-1]:
        if node.name.endswith(".activation"):
            norm = LayerNorm(np.ones(width), np.zeros(width), 1e-5)
            nodes.append(type(node)(f"norm{len(nodes)}", norm, (len(nodes) - 1,)))
        nodes.append(type(node)(node.name, node.operation, (len(nodes) - 1,)))
    return Network.from_nodes(nodes, n_in)


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 200), marks=pytest.mark.slow)], ids=str)
def test_fresh_healthy_networks_are_left_alone(seeds, monkeypatch):
    monkeypatch.setattr("gradtheory.audits.measure.largest_of_factor", lambda *_: (1.0, 0.0))  # no verdict asks
    monkeypatch.setattr("gradtheory.audits.measure.all_of_factor", lambda *_: None)
    alarms = [seed for seed in seeds if gt.audit(*fresh(seed)).verdict != "stable"]
    assert len(alarms) <= len(seeds) / 100, alarms


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (
            math.log(1e3),
            ("explodes", "rnn", "the gradient grows by a factor of 1.995 per time step, 1e+03 over 10 of them"),
        ),
        (
            math.log(1e-2),
            ("vanishes", "rnn", "the gradient fades by a factor of 0.631 per time step, 100 over 10 of them"),
        ),
        (math.log(9.0), None),
        (-math.log(9.0), None),
    ],
)
def test_growth_through_time_is_told_from_a_factor_of_ten_on(size, told):
    verdict = through_time("rnn", size, 10)
    assert (verdict and verdict[:3]) == told


@pytest.mark.parametrize("which", ["quadratic", "exponential", "z**3", "Max(0, z)**2", "z + z**3/10"])
def test_no_unit_is_saturated_where_slopes_have_no_bound(which):
    """Below 1 % of an infinite slope were all of them."""
    rng = np.random.default_rng(0)
    record = gt.activation(which) if "z" not in which else gt.expression(which)
    shapes = (32, 8), (32, 32), (4, 32)
    w = [rng.normal(0, 0.5 / math.sqrt(n_in), (n_out, n_in)) for n_out, n_in in shapes]
    network = Network((8, 32, 32, 4), [record, record, "identity"], w=w, b=[np.zeros(n) for n, _ in shapes])
    report = gt.audit(network, rng.normal(size=(64, 8)), rng.normal(size=(64, 4)))
    assert (report.verdict, [layer.saturated for layer in report.layers]) == ("stable", [0.0] * 3)


def test_a_fitted_classifier_is_not_saturated_where_the_loss_takes_logits():
    """With cross entropy no gradient meets the slope of the last sigmoid, which a good fit makes small."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    x[:, 0] += 2.0 * np.sign(x[:, 0])
    y = 1.0 * (x[:, :1] > 0.0)
    w = [rng.normal(0, n_in**-0.5, (n_out, n_in)) for n_out, n_in in ((16, 4), (16, 16), (1, 16))]
    b = [np.zeros(16), np.zeros(16), np.zeros(1)]
    network = Network((4, 16, 16, 1), ["relu", "relu", "sigmoid"], "cross_entropy", w=w, b=b)
    fitted = gt.train(network, x, y, optimiser=gt.optimisers.adam(0.01), steps=300).network
    logits = Network((4, 16, 16, 1), ["relu", "relu", "identity"], "binary_cross_entropy_with_logits", w=w, b=b)
    report, other = gt.audit(fitted, x, y), gt.audit(logits.carrying(fitted.w, fitted.b), x, y)
    assert (report.verdict, other.verdict, report.layers[-1].saturated) == ("stable", "stable", 0.0)
    for name in ("gain", "slope_gain", "predicted_gain", "largest_singular_value", "dead"):
        assert getattr(report.layers[-1], name) == pytest.approx(getattr(other.layers[-1], name), rel=1e-9)
    assert report.layers[-1].kind == "dense 16 → 1, sigmoid"
    for loss in ("mse", "squared"):
        assert gt.audit(fitted, x, y, loss=loss).layers[-1].saturated == 1.0
