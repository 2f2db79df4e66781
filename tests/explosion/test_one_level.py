"""Sets at one level need less than all monotone branches: what the random expressions of `own_fuzz` were refused for."""

import random

import pytest
import sympy
from sympy import Abs, Max, Min, Rational, asinh, atan, cosh, erf, exp, log, oo, sign, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.activations.slopes.exact_zeros import exact_zeros
from gradtheory.arithmetic.enclosure import (
    derivative,
    enclose,
    evaluate,
    exactly,
    limit_at,
    order,
    precision,
    range_over,
)
from gradtheory.arithmetic.enclosure.intervals import bounds
from gradtheory.arithmetic.logistic import Logistic, Softplus, with_logistics
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import Component, OneLevel
from tests.explosion.own_oracle import wrong_point
from tests.shapes import slow_except

R = Rational

# σ and w; the sets are held against difference quotients
_REFUSED = {
    "softplus inside erf, far out": (erf(R(1109, 972) * log(exp(-R(149, 35) * Z - 59_583_749) + 1)), R(2907, 4975)),
    "a slope that differs from its limit by 1e-100000": (-Z * erf(R(4009, 30) * Z - 548_510), R(2446898, 6113)),
    "softplus over a wide bump": (log(exp(8217 - R(3261, 392) * Z) + 1) / ((Z / 8 + 248_631) ** 2 + 1), R(13, 172)),
    "softplus and a far step": (-8 * log(exp(-4 * Z - 78_623) + 1) - tanh(350 * Z - 3067) / 5, R(652310, 6713)),
    "a zero of the slope 1e-100000 from a switch": (
        (5 * Z + 3_023_617) * Abs(5 * Z + 3_023_617) - tanh(10_029 * Z + 728_032),
        R(147259, 2560),
    ),
    "a rational function of exponentials of high degree": (atan(Z + 1 / cosh(R(709, 573) * Z + 266)), R(78, 2923)),
    "a narrow bump under asinh": (
        asinh(Z + (52_184_417 * Z + 400_000_000) * exp(-((52_184_417 * Z + 400_000_000) ** 2))),
        R(10201, 1554),
    ),
}


@pytest.mark.parametrize("case", slow_except(("softplus inside erf, far out", "softplus over a wide bump"), _REFUSED))
def test_what_was_refused_is_answered(case):
    expr, w = _REFUSED[case]
    tried, wrong = wrong_point(random.Random(1), expr, gt.explosion_set(expr, w), w)
    assert (tried > 20, wrong) == (True, None)


def test_a_tangent_at_an_evident_place_is_found_by_no_bisection():
    assert gt.explosion_set(Max(tanh(Z), Min(1, Z)), 2).boundary.contains(R(1, 2)) == sympy.true
    assert gt.critical_weight(Max(tanh(Z), Min(1, Z))) == 1
    assert OneLevel(1 / cosh(Z) ** 2, sympy.S.One).components() == ()
    assert OneLevel(1 / cosh(Z) ** 2, sympy.S.One, strict=False).components() == (
        Component(sympy.S.Zero, sympy.S.Zero, lower_open=False, upper_open=False),
    )


@pytest.mark.parametrize("strict", [True, False])
def test_switches_belong_where_the_slope_is_continuous(strict):
    def ends(expr, jumps=()):
        return [
            (part.lower, part.upper, part.lower_open, part.upper_open)
            for part in OneLevel(expr, sympy.S.One, jumps=jumps, strict=strict).components()
        ]

    assert ends(2 + Abs(Z)) == [(-oo, oo, True, True)]
    assert ends(2 + sign(Z) / 2) == [(-oo, 0, True, True), (0, oo, True, True)]
    assert ends(2 + Abs(Z), jumps=(sympy.S.Zero,)) == [(-oo, 0, True, True), (0, oo, True, True)]
    assert ends(Max(1, Z)) == ([(1, oo, True, True)] if strict else [(-oo, oo, True, True)])
    assert ends(Min(2 * Z, 3)) == [(-oo, -R(1, 2), True, strict), (R(1, 2), oo, strict, True)]


def test_infinite_slopes():
    assert gt.explosion_set(sqrt(Abs(Z)), 2) == sympy.Union(
        sympy.Interval.open(-R(1, 2), 0), sympy.Interval.open(0, R(1, 2))
    )
    explosion = gt.explosion_set(Z * log(Abs(Z)), 2)  # |1 + log|z|| > 1/2
    places = (0, R(1, 10**9), exp(-R(3, 2)) / 2 - R(1, 100), R(1, 5), R(1, 4), exp(-R(1, 2)) / 2 + R(1, 100), -7)
    assert [place in explosion for place in places] == [False, True, True, False, False, True, True]
    with pytest.raises(Undecided, match="its slope is infinite at 0; ask for its explosion_width"):
        gt.widest_explosion(sqrt(Abs(Z)) * sign(Z))


