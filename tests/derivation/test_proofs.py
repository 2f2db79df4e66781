"""The proofs behind derivations: they prove what is true, and nothing that is wrong by a sign, a constant or a condition."""

import pytest
import sympy
from sympy.logic.boolalg import Equivalent

import gradtheory as gt
from gradtheory.activations import T, Z
from gradtheory.derivation.language import Slope, SpectralRadius, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs import by_definition, by_induction, follows, is_identity, is_length, is_superlevel
from gradtheory.derivation.proofs.matrices import is_matrix_identity
from gradtheory.derivation.proofs.signs import factored
from gradtheory.derivation.topics import TOPICS
from gradtheory.derivation.unproven import obstacle
from gradtheory.derivation.wide_layers import BIAS, BY_WEIGHTS, ERROR, INPUT, PRE_ACTIVATION, WEIGHTS, WideEquation
from gradtheory.document.messages import words
from tests.derivation import how_shown
from tests.derivation.derived import derived
from tests.shapes import SHAPES

_X, _Y = sympy.symbols("x y", real=True)
_A, _B, _ETA, _H, _C, _S = sympy.symbols("a b eta h c s", positive=True)
_W = sympy.Symbol("w", real=True)
_N = sympy.Symbol("n", integer=True, positive=True)
_SIGMOID = Meaning(gt.activation("sigmoid"))
_STEP = sympy.Abs(_ETA * _H - 1)


@pytest.mark.parametrize(
    ("statement", "assumptions", "is_true"),
    [
        (Equivalent(_STEP < 1, _ETA < 2 / _H), (), True),
        (Equivalent(_STEP < 1, _ETA < 1 / _H), (), False),
        (Equivalent(_STEP < 1, _ETA <= 2 / _H), (), False),
        (Equivalent(_STEP < 1, _ETA > 2 / _H), (), False),
        (_X**2 + _Y**2 >= 2 * _X * _Y, (), False),  # true, but no product of what is known: it stays undecided
        (_A**2 + _B**2 < (_A + _B) ** 2, (), True),
        (_A**2 + _X**2 <= (_A + _X) ** 2, (), False),  # not without x ≥ 0
        (_A**2 + _X**2 <= (_A + _X) ** 2, (_X >= 0,), True),
        (_A**2 + _X**2 < (_A + _X) ** 2, (_X >= 0,), False),
        (sympy.Abs(_X + _Y) <= sympy.Abs(_X) + sympy.Abs(_Y), (), True),
        (sympy.Abs(_X + _Y) < sympy.Abs(_X) + sympy.Abs(_Y), (), False),
        (sympy.Max(_X, _Y) >= sympy.Min(_X, _Y), (), True),
        (sympy.Max(_X, _Y) > sympy.Min(_X, _Y), (), False),
        (sympy.sqrt(_A) + sympy.sqrt(_B) > sympy.sqrt(_A + _B), (), True),
        (sympy.sqrt(_A) + sympy.sqrt(_B) < sympy.sqrt(_A + _B), (), False),
        (Equivalent(SpectralRadius(_X, _Y) < 1, (1 - _Y**2 > 0) & ((1 + _Y) ** 2 - _X**2 > 0)), (), True),
        (Equivalent(SpectralRadius(_X, _Y) < 1, (1 + _Y) ** 2 - _X**2 > 0), (), False),
    ],
)
def test_conditions_follow_or_do_not(statement, assumptions, is_true):
    assert follows(statement, assumptions) is is_true


def test_bounds_by_suprema_need_their_constants():
    beyond = (sympy.Gt(abs(Slope(Z) * _W), _C),)
    assert by_definition(abs(_W) > 0, beyond, _SIGMOID)
    assert not by_definition(abs(_W) > _C, beyond, _SIGMOID)


def test_induction_needs_its_base_and_its_step():
    assert by_induction(sympy.Ge((1 - _A) ** _N, 1 - _N * _A, evaluate=False), (_A <= 1,))
    assert not by_induction(sympy.Gt((1 - _A) ** _N, 1 - _N * _A, evaluate=False), (_A <= 1,))
    assert not by_induction(sympy.Ge((1 - _A) ** _N, 1 - _N * _A / 2, evaluate=False), (_A <= 1,))
    assert not by_induction(sympy.Ge((1 - _A) ** _N, 1 - _N * _A, evaluate=False), ())  # a > 3, n = 3


_ROOT = sympy.sqrt(1 + _A**2)


@pytest.mark.parametrize(
    ("difference", "is_zero"),
    [
        (4 * sympy.asinh(_A) - 2 * sympy.log(2 * _A * _ROOT + 2 * _A**2 + 1), True),
        (4 * sympy.asinh(_A) - 2 * sympy.log(2 * _A * _ROOT + 2 * _A**2 - 1), False),
        (4 * sympy.asinh(_A) - 3 * sympy.log(2 * _A * _ROOT + 2 * _A**2 + 1), False),
        (4 * sympy.asinh(sympy.sqrt(4 * sympy.cosh(_S) ** 2 - 4) / 2) - 4 * _S, True),
        (4 * sympy.asinh(sympy.sqrt(4 * sympy.cosh(_S) ** 2 - 4) / 2) + 4 * _S, False),
        (sympy.sqrt(_X**2) - _X, False),  # not for x < 0
        (sympy.sqrt(_A**2) - _A, True),
    ],
)
def test_expressions_are_zero_or_not(difference, is_zero):
    assert is_identity(difference) is is_zero


_END = 2 * sympy.asinh(sympy.sqrt(1 / T - 4) / 2)


