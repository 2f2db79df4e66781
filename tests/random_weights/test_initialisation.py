"""Initial weights: the published formulas, samples, and probabilities against SciPy."""

import math

import numpy as np
import pytest
import scipy
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.initialisation import (
    Initialisation,
    constant,
    glorot,
    he,
    lecun,
    orthogonal,
    pytorch_default,
    standard_normal,
)
from tests.shapes import slow_except

_LAYERS = {
    "standard normal": standard_normal(300, 200),
    "σ = 3/10": standard_normal(300, 200, sigma="0.3"),
    "lecun": lecun(300, 200),
    "lecun uniform": lecun(300, 200, shape="uniform"),
    "glorot": glorot(300, 200),
    "glorot uniform": glorot(300, 200, gain="5/3", shape="uniform"),
    "he": he(300, 200),
    "he uniform": he(300, 200, mode="fan_out", shape="uniform"),
    "orthogonal, wide": orthogonal(300, 200),
    "orthogonal, tall": orthogonal(200, 300, gain=sympy.sqrt(2)),
    "pytorch": pytorch_default(300, 200),
    "constant": constant(300, 200, value="0.1"),
}
_FANS = st.integers(1, 10**7)


@given(fan_in=_FANS, fan_out=_FANS, gain=st.fractions("1/10", 10, max_denominator=100))
def test_published_formulas(fan_in, fan_out, gain):
    n, m = sympy.Integer(fan_in), sympy.Integer(fan_out)
    exact = sympy.Rational(gain)
    # LeCun et al. 1998, equation 16: σ = m^(-1/2); Glorot & Bengio 2010, equations 12 and 16; He et al. 2015, 10 and 14
    assert lecun(fan_in, fan_out).scale ** 2 == 1 / n
    assert glorot(fan_in, fan_out).scale ** 2 == 2 / (n + m)
    assert glorot(fan_in, fan_out, gain=gain).scale ** 2 == exact**2 * 2 / (n + m)
    assert sympy.simplify(glorot(fan_in, fan_out, shape="uniform").bound - sympy.sqrt(6) / sympy.sqrt(n + m)) == 0
    assert he(fan_in, fan_out).scale ** 2 == 2 / n
    assert he(fan_in, fan_out, mode="fan_out").scale ** 2 == 2 / m
    assert he(fan_in, fan_out, gain=gain).scale ** 2 == exact**2 / n
    assert orthogonal(fan_in, fan_out, gain=gain).scale ** 2 == exact**2 / max(n, m)
    assert pytorch_default(fan_in, fan_out).bound ** 2 == 1 / n  # torch.nn.Linear: U(-√k, √k), k = 1/in_features
    assert pytorch_default(fan_in, fan_out).sigma_w ** 2 == sympy.Rational(1, 3)
    assert standard_normal(fan_in, fan_out, sigma=gain).scale == exact
    assert standard_normal(fan_in, fan_out).sigma_w ** 2 == n


def test_mean_field_scales():
    assert he(64, 10).sigma_w == sympy.sqrt(2)
    assert lecun(64, 10).sigma_w == 1
    assert glorot(64).sigma_w == 1
    assert glorot(60, 20).sigma_w == sympy.sqrt(sympy.Rational(3, 2))
    assert orthogonal(64, 10, gain=3).sigma_w == 3
    assert orthogonal(10, 90).sigma_w == sympy.Rational(1, 3)
    assert constant(16, value=2).sigma_w == 8


@pytest.mark.parametrize("make", [lecun, glorot, he, orthogonal, pytorch_default, standard_normal, constant])
def test_one_fan_is_both(make):
    assert make(7) == make(7, 7)
    assert (make(7).fan_in, make(7).fan_out, make(7).name) == (7, 7, make.__name__)
    assert make(np.int64(7)) == make(7)
    assert make(7, 3).sample().shape == (3, 7)
    assert make(7).sample().dtype == np.float64


