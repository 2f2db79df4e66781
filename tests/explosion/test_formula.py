"""Formulas of explosion sets at single numbers, against the sets themselves."""

import pytest
import sympy

import gradtheory as gt


@pytest.mark.parametrize("which", ["gelu", "silu", "mish"])
@pytest.mark.parametrize(("w", "c"), [(1, 1), (-1, 1), (2, 2)])
def test_at_a_level_that_the_slope_tends_to_the_interval_has_no_end(which, w, c):
    formula, explosion = gt.explosion_formula(which), gt.explosion_set(which, w=w, b="1/3", threshold=c)
    at = {formula.w: w, formula.b: sympy.Rational(1, 3), formula.c: c}
    ends = [end.subs(at).n(15) for end in (formula.lower, formula.upper)]
    assert ends == [explosion.inf.n(15), explosion.sup.n(15)]
    assert sympy.oo in {abs(end) for end in ends}
