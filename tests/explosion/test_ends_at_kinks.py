"""Ends of explosion sets at which a layer behind a curved one stands at its kink, at a simple fraction."""

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z

_Q = sympy.Rational


@pytest.mark.parametrize(
    ("names", "w", "b", "c", "end"),
    [
        (["sigmoid", "relu"], [8, 1], [0, "-1/2"], 1, 0),
        (["sigmoid", "relu"], [-8, -1], [0, "1/2"], 1, 0),
        (["sigmoid", "relu"], [8, 4], [3, -2], "1/2", -_Q(3, 8)),
        (["sigmoid", "relu", "sigmoid"], [8, 1, 9], [0, "-1/2", -1], 1, 0),
    ],
)
def test_a_kink_behind_a_curved_layer_is_exact(names, w, b, c, end):
    assert gt.total_explosion_set(gt.Chain(len(w), names), w=w, b=b, threshold=c).start == end


def test_a_kink_at_no_fraction_has_proven_digits():
    (start, _) = gt.total_explosion_set(gt.Chain(2, ["sigmoid", "relu"]), w=[8, 1], b=[0, "-1/3"]).args[:2]
    assert (8 * start + sympy.log(2)).n(20, chop=True) == pytest.approx(0, abs=1e-18)  # sigmoid(8x) = 1/3


@pytest.mark.parametrize(
    ("w", "b", "ends"),
    [([8, 4], [3, -2], (-_Q(1, 4), _Q(1, 2))), ([8, 4], [4, -2], (-_Q(3, 8), _Q(3, 8)))],
)
def test_a_search_that_meets_a_kink_goes_on_beside_it(w, b, ends):
    s = gt.total_explosion_set(gt.Chain(2, ["softsign", "relu6"]), w=w, b=b, threshold="1/2", strict=False)
    assert s == sympy.Interval.Lopen(*ends)  # 32/(1 + z)² = 1/2 at z = 7, and z > 1 keeps relu6 from 0


_SQUARED_RELU = sympy.Max(0, Z) ** 2


@pytest.mark.parametrize(
    ("activations", "w", "b", "inside"),
    [
        ([_SQUARED_RELU, "tanh"], [2, 1], [0, 0], _Q(1, 4)),
        ([_SQUARED_RELU, "tanh"], [4, -2], [-1, 1], _Q(2, 5)),
        (["identity", _SQUARED_RELU.subs(Z, -Z) / (1 + Z**2)], [_Q(7, 2), _Q(4, 5)], [0, 0], -_Q(1, 6)),
        (["sigmoid", _SQUARED_RELU / (1 + Z**2)], [7, 2], [0, -1], _Q(1, 12)),
        (["tanh", "sparse_sigmoid", "sparse_plus"], [-3, -3, _Q(-3, 2)], [0, 0, _Q(-1, 4)], -_Q(3, 40)),
    ],
)
def test_a_search_that_begins_where_a_smooth_slope_becomes_0_turns_to_the_side_that_is_alive(activations, w, b, inside):
    """At 0, where it begins, max(0, z)² has the slope 0 and no kink."""
    s = gt.total_explosion_set(gt.Chain(len(w), activations), w=w, b=b)
    assert inside in s
    left, right = (float(end) for end in s.args[:2])
    x = np.array([left - 1e-3, left + 1e-3, right - 1e-3, right + 1e-3])
    outputs = [x - 1e-6, x + 1e-6]
    for activation, weight, bias in zip(activations, w, b, strict=True):
        outputs = [gt.activation(activation).value(float(weight) * each + float(bias)) for each in outputs]
    assert (abs(outputs[1] - outputs[0]) / 2e-6 > 1).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("activations", "w", "b"),
    [
        (["softplus", "identity"], [1, 2], [0, 0]),
        (["softplus", "elu"], [1, 2], [0, 3]),
        (["softplus", "softplus"], [1, 4], [0, -4 * sympy.log(2)]),
    ],
)
def test_an_end_at_0_behind_values_that_are_no_fractions_is_exact(activations, w, b):
    assert gt.total_explosion_set(gt.Chain(2, activations), w=w, b=b) == sympy.Interval.open(0, sympy.oo)
