"""Piecewise formulas of one function join without a kink, however the formulas are written."""

import pytest
from sympy import Abs, Piecewise, Rational, Symbol, asinh, atan, exp, log, pi, sqrt, tanh

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


@pytest.mark.parametrize("w", [[2, 3], [Rational(1, 5), 7]], ids=str)
def test_a_chain_whose_pre_activation_vanishes_with_several_derivatives(w):
    """|z|³ has a switch at 0, where z_2 = w_2·|w_1·x|³ vanishes with two derivatives: the third tells its sign."""
    explosion = gt.total_explosion_set(gt.Chain(len(w), Abs(Z) ** 3), w=w, b=[0] * len(w))
    power = 3 ** len(w)
    factor = 1
    for weight in w:
        factor = weight**3 * factor**3  # f(x) = factor·|x|^power
    end = (power * factor) ** Rational(-1, power - 1)
    assert abs(float(explosion.args[0].end + end)) < 1e-12
    assert abs(float(explosion.args[1].start - end)) < 1e-12
