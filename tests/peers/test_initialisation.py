"""Scales, bounds and samples of initial weights against torch.nn.init."""

import math

import numpy as np
import pytest
import sympy
from scipy import stats

from gradtheory.pages.article.random_weights import DEFAULTS
from gradtheory.random_weights.initialisation import (
    constant,
    glorot,
    he,
    lecun,
    orthogonal,
    pytorch_default,
    standard_normal,
)

_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
init = torch.nn.init

_FAN_IN, _FAN_OUT = 1200, 800

# calculate_gain of torch.nn.init, exactly.
_GAINS = {
    ("linear", None): 1,
    ("sigmoid", None): 1,
    ("tanh", None): sympy.Rational(5, 3),
    ("relu", None): sympy.sqrt(2),
    ("leaky_relu", None): sympy.sqrt(2 / (1 + sympy.Rational(1, 10**4))),
    ("leaky_relu", 0.5): sympy.sqrt(sympy.Rational(8, 5)),
    ("leaky_relu", math.sqrt(5)): sympy.sqrt(sympy.Rational(1, 3)),
    ("selu", None): sympy.Rational(3, 4),
}


def weights(fill, *arguments, shape=(_FAN_OUT, _FAN_IN), seed=11, **options):
    torch.manual_seed(seed)
    return fill(torch.empty(*shape, dtype=torch.float64), *arguments, **options).numpy()


def agree(layer, theirs):
    """Compare the mean, the mean square and how often |w| is below half, one and two scales; and the bound."""
    assert theirs.shape == (layer.fan_out, layer.fan_in) == layer.sample().shape
    scale, flat = float(layer.scale), theirs.ravel()
    square = np.square(flat)
    assert abs(flat.mean()) < 4 * scale / math.sqrt(flat.size)
    spread = square.std() if layer.shape != "orthogonal" else 1e-6 * scale**2 * math.sqrt(flat.size)
    assert abs(square.mean() - scale**2) < 4 * spread / math.sqrt(flat.size)
    for ratio in (0.5, 1, 2):
        probability = float(layer.probability(ratio * scale))
        error = math.sqrt(probability * (1 - probability) / flat.size)
        assert abs((np.abs(flat) < ratio * scale).mean() - probability) <= 4 * error
    if layer.shape == "uniform":
        bound = float(layer.bound)
        assert (1 - 1e-3) * bound < np.abs(flat).max() <= bound * (1 + 1e-7)
    ours = layer.sample(11).ravel()
    assert stats.ks_2samp(ours[:20_000], flat[:20_000]).pvalue > 1e-4


@pytest.mark.parametrize(("kind", "parameter"), _GAINS, ids=str)
def test_gains(kind, parameter):
    assert float(_GAINS[kind, parameter]) == pytest.approx(init.calculate_gain(kind, parameter), rel=1e-14)


@pytest.mark.parametrize("gain", [1, "5/3", sympy.sqrt(2)])
def test_xavier(gain):
    number = float(sympy.sympify(gain))
    agree(glorot(_FAN_IN, _FAN_OUT, gain=gain), weights(init.xavier_normal_, number))
    agree(glorot(_FAN_IN, _FAN_OUT, gain=gain, shape="uniform"), weights(init.xavier_uniform_, number))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(("kind", "parameter"), _GAINS, ids=str)
def test_kaiming(kind, parameter, mode):
    options = {"a": parameter or 0.01, "mode": mode, "nonlinearity": kind}
    gain = _GAINS[kind, parameter]
    agree(he(_FAN_IN, _FAN_OUT, gain=gain, mode=mode), weights(init.kaiming_normal_, **options))
    layer = he(_FAN_IN, _FAN_OUT, gain=gain, mode=mode, shape="uniform")
    agree(layer, weights(init.kaiming_uniform_, **options))


def test_kaiming_for_relu_is_he_unasked():
    agree(he(_FAN_IN, _FAN_OUT), weights(init.kaiming_normal_, nonlinearity="relu"))
    agree(he(_FAN_IN, _FAN_OUT, shape="uniform"), weights(init.kaiming_uniform_))  # a = 0
    agree(lecun(_FAN_IN, _FAN_OUT), weights(init.kaiming_normal_, nonlinearity="linear"))


