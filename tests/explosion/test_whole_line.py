"""Sets of one's own expressions are complete on the whole line: far, narrow, joined, jumping and fading features."""

import itertools

import mpmath
import pytest
import sympy
from sympy import (
    Abs,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Rational,
    atan,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
)

import gradtheory as gt
from gradtheory.checker import check
from gradtheory.errors import Undecided
from tests.explosion.own_oracle import value
from tests.shapes import slow_except

Z = sympy.Symbol("z", real=True)
R = Rational
_TINY = R(1, 10**20)
_SWITCHES = (
    Abs(5 * Z - 10) + 2 * Max(Z / 10 + R(9, 20), (Z / 10 + R(9, 20)) ** 3 / 100) + 6 * Min(1, Z / 10 + R(18, 35)) / 5
)
_GUARDED = Piecewise((0, Z < 20), (0, 1 - tanh(Z) ** 2 > R(1, 10**26)), (Z, Z < 31), (0, True))

# σ, w, pre-activations in the set, and outside
_CASES = {
    "a far bump": (tanh(Z) + 5 * exp(-((Z - 100) ** 2)), R(1, 2), (R(993, 10), R(1006, 10)), (0, 100, 98, 102)),
    "a farther one": (tanh(Z) + exp(-((Z / 10 - 10**5) ** 2)), 2, (0, R(1, 2)), (1, 10**6, 10**6 + 7)),
    "a wide one, far out": (
        (Z / 100 - 10) / ((Z / 100 - 10) ** 2 + 1) + tanh(Z),
        R(21326482033, 63),
        (0, 10, 64, 200, 990, 1010),
        (),
    ),
    "a jump of a line": (Z + sign(Z), 2, (-1, 1, R(1, 10**9)), (0,)),
    "a jump between equal slopes": (Piecewise((Z, Z < 2), (Z + 1, True)), 2, (1, 3), (2,)),
    "a switch that is smooth": (2 * Z + (3 - exp(Z)) * exp(-(Z**2)) * Abs(exp(Z) - 3), R(4351, 8422), (log(3),), ()),
    "the square of a switch": (Z + (Z**2 - 2) * Abs(Z**2 - 2), 2, (sqrt(2), R(3, 5)), (-R(1, 10),)),
    "two formulas of tanh": (
        Piecewise((tanh(Z), Z < 1), (sinh(Z) / cosh(Z), True)),
        4,
        (0, 1, R(131, 100)),
        (R(4, 3),),
    ),
    "kinks close together": (
        Max(0, Min(1, 10**20 * Z + 44 * 10**20)) * _TINY + Min(1, Z + 45),
        R(5, 2),
        (-50, -R(442, 10), -44, -44 + _TINY / 2),
        (-44 + _TINY, -43),
    ),
    "a narrow ramp": (Max(0, Min(Z - 50, _TINY)) * 10**20, 1, (50 + _TINY / 2,), (50, 50 + _TINY, 49, 51)),
    "switches far apart": (_SWITCHES, R(17, 83), (3, 1000), (-1000, 1, 2)),
    "a composition that overflows": (Max(0, atan(sinh(Z**51 - 2)) - R(1, 2)), 4, (R(102, 100),), (0, 2)),
    "a doubly exponential one": (Max(0, atan(sinh(exp(exp(Z)) - 20)) - R(1, 2)), 4, (R(115, 100),), (0, 2)),
    "a turn beyond 64": (log(1 + exp(Z - 60)) - log(1 + exp(Z - 70)) / 2, R(10, 7), (63, 65), (55, 80)),
    "a kink where a period ends": (Max(sin(Z), -sin(Z)), R(3, 2), (R(1, 2), pi - R(1, 2)), (0, pi, 2 * pi / 2, pi / 2)),
    "conditions on a slope": (_GUARDED, 2, (R(307, 10),), (R(154, 10), 20, 30, 32)),
    "waves that fade": (exp(-(Z**2)) * sin(Z), 3, (0, 1, -1), (R(1, 2), 3)),
    "a wavelet": (
        exp(-((2 * Z - R(12, 7)) ** 2) / 2) * cos(6 * Z - R(36, 7)) * atan(Z / 2 + R(5, 7)),
        1,
        (R(1, 2),),
        (5,),
    ),
    "cubic inside tanh": (tanh(Z + Z**3 / 10), 2, (0, R(1, 2)), (2,)),
    "the gelu of transformers": (
        R(1, 2) * Z * (1 + tanh(sqrt(2 / pi) * (Z + R(44715, 10**6) * Z**3))),
        R(99, 100),
        (1, 3),
        (0, 4),
    ),
    "a step very far out": (R(9, 10) * tanh(Z) + 1 / (exp(10000 - Z) + 1), 2, (0,), (10000, 5)),
}


