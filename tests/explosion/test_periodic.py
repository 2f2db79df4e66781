"""Sets that repeat, and the restriction of explosion sets to a domain."""

import pickle

import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Branch
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import sign
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import sets
from gradtheory.explosion.superlevel import Component, Periodic, SuperlevelSet, as_set, components_of, repeated
from tests.explosion.test_explosion import explodes
from tests.shapes import SHAPES, slow_except

_PI, _TINY = sympy.pi, sympy.Rational(1, 10**30)
_PERIODIC = ("sine", "cosine", "snake")
_numbers = st.fractions(-40, 40, max_denominator=60)


@pytest.mark.parametrize("wavy", slow_except({"sine", "snake"}, _PERIODIC))
@given(w=_numbers, b=_numbers, c=st.fractions("1/20", 5, max_denominator=40), lower=_numbers, length=st.fractions(0, 9))
def test_a_domain_restricts_the_set(wavy, w, b, c, lower, length):
    w, b, c, lower, upper = map(sympy.Rational, (w, b, c, lower, lower + length / 9))
    everywhere = gt.explosion_set(wavy, w, b, threshold=c)
    explosion = gt.explosion_set(wavy, w, b, threshold=c, domain=(lower, upper))
    assert isinstance(everywhere, Periodic) or everywhere is sympy.S.EmptySet
    for k in range(-1, 6):
        x = lower + (upper - lower) * sympy.Rational(k, 4)
        assert (x in explosion) == (lower <= x <= upper and explodes(wavy, x, w, b, c))
        assert (x in everywhere) == explodes(wavy, x, w, b, c)
    if isinstance(everywhere, Periodic):
        assert everywhere.intersect(sympy.Interval(lower, upper)) == explosion
        assert sympy.Interval(lower, upper).intersect(everywhere) == explosion


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "which",
    slow_except(SHAPES, ["sigmoid", "gaussian", "gelu", "relu", "leaky_relu", "hardshrink", "threshold"]),
)
@pytest.mark.parametrize(
    "domain",
    [
        (-1, "1/2"),
        sympy.Interval.open(-1, sympy.S.Half),
        sympy.Interval(0, sympy.oo),
        sympy.Interval(-sympy.oo, 0),
        (0, 0),
    ],
)
@pytest.mark.parametrize("w", slow_except([-3], [7, -3]))
def test_a_domain_restricts_every_set(which, domain, w):
    everywhere, explosion = (gt.explosion_set(which, w, "1/9", domain=each) for each in (None, domain))
    interval = domain if isinstance(domain, sympy.Interval) else sympy.Interval(*map(sympy.Rational, domain))
    for x in (sympy.Rational(k, 16) for k in range(-24, 25)):
        assert (x in explosion) == (x in everywhere and x in interval)
    assert all(sign(each.upper - each.lower) >= 0 for each in components_of(explosion) if each.length.is_finite)


def test_a_domain_restricts_weights_and_biases():
    assert gt.exploding_weights("tanh", x=0, domain=(0, 3)) == sympy.Interval.Lopen(1, 3)
    assert gt.exploding_biases("tanh", w=0, x=0, domain=(0, 3)) is sympy.S.EmptySet
    biases = gt.exploding_biases("sine", w=2, x=1)
    assert biases == Periodic(sympy.Interval.open(-2 - _PI / 3, -2 + _PI / 3), _PI)


@pytest.mark.parametrize(
    "domain",
    [(1, 0), (0,), "01", 5, (0, "x"), (0, float("inf")), sympy.FiniteSet(1), (sympy.Symbol("a"), 1), (0, 10**9)],
)
def test_a_domain_is_checked(domain):
    with pytest.raises(InvalidArgument, match="domain"):
        gt.explosion_set("sine", 2, domain=domain)


def test_a_domain_far_away_may_hold_few_periods_and_none_too_many():
    far = gt.explosion_set("sine", 2, domain=(10**9, 10**9 + 2))
    assert [x in far for x in (10**9, 10**9 + 1, 10**9 + 2)] == [explodes("sine", 10**9 + k, 2, 0, 1) for k in range(3)]
    with pytest.raises(InvalidArgument, match=r"^domain = '\[0, 1000000000\]': must hold at most 100000 periods$"):
        gt.explosion_set("sine", 2, domain=(0, 10**9))


