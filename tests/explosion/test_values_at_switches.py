"""Where σ has another value at a switch than beside it, or none, it has no derivative: the place is left out."""

import pytest
import sympy
from sympy import Abs, Eq, Heaviside, Max, Ne, Piecewise, exp, log, sign, tanh

import gradtheory as gt
from gradtheory import checker
from gradtheory.activations import Z

_LEFT_OUT = [
    Z + sign(Z) ** 2,
    Z + sign(Abs(Z)),
    Z + sympy.cos(sign(Z)),
    Z + Heaviside(Z) * Heaviside(-Z),
    Z + Piecewise((5, Eq(Z, 0)), (0, True)),
    Piecewise((Z, Z < 0), (1, Z <= 0), (Z, True)),
    Z + Z**3 / Abs(Z),
    Z + Z**3 / Max(Z, -Z),
    3 * Z + Z**2 * log(Abs(Z)),
    Z + tanh(1 / Abs(Z)),
]
_KEPT = [
    Z + Heaviside(Z) + Heaviside(-Z),
    Z * sign(Z) ** 2,
    Z + Piecewise((Z**3 / Abs(Z), Ne(Z, 0)), (0, True)),
    3 * Z + Piecewise((exp(-1 / Abs(Z)), Ne(Z, 0)), (0, True)),
    Z + Z / (1 + Abs(Z)),
]


@pytest.mark.parametrize("expr", _LEFT_OUT)
@pytest.mark.parametrize("strict", [True, False])
def test_a_place_with_another_value_is_left_out(expr, strict):
    explosion = gt.explosion_set(expr, w=2, strict=strict)
    assert 0 not in explosion
    assert sympy.Rational(1, 10**9) in explosion


@pytest.mark.parametrize("expr", _KEPT)
def test_a_place_with_the_value_of_both_sides_is_kept(expr):
    assert 0 in gt.explosion_set(expr, w=2)


@pytest.mark.parametrize("expr", [_LEFT_OUT[0], _LEFT_OUT[5]])
def test_the_checker_agrees(expr):
    assert checker.check(gt.certificate(expr, w=2)).ok


def test_at_an_irrational_place():
    places = gt.explosion_set(Z + sign(Z**2 - 2) ** 2, w=1, threshold="1/2").boundary
    assert {round(float(place), 12) for place in places} == {-1.414213562373, 1.414213562373}
    one = Z**5 + Z
    assert gt.explosion_set(Piecewise((one, one < 1), (1, Eq(one, 1)), (one, True)), w=2) == sympy.Reals
    assert gt.explosion_set(Piecewise((one, one < 1), (2, Eq(one, 1)), (one, True)), w=2) != sympy.Reals


def test_in_chains_and_classes():
    bumped = tanh(Z) + sign(Z) ** 2
    assert 0 not in gt.total_explosion_set(gt.Chain(2, ["identity", bumped]), w=[2, 1], b=[0, 0])
    assert not gt.depth_bound(bumped).is_in_class_n
    assert 5 in gt.activation(Piecewise((5, Eq(Z, 0)), (tanh(Z), True))).range
