"""Gradients of networks of finite width: exact laws against simulation, the limit of Hanin & Nica, and products of matrices."""

import itertools
import math

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import norm

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.finite_width import _by_laplace, _factor


def logs_of(slopes):
    with np.errstate(divide="ignore"):
        return 2.0 * np.log(np.array(slopes))


def logs(widths, which, sigma_w, sigma_b=0.0, networks=1200, seed=0):
    """Return log‖Ju‖² of random networks, for inputs of mean square 1."""
    rng, record = np.random.default_rng(seed), gt.activation(which)
    results = np.empty(networks)
    for network in range(networks):
        a = rng.standard_normal(widths[0])
        a /= np.sqrt(np.mean(a * a))
        u = rng.standard_normal(widths[0])
        u /= np.linalg.norm(u)
        for n_in, n_out in itertools.pairwise(widths):
            w = rng.normal(0, sigma_w / n_in**0.5, (n_out, n_in))
            a, slope = record.value_and_slope(w @ a + rng.normal(0, sigma_b, n_out))
            u = slope * (w @ u)
        with np.errstate(divide="ignore"):
            results[network] = np.log(np.sum(u * u))
    return results


@pytest.mark.parametrize(
    ("widths", "which", "sigma_w", "sigma_b", "wide"),
    [
        ((3, 8, 4, 6), "relu", 1.4, 0.0, 0.0),
        ((4, 8, 8), "leaky_relu", 1.4, 0.3, 0.0),
        ((5, 2, 7), "identity", 0.9, 0.0, 0.0),
        pytest.param((3, 8, 4, 6), "relu", 1.4, 0.5, 0.0, marks=pytest.mark.slow),
        pytest.param((64, 64, 64, 64), "tanh", 1.5, 0.2, 1 / 64, marks=pytest.mark.slow),
    ],
)
def test_laws_are_those_of_simulated_networks(widths, which, sigma_w, sigma_b, wide):
    law, sample = gt.log_jacobian(widths, which, sigma_w, sigma_b), logs(widths, which, sigma_w, sigma_b)
    alive = sample[np.isfinite(sample)]
    assert abs(len(alive) / len(sample) - law.survival) <= 4.5 * math.sqrt(0.25 / len(sample)) * (law.survival < 1)
    assert abs(alive.mean() - law.mean) <= 4.5 * alive.std() / len(alive) ** 0.5 + wide
    fourth = np.mean((alive - alive.mean()) ** 4)
    spread = math.sqrt((fourth - alive.var() ** 2) / len(alive))
    assert abs(alive.var() - law.variance) <= 4.5 * spread + wide * law.variance * 8
    below = np.mean(alive <= law.quantile(0.9))
    assert below == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("sigma_w", [3.0, 100.0])
def test_slopes_whose_squares_underflow_count_at_width_1(sigma_w):
    law = gt.log_jacobian([1, 1], "tanh", sigma_w)

    def integrated(power):  # of log σ'², without σ': 4·log(2/(e^z + e^-z))
        return (
            2.0
            * quad(
                lambda x: (4.0 * (math.log(2.0) - np.logaddexp(sigma_w * x, -sigma_w * x))) ** power * norm.pdf(x),
                0,
                13,
            )[0]
        )

    mean = integrated(1)
    of_square = math.log(2.0) + digamma(0.5) + 2.0 * math.log(sigma_w)  # E log g², and the scale
    assert float(law.mean) == pytest.approx(mean + of_square, rel=1e-9)
    assert float(law.variance) == pytest.approx(integrated(2) - mean**2 + math.pi**2 / 2.0, rel=1e-9)
    assert law.survival == 1.0


def test_slopes_that_are_0_are_no_small_ones():
    z = sympy.Symbol("z", real=True)
    half, whole = gt.log_jacobian([1, 1], sympy.Max(0, sympy.tanh(z)), 100), gt.log_jacobian([1, 1], "tanh", 100)
    assert half.survival == 0.5
    for name in ("mean", "variance", "skewness"):
        assert float(getattr(half, name)) == pytest.approx(float(getattr(whole, name)), rel=1e-6)
    assert gt.log_jacobian([1, 1], "hard_swish", 100).survival == pytest.approx(norm.cdf(0.03))  # of z > -3


