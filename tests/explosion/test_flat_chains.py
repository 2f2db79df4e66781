"""Chains of softsign that are linear on an interval: at that slope the set has a length with >=, and none with >."""

from fractions import Fraction

import pytest
from sympy import EmptySet, Interval, Rational

import gradtheory as gt

R = Rational


def _gradient(x, w, b):
    """Return f'(x) in exact fractions."""
    a, slope = Fraction(x.p, x.q), Fraction(1)
    for weight, bias in zip(w, b, strict=True):
        z = Fraction(weight.p, weight.q) * a + Fraction(bias.p, bias.q)
        slope *= Fraction(weight.p, weight.q) / (1 + abs(z)) ** 2
        a = z / (1 + abs(z))
    return slope


def _linear(length, scale=1, shift=0):
    """Return weights and biases of two layers that are linear where scale·a + shift lies in [-length, 0]."""
    return [R(scale), 1 + R(length)], [R(shift), R(length)]


_TWICE = _linear(3), _linear(2, 4, R(-5, 2))  # what leaves the first two layers, [0, 3/4], becomes [-5/2, 1/2]


@pytest.mark.parametrize(
    ("w", "b", "flat"),
    [
        (*_linear(3), Interval(-3, 0)),
        (*_linear(R(1, 7)), Interval(R(-1, 7), 0)),
        (*_linear(3, -2, 1), Interval(R(1, 2), 2)),
        ([*_TWICE[0][0], *_TWICE[1][0]], [*_TWICE[0][1], *_TWICE[1][1]], Interval(R(-5, 2), R(-1, 2))),
    ],
    ids=["a long piece", "a short piece", "mirrored", "four layers"],
)
def test_the_set_at_the_slope_of_a_linear_piece_is_that_piece(w, b, flat):
    chain, slope = gt.Chain(len(w), "softsign"), abs(_gradient(flat.start, w, b))
    threshold = R(slope.numerator, slope.denominator)
    assert gt.total_explosion_set(chain, w=w, b=b, threshold=threshold, strict=False) == flat
    assert gt.total_explosion_set(chain, w=w, b=b, threshold=threshold) is EmptySet
    inside = [flat.start + flat.measure * share for share in (R(1, 3), R(1, 2), 1)]
    assert {abs(_gradient(x, w, b)) for x in inside} == {slope}
    assert all(abs(_gradient(x, w, b)) < slope for x in (flat.start - R(1, 10**9), flat.end + R(1, 10**9)))


@pytest.mark.parametrize(
    ("names", "bias"), [(["tanh", "relu6", "tanh"], -1), (["tanh", "relu6", "identity", "arctan"], -2)], ids=str
)
def test_inputs_on_one_flat_piece_have_one_output(names, bias):
    """Where a layer is beyond the same end of its support at both, though no ball of the layers after it is a point."""
    depth = len(names)
    w, b = [R(-101, 100), R(1, 7), R(2, 9), R(3, 7)][:depth], [R(1, 3), R(bias), R(1, 3), R(1, 9)][:depth]
    both = gt.two_point(gt.Chain(depth, names), 1, 2, w=w, b=b)
    assert (both.left, both.right, both.gradient_at_x, both.gradient_at_y) == (0, 0, 0, 0)


def test_a_weight_behind_an_output_of_exactly_0_explodes_nowhere():
    chain = gt.Chain(3, ["tanh", "relu6", "sigmoid"])
    assert gt.exploding_parameter(chain, "w3", x=R(1, 3), w=[1, R(-5, 3), 1], b=[R(1, 7), -2, 0]) is EmptySet
