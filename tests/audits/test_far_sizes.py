"""Gradients whose squares leave float64 have norms all the same."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits.blocks import kurtosis, norm, norms
from gradtheory.networks import Network


def _network(which, depth, times, rng):
    w = [rng.normal(0, 1.4 * times.get(layer, 1.0) / 4.0, (16, 16)) for layer in range(depth)]
    return Network((16,) * (depth + 1), [which] * (depth - 1) + ["identity"], "mse", w=w, b=[np.zeros(16)] * depth)


@pytest.mark.parametrize("which", ["relu", "identity", "gelu"])
@pytest.mark.parametrize("size", [1e60, 1e100, 1e150])
def test_a_layer_that_multiplies_by_ever_so_much_explodes(which, size):
    """Beyond 1e77 squares of gradients overflowed, and gains of inf and nan were stable."""
    rng = np.random.default_rng(0)
    network, (x, y) = _network(which, 4, {2: size}, rng), rng.normal(size=(2, 32, 16))
    report, usual = gt.audit(network, x, y), gt.audit(network, x, y * 0.0)
    assert (report.verdict, report.start) == ("explodes", "layer3")
    gains = [layer.gain for layer in report.layers]
    assert gains[2] == pytest.approx(1.4 * size, rel=0.9)
    assert all(0.1 < gain < 10 for place, gain in enumerate(gains) if place != 2)
    assert usual.verdict == "explodes"


@pytest.mark.parametrize("each", [1e11, 1e-11])
def test_layers_that_all_multiply_explode_or_fade(each):
    rng = np.random.default_rng(0)
    network, (x, y) = _network("relu", 12, dict.fromkeys(range(12), each), rng), rng.normal(size=(2, 32, 16))
    report = gt.audit(network, x, y)
    assert report.verdict == ("explodes" if each > 1.0 else "vanishes")
    assert math.isfinite(report.growth)
    assert 0.1 < report.growth / each < 10


def test_norms_beyond_squares_are_those_of_scaled_numbers():
    rows = np.random.default_rng(0).normal(size=(5, 7))
    for size in (1e-300, 1e-200, 1.0, 1e200, 1e300):
        assert norm(size * rows) == pytest.approx(size * np.linalg.norm(rows), rel=1e-12)
        assert norms(size * rows, 1) == pytest.approx(size * np.linalg.norm(rows, axis=1), rel=1e-12)
        assert kurtosis(size * rows) == pytest.approx(kurtosis(rows), rel=1e-12)
    assert (norm(np.zeros((3, 2))), norms(np.zeros((3, 2)), 1).tolist()) == (0.0, [0.0] * 3)
    assert norm(np.array([1.0, np.inf])) == np.inf


def test_where_the_gradient_is_0_from_the_start_nothing_is_known():
    """A network that fits its classes to the last digit was said to keep gradients in range."""
    rng = np.random.default_rng(0)
    w = [rng.normal(0, 1.4, (16, 16)) for _ in range(10)]
    names = [*["relu"] * 9, "identity"]
    network = Network((16,) * 11, names, "softmax_cross_entropy", w=w, b=[np.zeros(16)] * 10)
    x = rng.normal(size=(50, 16))
    report = gt.audit(network, x, network.forward(x).argmax(axis=1))
    assert (report.verdict, str(report.loss)) == ("stable", "0.0")
    assert str(report).startswith("The gradient of the loss is 0, and nothing is known of how the network would change")
    assert gt.audit(network, x).verdict == "explodes"
