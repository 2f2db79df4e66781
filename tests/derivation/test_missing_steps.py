"""Steps without which a reader cannot follow: each is there, proven, and refuted where it is changed."""

from dataclasses import replace

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.derivation import Check
from gradtheory.derivation.printing import text
from gradtheory.document.messages import words
from tests.derivation.derived import derived


def _said(rule, topic, **asked):
    (step,) = (each for each in derived(topic, **asked).steps if each.rule == rule)
    return step, text(step.statement, *step.assumptions)


def test_the_cross_entropy_cancels_the_last_slope():
    step, said = _said("error_of_cross_entropy", "gradient", loss="cross_entropy")
    assert (said, step.check) == ("δ₃ = a₃ - y", Check.EXACT)
    wrong = sympy.Eq(step.statement.lhs, 2 * step.statement.rhs)
    assert replace(step, statement=wrong).verdict.is_true is False
    put_in, said = _said("slope_put_in", "gradient", loss="cross_entropy")
    assert said == "∂C/∂w₁ = (a₃ - y) w₃ · σ(z₂) (1 - σ(z₂)) w₂ · σ(z₁) (1 - σ(z₁)) x"
    assert put_in.check is Check.EXACT
    _, last = _said("slope_put_in", "gradient", loss="cross_entropy", wrt="b3")
    assert last == "∂C/∂b₃ = a₃ - y"
    assert "cross entropy" in derived("gradient", loss="cross_entropy").document.title


@pytest.mark.parametrize(
    ("which", "said"),
    [("sigmoid", "1/(4 cosh(z/2)²) > t ⇔ sinh(z/2)² < (1/t - 4)/4"), ("tanh", "1/cosh(z)² > t ⇔ sinh(z)² < 1/t - 1")],
)
def test_the_level_is_solved_for_z(which, said):
    step, written = _said("solve_level", "explosion", activation=which)
    assert (written, step.check) == (said, Check.EXACT)
    assert not [each for each in derived("explosion", activation=which).steps if each.rule == "solves"]


def test_the_widest_set_has_one_stationary_point():
    at_half, said = _said("slope_at_half", "widest")
    assert (said, at_half.check) == ("σ'(2 s) = 1/(4 cosh(s)²)   (s > 0)", Check.EXACT)
    ends = [_said(rule, "widest")[0].statement.rhs for rule in ("factor_at_the_start", "factor_at_the_end")]
    assert ends == [1, -sympy.oo]
    words = derived("weak_norm").to_text()
    assert "the level t = 1/(4 cosh² s∗)" in " ".join(words.split())


@pytest.mark.parametrize("which", ["gelu", "silu", "relu"])
def test_an_example_says_which_set_is_unbounded(which):
    step, said = _said("set_in_numbers", "explosion", activation=which)
    assert said.startswith("2 |σ'(2 x + 1)| > 1 ⇔ x > -1/2")
    assert step.check is Check.CERTIFIED
    assert text(derived("explosion", activation=which).steps[-1].statement) == "|X_2| = ∞"


def test_places_say_which_equation_they_solve():
    lines = derived("slope_maximum", activation="silu").to_text().split("\n")
    told = [line.split("   ")[-1] for line in lines if "≈" in line and line.endswith(" = 0)")]
    assert told == ["(σ''(z₁) = 0)", "(σ'(z₂) = 0)", "(σ''(z₃) = 0)"]


def test_a_slope_is_given_off_the_kinks():
    for which, said in (("relu", "{1, z > 0; 0, z < 0}"), ("hard_tanh", "{0, |z| > 1; 1, |z| < 1}")):
        step, written = _said("differentiate", "slope_maximum", activation=which)
        assert written == f"σ'(z) = {said}"
        assert step.check is Check.EXACT
    smooth, written = _said("differentiate", "slope_maximum", activation="elu")
    assert written == "σ'(z) = {1, z > 0; e^z, z ≤ 0}"
    assert smooth.check is Check.EXACT


def test_a_bend_is_that_of_the_formula_and_not_of_the_name():
    own = gt.expression("z*tanh(log(1 + exp(z)))")
    derivation = gt.derive("slope_maximum", activation=own)
    (step,) = (each for each in derivation.steps if each.rule == "bend_of_value")
    assert step.check is Check.EXACT
    assert derivation.document.title == "The greatest slope of z tanh(ln(1 + e^z))"


_OF_CRITICAL_WEIGHTS = (
    "by_supremum",
    "nothing_explodes",
    "infinite",
    "repeats",
    "enough_decay",
    "decay_kept",
    "independent",
)


@pytest.mark.parametrize("rule", [*_OF_CRITICAL_WEIGHTS, "earliest_explosion", "greatest_of_ends", "softmax_most"])
def test_what_is_bounded_is_a_size(rule):
    for lang, size in (("en", "in size"), ("zh", "绝对值")):
        reason = words(lang)["rules"][rule]
        assert size in reason or r"\left|w\right|" in reason


def test_reasons_say_on_what_conditions_they_hold():
    """Of linear activations large batches do not explode; recurrent weights count by their greatest singular value."""
    _, large = _said("batch_large", "batch_norm")
    assert large == "lim[B → ∞] (B - 2)/(B - 3) = 1"
    _, small = _said("batch_linear", "batch_norm")  # and of two the norm makes ±1, through which no gradient comes
    assert small.endswith("(B - 2)/(B - 3)   (B > 3)")
    for lang, large, small, singular in (
        ("en", "in large batches with any activation that is not a line", "of more than 3) with a linear", "singular"),
        ("zh", "批量大而激活函数不是仿射函数", "激活函数为线性而批量小（但大于 3）", "奇异值"),
    ):
        introduction = words(lang)["topics"]["batch_norm"]["introduction"]
        assert large in introduction
        assert small in introduction
        assert singular in words(lang)["rules"]["spectral_condition"]


def test_decoupled_decay_keeps_weights_below_the_critical_one():
    step, said = _said("enough_decoupled", "weight_decay")
    assert (said, step.check) == ("U/λ ≤ W ⇔ λ ≥ U/W", Check.EXACT)
    assert "enough_decoupled" not in {each.rule for each in derived("weight_decay", activation="quadratic").steps}


@pytest.mark.parametrize(
    "topic", ["widest", "weak_norm", "depth", "weight_decay", "clipping", "initialisation", "recurrent"]
)
def test_it_is_given_what_sigma_is(topic):
    assert "σ(z) = tanh(z)" in map(text, derived(topic, activation="tanh").definitions)


def test_a_result_of_whole_numbers_is_a_fraction_and_exact():
    (end,) = (each for each in derived("explosion", activation="relu").steps if each.rule == "end_in_numbers")
    assert (text(end.statement), end.check) == ("x₁ = -b/w = -1/2", Check.EXACT)
    said = [text(each.statement) for each in derived("explosion", activation="gelu").steps]
    assert [line.split(" = ")[-1] for line in said if line.startswith("x₁")] == ["-1/2"]


@pytest.mark.parametrize(
    "expr", [Z**3 / 3 - Z, sympy.Max(0, Z) ** sympy.Rational(3, 2), sympy.sin(Z) + sympy.cos(2 * Z) / 2]
)
def test_where_a_slope_rises_its_derivative_need_not_come_near_0(expr):
    assert gt.derive("slope_maximum", activation=expr).check().ok
