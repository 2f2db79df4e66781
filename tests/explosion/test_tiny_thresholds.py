"""Thresholds far below any size of a slope: the ends of a gap are hardly apart, and told apart by their digits."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.explosion.superlevel import components_of


@pytest.mark.parametrize("digits", [100, 400])
@pytest.mark.parametrize(
    "expression",
    ["-8/5*tanh(6*z+1/2)*erf(5*z+2/5)+2*z", pytest.param("tanh(6*z+1/2)*atan(5*z)-z", marks=pytest.mark.slow)],
)
def test_gaps_about_two_zeros_of_the_slope(expression, digits):
    threshold = sympy.Rational(1, 10**digits)
    left, middle, right = components_of(gt.explosion_set(gt.expression(expression), 2, threshold=threshold))
    assert (left.lower, right.upper) == (-sympy.oo, sympy.oo)
    for before, after in ((left, middle), (middle, right)):
        gap = sympy.Rational(rounded(after.lower - before.upper, 40))  # SymPy's own digits end at 100
        assert threshold / 1000 < gap < threshold
