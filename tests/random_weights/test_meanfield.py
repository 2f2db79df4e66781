"""The mean-field limit: published values, the theory against itself by other methods, and refusals."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.gaussian.quadrature import Gaussians, integrate
from gradtheory.random_weights.meanfield import (
    chi,
    chi_parallel,
    correlation_map,
    correlation_slope,
    critical_initialisation,
    depth_scales,
    edge_of_chaos,
    fixed_points,
    gain,
    jacobian_moments,
    variance_map,
)
from tests.shapes import slow_except

U = sympy.Symbol("u", real=True)
_STANDARD = Gaussians.centred(np.ones(1))


def mean(name, weight=lambda x: 1.0):
    """Return E[σ(z)·weight(z)] under N(0, 1)."""
    record = gt.activation(name)
    kinks = [float(kink) for kink in record.kinks]
    value, _ = integrate(lambda x, z, owner: (record.value(x) * weight(x))[np.newaxis], _STANDARD, kinks)
    return value[0, 0]


# ---- published values


def test_relu_as_he_and_hayou_have_it():
    # K. He et al., "Delving deep into rectifiers" (2015), equation 10: σ_w² = 2; S. Hayou et al., "On the impact of
    # the activation function on deep neural networks training" (2019): the edge of chaos is the point (0, √2)
    edge = edge_of_chaos("relu")
    assert (edge.sigma_w, edge.q, edge.stable) == (pytest.approx(math.sqrt(2), rel=1e-15), 1.0, True)
    assert edge
    for q in (1e-3, 1.0, 1e3):
        assert variance_map("relu", q, math.sqrt(2)) == pytest.approx(q, rel=1e-14)
        assert chi("relu", q, math.sqrt(2)) == pytest.approx(1, rel=1e-14)
        assert gain("relu", q).backward == pytest.approx(math.sqrt(2), rel=1e-14)


@pytest.mark.parametrize("slope", ["1/100", "1/5", "-1/2", "1", "5"])
def test_leaky_relu_as_he_has_it(slope):
    # He et al. (2015), equation 15: σ_w² = 2/(1 + a²)
    slope = sympy.Rational(slope)
    leaky = sympy.Piecewise((U, U > 0), (slope * U, True)) if slope != 1 else U
    expected = math.sqrt(2 / (1 + float(slope) ** 2))
    assert gain(leaky).backward == pytest.approx(expected, rel=1e-14)
    assert edge_of_chaos(leaky).sigma_w == pytest.approx(expected, rel=1e-14)
    critical = critical_initialisation(leaky)
    assert (critical.kind, critical.sigma_w) == ("scale-invariant", pytest.approx(expected, rel=1e-14))


@pytest.mark.parametrize(
    ("which", "steepest"),
    [
        # S. Schoenholz et al., "Deep information propagation" (2017), and J. Pennington et al., "Resurrecting the
        # sigmoid in deep learning through dynamical isometry" (2017): at σ_b = 0, σ_w = 1/σ'(0) and q = 0
        ("tanh", 1),
        ("hard_tanh", 1),
        ("erf", 2 / math.sqrt(math.pi)),
        ("arctan", 1),
        ("softsign", 1),
        ("sine", 1),
        ("lecun_tanh", 1.7159 * 2 / 3),
        ("gudermannian", 1),
        ("isru", 1),
    ],
)
def test_without_biases_odd_ones_are_critical_at_the_inverse_of_their_slope_at_0(which, steepest):
    edge = edge_of_chaos(which, 0)
    assert (edge.sigma_b, edge.q, edge.stable, edge.reason) == (0.0, 0.0, True, "")
    assert edge.sigma_w == pytest.approx(1 / steepest, rel=1e-14)
    # "K* = 0 universality class: tanh, sin, etc.": D. Roberts, S. Yaida & B. Hanin, "The Principles of Deep Learning
    # Theory" (2022), section 5.3.3
    critical = critical_initialisation(which)
    assert (critical.sigma_b, critical.q, critical.kind) == (0.0, 0.0, "q = 0, stable")
    assert critical.sigma_w == edge.sigma_w


def test_the_critical_tanh_of_pennington():
    # Pennington et al. (2017), section 4, and L. Xiao et al., "Dynamical isometry and a mean field theory of CNNs"
    # (2018) train tanh at (σ_w², σ_b²) = (1.05, 2.01e-5)
    edge = edge_of_chaos("tanh", math.sqrt(2.01e-5))
    assert round(edge.sigma_w**2, 4) == 1.05
    assert round(edge.q, 2) == round(1 / 40, 2)
    nearby = [edge_of_chaos("tanh", math.sqrt(each)).sigma_w ** 2 for each in (2.005e-5, 2.015e-5)]
    assert nearby[0] < 1.05 < nearby[1]


def test_selu_is_the_fixed_point_of_klambauer():
    # G. Klambauer et al., "Self-normalizing neural networks" (2017), equation 14: E[selu] = 0 and E[selu²] = 1 at
    # mean 0 and variance 1 give α and λ
    with mpmath.workdps(30):
        root = mpmath.exp(0.5) * mpmath.erfc(mpmath.sqrt(0.5)) / 2
        alpha = 1 / mpmath.sqrt(2 * mpmath.pi) / (0.5 - root)
        lower = mpmath.exp(2) * mpmath.erfc(mpmath.sqrt(2)) / 2 - 2 * root + mpmath.mpf(1) / 2
        scale = 1 / mpmath.sqrt(mpmath.mpf(1) / 2 + alpha**2 * lower)
        assert abs(alpha - mpmath.mpf("1.6732632423543772848")) < 1e-18
        assert abs(scale - mpmath.mpf("1.0507009873554804934")) < 1e-18
    assert abs(mean("selu")) < 1e-15
    assert moment("selu", 1) == pytest.approx(1, abs=3e-15)
    assert gain("selu").forward == pytest.approx(1, abs=3e-15)
    # equation 6: the derivatives of mean and variance with respect to the variance
    assert round(chi_parallel("selu", 1, 1), 5) == 0.78265
    assert mean("selu", lambda x: (x * x - 1) / 2) == pytest.approx(0.088834, abs=1e-6)
    # and with another α it is not
    other = sympy.Rational("1.0507009873554805") * sympy.Piecewise((U, U > 0), (sympy.exp(U) - 1, True))
    assert abs(moment(other, 1) - 1) > 0.1


@pytest.mark.parametrize("c", [-1, -0.5, 0, 0.3, 0.9, 1])
def test_the_kernels_of_williams_and_of_cho_and_saul(c):
    angle = math.acos(c)
    # C. K. I. Williams (1998), equation 11, with Σ = σ_w², and a bias
    q, weight, bias = 0.8, 1.7, 0.4
    after = weight**2 * 2 / math.pi * math.asin(2 * q / (1 + 2 * q)) + bias**2
    product = weight**2 * 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q)) + bias**2
    assert variance_map("erf", q, weight, bias) == pytest.approx(after, rel=1e-14)
    assert correlation_map("erf", c, q, weight, bias) == pytest.approx(product / after, abs=1e-12)
    # Y. Cho & L. K. Saul (2009), equations 4 to 6: J₀, J₁ and J₂, normalised by J_n(0)
    kernels = {
        "relu": (math.sin(angle) + (math.pi - angle) * c) / math.pi,
        sympy.Max(0, U) ** 2: (3 * math.sin(angle) * c + (math.pi - angle) * (1 + 2 * c * c)) / (3 * math.pi),
    }
    for which, expected in kernels.items():
        assert correlation_map(which, c, q, weight) == pytest.approx(expected, abs=1e-12)
    assert correlation_slope("relu", c, q, math.sqrt(2)) == pytest.approx(1 - angle / math.pi, abs=1e-12)
    step = (math.pi - angle) / math.pi
    assert correlation_map(sympy.Heaviside(U, 0), c, q, 1) == pytest.approx(step, abs=1e-12)


def test_relu_forgets_as_hayou_has_it():
    # Hayou et al. (2019), proposition 3: at the edge 1 - c falls as 9π²/(2l²), as c' = c + 2√2/(3π)·(1 - c)^(3/2)
    for away in (1e-3, 1e-4, 1e-5):
        gained = correlation_map("relu", 1 - away, 1, math.sqrt(2)) - (1 - away)
        assert gained / away**1.5 == pytest.approx(2 * math.sqrt(2) / (3 * math.pi), rel=away + 1e-12 / away**1.5)


@pytest.mark.parametrize(
    ("which", "published_w", "published_b", "published_q"),
    [
        # Roberts, Yaida & Hanin (2022), section 5.3.4: C_W, C_b and K*; of GELU K* = (3 + √17)/2
        ("gelu", 1.98305826, 0.17292239, (3 + math.sqrt(17)) / 2),
        # programs that copy the book hold C_b = 0.055514317, with which K* is no fixed point: see below
        ("silu", 1.98800468, 0.55514317, 14.32017362),
        ("swish", 1.98800468, 0.55514317, 14.32017362),
    ],
)
def test_half_stable_ones_as_roberts_has_them(which, published_w, published_b, published_q):
    criticality = critical_initialisation(which)
    assert criticality
    assert criticality.kind == "half-stable"
    assert round(criticality.sigma_w**2, 8) == published_w
    assert round(criticality.sigma_b**2, 8) == published_b
    assert criticality.q == pytest.approx(published_q, abs=6e-9)
    weight, bias = math.sqrt(published_w), math.sqrt(published_b)
    assert variance_map(which, published_q, weight, bias) == pytest.approx(published_q, abs=1e-7)
    if which == "swish":
        assert abs(variance_map(which, published_q, weight, math.sqrt(0.055514317)) - published_q) > 0.4
    # variances on one side are drawn to it, and leave on the other
    below, above = (chi_parallel(which, criticality.q * (1 + step), criticality.sigma_w) - 1 for step in (-1e-3, 1e-3))
    assert below * above < 0 < min(abs(below), abs(above)) - 1e-14


@pytest.mark.parametrize("which", ["sigmoid", "softplus", "quadratic", U**3, "exponential"])
def test_no_criticality_as_roberts_has_it(which):
    # section 5.3.2: "No Criticality: sigmoid, softplus, nonlinear monomials, etc."
    criticality = critical_initialisation(which)
    assert not criticality
    assert (criticality.sigma_w, criticality.sigma_b, criticality.q, criticality.kind) == (None, None, None, "none")
    assert "χ_∥ = χ_⊥ for no q" in criticality.reason


@pytest.mark.parametrize("which", ["relu", "leaky_relu", "rrelu", "identity", sympy.Abs(U), -2 * U])
def test_the_scale_invariant_class_of_roberts(which):
    # section 5.2: σ_w² = 2/(a₊² + a₋²) and no bias, at any variance
    criticality = critical_initialisation(which)
    left, right = gt.activation(which).slope([-1.0, 1.0])
    assert (criticality.sigma_b, criticality.q, criticality.kind) == (0.0, 1.0, "scale-invariant")
    assert criticality.sigma_w == pytest.approx(math.sqrt(2 / (left**2 + right**2)), rel=1e-14)


# A. Brock et al., "High-performance large-scale image recognition without normalization" (2021): constants γ that give
# variance 1, each the mean over samples, in the authors' deepmind-research/nfnets/base.py
_NFNETS = {
    "celu": 1.270926833152771,
    "elu": 1.2716004848480225,
    "gelu": 1.7015043497085571,
    "leaky_relu": 1.70590341091156,
    "log_sigmoid": 1.9193484783172607,
    "relu": 1.7139588594436646,
    "relu6": 1.7131484746932983,
    "selu": 1.0008515119552612,
    "sigmoid": 4.803835391998291,
    "silu": 1.7881293296813965,
    "softplus": 1.9203323125839233,
    "softsign": 2.338853120803833,
    "tanh": 1.5939117670059204,
}


@pytest.mark.parametrize("which", _NFNETS)
def test_centred_gains_as_brock_has_them(which):
    centred = 1 / math.sqrt(1 / gain(which).forward ** 2 - mean(which) ** 2)
    assert centred == pytest.approx(_NFNETS[which], rel=2e-3)
    if which == "relu":  # A. Brock et al., "Characterizing signal propagation" (2021): γ = √2/√(1 - 1/π)
        assert centred == pytest.approx(math.sqrt(2 / (1 - 1 / math.pi)), rel=1e-14)


@pytest.mark.parametrize("depth", [1, 7, 100])
def test_jacobians_as_pennington_has_them(depth):
    # J. Pennington et al. (2017) and (2018): at χ = 1 the squared singular values have variance L·(μ₂/μ₁² - 1 - s₁)
    linear, relu = math.sqrt(1), math.sqrt(2)
    for which, weight, orthogonal, gaussian in (("identity", linear, 0, 1), ("relu", relu, 1, 2)):
        for weights, variance in (("orthogonal", orthogonal), ("gaussian", gaussian)):
            moments = jacobian_moments(which, depth, q=3, sigma_w=weight, weights=weights)
            assert moments.mean == pytest.approx(1, rel=1e-13)
            assert moments.variance == pytest.approx(depth * variance, rel=1e-12, abs=1e-12)
    # hard tanh is linear with probability p = erf(1/√(2q)): isometric as q falls
    for q in (0.05, 0.3, 2.0):
        p = math.erf(1 / math.sqrt(2 * q))
        moments = jacobian_moments("hard_tanh", depth, q, 1 / math.sqrt(p), weights="orthogonal")
        assert moments.mean == pytest.approx(1, rel=1e-12)
        assert moments.variance == pytest.approx(depth * (1 / p - 1), rel=1e-11, abs=1e-13)
    # erf: μ_k of G_k = E[σ'^(2k)] = (4/π)^k/√(1 + 4kq)
    q, weight = 0.2, 0.9
    first, second = 4 / math.pi / math.sqrt(1 + 4 * q), (4 / math.pi) ** 2 / math.sqrt(1 + 8 * q)
    moments = jacobian_moments("erf", depth, q, weight)
    factor = weight**2 * first
    assert moments.mean == pytest.approx(factor**depth, rel=1e-12)
    assert moments.variance == pytest.approx(factor ** (2 * depth) * depth * second / first**2, rel=1e-12)


def test_gains_of_the_textbook():
    assert gain("identity").forward == pytest.approx(1, rel=1e-15)
    assert gain("identity").backward == pytest.approx(1, rel=1e-15)
    # Klambauer's selu keeps the forward pass, not the backward one
    assert gain("selu").backward < 0.97
    # torch.nn.init.calculate_gain("tanh") = 5/3 keeps neither: E[tanh²] = 0.3943 at q = 1
    assert gain("tanh").forward == pytest.approx(1 / math.sqrt(0.394294490397), rel=1e-11)
    for which in ("tanh", "gelu", "sigmoid"):
        gains = gain(which, 2, method="certified")
        assert gains.forward.guarantee is gains.backward.guarantee is gt.Guarantee.CERTIFIED
        for side, kind in ((gains.forward, "value"), (gains.backward, "slope")):
            assert abs(side**2 * moment(which, 2, of=kind) - 1) < 1e-14
            assert side.error < 2e-15 * side


# ---- the theory against itself


@pytest.mark.parametrize("which", slow_except({"tanh", "erf"}, ["tanh", "gelu", "erf", "softplus", "elu", "sine"]))
def test_chi_is_the_slope_of_the_correlation_map_at_1(which):
    q, weight, bias = 0.9, 1.4, 0.3
    after = variance_map(which, q, weight, bias)
    steps = np.array([2e-3, 1e-3])
    slopes = [(1 - correlation_map(which, 1 - step, q, weight, bias)) / step for step in steps]
    at_1 = 2 * slopes[1] - slopes[0]  # away from a fixed point the slope in c has a factor q/q'
    assert at_1 * after / q == pytest.approx(chi(which, q, weight), rel=1e-5)
    assert correlation_slope(which, 1, q, weight) == pytest.approx(chi(which, q, weight), abs=1e-12)
    for c in (-0.6, 0.2, 0.7):
        above, below = (correlation_map(which, c + step, q, weight, bias) for step in (1e-4, -1e-4))
        expected = correlation_slope(which, c, q, weight) * q / after
        assert (above - below) / 2e-4 == pytest.approx(expected, rel=1e-6)


def test_chi_parallel_is_the_slope_of_the_variance_map(name):
    q, weight, bias, step = 1.3, 1.2, 0.2, 1e-4
    grid = variance_map(name, [q + k * step for k in (-2, -1, 1, 2)], weight, bias)
    slope = (grid[0] - 8 * grid[1] + 8 * grid[2] - grid[3]) / (12 * step)
    assert chi_parallel(name, q, weight) == pytest.approx(slope, rel=1e-8, abs=1e-10)


@pytest.mark.slow
@given(
    name=st.sampled_from(("tanh", "gelu", "softplus", "relu", "sine", "hard_tanh")),
    q=st.floats(1e-3, 20),
    weight=st.floats(0.05, 5),
    bias=st.floats(0, 3),
)
def test_equal_inputs_stay_equal_and_others_stay_correlations(name, q, weight, bias):
    correlation = correlation_map(name, 1, q, weight, bias)
    assert abs(correlation - 1) <= correlation.error < 1e-11
    for c in (-1, -0.4, 0.5):
        assert abs(correlation_map(name, c, q, weight, bias)) <= 1 + 1e-12


@given(
    name=st.sampled_from(("tanh", "silu", "elu", "arctan", "relu")),
    factor=st.integers(1, 40).map(lambda k: sympy.Rational(k, 8)),
    q=st.floats(1e-2, 30),
    weight=st.floats(0.1, 4),
    bias=st.floats(0, 2),
)
def test_scaling_the_activation_is_scaling_the_weights(name, factor, q, weight, bias):
    scaled = factor * gt.activation(name).expr.subs(Z, U)
    a = float(factor)
    for function in (chi, chi_parallel):
        assert function(scaled, q, weight) == pytest.approx(function(name, q, a * weight), rel=1e-12, abs=1e-13 * a**2)
    ours, theirs = variance_map(scaled, q, weight, bias), variance_map(name, q, a * weight, bias)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert gain(scaled, q).forward * a == pytest.approx(gain(name, q).forward, rel=1e-12)


@given(bias=st.floats(1e-3, 20), factor=st.sampled_from((sympy.Rational(1, 8), sympy.S(3))))
def test_the_edge_scales_with_the_activation(bias, factor):
    ours, theirs = edge_of_chaos(factor * sympy.tanh(U), bias), edge_of_chaos("tanh", bias)
    assert ours.sigma_w * float(factor) == pytest.approx(theirs.sigma_w, rel=1e-10)
    assert ours.q == pytest.approx(theirs.q, rel=1e-9)


@pytest.mark.quick_for("exponential", "gelu", "identity", "selu", "sigmoid", "tanh")
@pytest.mark.parametrize("bias", [0.3, 3.0])
def test_a_point_of_the_edge_solves_both_equations(name, bias):
    edge = edge_of_chaos(name, bias)
    if not edge:
        assert edge.reason.startswith(f"{name} has ")
        assert math.isnan(edge.sigma_w)
        assert math.isnan(edge.q)
        assert not edge.stable
        return
    assert edge.reason == ""
    assert edge.sigma_b == bias
    assert chi(name, edge.q, edge.sigma_w) == pytest.approx(1, abs=1e-12)
    assert variance_map(name, edge.q, edge.sigma_w, bias) == pytest.approx(edge.q, rel=1e-10)
    if abs(chi_parallel(name, edge.q, edge.sigma_w) - 1) > 1e-9:
        assert edge.stable == (chi_parallel(name, edge.q, edge.sigma_w) <= 1)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tanh", "gelu", "softsign"])
def test_the_edge_is_where_mpmath_finds_it(which):
    bias = 0.4
    value, slope = (
        sympy.lambdify(Z, expr, "mpmath") for expr in (gt.activation(which).expr, gt.activation(which).slope_expr)
    )
    with mpmath.workdps(20):

        def expected(function, q):
            scale = mpmath.sqrt(q)
            ends = [-11, -7, -4, -2, -1, 0, 1, 2, 4, 7, 11]
            return mpmath.quad(lambda z: function(scale * z) ** 2 * mpmath.npdf(z), ends, method="gauss-legendre")

        def excess(q):
            return q - expected(value, q) / expected(slope, q) - mpmath.mpf(bias) ** 2

        q = mpmath.findroot(excess, (0.7, 1.8), solver="anderson", tol=1e-25)
        weight = 1 / mpmath.sqrt(expected(slope, q))
    edge = edge_of_chaos(which, bias)
    assert abs(edge.q - q) < 1e-11
    assert abs(edge.sigma_w - weight) < 1e-12


@pytest.mark.parametrize("which", ["tanh", "gelu", "gaussian", "softshrink"])
def test_many_biases_are_the_same_one_by_one(which):
    biases = np.array([[0.0, 0.1, 0.3], [1.0, 4.0, 11.0]])
    edge = edge_of_chaos(which, biases)
    assert edge.sigma_w.shape == edge.q.shape == edge.stable.shape == (2, 3)
    assert edge.stable.dtype == bool
    assert np.array_equal(edge.sigma_b, biases)
    for index in np.ndindex(2, 3):
        one = edge_of_chaos(which, biases[index])
        assert type(one.sigma_w) is float
        assert type(one.stable) is bool
        assert (one.sigma_w, one.q) == pytest.approx((edge.sigma_w[index], edge.q[index]), rel=1e-9, nan_ok=True)
        assert one.stable == edge.stable[index]
    assert bool(edge) == (which != "softshrink")


def test_the_edge_rises_with_the_bias_for_tanh_and_falls_for_gelu():
    biases = np.geomspace(1e-3, 30, 60)
    for which, sign in (("tanh", 1), ("erf", 1), ("softsign", 1), ("gelu", -1)):
        edge = edge_of_chaos(which, biases if sign > 0 else biases[biases < 0.4])
        assert (sign * np.diff(edge.sigma_w) > 0).all()
        assert (np.diff(edge.q) > 0).all()
        assert (edge.q > edge.sigma_b**2).all()


@pytest.mark.slow
def test_a_scan_finds_the_same_edge_and_no_other():
    bias = 0.3
    q = np.geomspace(bias**2, 1e3, 3000)
    for which, stable in (("tanh", True), ("elu", True), ("gaussian", True), ("gelu", False), ("bent_identity", False)):
        value, slope, growth = (moment(which, q, of=kind) for kind in ("value", "slope", "growth"))
        (crossing,) = np.flatnonzero(np.diff(np.sign(q - value / slope - bias**2)))
        edge = edge_of_chaos(which, bias)
        assert q[crossing] <= edge.q <= q[crossing + 1]
        assert edge.stable is stable is bool(growth[crossing] <= slope[crossing] * q[crossing])


@pytest.mark.quick_for("exponential", "gelu", "relu", "selu", "sigmoid", "tanh")
@pytest.mark.only(
    lambda record: record.name not in ("hardshrink", "softshrink", "threshold")
)  # see the end of this file
def test_a_critical_initialisation_solves_its_equations(name):
    criticality = critical_initialisation(name)
    if not criticality:
        assert (criticality.sigma_w, criticality.sigma_b, criticality.q, criticality.kind) == (None, None, None, "none")
        assert criticality.reason.startswith(f"{name} has χ_∥ = χ_⊥ ")
        q = np.geomspace(1e-10, 1e5 if gt.activation(name).period else 1e10, 41)
        if name != "exponential":
            growths, slopes = ([moment(name, variance, of=kind) for variance in q] for kind in ("growth", "slope"))
            gaps = np.array(growths) / q - slopes
            errors = np.array([growth.error for growth in growths]) / q + [slope.error for slope in slopes]
            assert len(set(np.sign(gaps[np.abs(gaps) > errors]))) == 1
        return
    assert criticality.reason == ""
    q = criticality.q or 1e-9
    tolerance = 1e-11 if criticality.q else 2e-4
    assert chi(name, q, criticality.sigma_w) == pytest.approx(1, abs=tolerance)
    assert chi_parallel(name, q, criticality.sigma_w) == pytest.approx(1, abs=tolerance)
    assert variance_map(name, q, criticality.sigma_w, criticality.sigma_b) == pytest.approx(q, rel=tolerance)
    if criticality.kind in ("q = 0, stable", "q = 0, unstable"):
        assert (variance_map(name, 1, criticality.sigma_w) < 1) == (criticality.kind == "q = 0, stable")


@pytest.mark.slow
def test_kinds_of_criticality_are_as_listed():
    kinds = {}
    for name in gt.activation_names():
        if name not in ("hardshrink", "softshrink", "threshold"):
            kinds.setdefault(critical_initialisation(name).kind, set()).add(name)
    assert kinds["scale-invariant"] == {"identity", "leaky_relu", "relu", "rrelu"}
    assert kinds["half-stable"] == {
        *("gelu", "gelu_tanh", "hard_swish", "mish", "quick_gelu", "silu", "snake", "swish"),
    }
    assert kinds["q = 0, unstable"] == {"bent_identity"}
    assert {"sigmoid", "softplus", "cosine", "gaussian", "exponential", "log_cosh"} < kinds["none"]
    assert {"tanh", "sine", "elu", "selu", "relu6", "arsinh"} < kinds["q = 0, stable"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("which", "weight", "bias"),
    [
        ("tanh", 1.5, 0.0),
        ("tanh", 2.5, 0.3),
        ("gelu", 1.4, 0.3),
        ("softplus", 1, 0),
        ("relu", 1, 0.5),
        ("sine", 2, 0.2),
    ],
)
def test_stable_fixed_points_are_reached_by_iterating(which, weight, bias):
    stable = [point for point in fixed_points(which, weight, bias) if point.is_stable]
    for point in stable:
        q = 1.1 * point.q
        for _ in range(300):
            q = float(variance_map(which, q, weight, bias))
        assert q == pytest.approx(point.q, rel=1e-10)
        assert point.chi == pytest.approx(chi(which, point.q, weight), rel=1e-12)
        assert point.chi_parallel == pytest.approx(chi_parallel(which, point.q, weight), rel=1e-10)
        assert abs(point.chi_parallel) < 1
    assert stable


def test_fixed_points_are_all_found_and_in_order():
    # exp: q = σ_w²·exp(2q) + σ_b² has two solutions below criticality, none above
    small, large = fixed_points("exponential", 0.3, 0.1)
    assert small.q < large.q
    assert (small.is_stable, large.is_stable) == (True, False)
    for point in (small, large):
        assert point.q == pytest.approx(0.09 * math.exp(2 * point.q) + 0.01, rel=1e-12)
        assert point.chi_parallel == pytest.approx(2 * 0.09 * math.exp(2 * point.q), rel=1e-12)
    assert fixed_points("exponential", 2) == ()
    # tanh: 0 is one, and loses its stability at σ_w = 1
    assert [(each.q, each.is_stable) for each in fixed_points("tanh", 0.9)] == [(0.0, True)]
    assert [(each.q, each.is_stable) for each in fixed_points("tanh", 1)] == [(0.0, True)]
    origin, other = fixed_points("tanh", 1.1)
    assert (origin.q, origin.is_stable, origin.chi) == (0.0, False, pytest.approx(1.21))
    assert other.is_stable
    # erf: in closed form σ_w²·2/π·asin(2q/(1 + 2q)) = q
    _, point = fixed_points("erf", 1.2)
    assert 1.44 * 2 / math.pi * math.asin(2 * point.q / (1 + 2 * point.q)) == pytest.approx(point.q, rel=1e-12)
    # lines: q = σ_b²/(1 - χ)
    (point,) = fixed_points("relu", 1, 0.5)
    assert (point.q, point.chi, point.chi_parallel, point.is_stable) == (0.5, 0.5, 0.5, True)
    (point,) = fixed_points("relu", math.sqrt(2))
    assert (point.q, point.is_stable) == (1.0, True)
    assert fixed_points("relu", math.sqrt(2), 0.1) == fixed_points("relu", 2, 0.1) == ()


@given(weight=st.floats(0.05, 6), bias=st.floats(0.01, 5), name=st.sampled_from(("tanh", "erf", "softsign", "sigmoid")))
def test_bounded_ones_have_one_stable_fixed_point(weight, bias, name):
    (point,) = fixed_points(name, weight, bias)
    assert point.is_stable
    assert variance_map(name, point.q, weight, bias) == pytest.approx(point.q, rel=1e-10)
    assert bias**2 < point.q <= weight**2 + bias**2


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("which", "weight", "bias"),
    [("tanh", 1.3, 0.5), ("tanh", 2.5, 0.3), ("erf", 1.2, 0.1), ("gelu", 1.4, 0.3), ("relu", 1, 0.5), ("sine", 2, 0.2)],
)
def test_depth_scales_are_the_measured_decays(which, weight, bias):
    scales = depth_scales(which, weight, bias)
    point = scales.point
    assert point.is_stable
    # the variance's deviation after a few layers, from a small one
    q = [point.q * (1 + 1e-5)]
    for _ in range(3):
        q.append(float(variance_map(which, q[-1], weight, bias)))
    for before, after in itertools.pairwise(q):
        if abs(after - point.q) > 1e-9 * point.q:
            ratio = abs((after - point.q) / (before - point.q))
            assert -1 / math.log(ratio) == pytest.approx(scales.xi_q, rel=2e-3)
    # the correlation's, from both sides where there are two
    for away in (-1e-5, 1e-5) if scales.c < 1 else (-1e-5,):
        after = correlation_map(which, scales.c + away, point.q, weight, bias) - scales.c
        assert -1 / math.log(after / away) == pytest.approx(scales.xi_c, rel=2e-2 if which == "relu" else 1e-3)
    assert correlation_map(which, scales.c, point.q, weight, bias) == pytest.approx(scales.c, abs=1e-11)
    assert scales.xi_gradient == pytest.approx(1 / math.log(chi(which, point.q, weight)), rel=1e-9)
    assert (scales.c < 1) == (scales.xi_gradient > 0)


@pytest.mark.slow
def test_at_criticality_nothing_is_forgotten_exponentially():
    for which, weight in (("relu", math.sqrt(2)), ("tanh", 1.0), ("identity", 1.0)):
        scales = depth_scales(which, weight)
        assert (scales.xi_q, scales.xi_c, scales.c) == (math.inf, math.inf, 1.0)
        assert abs(scales.xi_gradient) == math.inf
    # Schoenholz et al. (2017): both phases' ξ_c diverge towards the edge
    edge = edge_of_chaos("tanh", 0.2).sigma_w
    for sign in (-1, 1):
        near, far = (depth_scales("tanh", edge * (1 + sign * step), 0.2).xi_c for step in (0.01, 0.1))
        assert near > 5 * far > 0


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize(("which", "sigma_w"), [("tanh", 1.3), ("relu", 1.4)])
def test_jacobian_moments_are_those_of_random_matrices(which, sigma_w, weights):
    # width 150, 6 networks; the pre-activations are the quantiles of N(0, q) in random order: to 3 % and 8 %
    random = np.random.default_rng(7)
    width, depth, q = 150, 5, 0.7
    spread = math.sqrt(q) * scipy.special.ndtri((np.arange(width) + 0.5) / width)
    slopes = gt.activation(which).slope(spread)
    squares = []
    for _ in range(6):
        jacobian = np.eye(width)
        for _ in range(depth):
            matrix = random.normal(size=(width, width))
            matrix = np.linalg.qr(matrix)[0] if weights == "orthogonal" else matrix / math.sqrt(width)
            jacobian = sigma_w * matrix @ (random.permutation(slopes)[:, np.newaxis] * jacobian)
        squares.append(np.linalg.svd(jacobian, compute_uv=False) ** 2)
    moments = jacobian_moments(which, depth, q, sigma_w, weights=weights)
    assert np.mean(squares) == pytest.approx(moments.mean, rel=0.03)
    assert np.var(squares) == pytest.approx(moments.variance, rel=0.08)


def test_wide_networks_have_the_variances_and_correlations_of_the_theory():
    # 12 networks of width 400, 3 layers of gelu, fixed seed: to 6 %
    random = np.random.default_rng(3)
    width, weight, bias, start, c = 400, 1.3, 0.4, 1.2, 0.5
    products = []
    for _ in range(12):
        first = random.normal(size=(2, width))
        z = math.sqrt(start) * np.stack([first[0], c * first[0] + math.sqrt(1 - c * c) * first[1]])
        for _ in range(3):
            matrix = random.normal(size=(width, width)) * weight / math.sqrt(width)
            z = gt.activation("gelu").value(z) @ matrix + bias * random.normal(size=width)
        products.append(z @ z.T / width)
    (square, product), (_, other) = np.mean(products, axis=0)
    q = start
    for _ in range(3):
        c, q = float(correlation_map("gelu", c, q, weight, bias)), float(variance_map("gelu", q, weight, bias))
    assert (square + other) / 2 == pytest.approx(q, rel=0.06)
    assert 2 * product / (square + other) == pytest.approx(c, rel=0.06)


def test_maps_take_arrays_and_exact_numbers():
    q, weight = np.array([[0.5], [2.0]]), np.array([1.0, 1.5, 2.0])
    for function in (chi, chi_parallel):
        values = function("tanh", q, weight)
        assert values.shape == (2, 3)
        assert values[1, 2] == pytest.approx(function("tanh", 2.0, 2.0), rel=1e-13)
    values = variance_map("tanh", q, weight, [0.0, 0.1, 0.2])
    assert values[0, 1] == pytest.approx(variance_map("tanh", 0.5, 1.5, 0.1), rel=1e-13)
    assert variance_map("tanh", "1/2", sympy.Rational(3, 2), "0.1") == variance_map("tanh", 0.5, 1.5, 0.1)
    proven = variance_map("tanh", 1, 1.5, 0.1, method="certified")
    assert proven.guarantee is gt.Guarantee.CERTIFIED
    assert abs(proven - variance_map("tanh", 1, 1.5, 0.1)) <= proven.error + 1e-15
    assert chi("relu", "1/3", 2, method="certified") == 2.0
    assert chi_parallel("relu", 5, 3, method="certified") == pytest.approx(4.5, rel=1e-15)


# ---- refusals

_REJECTED = {
    "q": [
        lambda q=q, call=call: call(q)
        for q in (0, -1.0, float("nan"), float("inf"), "x", None)
        for call in (
            lambda q: variance_map("tanh", q, 1),
            lambda q: chi("tanh", q, 1),
            lambda q: chi_parallel("tanh", q, 1),
            lambda q: gain("tanh", q),
            lambda q: correlation_map("tanh", 0.5, q, 1),
            lambda q: correlation_slope("tanh", 0.5, q, 1),
            lambda q: jacobian_moments("tanh", 3, q, 1),
        )
    ],
    "sigma_w": [
        lambda w=w, call=call: call(w)
        for w in (0, -1.0, float("nan"), float("inf"), "x", None, True)
        for call in (
            lambda w: variance_map("tanh", 1, w),
            lambda w: chi("tanh", 1, w),
            lambda w: chi_parallel("tanh", 1, w),
            lambda w: correlation_map("tanh", 0.5, 1, w),
            lambda w: correlation_slope("tanh", 0.5, 1, w),
            lambda w: fixed_points("tanh", w),
            lambda w: depth_scales("tanh", w),
            lambda w: jacobian_moments("tanh", 3, 1, w),
        )
    ],
    "sigma_b": [
        lambda b=b, call=call: call(b)
        for b in (-0.1, float("nan"), float("inf"), "x", None, True)
        for call in (
            lambda b: variance_map("tanh", 1, 1, b),
            lambda b: correlation_map("tanh", 0.5, 1, 1, b),
            lambda b: edge_of_chaos("tanh", b),
            lambda b: fixed_points("tanh", 1, b),
            lambda b: depth_scales("tanh", 1, b),
        )
    ],
    "c": [
        lambda c=c, call=call: call(c)
        for c in (1.0000001, -2, float("nan"), float("inf"), "0.5", None, [0.5, 2.0])
        for call in (lambda c: correlation_map("tanh", c, 1, 1), lambda c: correlation_slope("tanh", c, 1, 1))
    ],
    "depth": [lambda d=d: jacobian_moments("tanh", d, 1, 1) for d in (0, -1, 1.5, True, None, "3")],
    "weights": [lambda w=w: jacobian_moments("tanh", 3, 1, 1, weights=w) for w in ("uniform", None, "")],
    "activation": [
        lambda call=call: call("tahn")
        for call in (critical_initialisation, edge_of_chaos, gain, lambda name: fixed_points(name, 1))
    ],
}
_CALLS = [(rule, call) for rule, calls in _REJECTED.items() for call in calls]


@pytest.mark.parametrize(("rule", "call"), _CALLS, ids=[f"{rule}-{k}" for k, (rule, _) in enumerate(_CALLS)])
def test_is_refused_by_name(rule, call):
    with pytest.raises(InvalidArgument) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"{rule} = "), message
    assert "must" in message or "is not" in message
    assert "\n" not in message


def test_what_diverges_or_vanishes_is_said():
    wild = sympy.exp(U**2)
    for call in (lambda: variance_map(wild, 2, 1), lambda: chi(wild, 2, 1), lambda: gain(wild, 2)):
        with pytest.raises(
            InvalidArgument, match=r"^q = 2: the Gaussian moments of .* diverge there or exceed float64"
        ):
            call()
    # it is still finite at small variances: q = σ_w²/√(1 - 4q) + σ_b²
    (point, *_) = fixed_points(wild, 0.1, 0.1)
    assert point.q == pytest.approx(0.01 / math.sqrt(1 - 4 * point.q) + 0.01, rel=1e-12)
    with pytest.raises(InvalidArgument, match=r"^q = 1e-06: must be larger: threshold is as good as constant"):
        gain("threshold", 1e-6)
    with pytest.raises(InvalidArgument, match=r"^sigma_w = 2: relu has no stable fixed point for sigma_b = 0.1"):
        depth_scales("relu", 2, 0.1)
    with pytest.raises(InvalidArgument, match="take a smaller sigma_w"):
        depth_scales("exponential", 2)


def test_where_there_is_no_edge_the_reason_is_said():
    edge = edge_of_chaos("softplus", [0.1, 0.0])
    assert not edge
    assert np.isnan(edge.sigma_w).all()
    assert edge.reason.startswith("softplus has none at σ_b = 0.1: no q from 1e-12 to 1e12 with σ_w in float64 solves")
    edge = edge_of_chaos("relu", [0.0, 0.5])
    assert edge.reason.startswith("relu has χ₁ = 1 at a fixed point only for σ_b = 0")
    assert edge.sigma_w[0] == pytest.approx(math.sqrt(2))
    assert np.isnan(edge.sigma_w[1])
    assert "σ' is 0 at 0" in critical_initialisation("quadratic").reason
    assert "σ(0) is not 0" in critical_initialisation("sigmoid").reason


@pytest.mark.parametrize(
    ("which", "bias"), [("identity", 1e-3), ("identity", 1e-8), ("relu", 1e-9), ("leaky_relu", 2e-9)]
)
def test_lines_have_no_edge_with_biases(which, bias):
    assert math.isnan(edge_of_chaos(which, bias).sigma_w)


@pytest.mark.parametrize("which", ["hardshrink", "threshold"])
def test_ones_with_jumps_have_no_critical_initialisation(which):
    assert not critical_initialisation(which)


@pytest.mark.parametrize("which", ["softshrink", sympy.Max(0, U - 1)])
def test_shifted_lines_are_critical_all_along_the_edge(which):
    edge = edge_of_chaos(which, 0.3)
    assert chi_parallel(which, edge.q, edge.sigma_w) == pytest.approx(1, rel=1e-12)
    assert "for no q" not in critical_initialisation(which).reason


@pytest.mark.parametrize(("which", "weight"), [("tanh", 1.5), ("erf", 1.2)])
def test_chaos_without_biases_decorrelates(which, weight):
    scales = depth_scales(which, weight)
    assert scales.point.chi > 1
    assert scales.c == pytest.approx(0, abs=1e-12)
    slope = correlation_slope(which, 0, scales.point.q, weight)
    assert scales.xi_c == pytest.approx(-1 / math.log(slope), rel=1e-9)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("which", "weight"), [("quadratic", 0.5), ("softshrink", 1), ("tanhshrink", 3), ("log_cosh", 3)]
)
def test_q_0_is_a_fixed_point_where_the_slope_at_0_is_0(which, weight):
    origin = fixed_points(which, weight)[0]
    assert (origin.q, origin.chi, origin.chi_parallel, origin.is_stable) == (0.0, 0.0, 0.0, True)
    assert depth_scales(which, weight).point == origin


def test_a_variance_is_not_minus_0():
    (point,) = fixed_points("relu", 2)
    assert math.copysign(1, point.q) == 1


def test_the_correlation_map_takes_exact_text_as_the_variance_map_does():
    assert correlation_map("tanh", 0.5, 1, "3/2", "1/10") == correlation_map("tanh", 0.5, 1, 1.5, 0.1)


@pytest.mark.parametrize(
    ("which", "theirs"),
    [
        ("erf", 0.995342640417814),
        ("relu", 1.5018500000000004),
        ("gelu", 1.3695410078453614),
        ("sine", 0.8584418510944795),
    ],
)
def test_neural_tangents_has_the_same_variances(which, theirs):
    # neural-tangents 0.6.5 with JAX 0.4.30 in float64: stax.serial(Dense(64, 1.3, 0.2), each, Dense(64, 1.3, 0.2)),
    # kernel_fn(np.ones((1, 16)), None, "nngp")
    assert variance_map(which, 1.3**2 + 0.2**2, 1.3, 0.2) == pytest.approx(theirs, rel=1e-14)


def test_depth_scales_say_why_there_is_none():
    with pytest.raises(InvalidArgument, match="the variance grows; take a smaller sigma_w"):
        depth_scales("relu", 2)
    assert repr(depth_scales("tanh", 2)).startswith("DepthScales(q=")
