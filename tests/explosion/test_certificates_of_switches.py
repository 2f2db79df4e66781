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
