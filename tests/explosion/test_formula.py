"""Formulas of explosion sets at single numbers, against the sets themselves."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument


@pytest.mark.parametrize("which", ["gelu", "silu", "mish"])
@pytest.mark.parametrize(("w", "c"), [(1, 1), (-1, 1), (2, 2)])
def test_at_a_level_that_the_slope_tends_to_the_interval_has_no_end(which, w, c):
    formula, explosion = gt.explosion_formula(which), gt.explosion_set(which, w=w, b="1/3", threshold=c)
    at = {formula.w: w, formula.b: sympy.Rational(1, 3), formula.c: c}
    ends = [end.subs(at).n(15) for end in (formula.lower, formula.upper)]
    assert ends == [explosion.inf.n(15), explosion.sup.n(15)]
    assert sympy.oo in {abs(end) for end in ends}


@pytest.mark.parametrize("written", ["cos(z)", "sin(z + 1)", "z + sin(z)/2"])
def test_the_place_at_which_a_period_ends_is_in_the_formula_as_in_the_set(written):
    """No two intervals of the formula have that place between them: inside is every input at which the factor is 2.5."""
    formula, record = gt.explosion_formula(gt.expression(written)), gt.activation(gt.expression(written))
    ends = record.profile.branches[-1].right
    at = {formula.w: sympy.Integer(5), formula.b: sympy.S.Zero, formula.c: sympy.S.One}
    regime = next(each for each in formula.regimes if each.condition.subs(at) == sympy.true)
    period = (regime.period or sympy.S.Zero).subs(at)
    intervals = [[end.subs(at).n(20) for end in interval] for interval in regime.intervals]
    x = ends / 5
    assert x in gt.explosion_set(gt.expression(written), w=5)
    assert any(lower < x + k * period < upper for lower, upper in intervals for k in (-1, 0, 1))


@pytest.mark.parametrize("written", ["sign(z)", "Max(0, tanh(z) - 2)", "sign(sin(z))"])
def test_a_slope_of_0_has_no_formula(written):
    with pytest.raises(InvalidArgument, match="must have a slope that is not 0 almost everywhere"):
        gt.explosion_formula(gt.expression(written))


def test_long_numbers_are_printed_by_their_first_digits():
    selu, gelu = str(gt.explosion_formula("selu")), str(gt.explosion_formula("gelu"))
    assert (
        "  -b/w - log(1.75809934084…*w/c)/w < x < -b/w  if (w <= 0.951745560377…*c) & (w > 0.568796072421…*c)" in selu
    )
    assert "  if (w > c) & (w <= 7.75770242736…*c)" in gelu
    assert max(map(len, (selu + gelu).splitlines())) < 200


def test_a_set_with_a_half_line_is_as_long_as_infinity():
    formula = gt.explosion_formula("hard_swish")
    assert [regime.width.has(sympy.oo) for regime in formula.regimes] == [False, False, True, True, True, True]
    assert {regime.width for regime in formula.regimes[2:]} == {sympy.oo}
    assert len(formula.width.args) == len(formula.regimes)
    assert formula.width.subs({formula.w: -5, formula.c: 1}) == sympy.oo
    assert formula.width.subs({formula.w: sympy.Rational(4, 5), formula.c: 1}) == sympy.Rational(15, 16)


def test_parameters_stand_in_the_name_of_a_formula():
    assert (
        gt.explosion_formula("elu(alpha=3)").latex().startswith(r"\left|\operatorname{elu}_{\alpha = 3}'(w x + b)\,w")
    )
    assert gt.explosion_formula("elu(alpha=1)").latex() == gt.explosion_formula("elu").latex()
    assert r"softshrink}_{\mathrm{lambd} = 2}'" in gt.explosion_formula("softshrink(lambd=2)").latex()
