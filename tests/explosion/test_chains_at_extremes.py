"""Chains with huge biases, with weights of 0, and with ends far from where inputs are spread most."""

import importlib
from dataclasses import replace

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.explosion.depth import bound
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


@pytest.mark.slow
def test_h_is_known_where_it_is_not_decided_whether_it_is_more_than_k():
    """Cut off far from its middle, erf has the same H and K, of which no digits tell."""
    result = gt.depth_bound(gt.expression("erf(max(z, -1))"), threshold=2)
    assert abs(result.value.n(15) - gt.depth_bound("erf", threshold=2).value.n(15)) < 1e-14
    assert (result.widens, result.factor, result.is_in_class_n) == (None, None, True)


def test_where_k_is_not_told_from_h_nothing_is_said_of_widening(monkeypatch):
    def undecided(one, other):
        raise gt.errors.Undecided("no digits tell")

    monkeypatch.setattr(bound, "order", undecided)
    assert bound._compared(gt.activation("erf"), sympy.Integer(2)) == (None, None)
    erf = replace(gt.depth_bound("erf"), widens=None, factor=None)
    assert "not decided whether depth widens: σ' is even and log-concave" in repr(erf)
    topic = importlib.import_module("gradtheory.derivation.topics.depth")
    monkeypatch.setattr(topic, "depth_bound", lambda activation: erf)
    assert not {"never_widens", "widens"} & {step.rule for step in gt.derive("depth", activation="erf").steps}


@pytest.mark.slow
def test_crossings_beside_the_end_of_a_cell_are_in_the_right_one():
    """The slope of gelu is 0 at -0.7518, between two crossings that are 1e-299 apart."""
    chain = gt.Chain(2, "gelu")
    parts = gt.total_explosion_set(chain, w=["1e300", 2], b=[0, 0]).args
    near, far = sorted(parts, key=lambda part: part.sup is sympy.oo)
    with mpmath.workdps(50):
        bend = mpmath.diff(lambda z: z * mpmath.ncdf(z), -0.7517915246935645, 2)
        after = mpmath.diff(lambda z: z * mpmath.ncdf(z), 2 * -0.169971)
        expected = 2 / (2 * bend * after)  # in z, times 1e300
    assert abs(rounded(far.inf - near.sup, 60) * 10**600 / expected - 1) < 1e-4


@pytest.mark.parametrize("w", [[7, 5, 5], [5] * 4, [50, -3, 7], [-7, 5, 5]])
def test_a_chain_that_leaves_float64_within_its_set_has_ends(w):
    explosion = gt.total_explosion_set(gt.Chain(len(w), "exponential"), w=w, b=[0] * len(w))
    with mpmath.workdps(40):
        for end in (each for each in (explosion.start, explosion.end) if each.is_finite):
            x, gradient = mpmath.mpf(str(end.n(40))), mpmath.mpf(1)
            for weight in w:
                x = mpmath.exp(weight * x)
                gradient *= weight * x
            assert abs(abs(gradient) - 1) < mpmath.mpf(10) ** -30
    assert sum(each.is_finite for each in (explosion.start, explosion.end)) == (2 if -3 in w else 1)
