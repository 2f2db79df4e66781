"""How single steps are checked: exactly, in ball arithmetic, or at points."""

import dataclasses

import numpy as np
import pytest
import sympy
from sympy.logic.boolalg import Equivalent

import gradtheory as gt
from gradtheory.derivation import GENERIC, Check, Step
from gradtheory.derivation.depth_language import ChainSlope, LastInput, LayerRatios, LayerRatiosBefore
from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.facts import OTHER_X, X
from gradtheory.derivation.language import STEEPEST, Measure, Slope, SpectralRadius
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.wide_layers import WideEquation, holds

_X = sympy.Symbol("x", real=True)

_SIGMOID = Meaning(gt.activation("sigmoid"))


def test_a_bound_by_the_greatest_slope_is_tried_where_it_is_reached():
    w = sympy.Symbol("w", real=True)
    reached = sympy.Le((Slope(_X) * w) ** 2, STEEPEST**2 * w**2, evaluate=False)
    assert _step(reached).check is Check.EXACT
    loose = sympy.Le((Slope(_X) * w) ** 2, STEEPEST * w**2, evaluate=False)
    assert _step(loose).verdict.reason == "the bound is not tight"
    false = sympy.Le((Slope(_X) * w) ** 2, STEEPEST**3 * w**2, evaluate=False)
    assert _step(false).verdict.is_true is False


def _step(statement, *assumptions):
    return Step(statement, "value", _SIGMOID, assumptions)


_PI, _X_UP, _NOWHERE = sympy.pi, (sympy.Gt(_X, 0),), (sympy.Gt(_X, 3), sympy.Lt(_X, 2))
_THIRD = sympy.Tuple(sympy.Tuple(_X, sympy.Rational(1, 3), sympy.Rational(1, 3)))
_UNTRIED = "no points were found at which it can be tried"


def _said(function, *sides):
    return function(*map(sympy.sympify, sides), evaluate=False)


def _solved(zero):
    return _said(Equivalent, sympy.Eq(2 * _X**2, 1), sympy.Eq(_X, zero))


@pytest.mark.parametrize(
    ("statement", "assumptions", "is_true", "check", "reason"),
    [
        (_said(sympy.Eq, (_X + 1) ** 2, _X**2 + 2 * _X + 1), (), True, Check.EXACT, ""),
        (_said(sympy.Eq, _X, -_X), (), False, None, "the sides differ at {x: -1/7}"),
        (_said(sympy.Eq, _X, _X + sympy.Rational(1, 10**40)), (), False, None, "the sides differ at {x: -1/7}"),
        (_said(sympy.Eq, _X, _X**2), _NOWHERE, None, None, _UNTRIED),
        (_said(sympy.Eq, _PI, sympy.Rational(22, 7)), (), False, None, "pi is not 22/7"),
        (_said(sympy.Eq, sympy.sqrt(8), 2 * sympy.sqrt(2)), (), True, Check.EXACT, ""),
        (_said(sympy.Gt, _X**2, 0), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, sympy.cosh(_X), 1), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, _X - 1, -1), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, (_X - sympy.Rational(1, 1000)) ** 2, 0), _X_UP, True, Check.NUMERIC, ""),  # 0 there
        (_said(sympy.Ge, sympy.cosh(_X), 1), (), True, Check.NUMERIC, ""),
        (_said(sympy.Gt, _X**2, -1), _X_UP, False, None, "the bound is not tight"),
        (_said(sympy.Lt, _X, -1), _X_UP, False, None, "it does not hold at {x: 1/7}"),
        (_said(sympy.Gt, _X**2, 0), _NOWHERE, None, None, _UNTRIED),
        (_said(sympy.Gt, _PI, 3), (), True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, _PI, sympy.Rational(22, 7)), (), False, None, ""),
        (Rounded(_PI, sympy.Rational("3.14"), sympy.Integer(2)), (), True, Check.CERTIFIED, ""),
        (Rounded(_PI, sympy.Rational("3.15"), sympy.Integer(2)), (), False, None, "pi does not round to 63/20"),
        (Rounded(sympy.S.Half, sympy.S.One, sympy.S.Zero), (), True, Check.CERTIFIED, ""),
        (Rounded(sympy.oo, sympy.S.One, sympy.S.Zero), (), False, None, "oo is infinite"),
        (
            InNumbers(_X, 2 * _X, _THIRD, sympy.Rational("0.67"), sympy.Integer(2)),
            (),
            True,
            Check.CERTIFIED,
            "",
        ),
        (
            InNumbers(_X, 2 * _X, _THIRD, sympy.Rational("0.66"), sympy.Integer(2)),
            (),
            False,
            None,
            "2*x does not round to 33/50",
        ),
        (_said(Equivalent, _X > 1, 2 * _X > 2), (), True, Check.EXACT, ""),
        (_said(Equivalent, _X > 1, _X**3 > 1), (), True, Check.EXACT, ""),
        (_solved(1 / sympy.sqrt(2)), _X_UP, True, Check.EXACT, ""),  # no rational is a zero
        (_solved(1 / sympy.sqrt(2)), (), None, None, "no points were found at which it switches"),  # there are two
        (_solved(1 / sympy.sqrt(3)), _X_UP, None, None, "no points were found at which it switches"),
        (_said(Equivalent, _X > 1, -2 * _X > -2), (), False, None, "the sides differ at {x: "),
        (_said(Equivalent, _X > 1, _X > 2), (), False, None, "the sides differ at {x: "),
        (_said(Equivalent, _X > 1, _X >= 1), (), False, None, "the sides differ at {x: 1}"),
        (
            _said(Equivalent, _X > 1, _X**3 > 1),
            (sympy.Gt(_X, 5),),
            None,
            None,
            "no points were found at which it switches",
        ),
        (sympy.And(_X > 0, _X < 1), (), None, None, "no check is known for (x > 0) & (x < 1)"),
    ],
)
def test_checks(statement, assumptions, is_true, check, reason):
    verdict = _step(statement, *assumptions).verdict
    assert (verdict.is_true, verdict.check, bool(verdict.reason)) == (is_true, check, bool(reason))
    assert verdict.reason.startswith(reason)