def _exceeds(expr, w, place):
    """Return whether |σ'(z)·w| > 1 by a symmetric difference quotient of 60 digits."""
    with mpmath.workdps(80):
        z, h = mpmath.mpf(str(sympy.N(place, 80))), mpmath.mpf(10) ** -35
        quotient = (value(expr, z + h) - value(expr, z - h)) / (2 * h)
        return abs(quotient * mpmath.mpf(int(sympy.S(w).p)) / int(sympy.S(w).q)) > 1


@pytest.mark.sampled(8)
@pytest.mark.parametrize("case", _CASES)
def test_membership(case):
    expr, w, inside, outside = _CASES[case]
    explosion = gt.explosion_set(expr, w)
    assert not explosion.has(sympy.zoo, sympy.nan)
    assert [place / w in explosion for place in map(sympy.S, (*inside, *outside))] == [True] * len(inside) + [
        False
    ] * len(outside)
    for place in map(sympy.S, inside):
        if expr is not _GUARDED:
            assert _exceeds(expr, w, place)


def test_a_far_bump_has_its_length():
    width = gt.explosion_width(tanh(Z) + 5 * exp(-((Z - 100) ** 2)), R(1, 2))
    assert 2.36 < width.evalf(8) / 2 < 2.38


@pytest.mark.parametrize(
    ("expr", "weight"),
    [
        (log(1 + exp(Z - 60)) - log(1 + exp(Z - 70)) / 2, None),
        (Max(0, Min(Z - 50, _TINY)) * 10**20, _TINY),
        (sign(Z), sympy.oo),
        (Piecewise((0, Z < 0), (1, True)), sympy.oo),
        (exp(-(Z**2)) * sin(Z), 1),
        (Z + sign(Z), 1),
    ],
    ids=str,
)
def test_critical_weights(expr, weight):
    critical = gt.critical_weight(expr)
    if weight is None:
        assert 1 < critical.evalf(10) < 1.06
    else:
        assert critical == weight


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("expr", "component", "least", "most"),
    [
        pytest.param(tanh(100 * (Z + 50)) + 3 * tanh((Z - 10) / 10), "total", 2.68645, 2.7, marks=pytest.mark.slow),
        (Piecewise((tanh(Z), Z < 0), (tanh(Z) / 2, True)), "longest", 0.447743, 0.447744),
        (exp(-(Z**2)), "total", 0.5, 1.5),
        (cos(Z), "longest", 1.1, 1.2),
    ],
    ids=str,
)
def test_widest_explosions(expr, component, least, most):
    widest = gt.widest_explosion(expr, component=component)
    assert least < widest.width.evalf(10) < most
    # no width at any weight of a grid is larger
    if component == "total":
        for k in range(1, 40):
            weight = R(k, 4) / gt.activation(expr).steepest_slope
            assert gt.explosion_width(expr, weight).evalf(10) < most


@pytest.mark.slow
def test_the_longest_piece_of_what_joins_below():
    corners = [(-31, 0), ("-30.9", "0.040"), ("-17.6", "0.041"), (-15, 1), ("-12.4", "0.041"), ("-0.1", "0.0405")]
    corners += [(0, "0.029"), ("0.1", "0.0405"), ("30.9", "0.040"), (31, 0)]
    points = [(R(place), R(slope)) for place, slope in corners]
    pieces, total = [(sympy.S.Zero, points[0][0] > Z)], sympy.S.Zero
    for (left, low), (right, high) in itertools.pairwise(points):
        steepness = (high - low) / (right - left)
        pieces.append((total + low * (Z - left) + steepness * (Z - left) ** 2 / 2, sympy.Le(Z, right)))
        total += (low + high) / 2 * (right - left)
    expr = Piecewise(*pieces, (total, True))
    assert gt.explosion_set(expr, R(1000, 28)).measure.evalf(8) > 1.732
    widest = gt.widest_explosion(expr, component="longest")  # two pieces join there; 1.3556, at |w| = 2, is less
    assert (widest.width, widest.weight, widest.is_attained) == (R(358759, 200000), R(1000, 29), False)
    assert gt.explosion_set(expr, R("34.49")).measure.evalf(8) > 1.793


