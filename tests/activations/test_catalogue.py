"""Every record of the catalogue against the definition of its σ."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Activation, Branch, T, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.functions import RealLog
from gradtheory.explosion.superlevel import SuperlevelSet, total_length
from tests import oracle
from tests.shapes import SHAPES, slow_except

_ULP = 2.0**-52
_GATED = ("gelu", "gelu_tanh", "mish", "quick_gelu", "silu", "snake", "swish")
_MEMBERS = (
    "celu(alpha=3/10)", "isru(alpha=7)", "isrlu(alpha=1/3)", "softplus(beta=7/3)", "squareplus(b=1/10)",
    "swish(beta=1/3)", "snake(a=5/2)", "hard_sigmoid(slope=1/5)", "hard_tanh(lower=1/4, upper=3/4)",
    "softshrink(lambd=3)", "hardshrink(lambd=2)", "threshold(threshold=-1, value=-1)", "threshold(value=3)",
    "rrelu(lower=-1/4, upper=0)",
)  # fmt: skip
_EVERY_MEMBER = (*gt.activation_names(), *_MEMBERS)
_every_member = pytest.mark.parametrize("member", slow_except(gt.activation_names(), _EVERY_MEMBER))
_POINTS = np.concatenate(
    [
        np.linspace(-8.0, 8.0, 41),
        np.geomspace(1e-300, 700.0, 25),
        -np.geomspace(1e-300, 700.0, 25),
        np.nextafter([1.0, -1.0, 3.0, -3.0], 0.0),
    ]
)


def test_names_are_sorted_and_unique():
    names = gt.activation_names()
    assert list(names) == sorted(set(names))
    assert {"sigmoid", "tanh", "relu", "gelu"} <= set(names)


@pytest.mark.sampled(12)
@_every_member
def test_derivative_is_the_derivative(member):
    record = gt.activation(member)
    kinks = record.kinks
    for z in (sympy.Rational(k, 7) for k in range(-40, 41, 3)):
        if z not in kinks:
            with mpmath.workdps(60):
                stated = oracle.as_mpf(record.slope_expr.subs(Z, z))
                assert abs(stated - oracle.slope(member, z)) < mpmath.mpf(10) ** -45, z


@_every_member
def test_values_lie_in_the_range(member):
    record = gt.activation(member)
    for z in (-9, -3, sympy.Rational(-1, 3), 0, 1, 8):
        assert record.range.contains(record.expr.subs(Z, z)) is sympy.true


@pytest.mark.sampled(3)
@pytest.mark.parametrize("member", slow_except(SHAPES, _EVERY_MEMBER))
def test_kernel_is_accurate_in_ulp(member):
    record = gt.activation(member)
    kinks = [float(kink) for kink in record.kinks]
    with np.errstate(all="raise"):  # the library must not leak a warning of its own
        values, slopes = record.value(_POINTS), record.slope(_POINTS)
    for z, value, slope in zip(_POINTS, values, slopes, strict=True):
        if z in kinks:
            continue
        exact_value, exact_slope = oracle.value(member, z), oracle.slope(member, z, digits=330)
        assert abs(value - exact_value) <= max(4 * _ULP * abs(exact_value), 2e-323), z
        # At a zero of the slope only the error that one ulp of z makes can be asked for.
        scale = (
            max(abs(exact_slope), _moved_by_z(member, z)) if member.partition("(")[0] in _GATED else abs(exact_slope)
        )
        assert abs(slope - exact_slope) <= max(4 * _ULP * scale, 2e-323), z


def _moved_by_z(name, z):
    """Return |z·σ''(z)|, from a difference quotient of σ'."""
    return abs(z) * abs(oracle.slope(name, z + 1e-7) - oracle.slope(name, z - 1e-7)) / 2e-7


@_every_member
def test_kernel_is_total(member):
    record = gt.activation(member)
    z = np.array([-np.inf, -1e308, -1e4, -0.0, 0.0, 5e-324, 1e4, 1e308, np.inf])
    assert not np.isnan(record.value(z)).any()
    assert not np.isnan(record.slope(z)).any()
    assert np.isfinite(record.slope(z)).all() or record.steepest_slope is sympy.oo
    assert np.isnan(record.value(np.nan))
    assert record.value([]).shape == (0,)
    assert record.slope(np.zeros((2, 3))).shape == (2, 3)
    assert isinstance(record.slope(0.5), float)
    before = z.copy()
    record.value(z)
    assert np.array_equal(z, before)


