"""Own expressions whose pieces lie between the scales that are looked at, and which jump at 0."""

import numpy as np
import pytest
import sympy

from gradtheory.random_weights.lyapunov import lyapunov_exponent
from gradtheory.random_weights.lyapunov.extent import _log_moment
from gradtheory.random_weights.meanfield import critical_initialisation, edge_of_chaos, fixed_points

z = sympy.Symbol("z", real=True)
RELU_WITH_A_STEP = sympy.Max(z, 0) - sympy.Min(sympy.Max(z - 2, 0), 3)  # flat from 2 to 5, and of slope 1 beyond


def _mean_square_after(values, q):
    """Return E[σ(√q z)²] by the trapezoidal rule."""
    place = np.linspace(-12.0, 12.0, 400_001)
    return float(np.mean(values(np.sqrt(q) * place) ** 2 * np.exp(-(place**2) / 2)) * 24.0 / np.sqrt(2 * np.pi))


def test_a_flat_piece_in_the_middle_makes_no_half_line():
    def values(x):
        return np.maximum(x, 0) - np.minimum(np.maximum(x - 2, 0), 3)

    sigma_w = 1.4149785644634285  # as for the relu, variances would only shrink
    _, inner, outer = fixed_points(RELU_WITH_A_STEP, sigma_w)
    assert inner.is_stable
    assert not outer.is_stable
    assert sigma_w**2 * _mean_square_after(values, float(inner.q)) == pytest.approx(inner.q, rel=1e-5)


def test_no_small_variance_stays_beside_a_jump():
    (point,) = fixed_points(z + sympy.sign(z), 0.5)  # q = 0.25·(q + √(8q/π) + 1)
    root = (np.sqrt(8 / np.pi) + np.sqrt(8 / np.pi + 12.0)) / 6.0
    assert point.is_stable
    assert point.q == pytest.approx(root**2, rel=1e-12)


@pytest.mark.slow
def test_nothing_is_critical_near_a_jump():
    assert "does not tend to 0" in critical_initialisation(sympy.tanh(z) + 2 * sympy.sign(z)).reason
    assert np.isnan(float(edge_of_chaos(z + sympy.sign(z), 0.0).sigma_w))


@pytest.mark.slow
def test_a_chain_does_not_die_out_beside_a_jump():
    rng = np.random.default_rng(0)
    a, logs = np.ones(20_000), 0.0
    for layer in range(150):
        w = rng.normal(0.0, 0.3, a.shape)
        x = w * a
        if layer >= 50:
            logs += np.mean(np.log(np.abs(w)) - 2.0 * np.log(np.cosh(x))) / 100
        a = np.tanh(x) + np.sign(x)
    exponent = lyapunov_exponent(sympy.tanh(z) + sympy.sign(z), 0.3, 0.0)
    assert logs == pytest.approx(exponent.value, abs=5e-3)  # that of tanh is 0.14 above


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_powers_of_small_slopes_do_not_underflow(side):
    power = 4096.0  # 0.1^4096 is 0 in float64
    same = _log_moment(power, 0.05, (0.1, 0.1)), _log_moment(power, 0.05 * 0.1, (1.0, 1.0))
    assert same[0] == pytest.approx(same[1], rel=1e-12)
    assert _log_moment(0.5, 2.0, (0.0, 4.0)) == pytest.approx(
        _log_moment(0.5, 2.0, (1.0, 1.0)) + 0.5 * np.log(4.0) - np.log(2.0)
    )
    assert lyapunov_exponent(z / 10 + sympy.Max(0, side * z) / 1000, 0.05, 0.2).value < -4.0
