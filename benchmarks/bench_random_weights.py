"""Gaussian moments, the edge of chaos and simulated networks against what one would write with SciPy and NumPy."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf

import gradtheory as gt
from gradtheory.random_weights.gaussian import differences
from gradtheory.random_weights.meanfield import tables

_BIASES = np.linspace(0.05, 1.0, 200)


def _gelu(x):
    return x * (1 + erf(x / math.sqrt(2))) / 2


def _gelu_slope(x):
    return (1 + erf(x / math.sqrt(2))) / 2 + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _expected(function, q):
    scale = math.sqrt(q)
    density = 1 / math.sqrt(2 * math.pi)
    return quad(lambda z: function(scale * z) ** 2 * math.exp(-z * z / 2) * density, -12, 12, epsrel=1e-13, limit=200)[
        0
    ]


def _edge(bias):
    def residual(q):
        return q - _expected(_gelu, q) / _expected(_gelu_slope, q) - bias**2

    return _expected(_gelu_slope, brentq(residual, 1e-3, 1e3)) ** -0.5


def bench_edge_of_chaos(compare):
    def ours():
        tables.moment_table.cache_clear()
        return gt.meanfield.edge_of_chaos("gelu", _BIASES).sigma_w

    assert abs(ours()[-1] - _edge(_BIASES[-1])) < 1e-9
    compare(
        "`edge_of_chaos`, gelu, 200 σ_b",
        ours,
        "SciPy `quad` and `brentq`, 2 σ_b",
        lambda: [_edge(bias) for bias in _BIASES[[0, -1]]],
        longest=1.0,
    )


def bench_moment(compare):
    assert abs(gt.gaussian.moment("gelu", 1.7) - _expected(_gelu, 1.7)) < 1e-12
    compare(
        "`gaussian.moment`, gelu, to 1e-12",
        lambda: gt.gaussian.moment("gelu", 1.7),
        "SciPy `quad`",
        lambda: _expected(_gelu, 1.7),
        longest=1e-3,
    )


@pytest.mark.parametrize(("name", "theirs"), [("gelu_tanh", "gelu"), ("tanh", "tanh"), ("silu", "swish")])
def bench_moment_of_dks(compare, name, theirs):
    from dks.base import activation_getter, activation_transform

    function = activation_getter.get_activation_function(theirs)

    def peer():
        return activation_transform._estimate_gaussian_mean(lambda x: function(x) ** 2)

    assert abs(gt.gaussian.moment(name, 1) - peer()) < 1e-10
    compare(
        f"`gaussian.moment`, {name}, q = 1, to 1e-15",
        lambda: gt.gaussian.moment(name, 1),
        "dks, to 1e-11",
        peer,
        largest_ratio=1.0,
    )


@pytest.mark.parametrize(("name", "width", "networks"), [("relu", 1024, 2), ("tanh", 256, 32), ("gelu", 1024, 2)])
def bench_networks(compare, name, width, networks):
    depth, inputs = 10, 256
    rng = np.random.default_rng(0)
    weights, a, out = (
        rng.standard_normal((width, width)),
        rng.standard_normal((width, inputs)),
        np.empty((width, inputs)),
    )

    def products():
        for _ in range(networks * depth):
            np.matmul(weights, a, out=out)
        for _ in range(networks * (depth - 1)):
            np.matmul(weights.T, a, out=out)

    compare(
        f"`random_networks`, {name}, width {width}",
        lambda: gt.simulation.random_networks(name, depth, width, 1.2, 0.1, networks=networks, inputs=inputs),
        "the bare matrix products",
        products,
        largest_ratio=1.5,
    )


def bench_lyapunov_exponent(compare):
    scales = iter(np.linspace(1.0, 2.0, 10_000))  # no answer is remembered
    compare(
        "`lyapunov_exponent`, sigmoid, to 1e-13",
        lambda: gt.lyapunov_exponent("sigmoid", next(scales)),
        "a simulation, to 1e-2",
        lambda: gt.simulation.random_chains("sigmoid", depth=30, burn_in=10, chains=1000),
        longest=0.05,
    )


@pytest.mark.parametrize("name", ["tanh", "gelu"])
def bench_depth_scales(compare, name):
    weight, bias = np.meshgrid(np.linspace(0.5, 3.0, 100), np.linspace(0.01, 1.0, 100))

    def ours():
        differences.interpolation.cache_clear()
        tables._interpolated.cache_clear()
        tables.moment_table.cache_clear()
        return gt.meanfield.depth_scales(name, weight, bias)

    compare(
        f"`depth_scales`, {name}, 100 × 100 scales",
        ours,
        "ours, 3 pairs of scales one by one",
        lambda: [gt.meanfield.depth_scales(name, scale, 0.8) for scale in (0.9, 1.2, 1.38)],
        longest=10.0,
    )