def test_a_domain_restricts_a_set_of_biases():
    explosion = gt.exploding_biases("relu", w=2, x=1, domain=(-5, 3))
    assert explosion == sympy.Interval.Lopen(-2, 3)


def test_a_half_line_is_refused_for_a_periodic_slope():
    with pytest.raises(InvalidArgument, match="bounded"):
        gt.explosion_set("sine", 2, domain=sympy.Interval(0, sympy.oo))
    assert isinstance(gt.explosion_set("sine", 2).intersect(sympy.Interval(0, sympy.oo)), sympy.Intersection)


def test_a_set_that_repeats_is_a_set():
    wave = gt.explosion_set("sine", 2)
    assert wave == Periodic(sympy.Interval.open(-_PI / 6, _PI / 6), _PI / 2)
    assert wave == gt.explosion_set("sine", -2, 7 * _PI)
    assert wave != gt.explosion_set("sine", 2, 1)
    assert pickle.loads(pickle.dumps(wave)) == wave
    assert hash(pickle.loads(pickle.dumps(wave))) == hash(wave)
    assert (wave.measure, wave.inf, wave.sup, wave.is_empty) == (sympy.oo, -sympy.oo, sympy.oo, False)
    assert wave.boundary == Periodic(sympy.FiniteSet(-_PI / 6, _PI / 6), _PI / 2)
    assert str(wave) == "Periodic(Interval.open(-pi/6, pi/6), pi/2)"
    ends = (
        r"\bigcup_{k \in \mathbb{Z}} \left(\left(- \frac{\pi}{6}, \frac{\pi}{6}\right)",
        r" + \frac{\pi}{2}\, k\right)",
    )
    assert sympy.latex(wave) == "".join(ends)
    assert wave.contains(sympy.Symbol("x")).func is sympy.Contains
    assert sympy.oo not in wave
    assert gt.explosion_set("sine", 1, strict=False) == Periodic(sympy.FiniteSet(0), _PI)
    assert gt.explosion_set("sine", 1, strict=False).measure == 0


@pytest.mark.parametrize(
    ("lower", "period", "start"),
    [
        (3 * _PI + _TINY, 2 * _PI, -_PI + _TINY),
        (3 * _PI - _TINY, 2 * _PI, _PI - _TINY),
        (-3 * _PI - _TINY, 2 * _PI, _PI - _TINY),
        (_PI, 2 * _PI, -_PI),
        (sympy.log(4) / 2, 2 * sympy.log(2), sympy.log(4) / 2 - 2 * sympy.log(2)),  # equal numbers that look otherwise
    ],
)
def test_the_base_begins_within_half_a_period_of_0(lower, period, start):
    assert Periodic(sympy.Interval(lower, lower + 1), period).base == sympy.Interval(start, start + 1)


@pytest.mark.parametrize("k", [0, 1, -1, 10**6, -(10**40), 10**200])
def test_ends_far_away_are_decided(k):
    for strict in (True, False):
        wave = gt.explosion_set("sine", 2, strict=strict)
        end = _PI / 6 + k * _PI / 2
        assert (end in wave) == (not strict)
        assert end - sympy.Rational(1, 10**30) in wave
        assert end + sympy.Rational(1, 10**30) not in wave


def _shifted(slope_at_end):
    """Return the profile of |cos z| with a period that begins at its peak."""
    z, t = sympy.Symbol("z", real=True), sympy.Symbol("t", positive=True)
    branches = (
        Branch(sympy.S.Zero, _PI / 2, slope_at_end, sympy.S.Zero, inverse=sympy.acos(t)),
        Branch(_PI / 2, _PI, sympy.S.Zero, -slope_at_end, inverse=_PI - sympy.acos(t)),
    )
    return Profile("shifted", sympy.cos(z), branches, period=_PI)


