"""What is asked for by a slip: the answer says what to ask instead."""

import re

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.inputs import read_finite_array, read_positive_array
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.document.translation import refusal
from gradtheory.errors import InvalidArgument


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: gt.meanfield.depth_scale, "meanfield has no 'depth_scale'; the nearest is 'depth_scales'"),
        (lambda: gt.errors.Undecidd, "errors has no 'Undecidd'; the nearest is 'Undecided'"),
        (lambda: gt.testing.assert_gradient, "testing has no 'assert_gradient'; the nearest is 'assert_gradients'"),
        (lambda: gt.optimisers.SGD, "optimisers has no 'SGD'; the nearest is 'gradient_descent'"),
        (lambda: gt.optimisers.qqq, "optimisers has no 'qqq'$"),
        (lambda: gt.adam, r"^gradtheory has no 'adam': it is gradtheory\.optimisers\.adam$"),
        (lambda: gt.phase_diagram, r"^gradtheory has no 'phase_diagram': it is gradtheory\.plots\.phase_diagram$"),
        (lambda: gt.lyapunov, "gradtheory has no 'lyapunov'; the nearest is "),
        (lambda: gt.meanfield._own, "^_own$"),
    ],
)
def test_a_module_names_the_nearest_attribute(ask, said):
    with pytest.raises(AttributeError, match=said):
        ask()


def test_a_keyword_of_functions_of_arrays_is_told():
    with pytest.raises(TypeError, match="argument 'sigmab'; the nearest is 'sigma_b'"):
        gt.meanfield.edge_of_chaos("tanh", sigmab=0.1)
    with pytest.raises(TypeError, match="argument 'sigma'; the nearest are 'sigma_w' and 'sigma_b'"):
        gt.meanfield.depth_scales("tanh", sigma=[1.0])


def test_the_word_of_another_library_is_told_where_no_name_goes_on_from_it():
    @with_other_names
    def call(activation, sigma_w): ...

    @with_other_names
    def other(activation): ...

    with pytest.raises(TypeError, match="'sigma'; the nearest is 'sigma_w'"):
        call("tanh", sigma=1)
    with pytest.raises(TypeError, match="'sigma'; here it is called 'activation'"):
        other(sigma="tanh")
    with pytest.raises(TypeError, match=r"'qqq'$"):
        other(qqq="tanh")


def test_estimates_have_a_guarantee():
    number, many = gt.Estimate(0.5, 0.0, gt.Guarantee.CERTIFIED), gt.Estimates([0.5], 0.1)
    assert gt.guarantee(number) is gt.Guarantee.CERTIFIED
    assert gt.guarantee(sympy.S.One, many, number) is gt.Guarantee.NUMERIC
    assert gt.guarantee(number, sympy.S.One) is gt.Guarantee.CERTIFIED
    assert gt.guarantee() is gt.Guarantee.EXACT
    with pytest.raises(InvalidArgument, match=r"must be in SymPy, as gradtheory.explosion_set returns it, or have"):
        gt.guarantee("exact")


def test_depth_scales_have_the_q_that_they_show():
    scales = gt.meanfield.depth_scales("relu", 1.0, 0.5)
    assert scales.q is scales.point.q
    assert f"q={scales.q:g}," in repr(scales)


@pytest.mark.parametrize("typed", ["GeLU", "Sigmoid", "TANH"])
def test_a_name_in_capitals_is_told_by_its_case_alone(typed):
    with pytest.raises(InvalidArgument, match=f"whose names are in lower case: '{typed.lower()}'$"):
        gt.activation(typed)


def test_the_first_entry_that_breaks_a_rule_is_told():
    with pytest.raises(InvalidArgument, match=re.escape("must be positive, such as 1; entry [1, 0] is -2.0")) as told:
        read_positive_array(np.array([[1.0], [-2.0], [-3.0]]), "q")
    assert "必须为正，如 1；元素 [1, 0] 是 -2.0" in refusal(told.value, "zh")
    with pytest.raises(InvalidArgument, match=re.escape("it holds nan or inf; entry [2] is inf")):
        read_finite_array([1.0, 2.0, np.inf, np.nan], "x")
    with pytest.raises(InvalidArgument, match=re.escape("such as 1, and finite; entry [0] is nan")):
        read_positive_array([np.nan, 1.0], "q")
    with pytest.raises(InvalidArgument, match=r"such as 1$"):
        read_positive_array(-1.0, "q")


def test_an_empty_set_has_a_measure_in_decimals():
    for weight, digits in ((1, "0"), (8, "0.44")):
        length = gt.total_explosion_set(gt.Chain(1, "sigmoid"), w=[weight], b=[0]).measure
        assert str(sympy.N(length, 12)).startswith(digits)
