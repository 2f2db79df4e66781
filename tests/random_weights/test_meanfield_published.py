"""The mean-field limit against published values."""

import math

import mpmath
import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.gaussian.quadrature import Gaussians, integrate
from gradtheory.random_weights.meanfield import (
    chi,
    chi_parallel,
    correlation_map,
    correlation_slope,
    critical_initialisation,
    edge_of_chaos,
    gain,
    jacobian_moments,
    variance_map,
)

U = sympy.Symbol("u", real=True)

_STANDARD = Gaussians.centred(np.ones(1))


def mean(name, weight=lambda x: 1.0):
    """Return E[σ(z)·weight(z)] under N(0, 1)."""
    record = gt.activation(name)
    kinks = [float(kink) for kink in record.kinks]
    value, _ = integrate(lambda x, z, owner: (record.value(x) * weight(x))[np.newaxis], _STANDARD, kinks)
    return value[0, 0]


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
