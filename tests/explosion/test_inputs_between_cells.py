"""Inputs of chains at which a layer changes its formula smoothly: they belong by what |f'| is there."""

import numpy as np
import pytest
import sympy
from sympy import Abs, FiniteSet, Interval, Max, Piecewise, S, Union, oo, sign, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import Undecided

_BENT = Z + Z * Abs(Z)  # slope 1 + 2|z|
_SMOOTH = Piecewise((2 * Z + Z**2 / 2, Z < 0), (2 * Z + Z**2, True))


@pytest.mark.parametrize(
    "activations",
    [
        ["softsign", "leaky_relu(1/2)"],
        ["elu", "leaky_relu(1/2)"],
        ["softsign", "selu"],
        ["softsign", Abs(Z)],
        ["softsign", tanh(Z) + sign(Z)],
        [Z + Max(0, Z) ** 2, "leaky_relu(1/2)"],
        [Z * Abs(Z) + Z, "leaky_relu(1/2)"],
        ["softsign", "identity", "leaky_relu(1/2)"],
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_kink_that_a_later_layer_meets_where_an_earlier_one_switches_is_left_out(activations, strict):
    depth = len(activations)
    w, b = [1] * (depth - 1) + [3], [0] * depth
    found = gt.total_explosion_set(gt.Chain(depth, activations), w=w, b=b, threshold="1/10", strict=strict)
    assert 0 not in found
    assert all(side * sympy.Rational(1, 10**6) in found for side in (-1, 1))


def test_a_bias_moves_the_kink_away():
    chain = gt.Chain(2, ["softsign", "leaky_relu(1/2)"])
    found = gt.total_explosion_set(chain, w=[1, 3], b=[0, 1], threshold="1/10")
    assert 0 in found
    assert sympy.Rational(-1, 2) not in found  # softsign(-1/2) = -1/3, where the second layer has its kink


@pytest.mark.parametrize(
    ("activations", "b", "threshold", "where"),
    [
        (["softsign", "leaky_relu"], [0, "1/2"], 1, FiniteSet(0)),
        (["softsign", "bent_identity"], [0, 0], 1, FiniteSet(0)),
        ([_SMOOTH, "identity"], [0, 0], 2, Union(Interval(-oo, -4), Interval(0, oo))),
        ([_BENT, "identity"], [0, 0], 1, S.Reals),
        ([_BENT, _BENT], [0, 0], 1, S.Reals),
        (["identity", _BENT], [0, 0], 1, S.Reals),
    ],
)
def test_where_the_threshold_is_just_met(activations, b, threshold, where):
    chain = gt.Chain(2, activations)
    found = gt.total_explosion_set(chain, w=[1, 1], b=b, threshold=threshold, strict=False)
    assert found == where
    assert 0 in found
    assert 0 not in gt.total_explosion_set(chain, w=[1, 1], b=b, threshold=threshold)


def test_of_a_parameter():
    chain = gt.Chain(2, ["softsign", "leaky_relu"])
    assert gt.exploding_parameter(chain, "b1", x=0, w=[1, 3], b=[0, 1], threshold=3, strict=False) == FiniteSet(0)
    assert gt.exploding_parameter(chain, "b1", x=0, w=[1, 3], b=[0, 1], threshold=3) == S.EmptySet


def test_chains_of_smooth_switches_beside_numbers():
    rng = np.random.default_rng(5)
    names = ["softsign", "elu", "selu", "bent_identity", "leaky_relu(1/2)", "softshrink", "hard_swish", "identity"]
    x = np.linspace(-4.0, 4.0, 801)
    decided = 0
    for _ in range(40):
        activations = [names[k] for k in rng.integers(0, len(names), 3)]
        w, b = rng.integers(1, 5, 3).tolist(), rng.integers(-2, 3, 3).tolist()
        chain = gt.Chain(3, activations)
        try:
            found = gt.total_explosion_set(chain, w=w, b=b, threshold="7/8")
        except Undecided:  # a later layer comes to a corner just where an earlier one changes its formula
            continue
        decided += 1
        a, product = x, np.ones_like(x)
        for activation, weight, bias in zip(activations, w, b, strict=True):
            a, slope = gt.activation(activation).value_and_slope(weight * a + bias)
            product = product * slope * weight
        for place, size in zip(x[::40], np.abs(product)[::40], strict=True):
            if abs(size - 0.875) > 1e-9 and np.diff(np.abs(product)).max() < 1.0:
                assert (sympy.Rational(float(place)) in found) == (size > 0.875)
    assert decided > 35


_TINY = sympy.Rational(1, 10**45)
_RAMP = (Max(0, Z - 1) - Max(0, Z - 1 - _TINY)) * 5 / _TINY + Z / 10


@pytest.mark.parametrize(
    ("activations", "w", "b", "threshold", "x"),
    [
        (["sigmoid", "leaky_relu", "leaky_relu"], [1, 1, 1], [0, "-1/2", "-1/2"], sympy.Rational(1, 10**80), 100),
        (["sigmoid", "leaky_relu", "leaky_relu"], [10**80, 1, 1], [0, "-1/2", "-1/2"], 1, sympy.Rational(1, 10**78)),
        (["sigmoid", 3 * Abs(Z - 1) + Abs(Z - S.Half)], [10**100, 1], [0, 0], 1, sympy.Rational(1, 10**98)),
        (["identity", _RAMP], [1, 1], [0, 0], 2, 1 + _TINY / 3),
        (["bent_identity", _RAMP], [1, "1"], [0, 0], 2, None),
    ],
)
def test_saturated_layers_beside_a_kink_of_the_next(activations, w, b, threshold, x):
    found = gt.total_explosion_set(gt.Chain(len(w), activations), w=w, b=b, threshold=threshold)
    assert found != S.EmptySet
    assert x is None or x in found
