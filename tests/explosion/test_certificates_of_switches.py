"""Certificates of switches between a line and what proofs write otherwise, by the logistic function."""

import pytest
from sympy import Max, Min, Rational, Symbol, exp, tanh

import gradtheory as gt
from gradtheory.checker import check

Z = Symbol("z", real=True)


@pytest.mark.parametrize(
    ("expr", "w"),
    [
        (Max(Z / 10, 1 / (1 + exp(-Z)) - Rational(1, 7)), 20),
        pytest.param(Min(Z / 3, 3 - 2 / (1 + exp(-Z))), 5, marks=pytest.mark.slow),
        pytest.param(Max(Z / 3 - 1, tanh(Z) / 2 - 1 / (1 + exp(Z))), 5, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_they_are_written_and_verified(expr, w):
    assert check(gt.certificate(expr, w)).verdict == "verified on the whole line"


@pytest.mark.parametrize(
    "expression",
    [
        "Piecewise((Piecewise((tanh(z), z**2 > 7), (z/10, True)), z < 1), (atan(z), True))",
        "Piecewise((Max(z/10, z**2 - 7), z > 0), (z/10, True))",
        "Piecewise((Abs(z**2 - 2), z > 0), (-2*tanh(z) + 2, True))",
        "Piecewise((Max(z, tanh(2*z)), z < 1/10), (z, True))",
    ],
)
def test_a_switch_that_is_not_in_force_ends_no_cell(expression):
    assert check(gt.certificate(gt.expression(expression), 3)).verdict == "verified on the whole line"
