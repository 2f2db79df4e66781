"""Expressions of one's own are checked without a proof of their branches."""

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory import testing
from gradtheory.activations import Z
from gradtheory.activations.slopes.profile import Profile
from gradtheory.errors import Undecided
from gradtheory.testing.places import kinks, limit, steepest, turns
from tests.shapes import slow_except

_GELU_TANH = 0.5 * Z * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (Z + 0.044715 * Z**3)))
_OWN = {
    "gelu_tanh": _GELU_TANH,
    "tanh of a cubic": sympy.tanh(Z + Z**3 / 10),
    "oscillating": Z * sympy.sin(Z),
    "two formulas": sympy.Max(sympy.tanh(Z), Z / 2 - 1),
}
_QUICK = slow_except({"oscillating", "tanh of a cubic"}, _OWN)


@pytest.fixture(autouse=True)
def _no_branches_are_proven(monkeypatch):
    def refuse(*_, **__):
        raise Undecided("no branches are proven here")

    monkeypatch.setattr(Profile, "of", refuse)
    monkeypatch.setattr(Profile, "above", refuse)


def record_of(which):
    record = gt.activation(_OWN[which])
    record.__dict__.pop("profile", None)  # in case another test has asked for it
    return record


@pytest.mark.slow
@pytest.mark.parametrize("which", _QUICK)
def test_gradients_are_checked(which):
    record = record_of(which)

    def gradients(x, y, w, b):
        ours = gt.Chain(len(w), record).backprop(x, y, w, b)
        return {"loss": ours.loss, "w": ours.w, "b": ours.b, "x": ours.x}

    testing.assert_gradients(gradients, record, cases=5)
    with pytest.raises(AssertionError, match="∂C/∂w of layer 1 is wrong"):
        testing.assert_gradients(lambda *given: {"w": gradients(*given)["w"] * (1 + 1e-9)}, record, cases=5, depth=1)


@pytest.mark.slow
@pytest.mark.parametrize("which", _QUICK)
@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_kernels_are_checked(which, derivative):
    record = record_of(which)
    right = (record.value, record.slope, record.bend)[derivative]
    errors = testing.kernel_errors(right, record, derivative=derivative, dtype="float32", infinities=False)
    assert np.mean(errors.ulp <= 1) > 0.9
    with pytest.raises(AssertionError, match=r"at z = (0\.5|-0\.5|0\.25), more than 4"):
        testing.assert_activation(
            lambda z: np.where(z == 0.5, np.nan, right(z)), record, derivative=derivative, infinities=False
        )


@pytest.mark.parametrize("which", _OWN)
def test_references_are_given(which):
    gradients = testing.reference_gradients(gt.Chain(2, record_of(which)), [0.5], [1.0], [1.0, -2.0], [0.25, 0.5])
    ours = gt.Chain(2, record_of(which)).backprop([0.5], [1.0], [1.0, -2.0], [0.25, 0.5])
    assert float(gradients.loss) == pytest.approx(ours.loss, rel=1e-14)


def test_numbers_far_out_are_bounded_without_branches():
    assert float(testing.reference_activation(sympy.log(1 + sympy.exp(Z)), 1e300)) == 1e300


