"""Gaussian moments: against mpmath, against closed forms, proven, and refused where they diverge."""

import copy
import math
import pickle
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.errors import InvalidArgument, NoClosedForm, Undecided
from gradtheory.random_weights.gaussian import KINDS, closed_form, correlated, moment, quadrature
from gradtheory.random_weights.gaussian.closed import Q, closed_expectation
from gradtheory.random_weights.gaussian.second_moments import METHODS, moments
from tests.shapes import slow_except

U = sympy.Symbol("u", real=True)

_AGAINST_MPMATH = (
    *("tanh", "sigmoid", "gelu", "silu", "softplus", "mish", "selu"),
    *("hard_tanh", "softsign", "arctan", "gaussian", "leaky_relu", "snake", "sparse_plus"),
)

# What is known to have one, written out: a closed form that is lost would only be slower.
_CLOSED = {
    *("celu", "cosine", "elu", "erf", "exponential", "gaussian", "gelu", "hard_sigmoid", "hard_swish", "hard_tanh"),
    *("hardshrink", "identity", "leaky_relu", "quadratic", "relu", "relu6", "rrelu", "selu", "sine", "snake"),
    *("softshrink", "sparse_plus", "sparse_sigmoid", "threshold"),
}
_JUMP = {"hardshrink", "threshold"}


def by_mpmath(record, q):
    """Return the four moments from the formulas of σ and σ' alone, panel by panel at 30 digits."""
    with mpmath.workdps(30):
        scale = mpmath.sqrt(mpmath.mpf(q))
        value, slope = (cache(sympy.lambdify(Z, each, "mpmath")) for each in (record.expr, record.slope_expr))
        places = {0, *(mpmath.mpf(sympy.Rational(kink).p) / sympy.Rational(kink).q for kink in record.kinks)}
        places |= {side * place for side in (-1, 1) for place in (0.5, 1, 2, 3, 5, 8, 13)}
        places |= {side * scale * z for side in (-1, 1) for z in range(2, 13, 2)}
        ends = sorted(place for place in places if abs(place) <= 12 * scale)

        def expected(terms):
            def integrand(x):
                return terms(value(x), slope(x), x) * mpmath.exp(-x * x / (2 * q))

            total = mpmath.quad(integrand, ends, method="gauss-legendre", maxdegree=6)
            return total / (scale * mpmath.sqrt(2 * mpmath.pi))

        return (
            expected(lambda value, slope, x: value**2),
            expected(lambda value, slope, x: slope**2),
            expected(lambda value, slope, x: value * slope * x),
            expected(lambda value, slope, x: slope**4),
        )


@pytest.mark.sampled(6)
@pytest.mark.parametrize("q", slow_except({"1"}, ["0.01", "1", "50"]))
@pytest.mark.parametrize("which", _AGAINST_MPMATH)
def test_float64_is_what_mpmath_finds_from_the_formulas(which, q):
    record = gt.activation(which)
    for kind, expected in zip(KINDS, by_mpmath(record, mpmath.mpf(q)), strict=True):
        ours = moment(which, q, of=kind)
        size = mpmath.sqrt(moment(which, q) * moment(which, q, of="slope") * float(q)) if kind == "growth" else 0.0
        assert abs(ours - expected) <= 1e-12 * max(abs(expected), size), kind
        assert abs(ours - expected) <= ours.error, kind


_QS = (1e-6, 1e-3, 1.0, 1e3, 1e6)


def sizes(name, q):
    """Return a size of each integrand: E[σσ'x] cancels, and is measured by Cauchy and Schwarz."""
    value, slope, fourth = (moment(name, q, of=kind) for kind in ("value", "slope", "fourth"))
    return dict(zip(KINDS, (value, slope, value + math.sqrt(value * slope * q), fourth), strict=True))


def overflows(name, q):
    return name == "exponential" and q >= 1e3


def test_the_stated_error_is_small(shape):
    for q in _QS:
        if overflows(shape, q):
            with pytest.raises(InvalidArgument, match="diverge there or exceed float64"):
                moment(shape, q)
            continue
        for kind, size in sizes(shape, q).items():
            estimate = moment(shape, q, of=kind)
            assert estimate.guarantee is gt.Guarantee.NUMERIC
            assert math.isfinite(estimate), (q, kind)
            assert 0.0 <= estimate.error <= 1e-12 * max(size, abs(estimate)), (q, kind)


