"""Audits of networks: planted faults are named, healthy networks are left alone, and theory agrees with what is measured."""

import json
import math
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks.variants import scaled, unit_variance
from tests.audits.networks import SCHEMES, data, deep, residual


def healthy(seed):
    rng = np.random.default_rng(seed)
    width, n_in, n_out = int(rng.choice([32, 64])), int(rng.choice([4, 16, 50])), int(rng.choice([1, 3, 10]))
    if seed % 4 == 3:
        network = residual(rng, int(rng.integers(3, 9)), width, n_in=n_in, n_out=n_out)
    else:
        which = list(SCHEMES)[int(rng.integers(len(SCHEMES)))]
        network = deep(rng, which, int(rng.integers(2, 13)), width, n_in=n_in, n_out=n_out)
    y = rng.normal(size=(64, n_out)) if rng.random() < 0.5 else None
    return network, data(rng, n_in), y


@pytest.mark.parametrize("seeds", [range(20), pytest.param(range(20, 200), marks=pytest.mark.slow)], ids=str)
def test_healthy_networks_are_left_alone(seeds):
    alarms = [seed for seed in seeds if gt.audit(*healthy(seed)).verdict != "stable"]
    assert len(alarms) <= len(seeds) / 100, alarms


def faulty(seed):
    """A network with one fault, its data, and the name that the audit must give."""
    rng = np.random.default_rng(seed)
    match seed % 5:
        case 0 | 1:
            which, depth = list(SCHEMES)[int(rng.integers(len(SCHEMES)))], int(rng.integers(5, 15))
            layer = int(rng.integers(0, depth + 1))
            return deep(rng, which, depth, 64, times={layer: 5.0}), data(rng), f"layer{layer + 1}"
        case 2:
            depth = int(rng.integers(3, 15))
            layer = int(rng.integers(0, depth + 1))
            return deep(rng, "relu", depth, 64, times={layer: 0.0}), data(rng), f"layer{layer + 1}"
        case 3:
            blocks = int(rng.integers(5, 10))
            block, name = int(rng.integers(0, blocks)), str(rng.choice(["up", "down"]))
            return residual(rng, blocks, 64, times={(block, name): 5.0}), data(rng), f"blocks.{block}.{name}"
        case _:
            blocks = int(rng.integers(3, 10))
            block = int(rng.integers(0, blocks))
            return residual(rng, blocks, 64, doubled=block), data(rng), f"blocks.{block}"


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 100), marks=pytest.mark.slow)], ids=str)
def test_planted_faults_are_named(seeds):
    for seed in seeds:
        network, x, name = faulty(seed)
        report = gt.audit(network, x)
        assert report.start == name, (seed, report, report.cause)
        assert report.verdict != "stable"


@pytest.mark.parametrize(("which", "sigma_w", "verdict"), [("relu", 2.0, "explodes"), ("sigmoid", 1.0, "vanishes")])
def test_uniform_growth_starts_at_the_output(which, sigma_w, verdict):
    rng = np.random.default_rng(3)
    w = [rng.normal(0, sigma_w / 8, (64, 64)) for _ in range(30)]
    report = gt.audit(gt.Network((64,) * 31, which, w=w, b=[np.zeros(64)] * 30), rng.normal(size=(40, 64)))
    assert (report.verdict, report.start) == (verdict, "layer30")
    assert all(layer.agrees for layer in report.layers[1:])
    chi = gt.meanfield.chi(which, report.layers[10].mean_square_z, report.layers[10].sigma_w)
    assert report.layers[10].predicted_gain == pytest.approx(math.sqrt(float(chi)), rel=1e-9)
    assert report.overflow["float32"] == gt.overflow_depth(report.growth)
    assert (report.growth > 1.3) is (verdict == "explodes")