_FAR, _FARTHER, _HUGE = (sympy.Integer(10) ** power for power in (13, 70, 100))
_SWITCHED = {  # what is added to log(cosh(z)), of which there is no ball far out, and what comes there, but for log 2
    sympy.Max(0, Z - _FAR): 2 * Z - _FAR,
    sympy.Abs(Z - _FARTHER): 2 * Z - _FARTHER,
    sympy.Piecewise((0, Z < _FAR), (Z - _FAR, Z < 2 * _FAR), (2 * Z - 3 * _FAR, True)): 3 * Z - 3 * _FAR,
    sympy.Max(0, Z - _FARTHER) ** 2 / _FARTHER: Z + (Z - _FARTHER) ** 2 / _FARTHER,
    sympy.Max(0, Z**3 - _FARTHER): Z + Z**3 - _FARTHER,
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("added", _SWITCHED, ids=str)
def test_switches_far_out_count_beyond_them(added, sign):
    expr = sympy.log(sympy.cosh(Z)) + added.subs(Z, sign * Z)
    for derivative in (0, 1, 2):
        expected = sign**derivative * _SWITCHED[added].diff(Z, derivative).subs(Z, _HUGE)
        ours = testing.reference_activation(expr, sign * _HUGE, derivative=derivative, digits=15)
        assert float(ours) == pytest.approx(float(expected), rel=1e-14)


def test_a_jump_where_there_is_no_ball_is_undecided():
    with pytest.raises(Undecided, match="jumps"):
        testing.reference_activation(sympy.log(sympy.cosh(Z)) + sympy.sign(Z - _FAR), _HUGE)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (sympy.Abs(Z**3 - Z - 1), [1.324717957244746]),
        (sympy.Max(0, Z) ** 2, []),  # it switches, and its slope is continuous
        (sympy.Max(sympy.tanh(Z), Z / 2 - 1), [3.99865]),
        (sympy.sign(Z) * (1 + Z**2), [0.0]),
    ],
)
def test_kinks_are_found_from_the_formula(expr, expected):
    assert kinks(gt.activation(expr)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_kinks_that_go_on_for_ever_are_found_near_0():
    assert kinks(gt.activation(sympy.Abs(sympy.sin(Z)))) == pytest.approx(np.pi * np.arange(-20, 21))
    assert len(kinks(gt.activation(sympy.Abs(Z * sympy.cos(Z))))) > 30


def test_turns_and_steepness_are_found_on_a_grid():
    gaussian = gt.activation(sympy.exp(-(Z**2)))
    assert turns(gaussian) == pytest.approx([-(0.5**0.5), 0.0, 0.5**0.5], abs=1e-12)
    assert steepest(gaussian) == pytest.approx((2 / np.e) ** 0.5, rel=1e-14)
    assert steepest(gt.activation(sympy.log(1 + sympy.exp(Z)))) == 1.0  # approached at oo
    assert turns(gt.activation(sympy.sinh(Z))) == (0.0,)


def test_limits_are_proven_or_left_out():
    assert [limit(record_of("gelu_tanh"), 0, to_right=side) for side in (False, True)] == [0.0, np.inf]
    assert [limit(record_of("gelu_tanh"), 1, to_right=side) for side in (False, True)] == [0.0, 1.0]
    assert limit(record_of("two formulas"), 1, to_right=True) == 0.5
    assert limit(record_of("oscillating"), 0, to_right=True) is None
    assert limit(gt.activation(sympy.Abs(sympy.sin(Z))), 0, to_right=True) is None


_LEAKY = (
    sympy.Max(Z, Z / 10),
    sympy.Max(Z / 10, Z),
    -sympy.Min(-Z, -Z / 10),
    sympy.Piecewise((Z / 10, Z < 0), (Z, True)),
    sympy.Piecewise((Z / 10, Z <= 0), (Z, True)),
    sympy.Rational(11, 20) * Z + sympy.Rational(9, 20) * sympy.Abs(Z),
    sympy.Rational(11, 20) * Z + sympy.Rational(9, 20) * Z * sympy.sign(Z),
    Z / 10 + sympy.Rational(9, 10) * Z * sympy.Heaviside(Z),
)


@pytest.mark.parametrize("expr", _LEAKY, ids=str)
def test_at_a_kink_the_slope_is_the_one_from_the_left_however_it_is_written(expr):
    record = gt.activation(expr)
    for z, slope in ((-1, sympy.Rational(1, 10)), (0, sympy.Rational(1, 10)), (1, sympy.Rational(1))):
        reference = testing.reference_activation(expr, z, derivative=1)
        assert reference.lower <= slope <= reference.upper
        assert record.slope(float(z)) == pytest.approx(float(slope), rel=1e-15)
    by = gt.Chain(1, expr).backprop([0.0], [1.0], [1.0], [0.0])
    assert by.b[0] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("expr", "z", "slope"),
    [
        (sympy.Abs(Z / 10 - sympy.Rational(3, 10)), 3.0, -0.1),  # 3/10 - 0.3 is not 0 in float64
        (gt.expression("max(0, 0.1*z - 0.3)"), 3.0, 0.0),
        (gt.expression("max(z + 1000, 2*z + 999.9 - 0.1*z)"), 1 / 9, 1.0),
        (sympy.Abs(Z**2 / 5 + Z / 3 - sympy.Rational(22, 15)), 2.0, -17 / 15),
        (sympy.Abs(sympy.log(1 + sympy.exp(Z)) - sympy.log(2)), 0.0, -0.5),
    ],
    ids=str,
)
def test_a_kink_is_one_where_its_switch_is_not_0_in_float64(expr, z, slope):
    record = gt.activation(expr)
    for place in (z, np.nextafter(z, -9.0), np.nextafter(z, 9.0)):
        reference = testing.reference_activation(expr, place, derivative=1, digits=20)
        assert record.slope(place) == pytest.approx(float(reference), rel=1e-12)
    assert record.slope(z) == pytest.approx(slope, rel=1e-12)


_BENT = sympy.Piecewise((Z, Z < 0), (2 * Z, True))


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Max(1, _BENT),
        sympy.Abs(_BENT),
        sympy.Abs(_BENT - 1),
        Z * sympy.sign(_BENT - 1),
        sympy.Max(sympy.Abs(_BENT) - 1, _BENT / 3),
    ],
    ids=str,
)
def test_a_switch_may_look_at_what_has_cases(expr):
    record, places = gt.activation(expr), [-3.0, -0.75, 0.0, 0.25, 0.5, 1.5, 3.0]
    for derivative, computed in ((0, record.value(places)), (1, record.slope(places))):
        exact = [float(testing.reference_activation(expr, place, derivative=derivative)) for place in places]
        assert computed == pytest.approx(exact, rel=1e-15)


def test_a_switch_beyond_float64_is_met_nowhere():
    assert gt.activation(sympy.Abs(Z - sympy.Integer(10) ** 400) / 2).slope([0.0, 1e308]).tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("inner", [Z / 10 - sympy.Rational(3, 10), (Z / 10 - sympy.Rational(3, 10)) ** 2], ids=str)
def test_a_jump_is_one_where_its_switch_is_not_0_in_float64(inner):
    assert gt.activation(Z * sympy.sign(inner)).value([3.0, np.nextafter(3.0, 4.0)]).tolist() == [
        0.0,
        np.nextafter(3, 4),
    ]


def test_at_each_of_two_kinks_the_slope_is_the_one_before():
    expr = sympy.Abs(Z**2 - 1)
    assert list(gt.activation(expr).slope([-1.0, 1.0])) == [-2.0, -2.0]
    for z in (-1, 1):
        assert testing.reference_activation(expr, z, derivative=1).lower == -2


@pytest.mark.parametrize(("slope_at_0", "passes"), [(0.1, True), (1.0, False), (0.0, False)])
def test_only_a_one_sided_slope_is_right_at_a_kink(slope_at_0, passes):
    def slope(z):
        return np.where(z < 0, 0.1, np.where(z > 0, 1.0, slope_at_0))

    if passes:
        testing.assert_activation(slope, _LEAKY[0], derivative=1)
    else:
        with pytest.raises(AssertionError):
            testing.assert_activation(slope, _LEAKY[0], derivative=1)
