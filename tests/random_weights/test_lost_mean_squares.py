"""Mean squares that the quadrature does not tell from 0 are said to be unknown, and those it does have whole errors."""

import math

import pytest

import gradtheory as gt
from gradtheory.random_weights.lyapunov.unsettled import half_log


@pytest.mark.parametrize(("mean_square", "error"), [(-12.0, 19.0), (1.0, 1.0), (0.0, 1e-300), (-1.0, 0.0)])
def test_a_mean_square_within_its_error_of_0_is_unknown(mean_square, error):
    half = half_log(mean_square, error)
    assert math.isnan(half)
    assert math.isnan(half.error)


def test_the_error_of_a_logarithm_is_that_of_its_lower_side():
    assert half_log(1.0, 0.9) - half_log(1.0, 0.9).error <= 0.5 * math.log(0.1)
    assert (float(half_log(0.0)), half_log(0.0).error) == (-math.inf, 0.0)


@pytest.mark.slow
def test_weights_of_1e8_leave_the_mean_square_of_tanh_unknown_and_say_why():
    chain = gt.lyapunov_exponent("tanh", 1e8, 1)
    absolute = 1e8 * math.sqrt(2 / math.pi)  # E|z|, but for 1 - |tanh|
    expected = -2 * absolute * (1 - 2 * math.log(2) / 1e8 / math.sqrt(2 * math.pi)) + 2 * math.log(2)
    assert abs(chain.value - expected - math.log(1e8) + (math.log(2) + 0.5772156649015329) / 2) < 1e-3
    assert math.isnan(chain.mean_square)
    assert "mean_square is nan" in chain.reason
