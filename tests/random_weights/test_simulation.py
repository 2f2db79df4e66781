"""Random chains and wide networks: every theoretical rate within 3 standard errors of what they did, seeds fixed."""

import math
import os

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights import meanfield
from gradtheory.random_weights.simulation import Measured, random_chains, random_networks
from tests.shapes import slow_except

_CRITICAL_GELU = meanfield.critical_initialisation("gelu")
_CHAINS = [
    ("sigmoid", 1.0, 1.0),
    ("sigmoid", 8.0, 0.5),
    ("tanh", 2.0, 0.5),
    ("gelu", 0.9, 1.0),
    ("sine", 3.0, 0.2),
    ("leaky_relu", 1.0, 1.0),
    ("softsign", 4.0, 1.0),
    ("elu", 0.8, 0.6),
]
_NETWORKS = [
    ("relu", 2**0.5, 0.0),
    ("tanh", 1.2, 0.1),
    ("gelu", _CRITICAL_GELU.sigma_w, _CRITICAL_GELU.sigma_b),
    ("sigmoid", 1.0, 1.0),
    ("erf", 1.5, 0.05),
]
_DEPTH = 6
_THREE_SIGMA = 0.9973  # Student's t allows for few networks


def mean_field(name, sigma_w, sigma_b, depth=_DEPTH, correlation=0.5):
    """Return q, c and the gradient's mean square of every layer, in the limit of wide layers."""
    q = sigma_w**2 + sigma_b**2
    c = (sigma_w**2 * correlation + sigma_b**2) / q
    layers = [(q, c)]
    for _ in range(depth - 1):
        c = float(meanfield.correlation_map(name, c, q, sigma_w, sigma_b))
        q = float(meanfield.variance_map(name, q, sigma_w, sigma_b))
        layers.append((q, c))
    return (*np.transpose(layers), meanfield.gradients(name, depth, sigma_w, sigma_b))


def parts(sample):
    return sample.variance, sample.correlation, sample.gradient


@pytest.mark.slow
@pytest.mark.parametrize(("which", "sigma_w", "sigma_b"), _CHAINS)
def test_one_neuron_per_layer_grows_as_the_theory_says(which, sigma_w, sigma_b):
    sample = random_chains(which, 160, sigma_w, sigma_b, chains=20_000, burn_in=60, seed=1)
    theory = gt.lyapunov_exponent(which, sigma_w, sigma_b)
    assert abs(sample.log_factor.deviation(theory.value)) < 3
    assert abs(sample.square_factor.deviation(math.exp(2 * theory.mean_square))) < 3
    assert abs(sample.exceeds.deviation(gt.factor_probability(which, sigma_w, sigma_b=sigma_b))) < 3
    growth = (sample.log_gradient.mean[-1] - sample.log_gradient.mean[59]) / 100
    assert growth == pytest.approx(sample.log_factor.mean, rel=1e-9)
    assert abs(sample.log_factor.deviation(theory.mean_square)) > 30  # the average misleads


@pytest.mark.slow
def test_the_mean_square_of_the_product_is_carried_by_few_chains():
    sample = random_chains("sine", 40, 3.0, 0.2, chains=50_000, seed=3)
    theory = gt.lyapunov_exponent("sine", 3.0, 0.2)
    rates = 0.5 * np.log(sample.square_gradient.mean) / np.arange(1, 41)
    assert rates[3] == pytest.approx(theory.mean_square_rate, abs=0.02)
    assert sample.log_gradient.mean[-1] / 40 == pytest.approx(theory.value, abs=0.01)
    assert theory.value + 0.5 < rates[-1] < theory.mean_square_rate - 0.2  # 50,000 chains are too few to see it


@pytest.mark.parametrize("which", ["tanh", "relu", "gelu", "sine"])
def test_the_product_is_what_backprop_finds(which):
    depth, dead = 7, 0
    for seed in range(20):
        sample = random_chains(which, depth, 1.3, 0.4, chains=1, x=0.7, seed=seed)
        rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
        w, b = (rng.standard_normal((depth, 2)) * (1.3, 0.4)).T
        gradients = gt.Chain(depth, which).backprop(0.7, -2.0, w, b)
        product = abs(float(gradients.x)) / math.sqrt(2.0 * gradients.loss)  # C = (a_L + 2)²/2
        dead += product == 0.0
        expected = math.log(product) if product else -math.inf
        assert sample.log_gradient.mean[-1] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert sample.square_gradient.mean[-1] == pytest.approx(product**2, rel=1e-12, abs=0)
    assert (dead > 0) == (which == "relu")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("width", slow_except({64}, [64, 256, 1024]))