def test_the_columns_are_what_they_say():
    rng = np.random.default_rng(4)
    network = deep(rng, "tanh", 3, 8, n_in=5, n_out=2)
    x, y = data(rng, 5, 20), rng.normal(size=(20, 2))
    report, gradients = (
        gt.audit(network, x, y, loss="mse"),
        gt.Network.from_nodes(network.nodes, 5, "mse").backprop(x, y),
    )
    assert report.loss == gradients.loss
    for layer, w, b in zip(report.layers, gradients.w, gradients.b, strict=True):
        assert layer.gradient_norm == pytest.approx(math.hypot(np.linalg.norm(w), np.linalg.norm(b)))
        assert layer.gain == pytest.approx(layer.slope_gain * layer.weight_gain)
        assert layer.gain <= layer.largest_singular_value * (1 + 1e-12)
    z = x @ network.w[0].T
    first = report.layers[0]
    assert first.mean_square_z == pytest.approx(np.mean(z**2))
    assert first.mean_square_a == pytest.approx(np.mean(np.tanh(z) ** 2))
    assert first.sigma_w == pytest.approx(math.sqrt(5 * np.mean(network.w[0] ** 2)))
    total = math.prod(layer.gain for layer in report.layers)
    output = gt.Network.from_nodes(network.nodes, 5).forward(x)
    assert total == pytest.approx(np.linalg.norm(gradients.x) / np.linalg.norm(output - y) * 40 / 2)


def test_growth_layer_by_layer_has_its_cause_in_slopes_and_weights():
    rng = np.random.default_rng(8)
    w = [rng.normal(0, 2 * math.sqrt(2 / 64), (64, 64)) for _ in range(12)]
    w[4] /= 2.0  # He's, whose gain is 1
    report = gt.audit(gt.Network((64,) * 13, "relu", w=w, b=[np.zeros(64)] * 12), rng.normal(size=(40, 64)))
    assert report.verdict == "explodes"
    assert [layer.verdict for layer in report.layers] == ["steady"] + ["grows"] * 3 + ["steady"] + ["grows"] * 7
    gains = [layer.gain for layer in report.layers[1:]]
    slopes, weights = (
        float(np.exp(np.mean(np.log([getattr(layer, of) for layer in report.layers[1:]]))))
        for of in ("slope_gain", "weight_gain")
    )
    assert slopes * weights == pytest.approx(math.prod(gains) ** (1 / 11))
    factor = math.prod(gains)
    assert report.cause.endswith(f"per layer slopes contribute {slopes:.3g}, weights {weights:.3g}")
    assert float(report.cause.split("factor of ")[1].split()[0]) == pytest.approx(factor, rel=0.5)
    assert report.layers[1].cause.startswith(f"slopes contribute {report.layers[1].slope_gain:.3g}, weights ")


@pytest.mark.parametrize("outputs", [1, 2, 10])
@pytest.mark.parametrize("seed", range(3))
def test_a_narrow_output_hides_no_fading_of_wide_layers(outputs, seed):
    rng = np.random.default_rng(seed)
    widths = (*(64,) * 20, outputs)
    w = [rng.normal(0, 0.7 / math.sqrt(n), (m, n)) for n, m in pairwise(widths)]
    network = gt.Network(widths, ["tanh"] * 19 + ["identity"], "mse", w=w, b=[np.zeros(m) for m in widths[1:]])
    x, y = rng.normal(size=(32, 64)), rng.normal(size=(32, outputs))
    assert gt.audit(network, x, y).verdict == "vanishes"


@pytest.mark.parametrize("seed", [2, 68])
def test_a_bottleneck_of_one_neuron_is_no_fault(seed):
    rng = np.random.default_rng(seed)
    widths = (*(64,) * 5, 1, *(64,) * 5, 1)
    w = [rng.normal(0, 1 / math.sqrt(n), (m, n)) for n, m in pairwise(widths)]
    network = gt.Network(widths, "identity", "mse", w=w, b=[np.zeros(m) for m in widths[1:]])
    assert gt.audit(network, rng.normal(size=(64, 64))).verdict == "stable"


@pytest.mark.parametrize("seed", range(3))
def test_the_growth_that_is_told_is_that_of_the_gradient(seed):
    rng = np.random.default_rng(seed)
    w = [rng.normal(0, 2.4 / math.sqrt(8), (8, 8)) for _ in range(24)]
    report = gt.audit(gt.Network((8,) * 25, "relu", w=w, b=[np.zeros(8)] * 24), rng.normal(size=(40, 8)))
    gains = np.array([layer.gain for layer in report.layers[:0:-1]])  # from the output back, but for the first
    passed = np.concatenate([[0.0], np.cumsum(np.log(gains))])
    furthest = max(passed[k] - passed[:k].min() for k in range(1, len(passed)))
    if report.verdict == "explodes":
        told = float(report.cause.split("grows by a factor of ")[1].split()[0])
        assert 10.0 < told <= math.exp(furthest) * 1.01


