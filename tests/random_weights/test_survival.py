"""Chains without biases whose z falls to 0, or escapes: who is left with a gradient, and who carries its mean square."""

import functools
import math

import numpy as np
import pytest
from scipy.special import gamma

import gradtheory as gt
from gradtheory.errors import InvalidArgument

_LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|


def _least_moment(sigma_w, powers):
    """Return min E(σ_w·|ξ|)^θ: as that, a share of walks of log|z| that do not drift to one side stays there."""
    theta = np.linspace(*powers, 100_001)
    return float(np.min(sigma_w**theta * 2 ** (theta / 2) * gamma((theta + 1) / 2)) / math.sqrt(math.pi))


@functools.cache
def _grid():
    log_a, log_xi = np.linspace(-60, 12, 721), np.linspace(-30, 2.6, 816)
    xi = np.exp(log_xi)
    return log_a, xi, 0.04 * xi * np.exp(-xi * xi / 2) / math.sqrt(2 * math.pi)


def _rate_of_the_mean_square(which, sigma_w, layers=100):
    """Return half the growth of log E Π (σ'·w)² from a = 1, by the transfer operator on a grid of log a."""
    log_a, xi, density = _grid()
    sides = []
    for side in (1.0, -1.0):
        value, slope = gt.activation(which).value_and_slope(side * sigma_w * np.exp(log_a)[:, None] * xi)
        after = np.log(np.maximum(np.abs(value), 1e-300))
        sides.append((np.square(sigma_w * xi * slope) * density, after))
    mean, log, logs = np.ones_like(log_a), 0.0, []
    for _ in range(layers):
        mean = sum((factor * np.interp(after, log_a, mean)).sum(axis=1) for factor, after in sides)
        logs.append(log + math.log(mean[600]))
        log, mean = log + math.log(mean.max()), mean / mean.max()
    return (logs[-1] - logs[-21]) / 40


@pytest.mark.parametrize(
    ("which", "sigma_w", "share"),
    [
        pytest.param("hardshrink", 1.8, _least_moment(1.8, (0, 2)), marks=pytest.mark.slow),
        pytest.param("softshrink", 1.36, _least_moment(1.36, (0, 3)), marks=pytest.mark.slow),
        pytest.param("softshrink(lambd=1/50)", 1.36, _least_moment(1.36, (0, 3)), marks=pytest.mark.slow),
        ("hardshrink", 0.5, _least_moment(0.5, (0, 9))),
        pytest.param("threshold", 1.2, _least_moment(1.2, (0, 3)) / 2, marks=pytest.mark.slow),
        pytest.param("relu6", 3.0, _least_moment(3.0, (-0.99, 0)) / 2, marks=pytest.mark.slow),
        ("relu6", 6.0, _least_moment(6.0, (-0.99, 0)) / 2),  # near 0, though z drifts up from there
        pytest.param(
            "hard_tanh(lower=0, upper=1)", 3.899, _least_moment(3.899, (-0.99, 0)) / 2, marks=pytest.mark.slow
        ),
    ],
)
def test_who_survives_stays_far_out_or_near_0(which, sigma_w, share):
    exponent = gt.lyapunov_exponent(which, sigma_w, 0)
    assert exponent.value == -math.inf
    assert exponent.survival == pytest.approx(share, rel=1e-6)
    assert exponent.surviving_value == 0
    if share <= 0.5:
        assert gt.overflow_depth(exponent) == 1
        return
    with pytest.raises(InvalidArgument, match="does not tell when half of its gradients are lost"):
        gt.overflow_depth(exponent)  # they are after 4 layers, and far out much later


def test_who_survives_on_one_side_is_one_of_two():
    """The slopes near 0 and far out are 1 and 2: with 3 z grows, with 1.5 it grows far out and falls near 0."""
    which = gt.expression("Max(0, z, 2*z - 1)")
    for sigma_w, rate in ((0.4, _LOG_NORMAL + math.log(0.4)), (3.0, _LOG_NORMAL + math.log(6.0)), (1.5, math.nan)):
        exponent = gt.lyapunov_exponent(which, sigma_w, 0)
        assert (exponent.survival, exponent.survival.error) == (0.5, 0.0)
        assert exponent.surviving_value == pytest.approx(rate, abs=1e-12, nan_ok=True)


