"""Activations whose rates and shifts have many digits: SymPy's polynomials would take powers of thousands for them."""

import pytest

import gradtheory as gt

_BUMP = "exp(-(190*z/987 + 23750/40279)**2)"
_STEP = "tanh(22*z/49 + 1892/17395)"
_SWITCHED = (
    f"Piecewise((z - 181*{_BUMP}/195, z - 949/293/(exp(22*z/49 + 1892/17395) + 1) < 181*{_BUMP}/195), (tanh(z), True))"
)


@pytest.mark.slow
def test_class_n_is_decided():
    bound = gt.depth_bound(gt.expression(f"erf(190*z/987 + 23750/40279) + {_STEP}"))
    assert (bound.is_in_class_n, bound.value) == (False, None)
    narrow = gt.depth_bound(gt.expression("tanh(1000001*z/7 + 1000003/11) + erf(99991*z/1009 - 1)"))
    assert (narrow.is_in_class_n, narrow.value) == (False, None)


def test_a_switch_between_such_formulas():
    activation = gt.expression(_SWITCHED)
    assert gt.explosion_set(activation, w=7).measure > 0
    assert r"\le" in gt.activation(activation).symbol or r"\ge" in gt.activation(activation).symbol


@pytest.mark.slow
def test_mean_field_of_such_a_switch():
    activation = gt.expression(_SWITCHED)  # z on one side, so that the variance is times 1.5²/2 or more
    assert gt.meanfield.fixed_points(activation, 1.5, 0.1) == ()
    assert len(gt.meanfield.fixed_points(activation, 1.2, 0.1)) == 1
