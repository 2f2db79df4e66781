"""Activations whose slope repeats while their jumps do not, or do so at the ends of periods."""

import contextlib
import math

import pytest
import sympy
from sympy import Abs, Eq, Heaviside, Interval, Max, Piecewise, Rational, cos, erfc, exp, log, pi, sign, sin, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.activations.slopes.switches import breaks
from gradtheory.errors import InvalidArgument, Undecided

z = Z
STEPPED = {
    "at 1": sin(z) + Piecewise((1, z < 1), (2, True)),
    "far": sin(z) + Piecewise((1, z < 100), (2, True)),
    "squared": sin(z) ** 2 + Piecewise((1, z < 1), (2, True)),
    "at a point": sin(z) + Piecewise((5, Eq(z, 1)), (0, True)),
    "within": Piecewise((sin(z), z < 1), (sin(z) + 1, True)),
    "in the angle": sin(z + Piecewise((0, z < 100), (1, True))),
    "in an angle": sin(z) + cos(2 * z + Piecewise((0, z < 10), (1, True))),
    "two": cos(3 * z) + Piecewise((0, Abs(z) < 7), (1, True)),
}


@pytest.mark.parametrize("which", STEPPED)
def test_jumps_that_do_not_repeat_are_not_repeated(which):
    sigma = STEPPED[which]
    with pytest.raises(Undecided):
        gt.explosion_set(sigma, w=2)
    assert gt.activation(sigma).range.is_superset(Interval(-1, 1))
    with pytest.raises(Undecided):
        gt.Network((1, 1), [sigma], w=[[[1.0]]], b=[[0.0]]).jacobian_bound(([101.0], [103.0]))
    with pytest.raises(InvalidArgument):
        gt.Chain(1, sigma / 10 + Rational(1, 2), loss="cross_entropy")


def test_on_a_domain_each_jump_is_left_out_and_nothing_else():
    found = gt.explosion_set(STEPPED["at 1"], w=2, domain=(-4, 4))
    assert Rational(1, 2) not in found
    assert Rational(1, 2) + pi / 2 in found
    far = gt.explosion_set(STEPPED["far"], w=2, domain=(49, 51))
    assert 50 not in far
    assert Rational(501, 10) in far
    assert Rational(499, 10) in far


def test_on_a_domain_both_sides_of_a_step_in_the_angle_are_right():
    found = gt.explosion_set(STEPPED["in the angle"], w=2, domain=(49, 53))
    for x in (Rational(491, 10), Rational(497, 10), Rational(51), Rational(52), Rational(103, 2)):
        assert (x in found) == (abs(2 * math.cos(float(2 * x) + (1 if x >= 50 else 0))) > 1)
    assert 50 not in found


@pytest.mark.parametrize(
    "sigma",
    [sin(2 * z) / 2 + sign(sin(z)), sin(2 * z) / 2 + Heaviside(sin(z), 1), sin(2 * z) / 2 + Max(0, sign(sin(z)))],
)
def test_jumps_at_the_ends_of_periods(sigma):
    for found in (gt.explosion_set(sigma, w=2), gt.explosion_set(sigma, w=2, domain=(-4, 4))):
        assert all(k * pi / 2 not in found for k in (-1, 0, 1))
        assert all(k * pi / 2 + side * Rational(1, 10) in found for k in (-1, 0, 1) for side in (-1, 1))
    kinks = gt.activation(sigma).kinks
    assert {float(kink) % (2 * math.pi) for kink in kinks} == {0.0, math.pi}


def test_an_interval_ends_at_a_jump_between_periods():
    sigma = z - sin(z) + sign(sin(z))
    assert pi not in gt.explosion_set(sigma, w=1)
    assert gt.explosion_set(sigma, w=1, domain=(2, 4)) == sympy.Union(Interval.Ropen(2, pi), Interval.Lopen(pi, 4))
    for k in (-7, -1, 1, 5, 10**30 + 1):
        assert gt.exploding_weights(sigma, x=0, b=k * pi) == sympy.S.EmptySet
    assert gt.exploding_weights(sigma, x=0, b=5 * pi / 2) != sympy.S.EmptySet
    assert pi - 1 not in gt.exploding_biases(sigma, x=1, w=1)
    with pytest.raises(Undecided):  # both halves are equally long; certainly not both together
        gt.widest_explosion(sigma, component="longest")


def test_values_at_single_places_of_every_period():
    seldom = gt.activation(sin(z) + Piecewise((1, Eq(cos(z), 0)), (0, True)))
    assert seldom.range == sympy.Union(sympy.FiniteSet(2), Interval.open(-1, 1))
    assert {float(kink) % math.pi for kink in seldom.kinks} == {math.pi / 2}


