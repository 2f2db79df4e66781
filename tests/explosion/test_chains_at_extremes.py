"""Chains with huge biases, with weights of 0, and with ends far from where inputs are spread most."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.explosion.whole_chain.nearby import Neighbourhood


@pytest.mark.parametrize("bias", ["1e80", "-1e300"])
def test_a_huge_bias_moves_the_set_and_does_not_change_its_width(bias):
    chain, w = gt.Chain(2), [9, 9]
    at_0 = gt.total_explosion_set(chain, w=w, b=[0, "-9/2"])
    moved = gt.total_explosion_set(chain, w=w, b=[bias, "-9/2"])
    assert moved.measure.n(20) == at_0.measure.n(20)
    assert abs((sympy.Rational(bias) / 9 + (moved.start + moved.end) / 2).n(12, maxn=400)) < 1e-12


def test_ends_of_one_chain_and_of_two_are_added():
    ends = []
    for weight in (9, "9.5"):
        set_ = gt.total_explosion_set(gt.Chain(2), w=[weight, 9], b=["1/3", "-9/2"])
        ends += [set_.start, set_.end]
    assert sum(ends) == sum(reversed(ends))
    assert abs(sum(ends).n(12) - sum(end.n(15) for end in ends)) < 1e-11


def test_two_points_of_a_chain_that_a_weight_of_0_makes_constant():
    both = gt.two_point(gt.Chain(3), "1/3", 2, w=[4, 0, -3], b=[1, 1, 0])
    assert [float(number) for number in (both.left, both.right, both.gradient_at_x)] == [0.0, 0.0, 0.0]
    assert both.bound_at_y is None


@pytest.mark.parametrize("weight", [5, 8])
def test_ends_far_from_the_middle_are_guessed_as_near_ones_are(monkeypatch, weight):
    """In a deep chain the set reaches much further than the inputs that the last layer tells apart."""
    guesses = []
    ends = Neighbourhood.ends
    monkeypatch.setattr(Neighbourhood, "ends", lambda *given: guesses.append(ends(*given)) or guesses[-1])
    set_ = gt.total_explosion_set(gt.Chain(40), w=[weight] * 40, b=[-sympy.Rational(weight) / 2] * 40)
    half = sympy.log((set_.measure / 2).n(20)).n()
    assert [abs(guess - half) < 1e-6 for guess in guesses[0]] == [True, True]
