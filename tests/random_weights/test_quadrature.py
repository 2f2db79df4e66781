"""The quadrature under many Gaussians at once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradtheory.random_weights.gaussian.quadrature import Gaussians, fixed_rule, integrate


@given(mean=st.floats(-50, 50), scale=st.floats(1e-3, 100), kink=st.floats(-20, 20))
def test_a_kink_anywhere_under_any_gaussian(mean, scale, kink):
    laws = Gaussians(np.array([mean, 0.0]), np.array([scale, 1.0]))
    value, error = integrate(lambda x, z, owner: np.stack([np.abs(x - kink), x * 0 + 3.0]), laws, breaks=[kink])
    for column, (m, s) in enumerate(((mean, scale), (0.0, 1.0))):
        away = (m - kink) / s
        folded = s * math.sqrt(2 / math.pi) * math.exp(-(away**2) / 2) + (m - kink) * math.erf(away / math.sqrt(2))
        assert abs(value[0, column] - folded) <= error[0, column] + 1e-15 * (abs(mean) + abs(kink))
        assert abs(value[1, column] - 3.0) <= error[1, column]
        # x = m + s·z itself is rounded
        assert (error[:, column] <= 1e-13 * (1 + abs(m) / s) * (value[:, column] + abs(m) + abs(kink))).all()


def test_an_unknown_kink_is_found_by_halving():
    laws = Gaussians.centred(np.array([1.0]))
    value, error = integrate(lambda x, z, owner: np.abs(x - 1 / 3)[np.newaxis], laws)
    folded = math.sqrt(2 / math.pi) * math.exp(-1 / 18) + math.erf(math.sqrt(1 / 18)) / 3
    assert abs(value[0, 0] - folded) <= error[0, 0] < 1e-12


@pytest.mark.parametrize("place", [30.0, 32.0, 34.0, 35.5])
def test_what_is_0_but_far_out_does_not_diverge(place):
    value, error = integrate(lambda x, z, owner: 1.0 * (x > place)[np.newaxis], Gaussians.centred(np.ones(1)), [place])
    right = math.erfc(place / math.sqrt(2)) / 2
    assert abs(value[0, 0] - right) <= error[0, 0] <= 1e-11 * right + 2e-280


def test_owners_say_to_which_gaussian_a_point_belongs():
    variances = np.array([1.0, 4.0, 0.25])
    powers = np.array([2, 4, 6])
    value, _ = integrate(lambda x, z, owner: (x ** powers[owner])[np.newaxis], Gaussians.centred(variances))
    assert value[0] == pytest.approx([1.0, 3 * 16.0, 15 / 64], rel=1e-13)


def test_many_gaussians_in_blocks():
    variances = np.geomspace(1e-6, 1e6, 1500)
    value, error = integrate(lambda x, z, owner: (x * x)[np.newaxis], Gaussians.centred(variances))
    assert (np.abs(value[0] - variances) <= error[0]).all()
    assert (error[0] <= 1e-14 * variances).all()


def test_waves_are_followed_by_their_period():
    for q in (1.0, 1e4, 1e6):
        value, error = integrate(
            lambda x, z, owner: np.sin(x)[np.newaxis] ** 2, Gaussians.centred(np.array([q])), [0.0], period=math.pi
        )
        assert abs(value[0, 0] - (1 - math.exp(-2 * q)) / 2) <= error[0, 0] < 1e-12


def test_what_diverges_is_inf():
    value, error = integrate(lambda x, z, owner: np.exp(x * x)[np.newaxis], Gaussians.centred(np.array([0.1, 1.0])))
    assert value[0, 0] == pytest.approx(0.8**-0.5, rel=1e-13)
    assert value[0, 1] == error[0, 1] == np.inf


def test_the_fixed_rule_is_a_rule():
    laws = Gaussians(np.array([0.0, 3.0]), np.array([1.0, 0.2]))
    owner, x, weights = fixed_rule(laws, breaks=[0.5])
    assert owner.shape == x.shape == weights.shape
    assert np.bincount(owner, weights) == pytest.approx([1.0, 1.0], rel=1e-13)
    assert np.bincount(owner, weights * x) == pytest.approx([0.0, 3.0], abs=1e-13)
    assert np.bincount(owner, weights * x**4) == pytest.approx([3.0, 81 + 6 * 9 * 0.04 + 3 * 0.0016], rel=1e-13)
    folded = math.sqrt(2 / math.pi) * math.exp(-1 / 8) + math.erf(math.sqrt(1 / 8)) / 2
    assert np.bincount(owner, weights * np.abs(x - 0.5))[0] == pytest.approx(folded, rel=1e-13)
    owner, x, weights = fixed_rule(Gaussians.centred(np.array([400.0])), [0.0, math.pi], period=2 * math.pi)
    assert np.sum(weights * np.cos(x) ** 2) == pytest.approx(0.5, rel=1e-12)