@pytest.mark.sampled(8)
@_every_member
def test_branches_have_the_limits_and_inverses_they_state(member):
    record = gt.activation(member)
    for piece in record.profile.pieces:
        branch = piece.branch
        near_left, near_right = _near(branch.left, 1), _near(branch.right, -1)
        for near, stated in ((near_left, branch.slope_left), (near_right, branch.slope_right)):
            slope = oracle.slope(member, near)
            assert slope * sign(stated) > 1e20 if stated.is_infinite else abs(slope - oracle.as_mpf(stated)) < 1e-9
        if branch.is_flat:
            continue
        low, high = branch.shallowest, branch.steepest if branch.steepest.is_finite else sympy.Integer(1000)
        for share in (sympy.Rational(1, 1000), sympy.Rational(1, 3), sympy.Rational(999, 1000)):
            level = low + (high - low) * share
            inverse = branch.inverse if branch.inverse is not None else piece.inverse(T)
            z = inverse.subs(T, level)
            assert sign(z - branch.left) > 0 > sign(z - branch.right)
            with mpmath.workdps(60):
                assert abs(abs(oracle.slope(member, z.n(80))) - oracle.as_mpf(level)) < mpmath.mpf(10) ** -45


# Where SymPy's simplify proves |σ'(inverse(t))| = t; the others are checked at 50 digits above.
# (softsign needs |√(1 + q) - 1| resolved, gaussian an identity of Lambert's W).
_PROVEN = ("arctan", "arsinh", "elu", "erf", "selu", "sigmoid", "softplus", "tanh")


@pytest.mark.parametrize("proven", _PROVEN)
def test_inverses_are_proven_symbolically(proven):
    record = gt.activation(proven)
    level = sympy.Symbol("q", positive=True)
    for branch in record.profile.branches:
        if branch.is_flat:
            continue
        # t = sup|σ'|/(1 + q) runs through (0, sup|σ'|) as q runs through the positive numbers.
        t = branch.steepest / (1 + level)
        z = branch.inverse.subs(T, t).replace(RealLog, sympy.log).rewrite(sympy.log)
        slope = record.slope_expr
        if slope.has(sympy.Piecewise):
            slope = next(piece for piece, condition in slope.args if condition is sympy.true)  # the left piece
        slope = slope.replace(sympy.Min, lambda *args: args[-1]).rewrite(sympy.exp).subs(Z, z)
        assert sympy.simplify(sympy.expand(1 / abs(slope)) - 1 / t) == 0


def _near(end: sympy.Expr, inwards: int) -> sympy.Rational:
    if end.is_infinite:
        return sympy.Integer(10) ** 30 * -inwards
    return sympy.Rational(str(end.n(60))) + inwards * sympy.Rational(1, 10**20)


def test_slope_is_monotone_on_each_branch(closed):
    record = gt.activation(closed)
    for branch in record.profile.branches:
        left = max(float(branch.left), -30.0)
        right = min(float(branch.right), 30.0)
        sizes = np.abs(record.slope(np.linspace(left, right, 301)[1:-1]))
        steps = np.diff(sizes) if branch.rises else -np.diff(sizes)
        assert (steps >= -4 * _ULP).all()


def test_steepest_slope_bounds_every_slope(closed):
    record = gt.activation(closed)
    assert np.abs(record.slope(_POINTS)).max() <= float(record.steepest_slope) * (1 + 4 * _ULP)


_STATIONARY = [each for each in gt.activation_names() if gt.activation(each).widest_point]


@pytest.mark.parametrize("stationary", _STATIONARY)
def test_stationarity_measures_the_superlevel_set(stationary):
    place = gt.activation(stationary).widest_point
    assert place.parameter.name == "s"  # as prose calls it
    for s in (sympy.Rational(1, 3), sympy.Rational(3, 4)):
        level, measure = place.level.subs(place.parameter, s), place.measure.subs(place.parameter, s)
        length = total_length(
            SuperlevelSet(gt.activation(stationary).profile, sympy.Rational(str(level.n(60)))).components()
        )
        assert abs((length - measure).n(30)) < sympy.Float("1e-25")


def test_only_flat_branches_come_without_a_bend(name):
    record = gt.activation(name)
    assert (record.sign_of_bend is None) == all(branch.is_flat for branch in record.profile.branches)


