"""Integrands with rounding that no halving of panels removes; kinks, zeros of logarithms and waves that many resolve."""

import math

import numpy as np
import pytest

from gradtheory.random_weights.gaussian.quadrature import Gaussians, integrate


def _counted(function):
    sizes = []

    def integrand(x, z, owner):
        sizes.append(x.size)
        return function(x)[np.newaxis]

    return integrand, sizes


def test_rounding_is_no_reason_to_go_on():
    integrand, sizes = _counted(lambda x: np.log(1.0 + np.abs(x)) ** 2)  # right to 1e-11 at 1e-5
    scale = 1e-5
    ((value,),), ((error,),) = integrate(integrand, Gaussians.centred(np.array([scale**2])), [0.0])
    series = scale**2 - scale**3 * 2.0 * math.sqrt(2.0 / math.pi) + 11.0 / 4.0 * scale**4
    assert value == pytest.approx(series, abs=error + scale**5 * 10.0)
    assert error < 1e-9 * value
    assert sum(sizes) < 50_000


def test_a_difference_of_constants_far_out_is_no_reason_to_go_on():
    integrand, sizes = _counted(lambda x: (1.0 - np.tanh(x) ** 2) * x**2)
    ((value,),), _ = integrate(integrand, Gaussians.centred(np.array([1e12])), [0.0])
    assert value == pytest.approx(math.pi**2 / 6.0 / math.sqrt(2.0 * math.pi * 1e12), rel=1e-9)
    assert sum(sizes) < 50_000


def test_a_kink_that_is_not_named_is_found_by_many_halvings():
    kink = 0.123456789
    integrand, sizes = _counted(lambda x: np.abs(x - kink))
    ((value,),), _ = integrate(integrand, Gaussians.centred(np.array([1.0])))
    density = math.exp(-(kink**2) / 2.0) / math.sqrt(2.0 * math.pi)
    assert value == pytest.approx(2.0 * density + kink * math.erf(kink / math.sqrt(2.0)), rel=1e-13)
    assert len(sizes) > 10


def test_many_zeros_of_a_logarithm_are_no_rounding():
    integrand, _ = _counted(lambda x: np.log(np.abs(np.sin(7.0 * x)) + 1e-300))
    ((value,),), ((error,),) = integrate(integrand, Gaussians.centred(np.array([100.0])), [0.0])
    assert value == pytest.approx(-math.log(2.0), abs=1e-11)
    assert error < 1e-11


@pytest.mark.slow
def test_an_oscillation_that_is_not_resolved_at_first_is_no_rounding():
    integrand, _ = _counted(lambda x: np.sin(x**2) ** 2)
    ((value,),), ((error,),) = integrate(integrand, Gaussians.centred(np.array([1e4])), [0.0])
    assert value == pytest.approx((1.0 - ((1.0 - 4e4j) ** -0.5).real) / 2.0, abs=1e-12)
    assert error < 1e-11