@pytest.mark.parametrize(("which", "sigma_w", "sigma_b"), _NETWORKS)
def test_wide_networks_do_what_the_limit_says(which, sigma_w, sigma_b, width):
    networks = {64: 32, 256: 32, 1024: 10}[width]
    sample = random_networks(
        which,
        _DEPTH,
        width,
        sigma_w,
        sigma_b,
        networks=networks,
        inputs={64: 256, 256: 128, 1024: 32}[width],
        seed=1,
    )
    for measured, theory in zip(parts(sample), mean_field(which, sigma_w, sigma_b), strict=True):
        low, high = measured.interval(_THREE_SIGMA)
        assert np.all((low < theory) & (theory < high)), (low, theory, high)


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "which", "part"), [("gaussian", "selu", 1), ("orthogonal", "erf", 0)])
def test_the_limit_is_approached_as_one_over_the_width(weights, which, part):
    theory = mean_field(which, 1.0, 0.05, 3)[part][-1]
    missing = {}
    for width, networks in ((8, 8_000), (16, 4_000)):
        sample = random_networks(which, 3, width, 1.0, 0.05, networks=networks, inputs=8, weights=weights, seed=2)
        measured = parts(sample)[part]
        missing[width] = measured.mean[-1] - theory
    assert 1.5 < missing[8] / missing[16] < 2.7, missing


@pytest.mark.slow
@pytest.mark.parametrize(("which", "sigma_w", "sigma_b"), _NETWORKS)
def test_orthogonal_weights_have_the_same_limit(which, sigma_w, sigma_b):
    sample = random_networks(
        which, _DEPTH, 128, sigma_w, sigma_b, networks=32, inputs=128, weights="orthogonal", seed=1
    )
    for measured, theory in zip(parts(sample), mean_field(which, sigma_w, sigma_b), strict=True):
        allowed = 3 * measured.standard_error + 12 / 128 * theory  # the limit, and the distance of width 128 from it
        assert np.all(np.abs(measured.mean - theory) < allowed), (measured.mean, theory)


def test_orthogonal_linear_networks_keep_every_length():
    sample = random_networks("identity", 30, 32, 1.0, networks=3, inputs=8, weights="orthogonal")
    np.testing.assert_allclose(sample.variance.mean, 1.0, rtol=1e-12)
    np.testing.assert_allclose(sample.correlation.mean, 0.5, rtol=1e-12)
    np.testing.assert_allclose(sample.gradient.mean, sample.gradient.mean[-1], rtol=1e-12)


def test_the_gradient_of_a_network_of_one_neuron_is_what_backprop_finds():
    depth = 5
    sample = random_networks("gelu", depth, 1, 1.3, 0.4, networks=1, inputs=2, correlation=-1.0, seed=9)
    rng = np.random.default_rng(np.random.SeedSequence(9).spawn(1)[0])
    x = np.array([1.0, -1.0]) * np.sign(rng.standard_normal((2, 1, 1))[0, 0, 0])
    w, b = (rng.standard_normal((depth, 2)) * (1.3, 0.4)).T
    delta = rng.standard_normal(2)
    gradients = gt.Chain(depth, "gelu").backprop(x, np.full(2, -2.0), np.tile(w[:, None], 2), b, reduction="none")
    by_z = np.sqrt(2.0 * gradients.loss) ** -1 * gradients.b * delta  # C = (a_L + 2)²/2, and dz/db = 1
    np.testing.assert_allclose(sample.gradient.mean, np.mean(by_z**2, axis=1), rtol=1e-12)


def test_pairs_of_which_one_has_died_have_no_correlation():
    dense = gt.architecture([gt.blocks.dense("relu", sigma_w=2**0.5)])
    for sample in (random_networks("relu", 20, 12, 2**0.5), dense.simulate(20, 12)):
        assert np.isfinite(sample.correlation.mean).all()  # a few inputs of some networks become 0
        assert sample.correlation.mean[-1] > 0.9


def test_one_neuron_has_inputs_of_correlation_1_or_minus_1():
    with pytest.raises(InvalidArgument, match=r"^correlation = 0\.5: must be 1 or -1 where width = 1"):
        random_networks("tanh", 2, 1)
    sample = random_networks("tanh", 2, 1, networks=4000, inputs=16, correlation=1.0)
    assert abs(sample.variance.deviation([1.0, np.nan])[0]) < 4.0  # q_1 = σ_w² + σ_b²