@pytest.mark.quick_for("gaussian", "leaky_relu", "log_cosh", "quadratic", "sigmoid")
def test_proven_digits_lie_within_the_stated_error(shape):
    for q in _QS:
        # beyond q = 1 a proof without a closed form takes seconds, or gives up
        kinds = KINDS if shape in _CLOSED else ("value", "slope") if q <= 1.0 else ()
        for kind in kinds:
            if overflows(shape, q) or moment(shape, q, of=kind) < 1e-25 < q:  # far tails: see the end of this file
                continue
            try:
                proven = moment(shape, q, of=kind, method="certified")
            except Undecided:
                assert shape not in _CLOSED
                continue
            assert proven.guarantee is gt.Guarantee.CERTIFIED
            assert proven.error <= max(1e-15 * abs(proven), 5e-324)  # sine: q·e^(-2q) underflows
            estimate = moment(shape, q, of=kind)
            assert abs(estimate - proven) <= estimate.error + proven.error, (q, kind)


@pytest.mark.sampled(5)
def test_only_a_few_are_undecided_at_1(shape):
    for kind in ("value", "slope"):
        assert moment(shape, 1, of=kind, method="certified") == pytest.approx(moment(shape, 1, of=kind), rel=1e-14)


def test_certified_takes_exact_numbers():
    thirds = [
        moment("tanh", third, of="slope", method="certified") for third in ("1/3", Fraction(1, 3), sympy.S(1) / 3)
    ]
    assert thirds[0] == thirds[1] == thirds[2]
    assert abs(thirds[0] - moment("tanh", 1 / 3, of="slope")) < 1e-15
    with pytest.raises(InvalidArgument, match=r"^q = .*: must be one real number"):
        moment("tanh", [1.0], method="certified")
    with pytest.raises(Undecided, match="unbounded slope, and no closed form"):
        moment(U**2 * sympy.atan(U), 1, method="certified")


@pytest.mark.sampled(2)
def test_those_with_a_closed_form_are_as_listed(shape):
    for kind in KINDS:
        if shape in _CLOSED and (shape, kind) != ("gelu", "fourth"):
            assert closed_form(shape, of=kind).free_symbols <= {Q}
        else:
            with pytest.raises(NoClosedForm):
                closed_form(shape, of=kind)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("which", sorted(_CLOSED))
def test_closed_forms_are_what_the_quadrature_finds(which):
    for kind in KINDS:
        if (which, kind) == ("gelu", "fourth"):
            continue
        formula = closed_form(which, of=kind)
        for q in (Fraction(1, 20), Fraction(7, 10), Fraction(3), Fraction(40)):
            if which == "exponential" and q > 1:  # see the end of this file
                continue
            exact = float(formula.subs(Q, sympy.Rational(q)).evalf(30, maxn=400))
            estimate = moment(which, q, of=kind)
            assert abs(estimate - exact) <= estimate.error + 1e-15 * abs(exact), (kind, q)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("which", "kind", "formula"),
    [
        ("relu", "value", Q / 2),
        ("relu", "slope", sympy.S.Half),
        ("relu", "growth", Q / 2),
        ("relu", "fourth", sympy.S.Half),
        ("leaky_relu", "value", (1 + sympy.Rational(1, 10**4)) * Q / 2),
        ("erf", "value", 2 / sympy.pi * sympy.asin(2 * Q / (1 + 2 * Q))),  # Williams (1998), equation 11
        ("erf", "slope", 4 / (sympy.pi * sympy.sqrt(1 + 4 * Q))),
        ("sine", "value", (1 - sympy.exp(-2 * Q)) / 2),
        ("cosine", "value", (1 + sympy.exp(-2 * Q)) / 2),
        ("gaussian", "value", 1 / sympy.sqrt(1 + 4 * Q)),
        ("exponential", "fourth", sympy.exp(8 * Q)),
        # E[gelu²] by Stein's identity, twice: the diagonal of the kernel of R. Tsuchida et al., "Avoiding kernel
        # fixed points: computing with ELU and GELU infinite networks" (2021)
        (
            "gelu",
            "value",
            Q / 4 + Q * sympy.asin(Q / (1 + Q)) / (2 * sympy.pi) + Q**2 / (sympy.pi * (1 + Q) * sympy.sqrt(1 + 2 * Q)),
        ),
        (U, "value", Q),
        (U**3 - U, "value", 15 * Q**3 - 6 * Q**2 + Q),
        (U**3 - U, "slope", 27 * Q**2 - 6 * Q + 1),
        (sympy.sinh(U), "value", (sympy.exp(2 * Q) - 1) / 2),
        (sympy.Max(0, U) ** 2, "value", 3 * Q**2 / 2),
        (sympy.Abs(U), "slope", sympy.S.One),
        (U * sympy.exp(-(U**2) / 2), "value", Q / (1 + 2 * Q) ** sympy.Rational(3, 2)),
        (U * sympy.erf(U), "growth", None),
        (sympy.exp(-U) * sympy.Max(0, U), "value", None),
        (sympy.Piecewise((sympy.sin(U) ** 2, True)) + U, "slope", None),
    ],
)
def test_closed_forms_of_the_textbook_and_of_own_expressions(which, kind, formula):
    closed = closed_form(which, of=kind)
    for q in (sympy.Rational(1, 7), sympy.S(2), sympy.S(9)):
        exact = closed.subs(Q, q).evalf(30)
        if formula is not None:
            assert abs(exact - formula.subs(Q, q).evalf(30)) < 1e-25 * abs(exact)
        numeric = moment(which, q, of=kind)
        assert abs(numeric - float(exact)) <= numeric.error + 2e-16 * abs(numeric)


