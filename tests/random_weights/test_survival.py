"""Chains without biases whose z falls to 0."""

import math

import numpy as np
import pytest

import gradtheory as gt

_LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|


def test_slopes_that_fall_to_0_near_0_are_0_there():
    """That of z² at 1e-100 is 2e-100."""
    for text in ("tanh(z)**2", "z**2/(1 + z**2)", "Abs(z)**(3/2)/(1 + Abs(z))"):
        exponent = gt.lyapunov_exponent(gt.expression(text), 1, 0)
        assert (exponent.value, exponent.mean_square) == (-math.inf, -math.inf)
        assert exponent.reason.startswith("value is -inf: z falls to 0, where the slope is 0, faster")
    steep = gt.lyapunov_exponent(gt.expression("1e-90*tanh(z)"), 1, 0)
    assert steep.value == pytest.approx(_LOG_NORMAL - 90 * math.log(10), abs=1e-12)