@pytest.mark.parametrize("key", _LAYERS)
def test_moments_of_samples(key):
    layer = _LAYERS[key]
    samples = np.concatenate([layer.sample(seed).ravel() for seed in range(5)])
    scale = float(layer.scale)
    square = np.square(samples)
    if layer.shape in {"constant", "orthogonal"}:  # the sum of squares is fixed
        assert square.mean() == pytest.approx(scale**2, rel=1e-12)
    else:
        assert abs(square.mean() - scale**2) < 3 * square.std() / math.sqrt(len(samples))
    if layer.shape != "constant":
        assert abs(samples.mean()) < 3 * scale / math.sqrt(len(samples))
        fourth = {"normal": 3, "uniform": 9 / 5, "orthogonal": 3 * 300 / 302}[layer.shape]
        assert np.mean(square**2) / scale**4 == pytest.approx(fourth, rel=0.03)
    assert np.abs(samples).max() <= float(layer.bound) * (1 + 1e-15)
    if layer.shape == "uniform":
        assert np.abs(samples).max() > 0.9999 * float(layer.bound)
    assert (layer.bound == sympy.oo) == (layer.shape == "normal")


def in_scipy(layer, below):
    scale = float(layer.scale)
    if layer.shape == "normal":
        return 1 - 2 * scipy.stats.norm.sf(below, scale=scale)
    if layer.shape == "uniform":
        bound = scale * math.sqrt(3)
        return 2 * scipy.stats.uniform.cdf(below, -bound, 2 * bound) - 1
    if layer.shape == "constant":
        return float(scale < below)
    n = max(layer.fan_in, layer.fan_out)
    gain = scale * math.sqrt(n)
    return scipy.stats.beta.cdf((below / gain) ** 2, 0.5, (n - 1) / 2)


@pytest.mark.parametrize("key", _LAYERS)
@pytest.mark.parametrize("ratio", slow_except({0.5, 3}, [0.01, 0.5, 1.0001, 1.5, 3, 100]))
def test_probabilities(key, ratio):
    layer = _LAYERS[key]
    below = ratio * float(layer.scale)
    probability = layer.probability(below)
    assert float(probability) == pytest.approx(in_scipy(layer, below), rel=1e-10, abs=1e-15)
    samples = np.abs(np.concatenate([layer.sample(seed).ravel() for seed in range(3)]))
    error = math.sqrt(float(probability) * (1 - float(probability)) / len(samples))
    assert abs((samples < below).mean() - float(probability)) <= 3 * error + 1e-15


def test_known_probabilities():
    assert standard_normal(9).probability(1) == sympy.erf(1 / sympy.sqrt(2))
    assert he(8).probability("1/2") == sympy.erf(1 / sympy.sqrt(2))
    assert pytorch_default(4).probability("1/8") == sympy.Rational(1, 4)
    assert pytorch_default(4).probability("1/2") == pytorch_default(4).probability(9) == 1
    # a row of a 2 × 2 rotation is (cos, sin) of a uniform angle; of a 3 × 3 one an entry is uniform (Archimedes)
    assert orthogonal(2).probability("1/2").n(30) == pytest.approx(1 / 3, abs=1e-15)
    assert orthogonal(3, 2, gain=4).probability(3).n(30) == pytest.approx(0.75, abs=1e-15)
    assert orthogonal(5).probability(1) == 1
    # a 1 × 1 one is ±gain
    assert [orthogonal(1, gain=2).probability(each) for each in ("1.9", 2, "2.1")] == [0, 0, 1]
    assert set(np.ravel([orthogonal(1, gain=2).sample(seed) for seed in range(20)])) == {-2.0, 2.0}
    assert [constant(3, value="1/2").probability(each) for each in ("0.4", "1/2", "0.6")] == [0, 0, 1]


@given(below=st.fractions("1/1000", 3, max_denominator=1000), more=st.fractions("1/1000", 1, max_denominator=1000))
def test_probabilities_grow(below, more):
    for layer in (he(3), lecun(5, shape="uniform"), orthogonal(4, 2), constant(2)):
        lesser, greater = (float(layer.probability(each)) for each in (below, below + more))
        assert 0 <= lesser <= greater <= 1


