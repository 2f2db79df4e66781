"""SymPy's algebra with exponentials as symbols."""

import pytest
import sympy
from sympy import Rational, cosh, exp, tanh

from gradtheory.arithmetic.enclosure import factored, in_symbols

_Z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(
    ("expr", "factors"),
    [
        (exp(2 * _Z) - 2 * exp(_Z) + 1, (exp(_Z) - 1) ** 2),
        (2 * _Z * exp(-(_Z**2)) - 2 * exp(-(_Z**2)), sympy.Mul(2, _Z - 1, exp(-(_Z**2)))),
        (tanh(_Z) / cosh(_Z) + 1 / cosh(_Z), (tanh(_Z) + 1) / cosh(_Z)),
        (exp(2) - 1, exp(2) - 1),
    ],
    ids=str,
)
def test_a_product_of_factors(expr, factors):
    assert factored(expr) == factors


def test_rates_of_many_digits_are_symbols_of_their_own():
    rates = Rational(1000001, 7), Rational(23750, 40279)
    expr = exp(rates[0] * _Z + rates[1]) + exp(rates[1] * _Z**2) + exp(rates[0])
    symbols = in_symbols(expr, _Z)
    assert sympy.Poly(symbols.rational).total_degree() == 2  # exp(z + c) is exp(z)·exp(c)
    assert sympy.simplify(symbols.written_out(symbols.rational) - expr) == 0
    assert factored(exp(Rational(10**9 + 1, 10**9)) + exp(rates[0] * _Z)).has(exp)
