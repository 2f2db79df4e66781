"""Sums whose common denominator is long end within their effort, and so do powers with a switch."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure.exponential_sums import exponential_sum
from gradtheory.errors import Undecided


@pytest.mark.parametrize("count", [5, 7, 9])
def test_sums_of_shifted_tanh_end_within_their_effort(count):
    staircase = gt.expression(" + ".join(f"tanh(z - {k})" for k in range(count)))
    explosion = gt.explosion_set(staircase, w=2, effort=2)
    assert float(explosion.inf) == pytest.approx(-0.50126, abs=1e-4)
    assert float(explosion.inf + explosion.sup) == pytest.approx((count - 1) / 2, abs=1e-12)  # even about the middle


@pytest.mark.parametrize(("count", "is_written_out"), [(3, True), (8, False)])
def test_numerators_of_thousands_of_terms_are_not_written_out(count, is_written_out):
    staircase = sum(1 / sympy.cosh(Z - k) ** 2 for k in range(count)) - sympy.Rational(1, 2)
    assert (exponential_sum(staircase, Z) is not None) == is_written_out


def test_a_power_with_a_switch_right_of_0_ends_within_its_effort():
    weight = gt.critical_weight(gt.expression("Abs(tanh(z - 1))**(3/2) + atan(z)*sech(z)"), effort=2)
    assert float(weight) == pytest.approx(1.78835384310975, rel=1e-9)  # on a grid of four million places


def test_a_slope_that_float64_does_not_hold_is_undecided():
    with pytest.raises(gt.errors.Undecided, match="float64 holds its slope at too few places"):
        gt.depth_bound(gt.expression("exp(-exp(exp(z)))"))


@pytest.mark.slow
@pytest.mark.parametrize("written", ["atan(sinh(z - 2)) + sigmoid(z)", "atan(sinh(z)) + sigmoid(z - 1)"])
def test_exponentials_in_two_symbols_end_within_their_effort(written):
    """Their common denominator had no end."""
    with pytest.raises(gt.errors.Undecided, match="within effort=1"):
        gt.depth_bound(gt.expression(written), effort=1)


def test_what_an_empty_budget_leaves_open_is_not_asked_of_sympy():
    own = sympy.sqrt(sympy.sin(sympy.sinh(Z)) + 2) - sympy.atan(sympy.sinh(Z + 1))  # its simplify does not end
    with pytest.raises(Undecided, match="not decided within effort=4"):
        gt.explosion_set(own, 2, threshold="1/2", domain=(-10, "7/2"), effort=4)
