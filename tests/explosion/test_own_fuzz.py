"""The levels that random expressions are tried beside: local extrema of the slope, sought by mpmath alone."""

import random

import pytest
import sympy

from gradtheory.activations import Z
from tests.explosion.own_fuzz import beside_an_extremum
from tests.explosion.own_oracle import extreme_size


@pytest.mark.parametrize(
    ("expr", "size"),
    [
        (sympy.tanh(3 * Z - 10**6), 3),
        (Z + sympy.cos(Z) / 2, sympy.Rational(3, 2)),
        (sympy.atan(Z / 10**8) * 10**5, sympy.Rational(1, 1000)),
        (sympy.exp(-(Z**2)), sympy.sqrt(2 / sympy.E)),
    ],
)
def test_an_extremum_of_the_slope_is_met_to_many_digits(expr, size):
    assert abs(extreme_size(random.Random(1), expr) / size - 1) < 1e-16
    w = beside_an_extremum(expr, random.Random(1))
    assert 1e-10 < abs(w * size - 1) < 2e-6


@pytest.mark.parametrize("expr", [2 * Z, sympy.Max(Z, 2 * Z), sympy.tanh(Z / 10**6) / 10**6, Z**2])
def test_there_is_none_where_the_slope_does_not_turn_or_is_small(expr):
    assert beside_an_extremum(expr, random.Random(1)) is None
