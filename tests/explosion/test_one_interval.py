"""Chains of class N: their explosion set is one interval, at any depth, against other methods and 60 digits."""

import contextlib
import pickle
import random

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.superlevel import as_set
from gradtheory.explosion.whole_chain import interior_point, one_interval
from gradtheory.explosion.whole_chain.end import ExplosionEnd
from gradtheory.explosion.whole_chain.explosion_set import _by_cells
from tests import oracle
from tests.shapes import slow_except

SMOOTH = (
    *("arctan", "celu", "cloglog", "elu", "erf", "exponential", "gudermannian", "identity", "isrlu", "isru"),
    *("lecun_tanh", "log_sigmoid", "sigmoid", "softplus", "softsign", "squareplus", "tanh"),
)
KINKED = ("hard_sigmoid", "hard_tanh", "relu", "relu6", "sparse_plus", "sparse_sigmoid")
_MIDDLES = {"sigmoid": sympy.S.Half, "cloglog": sympy.S.Half, "softplus": sympy.S.One, "exponential": sympy.S.One}


def drawn(seed):
    """Return the arguments of a random chain of class N: (activations, w, b, threshold, strict)."""
    rng = random.Random(seed)
    depth = rng.choice((2, 2, 2, 2, 2, 2, 3, 3, 4, 5))  # the older method takes long for deep ones
    names = SMOOTH + KINKED if seed % 2 else SMOOTH
    activations = [rng.choice(names) for _ in range(depth)]
    w = [sympy.Rational(rng.choice((-1, 1)) * (1 + round(10 * 2 ** rng.uniform(-2, 4))), 10) for _ in range(depth)]
    b = [
        sympy.Rational(round(100 * rng.gauss(0, 0.5)), 100) - weight * _MIDDLES.get(before, 0)
        for weight, before in zip(w, ["", *activations], strict=False)
    ]
    return activations, w, b, sympy.Rational(rng.choice((1, 1, 1, 3, 7)), rng.choice((1, 2, 10))), rng.random() < 0.8


def is_same(left, right):
    """Return whether two sets have the same kind and, to 15 digits, the same ends."""
    if not isinstance(left, sympy.Interval) or not isinstance(right, sympy.Interval):
        return left == right
    pairs = (left.start, right.start), (left.end, right.end)
    near = all(one == other or abs(one.n(20) - other.n(20)) < 1e-15 * max(1, abs(one.n(20))) for one, other in pairs)
    return near and (left.left_open, left.right_open) == (right.left_open, right.right_open)


def compare(seed):
    """Compare with the method for chains of any activations, where that one answers; return whether it did."""
    activations, w, b, c, strict = drawn(seed)
    set_ = gt.total_explosion_set(gt.Chain(len(w), activations), w=w, b=b, threshold=c, strict=strict)
    layers = Layers(tuple(map(gt.activation, activations)), tuple(w), tuple(b))
    with contextlib.suppress(Undecided):
        assert is_same(set_, as_set(_by_cells(layers, c, strict=strict))), seed
        return True
    return False


@pytest.mark.parametrize(
    "seeds",
    [range(10), *(pytest.param(range(start, start + 40), marks=pytest.mark.slow) for start in range(0, 2000, 40))],
    ids=str,
)
def test_both_methods_agree(seeds):
    assert [compare(seed) for seed in seeds].count(True) > 0.6 * len(seeds)


@pytest.mark.parametrize("seed", range(12))
def test_without_guesses_the_answer_is_the_same(monkeypatch, seed):
    activations, w, b, c, strict = drawn(seed)
    chain = gt.Chain(len(w), activations)
    set_ = gt.total_explosion_set(chain, w=w, b=b, threshold=c, strict=strict)
    monkeypatch.setattr(interior_point, "steepest_trajectory", lambda layers: None)
    monkeypatch.setattr(one_interval, "_guesses", lambda layers, threshold, place: (-3.0, 5.0))
    assert is_same(gt.total_explosion_set(chain, w=w, b=b, threshold=c, strict=strict), set_)


def log_gradient(name, w, b, x, digits):
    """Return log|f'(x)|, from the definition at so many digits."""
    with mpmath.workdps(digits):
        a, total = mpmath.mpf(x.p) / x.q, mpmath.mpf(0)
        for weight, bias in zip(w, b, strict=True):
            z = oracle.as_mpf(weight) * a + oracle.as_mpf(bias)
            total += mpmath.log(abs(oracle.slope(name, z, digits) * oracle.as_mpf(weight)))
            a = oracle.sigma(name)(z)
        return total