def test_gains_of_single_neurons_are_the_factors_of_the_chain():
    w, b, x = np.array([2.0, -1.0, 3.0, 0.5, 1.5]), np.array([0.1, 0.2, 0.0, -0.3, 0.4]), np.array([0.3])
    network = gt.Network((1,) * 6, "tanh", w=w.reshape(5, 1, 1), b=b.reshape(5, 1))
    report = gt.audit(network, x[:, None])
    a = x[0]
    for layer, weight, bias in zip(report.layers, w, b, strict=True):
        z = weight * a + bias
        assert layer.gain == pytest.approx(abs(weight) / math.cosh(z) ** 2, rel=1e-12)
        a = math.tanh(z)


def test_saturated_and_overflowing_layers():
    rng = np.random.default_rng(5)
    w = [rng.normal(0, 1 / 4, (16, 16)) for _ in range(4)]
    b = [np.zeros(16), np.full(16, 30.0), np.zeros(16), np.zeros(16)]
    report = gt.audit(gt.Network((16,) * 5, "tanh", w=w, b=b), rng.normal(size=(30, 16)))
    assert (report.verdict, report.start) == ("vanishes", "layer2")
    assert report.layers[1].saturated == 1.0
    w[1] *= 1e200
    w[2] *= 1e200
    report = gt.audit(gt.Network((16,) * 5, "relu", w=w, b=[np.zeros(16)] * 4), rng.normal(size=(30, 16)))
    assert (report.verdict, report.start) == ("explodes", "layer3")
    assert json.loads(report.to_json())["layers"][3]["mean_square_z"] is None


@pytest.mark.slow
def test_the_report_in_three_ways():
    rng = np.random.default_rng(6)
    report = gt.audit(deep(rng, "relu", 5, 32, times={4: 5.0}), data(rng))
    assert str(report).startswith("The gradient grows in layer5 alone. Cause: its weights are ")
    assert repr(report) == "Audit(explodes in 'layer5' alone; 6 layers)"
    told = json.loads(report.to_json())
    assert told["remedies"] == []
    assert told["reason"] == report.reason == "no remedy is tried: that needs targets, y"
    assert (told["start"], told["layers"][4]["name"], told["layers"][4]["verdict"]) == ("layer5", "layer5", "grows")

    class Links(HTMLParser):
        def __init__(self):
            super().__init__()
            self.targets = []

        def handle_starttag(self, tag, attributes):
            self.targets += [value for key, value in attributes if key in ("src", "href")]
            assert tag != "script"

    page, links = report.to_html(), Links()
    links.feed(page)
    assert page.count("<svg") == 3  # the growth, the singular values, the phases
    assert all(link.startswith(("#", "data:")) for link in links.targets)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gt.audit("model.onnx", [[1.0]]),
            "network = 'model.onnx': must be a torch.nn.Module or a gradtheory.Network, as Network.from_onnx",
        ),
        (lambda: gt.audit(gt.Network((2, 1)), [[1.0, 2.0]]), "w = None: is needed"),
        (lambda: gt.audit(healthy(0)[0], [[1.0]]), "x.shape = "),
        (lambda: gt.audit(*healthy(0)[:2], loss="hinge"), "loss = 'hinge': must be one of"),
        (lambda: gt.audit(*healthy(0)[:2], on_unknown="skip"), "on_unknown = 'skip': must be"),
        (lambda: gt.monitor("model"), "module = 'model': must be a torch.nn.Module"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_a_gradient_that_overflows_on_its_way_back_is_named():
    w = [np.full((1, 1), 1e-200), np.full((1, 1), 1e200), np.full((1, 1), 1e200)]
    report = gt.audit(gt.Network((1, 1, 1, 1), "identity", w=w, b=[np.zeros(1)] * 3), [[1e-200]])
    assert (report.verdict, report.start) == ("explodes", "layer2")
    assert report.layers[1].verdict == "not finite"


def test_singular_values_of_units_that_are_off_are_0():
    rng = np.random.default_rng(7)
    report = gt.audit(deep(rng, "relu", 3, 32), data(rng))
    for layer in report.layers[1:3]:
        on = layer.singular_values > 0.0
        assert 0 < np.sum(on) < 32
        assert layer.singular_values[on].min() > 1e-6


def test_half_saturated_layers_saturate():
    rng = np.random.default_rng(8)
    w = [rng.normal(0, 1, (32, 32)) / 6 for _ in range(3)]
    b = [np.zeros(32), np.where(np.arange(32) < 20, 40.0, 0.0), np.zeros(32)]
    report = gt.audit(gt.Network((32,) * 4, "tanh", w=w, b=b), rng.normal(size=(30, 32)))
    assert (report.verdict, report.start) == ("saturates", "layer2")
    assert "saturated" in report.cause


@pytest.mark.slow
def test_remedies_are_tried_on_this_very_network():
    rng = np.random.default_rng(9)
    w = [rng.normal(0, 8 / 3, (8, 8)) for _ in range(8)]
    network, x, y = gt.Network((8,) * 9, "relu", "mse", w=w, b=[np.zeros(8)] * 8), *rng.normal(size=(2, 20, 8))
    report = gt.audit(network, x, y)
    assert report.verdict == "explodes"
    advised = report.advice.advised
    assert advised.works
    assert advised.loss_with <= advised.loss_without
    assert advised in report.remedies
    assert f"{advised.loss_with:.4g} with it" in str(report)
    assert "diverged without it" in str(report) or "% lower: works" in str(report)
    told = next(each for each in json.loads(report.to_json())["remedies"] if each["works"])
    assert (told["kind"], told["loss_with"]) == (advised.kind, advised.loss_with)
    assert gt.audit(*healthy(1)).reason == "no remedy is tried: nothing is wrong"


def default_initialised(seed):
    """Networks of few layers as PyTorch initialises them, or deep ones with unit variance on their data."""
    rng = np.random.default_rng(seed)
    x, which = data(rng), str(rng.choice(["relu", "tanh", "gelu"]))
    if seed % 2:
        network = deep(rng, which, int(rng.integers(4, 13)), 64)
        return scaled(network, unit_variance(network, x)), x
    widths = (16, 64, 64, 3)
    limits = [1 / math.sqrt(n) for n in widths[:-1]]
    w = [rng.uniform(-c, c, (n, m)) for c, m, n in zip(limits, widths, widths[1:], strict=False)]
    b = [rng.uniform(-c, c, n) for c, n in zip(limits, widths[1:], strict=True)]
    return gt.Network(widths, [which, which, "identity"], w=w, b=b), x


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 100), marks=pytest.mark.slow)], ids=str)
def test_networks_initialised_by_torch_or_by_unit_variance_are_left_alone(seeds):
    alarms = [seed for seed in seeds if gt.audit(*default_initialised(seed)).verdict != "stable"]
    assert len(alarms) <= len(seeds) / 100, alarms


