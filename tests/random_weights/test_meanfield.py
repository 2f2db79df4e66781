"""The mean-field limit against itself, by other methods."""

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
from gradtheory.random_weights.gaussian import moment
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
        assert isinstance(one.sigma_w, float)
        assert type(one.stable) is bool
        assert (one.sigma_w, one.q) == pytest.approx((edge.sigma_w[index], edge.q[index]), rel=1e-9, nan_ok=True)
        assert one.stable == edge.stable[index]
    assert bool(edge) == (which != "softshrink")


@pytest.mark.slow
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


@pytest.mark.parametrize("formula", ["gelu(z) - 77/1000", "silu(z) - 1255/10000", "tanh(z)**2 - 4158/100000"])
def test_two_critical_variances_between_two_of_the_grid_are_found(formula):
    critical = gt.meanfield.critical_initialisation(gt.expression(formula))
    assert critical.kind == "half-stable"
    scales = critical.q, critical.sigma_w
    for which in (gt.meanfield.chi, gt.meanfield.chi_parallel):
        assert which(gt.expression(formula), *scales) == pytest.approx(1.0, abs=1e-11)


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


@pytest.mark.slow
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
