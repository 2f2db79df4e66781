"""Numbers that are 0, as hyperbolic functions, logarithms and arcs of one another, and numbers that nearly are."""

import pytest
import sympy
from sympy import Rational, acosh, asinh, atan, cosh, erf, erfc, exp, log, pi, sech, sinh, sqrt, tanh

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.enclosure.vanishing import is_small_number_zero

_HALF = Rational(1, 2)
_ZEROS = [
    tanh(1) / 2 - _HALF + 1 / (1 + exp(2)),
    4 * exp(2) / (1 + exp(2)) ** 2 - sech(1) ** 2,
    tanh(1 + sqrt(2)) - (exp(2 + 2 * sqrt(2)) - 1) / (exp(2 + 2 * sqrt(2)) + 1),
    sinh(1) / cosh(1) - tanh(1),
    asinh(sqrt(3)) - log(2 + sqrt(3)),
    acosh(3) - log(3 + 2 * sqrt(2)),
    atan(2) + atan(_HALF) - pi / 2,
    atan(_HALF) + atan(Rational(1, 3)) - pi / 4,
    2 * atan(tanh(_HALF)) - atan(sinh(1)),
    log(1 + exp(1)) - 1 - log(1 + exp(-1)),
    sqrt(3 + 2 * sqrt(2)) - 1 - sqrt(2),
    erf(_HALF) + erfc(_HALF) - 1,
    sympy.Add(10**12 * log(6), -(10**12) * log(2), -(10**12) * log(3)),
    sympy.Add(10**12 * atan(2), 10**12 * atan(_HALF), -(10**12) * pi / 2),
    12 * atan(2) + 12 * atan(3) - 9 * pi,
]


@pytest.mark.parametrize("number", _ZEROS, ids=str)
def test_zeros(number):
    """What is nearly zero is not handed to SymPy's simplify, which may not end."""
    assert is_small_number_zero(number)
    assert sign(number) == 0
    assert sign(number + Rational(1, 10**200)) == 1


def test_a_multiple_of_pi_is_not_zero():
    """Its tangent is 0, but no number beyond 1 is taken to be 0 for that."""
    assert sign(atan(2) + atan(_HALF) + pi / 2) == 1


@pytest.mark.parametrize("number", [exp(-10000) - tanh(1), sympy.Add(*(sqrt(n) for n in sympy.primerange(600)))])
def test_sympy_is_not_asked_about_what_is_huge_or_long(number):
    assert not is_small_number_zero(number)


@pytest.mark.parametrize("inverse", [asinh, sympy.atanh, atan])
def test_sympy_is_not_asked_for_powers_and_tangents_of_great_multiples(inverse):
    one, other = inverse(_HALF), inverse(Rational(1, 3))
    near = sympy.Add((10**12 + 1) * one, -(10**12) * other, sympy.Rational(one.n(40)) - other)
    assert not is_small_number_zero(near + 10**12 * sympy.Rational((other - one).n(40)))


def test_a_message_does_not_evaluate_a_number():
    """SymPy puts the terms of a sum in order by their values, and sinh(10**15) has 10**14 digits."""
    number = 3 * exp(-(cosh(10**15) ** 2)) * sinh(10**15) + 2 * exp(-(sinh(10**15) ** 2))
    assert "exp(" in shorten(number)


def test_a_tiny_sum_of_logarithms_and_arcs_is_not_zero():
    tiny = -sympy.pi / 2 - 2 * sympy.log(1 + Rational(1, 10**90)) + sympy.atan(_HALF) + sympy.atan(2)
    assert not is_small_number_zero(tiny)


def test_a_fraction_of_more_digits_than_python_writes_is_rounded_in_messages():
    assert shorten(sympy.Rational(3, 2**20_000)) == "7.53716e-6021"