@pytest.mark.parametrize(
    "integrand",
    [
        sympy.erf(Z) * sympy.exp(Z),
        sympy.erf(Z) ** 4,
        sympy.erf(Z) * sympy.erf(2 * Z),
        sympy.erf(Z + 1),
        sympy.Max(0, Z) * sympy.sin(Z),
        sympy.exp(Z**3),
        sympy.exp(Z**2),
        sympy.tanh(Z),
        1 / (1 + Z**2),
        sympy.Max(0, sympy.erf(Z)),
    ],
)
def test_no_closed_form_is_made_up(integrand):
    with pytest.raises(NoClosedForm):
        closed_expectation(integrand)


def test_gauss_hermite_is_wrong_by_as_much_as_the_docs_say():
    nodes, weights = np.polynomial.hermite_e.hermegauss(25)
    weights /= weights.sum()
    # the middle node sees σ'(0)² = 1, the others nothing
    hermite = np.sum(weights / np.cosh(10.0 * nodes) ** 4)
    with mpmath.workdps(30):
        density = mpmath.npdf
        exact = 2 * mpmath.quad(lambda z: mpmath.sech(10 * z) ** 4 * density(z), [0, 0.1, 0.3, 1, 3, 12])
    ours = moment("tanh", 100, of="slope")
    percent = round(100 * abs(hermite / float(exact) - 1))
    theory = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
    for text in (theory, quadrature.__doc__):
        assert re.search(r"Gauss-Hermite with 25\s+nodes.* is wrong by (\d+) %", text)[1] == str(percent) == "367"
    assert abs(ours / exact - 1) < 1e-12
    assert abs(ours - exact) <= ours.error


def test_jumps_count_in_the_growth():
    # σ' does not know of them: E[σσ'x] alone would miss the density at the jump
    q = 0.7
    for which, jump in (("hardshrink", 0.5), ("threshold", 1.0)):
        record = gt.activation(which)
        (naive,), _ = moments(record, np.array([q]), ("value",))
        step = 1e-4
        above, below = (moment(which, q * (1 + sign * step)) for sign in (1, -1))
        growth = moment(which, q, of="growth")
        assert growth == pytest.approx((above - below) / (2 * step), rel=1e-6)
        assert growth > 1.05 * naive[0]
        assert jump in map(float, map(abs, record.kinks))


def test_growth_is_the_derivative_of_the_value(name):
    q, step = 0.8, 1e-4
    estimates = moment(name, [q * (1 + k * step) for k in (-2, -1, 1, 2)])
    slope = (estimates[0] - 8 * estimates[1] + 8 * estimates[2] - estimates[3]) / (12 * step)
    assert moment(name, q, of="growth") == pytest.approx(slope, rel=1e-9, abs=1e-11)