def test_wide_chains_and_far_biases():
    far = gt.total_explosion_set(gt.Chain(2, "relu"), w=[2, 2], b=[-(10**30), 0])
    assert far == sympy.Interval.open(5 * 10**29, sympy.oo)
    middle = gt.total_explosion_set(gt.Chain(2, "hard_tanh"), w=[2, 2], b=[-(10**20), 0])
    assert middle == sympy.Interval.open(5 * 10**19 - R(1, 4), 5 * 10**19 + R(1, 4))


def test_a_weight_at_an_irrational_kink():
    assert gt.exploding_weights(Max(0, Z**2 - 2), x=0, b=sqrt(2)) is sympy.S.EmptySet


_WAYS = {
    "abs": (
        Abs(Z - 1),
        Max(Z - 1, 1 - Z),
        -Min(Z - 1, 1 - Z),
        Piecewise((1 - Z, Z < 1), (Z - 1, True)),
        (Z - 1) * sign(Z - 1),
    ),
    "ramp": (Max(0, Z), (Z + Abs(Z)) / 2, Piecewise((0, Z <= 0), (Z, True)), Z * Heaviside(Z, 0), Z - Min(0, Z)),
    "mixed": (
        tanh(Z) + Max(Z / 3, Z**2 / 2),
        tanh(Z) + (Z / 3 + Z**2 / 2 + Abs(Z / 3 - Z**2 / 2)) / 2,
        tanh(Z) + Piecewise((Z / 3, (Z > 0) & (R(2, 3) > Z)), (Z**2 / 2, True)),
    ),
}


@pytest.mark.parametrize("ways", slow_except(("ramp",), _WAYS))
@pytest.mark.parametrize("w", [pytest.param(R(3, 2), marks=pytest.mark.slow), -4])
def test_one_function_written_in_many_ways(ways, w):
    first, *others = (gt.explosion_set(expr, w, R(1, 3)) for expr in _WAYS[ways])
    places = [R(k, 7) for k in range(-40, 41)] + [sympy.S.Zero, sympy.S.One / 3, (R(2, 3) - R(1, 3)) / w, -R(1, 3) / w]
    for other in others:
        assert [place in other for place in places] == [place in first for place in places]
        assert other.measure == first.measure or abs((other.measure - first.measure).evalf(20)) < 1e-15


@pytest.mark.parametrize(
    "expr", [Z * cos(Z), *(pytest.param(e, marks=pytest.mark.slow) for e in (Z + Z * sin(Z), sin(Z**2)))], ids=str
)
def test_what_oscillates_for_ever_is_answered_on_a_bounded_domain_only(expr):
    with pytest.raises(Undecided, match="domain="):
        gt.explosion_set(expr, 2)
    there = gt.explosion_set(expr, 2, domain=(-2, 2))
    for place in (R(k, 7) for k in range(-13, 14)):
        assert (place in there) == _exceeds(expr, 2, 2 * place)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "expr",
    [
        Z * tanh(Z),
        erf(Z) + Z / 2,
        Z / (1 + Abs(Z)) + tanh(5 * Z),
        Max(Z, 0) + exp(-Z),
        exp(-Abs(Z)),
        tanh(Z + Z**3 / 10),
        Piecewise((Z**2, Z < 1), (2 * Z - 1, True)),
        exp(-(Z**2)) * sin(Z),
    ],
    ids=str,
)
def test_certificates_are_proven_by_the_checker(expr):
    report = check(gt.certificate(expr, 3))
    assert report.ok, report.reason
    assert ("whole line" in report.verdict) == (not expr.has(sin))


@pytest.mark.slow
def test_work_is_bounded():
    hard = gt.expression("silu(silu(silu(silu(silu(z)))))")
    with pytest.raises(Undecided, match=r"effort=0\.1, about 0\.1 s of work; ask again with effort=1"):
        gt.explosion_set(hard, 3, effort=0.1)
    with pytest.raises(ValueError, match="effort = 0: must be a positive number"):
        gt.explosion_set(hard, 3, effort=0)


def test_switches_beyond_what_python_writes_are_undecided_in_one_line():
    far = gt.expression("tanh(z) + Max(0, z - exp(12000))/3")
    with pytest.raises(Undecided, match=r"between -3\.41808e\+5211 and 0"):
        gt.explosion_set(far, w=2)