@pytest.mark.parametrize("fans", [(_FAN_IN, _FAN_OUT), (300, 500), (400, 400)], ids=str)
@pytest.mark.parametrize("gain", [1, 3])
def test_orthogonal(fans, gain):
    layer = orthogonal(*fans, gain=gain)
    theirs = weights(init.orthogonal_, gain, shape=fans[::-1])
    agree(layer, theirs)
    for matrix in (theirs, layer.sample()):
        np.testing.assert_allclose(np.linalg.svd(matrix, compute_uv=False), gain, rtol=1e-12)


def test_orthogonal_signs():
    """Both multiply by the signs of R: single entries lean to no side."""
    theirs = np.array([weights(init.orthogonal_, shape=(3, 3), seed=seed) for seed in range(2000)])
    ours = np.array([orthogonal(3).sample(seed) for seed in range(2000)])
    for row, column in ((0, 0), (1, 2), (2, 2)):
        assert stats.ks_2samp(ours[:, row, column], theirs[:, row, column]).pvalue > 1e-3


def test_normal_and_constant():
    agree(standard_normal(_FAN_IN, _FAN_OUT), weights(init.normal_))
    agree(standard_normal(_FAN_IN, _FAN_OUT, sigma="0.02"), weights(init.normal_, 0.0, 0.02))
    np.testing.assert_array_equal(constant(5, 3, value="0.3").sample(), weights(init.constant_, 0.3, shape=(3, 5)))
    np.testing.assert_array_equal(constant(5, 3).sample(), weights(init.ones_, shape=(3, 5)))


@pytest.mark.parametrize("fans", [(1, 1), (7, 3), (3, 7), (_FAN_IN, _FAN_OUT)], ids=str)
def test_fans_are_those_of_a_linear_layer(fans):
    linear = torch.nn.Linear(*fans)
    for make in (lecun, glorot, he, orthogonal, pytorch_default, standard_normal, constant):
        layer = make(*fans)
        assert (layer.fan_in, layer.fan_out) == init._calculate_fan_in_and_fan_out(linear.weight)
        assert layer.sample().shape == tuple(linear.weight.shape)


def test_the_default_of_linear():
    torch.manual_seed(11)
    linear = torch.nn.Linear(_FAN_IN, _FAN_OUT, dtype=torch.float64)
    agree(pytorch_default(_FAN_IN, _FAN_OUT), linear.weight.detach().numpy())
    agree(he(_FAN_IN, _FAN_OUT, gain=sympy.sqrt(3) / 3, shape="uniform"), linear.weight.detach().numpy())
    agree(pytorch_default(_FAN_IN, _FAN_OUT), weights(init.kaiming_uniform_, math.sqrt(5)))


def test_defaults_of_the_article():
    """What the article says of the weights that libraries draw by default; Flax takes JAX's lecun_normal."""
    keras = pytest.importorskip("keras", reason=_REASON)
    jax = pytest.importorskip("jax", reason=_REASON)
    from jax.example_libraries import stax

    dense = keras.layers.Dense(_FAN_IN)
    dense.build((None, _FAN_IN))
    key = jax.random.PRNGKey(11)
    drawn = {
        "PyTorch `nn.Linear`": torch.nn.Linear(_FAN_IN, _FAN_IN).weight.detach().numpy(),
        "Keras `Dense`": np.asarray(dense.kernel),
        "JAX `stax.Dense`": np.asarray(stax.Dense(_FAN_IN)[0](key, (1, _FAN_IN))[1][0]),
        "Flax `linen.Dense`": np.asarray(jax.nn.initializers.lecun_normal()(key, (_FAN_IN, _FAN_IN))),
    }
    assert set(drawn) == set(DEFAULTS)
    for name, (law, _) in DEFAULTS.items():
        layer = law(_FAN_IN)
        scale = float(layer.scale)
        assert drawn[name].std() == pytest.approx(scale, rel=5e-3), name
        cut_off = float(layer.bound) if layer.shape == "uniform" else 2.3 * scale  # at 2 before it is scaled to fit
        assert 0.95 * cut_off < np.abs(drawn[name]).max() < 1.0001 * cut_off, name
