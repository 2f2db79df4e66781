"""Numbers that have names in a document, and bounds as they are taken for proofs."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import T
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import text
from gradtheory.derivation.proofs import is_equal_number, is_superlevel

_W = sympy.Symbol("w", real=True)


def test_only_bounds_on_what_may_be_negative_are_turned_into_sizes():
    bounds = (_W < -2, sympy.Gt(T, -sympy.cos(3)), sympy.Gt(_W, -sympy.pi))
    turned = Trial(bounds, Meaning(gt.activation("relu"))).assumptions
    assert turned[0] == sympy.Gt(-_W, 2)
    assert turned[1:] == bounds[1:]


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_long_levels_have_names_and_exact_ends_no_digits(activation):
    derivation = gt.derive("explosion", activation=activation)
    assert not [step for step in derivation.steps if step.verdict.status == "numeric"]
    written = derivation.to_text()
    assert "and so have the values of |σ'| there" in written
    assert "(s₁ ≤ t ≤ 1)" in written
    assert "(1 < t < s₂)" in written  # at t = 1 the set is a half-line, not an interval
    shapes = [step for step in derivation.steps if step.rule == "superlevel"]
    wrong = Trial((sympy.Ge(T, 1), shapes[2].assumptions[1]), shapes[2].meaning)
    assert not is_superlevel(shapes[2].statement, wrong.assumptions, wrong.meaning)
    (end,) = (step for step in derivation.steps if step.rule == "end_in_numbers")
    assert text(end.statement).endswith(" = -1/2")
    assert text(derivation.steps[-1].statement) == "|X_2| = ∞"
    assert "≈ -0.50000" not in written


def test_levels_are_said_to_have_names_only_where_they_have_and_erf_is_explained():
    written = gt.derive("slope_maximum", activation="gelu").to_text()
    assert "have names here; their digits" in " ".join(written.split())
    assert "erf is the error function, and Φ(z) = (1 + erf(z/" in written
    assert "erf is" not in gt.derive("slope_maximum", activation="silu").to_text()


def test_the_best_numbers_of_an_optimiser_are_given():
    given = [text(each) for each in gt.derive("stability", optimiser="nesterov").definitions]
    assert given[2:] == [
        "r = (√(h₁ + 3 h₂) - 2 √h₁)/√(h₁ + 3 h₂)",
        "β∗ = r/(2 - r)",
        "η∗ h₁ = (1 - r)²",
        "η∗ h₂ = (3 - r) (1 + r)/3",
    ]


def test_a_pair_of_numbers_solves_its_own_equations_and_no_others():
    p, q = sympy.symbols("p q", real=True)
    system, meaning = (p**2 + q**2 - 1, p - q), Meaning(gt.activation("relu"))
    one, other, both = (PairRoot(system, (p, q), (0.7, 0.7), value) for value in (p, q, p * q))
    elsewhere = PairRoot(system, (p, q), (-0.7, -0.7))
    assert is_equal_number(3 * one**2 + 3 * other**2, sympy.Integer(3), meaning)
    assert is_equal_number(one * other, both, meaning)
    assert not is_equal_number(one, 2 * other, meaning)
    assert not is_equal_number(one**2, elsewhere**2, meaning)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["sine", "snake"])
def test_superlevel_sets_within_a_period_are_certified(activation):
    assert gt.derive("explosion", activation=activation).check().ok
    statuses = {step.verdict.status for step in gt.derive("explosion", activation=activation).steps}
    assert statuses == {"exact", "certified"}
