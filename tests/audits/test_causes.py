"""The cause that an audit states where a layer and the rest of the network do opposite things."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits.chance import spread_of_gain
from gradtheory.audits.layers import AuditedBlock, AuditedLayer
from gradtheory.audits.verdict.judge import judge
from gradtheory.networks import Dense, LayerNorm, Network, Node, Scale, Sum
from tests.audits.networks import data, residual


def test_a_layer_that_grows_in_a_network_that_fades():
    rng = np.random.default_rng(0)
    w = [rng.normal(0, 0.5 * (2 / 32) ** 0.5, (32, 32)) for _ in range(12)]
    w[6] *= 6.0
    report = gt.audit(gt.Network((32,) * 13, "relu", w=w, b=[np.zeros(32)] * 12), rng.normal(size=(32, 32)))
    assert (report.verdict, report.start) == ("vanishes", "layer7")
    assert report.cause.startswith("two things are wrong: its weights are ")
    factor = report.cause.partition("; and over other layers the gradient fades by a factor of ")[2]
    assert float(factor) > 10.0
    assert report.table.startswith("The network lets gradients vanish, while gradients grow in layer7. Cause: ")


def test_large_weights_through_which_the_gradient_fades():
    rng = np.random.default_rng(1)
    w = [rng.normal(0, 0.6 / 8, (64, 64)) for _ in range(10)]
    w[4] *= 5.0
    report = gt.audit(gt.Network((64,) * 11, "sigmoid", w=w, b=[np.zeros(64)] * 10), rng.normal(size=(64, 64)))
    assert (report.verdict, report.start) == ("vanishes", "layer5")
    assert f"(σ_w = {report.layers[4].sigma_w:.3g}), and yet its gain is 0." in report.cause


@pytest.mark.parametrize("width", [16, 200])
def test_weights_that_are_all_0_are_named(width):
    rng = np.random.default_rng(2)
    w = [rng.normal(0, width**-0.5, (width, width)) for _ in range(6)]
    w[3][:] = 0.0
    for b in (0.0, -0.05):  # with relu, gradients by what follows are 0, too
        report = gt.audit(gt.Network((width,) * 7, "relu", w=w, b=[np.full(width, b)] * 6), rng.normal(size=(8, width)))
        assert (report.verdict, report.start) == ("vanishes", "layer4")
        assert report.cause == "its weights pass nothing on: no gradient passes"


def test_branches_that_all_start_with_0_are_a_way_to_initialise():
    rng = np.random.default_rng(3)
    start = residual(rng, 6, 32, times={(k, "down"): 0.0 for k in range(6)})
    assert gt.audit(start, data(rng)).verdict == "stable"
    one = residual(rng, 6, 32, times={(3, "down"): 0.0})
    assert (gt.audit(one, data(rng)).verdict, gt.audit(one, data(rng)).start) == ("vanishes", "blocks.3.down")


@pytest.mark.parametrize("gain", [0.03, 30.0])
def test_what_other_layers_undo_is_one_fault(gain):
    gains = [1.0] * 6 + [gain] + [gain**-0.25] * 4  # of two kinds: the first stand beside their peers
    blocks = [AuditedBlock(f"b{k}", each, 0.05, (k,), "ab"[k > 6]) for k, each in enumerate(gains)]
    layers = [AuditedLayer(f"b{k}", "ab"[k > 6], each, is_measured_only=True) for k, each in enumerate(gains)]
    rows, verdict = judge(layers, blocks, {})
    how, kind, other = ("grows", "explodes", "fades") if gain > 1.0 else ("fades", "vanishes", "grows")
    assert (verdict.verdict, verdict.start, rows[6].verdict) == (kind, "b6", how)
    assert verdict.headline == f"The gradient {how} in {{}}"
    assert "two things are wrong" not in verdict.cause
    assert f"; over other layers the gradient {other} by a factor of " in verdict.cause
    assert verdict.cause.endswith(", and over all it stays in range")
    blocks += [AuditedBlock(f"c{k}", gain**-0.5, 0.05, (), "c") for k in range(6)]  # more than that
    assert "two things are wrong" in judge(layers, blocks, {})[1].cause


def test_factors_beyond_float64_are_stated():
    blocks = [AuditedBlock(f"b{k}", 1e50, 0.1, ()) for k in range(30)]
    assert "by a factor of 1e+1450" in judge([], blocks, {})[1].cause
    assert spread_of_gain(1e6, 8, 8) < 2.0  # of slopes that are 0 but for one


def behind_norms(rng, factors, width=16):
    nodes = [Node("embed", Dense(rng.normal(0, 0.25, (width, 4)), None), (-1,))]
    for k, factor in enumerate(factors):
        start = len(nodes) - 1
        nodes.append(Node(f"b.{k}.fc", Dense(rng.normal(0, 0.5 * width**-0.5, (width, width)), None), (start,)))
        nodes.append(Node(f"b.{k}.times", Scale(np.asarray(factor)), (start,)))
        nodes.append(Node(f"b.{k}.sum", Sum(), (start + 1, start + 2)))
        nodes.append(Node(f"b.{k}.norm", LayerNorm(None, None, 1e-5), (start + 3,)))
    nodes.append(Node("head", Dense(rng.normal(0, 0.25, (3, width)), None), (len(nodes) - 1,)))
    return Network.from_nodes(nodes, 4)


def test_a_shortcut_behind_norms_is_held_against_the_others():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(32, 4))
    assert gt.audit(behind_norms(rng, [2.0] * 5), x).verdict == "stable"  # as DeepNorm has it
    report = gt.audit(behind_norms(rng, [1.0, 1.0, 2.0, 1.0, 1.0]), x)
    assert (report.start, report.cause) == ("b.2.fc", "its residual connection multiplies by 2")


@pytest.mark.parametrize("is_centred", [True, False])
def test_weights_that_a_norm_divides_away_are_remarked_upon(is_centred):
    rng = np.random.default_rng(7)
    w = [rng.normal(0, 32**-0.5, (32, 32)) for _ in range(8)]
    w[3] *= 6.0
    nodes = []
    for k, each in enumerate(w):
        nodes.append(Node(f"fc{k}", Dense(each, None), (len(nodes) - 1,)))
        nodes.append(Node(f"norm{k}", LayerNorm(np.ones(32), None, 1e-5, is_centred), (len(nodes) - 1,)))
    nodes.append(Node("head", Dense(rng.normal(0, 32**-0.5, (3, 32)), None), (len(nodes) - 1,)))
    x, y = rng.normal(size=(32, 32)), rng.normal(size=(32, 3))
    report = gt.audit(Network.from_nodes(nodes, 32), x, y)
    assert (report.verdict, report.start) == ("stable", None)
    assert [layer.name for layer in report.layers if layer.cause] == ["fc3"]
    cause = report.layers[3].cause
    assert f"Yet of fc3: {cause}." in str(report)
    slow = float(cause.partition("changes them ")[2].partition(" times less")[0])
    assert slow == pytest.approx(36.0, rel=0.3)


def test_factors_that_a_cause_names_multiply_to_the_growth_that_it_explains():
    """Here a residual connection, and there a factor before each layer, makes most of it."""
    rng = np.random.default_rng(5)
    nodes = [Node("first", Dense(rng.normal(0, 0.1875, (64, 64)), None), (-1,))]
    for number in range(12):
        source = len(nodes) - 1
        branch = Dense(rng.normal(0, 0.1875, (64, 64)), None)
        nodes += [Node(f"layer{number}", branch, (source,)), Node(f"sum{number}", Sum(), (source, source + 1))]
    with_sums = gt.audit(gt.Network.from_nodes(nodes, 64), rng.normal(size=(32, 64)))
    nodes = [Node("first", Dense(rng.normal(0, 0.1875 / 20, (64, 64)), None), (-1,))]
    for number in range(12):
        scaled = Node(f"factor{number}", Scale(np.asarray(30.0)), (len(nodes) - 1,))
        nodes += [scaled, Node(f"layer{number}", Dense(rng.normal(0, 0.1875 / 20, (64, 64)), None), (len(nodes),))]
    with_factors = gt.audit(gt.Network.from_nodes(nodes, 64), rng.normal(size=(32, 64)))
    for report in (with_sums, with_factors):
        assert report.verdict == "explodes"
        factor, slopes, weights, rest = (
            float(report.cause.split(before)[1].split()[0].rstrip(","))
            for before in ("factor of ", "slopes contribute ", "weights ", "and factors, ")
        )
        number = round(math.log(factor) / math.log(slopes * weights * rest))
        assert (slopes * weights * rest) ** number == pytest.approx(factor, rel=0.1)
        assert "and all else, such as residual connections, norms and factors" in report.cause
        for layer in report.layers:
            if layer.verdict == "grows":
                assert "and all else" in layer.cause
    assert "gains are those of dense layers alone" in with_factors.table
