"""Ends of explosion sets at which a layer behind a curved one stands at its kink, at a simple fraction."""

import pytest
import sympy

import gradtheory as gt

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