@given(fan_in=st.integers(1, 40), fan_out=st.integers(1, 40), gain=st.fractions("1/4", 4, max_denominator=9))
def test_orthogonal_samples_are_orthogonal(fan_in, fan_out, gain):
    weights = orthogonal(fan_in, fan_out, gain=gain).sample(5)
    gram = weights @ weights.T if fan_out <= fan_in else weights.T @ weights
    np.testing.assert_allclose(gram, float(gain) ** 2 * np.eye(min(fan_in, fan_out)), atol=1e-13 * float(gain) ** 2)


@pytest.mark.slow
def test_orthogonal_samples_are_uniform():
    """Mezzadri 2007: without the signs of R, traces and determinants of Q would lean to one side."""
    samples = np.array([orthogonal(3).sample(seed) for seed in range(2000)])
    traces, determinants = np.trace(samples, axis1=1, axis2=2), np.linalg.det(samples)
    for statistic, variance in ((traces, 1), (determinants, 1), (samples[:, 0, 0], 1 / 3), (samples[:, 2, 2], 1 / 3)):
        assert abs(statistic.mean()) < 3 * math.sqrt(variance / len(samples))
        assert np.square(statistic).mean() == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("key", _LAYERS)
def test_seeds_are_kept(key):
    layer = _LAYERS[key]
    np.testing.assert_array_equal(layer.sample(3), layer.sample(3))
    np.testing.assert_array_equal(layer.sample(), layer.sample(0))
    np.testing.assert_array_equal(layer.sample(3), layer.sample(np.random.default_rng(3)))
    assert (layer.sample(3) == layer.sample(4)).all() == (layer.shape == "constant")
    rng = np.random.default_rng(3)
    assert (layer.sample(rng) == layer.sample(rng)).all() == (layer.shape == "constant")


def test_laws_are_values():
    assert he(3) == he(3, 3, gain=sympy.sqrt(2))
    assert he(3) != lecun(3)
    assert len({he(3), he(3), glorot(3)}) == 2
    assert isinstance(he(3), Initialisation)
    with pytest.raises(AttributeError):
        he(3).scale = 1


_MAKERS = (lecun, glorot, he, orthogonal, pytorch_default, standard_normal, constant)
_NO_FANS = (0, -1, 1.0, 1.5, "3", "", True, False, 10**7 + 1, [3], np.array([3]), math.nan, sympy.Symbol("n"))
_NO_SIZES = (0, -1, "x", math.nan, math.inf, True, [1], 1j, sympy.Symbol("g"))
_REFUSED = {
    "fan_in": [*((make, (bad,), {}) for make in _MAKERS for bad in (*_NO_FANS, None))],
    "fan_out": [*((make, (3, bad), {}) for make in _MAKERS for bad in _NO_FANS)],
    "gain": [*((make, (3,), {"gain": bad}) for make in (glorot, he, orthogonal) for bad in _NO_SIZES)],
    "sigma": [*((standard_normal, (3,), {"sigma": bad}) for bad in _NO_SIZES)],
    "value": [*((constant, (3,), {"value": bad}) for bad in _NO_SIZES)],
    "mode": [*((he, (3,), {"mode": bad}) for bad in ("fan_avg", "", None, 1, "FAN_IN", ["fan_in"]))],
    "shape": [
        *((make, (3,), {"shape": bad}) for make in (lecun, glorot, he) for bad in ("orthogonal", "", None, "truncated"))
    ],
    "below": [*((he(3).probability, (bad,), {}) for bad in (*_NO_SIZES, None))],
}


@pytest.mark.parametrize(
    ("argument", "call"), [(argument, call) for argument, calls in _REFUSED.items() for call in calls]
)
def test_bad_input_is_refused_in_one_line(argument, call):
    function, arguments, options = call
    with pytest.raises(InvalidArgument) as refusal:
        function(*arguments, **options)
    assert str(refusal.value).startswith(f"{argument} = ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("gain", [1 + sympy.sqrt(2), sympy.sqrt(3 + 2 * sympy.sqrt(2))])
def test_the_one_weight_of_an_orthogonal_matrix_is_never_below_its_own_size(gain):
    assert [orthogonal(1, gain=gain).probability(c) for c in (2, 1 + sympy.sqrt(2), 3)] == [0, 0, 1]
