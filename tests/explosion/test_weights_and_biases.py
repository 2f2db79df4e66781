"""The sets of weights and of biases that explode."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import Undecided
from tests.explosion.test_explosion import explodes, is_tie
from tests.shapes import SHAPES, slow_except

# Those with limits of σ'(z)·(z - b): not the periodic ones, whose sets of weights have infinitely many parts.
_UNSOLVED = ("cosine", "sine", "snake")
_SOLVED = tuple(name for name in gt.activation_names() if name not in _UNSOLVED)
_numbers = st.fractions(min_value=-3, max_value=3, max_denominator=8)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("solved", slow_except(SHAPES, _SOLVED))
@settings(max_examples=6)  # each example finds and proves a profile of its own
@given(
    x=_numbers,
    b=_numbers,
    w=st.lists(st.fractions(min_value=-10, max_value=10, max_denominator=9), min_size=3, max_size=4),
)
def test_weights(solved, x, b, w):
    weights = gt.exploding_weights(solved, x=x, b=b)
    kinks = gt.activation(solved).kinks
    for weight in map(sympy.Rational, w):
        z = weight * sympy.Rational(x) + sympy.Rational(b)
        inside = weight != 0 and z not in kinks and explodes(solved, sympy.Rational(x), weight, sympy.Rational(b), 1)
        assert (weight in weights) == inside or is_tie(solved, weight, 1, sympy.Rational(x), sympy.Rational(b)), weight


@pytest.mark.parametrize("solved", slow_except(SHAPES, _SOLVED))
@given(
    x=_numbers,
    w=_numbers,
    b=st.lists(st.fractions(min_value=-10, max_value=10, max_denominator=9), min_size=3, max_size=4),
)
def test_biases(solved, x, w, b):
    biases = gt.exploding_biases(solved, w=w, x=x)
    kinks = gt.activation(solved).kinks
    for bias in map(sympy.Rational, b):
        z = sympy.Rational(w) * sympy.Rational(x) + bias
        inside = w != 0 and z not in kinks and explodes(solved, sympy.Rational(x), sympy.Rational(w), bias, 1)
        assert (bias in biases) == inside or is_tie(solved, sympy.Rational(w), 1, sympy.Rational(x), bias), bias


@pytest.mark.parametrize("which", _UNSOLVED)
def test_weights_that_are_not_found_are_undecided(which):
    with pytest.raises(Undecided):
        gt.exploding_weights(which, x=1, b="1/2")


@pytest.mark.parametrize(("far", "b"), [("exponential", 150), ("cloglog", 55), ("silu", -400)])
def test_weights_far_from_the_origin_are_decided(far, b):
    """Newton's method takes steps of 1 towards a zero of (z - b)·exp(z)."""
    assert gt.exploding_weights(far, x=1, b=b, threshold="1/7").contains(0) is sympy.false


@pytest.mark.parametrize(("written", "x", "b"), [("sin(z)", -2, 1), ("z*cos(z)", 1, 0)])
def test_weights_of_waves_are_found_on_a_bounded_domain(written, x, b):
    wave = gt.expression(written)
    weights = gt.exploding_weights(wave, x=x, b=b, domain=(-5, 5))
    tried = [sympy.Rational(k, 16) for k in range(-79, 80)]
    inside = [w in weights for w in tried]
    assert inside == [abs(gt.activation(wave).slope(float(w * x + b)) * w) > 1 for w in tried]
    assert 0 < sum(inside) < len(inside)