def test_the_seed_decides_and_the_threads_do_not(monkeypatch):
    def mean(**more):
        return random_networks("gelu", 4, 32, 1.5, 0.1, networks=6, inputs=8, **more).gradient.mean

    first = mean(seed=4)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    np.testing.assert_array_equal(mean(seed=4), first)
    assert not np.array_equal(mean(seed=5), first)
    chains = [random_chains("tanh", 20, chains=9_000, seed=seed).log_factor.mean for seed in (0, 0, 1)]
    assert chains[0] == chains[1] != chains[2]


def test_progress_sees_every_item():
    def counted(items):
        for item in items:
            done.append(len(items))
            yield item

    done = []
    random_chains("tanh", 3, chains=20_000, progress=counted)
    assert done == [3, 3, 3]  # blocks of 8,192 chains
    done = []
    sample = random_networks("tanh", 3, 8, networks=2, inputs=4, progress=counted)
    assert done == [2, 2]
    np.testing.assert_array_equal(
        sample.variance.mean, random_networks("tanh", 3, 8, networks=2, inputs=4).variance.mean
    )


def test_dead_chains_are_counted_not_lost():
    sample = random_chains("relu", 30, 1.0, 0.0, chains=500)
    assert sample.log_gradient.mean[-1] == -math.inf
    assert math.isnan(sample.log_gradient.standard_error[-1])
    assert gt.lyapunov_exponent("relu", 1.0, 0.0).value == -math.inf
    assert 0 <= sample.exceeds.mean < 1


def test_measured_is_a_mean_with_its_error():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2_000):
        mean = Measured.of(rng.normal(3.0, 2.0, size=6))
        low, high = mean.interval(0.9)
        covered.append(low <= 3.0 <= high)
    assert abs(np.mean(covered) - 0.9) < 3 * math.sqrt(0.9 * 0.1 / 2_000)
    many = Measured.of(rng.normal(3.0, 2.0, size=(400, 2)))
    np.testing.assert_allclose(many.standard_error, 0.1, rtol=0.2)
    assert repr(many) == "Measured of shape (2,) (n = 400)"
    assert many.deviation(3.0).shape == (2,)
    assert math.isnan(Measured.of(np.array([1.0])).standard_error)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: random_chains("tanh", 0), "depth = 0"),
        (lambda: random_chains("tanh", 2.5), r"depth = 2\.5"),
        (lambda: random_chains("tanh", sigma_w=0), "sigma_w = 0"),
        (lambda: random_chains("tanh", sigma_w=math.inf), "sigma_w = inf"),
        (lambda: random_chains("tanh", sigma_b=-1), "sigma_b = -1"),
        (lambda: random_chains("tanh", chains=0), "chains = 0"),
        (lambda: random_chains("tanh", chains=10**12), "chains = 1000000000000"),
        (lambda: random_chains("tanh", 10, burn_in=10), "burn_in = 10"),
        (lambda: random_chains("exponential", 60), r"depth = 60: layer \d leaves float64"),
        (lambda: random_chains("tanh", 3, sigma_w=1e308), "depth = 3: layer 1 leaves float64"),
        (lambda: random_chains("tanh", 10, burn_in=-1), "burn_in = -1"),
        (lambda: random_chains("tanh", 10, x=math.nan), "x = nan"),
        (lambda: random_chains("tanh", 10, seed=-1), "seed = -1"),
        (lambda: random_chains("tahn", 10), "tanh"),
        (lambda: random_networks("tanh", width=0), "width = 0"),
        (lambda: random_networks("tanh", networks=0), "networks = 0"),
        (lambda: random_networks("tanh", inputs=3), "inputs = 3"),
        (lambda: random_networks("tanh", correlation=1.5), r"correlation = 1\.5"),
        (lambda: random_networks("tanh", correlation=math.nan), "correlation = nan"),
        (lambda: random_networks("tanh", weights="sparse"), "weights = 'sparse'"),
        (lambda: random_networks("tanh", seed="zero"), "seed = 'zero'"),
        (lambda: Measured.of(np.ones(3)).interval(95), "confidence = 95"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


@pytest.mark.parametrize(("activation", "depth"), [("exponential", 5), ("quadratic", 10)])
def test_numbers_beyond_float64_are_said(activation, depth):
    with pytest.raises(InvalidArgument, match=f"^depth = {depth}: must be smaller for {activation} with these scales"):
        gt.simulation.random_networks(activation, depth=depth, width=20)