def test_arrays_are_the_numbers_one_by_one():
    variances = np.array([[1e-3, 1.0], [7.0, 1e5]])
    for which in ("gelu", "sine"):
        estimates = moment(which, variances, of="slope")
        assert isinstance(estimates, np.ndarray)
        assert (estimates.error < 1e-13).all()
        assert estimates.shape == (2, 2)
        for index in np.ndindex(2, 2):
            assert estimates[index] == pytest.approx(moment(which, variances[index], of="slope"), rel=1e-14)
    kinds, several = moments(gt.activation("mish"), variances.reshape(-1), KINDS)
    assert kinds.shape == several.shape == (4, 4)
    for row, kind in zip(kinds, KINDS, strict=True):
        assert row == pytest.approx(moment("mish", variances.reshape(-1), of=kind), rel=1e-14)


@pytest.mark.slow
@given(q=st.floats(1e-4, 1e4), scale=st.integers(1, 50), name=st.sampled_from(("tanh", "gelu", "arctan", "elu")))
def test_stretching_the_argument_stretches_the_variance(q, scale, name):
    stretch = sympy.Rational(scale, 7)
    stretched = gt.activation(name).expr.subs(Z, stretch * U)
    wider = q * float(stretch) ** 2
    for kind, factor in (("value", 1.0), ("slope", stretch**2), ("growth", 1.0), ("fourth", stretch**4)):
        expected = float(factor) * moment(name, wider, of=kind)
        assert moment(stretched, q, of=kind) == pytest.approx(expected, rel=1e-11, abs=1e-12 * wider), kind


@pytest.mark.parametrize("of", ["values", "", "VALUE", None, 3, ["value"]])
def test_an_unknown_moment_is_refused(of):
    for call in (lambda: moment("tanh", 1, of=of), lambda: closed_form("relu", of=of)):
        with pytest.raises(InvalidArgument, match=r"^of = .*: must be one of 'value', 'slope', 'growth', 'fourth'"):
            call()


@pytest.mark.parametrize(
    "q", [0, -1, -0.0, float("nan"), float("inf"), "seven", "", "0", None, True, 1j, sympy.pi - 4, U, [1, 0], [[1], []]]
)
@pytest.mark.parametrize("method", METHODS)
def test_a_variance_that_is_not_positive_and_finite_is_refused(q, method):
    with pytest.raises(InvalidArgument, match=r"^q = "):
        moment("tanh", q, method=method)
    if method == "auto":
        with pytest.raises(InvalidArgument, match=r"^q = "):
            correlated("tanh", 0.5, q, of="value")


def test_divergence_is_said_and_never_a_number():
    for which, last in ((sympy.exp(U**2 / 2), 0.5), (sympy.exp(U**2 / 8), 2.0), (U * sympy.exp(U**2 / 4), 1.0)):
        below = moment(which, last / 10)
        assert math.isfinite(below)
        for q in (last, 2 * last, 1e3 * last):
            with pytest.raises(InvalidArgument, match=r"^q = .* diverge there or exceed float64"):
                moment(which, q)
            with pytest.raises(InvalidArgument, match="take a smaller q"):
                moment(which, [last / 10, q])
        value, error = moments(gt.activation(which), np.array([last / 10, 2 * last]), ("value",))
        assert value[0, 0] == below
        assert value[0, 1] == error[0, 1] == np.inf
        with pytest.raises(NoClosedForm):
            closed_form(which)
    # E[exp(z²/2)²] = (1 - 2q)^(-1/2)
    assert moment(sympy.exp(U**2 / 2), 0.1) == pytest.approx(0.8**-0.5, rel=1e-14)
    # E[exp((x₁² + x₂²)/2)]
    estimate = correlated(sympy.exp(U**2 / 2), 0.3, 0.25, of="value")
    assert abs(estimate - (0.75**2 - 0.075**2) ** -0.5) <= estimate.error


