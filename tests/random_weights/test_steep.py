"""Activations that are steep at some places and flat elsewhere: what panels miss, and how much work they take."""

import math

import mpmath
import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.random_weights.gaussian import differences
from gradtheory.random_weights.gaussian.pieces import cuts
from gradtheory.random_weights.gaussian.quadrature import Gaussians, integrate

_STEEP = ["1 - exp(-z**60)", "exp(-z**60)", "tanh(z**31)"]


@pytest.mark.parametrize("text", [*_STEEP, "gaussian", "tanh"])
@pytest.mark.parametrize("of", ["value", "slope"])
def test_pieces_see_what_happens_between_their_nodes(text, of):
    record = gt.activation(gt.expression(text) if "z" in text else text)
    near, far = cuts(record, 2, of), cuts(record, 10, of)
    assert len(far[np.abs(far) < 4.0]) >= len(near) - 4


@pytest.mark.slow
@pytest.mark.parametrize("text", _STEEP)
def test_integrals_that_do_not_converge_are_not_refined_in_vain(text, monkeypatch):
    passes = []
    whole = differences._Rule.differences

    def counted(self, scale, ratios):
        passes.append(self.work(scale) * 2.0**self.halvings)
        return whole(self, scale, ratios)

    monkeypatch.setattr(differences._Rule, "differences", counted)
    scales = gt.meanfield.depth_scales(gt.expression(text), 1, 0.5)
    assert sum(passes) < 1e8  # it was 2e9
    at = gt.meanfield.correlation_map(gt.expression(text), scales.c, scales.q, 1, 0.5)
    assert abs(at - scales.c) <= at.error + 2.0 * scales.c.error


@pytest.mark.parametrize("n", [4, 5, 31, 60, 999])
def test_whole_powers_are_right_up_to_the_ends_of_float64(n):
    z = gt.expression("z").free_symbols.pop()
    power = gt.activation(z**n).value
    sizes = [0.0, 0.3, 1.0, 1.7, *(2.0 ** (k / n) for k in (-1080, -1074, -1060, -1022, -1020.5, 1022.5, 1023.9, 1025))]
    numbers = np.array([*sizes, *(-size for size in sizes)])
    with np.errstate(all="ignore"):
        values = power(numbers)
    for number, value in zip(numbers.tolist(), values.tolist(), strict=True):
        exact = mpmath.mpf(number) ** n
        if abs(exact) >= mpmath.mpf(2) ** 1024:
            assert value == float(mpmath.sign(exact)) * float("inf")
        else:
            assert abs(value - exact) <= n * 2.0**-52 * abs(exact) + 1e-323


def test_numbers_near_the_least_of_float64_are_not_refined_in_vain():
    asked = []

    def integrand(x, z, owner):
        asked.append(len(x))
        return (961.0 * (x**15) ** 4 * (1.0 - np.tanh(x**15) ** 2))[np.newaxis]

    value, error = integrate(integrand, Gaussians.centred(np.logspace(-12.8, -12.0, 40)))
    assert sum(asked) < 2e5
    exact = [961 * mpmath.fac2(59) * mpmath.mpf(q) ** 30 for q in np.logspace(-12.8, -12.0, 40).tolist()]
    for told, true, off in zip(value[0].tolist(), exact, error[0].tolist(), strict=True):
        assert abs(mpmath.mpf(told) - true) <= off + 1e-317  # what is less than float64 has is 0


@pytest.mark.parametrize("k", [2e4, 1e6, 1e8, 3e5 * math.pi])
@pytest.mark.parametrize("place", [0, 1])
def test_a_slope_that_rises_fast_without_a_turning_point_is_met(k, place):
    """E[σ'²] of log(1 + e^(k(z-m)))/k is P(z > m) - φ(m)/k and terms in 1/k³, at 0, and else in 1/k²."""
    rate = 300_000 * sympy.pi if k > 9e5 and k < 1e6 else sympy.Integer(int(k))
    chi = gt.meanfield.chi(sympy.log(1 + sympy.exp(rate * (Z - place))) / rate, 1, sigma_w=1)
    right = math.erfc(place / math.sqrt(2)) / 2 - math.exp(-(place**2) / 2) / math.sqrt(2 * math.pi) / float(rate)
    assert abs(chi - right) < chi.error + 5 / float(rate) ** 2
    assert chi.error < 1e-13
    assert place or gt.meanfield.chi(gt.activation("softplus", beta=rate), 1, sigma_w=1) == pytest.approx(
        chi, rel=1e-14
    )
