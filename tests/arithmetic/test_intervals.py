"""Bounds of functions over an interval contain their values at every place in it."""

import itertools

import flint
import pytest
import sympy
from sympy import acosh, asinh, atan, cos, cosh, erf, erfc, exp, log, oo, sin, sinh, sqrt, tan, tanh

from gradtheory.arithmetic.enclosure import bounds, enclose, precision, range_over
from gradtheory.errors import Undecided

Z = sympy.Symbol("z", real=True)
_PLACES = [sympy.Rational(*pair) for pair in ((-40, 1), (-7, 2), (-1, 3), (0, 1), (1, 5), (1, 1), (9, 4), (30, 1))]
_ANYWHERE = [
    erf(Z), erfc(Z), erfc(Z - 3), exp(Z), exp(-(Z**2)), tanh(Z), sinh(Z), cosh(Z), 1 / cosh(Z), atan(Z), asinh(Z), sin(Z), cos(Z),
    sqrt(Z**2 + 1), Z**3 - Z, sympy.Abs(Z - 1), sympy.Max(Z, 1 - Z), sympy.Min(Z, Z**2), log(1 + exp(Z)),
]  # fmt: skip
_ON_A_HALF_LINE = [(log(Z), 0), (log(1 + Z), -1), (sqrt(Z), 0), (1 / Z, 0), (tan(atan(Z)), -oo)]


def _hold(expr, left, right):
    with precision(64):
        lower, upper = range_over(expr, Z, bounds(left, right, 64), 64)
        for share in (0, sympy.Rational(1, 7), sympy.Rational(1, 2), sympy.Rational(8, 9), 1):
            if left == -oo or right == oo:
                place = (right if left == -oo else left) + (1 if right == oo else -1) * 100 * share
            else:
                place = left + (right - left) * share
            value = enclose(expr.subs(Z, place), 64)
            is_outside = value < lower or value > upper
            assert not is_outside, (place, value, lower, upper)
    return lower, upper


@pytest.mark.parametrize("expr", _ANYWHERE, ids=str)
def test_bounds_contain_the_values(expr):
    for left, right in itertools.pairwise(_PLACES):
        lower, upper = _hold(expr, left, right)
        assert lower.is_finite() or upper.is_finite()
    _hold(expr, -oo, _PLACES[2])
    _hold(expr, _PLACES[5], oo)


@pytest.mark.parametrize(("expr", "least"), _ON_A_HALF_LINE, ids=str)
def test_bounds_of_functions_that_end_somewhere(expr, least):
    for left, right in itertools.pairwise(_PLACES):
        if left > least:
            _hold(expr, left, right)


def test_the_tail_of_the_error_function_keeps_its_digits():
    with precision(64):
        lower, upper = range_over(erfc(Z), Z, bounds(sympy.Integer(20), sympy.Integer(21), 64), 64)
        assert lower > 0
        assert upper < flint.arb(10) ** -170


def test_a_function_without_bounds_is_undecided():
    with pytest.raises(Undecided, match="no proven bounds over an interval are known for acosh"):
        range_over(acosh(Z), Z, bounds(sympy.Integer(2), sympy.Integer(3), 64), 64)
