"""How wide sets of any depth can be, derived where the best pair has an end of the support, at which σ' is not 0."""

import pytest
import sympy
from sympy import E, Max, Min, Piecewise, exp, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.derivation.checks import NUMERIC

_C = Max(0, Min(1, Z))
_RAMP = Piecewise((0, Z < 0), (exp(Z) - 1, Z < 1), (E - 1, True))
_ENDS = [
    (_C - _C**2 / 2, {0, sympy.Rational(2, 3)}),
    (-(_C**2), {sympy.Rational(1, 3), 1}),
    (_C + _C**2 / 2, {0, 1}),
]


@pytest.mark.parametrize(("expr", "pair"), _ENDS)
def test_every_step_at_an_end_is_proven(expr, pair):
    steps = [step for step in gt.derive("depth", activation=expr).steps if step.rule.startswith("pair_")]
    assert set(gt.depth_bound(expr).pair) == pair
    assert [step.rule for step in steps].count("pair_at_an_end") == len(pair & {0, 1})
    assert [step.rule for step in steps].count("pair_approached") == 1
    for step in steps:
        assert step.verdict.is_true, step.statement
        assert step.verdict.check is not NUMERIC, step.statement


@pytest.mark.parametrize(("expr", "pair"), _ENDS)
def test_a_pair_from_which_the_size_still_grows_is_refused(expr, pair):
    del pair
    for step in gt.derive("depth", activation=expr).steps:
        if step.rule == "pair_at_an_end":
            outwards = step.statement
            inwards = outwards.func(-outwards.lhs, outwards.rhs, evaluate=False)
            assert type(step)(inwards, step.rule, step.meaning).verdict.is_true is False


def test_nothing_is_said_of_one_neuron_where_k_is_not_decided():
    derivation = gt.derive("depth", activation=_C + _C**2 / 2)
    assert gt.depth_bound(_C + _C**2 / 2).widens is None
    assert not {"never_widens", "widens"} & {step.rule for step in derivation.steps}


@pytest.mark.slow
@pytest.mark.parametrize("expr", [tanh(Max(Z, 0)), tanh(Max(-sympy.S.Half, Min(1, Z))), _RAMP, *(e for e, _ in _ENDS)])
def test_every_step_is_true(expr):
    for step in gt.derive("depth", activation=expr).steps:
        assert step.verdict.is_true, (step.rule, step.statement, step.verdict)
    for lang in ("en", "zh"):
        assert gt.derive("depth", activation=expr, lang=lang).to_markdown()


def test_a_bound_is_tried_at_numbers_just_within_its_conditions():
    """H of this activation is 1/2, but as a number that is known by its digits alone."""
    assert gt.derive("depth", activation=sympy.Max(0, Z) ** 2 / (1 + Z**2)).check().ok