def test_components_are_joined_across_the_end_of_the_period():
    level = SuperlevelSet(_shifted(sympy.S.One), sympy.S.Half)
    assert len(level.components()) == 2
    assert level.has_ends_of_periods
    joined = repeated(level.components(), sympy.S.Zero, _PI, ends_belong=True)
    assert joined == Periodic(sympy.Interval.open(-_PI / 3, _PI / 3), _PI)
    apart = repeated(level.components(), sympy.S.Zero, _PI, ends_belong=False)
    assert 0 in joined
    assert 0 not in apart
    assert sympy.Rational(1, 10**9) in apart
    closed = SuperlevelSet(_shifted(sympy.S.One), sympy.S.One, strict=False)
    points = repeated(closed.components(), sympy.S.Zero, _PI, ends_belong=closed.has_ends_of_periods)
    assert points == Periodic(sympy.FiniteSet(0), _PI)


@pytest.mark.parametrize(("scale", "ends"), [(2, (-_PI / 3, _PI / 3)), (-2, (_PI / 3, -_PI / 3))])
def test_periods_are_pulled_back_with_their_ends(scale, ends):
    scale, shift = sympy.S(scale), sympy.Rational(1, 3)
    level = SuperlevelSet(_shifted(sympy.S.One), sympy.S.Half)
    explosion = sets._pull_back(level, scale, shift, int(sympy.sign(scale)))
    assert explosion == Periodic(sympy.Interval.open(*((end - shift) / scale for end in ends)), _PI / 2)


def test_a_period_that_is_full_is_the_line():
    one = Component(sympy.S.Zero, sympy.S(2))
    assert repeated([one], sympy.S.Zero, sympy.S(2), ends_belong=True) is sympy.S.Reals
    dotted = repeated([one], sympy.S.Zero, sympy.S(2), ends_belong=False)
    assert (4 in dotted, 5 in dotted) == (False, True)
    assert repeated([], sympy.S.Zero, sympy.S(2), ends_belong=False) is sympy.S.EmptySet
    left = repeated([Component(sympy.S.Zero, sympy.S.One)], sympy.S.Zero, sympy.S(2), ends_belong=True)
    right = repeated([Component(sympy.S.One, sympy.S(2))], sympy.S.Zero, sympy.S(2), ends_belong=True)
    assert (2 in left, 2 in right) == (True, True)


def _intervals(*parts):
    return [Component(sympy.S(lower), sympy.S(upper), *(each in "()" for each in ends)) for lower, upper, ends in parts]


@pytest.mark.parametrize(
    ("components", "joined", "apart"),
    [
        ([(0, 1, "(]")], [(0, 1, "[]")], [(0, 1, "(]")]),
        ([(4, 5, "[)")], [(-1, 0, "[]")], [(-1, 0, "[)")]),
        ([(2, 3, "[)")], [(0, 0, "[]"), (2, 3, "[)")], [(2, 3, "[)")]),
        ([(0, 1, "(]"), (3, 5, "[)")], [(-2, 1, "[]")], [(-2, 0, "[)"), (0, 1, "(]")]),
        ([(0, 1, "()"), (2, 2, "[]")], [(0, 1, "[)"), (2, 2, "[]")], [(0, 1, "()"), (2, 2, "[]")]),
        ([(1, 2, "()"), (3, 5, "()")], [(-2, 0, "(]"), (1, 2, "()")], [(-2, 0, "()"), (1, 2, "()")]),
    ],
)
def test_periods_meet_where_the_point_between_them_belongs(components, joined, apart):
    for ends_belong, expected in ((True, joined), (False, apart)):
        later = [
            Component(component.lower + 5, component.upper + 5, component.lower_open, component.upper_open)
            for component in _intervals(*components)
        ]
        explosion = repeated(later, sympy.S(5), sympy.S(5), ends_belong=ends_belong)
        assert explosion.base == as_set(_intervals(*expected))
        for component in _intervals(*expected):
            assert (component.lower + 10 in explosion, component.upper - 10 in explosion) == (
                not component.lower_open,
                not component.upper_open,
            )
            assert component.is_point or (component.lower + component.upper) / 2 in explosion