@pytest.mark.slow
def test_who_survives_in_between_has_a_law():
    """The slopes are 2 near 0, whence z rises, and 1 far out, whence it falls."""
    exponent = gt.lyapunov_exponent(gt.expression("Max(0, 2*z) - Max(0, z - 1)"), 1.2, 0)
    w = 1.2 * np.abs(np.random.default_rng(0).standard_normal((2000, 1000)))
    a, logs = np.ones(1000), []
    for row in w:
        z = row * a
        a = 2 * z - np.maximum(0, z - 1)
        logs.append(np.log(row * np.where(z < 1, 2, 1)).mean())
    assert exponent.survival == pytest.approx(0.5, abs=1e-7)
    assert exponent.surviving_value == pytest.approx(np.mean(logs[100:]), abs=0.005)


def test_slopes_that_fall_to_0_near_0_are_0_there():
    """That of z² at 1e-100 is 2e-100."""
    for text in ("tanh(z)**2", "z**2/(1 + z**2)", "Abs(z)**(3/2)/(1 + Abs(z))"):
        exponent = gt.lyapunov_exponent(gt.expression(text), 1, 0)
        assert (exponent.value, exponent.mean_square) == (-math.inf, -math.inf)
        assert exponent.reason.startswith("value is -inf: z falls to 0, where the slope is 0, faster")
    for text, share in (("Min(z**2, 1)", 1.0), ("Min(Max(z, 0)**2, 1)", 0.5)):
        exponent = gt.lyapunov_exponent(gt.expression(text), 1, 0)  # some meet the flat piece, and others fall to 0
        assert (exponent.value, exponent.survival, exponent.surviving_value) == (-math.inf, share, -math.inf)
    steep = gt.lyapunov_exponent(gt.expression("1e-90*tanh(z)"), 1, 0)
    assert steep.value == pytest.approx(_LOG_NORMAL - 90 * math.log(10), abs=1e-12)


_KNOWN = [("tanh", 0.5), ("relu", 1.3), ("elu", 0.6), ("hard_tanh", 0.6), ("leaky_relu(slope=1/4)", 1.2)]
_CARRIED_ELSEWHERE = [  # by the chains far out, where slopes are greater than near 0
    ("gelu", 0.5),
    ("silu", 0.5),
    ("hardshrink", 1.8),
    (gt.expression("Max(z, 3*z - 2)"), 0.5),
    (gt.expression("Max(0, z, 3*z - 2)"), 0.5),
]


@pytest.mark.parametrize(
    ("which", "sigma_w", "is_known"),
    [
        *((*case, True) for case in _KNOWN),
        ("bent_identity", 2.5, True),
        (gt.expression("z + tanh(z)"), 2.5, True),  # the slope is 2 near 0, where chains do not stay
        (gt.expression("Min(3*z, z + 2)"), 2.0, True),
        *((*case, False) for case in _CARRIED_ELSEWHERE),
    ],
)
def test_mean_squares_are_known_where_no_other_chains_carry_them(which, sigma_w, is_known):
    exponent = gt.lyapunov_exponent(which, sigma_w, 0)
    if is_known:
        assert exponent.mean_square_rate == exponent.mean_square
        assert exponent.mean_square_rate == pytest.approx(_rate_of_the_mean_square(which, sigma_w), abs=2e-3)
        return
    assert math.isnan(exponent.mean_square_rate)
    assert "mean_square_rate is nan" in exponent.reason
    assert _rate_of_the_mean_square(which, sigma_w) > exponent.mean_square + 0.1


def test_chains_at_rest_have_no_mean_square_of_a_product():
    """Beyond 1 σ is 0: who has come there stays at 0."""
    at_rest = gt.activation(gt.expression("Piecewise((z, Abs(z) < 1), (0, True))"))
    exponent = gt.lyapunov_exponent(at_rest, 5, 0)
    assert exponent.value == -math.inf
    assert math.isnan(exponent.mean_square_rate)
