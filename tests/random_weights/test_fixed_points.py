"""Fixed points of wide layers: none is lost, wherever it lies, and what correlations and gradients do there."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.meanfield import (
    chi,
    correlation_map,
    correlation_slope,
    critical_initialisation,
    depth_scales,
    edge_of_chaos,
    fixed_points,
    gain,
    gradients,
    settled_chi,
    variance_map,
)
from gradtheory.random_weights.meanfield.backward import lasting_depth
from gradtheory.random_weights.meanfield.certified import prove
from gradtheory.random_weights.meanfield.edge_of_chaos import edge_at
from tests.shapes import slow_except

z = sympy.Symbol("z", real=True)

U = sympy.Symbol("u", real=True)


def settled(which, q, weight, bias, layers=4000):
    """Return the variance after many layers; None if it neither settles nor leaves float64."""
    for _ in range(layers):
        after = float(variance_map(which, q, weight, bias))
        if after > 1e8:
            return math.inf
        if after < 1e-12:
            return 0.0
        if abs(after - q) <= 1e-13 * q:
            return after
        q = after
    return None


# ---- none is lost


@pytest.mark.sampled(5)
@pytest.mark.only(lambda record: record.name != "exponential")  # E[e^2z] = e² makes σ_w so small that 1 is unstable
def test_a_fixed_point_on_a_node_of_the_search_is_found(shape):
    weight = gain(shape, q=1).forward
    points = fixed_points(shape, weight)
    line = gt.activation(shape).name in ("identity", "leaky_relu", "relu", "rrelu")
    (one,) = (point for point in points if abs(point.q - 1) < 1e-9)
    assert abs(one.q - 1) <= one.q.error or line
    assert abs(one.chi - chi(shape, 1, weight)) <= one.chi.error + 1e-14


@pytest.mark.parametrize("which", slow_except({"selu", "tanh"}, ["selu", "tanh", "silu", "softplus", "erf", "sine"]))
@pytest.mark.parametrize("tenths", [-20, -7, 3, 11])
def test_every_node_of_the_search_is_found(which, tenths):
    q = 10.0 ** (tenths / 10)
    points = fixed_points(which, math.sqrt(q) * gain(which, q=q).forward)
    assert min(abs(point.q / q - 1) for point in points) < 1e-9


def test_the_selu_of_klambauer_is_a_stable_fixed_point():
    (origin, point) = fixed_points("selu", 1.0)
    assert (origin.q, origin.is_stable) == (0, False)
    assert (round(point.q, 12), round(point.chi_parallel, 5), point.is_stable) == (1, 0.78265, True)
    assert depth_scales("selu", 1.0).point == point


def test_two_fixed_points_near_each_other_are_both_found():
    stable, unstable = fixed_points("gelu", 1.4807, 0.2913)
    assert (round(stable.q, 6), stable.is_stable) == (0.536025, True)
    assert (round(unstable.q, 3), unstable.is_stable) == (0.591, False)
    for point in (stable, unstable):
        assert variance_map("gelu", point.q, 1.4807, 0.2913) == pytest.approx(point.q, rel=1e-13)
    assert depth_scales("gelu", 1.4807, 0.2913).point == stable


@pytest.mark.parametrize("away", [1e-3, 1e-6, 1e-9])
def test_pairs_are_found_up_to_where_they_meet(away):
    # q = σ_w²·e^2q + σ_b² has the double root q₀ = 1/2 + σ_b² for σ_w² = e^(-2q₀)/2
    bias = 0.3
    double = 0.5 + bias**2
    meets = math.sqrt(math.exp(-2 * double) / 2)
    low, high = fixed_points("exponential", meets * (1 - away), bias)
    assert low.q < double < high.q
    assert (low.is_stable, high.is_stable) == (True, False)
    apart = 2 * math.sqrt(away)  # q = q₀ ± √away, to first order
    assert high.q - low.q == pytest.approx(apart, rel=0.1)
    assert fixed_points("exponential", meets * (1 + away), bias) == ()
    (point,) = fixed_points("exponential", meets, bias) or (None,)
    if point is not None:  # it touches, to rounding
        assert not point.is_stable
        assert abs(point.q - double) <= point.q.error


def test_a_half_stable_initialisation_is_a_point_that_is_not_stable():
    critical = critical_initialisation("gelu")
    below, point = fixed_points("gelu", critical.sigma_w, critical.sigma_b)
    assert below.is_stable
    assert not point.is_stable
    assert abs(point.q - critical.q) <= point.q.error < 1e-3
    assert abs(point.chi - 1) <= point.chi.error
    assert abs(point.chi_parallel - 1) <= point.chi_parallel.error


_CASES = [
    *(("gelu", 1.8, 0.05), ("gelu", 1.47, 0.2913), ("silu", 1.9, 0.1), ("mish", 1.6, 0.05), ("elu", 1.3, 0.2)),
    *(("snake", 0.9, 0.0), ("tanhshrink", 1.5, 0.3), ("hardshrink", 1.4, 0.1), ("threshold", 0.9, 0.5)),
    *(("cosine", 3.0, 0.0), ("gaussian", 4.0, 0.2), ("hard_swish", 1.6, 0.1), ("softsign", 1.2, 0.05)),
]


@pytest.mark.parametrize("case", slow_except(_CASES[:1], [(case,) for case in _CASES]), ids=str)
def test_variances_settle_at_stable_fixed_points_and_at_no_others(case):
    points = fixed_points(*case)
    stable = [float(point.q) for point in points if point.is_stable]
    reached = {settled(case[0], start, *case[1:]) for start in (1e-6, 0.01, 0.1, 0.5, 1.0, 3.0, 30.0, 1e4)} - {None}
    for end in reached - {math.inf}:
        assert min(abs(end - q) for q in stable) < 1e-8 * max(1, end)
    # between two neighbours that are drawn to, one that is not
    assert all(one.is_stable != other.is_stable for one, other in itertools.pairwise(points))


@pytest.mark.slow
@given(
    name=st.sampled_from(("gelu", "silu", "mish", "hard_swish", "tanh", "softplus", "elu", "tanhshrink")),
    weight=st.floats(0.3, 3),
    bias=st.floats(0.01, 1),
)
def test_a_scan_finds_the_same_fixed_points(name, weight, bias):
    q = np.geomspace(bias**2, 1e5, 2001)
    excess = variance_map(name, q, weight, bias) - q
    crossed = np.flatnonzero(excess[:-1] * excess[1:] < 0)
    points = [point for point in fixed_points(name, weight, bias) if point.q < 1e5]
    assert len(points) >= len(crossed)  # the scan may miss pairs
    for cell in crossed:
        assert any(q[cell] * (1 - 1e-9) <= point.q <= q[cell + 1] * (1 + 1e-9) for point in points)
    for point in points:
        assert variance_map(name, point.q, weight, bias) == pytest.approx(point.q, rel=1e-11)


@pytest.mark.parametrize(
    ("which", "weight", "bias", "expected"),
    [
        ("tanh", 1e10, 0.0, 1e20),  # saturated: q = σ_w²
        ("tanh", 1.0, 1e12, 1e24),
        ("tanh", 1e-3, 1e-12, 1e-24 / (1 - 1e-6)),  # a line: q = σ_b²/(1 - σ_w²)
        ("cosine", 50.0, 0.0, 1250.0),  # E[cos²] = 1/2
        ("sine", 1e5, 0.0, 5e9),
        ("sigmoid", 1e8, 0.0, 5e15),
    ],
)
def test_bounded_ones_have_a_fixed_point_however_large_or_small(which, weight, bias, expected):
    point = fixed_points(which, weight, bias)[-1]
    assert point.q == pytest.approx(expected, rel=1e-4)
    assert point.is_stable


@pytest.mark.parametrize("which", ["sine", "cosine", "snake"])
def test_over_many_periods_moments_are_means_over_one(which):
    from gradtheory.random_weights.gaussian.second_moments import moments
    from gradtheory.random_weights.meanfield.tables import KINDS, moments_at

    record = gt.activation(which)
    q = np.array([1e3, 2e4])
    ours = moments_at(record, q)
    direct = moments(record, q, KINDS).value
    assert ours.value == pytest.approx(direct[0], rel=1e-12)
    assert ours.slope == pytest.approx(direct[1], rel=1e-12)
    assert ours.growth == pytest.approx(direct[2] / q, rel=1e-10, abs=1e-10)


# ---- at q = 0 and beside the edge


@pytest.mark.parametrize(("which", "weight"), [("relu", 1.0), ("tanh", 0.9), ("gelu", 1.0), ("identity", 0.5)])
def test_where_the_variance_falls_to_0_correlations_are_not_contracted(which, weight):
    scales = depth_scales(which, weight)
    assert scales.point.q == 0
    assert (scales.c, scales.xi_c) == (1, math.inf)
    assert scales.xi_q == pytest.approx(-1 / math.log(scales.point.chi), rel=1e-12)
    # near q = 0 the map's slope at c = 1, relative to the variance that shrinks, is 1
    q = 1e-9
    after = variance_map(which, q, weight)
    assert correlation_slope(which, 1, q, weight) * q / after == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("which", "weight", "c", "slope"),
    [
        ("quadratic", 0.1, 1 / 2, 2 / 3),  # c' = (1 + 2c²)/3
        pytest.param("tanhshrink", 1.0, 0.0, 9 / 15, marks=pytest.mark.slow),  # z³/3 there: c' = (9c + 6c³)/15
        pytest.param("log_cosh", 1.0, 1 / 2, 2 / 3, marks=pytest.mark.slow),
        (sympy.tanh(z) ** 2, 0.5, 1 / 2, 2 / 3),
        pytest.param(1 - sympy.exp(-(z**2)), 0.5, 1 / 2, 2 / 3, marks=pytest.mark.slow),  # cancels near 0
        pytest.param(sympy.tanh(z) ** 5, 0.5, 0.0, 225 / 945, marks=pytest.mark.slow),  # E[z⁶]²/E[z¹⁰]
        # c' = (4(1 + 2c²) + (2/π)(3c√(1 - c²) + (1 + 2c²)·asin c))/15
        pytest.param(
            sympy.Piecewise((sympy.tanh(z) ** 2, z < 0), (3 * sympy.tanh(z) ** 2, True)),
            0.3,
            0.461237334572643,
            0.680152452480608,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_where_sigma_begins_with_a_power_correlations_settle_below_1(which, weight, c, slope):
    scales = depth_scales(which, weight)
    assert scales.point.q == 0
    assert scales.c == pytest.approx(c, abs=1e-9)
    assert scales.xi_c == pytest.approx(-1 / math.log(slope), abs=max(scales.xi_c.error, 1e-12))


def test_no_power_is_no_slope():
    """The slope of |z|^(3/2) at 1e-300 is 1e-150, which is no slope at 0."""
    scales = depth_scales(sympy.sign(z) * sympy.Abs(sympy.tanh(z)) ** sympy.Rational(3, 2), 0.3)
    assert scales.c == 0
    assert scales.xi_c > 20


@pytest.mark.parametrize(
    ("which", "weight", "bias", "q", "c", "slope"),
    [
        (sympy.sign(z), 1.0, 0.5, 1.25, 0.421714443154, 0.5616849009547),
        (sympy.Heaviside(z), 1.0, 0.3, 0.59, 0.850692331369, 0.5131684524774),
    ],
)
def test_steps_have_a_fixed_point(which, weight, bias, q, c, slope):
    """E[σ'²] = 0 says nothing of E[σ²]; c and the slope by Mehler's series with 3000 terms."""
    scales = depth_scales(which, weight, bias)
    assert scales.q == pytest.approx(q, rel=1e-12)
    assert scales.c == pytest.approx(c, abs=1e-9)
    assert scales.xi_c == pytest.approx(-1 / math.log(slope), rel=1e-8)


@pytest.mark.slow
def test_a_jump_keeps_inputs_apart():
    scales = depth_scales("threshold", 0.9, 0.5)
    assert scales.point.chi < 1
    assert round(scales.c, 5) == 0.98409
    assert round(scales.xi_c, 2) == 1.68
    q = scales.point.q
    assert correlation_map("threshold", scales.c, q, 0.9, 0.5) == pytest.approx(scales.c, abs=1e-11)
    step = 1e-4
    above, below = (correlation_map("threshold", scales.c + each, q, 0.9, 0.5) for each in (step, -step))
    assert correlation_slope("threshold", scales.c, q, 0.9) == pytest.approx((above - below) / (2 * step), rel=1e-4)
    assert correlation_slope("threshold", 1, q, 0.9) == math.inf


@pytest.mark.parametrize("c", [-0.7, 0.0, 0.4])
def test_the_slope_of_a_step_is_that_of_its_kernel(c):
    # E[σ(x₁)σ(x₂)] = 1/4 + asin(c)/(2π) for the step function
    expected = 1 / (2 * math.pi * math.sqrt(1 - c * c)) / 0.7
    assert correlation_slope(sympy.Heaviside(U, 0), c, 0.7, 1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_just_beyond_the_edge_without_biases():
    # q = ε with σ_w² = 1 + 2ε: χ₁ = 1 + 4q²/3, and the correlation map's slope at 0 is 1 - 2q²/3
    scales = depth_scales("tanh", 1.00001)
    q = scales.point.q
    assert (scales.c, scales.point.is_stable) == (0, True)
    assert scales.xi_c == pytest.approx(1.5 / q**2, rel=1e-2)
    assert scales.xi_gradient == pytest.approx(0.75 / q**2, rel=1e-2)
    nearer = depth_scales("tanh", 1.0000001)
    assert nearer.point.q == pytest.approx(1e-7, rel=1e-5)
    assert nearer.c == 0
    assert nearer.xi_gradient == pytest.approx(0.75e14, rel=0.05)
    assert nearer.xi_c == math.inf  # 1 - 7e-15 is not told from 1


@pytest.mark.slow
def test_which_side_of_the_edge_is_not_claimed_where_it_is_not_known():
    beyond = depth_scales("tanh", 1.00000001)  # c is 0, as a little farther from the edge
    assert abs(beyond.c - 0) <= beyond.c.error
    assert beyond.xi_c == math.inf
    on_it = depth_scales("tanh", edge_of_chaos("tanh", 0.3).sigma_w, 0.3)
    assert 0 < on_it.c.error < 1e-5  # c would be 1 - 2.6e-11 at a σ_w that is larger by 1e-11
    assert depth_scales("relu", math.sqrt(2)).c.error == 0  # every correlation tends to 1, whatever the rounding


@pytest.mark.slow
def test_just_beyond_the_edge_with_biases():
    weight = edge_of_chaos("tanh", 0.3).sigma_w * (1 + 1e-5)
    scales = depth_scales("tanh", weight, 0.3)
    assert 0.999 < scales.c < 1
    assert scales.xi_c > 1e4  # positive, as on the other side
    assert scales.xi_c == pytest.approx(scales.xi_gradient, rel=1e-3)
    after = correlation_map("tanh", scales.c - 1e-3, scales.point.q, weight, 0.3)
    assert after > scales.c - 1e-3


@pytest.mark.parametrize("which", ["tanh", "sigmoid", "gaussian", "relu6"])
def test_a_bounded_activation_is_never_said_to_grow(which):
    for weight in (1.0000001, 1e3, 1e12):
        assert any(point.is_stable for point in fixed_points(which, weight, 0.1))


def test_what_grows_is_said_to_grow():
    for which, weight, bias in (("relu", 2, 0.1), ("hardshrink", 1.0, 0.5), ("exponential", 2, 0)):
        with pytest.raises(InvalidArgument, match=r"no stable fixed point for sigma_b = .*, the variance grows"):
            depth_scales(which, weight, bias)


# ---- two fates


def test_a_tiny_value_at_0_is_as_good_as_a_tiny_bias():
    """V(q) = 0.81·(q + 1e-20) near 0."""
    (point,) = fixed_points(gt.expression("tanh(z) + 1/10**10"), 0.9)
    assert abs(point.q - 0.81e-20 / 0.19) <= point.q.error < 1e-30
    assert point.is_stable
    assert point.chi == pytest.approx(0.81)


def test_where_the_start_decides_gradients_follow_the_fixed_points():
    stable, unstable = fixed_points("gelu", 1.8, 0.05)
    assert stable.chi < 1  # from small variances gradients vanish
    assert unstable.q < 1.8**2 + 0.05**2  # inputs of mean square 1 start beyond
    growth = gradients("gelu", 30, 1.8, 0.05)
    assert growth[0] > 1e4 * growth[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "which", slow_except({"gelu", "tanh"}, ["gelu", "tanh", "silu", "mish", "relu6", "sine", "elu"])
)
def test_what_gradients_do_in_the_end_is_what_they_do(which):
    random = np.random.default_rng(4)
    for weight, bias in zip(random.uniform(0.5, 2.4, 6), random.choice([0.0, 0.05, 0.3, 0.8], 6), strict=True):
        growth = gradients(which, 400, weight, bias)
        late = growth[-100] / growth[-99]  # χ₁ in a layer far from the input
        assert settled_chi(which, weight, bias) == pytest.approx(late, rel=1e-3)


def test_what_is_settled_depends_on_the_start():
    small, large = settled_chi("gelu", 1.8, 0.05, q=[0, math.inf])
    stable, unstable = fixed_points("gelu", 1.8, 0.05)
    assert small == pytest.approx(stable.chi, rel=1e-4)
    assert large == pytest.approx(1.62, rel=1e-4)  # σ_w²/2, where the variance grows for ever
    below, above = settled_chi("gelu", 1.8, 0.05, q=[0.99 * unstable.q, 1.01 * unstable.q])
    assert (below, above) == pytest.approx((small, large))
    assert settled_chi("tanh", [[0.5], [0.9]], [0.0, 0.1]).shape == (2, 2)
    assert settled_chi("tanh", 0.9) == pytest.approx(0.81, rel=1e-9)
    for bad in (-1.0, math.nan):
        with pytest.raises(InvalidArgument, match=r"^q = "):
            settled_chi("tanh", 1.0, q=bad)


def test_the_edge_by_its_variance_is_the_edge_by_its_bias():
    for which in ("tanh", "gelu"):
        edge = edge_of_chaos(which, 0.25)
        curve = edge_at(which, [edge.q])
        assert curve.sigma_b[0] == pytest.approx(0.25, rel=1e-10)
        assert curve.sigma_w[0] == pytest.approx(edge.sigma_w, rel=1e-12)
        assert curve.stable[0] == edge.stable


def test_the_sigmoid_has_a_stable_edge_without_biases():
    edge = edge_of_chaos("sigmoid", 0)
    assert (round(edge.sigma_w, 3), edge.stable) == (10.149, True)
    points = fixed_points("sigmoid", edge.sigma_w)
    assert [point.is_stable for point in points] == [True]
    assert abs(points[0].chi - 1) < 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("which", ["softplus", "elu"])
def test_gradients_leave_float32_at_last_where_chi_tends_to_1(which):
    depth = lasting_depth(which, math.sqrt(2))
    if which == "elu":
        assert depth == pytest.approx(48_057, rel=2e-4)
        return
    growth = gradients(which, depth + 20, math.sqrt(2))
    # counted from the input on, since its layers differ
    squares = growth[0] / growth
    lost = np.flatnonzero(squares <= 2.0**-300) if squares[-1] < 1 else np.flatnonzero(1 / squares <= 2.0**-300)
    assert abs(int(lost[0]) - depth) <= 3


# ---- with a proof


@pytest.mark.parametrize(
    ("which", "sigma_w", "sigma_b", "count"),
    slow_except(
        [("erf", "6/5", "1/10", 1), ("erf", "6/5", "0", 1), ("sigmoid", "1", "0", 1)],
        [
            *(("erf", "6/5", "1/10", 1), ("erf", "6/5", "0", 1), ("sigmoid", "1", "0", 1), ("tanh", "3/2", "1/5", 1)),
            *(("gelu", "9/5", "1/20", 2), ("selu", "1", "1/10", 1), ("relu6", "1", "1/2", 1), ("tanh", "9/10", "0", 0)),
            *(("softplus", "1/2", "1/10", 1), ("relu", "2", "1/10", 0), ("sine", "2", "1/5", 1)),
        ],
    ),
)
def test_proven_fixed_points_are_those_that_are_computed(which, sigma_w, sigma_b, count):
    points = fixed_points(which, sigma_w, sigma_b, method="certified")
    proven = [point.q for point in points if point.q > 0]
    assert len(proven) == count
    for q in proven:
        assert q.guarantee is gt.Guarantee.CERTIFIED
        low, high = (variance_map(which, q + side * q.error, sigma_w, sigma_b, method="certified") for side in (-1, 1))
        signs = [float(after) - (q + side * q.error) for after, side in ((low, -1), (high, 1))]
        assert signs[0] * signs[1] < 0
    assert [float(point.q) for point in points] == [float(point.q) for point in fixed_points(which, sigma_w, sigma_b)]


def test_the_certified_erf_by_its_closed_form():
    (point,) = fixed_points("erf", "6/5", "1/10", method="certified")
    with mpmath.workdps(40):
        weight, bias = mpmath.mpf(6) / 5, mpmath.mpf(1) / 10

        def excess(q):
            return weight**2 * 2 / mpmath.pi * mpmath.asin(2 * q / (1 + 2 * q)) + bias**2 - q

        truth = mpmath.findroot(excess, 0.48)
        assert abs(truth - mpmath.mpf(float(point.q))) <= point.q.error


def test_a_proof_does_not_pass_over_a_fixed_point():
    """Were one left out of what is to be proven, the rest of the line could not be excluded."""
    record, scales = gt.activation("erf"), (sympy.Rational(6, 5), sympy.Rational(1, 10))
    with pytest.raises(Undecided, match=r"has a fixed point near q = 0\.478"):
        prove(record, *scales, [])
    with pytest.raises(Undecided, match="not simple enough"):
        prove(record, *scales, [0.5])


@pytest.mark.parametrize(("which", "sigma_w"), [("threshold", 1), ("exponential", "1/10"), ("quadratic", "1/10")])
def test_what_jumps_or_is_too_steep_is_not_proven(which, sigma_w):
    with pytest.raises(Undecided, match="jumps or has an unbounded slope"):
        fixed_points(which, sigma_w, "1/2", method="certified")


def test_where_the_map_touches_the_diagonal_there_is_no_proof():
    with pytest.raises(Undecided):
        fixed_points("relu", sympy.sqrt(2), method="certified")
    with pytest.raises(InvalidArgument, match=r"^method = "):
        fixed_points("relu", 1, method="proven")


@pytest.mark.slow
def test_flat_functions_have_fixed_points():
    """1 - exp(-z⁶⁰) is 0 near 0 and 1 beyond 1, so E[σ²] ≈ P(|z| > 1); E exp(-2/(q z²)) is exp(-2/√q)."""
    z = sympy.Symbol("z", real=True)
    (point,) = gt.meanfield.fixed_points(1 - sympy.exp(-(z**60)), 1, 0.5)
    assert abs(point.q - (0.25 + math.erfc(1 / math.sqrt(2 * point.q)))) < 0.01
    flat = sympy.Piecewise((sympy.exp(-1 / z**2), sympy.Ne(z, 0)), (0, True))
    low, edge, stable = gt.meanfield.fixed_points(flat, 3, 0)
    assert low.q == 0
    for q in (edge.q, stable.q):
        assert q == pytest.approx(9 * math.exp(-2 / math.sqrt(q)), rel=1e-12)
    assert stable.is_stable
    assert not edge.is_stable


def test_float32_lasts_eight_layers_of_tanhshrink():
    """By quadrature, layer by layer from inputs of mean square 1: χ₁ falls to 0 with the variance."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    q, gradient, layers = 2.0, 1.0, 0
    while gradient > 2.0**-300:  # of a mean square, whose root is rounded to 0
        z = math.sqrt(q) * nodes
        values = np.where(np.abs(z) < 1e-2, z**3 / 3 - 2 * z**5 / 15, z - np.tanh(z))
        gradient *= 2.0 * float(weights @ np.tanh(z) ** 4) / math.sqrt(2 * math.pi)
        q, layers = 2.0 * float(weights @ values**2) / math.sqrt(2 * math.pi), layers + 1
    assert lasting_depth("tanhshrink", math.sqrt(2)) == layers == 8
    assert (
        lasting_depth("threshold", math.sqrt(2)) > 8
    )  # it meets a slope of mean square 0, whose logarithm is not finite