def test_the_ends_of_a_period_are_its_first_and_last_branch():
    sides = ((1, 0), (0, sympy.S.Half), (sympy.S.Half, 1))
    branches = tuple(Branch(sympy.S(k), sympy.S(k + 1), *map(sympy.S, pair)) for k, pair in enumerate(sides))
    profile = Profile("odd", sympy.Symbol("z", real=True), branches, period=sympy.S(3))
    assert SuperlevelSet(profile, sympy.S.Half).has_ends_of_periods
    assert not SuperlevelSet(profile, sympy.S.One).has_ends_of_periods


@pytest.mark.parametrize("wavy", _PERIODIC)
def test_widths_are_infinite_with_a_reason(wavy):
    critical = gt.critical_weight(wavy)
    widest = gt.widest_explosion(wavy)
    assert (widest.width, widest.weight, widest.is_attained) == (sympy.oo, critical, False)
    assert "periodic" in repr(widest)
    assert gt.explosion_width(wavy, critical) == 0
    assert gt.explosion_width(wavy, -2 * critical) is sympy.oo


def test_the_longest_interval_of_the_sine():
    longest = gt.widest_explosion("sine", component="longest")
    with mpmath.workdps(30):
        level = mpmath.findroot(lambda t: mpmath.acos(t) - t / mpmath.sqrt(1 - t * t), 0.65)
        assert abs(longest.weight.n(25) - sympy.Float(str(1 / level), 30)) < 1e-20
        assert abs(longest.width.n(25) - sympy.Float(str(2 * level * mpmath.acos(level)), 30)) < 1e-20


def test_functions_that_jump_leave_the_jump_out():
    assert gt.explosion_set("hardshrink", 2, strict=False) == sympy.Union(
        sympy.Interval.open(-sympy.oo, -sympy.Rational(1, 4)), sympy.Interval.open(sympy.Rational(1, 4), sympy.oo)
    )
    assert gt.explosion_set("threshold", 1, strict=False) == sympy.Interval.open(1, sympy.oo)


@pytest.mark.parametrize(
    ("w", "b", "threshold"), [(sympy.sqrt(2), 1, 1), (-sympy.sqrt(5), sympy.sqrt(3), 1), (1 + sympy.sqrt(2), 2, 2)]
)
def test_periods_are_joined_at_irrational_places(w, b, threshold):
    """A cosine of one's own ends its period where it explodes; SymPy does not see that the ends are equal."""
    z = sympy.Symbol("z", real=True)
    own, known = (gt.explosion_set(each, w, b, threshold=threshold) for each in (sympy.cos(z), "cosine"))
    assert len(components_of(own.base)) == len(components_of(known.base)) == 1
    assert pickle.loads(pickle.dumps(own)) == own
    bounded, same = (each.intersect(sympy.Interval(0, 5)) for each in (own, known))
    assert len(bounded.args) == len(same.args)
    assert abs((bounded.measure - same.measure).n(30)) < 1e-25
    assert gt.explosion_set(2 * z + sympy.cos(z), w, b, threshold="1/10") == sympy.S.Reals


def test_parts_that_touch_at_numbers_of_two_forms_are_one():
    two = sympy.sqrt(2) * (1 + sympy.sqrt(3)), sympy.sqrt(2) + sympy.sqrt(6)
    left, right = Component(sympy.S.Zero, two[0], upper_open=False), Component(two[1], sympy.Integer(9))
    assert left.touches(right)
    assert not left.touches(Component(two[1] + _TINY, sympy.Integer(9)))
    assert not Component(sympy.S.Zero, two[0]).touches(right)


def test_floats_stand_for_their_binary_values_in_sets_and_domains():
    wave, half = gt.explosion_set("cosine", 2, 1), sympy.Rational(1, 2)
    assert 0.5 in wave
    assert 1.0 not in wave
    assert wave.intersect(sympy.Interval(0, 0.5)) == sympy.Interval(0, half)
    assert gt.explosion_set("tanh", 2, domain=sympy.Interval(-sympy.oo, 0.125)).sup == half / 4
    assert gt.explosion_set("cosine", 2, 1, domain=sympy.Interval.open(0, 0.5)) == sympy.Interval.open(0, half)
    assert 0.5 in wave.n()
    assert str(wave.n(4)) == "Periodic(Interval.open(-0.2382, 0.8090), 1.571)"
