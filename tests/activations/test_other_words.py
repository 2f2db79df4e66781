"""Activations of one's own in other words: exponentials for tanh, powers of numbers, and origins at irrational numbers."""

import numpy as np
import pytest
import sympy
from sympy import atan, erf, exp, log, pi, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.logistic import Logistic, Softplus, with_logistics

_OF_TANH = {
    "difference": (exp(3 * Z) - 1) / (exp(3 * Z) + 1),
    "falling": (1 - exp(-3 * Z)) / (1 + exp(-3 * Z)),
    "powers": (2**Z - 1) / (2**Z + 1),
    "irrational": (exp(sqrt(2) * Z) - 1) / (exp(sqrt(2) * Z) + 1),
    "shifted": (3 * exp(Z) - 2) / (3 * exp(Z) + 2),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("which", _OF_TANH)
def test_tanh_in_exponentials_has_the_width_of_tanh(which):
    bound, tanh_bound = gt.depth_bound(_OF_TANH[which]), gt.depth_bound("tanh")
    assert bound.value.n(20) == tanh_bound.value.n(20)
    assert bound.widens is False
    assert "even" in bound.reason


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ((1 - exp(-Z)) / (1 + exp(-Z)), 2 * Logistic(Z) - 1),
        (5 * (exp(2 * Z) - 3) / (exp(2 * Z) + 1), 5 - 20 * Logistic(-2 * Z)),
        (exp(Z) / (2 + exp(Z)), Logistic(Z - log(2))),
        (exp(2 * Z) / (2 + exp(Z)) ** 2, Logistic(Z - log(2)) ** 2),
        (log(3 + 2 * exp(Z)), log(3) + Softplus(Z + log(sympy.Rational(2, 3)))),
        (1 / (exp(Z) - 2), 1 / (exp(Z) - 2)),
    ],
)
def test_logistics_are_seen(expr, expected):
    assert sympy.expand(with_logistics(expr) - expected) == 0
    z = np.linspace(-3.0, 3.0, 7)
    ours = [with_logistics(expr).rewrite(exp).subs(Z, place).n() for place in z]
    assert np.allclose(np.array(ours, float), [float(expr.subs(Z, place)) for place in z])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("origin", [log(2), -sqrt(2), pi])
@pytest.mark.parametrize("function", [tanh, erf, atan])
def test_the_middle_may_be_irrational(function, origin):
    bound, centred = gt.depth_bound(function(Z + origin)), gt.depth_bound(function(Z))
    assert bound.value.n(20) == centred.value.n(20)
    assert bound.widens is False
    assert [end.n(15) for end in bound.pair] == [(end - origin).n(15) for end in centred.pair]
    top = gt.activation(function(Z + origin)).profile.branches[0].right
    assert top == -origin


def test_a_power_of_a_number_is_an_exponential():
    written, plain = gt.explosion_set(3 ** (-(Z**2)), w=2), gt.explosion_set(exp(-(Z**2) * log(3)), w=2)
    assert written == plain
    assert gt.activation(3 ** (-(Z**2))).slope(0.5) == pytest.approx(-log(3).n() * 3**-0.25)