def test_growth_that_theory_has_in_every_layer_is_no_chance():
    rng = np.random.default_rng(0)
    w = [rng.standard_normal((64, 64)) for _ in range(7)]  # standard normal: σ_w = 8
    report = gt.audit(gt.Network((64,) * 8, "tanh", w=w, b=[np.zeros(64)] * 7), rng.standard_normal((128, 64)))
    assert (report.verdict, report.start) == ("explodes", "layer7")
    scaled = gt.Network((64,) * 8, "tanh", w=[each / 8 for each in w], b=[np.zeros(64)] * 7)
    assert gt.audit(scaled, rng.standard_normal((128, 64))).verdict == "stable"


def test_a_report_says_which_loss_it_starts_from():
    rng = np.random.default_rng(1)
    network = gt.Network(
        (4, 8, 2),
        "tanh",
        "mse",
        w=[rng.standard_normal((8, 4)), rng.standard_normal((2, 8))],
        b=[np.zeros(8), np.zeros(2)],
    )
    x, y = rng.standard_normal((16, 4)), rng.standard_normal((16, 2))
    assert gt.audit(network, x).loss_name == "none"
    assert "random directions" in gt.audit(network, x).table
    assert gt.audit(network, x, y).loss_name == "mse"
    assert gt.audit(network, x, y, loss="mse_sum").loss_name == "mse_sum"
    assert "The loss on these data is" in gt.audit(network, x, y).table
    assert "(mse)." in gt.audit(network, x, y).table


def test_inputs_of_another_scale_are_told():
    rng = np.random.default_rng(2)
    w = [rng.standard_normal((16, 16)) * (2 / 16) ** 0.5 for _ in range(4)]
    network, x = gt.Network((16,) * 5, "relu", w=w, b=[np.zeros(16)] * 4), rng.standard_normal((100, 16))
    assert "scale them to about 1" in gt.audit(network, 1_000 * x).table
    assert "scale them" not in gt.audit(network, x).table
