"""The certificate of a set is verified in whatever words the activation is written."""

import pytest
from sympy import Abs, Heaviside, Max, Min, Piecewise, Rational, Symbol, sign, tanh

import gradtheory as gt
from gradtheory.checker import check

Z = Symbol("z", real=True)
_SMOOTH = (Z - 2) ** 2 / (1 + (Z - 2) ** 2)


@pytest.mark.parametrize(
    "expr",
    [
        Heaviside(Z - 2) * (Z - 2),
        Heaviside(Z - 2, 1) * (Z - 2) + Z / 5,
        Heaviside(Z, 0) * tanh(Z),
        Max(0, Max(Z, Min(2 * Z, 3)) - 1) + Min(0, Z + 4),  # the inner ones switch where the outer one is flat
        Abs(Max(Z, 2 * Z) - Max(Z, 2 * Z)) + Max(0, Z),
        Piecewise((Z, Z < 0), (Z, Z < 3), (2 * Z - 3, True)),
        sign(Z) * Z,
        pytest.param(Z / 3 + Heaviside(Z - 2) * _SMOOTH, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_certificate_is_verified(expr):
    report = check(gt.certificate(expr, Rational(3, 4)))
    assert report.ok, report.reason
    report = check(gt.certificate(expr, 2))
    assert report.ok, report.reason