def test_a_step_says_how_it_was_checked():
    assert str(_step(_said(sympy.Gt, _PI, 3))) == "π > 3 (certified)"
    assert str(_step(_said(sympy.Eq, _X, -_X))) == "x = -x (false)"


@pytest.mark.parametrize(("coefficients", "radius"), [((-3,), 3), ((1, 3), sympy.sqrt(3)), ((-3, 2), 2), ((2, 1), 1)])
def test_the_spectral_radius_of_an_iteration(coefficients, radius):
    roots = np.roots([1, *coefficients])
    assert SpectralRadius.of(*map(sympy.Integer, coefficients)) == radius
    assert np.abs(roots).max() == pytest.approx(float(radius))


def test_a_periodic_slope_exceeds_a_level_nowhere_or_on_infinite_length():
    sine = Meaning(gt.activation("sine"))
    lengths = [
        sine.value(Measure(level), {}) for level in (sympy.S.Half, sympy.Rational(99, 100), sympy.S.One, sympy.pi)
    ]
    assert lengths == [sympy.oo, sympy.oo, 0, 0]


def test_the_slope_on_a_kink_is_that_of_the_left():
    meaning = Meaning(gt.activation("relu6"))
    assert [meaning.value(Slope(sympy.Integer(place)), {}) for place in (-1, 0, 3, 6, 7)] == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("own", ["z**5", "sinh(z)", "exp(abs(z))", "exp(exp(z))", "1000000*z**9", "max(0, z)**7"])
def test_matrices_of_wide_layers_agree_however_fast_the_activation_grows(own):
    derivation = gt.derive("gradient", depth=1, activation=gt.expression(own))
    assert derivation.check().ok
    (back,) = (step.statement for step in derivation.steps if str(step.statement).startswith("δₗ"))
    wrong = WideEquation(back.lhs, sympy.Rational(1001, 1000) * back.rhs)
    record = gt.activation(gt.expression(own))
    assert (holds(back, record, 50), holds(wrong, record, 50)) == (True, False)


def test_the_gradient_of_a_wave_with_switches_without_end_is_tried():
    derivation = gt.derive("gradient", activation=gt.expression("abs(sin(z))"))
    assert derivation.check().ok
    (slope,) = (step for step in derivation.steps if str(step).startswith("σ'(z) = cos(z)"))
    assert slope.check is Check.NUMERIC


def test_numbers_that_are_too_large_for_differences_decide_nothing():
    derivation = gt.derive("gradient", depth=1, activation=gt.expression("exp(exp(exp(z) + 3))"))
    assert {step.verdict.is_true for step in derivation.steps} == {True, None}


def test_a_step_that_is_no_fact_is_false():
    step = dataclasses.replace(gt.derive("weak_norm").steps[0], fact="scaling")
    assert step.verdict.is_true is False
    assert "not the fact" in step.verdict.reason


def test_numeric_is_said_where_simplification_fails(monkeypatch):
    monkeypatch.setattr(sympy, "simplify", lambda expr: expr)
    statement = sympy.Eq(sympy.cosh(_X) ** 2, 1 + sympy.sinh(_X) ** 2, evaluate=False)
    assert _step(statement).check in (Check.NUMERIC, Check.EXACT)
    hidden = sympy.Eq(sympy.atan(_X) + sympy.atan(1 / _X), sympy.pi / 2, evaluate=False)
    assert _step(hidden, sympy.Gt(_X, 0)).check is Check.NUMERIC


def test_the_generic_activation_has_no_numbers():
    assert sympy.latex(GENERIC.expr) == r"\sigma\left(z\right)"
    assert sympy.latex(GENERIC.slope_expr**2) == r"\sigma'\left(z\right)^{2}"
    with pytest.raises(AssertionError, match="no values"):
        GENERIC.value(1.0)


def _with_last_layer(beta, *, ratios=LayerRatiosBefore, apart=2):
    last = LastInput(X), LastInput(OTHER_X)
    left = ChainSlope(X) * ChainSlope(OTHER_X) * (X - OTHER_X) ** 2
    right = Slope(last[0]) * Slope(last[1]) * (last[0] - last[1]) ** apart * ratios(X, OTHER_X, beta) ** 2
    return _said(sympy.Eq, left, right)


def test_the_last_layer_is_left_where_the_others_are_used_up():
    apart, half, tanh = (sympy.Ne(X, OTHER_X),), sympy.S.Half, Meaning(gt.activation("tanh"))
    assert _step(_with_last_layer(half), *apart).check is Check.EXACT
    assert Step(_with_last_layer(sympy.S.One), "value", tanh, apart).check is Check.EXACT
    for beta, wrong in ((half, {"ratios": LayerRatios}), (half, {"apart": 1}), (sympy.S.One, {})):
        assert _step(_with_last_layer(beta, **wrong), *apart).verdict.is_true is False