def test_a_kink_between_periods_is_one_for_every_period():
    wave = gt.activation(Abs(cos(z)))
    assert all(wave.is_kink((2 * k + 1) * pi / 2) for k in range(-4, 4))
    assert not any(wave.is_kink(k * pi + Rational(1, 3)) for k in range(-4, 4))
    assert gt.exploding_weights(Abs(cos(z)), x=0, b=7 * pi / 2) == sympy.S.EmptySet


@pytest.mark.parametrize(
    "sigma",
    [
        Abs(log(1 + exp(z)) - 2),
        Abs(erfc(z) - Rational(1, 3)),
        Max(erfc(z), z + Rational(1, 3)),
        Abs(1 + tanh(z) - z),
        Abs(1 / (1 + exp(z)) - Rational(1, 3) - z / 10),
    ],
)
def test_kinks_at_zeros_of_what_is_rewritten_cut_the_sets_of_chains(sigma):
    alone = gt.explosion_set(sigma, w=5)
    before = gt.total_explosion_set(gt.Chain(2, [sigma, "identity"]), w=[5, 1], b=[0, 0])
    behind = gt.total_explosion_set(gt.Chain(2, ["identity", sigma]), w=[5, 1], b=[0, 0])
    for found in (before, behind):
        assert len(found.args) == len(alone.args)
        assert found.measure == alone.measure or abs(float(found.measure - alone.measure)) < 1e-12
    (kink,) = gt.activation(sigma).kinks
    digits = sympy.Rational(kink.n(40))
    assert gt.activation(sigma).is_kink(kink)
    assert not gt.activation(sigma).is_kink(digits)


@pytest.mark.parametrize("k", [500, 10**6, 10**9])
def test_waves_of_any_frequency_are_read_at_once(k):
    assert gt.activation(z + sin(k * z) ** 2 / k).period == pi / k
    assert gt.activation(Max(0, sin(k * z))).period == 2 * pi / k
    assert gt.activation(cos(z) + cos(k * z)).period in (pi, 2 * pi)


@pytest.mark.parametrize("power", [41, 61, 10**4 + 1])
def test_powers_of_long_sums_are_not_written_out(power):
    sigma = (z + sympy.sinh(z) + tanh(z) + sympy.asinh(z)) ** power / 10**6
    with contextlib.suppress(Undecided):
        assert 0 not in gt.explosion_set(sigma, w="3/2")


def test_a_switch_at_one_zero_is_no_kink_at_another_of_the_same_function():
    inside = sympy.cosh(z) - 2 - z / 10  # zeros at -1.24 and 1.39, of which the first changes nothing
    stepped = gt.activation(tanh(z) + Piecewise((1, sympy.And(inside < 0, z > 0)), (0, True)))
    left, _, right = sorted([*breaks(stepped.expr, z, -sympy.oo, sympy.oo)], key=float)
    assert stepped.is_kink(right)
    assert not stepped.is_kink(left)
    found = gt.total_explosion_set(gt.Chain(2, [stepped, "identity"]), w=[1, 20], b=[0, 0])
    assert left in found
    assert right not in found


@pytest.mark.parametrize("w", [sympy.sqrt(2), log(3), tanh(1), 1 / (1 + exp(-1))], ids=str)
@pytest.mark.parametrize("b", [1, sympy.sqrt(2)], ids=str)
def test_jumps_are_written_alike_from_both_sides(w, b):
    wave = sign(sin(z)) + sin(z)
    on_a_domain = gt.explosion_set(wave, w, b, threshold=sympy.sqrt(2) / 3, domain=(-3, 4))
    digits = gt.explosion_set(wave, w.n(40), sympy.Rational(b.n(40) if b != 1 else 1), threshold=math.sqrt(2) / 3)
    assert float(on_a_domain.measure) == pytest.approx(float(digits.intersect(Interval(-3, 4)).measure), rel=1e-12)
    everywhere = gt.explosion_set(wave, w, b, threshold=sympy.sqrt(2) / 3)
    assert everywhere.measure == sympy.oo
    assert len(everywhere.boundary.base) == 6


def test_equal_sets_at_irrational_weights_are_equal():
    weight = sympy.sqrt(2)  # |cos| has the period pi
    moved = gt.explosion_set("sine", weight, pi, threshold="1/2")
    assert gt.explosion_set("sine", weight, 0, threshold="1/2") == moved
