"""Piecewise formulas of one function join without a kink, however the formulas are written."""

import pytest
from sympy import Piecewise, Rational, Symbol, asinh, atan, exp, log, pi, sqrt, tanh

import gradtheory as gt

Z = Symbol("z", real=True)


@pytest.mark.parametrize(
    ("expr", "w", "place"),
    [
        (Piecewise((1 / (1 + exp(-Z)), Z < -1), (tanh(Z / 2) / 2 + Rational(1, 2), True)), 6, -1),
        (Piecewise((atan(Z), 2 * Z < 1), (pi / 2 - atan(1 / Z), True)), 2, Rational(1, 2)),
        (Piecewise((asinh(Z), Z <= 1), (log(Z + sqrt(1 + Z**2)), True)), 2, 1),
    ],
    ids=str,
)
def test_joints_belong(expr, w, place):
    explosion = gt.explosion_set(expr, w)
    assert explosion.is_Interval  # in one piece
    assert place / w in explosion