@pytest.mark.parametrize(
    ("lower", "upper", "assumptions", "is_true"),
    [
        (-_END, _END, (sympy.Rational(1, 4) > T,), True),
        (-_END, _END, (), False),  # the set is empty for t ≥ 1/4
        (-_END, 2 * _END, (sympy.Rational(1, 4) > T,), False),
        (_END, -_END, (sympy.Rational(1, 4) > T,), False),
        (-sympy.oo, _END, (sympy.Rational(1, 4) > T,), False),
    ],
)
def test_sets_are_proven_from_branches(lower, upper, assumptions, is_true):
    bounds = [sympy.Lt(Z, upper), *([sympy.Gt(Z, lower)] if lower.is_finite is not False else [])]
    statement = Equivalent(sympy.Gt(abs(Slope(Z)), T), sympy.And(*bounds))
    assert is_superlevel(statement, assumptions, _SIGMOID) is is_true


def test_lengths_are_proven_from_branches():
    width = 4 * sympy.asinh(sympy.sqrt(abs(_W) / _C - 4) / 2) / abs(_W)
    assert is_length(Width(_W, _C), width, (abs(_W) > 4 * _C,), _SIGMOID)
    assert not is_length(Width(_W, _C), width, (abs(_W) > 3 * _C,), _SIGMOID)
    assert not is_length(Width(_W, _C), 2 * width, (abs(_W) > 4 * _C,), _SIGMOID)


@pytest.mark.parametrize(
    ("left", "right", "is_true"),
    [
        (PRE_ACTIVATION, WEIGHTS * INPUT + BIAS, True),
        (PRE_ACTIVATION, WEIGHTS * INPUT - BIAS, False),
        (BY_WEIGHTS, ERROR * INPUT.T, True),
        (BY_WEIGHTS, BIAS * INPUT.T, False),
        (BY_WEIGHTS, 2 * ERROR * INPUT.T, False),
    ],
)
def test_matrices_are_proven_entry_by_entry(left, right, is_true):
    assert is_matrix_identity(WideEquation(left, right)) is is_true


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_the_page_counts_how_steps_are_shown_for_the_sigmoid(topic):
    row = how_shown.row(topic)
    assert row.endswith("| 0 |\n")
    assert how_shown.HEAD in how_shown.PAGE.read_text("utf-8")
    assert row in how_shown.PAGE.read_text("utf-8")


@pytest.mark.parametrize("activation", ["gelu_tanh", "cloglog"])
@pytest.mark.slow
def test_a_numeric_step_says_why_it_is_no_more_and_nothing_of_proof(activation):
    topic = "slope_maximum" if activation == "gelu_tanh" else "widest"
    derivation = derived(topic, activation=activation)
    numeric = [step for step in derivation.steps if step.verdict.status == "numeric"]
    assert 1 < len(numeric) < 4
    list(map(how_shown.assert_said, numeric))
    written = derivation.to_text()
    assert written.count("[numeric]") == len(numeric)
    told = " ".join(written.split())
    assert all(words("en")["numeric"][obstacle(step.statement)] in told for step in numeric)


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_few_steps_are_numeric_and_they_say_why(topic):
    """Of representatives: the whole catalogue is counted by `python -m tests.derivation.how_shown`."""
    steps = [step for answer in how_shown.derivations(topic, SHAPES) for step in answer]
    numeric = [step for step in steps if step.verdict.status == "numeric"]
    assert len(numeric) <= 0.06 * len(steps)
    list(map(how_shown.assert_said, numeric))


def test_the_page_counts_at_most_3_of_100_steps_numeric():
    assert 0.0 < how_shown.numeric_share() <= 0.03


def test_high_powers_are_not_given_to_sympy_to_factor():
    """SymPy took e^(-4096/3969) for the 4096th power of e^(-1/3969), and searched for factors without end."""
    number = sympy.exp(sympy.Rational(-4096, 3969))
    assert factored(_A * _B * number + _A * _S * number) == _A * number * (_B + _S)
    assert factored(_A * sympy.Rational(1, 6) + 4223 * _A * _B * number / 3969).is_positive
    level = sympy.Rational(1, 6) + 4223 * number / 3969
    assert factored(level / (1 + _A) - _B).is_positive is None
    whole = sympy.exp(-361)  # as a power of 1/e
    assert factored(_A * _B * whole + _A * _S * whole) == _A * whole * (_B + _S)
    assert factored(sympy.exp(2 * _X) - 1) == (sympy.exp(_X) - 1) * (sympy.exp(_X) + 1)


@pytest.mark.slow
def test_a_derivation_with_such_levels_ends():
    steep = gt.expression("z*gaussian(-4*z/3) + Max(hard_sigmoid(7/3 - z), elu(z))")
    tally = gt.derive("explosion", activation=steep).check()
    assert (tally.true > 20, tally.false) == (True, 0)


@pytest.mark.slow
def test_a_number_of_a_mixed_product_is_proven_without_simplifying_it():
    tally = gt.derive("slope_maximum", activation=gt.expression("z*exp(-z**2)*tanh(z-1)")).check()
    assert (tally.ok, tally.unknown) == (True, 0)


@pytest.mark.slow
def test_digits_of_small_numbers_have_a_power_of_ten():
    shown = gt.derive("clipping", activation=gt.expression("sech(z)*tanh(z-1)/10**9"))
    assert "sup|σ'| = 8.95200113453… × 10^(-10)" in shown.to_text()
    assert r"8.95200113453\ldots \times 10^{-10}" in shown.to_latex()