@pytest.mark.parametrize("slope", ["1e-15", "1e-30", "1e-200"])
def test_two_slopes_of_very_different_size(slope):
    law = gt.log_jacobian([1, 1], f"leaky_relu(slope={slope})")
    log = math.log(float(slope))
    assert float(law.mean) == pytest.approx(math.log(2.0) + digamma(0.5) + log, rel=1e-9)  # half of them have it
    assert float(law.variance) == pytest.approx(math.pi**2 / 2.0 + log**2, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_both_ways_to_a_law_agree(n):
    for which, slopes, shares in (("identity", [1.0], [1.0]), ("relu", [1.0, 0.0], [0.5, 0.5])):
        exact, laplace = _factor(gt.activation(which), 1.0, n), _by_laplace(logs_of(slopes), np.array(shares), n)
        assert laplace[:5] == pytest.approx(exact[:5], abs=1e-11)
        assert laplace.error < 1e-12


def test_wide_layers_are_those_of_hanin_and_nica():
    """Var = Σ (3κ - 1)/n, 5/n for relu, and the mean lies half of it below log E."""
    for which, kurtosis in (("relu", 2.0), ("identity", 1.0)):
        law = gt.log_jacobian([2000] * 4, which, sigma_w=1.3)
        spread = 3 * (3 * kurtosis - 1) / 2000
        assert law.variance == pytest.approx(spread, rel=5e-3)
        assert law.log_mean - law.mean == pytest.approx(spread / 2, rel=5e-3)
    slope, fourth = (gt.gaussian.moment("gelu", 1.5**2, of=kind) for kind in ("slope", "fourth"))
    gelu = gt.log_jacobian([2000, 2000], "gelu", sigma_w=1.5)
    assert gelu.variance == pytest.approx((3 * fourth / slope**2 - 1) / 2000, rel=5e-3)
    assert gelu.mean.guarantee is gt.Guarantee.NUMERIC
    assert gelu.log_mean == pytest.approx(math.log(1.5**2 * slope))


def test_a_hundred_matrices_of_4_by_4():
    """What d2l.ai shows in section 5.4: a product of Gaussian matrices explodes; typical ones less than their mean."""
    law = gt.log_jacobian([4] * 101, "identity", sigma_w=2)  # entries N(0, 1)
    assert law.mean == pytest.approx(100 * (math.log(2) + 1 - np.euler_gamma))
    assert law.log_mean == pytest.approx(100 * math.log(4))
    assert law.variance == pytest.approx(100 * (math.pi**2 / 6 - 1))
    rng = np.random.default_rng(0)
    sample = np.empty(400)
    for trial in range(400):
        u = np.array([1.0, 0, 0, 0])
        for matrix in rng.standard_normal((100, 4, 4)):
            u = matrix @ u
        sample[trial] = math.log(u @ u)
    assert sample.mean() == pytest.approx(law.mean, abs=4 * math.sqrt(law.variance / 400))
    assert law.mean < law.quantile(0.5) < law.mean + 0.2  # its left tail is the longer one
    assert -0.2 < law.skewness < 0
    assert "exact" in repr(law)
    assert law.mean.guarantee is gt.Guarantee.EXACT


@pytest.mark.slow
def test_the_mean_is_that_of_mean_field():
    law = gt.log_jacobian([100] * 6, "tanh", 1.5, 0.3, q=1)
    flow = gt.meanfield.gradients("tanh", 5, 1.5, 0.3)  # E[σ'²] in the last layer, and χ before
    assert law.log_mean == pytest.approx(math.log(flow[0] * 1.5**2), rel=1e-9)
    assert gt.log_jacobian([8, 8], "sine", 1.5).variance.error < 1e-6


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.log_jacobian([4]), "widths = "),
        (lambda: gt.log_jacobian([1, 1], "gaussian", 30), "sigma_w = 30.0: makes slopes of gaussian below"),
        (lambda: gt.log_jacobian([4, 0]), "widths = 0"),
        (lambda: gt.log_jacobian([4, 4], "exponential", 30), "q = 900"),
        (lambda: gt.log_jacobian([4, 4]).quantile(1), "share = 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call()


def test_the_direction_is_at_a_right_angle_to_the_input():
    """Along x the law is another for tanh, at any width, and the same for relu."""
    rng, width, weight = np.random.default_rng(0), 128, 2.0
    for which in ("tanh", "relu"):
        law = gt.log_jacobian([width, width], which, weight)
        x = rng.normal(size=width)
        x *= math.sqrt(width) / np.linalg.norm(x)
        across = rng.normal(size=width)
        across -= (across @ x) / (x @ x) * x
        logs = {name: [] for name in ("across", "along")}
        for _ in range(400):
            w = rng.normal(0.0, weight / math.sqrt(width), (width, width))
            slope = gt.activation(which).slope(w @ x)
            for name, u in (("across", across), ("along", x)):
                logs[name].append(2.0 * math.log(np.linalg.norm(slope * (w @ u)) / np.linalg.norm(u)))
        spread = 5.0 * math.sqrt(float(law.variance) / 400.0)
        assert np.mean(logs["across"]) == pytest.approx(float(law.mean), abs=spread)
        assert (abs(np.mean(logs["along"]) - law.mean) > 1.0) == (which == "tanh")
