"""A domain of inputs is one of pre-activations, shifted by the bias: only there an oscillating slope is looked at."""

import math

import pytest
import sympy

import gradtheory as gt

_Z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(("w", "b"), [(2, 7), pytest.param(-3, 11, marks=pytest.mark.slow)])
def test_an_oscillating_slope_is_looked_at_where_the_domain_lies(w, b):
    explosion = gt.explosion_set(_Z * sympy.cos(_Z), w, b, threshold=3, domain=(-1, 2))
    for k in range(-10, 21):
        z = w * k / 10 + b
        slope = math.cos(z) - z * math.sin(z)
        assert (sympy.Rational(k, 10) in explosion) == (abs(slope * w) > 3)
    assert explosion.measure > 0


def test_biases_of_an_oscillating_slope_too():
    explosion = gt.exploding_biases(_Z * sympy.cos(_Z), w=2, x=3, threshold=3, domain=(-1, 2))
    for k in range(-10, 21):
        z = 6 + k / 10
        assert (sympy.Rational(k, 10) in explosion) == (abs(2 * (math.cos(z) - z * math.sin(z))) > 3)
