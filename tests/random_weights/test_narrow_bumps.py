"""Where the variance is so great that an activation is a narrow bump, correlations are those of the closed form."""

import math

import pytest
from scipy.optimize import brentq

import gradtheory as gt


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e4, 1e6, 1e8])
def test_correlations_of_a_bump_are_not_taken_for_1(scale):
    """Of exp(-z²) the mean of the product is 1/√((1 + 2q)² - 4c²q²)."""
    scales = gt.meanfield.depth_scales("gaussian", scale)
    q = float(scales.point.q)

    def root(c):
        return math.sqrt((1.0 + 2.0 * q) ** 2 - 4.0 * (c * q) ** 2)

    c = brentq(lambda c: scale**2 / (q * root(c)) - c, 0.0, 0.5, xtol=1e-16, rtol=1e-14)
    slope = scale**2 * 4.0 * c * q / root(c) ** 3
    assert abs(scales.c - c) <= scales.c.error < 1e-11
    assert abs(scales.xi_c + 1.0 / math.log(slope)) <= scales.xi_c.error
    assert scales.xi_gradient > 0.0
