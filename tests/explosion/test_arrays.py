"""Widths and intervals over arrays: to how many units in the last place, for every shape and kind of array."""

import itertools
import sys
import warnings
from types import SimpleNamespace

import flint
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import T, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import as_rational, derivative, enclose, evaluate, precision
from gradtheory.errors import InvalidArgument, MissingDependency, Undecided
from gradtheory.explosion.arrays.excess import multiples_of
from gradtheory.explosion.arrays.plan import plan_of
from tests.shapes import slow_except

_POINTS = 100_000
_BITS = 260

# 2·(half the width in z) as a function of c/|w| = t, written as in textbooks, for Arb at 260 bits.
_TEXTBOOK = {
    "sigmoid": lambda t: 2 * ((1 + (1 - 4 * t).sqrt()) ** 2 / (4 * t)).log(),
    "tanh": lambda t: 2 * ((1 + (1 - t).sqrt()) / t.sqrt()).log(),
    "arctan": lambda t: 2 * (1 / t - 1).sqrt(),
    "softsign": lambda t: 2 * (t.rsqrt() - 1),
    "erf": lambda t: 2 * (-(t * flint.arb.pi().sqrt() / 2).log()).sqrt(),
    "arsinh": lambda t: 2 * (1 / t**2 - 1).sqrt(),
    "gudermannian": lambda t: 2 * (1 / t).acosh(),
    "isru": lambda t: 2 * ((-2 * t.log() / 3).exp() - 1).sqrt(),
    "lecun_tanh": lambda t: 3 * ((flint.arb(17159) / 15000 / t).sqrt()).acosh(),
    "hard_tanh": lambda t: flint.arb(2),
    "hard_sigmoid": lambda t: flint.arb(6),
    "sparse_sigmoid": lambda t: flint.arb(2),
    "relu6": lambda t: flint.arb(6),
    "gaussian": lambda t: 2 * (_gaussian(t, -1) - _gaussian(t, 0)),
    "cloglog": lambda t: (-(-t).lambertw(-1)).log() - (-(-t).lambertw(0)).log(),
}
# The sigmoid is computed for speed: three operations, each right to half an ulp, make 2.2 to 2.4 at one point in 10,000. The
# others' closed forms are by Lambert's W, which NumPy has not: they are tabulated.
_MOST_ULPS = {"sigmoid": 2.5, "gaussian": 3.0, "cloglog": 4.0}
_BY_ARCSINH = ("tanh", "gudermannian", "lecun_tanh")  # NumPy's is right to 1 ulp with AVX-512, else to 1.2
_OTHER = ("gelu", "gelu_tanh", "silu", "swish", "mish", "quick_gelu")
_EDGE = ("selu", "hard_swish")  # finite above the slope of their far ends only


def _gaussian(t, branch):
    return (-((-t * t / 2).lambertw(branch)) / 2).sqrt()


def weights(name, least=None):
    """Return weights from the next float above critical to 1e308, or to the least with an infinite width."""
    critical = float(gt.critical_weight(name))
    while sympy.Rational(*critical.as_integer_ratio()) <= gt.critical_weight(name):
        critical = np.nextafter(critical, np.inf)
    rng = np.random.default_rng(5)
    count = _POINTS // 4
    near = critical * (1 + 10.0 ** rng.uniform(-15.9, -1, count))
    ulps = critical + np.spacing(critical) * np.arange(count)
    if least is None:
        return np.concatenate(
            [near, ulps, rng.uniform(critical, 100, count), 10.0 ** rng.uniform(np.log10(critical), 308, count)]
        )
    room = least - critical
    below = least - room * 10.0 ** rng.uniform(-14, 0, count)
    candidates = np.concatenate([near, ulps, rng.uniform(critical, least, count), below])
    return candidates[(candidates >= critical) & (candidates < least)]


