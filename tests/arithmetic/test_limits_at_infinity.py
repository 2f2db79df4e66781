"""Limits at infinity by expansions: known ones, and a refusal with its reason where there is none or none is proven."""

import pytest
import sympy
from sympy import asin, cos, cosh, coth, erf, exp, floor, log, pi, sech, sin, sinh, sqrt, tanh

from gradtheory.arithmetic.enclosure.tails import limit_at
from gradtheory.errors import Undecided

Z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(
    ("expr", "limit"),
    [
        (Z ** (1 / Z), 1),
        (Z * coth(Z) / (1 + Z), 1),
        (sech(Z) * exp(Z), 2),
        (sinh(Z) * exp(-Z), sympy.S.Half),
        ((sinh(Z) - cosh(Z)) * exp(Z), -1),
        (sqrt(Z**2 + 1) - Z, 0),
        (log(exp(Z) + 1) - Z, 0),
        (cos(1 / Z), 1),
        (erf(-Z), -1),
    ],
)
def test_limits_are_those_by_hand(expr, limit):
    assert limit_at(expr, Z, sympy.oo) == limit


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (sin(Z), "is not proven"),
        (Z * sin(Z), "is not proven"),
        (floor(Z), "floor is not expanded at infinity"),
        (log(-Z), "a logarithm of a negative number"),
        (log(log(Z)), "a logarithm of a logarithm"),
        (sqrt(-Z), "a root of a negative number"),
        (Z**pi, "the power pi is not expanded"),
        (1 / sin(Z), "a sum whose growth is not known"),
        (tanh(Z * sin(Z)), "an argument whose growth is not known"),
        (exp(sin(Z)), "an argument without a limit"),
        (exp(Z * sin(Z)), "an exponential whose growth is not known exactly"),
        (asin(tanh(Z)), "is not smooth at 1"),
    ],
)
def test_what_has_no_limit_or_none_that_is_proven_is_undecided(expr, reason):
    with pytest.raises(Undecided, match=reason):
        limit_at(expr, Z, sympy.oo)
