"""Slopes that are 0 almost everywhere, and infinite ones: numbers or one line, and no warning."""

import math

import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

_STEPS = ["sign(z)", "Piecewise((1, z > 3), (0, True))"]


@pytest.mark.parametrize("formula", _STEPS)
def test_no_gradient_passes_a_step(formula):
    step = gt.expression(formula)
    assert gt.meanfield.chi(step, 1, 1) == 0.0
    moments = gt.meanfield.jacobian_moments(step, 3, q=1, sigma_w=1)
    assert [moments.mean, moments.mean.error, moments.variance, moments.variance.error] == [0.0, 0.0, 0.0, 0.0]
    assert not gt.meanfield.critical_initialisation(step)
    exponent = gt.lyapunov_exponent(step, 1.5, 0.5)
    assert exponent.value == -math.inf
    assert exponent.survival == 0.0
    assert math.isnan(exponent.surviving_value)  # no chain is left
    with pytest.raises(InvalidArgument, match="must have a slope that is not 0 almost everywhere"):
        gt.log_jacobian([8, 8], step)


@pytest.mark.parametrize("formula", ["Abs(z)**(1/3)", "sqrt(Abs(z))"])
def test_slopes_without_a_mean_square_are_refused(formula):
    root = gt.expression(formula)
    assert gt.meanfield.critical_initialisation(root).reason.endswith("is infinite at 0")
    with pytest.raises(InvalidArgument, match="its slope is infinite at 0"):
        gt.log_jacobian([8, 8], root)
