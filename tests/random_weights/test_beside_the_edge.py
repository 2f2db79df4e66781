"""Depth scales and fixed points beside the edge of chaos, and the errors that they and the edge itself state."""

import math

import mpmath
import numpy as np
import pytest

import gradtheory as gt
from gradtheory.random_weights.meanfield import depth_scales, edge_of_chaos
from gradtheory.random_weights.meanfield.beside_1 import beside_1
from gradtheory.random_weights.meanfield.correlation import settled_correlation
from gradtheory.random_weights.meanfield.edge_of_chaos import edge_at
from gradtheory.random_weights.meanfield.fixed_points import found_points
from tests.shapes import slow_except

_BIAS = 0.2


def of_erf(weight):
    """Return q, c and ξ_c of erf in 40 digits: E[erf·erf] = (2/π)·arcsin(2qc/(1 + 2q)) (Williams 1998)."""
    with mpmath.workdps(40):
        square, bias, turn = mpmath.mpf(weight) ** 2, mpmath.mpf(_BIAS) ** 2, 2 / mpmath.pi

        def after(q, c):
            return square * turn * mpmath.asin(2 * q * c / (1 + 2 * q)) + bias

        q = mpmath.findroot(lambda q: after(q, 1) - q, 0.3)
        slope = lambda c: square * turn * 2 / mpmath.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2)  # noqa: E731  # a formula
        c = mpmath.mpf(1)
        if slope(c) > 1:
            c = 1 - mpmath.findroot(
                lambda away: (after(q, 1) - after(q, 1 - away)) / (q * away) - 1, 2 * (slope(1) - 1)
            )
        return q, c, -1 / mpmath.log(slope(c))


@pytest.mark.slow
def test_depth_scales_of_erf_beside_the_edge_have_the_digits_that_their_errors_say():
    edge = edge_of_chaos("erf", _BIAS).sigma_w
    distances = np.array([1e-2, 1e-3, 1e-4, -1e-3])
    weight = edge * (1 + distances)
    scales = depth_scales("erf", weight, _BIAS)
    for place, each in enumerate(weight):
        q, c, xi = of_erf(float(each))
        for number, true in ((scales.point.q[place], q), (scales.c[place], c), (scales.xi_c[place], xi)):
            assert abs(float(number) - true) <= number.error
    assert (scales.xi_c.error <= 1e-9 * scales.xi_c.plain).all()
    alone = depth_scales("erf", float(weight[1]), _BIAS).xi_c
    assert abs(alone - scales.xi_c[1]) <= alone.error + scales.xi_c.error[1]


@pytest.mark.parametrize("which", slow_except({"hard_tanh"}, ["hard_tanh", "selu", "relu6", "tanh"]))
def test_differences_of_slopes_tell_what_maps_tell(which):
    weight = float(edge_of_chaos(which, _BIAS).sigma_w) * 1.05
    points = found_points(gt.activation(which), np.array([weight]), np.array([_BIAS])).first_stable(1)
    c, slope = settled_correlation(gt.activation(which), float(points.q[0]), points.at(0).chi, weight, _BIAS)
    excess, square = points.chi - 1.0, np.array([weight**2])
    place = beside_1(gt.activation(which), points.q, points.q_error, excess, points.chi_error, square, 1.5 * excess)
    assert abs(1.0 - place.away[0] - c) <= place.away_error[0] + c.error
    assert abs(1.0 - place.lost[0] - slope) <= place.lost_error[0] + slope.error
    assert place.lost_error[0] <= 1e-11 * place.lost[0]


def test_the_edge_of_erf_is_where_its_closed_form_says():
    # χ₁ = 1 and q = V(q): (2/π)·(1 + 4q)^(1/2)·arcsin(2q/(1 + 2q))·π/4 = q - σ_b²
    edge = edge_of_chaos("erf", [0.1, 0.6])

    def bias_square(q):
        return q - mpmath.sqrt(1 + 4 * q) / 2 * mpmath.asin(2 * q / (1 + 2 * q))

    for place, bias in enumerate((0.1, 0.6)):
        with mpmath.workdps(30):
            wanted = mpmath.mpf(bias) ** 2
            q = mpmath.findroot(lambda q, wanted=wanted: bias_square(q) - wanted, float(edge.q[place]))
            weight = mpmath.sqrt(mpmath.pi * mpmath.sqrt(1 + 4 * q)) / 2
        assert abs(edge.q[place] - q) <= edge.q.error[place] < 1e-11
        assert abs(edge.sigma_w[place] - weight) <= edge.sigma_w.error[place] < 1e-12
    back = edge_at("erf", edge.q.plain)
    assert (np.abs(back.sigma_b - np.array([0.1, 0.6])) <= back.sigma_b.error + 1e-11).all()
    assert edge_of_chaos("relu", 0).q == 1.0
    assert math.isnan(edge_of_chaos("relu", 0.1).sigma_w.error)


@pytest.mark.parametrize("sigma_w", [1.0 + 1e-5, 1.005, 1.05, 2.0])
def test_without_biases_an_odd_activation_has_correlations_at_0_and_their_depth_scale_to_1e_9(sigma_w):
    scales = depth_scales("tanh", sigma_w, 0.0)
    assert (scales.c, scales.c.error) == (0.0, 0.0)
    with mpmath.workdps(30):
        q, places = mpmath.mpf(float(scales.q)), [-12, -4, 0, 4, 12]
        line, square = (
            mpmath.quad(lambda z, f=f: f(z, mpmath.tanh(mpmath.sqrt(q) * z)) * mpmath.npdf(z), places)
            for f in (lambda z, value: z * value, lambda z, value: value**2)
        )
        layers = -1 / mpmath.log(line**2 / square)
    assert abs(scales.xi_c - float(layers)) <= scales.xi_c.error
    assert scales.xi_c.error < 1e-9 * scales.xi_c or sigma_w < 1.001