@pytest.mark.parametrize("power", ["9/10", "3/4", "1/2", "1/4"])
@pytest.mark.parametrize("place", [0, 3])
def test_where_a_slope_is_infinite_its_moment_converges_or_is_refused(power, place):
    p = sympy.Rational(power)
    own = sympy.sign(U - place) * sympy.Abs(U - place) ** p
    if p <= sympy.Rational(1, 2):  # E[σ'²] holds ∫|x|^(2p - 2) dx beside the place
        with pytest.raises(
            InvalidArgument, match=f"diverge, or are not told from that: its slope is infinite at {place}"
        ):
            moment(own, 1, of="slope")
        with pytest.raises(InvalidArgument, match="its slope is infinite"):
            moment(own, [0.5, 2.0], of="slope")
        return
    estimate = moment(own, 1, of="slope")
    with mpmath.workdps(30):  # E[|x - m|^(2p - 2)], by Kummer's function
        exponent = 2 * (mpmath.mpf(p.p) / p.q - 1)
        absolute = mpmath.mpf(2) ** (exponent / 2) * mpmath.gamma((1 + exponent) / 2) / mpmath.sqrt(mpmath.pi)
        exact = (
            (mpmath.mpf(p.p) / p.q) ** 2 * absolute * mpmath.hyp1f1(-exponent / 2, 0.5, -(mpmath.mpf(place) ** 2) / 2)
        )
    assert abs(estimate - float(exact)) <= estimate.error < 1e-3 * estimate


def test_growth_beyond_the_first_tail_is_followed():
    # E[exp(2x)] = exp(2q): at q = 100 the integrand peaks 20 standard deviations out
    for q in (0.1, 5.0, 30.0, 100.0):
        estimate = moment("exponential", q)
        assert abs(estimate - math.exp(2 * q)) <= estimate.error
        assert estimate.error < 1e-12 * estimate


def test_an_estimate_is_a_float_with_an_error():
    half = Estimate(0.5, 1e-16)
    assert isinstance(half, float)
    assert half + 1 == 1.5
    assert type(half + 1) is float
    assert half == 0.5
    assert hash(half) == hash(0.5)
    assert round(half, 3) == 0.5
    assert f"{half:.2f}" == "0.50"
    assert math.sqrt(Estimate(4, 0)) == 2.0
    assert repr(half) == str(half) == "0.5 ± 1e-16 (numeric)"
    assert repr(Estimate(0.25, 0.0, gt.Guarantee.EXACT)) == "0.25 ± 0 (exact)"
    assert repr(moment("relu", 3, method="certified")).endswith("(certified)")
    with pytest.raises(TypeError, match="error"):
        Estimate(0.5)


@pytest.mark.parametrize("method", METHODS)
def test_an_estimate_survives_pickling_and_copying(method):
    estimate = moment("tanh", 2, method=method)
    for again in (pickle.loads(pickle.dumps(estimate)), copy.copy(estimate), copy.deepcopy(estimate)):
        assert type(again) is Estimate
        assert (again, again.error, again.guarantee) == (estimate, estimate.error, estimate.guarantee)


@pytest.mark.parametrize("steepness", [10**4, 10**6])
def test_a_steep_activation_is_seen(steepness):
    estimate = moment(sympy.erf(steepness * U), 1, of="slope")
    exact = 4 * steepness**2 / (math.pi * math.sqrt(1 + 4 * steepness**2))
    assert abs(estimate - exact) <= estimate.error + 1e-13 * exact


@pytest.mark.slow
def test_a_steep_swish_is_seen():
    estimate, proven = (moment("swish(beta=10000)", 1, of="slope", method=method) for method in METHODS)
    assert abs(estimate - proven) <= estimate.error + proven.error


@pytest.mark.parametrize(("which", "q", "kind"), [("threshold", 1e-3, "slope"), ("exponential", 40, "value")])
def test_far_from_0_the_error_counts_the_rounding_of_the_density(which, q, kind):
    estimate, proven = (moment(which, q, of=kind, method=method) for method in METHODS)
    assert abs(estimate - proven) <= estimate.error + proven.error


def test_proven_moments_beyond_float64_are_refused():
    with pytest.raises(InvalidArgument, match="exceed float64"):
        moment("exponential", 1000, method="certified")


def test_no_variances_have_no_moments():
    assert moment("tanh", []).shape == (0,)


@pytest.mark.parametrize("written", ["Max(0,z)*exp(-(z-1)**2)", "Min(5/2,z)*exp(-(z+3)**2/3)"])
def test_long_closed_forms_are_left_as_they_are(written):
    """SymPy's simplify did not end on them."""
    record = gt.activation(gt.expression(written))
    growth = gt.gaussian.moment(record, 1, of="growth", method="certified")
    assert growth == pytest.approx(gt.gaussian.moment(record, 1, of="growth"), rel=1e-12)
    assert float(gt.gaussian.closed_form(record, of="growth").subs(Q, 1)) == pytest.approx(growth)
