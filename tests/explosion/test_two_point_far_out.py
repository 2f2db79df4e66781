"""Two inputs of a chain whose weights saturate its layers: numbers far below float64, or one clear line."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import Undecided


@pytest.mark.parametrize("w", [[1e300, 1], [-1e300, 3]])
def test_digits_of_numbers_that_are_no_float64(w):
    both = gt.two_point(gt.Chain(2, "sigmoid"), 0, 1, w=w, b=[0, 0])
    assert 0 < both.left == both.right < sympy.Float("1e-100000")
    assert abs(both.gradient_at_y) < both.left < 1 < abs(both.gradient_at_x)


@pytest.mark.parametrize("w", [[1e300, 1e300], [1, 1e300]])
def test_outputs_that_no_digits_tell_apart_are_refused_by_name(w):
    with pytest.raises(Undecided, match=r"^w = \[1.*\]: at x and y .*; try smaller weights") as raised:
        gt.two_point(gt.Chain(2, "sigmoid"), 0, 1, w=w, b=[0, 0])
    assert len(str(raised.value).splitlines()) == 1