def ulps(width, exact):
    """Return the error of a float in units in the last place of the ball `exact`."""
    middle = float(exact.mid())
    return abs(float((flint.arb(width) - exact).mid())) / np.spacing(middle)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("which", slow_except({"sigmoid", "tanh", "isru", "hard_tanh"}, _TEXTBOOK))
def test_widths_with_a_closed_form_are_within_2_ulp(which):
    w = weights(which)[:: 4 if which in ("gaussian", "cloglog") else 1]  # Lambert's W takes its time
    widths = gt.arrays.explosion_width(which, w)
    worst = 0.0
    with precision(_BITS):
        for weight, width in zip(w.tolist(), widths.tolist(), strict=True):
            ball = flint.arb(weight)
            worst = max(worst, ulps(width, _TEXTBOOK[which](1 / ball) / ball))
    assert worst <= _MOST_ULPS.get(which, 2.25 if which in _BY_ARCSINH else 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("which", [*_OTHER, *_EDGE])
def test_widths_without_are_within_4_ulp(which):
    """One step of Newton's method at 260 bits from the depths found; they are summed as the widths are."""
    record, plan = gt.activation(which), plan_of(gt.activation(which))
    least = float(1 / max((part.endless_below for part in plan.parts), key=lambda level: level.n(30)))
    w = weights(which, least)[:: 60 if which in _OTHER else 2]
    widths = gt.arrays.explosion_width(which, w)
    parts = [part for part, _ in plan.distinct_parts if not part.reaches_infinity]
    totals = [flint.arb(0)] * len(w)
    with precision(_BITS):
        levels = [1 / flint.arb(weight) for weight in w.tolist()]
        for part in (part for part in parts if not part.branch.is_flat):
            branch = part.branch
            end = _ball(branch.right if branch.rises else branch.left)
            steep, shallow = _ball(branch.steepest), _ball(branch.shallowest)
            excess = np.array([float(((steep - t) / (t - shallow)).mid()) for t in levels])
            depths = part.distance(np, (excess, np.zeros(len(w))))[0]
            side = -1 if branch.rises else 1
            smooth = formula_near(record.slope_expr, Z, branch.inside)
            bend = derivative(smooth, Z, 1)
            for k, (t, away) in enumerate(zip(levels, map(flint.arb, depths.tolist()), strict=True)):
                z = {Z: end + side * away}
                slope = evaluate(bend, _BITS, z) * branch.direction * side
                totals[k] += away - (abs(evaluate(smooth, _BITS, z)) - t) / slope
        worst = max(map(ulps, widths.tolist(), (total * t for total, t in zip(totals, levels, strict=True))))
    assert len(w) > 500
    assert worst <= 4


def _ball(number):
    return enclose(number, 2 * _BITS)


_CLOSED_BRANCHES = [
    (name, branch)
    for name in gt.activation_names()
    if gt.activation(name).period is None
    for branch in gt.activation(name).profile.branches
    if branch.distance is not None
]


@pytest.mark.parametrize(("which", "branch"), _CLOSED_BRANCHES, ids=lambda each: getattr(each, "name", str(each)[:30]))
def test_depths_are_the_inverses_of_the_record(which, branch):
    """e and t mean the same place; the anchor is the steep end, or else the other, or else z = 0."""
    assert branch.inverse is not None, f"{which} states a depth without an inverse"
    steep, shallow = (branch.right, branch.left) if branch.rises else (branch.left, branch.right)
    anchor = next((end for end in (steep, shallow) if end.is_finite), None)
    for e in map(sympy.Rational, ("1/1000000", "1/7", "1", "22/7", "1000")):
        t = e if branch.steepest.is_infinite else (branch.steepest + branch.shallowest * e) / (1 + e)
        z = branch.inverse.subs(T, t)
        expected = float(as_rational(enclose(z if anchor is None else abs(z - anchor), 200)))
        distance = float(sum(branch.distance(np, (np.array([float(e)]), np.zeros(1))))[0])
        assert distance == pytest.approx(expected, rel=1e-14, abs=1e-15)


@given(
    w=st.floats(-50, 50).filter(lambda w: abs(w) >= 1e-6),
    b=st.fractions(-3, 3, max_denominator=8).map(float),
    c=st.sampled_from([0.5, 1.0, 1.5, 3.0]),
    which=st.sampled_from([each for each in gt.activation_names() if gt.activation(each).period is None]),
)
def test_intervals_are_the_exact_set(which, w, b, c):
    intervals = gt.arrays.explosion_intervals(which, w, b, threshold=c)
    ours = [tuple(pair) for pair in intervals.tolist() if not np.isnan(pair[0])]
    exact = gt.explosion_set(which, w, b, threshold=c)
    pieces = [] if exact is sympy.S.EmptySet else list(exact.args) if isinstance(exact, sympy.Union) else [exact]
    pieces = [piece for piece in pieces if piece.measure != 0]
    if exact is sympy.S.Reals:
        pieces = [sympy.Interval(-sympy.oo, sympy.oo)]
    theirs = sorted((float(piece.inf.n(20)), float(piece.sup.n(20))) for piece in pieces)
    assert len(ours) == len(theirs)
    assert np.allclose(np.ravel(ours), np.ravel(theirs), rtol=1e-12, atol=1e-13 * (1 + abs(b / w) + 1 / abs(w)))
    width = gt.arrays.explosion_width(which, w, threshold=c)
    total = sum(upper - lower for lower, upper in theirs)
    assert width == pytest.approx(total, rel=1e-9, abs=1e-13) or np.isinf(width) == np.isinf(total) == 1


@pytest.mark.only(lambda record: record.steepest_slope is sympy.oo)
def test_where_the_slope_is_unbounded_only_0_does_not_explode(name):
    assert gt.arrays.explosion_width(name, 0.0) == 0
    assert gt.arrays.explosion_width(name, 1e-300) == np.inf


@pytest.mark.quick_for("cloglog", "cosine", "gaussian", "gelu", "selu", "sigmoid", "snake", "threshold")
@pytest.mark.only(lambda record: record.steepest_slope is not sympy.oo)
def test_at_and_beside_the_critical_weight(name):
    critical = gt.critical_weight(name)
    nearest = float(critical)
    for w in (np.nextafter(nearest, 0), nearest, np.nextafter(nearest, np.inf)):
        explodes = sympy.Rational(*float(w).as_integer_ratio()) > critical
        assert (gt.arrays.explosion_width(name, [w, -w]) > 0).tolist() == [explodes, explodes]


def test_differences_keep_their_digits_where_nearly_all_cancel():
    slope = plan_of(gt.activation("gelu")).parts[-1].branch.steepest
    exact = as_rational(enclose(slope, 400))
    convergents = sympy.continued_fraction_convergents(sympy.continued_fraction_iterator(exact))
    fractions = [each for each in itertools.islice(convergents, 25) if each.p < 2**53]
    w, c = (
        np.array([float(part) for part in parts])
        for parts in zip(*(each.as_numer_denom()[::-1] for each in fractions), strict=True)
    )
    difference, _ = multiples_of(slope)[0].minus(w, c, is_paired=False)
    wanted = [float(exact * each.q - each.p) / 2**64 for each in fractions]
    assert abs(wanted[-1]) < 1e-32 * c[-1]
    np.testing.assert_allclose(difference, wanted, rtol=1e-15)


def test_shapes_broadcast():
    w, b, c = np.linspace(-9, 9, 7)[:, None], np.zeros(5), np.full((2, 1, 1), 1.5)
    assert gt.arrays.explosion_width("sigmoid", w, threshold=c).shape == (2, 7, 1)
    both = gt.arrays.explosion_intervals("gaussian", w, b, threshold=c)
    assert both.shape == (2, 7, 5, 2, 2)
    for index in np.ndindex(2, 7, 5):
        alone = gt.arrays.explosion_intervals("gaussian", w[index[1], 0], b[index[2]], threshold=c[index[0], 0, 0])
        np.testing.assert_array_equal(both[index], alone)
    assert gt.arrays.explosion_width("gelu", np.zeros((0, 3))).shape == (0, 3)
    assert isinstance(gt.arrays.explosion_width("sigmoid", 7), np.float64)
    every_other = np.linspace(4, 9, 20)[::2]
    np.testing.assert_array_equal(
        gt.arrays.explosion_width("sigmoid", every_other), gt.arrays.explosion_width("sigmoid", every_other.copy())
    )


@pytest.mark.slow
def test_blocks_change_nothing(monkeypatch):
    w = np.random.default_rng(3).normal(0, 9, 1000)
    whole = {name: gt.arrays.explosion_width(name, w) for name in ("sigmoid", "gelu", "gaussian")}
    monkeypatch.setattr("gradtheory.explosion.arrays.elementwise._BLOCK", 64)
    for name, expected in whole.items():
        np.testing.assert_array_equal(gt.arrays.explosion_width(name, w), expected)


def test_float32_and_out():
    w = np.linspace(-9, 9, 50, dtype=np.float32)
    widths = gt.arrays.explosion_width("tanh", w)
    assert widths.dtype == np.float32
    np.testing.assert_array_equal(widths, gt.arrays.explosion_width("tanh", w.astype(float)).astype(np.float32))
    assert gt.arrays.explosion_width("tanh", w, threshold=np.float64(1)).dtype == np.float64
    assert gt.arrays.explosion_width("tanh", np.arange(5)).dtype == np.float64
    for target in (np.empty(50), np.empty(50, np.float32), np.empty(100)[::2]):
        assert gt.arrays.explosion_width("tanh", w, out=target) is target
        np.testing.assert_allclose(target, widths, rtol=1e-6)
    intervals = np.empty((50, 1, 2), np.float32)
    assert gt.arrays.explosion_intervals("tanh", w, out=intervals) is intervals


@pytest.mark.quick_for("gaussian", "hardshrink", "quadratic", "sigmoid", "snake")
def test_no_warning_and_nan_only_from_what_is_not_finite(shape):
    w = np.array([0.0, -0.0, 5e-324, 1e-300, 1.0, -1e308, np.inf, -np.inf, np.nan])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        widths = gt.arrays.explosion_width(shape, w)
        assert np.isnan(widths[-1])
        assert not np.isnan(widths[:6]).any()
        assert (widths[:2] == 0).all()
        if gt.activation(shape).period is None:
            gt.arrays.explosion_intervals(shape, w, 1.0)


@pytest.mark.slow
def test_ones_own_activation():
    u = sympy.Symbol("u", real=True)
    w = np.array([0.7, 0.95, -2.0, 30.0])
    for own, named in (
        (u * sympy.exp(-(u**2)), None),
        (u / (1 + sympy.exp(-u)), "silu"),
        (sympy.log(1 + sympy.exp(u)), "softplus"),
        (sympy.tanh(u), "tanh"),
    ):
        intervals = gt.arrays.explosion_intervals(own, w, 0.5)
        if named:
            np.testing.assert_allclose(intervals, gt.arrays.explosion_intervals(named, w, 0.5), rtol=1e-12, atol=1e-13)
        widths = [float(gt.explosion_width(own, each)) for each in w]
        np.testing.assert_allclose(gt.arrays.explosion_width(own, w), widths, rtol=1e-12)


@pytest.mark.parametrize(
    ("own", "least"),
    [(sympy.sqrt(1 + Z**2), 1), (Z**2 / (1 + sympy.Abs(Z)), 1), (Z * sympy.atan(Z), 2 / sympy.pi)],
    ids=str,
)
def test_below_the_critical_weight_of_a_slope_that_tends_slowly_nothing_explodes(own, least):
    weights = [2.0, float(least) * 0.9, -2.0, 0.3]
    intervals = gt.arrays.explosion_intervals(own, weights, 0.25)
    assert np.isnan(intervals[[1, 3]]).all()
    assert (gt.arrays.explosion_width(own, weights)[[1, 3]] == 0.0).all()
    for place in (0, 2):
        left, right = gt.explosion_set(own, weights[place], sympy.Rational(1, 4)).args
        assert intervals[place, 0] == pytest.approx([-np.inf, float(left.sup)], rel=1e-14)
        assert intervals[place, 1] == pytest.approx([float(right.inf), np.inf], rel=1e-14)


@pytest.mark.parametrize("own", [Z**2, Z**3, sympy.exp(Z), sympy.sinh(Z)], ids=str)
def test_intervals_of_an_unbounded_slope_of_ones_own_are_refused_in_one_clear_line(own):
    with pytest.raises(Undecided, match=r"is unbounded, and the places .* are not tabulated: use .*explosion_set"):
        gt.arrays.explosion_intervals(own, [1.5], 0.25)


@pytest.mark.slow
def test_tables_are_built_once_by_eight_threads():
    from concurrent.futures import ThreadPoolExecutor

    w = np.linspace(0.9, 0.99, 1000)
    plan_of.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        widths = list(pool.map(lambda _: gt.arrays.explosion_width("gelu", w), range(8)))
    for again in widths[1:]:
        np.testing.assert_array_equal(again, widths[0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.arrays.explosion_width("sigmoid", "7"), "w = '7'"),
        (lambda: gt.arrays.explosion_width("sigmoid", [True]), "array of real numbers"),
        (lambda: gt.arrays.explosion_width("sigmoid", 1j), "array of real numbers"),
        (lambda: gt.arrays.explosion_width("sigmoid", None), "array of real numbers"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], threshold=0.0), "threshold = 0.0"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], threshold=[1.0, -1.0]), "threshold"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], threshold=np.nan), "threshold"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], threshold=1e-300), "threshold"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0, 8.0], threshold=[1.0, 2.0, 3.0]), "broadcast"),
        (lambda: gt.arrays.explosion_width("sigmod", [7.0]), "sigmoid"),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], out=[0.0]), "out = "),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], out=np.empty(2)), "out = "),
        (lambda: gt.arrays.explosion_width("sigmoid", [7.0], out=np.empty(1, int)), "out = "),
        (lambda: gt.arrays.explosion_intervals("sine", [7.0]), "periodic"),
        (lambda: gt.arrays.explosion_intervals("tanh", [7.0], "b"), "b = 'b'"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InvalidArgument, match=r" = ") as caught:
        call()
    assert said in str(caught.value)


def test_only_arrays_of_other_libraries_need_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat", None)  # as if it were not installed
    assert gt.arrays.explosion_width("relu", [2.0, np.float64(0.5)]).tolist() == [np.inf, 0.0]
    with pytest.raises(MissingDependency, match=r'^needs array_api_compat: pip install "gradtheory\[arrays\]"$'):
        gt.arrays.explosion_width("relu", SimpleNamespace(dtype="float64"))


@pytest.mark.parametrize("which", ["tanh", "softsign", "gaussian", "relu"])
def test_quotients_beyond_float64_are_nan_and_no_widths(which):
    w, threshold = [1e160, 1e150, -1e160], 1e-150  # |w|/c is 1e310, 1e300 and 1e310
    widths = gt.arrays.explosion_width(which, w, threshold=threshold)
    assert np.isnan(widths).tolist() == [True, False, True]
    exact = gt.explosion_width(which, w=10**150, threshold="1e-150")
    assert widths[1] == pytest.approx(float(exact), rel=1e-12)
    assert np.isnan(gt.arrays.explosion_intervals(which, w, threshold=[1e-150] * 3)[0]).all()
