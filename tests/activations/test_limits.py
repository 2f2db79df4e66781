"""Limits that are read off, at both ends of the line, against what is known of them."""

import pytest
from sympy import Abs, Rational, cosh, erf, exp, oo, pi, sin, sinh, sqrt, tanh

from gradtheory.activations import Z
from gradtheory.activations.slopes.limits import limit
from gradtheory.arithmetic.enclosure.algebra import exponentials_as_powers
from gradtheory.errors import Undecided

_CUBE = sqrt(2 / pi) * (Z + Rational("0.044715") * Z**3)


@pytest.mark.parametrize(
    ("expr", "at_left", "at_right"),
    [
        (Z * tanh(Z) / (1 + 2 * Z), -Rational(1, 2), Rational(1, 2)),
        ((Z - 3) / (1 + exp(-Rational("1.702") * Z)), 0, oo),
        (Z**9 * exp(-Z), -oo, 0),
        (cosh(Z) / sinh(Z), -1, 1),
        (Z**2 * exp(-(Z**2)) + sqrt(2), sqrt(2), sqrt(2)),
        ((Z - 1) * Z / cosh(_CUBE) ** 2 + 1 / (1 + exp(-2 * _CUBE)), 0, 1),
        ((1 + tanh(_CUBE)) * (Z + 5), 0, oo),
        (exp(2 * Z) / (exp(Z) - 1) ** 2 - 1, -1, 0),
        ((2 * Z**3 - 1) / (Z - 7 * Z**2), oo, -oo),
        (Z * exp(Z - exp(Z)), 0, 0),  # an exponential of an exponential: SymPy's
        (Z * (1 + erf(Z)), 0, oo),
    ],
)
def test_limits_at_both_ends(expr, at_left, at_right):
    assert (limit(expr, -oo, "+"), limit(expr, oo, "-")) == (at_left, at_right)


def test_what_has_no_limit_is_undecided():
    for expr in (Z * sin(Z), sin(Z) + exp(-Z)):
        with pytest.raises(Undecided, match="is not proven"):
            limit(expr, oo, "-")


def test_exponentials_that_are_powers_of_one_another_share_a_symbol():
    _, generators = exponentials_as_powers(cosh(_CUBE).rewrite(exp) + exp(-3 * _CUBE) + exp(_CUBE / 3))
    assert len(generators) == 1
    _, generators = exponentials_as_powers(exp(Z) + exp(Z**2) + Abs(Z))
    assert len(generators) == 2


def test_great_powers_of_one_exponential_are_kept_apart():
    expr = exp(Z) + exp(Rational("1.2345") * Z) + exp(-Z)
    apart, generators = exponentials_as_powers(expr)
    assert len(generators) == 2
    assert apart.xreplace(generators) == expr
