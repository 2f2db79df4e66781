"""A layer that stands out of a network whose gradient stays in range: words, rows, picture and remedy say the same."""

import importlib
import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import gradtheory as gt
from gradtheory.audits.layers import AuditedBlock
from gradtheory.errors import InvalidArgument
from gradtheory.networks.variants import scaled
from tests.audits.networks import data, deep, residual


def planted(layer=3, times=5.0, seed=0):
    rng = np.random.default_rng(seed)
    network = deep(rng, "relu", 7, 32, times={layer: times})
    x = data(rng)
    return gt.Network.from_nodes(network.nodes, 16, "softmax_cross_entropy"), x, rng.integers(0, 3, len(x))


@pytest.mark.parametrize(("times", "how"), [(5.0, "grows"), (1 / 20, "fades")])
def test_words_rows_and_picture_agree(times, how):
    report = gt.audit(*planted(times=times)[:2])
    assert report.is_alone
    assert (report.start, report.marked) == ("layer4", "layer4")
    first, second = str(report).splitlines()[:2]
    assert first.startswith(f"The gradient {how} in layer4 alone. Cause: its ")
    assert second.startswith("Over the others it stays in range; with this one counted, it is multiplied by ")
    assert "of them: float16" not in str(report)
    assert [layer.verdict for layer in report.layers] == ["steady"] * 3 + [how] + ["steady"] * 4
    axes = report._figure("en").axes[0]
    red = axes.lines[1]
    assert list(red.get_xdata()) == [3, 4]
    assert red.get_ydata()[0] / red.get_ydata()[1] == pytest.approx(report.layers[3].gain)
    assert axes.texts[0].get_text() == rf"$\times{report.layers[3].gain:.3g}$"
    assert json.loads(report.to_json())["is_alone"]


@pytest.mark.parametrize(
    ("gains", "marked"), [([1.0, 1.1, 0.1, 1.0], "fc#3"), ([1.0, math.nan, math.nan, math.nan], None)]
)
def test_of_calls_of_one_module_the_one_that_stands_out_is_marked(gains, marked):
    names = ("first", "fc", "fc#3", "head")
    blocks = tuple(AuditedBlock(name, gain, 0.1, ()) for name, gain in zip(names, gains, strict=True))
    assert gt.audits.Audit((), "vanishes", "fc", "", 1.0, {}, 1.0, is_alone=True, blocks=blocks).marked == marked


def test_words_count_no_first_layer():
    report = gt.audit(*planted(layer=0)[:2])
    assert (report.marked, report.is_alone) == ("layer1", True)
    assert str(report).splitlines()[1].startswith("Over the others it stays in range: it is multiplied by ")


def test_a_network_that_grows_everywhere_has_no_layer_alone():
    rng = np.random.default_rng(1)
    w = [rng.normal(0, 3 / 4, (16, 16)) for _ in range(12)]
    report = gt.audit(gt.Network((16,) * 13, "relu", w=w, b=[np.zeros(16)] * 12), rng.normal(size=(20, 16)))
    assert not report.is_alone
    assert report.marked is None
    assert str(report).startswith("The network explodes, from ")
    assert len(report._figure("en").axes[0].lines) == 2  # the curve and 1


def test_growth_is_that_of_blocks_without_the_first():
    rng = np.random.default_rng(2)
    report = gt.audit(residual(rng, 6, 32), data(rng))
    sizes = [math.log(block.gain) for block in report.blocks[1:]]
    assert report.growth == pytest.approx(math.exp(sum(sizes) / len(sizes)))
    axes = Figure().subplots()
    gt.plots.growth_of_layers(*zip(*((each.name, each.gain) for each in report.blocks), strict=True), ax=axes)
    assert report._figure("en").axes[0].lines[0].get_ydata() == pytest.approx(axes.lines[0].get_ydata())
    assert "per layer or residual block" in str(report)
    two = gt.Network((4, 4, 4), "tanh", w=[np.eye(4)] * 2, b=[np.zeros(4)] * 2)
    assert "per layer" not in str(gt.audit(two, np.ones((3, 4))))  # of one jump there is no mean


@pytest.mark.parametrize(("times", "headline"), [(5.0, "divide the weights of layer4 by "), (0.05, "multiply the")])
def test_the_weights_of_that_layer_are_the_first_remedy(times, headline, monkeypatch):
    monkeypatch.setattr(importlib.import_module("gradtheory.audits.audit"), "_STEPS", 6)
    monkeypatch.setattr("gradtheory.training.advice.of_network.advise_network.KINDS", ("layer_scale",))
    network, x, y = planted(times=times)
    report = gt.audit(network, x, y)
    first = report.remedies[0]
    assert (first.kind, first.layer) == ("layer_scale", "layer4")
    assert str(first).startswith(headline)
    assert first.value == pytest.approx(1 / times, rel=0.2)
    run = gt.train(
        scaled(network, [1.0] * 3 + [first.value] + [1.0] * 4), x, y, optimiser=gt.optimisers.adam(0.01), steps=6
    )
    np.testing.assert_array_equal(run.loss, first.curve_with)
    assert first.works is (first.loss_with <= 0.95 * first.loss_without and not first.cost)
    assert "Each is tried alone, on 64 samples:" in str(report)
    assert "loss after 6 steps of adam, η = 0.01:" in str(report)
    assert "loss after 6 steps of adam, η = 0.01:" in repr(report.remedies)
    told = json.loads(report.to_json())["remedies"][0]
    assert (told["layer"], told["value"]) == ("layer4", first.value)
    assert (told["steps"], told["improvement"]) == (6, 1.0 - told["loss_with"] / told["loss_without"])
    assert [each.kind for each in gt.advise(network, x, y, steps=1).remedies] == []  # where no layer is named


def test_marked_has_to_be_a_name():
    with pytest.raises(InvalidArgument, match="marked = 'c': must be one of the names"):
        gt.plots.growth_of_layers(["a", "b"], [1.0, 2.0], marked="c")