@pytest.mark.parametrize(
    ("which", "depth", "weight", "bias"),
    [
        ("sigmoid", 60, 8, -4),
        ("tanh", 60, 3, "1/7"),
        pytest.param("arctan", 60, 4, "1/7", marks=pytest.mark.slow),
        ("softsign", 30, "7/2", "1/7"),
        ("sigmoid", 3, 10**200, -(10**200) // 2),
        pytest.param("erf", 40, "5/2", 0, marks=pytest.mark.slow),
    ],
)
def test_ends_of_deep_chains(which, depth, weight, bias):
    w, b = ([sympy.Rational(number)] * depth for number in (weight, bias))
    set_ = gt.total_explosion_set(gt.Chain(depth, which), w=w, b=b)
    length = set_.measure.n(20)
    assert length <= gt.depth_bound(which).value.n(20)
    digits = 700 if depth == 3 else 120
    nudge = sympy.Rational(length) / 10**9
    for end, inwards in ((set_.start, 1), (set_.end, -1)):
        x = sympy.Rational(end.n(digits))
        assert log_gradient(which, w, b, x + inwards * nudge, digits) > 0
        assert log_gradient(which, w, b, x - inwards * nudge, digits) < 0


@pytest.mark.slow
def test_a_thousand_layers():
    set_ = gt.total_explosion_set(gt.Chain(1000, "sigmoid"), w=[8] * 1000, b=[-4] * 1000)
    assert str(set_.measure.n(12)) == "7.94141797148e-218"
    assert sympy.S.Half in set_
    assert sympy.S.Half + sympy.Rational(1, 10**216) not in set_
    assert gt.guarantee(set_) is gt.Guarantee.CERTIFIED


def test_fractions_and_kinks_are_exact():
    assert gt.total_explosion_set(gt.Chain(10, "softsign"), w=[2] * 10, b=[0] * 10) == sympy.Interval.open(
        -sympy.Rational(1, 66), sympy.Rational(1, 66)
    )
    deep = gt.total_explosion_set(gt.Chain(300, "hard_tanh"), w=[2] * 300, b=[0] * 300)
    assert deep == sympy.Interval.open(-sympy.Rational(1, 2**300), sympy.Rational(1, 2**300))
    mixed = gt.total_explosion_set(gt.Chain(2, ["hard_tanh", "sigmoid"]), w=[8, 2], b=[0, 0], strict=False)
    assert mixed == sympy.Interval.open(-sympy.Rational(1, 8), sympy.Rational(1, 8))
    flat = gt.total_explosion_set(gt.Chain(2, "hard_tanh"), w=[1, 1], b=[0, 0], strict=False)
    assert flat == sympy.Interval.open(-1, 1)


@pytest.mark.parametrize(
    ("names", "w", "b", "c"),
    [
        (["sigmoid", "relu"], [1, -1], [0, 0], "1/10"),  # the second layer is never active
        (["sigmoid", "relu"], [1, 1], [0, -1], "1/10"),  # nor in the limit
        (["tanh", "hard_tanh"], [1, 1], [0, 3], "1/10"),
        (["sigmoid"] * 3, [10] * 3, [10] * 3, 1),
        (["softplus", "softplus"], [1, 1], [0, 0], 1),  # the limit is the threshold itself
        (["tanh", "tanh"], [0, 2], [0, 0], "1/10"),
    ],
)
def test_empty_sets(names, w, b, c):
    assert gt.total_explosion_set(gt.Chain(len(w), names), w=w, b=b, threshold=c) is sympy.S.EmptySet


@pytest.mark.parametrize(
    ("names", "w", "b", "c"),
    [
        # |f'| at the start is beyond 10^-(10^30), so that only its direction is known, and no tangent
        (["relu6", "exponential", "erf", "relu6"], ["0.9", 12, "0.5", "-0.4"], ["0.7", "0.46", "-0.47", "0.11"], 3),
        (["cloglog", "cloglog", "tanh"], [2, 900, 5], [0, 400, 0], 1),
        # the last layer is constant there, and balls do not know the sign of its slope
        (["tanh", "exponential", "exponential", "relu6"], [2, 9, 30, -7], [0, 5, 2, 1], 1),
    ],
)
def test_where_gradients_are_smaller_than_any_digit_tells(names, w, b, c):
    assert gt.total_explosion_set(gt.Chain(len(w), names), w=w, b=b, threshold=c) is sympy.S.EmptySet


def test_an_end_next_to_where_the_slope_fades_linearly():
    """|f'| falls from 3e-5 through 1e-40 to 0 within 1e-36: Newton's method for its logarithm does not converge."""
    chain = gt.Chain(3, ["sigmoid", "sparse_plus", "tanh"])
    set_ = gt.total_explosion_set(chain, w=[1, 4, 1], b=[0, -3, 0], threshold=sympy.Rational(1, 10**40))
    assert 0 < set_.start.n(50) < sympy.Float("1e-30")  # z_2 = -1 at x = 0


def test_an_end_is_no_place_within():
    layers = Layers((gt.activation("softsign"),) * 10, (sympy.Integer(2),) * 10, (sympy.S.Zero,) * 10)
    ends = sympy.Rational(1, 66), sympy.Rational(1, 60)
    with pytest.raises(InvalidArgument, match="inside and outside of the explosion set"):
        ExplosionEnd(layers, sympy.S.One, *ends)
    assert ExplosionEnd(layers, sympy.S.One, sympy.Rational(1, 70), ends[1]).n(30) == ends[0].n(30)


def test_the_length_of_a_set_about_0_that_is_1e_896_wide():
    w, b = ["1e300"] * 3, ["0", "-5e299", "-5e299"]
    length = gt.total_explosion_set(gt.Chain(3), w=w, b=b).measure.n(25)
    with mpmath.workdps(2000):
        weight = mpmath.mpf(10) ** 300

        def log_gradient(x):
            total, a = mpmath.mpf(0), x
            for shift in (0, 0.5, 0.5):
                z = weight * (a - shift)
                a = 1 / (1 + mpmath.exp(-z))
                total += mpmath.log(weight * a * (1 - a))
            return total

        end, error = mpmath.mpf(str(length)) / 2, mpmath.mpf(10) ** -23
        assert log_gradient(end * (1 - error)) > 0 > log_gradient(end * (1 + error))


def test_half_lines_and_the_whole_line():
    half = gt.total_explosion_set(gt.Chain(20, "softplus"), w=[2] * 20, b=[1] * 20, threshold=3)
    assert half.end is sympy.oo
    assert half.left_open
    both = gt.total_explosion_set(gt.Chain(2, "identity"), w=[2, 2], b=[1, 1], threshold=3)
    assert both == sympy.S.Reals


_TIES = {  # the chain, its weights and biases, the greatest |f'|, and where it is reached
    "sigmoid": (gt.Chain(3), [4, 4, -4], [-2, -2, 2], 1, 0.5),
    "tanh": (gt.Chain(2, "tanh"), [1, 1], [0, 0], 1, 0),
    "erf": (gt.Chain(2, "erf"), [2, 3], [0, 0], 24 / sympy.pi, 0),
    "slopes with a corner": (gt.Chain(2, "softsign"), [-2, 3], [0, 0], 6, 0),
    "all but one linear": (
        gt.Chain(2, ["identity", "arctan"]),
        [sympy.Rational(3001, 7), 3],
        [1, -1],
        sympy.Rational(9003, 7),
        None,
    ),
}


@pytest.mark.parametrize("which", slow_except(("sigmoid", "tanh"), _TIES))
def test_what_reaches_the_threshold_alone(which):
    chain, w, b, greatest, x = _TIES[which]
    at = {sympy.Rational(x)} if x is not None else {sympy.Rational(-2 * 7, 3 * 3001)}
    assert gt.total_explosion_set(chain, w=w, b=b, threshold=greatest) is sympy.S.EmptySet
    assert set(gt.total_explosion_set(chain, w=w, b=b, threshold=greatest, strict=False)) == at
    assert gt.total_explosion_set(chain, w=w, b=b, threshold=greatest * sympy.Rational(999, 1000)).measure > 0


@pytest.mark.parametrize(("threshold", "is_above"), [("1/3", False), ("2/5", False), ("1/4", True), ("1/100", True)])
def test_a_flat_top(threshold, is_above):
    chain, w, b = gt.Chain(2, "softsign"), [1, 3], [0, 2]  # the slope is 1/3 on all of [-2, 0]
    explosion = gt.total_explosion_set(chain, w=w, b=b, threshold=threshold)
    assert (explosion is not sympy.S.EmptySet) == is_above
    assert not is_above or {-2, 0} < set(explosion.closure.boundary) or explosion.contains(-1)
    if threshold == "1/3":
        at_least = gt.total_explosion_set(chain, w=w, b=b, threshold=threshold, strict=False)
        assert at_least == sympy.Interval(-2, 0)


def test_what_reaches_the_threshold_at_no_fraction_is_undecided():
    w, b = [1, 1], [0, 1]  # the greatest |f'| is where 2·tanh z = -sech²z·..., and no fraction
    x = sympy.nsolve(
        sympy.diff(
            sympy.log(1 - sympy.tanh(sympy.tanh(sympy.Symbol("x")) + 1) ** 2)
            + sympy.log(1 - sympy.tanh(sympy.Symbol("x")) ** 2)
        ),
        -0.3,
        prec=90,
    )
    greatest = (1 - sympy.tanh(x) ** 2) * (1 - sympy.tanh(sympy.tanh(x) + 1) ** 2)
    with pytest.raises(Undecided, match="try another threshold"):
        gt.total_explosion_set(gt.Chain(2, "tanh"), w=w, b=b, threshold=sympy.Rational(str(greatest)))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("parameter", ["w1", "b1", "w2", "b2", "w3", "b3"])
@pytest.mark.parametrize("which", ["sigmoid", "tanh", pytest.param("gelu", marks=pytest.mark.slow)])
def test_one_parameter(which, parameter):
    chain, w, b, x = gt.Chain(3, which), [5, -6, 4], [-2, 3, "-3/2"], sympy.Rational(3, 5)
    c = sympy.Rational(1, 5)
    set_ = gt.exploding_parameter(chain, parameter, x=x, w=w, b=b, threshold=c)
    if which != "gelu":
        assert set_ is sympy.S.EmptySet or set_.measure.n() <= gt.depth_bound(which, threshold=c).value.n()
    kind, layer = parameter[0], int(parameter[1])
    for theta in [sympy.Rational(number, 7) for number in range(-70, 71, 3)]:
        moved_w, moved_b = [list(map(sympy.Rational, numbers)) for numbers in (w, b)]
        (moved_w if kind == "w" else moved_b)[layer - 1] = theta
        assert (theta in set_) == (abs(derivative(which, kind, layer, moved_w, moved_b, x)) > oracle.as_mpf(c)), theta


def derivative(name, kind, layer, w, b, x):
    """Return ∂a_L/∂w_l or ∂a_L/∂b_l, from the chain rule at 50 digits."""
    with mpmath.workdps(50):
        a, factor = oracle.as_mpf(x), mpmath.mpf(0)
        for number, (weight, bias) in enumerate(zip(w, b, strict=True), start=1):
            z = oracle.as_mpf(weight) * a + oracle.as_mpf(bias)
            inner = (a if kind == "w" else 1) if number == layer else factor * oracle.as_mpf(weight)
            factor = oracle.slope(name, z) * inner
            a = oracle.value(name, z)
        return factor


@pytest.mark.sampled(2)
@pytest.mark.parametrize("x", ["1/2", "1/3"])  # with 1/2 all values are fractions
@pytest.mark.parametrize("parameter", ["b150", "w150"])
def test_a_parameter_of_a_deep_chain(parameter, x):
    set_ = gt.exploding_parameter(gt.Chain(300, "sigmoid"), parameter, x=x, w=[6] * 300, b=[-3] * 300)
    assert 0 < set_.measure.n(15) < 1e-17
    assert len({set_, pickle.loads(pickle.dumps(set_))}) == 1


@pytest.mark.parametrize(
    ("parameter", "rule"),
    [
        ("w4", "must name a weight or a bias, from w1 and b1 to w3 and b3"),
        ("x", "must name"),
        ("w0", "must name"),
        (3, "must name"),
    ],
)
def test_what_is_no_parameter_is_refused(parameter, rule):
    with pytest.raises(InvalidArgument, match=rule):
        gt.exploding_parameter(gt.Chain(3), parameter, x=0, w=[1] * 3, b=[0] * 3)
