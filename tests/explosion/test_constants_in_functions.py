"""Exact constants that hold an exponential within another function, as log(1 + exp(-3)), are numbers like others."""

import math

import pytest
import sympy
from sympy import Rational, atan, erf, exp, log, sqrt, tanh

import gradtheory as gt
from gradtheory.explosion.superlevel import components_of

_Z = sympy.Symbol("z", real=True)
_CONSTANTS = [
    log(1 + exp(-3)),
    atan(exp(2)),
    sqrt(1 + exp(2)),
    (1 + exp(2)) ** Rational(1, 3),
    erf(exp(-1)),
    atan(tanh(1)),
]


def ends(sets):
    return [float(end) for each in components_of(sets) for end in (each.lower, each.upper)]


@pytest.mark.parametrize("constant", _CONSTANTS, ids=str)
def test_they_give_the_sets_of_their_digits(constant):
    near = Rational(str(constant.n(40)))
    for call in (
        lambda c: gt.explosion_set(tanh(_Z) + exp(-(_Z**2)), 2, threshold=c / 9),
        lambda c: gt.explosion_set(exp(-(_Z**2)), 2 + c),
        lambda c: gt.explosion_set(tanh(c * _Z) + exp(-(_Z**2)), 2),
    ):
        assert ends(call(constant)) == pytest.approx(ends(call(near)), rel=1e-14)


def test_they_come_up_in_chains_by_themselves():
    own = gt.expression("sech(2*z+3/5)*4/5+z")
    weights = gt.exploding_parameter(
        gt.Chain(2, ["softplus", own]), "w2", x=1, w=[1, None], b=["1/2", -1], threshold="3/2"
    )
    a = math.log1p(math.exp(1.5))
    for w in (Rational(k, 20) for k in range(-60, 61)):
        assert (w in weights) == (abs(a * gt.activation(own).slope(float(w) * a - 1.0)) > 1.5)


@pytest.mark.parametrize("constant", [*_CONSTANTS, 1 / (1 + exp(-1)), 1 - tanh(2), sympy.erfc(3)], ids=str)
def test_they_cancel_with_themselves(constant):
    steps = gt.explosion_set(sympy.Max(0, _Z - constant), 2, constant)
    assert steps == sympy.Interval.open(0, sympy.oo)
    assert 0 not in steps
    clipped = gt.Chain(2, [sympy.Max(-1, sympy.Min(_Z, constant)), "tanh"])
    assert 0 not in gt.total_explosion_set(clipped, w=[2, 3], b=[constant, 0])


@pytest.mark.parametrize(
    ("which", "parameter"), [("elu", {"alpha": sqrt(2)}), ("hard_tanh", {"upper": log(1 + exp(-3))})], ids=str
)
def test_certificates_with_them_are_verified(which, parameter):
    proof = gt.certificate(gt.activation(which, **parameter), 3)
    assert gt.activation(proof["claim"]["activation"]) == gt.activation(which, **parameter)  # its name is read back
    assert gt.checker.check(proof).ok