def test_a_jump_is_no_exploding_weight():
    assert gt.exploding_weights(Z + sign(Z), x=1, b=R(1, 2), threshold=R(1, 4)).contains(-R(1, 2)) == sympy.false


# ---- logistic functions


@pytest.mark.parametrize(
    ("expr", "count"),
    [
        (log(1 + exp(3 * Z - 1)), 1),
        (Z / (1 + exp(-Z)) ** 2, 1),
        (exp(2 * Z) / (1 + exp(Z)) ** 3, 2),
        (exp(Z) / (1 + exp(Z)), 1),
        (exp(-Z) / (1 + exp(Z)), 1),
        (tanh(Z) + exp(Z), 0),
    ],
    ids=str,
)
def test_logistic_functions_are_what_they_stand_for(expr, count):
    written = with_logistics(expr)
    assert len(written.atoms(Logistic, Softplus)) == count
    for point in (-30.5, -1.25, 0.0, 2.5, 40.0):
        at = {Z: exactly(point)}
        for times in range(3):
            one, two = (enclose(derivative(each, Z, times), 256, at) for each in (expr, written))
            assert one.overlaps(two)
            assert two.rel_accuracy_bits() > 180


def test_logistic_functions_do_not_cancel():
    slope = derivative(with_logistics(log(1 + exp(Z))), Z, 2)
    with precision(64):
        assert evaluate(slope, 64, {Z: exactly(1e9)}).rel_accuracy_bits() > 20
        assert Softplus.ball(exactly(-1e12)) > 0
        assert Logistic.ball(exactly(-1e300)) >= 0
    lower, upper = range_over(Logistic(Z) - 2 * Logistic(-Z), Z, bounds(sympy.Integer(5), oo, 64), 64)
    assert lower > 0
    assert upper <= 1
    assert limit_at(Softplus(Z) - Z, Z, oo) == 0
    assert limit_at(Softplus(Z), Z, -oo) == 0
    assert limit_at(Logistic(Z) * Softplus(-Z), Z, -oo) == 0


@pytest.mark.parametrize(
    "expr", [tanh(Z) ** 3 * exp(-Z), Z ** R(3, 2), sympy.Piecewise((Z, Z < 1), (Z**2, True))], ids=str
)
def test_derivatives_are_those_of_sympy(expr):
    point = R(7, 10)
    for times in (1, 2):
        difference = derivative(expr, Z, times) - expr.diff(Z, times)
        assert abs(difference.subs(Z, point).n(30)) < 1e-25


@pytest.mark.slow
def test_constants_that_are_huge_powers_of_e_are_no_polynomials():
    line, bump = Z + 1390, 56 * exp(-((R(-121, 974) * Z - R(66724896909, 88634)) ** 2)) / 491
    for expr in (Min(line, bump), sympy.Piecewise((line, line < bump), (bump, True))):
        assert wrong_point(random.Random(1), expr, gt.explosion_set(expr, R(9, 10)), R(9, 10))[1] is None


@pytest.mark.slow
def test_exponentials_inside_exponentials():
    expr = erf(Z + 1 / cosh(2694 * Z + 21185))
    assert wrong_point(random.Random(1), expr, gt.explosion_set(expr, R(9, 5)), R(9, 5))[1] is None


@pytest.mark.parametrize("factor", [1, -1, 2, -2])
def test_formulas_that_differ_by_their_switch_meet_there(factor):
    switch = Z - exp(-Z)
    (root,) = exact_zeros(switch, Z, sympy.S.Zero, sympy.S.One)
    other = root.map(sympy.Lambda(Z, tanh(Z) + factor * switch))
    assert order(root.map(sympy.Lambda(Z, tanh(Z))), other) == 0
    assert order(root.map(sympy.Lambda(Z, tanh(Z))), root.map(sympy.Lambda(Z, tanh(Z) + switch + R(1, 10**30)))) != 0


@pytest.mark.parametrize(
    ("condition", "plain"),
    [
        (sympy.ITE(Z < 2, Z > 1, True), Z > 1),  # as SymPy folds a Piecewise within another
        (sympy.Xor(Z < 2, Z < 1), (Z >= 1) & (Z < 2)),
        (sympy.Implies(Z > 1, Z > 2), (Z <= 1) | (Z > 2)),
        (sympy.Not(sympy.And(Z > 0, Z < 1)), (Z <= 0) | (Z >= 1)),
    ],
    ids=str,
)
def test_conditions_of_every_kind_are_understood(condition, plain):
    here, there = (
        gt.explosion_set(sympy.Piecewise((sympy.tanh(Z), each), (2 * sympy.tanh(Z), True)), w=sympy.Rational(3, 2))
        for each in (condition, plain)
    )
    assert here == there != sympy.EmptySet
