"""Proven integrals of smooth formulas, against antiderivatives."""

import pytest
import sympy

from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.enclosure.integral import integral
from gradtheory.errors import Undecided

X = sympy.Symbol("x")


@pytest.mark.parametrize(
    ("expr", "exact"),
    [
        (sympy.asinh(X), sympy.asinh(1) - sympy.sqrt(2) + 1),
        (sympy.atan(X), sympy.pi / 4 - sympy.log(2) / 2),
        (sympy.sqrt(1 + X), (4 * sympy.sqrt(2) - 2) / 3),
        (1 / (1 + X) ** 2, sympy.S.Half),
    ],
)
def test_integrals_are_those_by_antiderivatives(expr, exact):
    ball = integral(expr, X, sympy.S.Zero, sympy.S.One, 128)
    assert ball.overlaps(enclose(exact, 128))
    assert ball.rad() < 1e-30


@pytest.mark.parametrize(("expr", "reason"), [(1 / X, "is not proven"), (sympy.gamma(2 + X), "known for gamma")])
def test_no_integral_is_guessed(expr, reason):
    with pytest.raises(Undecided, match=reason):
        integral(expr, X, -sympy.S.One, sympy.S.One, 64)
