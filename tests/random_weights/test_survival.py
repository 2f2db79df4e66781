"""Chains without biases whose z falls to 0, or escapes: who carries the mean square."""

import functools
import math

import numpy as np
import pytest

import gradtheory as gt

_LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|


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


def test_slopes_that_fall_to_0_near_0_are_0_there():
    """That of z² at 1e-100 is 2e-100."""
    for text in ("tanh(z)**2", "z**2/(1 + z**2)", "Abs(z)**(3/2)/(1 + Abs(z))"):
        exponent = gt.lyapunov_exponent(gt.expression(text), 1, 0)
        assert (exponent.value, exponent.mean_square) == (-math.inf, -math.inf)
        assert exponent.reason.startswith("value is -inf: z falls to 0, where the slope is 0, faster")
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