@pytest.mark.parametrize(
    "member",
    slow_except(
        [shape for shape in SHAPES if shape != "gelu"],
        [member for member in _EVERY_MEMBER if gt.activation(member).sign_of_bend],
    ),
)
def test_curvature_is_the_second_derivative(member):
    record = gt.activation(member)
    for branch in record.profile.branches:
        if branch.is_flat:
            continue
        for share in (sympy.Rational(1, 9), sympy.Rational(1, 2), sympy.Rational(8, 9)):
            left, right = (_near(end, inwards) for end, inwards in ((branch.left, 1), (branch.right, -1)))
            z = max(left, -5) * (1 - share) + min(right, 5) * share
            with mpmath.workdps(60):
                positive = oracle.as_mpf(formula_near(record.sign_of_bend.positive, Z, z).subs(Z, z))
                shape = oracle.as_mpf(formula_near(record.sign_of_bend.rest, Z, z).subs(Z, z))
                assert positive > 0
                assert abs(_second_difference(member, z) / (positive * shape) - 1) < mpmath.mpf(10) ** -50, z


def _second_difference(name, z):
    """Return σ''(z) to more than 50 digits, relative to its size down to 1e-400."""
    with mpmath.workdps(3000):
        at, step = oracle.as_mpf(z), mpmath.mpf(10) ** -500
        before, here, after = (oracle.sigma(name)(each) for each in (at - step, at, at + step))
        return (before - 2 * here + after) / step**2


@pytest.mark.sampled(10)
def test_certified_ends_are_the_closed_forms(closed):
    profile = gt.activation(closed).profile
    top = min((branch.steepest for branch in profile.branches if branch.steepest.is_finite), default=sympy.Integer(9))
    for share in ("1/1000", "1/7", "1/3", "1/2", "9/10", "999/1000"):
        level = top * sympy.Rational(share)
        for strict in (True, False):
            stated, proven_parts = (
                SuperlevelSet(profile, level, strict, method).components() for method in ("auto", "certified")
            )
            assert len(stated) == len(proven_parts)
            for ours, theirs in zip(stated, proven_parts, strict=True):
                assert (ours.lower_open, ours.upper_open) == (theirs.lower_open, theirs.upper_open)
                for end, proven in ((ours.lower, theirs.lower), (ours.upper, theirs.upper)):
                    assert end == proven or abs(enclosure.rounded(end - proven + 1, 200) - 1) < 1e-50


@pytest.mark.parametrize("member", _MEMBERS)
def test_other_members_of_families_are_records_of_their_own(member):
    record = gt.activation(member)
    assert record.name == member
    assert not record.peers
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(
    "member",
    [
        *("celu(0)", "isru(-1)", "isrlu(0)", "softshrink(0)", "hardshrink(-1)", "squareplus(0)", "softplus(0)"),
        *("hard_sigmoid(0)", "hard_tanh(1, 1)", "rrelu(1, 0)", "swish(0)", "snake(0)"),
    ],
)
def test_members_out_of_range_are_refused(member):
    with pytest.raises(gt.errors.InvalidArgument):
        gt.activation(member)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_monotone_activations_are_monotone_in_float64(first, second):
    low, high = sorted((first, second))
    for name in ("sigmoid", "tanh", "arctan", "softsign", "erf", "arsinh", "softplus", "relu", "leaky_relu"):
        record = gt.activation(name)
        assert record.value(low) <= record.value(high) * (1 + 4 * _ULP * np.sign(record.value(high)))


def _record(**changes):
    fields = {
        "name": "test",
        "symbol": "t",
        "expr": Z,
        "range": sympy.S.Reals,
        "kernel": lambda z, value, slope: None,
        "reference": "none",
    }
    return Activation(**(fields | changes))


def test_a_record_checks_itself():
    zero, one = sympy.S.Zero, sympy.S.One
    with pytest.raises(ValueError, match="alone"):
        _record(expr=sympy.Symbol("u"))
    with pytest.raises(ValueError, match="gap"):
        _record(branches=(Branch(-sympy.oo, zero, one, one), Branch(one, sympy.oo, one, one)))
    with pytest.raises(ValueError, match="log_odds"):
        _record(range=sympy.Interval.open(0, 1))


def test_a_record_without_stationarity_says_so():
    record = _record(
        branches=(
            Branch(-sympy.oo, sympy.S.Zero, sympy.S.Zero, sympy.S.One, inverse=-1 / T),
            Branch(sympy.S.Zero, sympy.oo, sympy.S.One, sympy.S.Zero, inverse=1 / T),
        )
    )
    with pytest.raises(gt.errors.Undecided, match="test"):
        gt.widest_explosion(record)
