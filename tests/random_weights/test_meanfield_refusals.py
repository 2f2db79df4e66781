"""The mean-field limit: refusals, and what has no answer."""

import math

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
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

U = sympy.Symbol("u", real=True)

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


@pytest.mark.slow
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
    assert "σ does not tend to 0 at 0" in critical_initialisation("sigmoid").reason


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


@pytest.mark.slow
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


@pytest.mark.parametrize("ask", [gt.meanfield.variance_map, gt.meanfield.chi, gt.meanfield.chi_parallel])
def test_what_leaves_float64_is_said(ask):
    with pytest.raises(InvalidArgument, match="sigma_w = 1e\\+200: makes the result exceed float64"):
        ask("tanh", 1, sigma_w=1e200)
    assert np.isinf(ask("tanh", [1, 2], sigma_w=1e200)).all()
    little = ask("tanh", 1, sigma_w=1e-200)
    assert 0.0 < little.error < 1e-300  # 1e-401 is no 0


@pytest.mark.parametrize("q", [1e-320, 5e-324])
def test_variances_whose_squares_leave_float64_are_refused(q):
    for ask in (gt.meanfield.variance_map, gt.meanfield.chi_parallel):
        with pytest.raises(InvalidArgument, match="so small that squares of tanh leave float64"):
            ask("tanh", q, sigma_w=1)
    assert gt.meanfield.chi("tanh", q, sigma_w=1) == pytest.approx(1)
    with pytest.raises(InvalidArgument, match="so small"):
        gt.meanfield.chi_parallel("softplus", q, sigma_w=1)


def test_a_value_beside_0_that_is_not_told_from_0_is_undecided():
    z = sympy.Symbol("z", real=True)
    with pytest.raises(Undecided, match="not told from 0 beside 0"):
        gt.meanfield.depth_scales(1 - sympy.exp(-(z**60)), 1.2, 0)


def test_a_variance_that_falls_to_0_faster_than_any_power_told_is_stable_there():
    z = sympy.Symbol("z", real=True)
    (point,) = gt.meanfield.fixed_points(1 - sympy.exp(-(z**60)), 1.2, 0)
    assert (point.q, point.is_stable) == (0.0, True)


def test_a_formula_without_a_value_at_the_end_of_its_piece_is_named():
    flat = gt.expression("Piecewise((exp(-1/z**2), z > 0), (0, True))")
    with pytest.raises(Undecided, match="a formula has no value at the end of one of its pieces"):
        gt.meanfield.variance_map(flat, 1, 1)
