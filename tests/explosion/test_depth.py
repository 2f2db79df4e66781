"""Depth never widens: class N, the constant H, and chains of any depth against it."""

import itertools

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Abs, Piecewise, atan, exp, oo, sin, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.class_n import membership
from tests.shapes import BOUNDED_IN_CLASS_N, UNBOUNDED_IN_CLASS_N, slow_except

Z_ = sympy.Symbol("z", real=True)
R = sympy.Rational


# ---- class N


def test_the_members_of_the_catalogue():
    members = {name for name in gt.activation_names() if membership(gt.activation(name)).is_member}
    assert members == {*BOUNDED_IN_CLASS_N, *UNBOUNDED_IN_CLASS_N}


def _inverse_root(record, place):
    with mpmath.workdps(60):
        return 1 / mpmath.sqrt(abs(mpmath.mpf(sympy.N(record.slope_expr.subs(Z, place), 60))))


_SLOPE_VANISHES = {"cosine", "gaussian", "gelu", "gelu_tanh", "hard_swish", "hardshrink", "log_cosh", "mish", "quadratic", "quick_gelu", "silu", "sine", "softshrink", "swish", "threshold"}  # fmt: skip


@pytest.mark.parametrize("which", sorted(_SLOPE_VANISHES))
def test_at_some_witnesses_the_slope_is_0_or_changes_its_sign(which):
    record = gt.activation(which)
    witness = sympy.Rational(sympy.N(membership(record).witness, 50))
    slopes = [record.slope_expr.subs(Z, witness + R(side, 10)) for side in (-2, -1, 1, 2)]
    assert 0 in slopes or {sympy.sign(sympy.N(slope, 30)) for slope in slopes} == {-1, 1}


@pytest.mark.parametrize(
    "which",
    sorted({*gt.activation_names()} - {*BOUNDED_IN_CLASS_N, *UNBOUNDED_IN_CLASS_N, *_SLOPE_VANISHES}),
)
def test_at_other_witnesses_the_inverse_root_of_the_slope_is_not_convex(which):
    record = gt.activation(which)
    witness = sympy.Rational(sympy.N(membership(record).witness, 50))
    chords = []
    for step in (R(1, 10), R(1, 100), R(1, 1000)):
        left, near, here, right = (_inverse_root(record, witness + side * step) for side in (-2, -1, 1, 2))
        chords.append(near > (3 * left + right) / 4 or here > (left + 3 * right) / 4)
    assert chords[-1]


@pytest.mark.parametrize(
    ("expr", "is_member"),
    [
        (1 / (1 + exp(-Z_)), True),
        (exp(-exp(-Z_)), True),
        (tanh(Z_ / 5) + 3, True),
        (Z_ / sqrt(4 + Z_**2), True),
        (Piecewise((exp(Z_) / 2, Z_ < 0), (1 - exp(-Z_) / 2, True)), True),
        (-tanh(Z_), True),
        (tanh(Z_) + exp(-((Z_ - 100) ** 2)), False),
        (tanh(Z_) + atan(Z_), False),
        (Z_ + sin(Z_) / 2, False),
        (sympy.sign(Z_) + Z_, False),
        (Z_**3, False),
        (sympy.sign(Z_) * sqrt(Abs(Z_)), False),
        (Piecewise((tanh(Z_), Z_ < 0), (2 * tanh(Z_), True)), False),
    ],
    ids=str,
)
def test_membership_of_ones_own(expr, is_member):
    member = membership(gt.activation(expr))
    assert member.is_member is is_member
    assert (member.witness is None) is is_member


# ---- H


def _known():
    """Return H of the bounded members, by mpmath and by hand."""
    with mpmath.workdps(30):
        s = mpmath.findroot(lambda s: s * mpmath.tanh(s) - mpmath.mpf(1) / 2, 0.77)
        k = s / mpmath.cosh(s) ** 2
        r = mpmath.findroot(lambda s: s * mpmath.tanh(s) - 1, 1.2)
        return {
            "sigmoid": k,
            "tanh": 2 * k,
            "lecun_tanh": mpmath.mpf("1.7159") * 2 * k,
            "erf": mpmath.sqrt(8 / (mpmath.pi * mpmath.e)),
            "gudermannian": 2 * r / mpmath.cosh(r),
            "isru": 4 / (3 * mpmath.sqrt(3)),
            "arctan": 1,
            "softsign": 1,
            "cloglog": 2 / mpmath.e * r / mpmath.cosh(r),
            "hard_tanh": 2,
            "hard_sigmoid": 1,
            "relu6": 6,
            "sparse_sigmoid": 1,
        }


@pytest.mark.parametrize("which", BOUNDED_IN_CLASS_N)
def test_h_of_the_catalogue(which):
    bound = gt.depth_bound(which)
    assert abs(bound.value.n(25) - sympy.Float(mpmath.nstr(_known()[which], 28), 25)) < 10**-20
    assert bound.widens is (which in ("softsign", "cloglog"))
    assert abs(sympy.N(bound.factor - bound.value / gt.widest_explosion(which).width, 20)) < 1e-15
    assert gt.depth_bound(which, threshold=4).value == bound.value / 4


@pytest.mark.parametrize("which", UNBOUNDED_IN_CLASS_N)
def test_h_is_infinite_where_sigma_is_unbounded(which):
    bound = gt.depth_bound(which)
    assert (bound.value, bound.widens, bound.factor) == (oo, False, None)


def _size(record, p, q):
    return (q - p) * np.sqrt(np.abs(record.slope(p) * record.slope(q)))


@pytest.mark.parametrize("which", BOUNDED_IN_CLASS_N)
def test_no_pair_exceeds_h_and_the_stated_one_attains_it(which):
    bound, record = gt.depth_bound(which), gt.activation(which)
    z = np.unique(np.concatenate([np.linspace(-12, 12, 1201), np.geomspace(12, 1e8, 200), -np.geomspace(12, 1e8, 200)]))
    sizes = _size(record, z[:, None], z[None, :])
    assert sizes.max() <= float(bound.value) * (1 + 1e-12)
    assert sizes.max() >= float(bound.value) * (1 - 3e-2)
    p, q = (float(end.n()) if end.is_finite else float(sympy.sign(end)) * 1e12 for end in bound.pair)
    inside = 1e-9 * (q - p) if q < 1e9 else 0.0  # beside a jump of σ'
    assert _size(record, p + inside, q - inside) == pytest.approx(float(bound.value), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expr", "like"),
    [
        (1 / (1 + exp(-Z_)), "sigmoid"),
        (-tanh(Z_ / 5), "tanh"),
        (tanh(3 * Z_ - 1), "tanh"),
        (tanh(10**6 * Z_ + 7), "tanh"),
        (1 / (1 + exp(5 - Z_ / 1000)), "sigmoid"),
        (exp(-exp(-Z_)), "cloglog"),
        (Z_ / sqrt(1 + Z_**2), "isru"),
        (atan(3 * Z_), "arctan"),
        (Z_ / (1 + Abs(Z_)), "softsign"),
    ],
    ids=str,
)
def test_h_of_ones_own_is_that_of_the_catalogue(expr, like):
    own, known = gt.depth_bound(expr), gt.depth_bound(like)
    assert own.value.n(15) == pytest.approx(known.value.n(15), rel=1e-14)
    assert own.widens is known.widens
    assert like == "isru" or ("log-concave" in own.reason) is ("log-concave" in known.reason)  # isru by tangents too


def test_a_corner_that_turns_upwards_is_outside_class_n():
    bound = gt.depth_bound(Z_ + Z_ * Abs(Z_) / 2)
    assert (bound.value, bound.witness) == (None, 0)
    assert "turns upwards" in bound.reason


@pytest.mark.parametrize(
    ("left", "right", "pair"),
    slow_except(
        [],
        [(2, R(1, 3), (0, oo)), (R(1, 3), 2, (-oo, 0))],
    ),
)
def test_h_of_two_moebius_maps_is_the_longer_side(left, right, pair):
    bound = gt.depth_bound(Piecewise((Z_ / (1 - left * Z_), Z_ < 0), (Z_ / (1 + right * Z_), True)))
    assert (bound.value, bound.pair, bound.guarantee) == (3, pair, gt.Guarantee.EXACT)


@pytest.mark.parametrize("rate", [100, 10_000])
def test_a_narrow_place_outside_class_n_is_met(rate):
    witness = gt.depth_bound(atan(Z) + atan(rate * Z)).witness
    with mpmath.workdps(50):
        place = mpmath.mpf(witness.p) / witness.q
        first, second, third = (
            mpmath.diff(lambda z: mpmath.atan(z) + mpmath.atan(rate * z), place, n) for n in (1, 2, 3)
        )
        assert third / first > 1.5 * (second / first) ** 2


def test_outside_class_n_nothing_is_claimed():
    bound = gt.depth_bound("selu")
    assert (bound.value, bound.widens, bound.factor, bound.pair, bound.is_in_class_n) == (None, None, None, None, False)
    assert (bound.reason, bound.witness) == ("σ' jumps at z = 0", 0)
    assert repr(bound) == "selu is not in class N: σ' jumps at z = 0"


def test_a_staircase_that_repeats_jumps_and_is_not_of_class_n():
    staircase = Z + sympy.sign(sympy.sin(Z))
    assert not gt.depth_bound(staircase).is_in_class_n
    assert gt.total_explosion_bound(gt.Chain(2, [staircase, "tanh"])) is sympy.oo


def test_bad_input_is_refused():
    with pytest.raises(InvalidArgument, match="threshold"):
        gt.depth_bound("sigmoid", threshold=0)
    with pytest.raises(Undecided):
        gt.depth_bound(Z_ * sin(Z_))


# ---- chains


def _chains(count, seed):
    """Yield chains of class N, of depth 1 to 12, each with ten choices of weights of all sizes and of biases."""
    rng = np.random.default_rng(seed)
    inner = [name for name in (*BOUNDED_IN_CLASS_N, *UNBOUNDED_IN_CLASS_N) if name != "exponential"]
    for _ in range(count):
        shape = int(rng.integers(1, 13)), 10
        names = [*rng.choice(inner, shape[0] - 1), str(rng.choice(BOUNDED_IN_CLASS_N))]
        w = np.exp(rng.uniform(np.log(0.3), np.log(100), shape)) * rng.choice([-1, 1], shape)
        b = -w / 2 * (rng.random(shape) < 0.7) + rng.normal(0, 0.3, shape)  # mostly near the symmetric ones
        yield [gt.activation(str(name)) for name in names], w, b


_GRID = np.unique(np.concatenate([np.linspace(-2, 2, 161), np.geomspace(2, 1e4, 60), -np.geomspace(2, 1e4, 60)]))
_APART = _GRID[None, :] - _GRID[:, None]


def _largest_pairs(records, w, b):
    """Return the greatest |x - y|·√|f'(x)f'(y)| over a grid, for each column of w and b."""
    w, b = (np.asarray(rows)[:, :, None] for rows in (w, b))
    a, gradient = _GRID, 1.0
    with np.errstate(all="ignore"):
        for record, weight, bias in zip(records, w, b, strict=True):
            a, slope = record.value_and_slope(weight * a + bias)
            gradient = gradient * slope * weight
    roots = np.sqrt(np.abs(np.nan_to_num(gradient)))
    return np.array([np.max(_APART * row[:, None] * row) for row in roots])


@pytest.mark.parametrize("count", [30, pytest.param(1_000, marks=pytest.mark.slow)])
def test_no_chain_of_class_n_exceeds_h(count):
    closest = 0.0
    for records, w, b in _chains(count, seed=1):
        shares = _largest_pairs(records, w, b) / float(gt.depth_bound(records[-1]).value)
        assert max(shares) <= 1 + 1e-9, (records, w, b)
        closest = max(closest, *shares)
    assert closest > 0.99


def test_outside_class_n_chains_exceed_it():
    records = [gt.activation("sine"), gt.activation("sigmoid")]
    assert _largest_pairs(records, [[1.0], [12.0]], [[0.0], [0.0]])[0] > 100 * float(gt.depth_bound("sigmoid").value)


def test_softsign_doubles_at_depth_two():
    """f(x) = s((1 + A)·s(x) + A) is linear, with slope 1/(1 + A), on [-A, 0]: in rational numbers."""
    s, a = (lambda z: z / (1 + abs(z))), R(10**6)
    places = [-a, -a / 3, R(-1), R(0)]
    values = [s((1 + a) * s(x) + a) for x in places]
    for (x, y), (u, v) in itertools.pairwise(zip(places, values, strict=True)):
        assert (v - y) / (u - x) == 1 / (1 + a)
    assert a / (1 + a) > R(999_999, 10**6) * gt.depth_bound("softsign").value


def test_a_cloglog_chain_of_depth_two_is_wider_than_any_neuron():
    c = sympy.Rational(12, 25)
    set_ = gt.total_explosion_set(
        gt.Chain(2, "cloglog"), w=["0.52983", "-1473.77324"], b=["-6.10443", "3.96128"], threshold=c
    )
    assert gt.guarantee(set_) is gt.Guarantee.CERTIFIED
    assert gt.widest_explosion("cloglog").width < sympy.Rational("0.47977") < set_.measure * c
    assert set_.measure * c < gt.depth_bound("cloglog").value


def test_two_neurons_in_a_layer_exceed_what_one_can():
    """f(x) = σ(A(σ(x - d) + σ(x + d) - 1)): at x and -x both gradients are greater than K/(2x)."""
    x = sympy.Symbol("x", real=True)
    sigmoid = gt.activation("sigmoid").expr
    steep, apart, place = sympy.Rational("20.927"), 4, sympy.Rational("1.8947")
    inner = sigmoid.subs(Z, x - apart) + sigmoid.subs(Z, x + apart) - 1
    gradient = sigmoid.subs(Z, steep * inner).diff(x)
    for end in (place, -place):
        assert enclose(gradient, 128, {x: enclose(end, 128)}) * 2 * enclose(place, 128) > enclose(
            sympy.Rational("0.7"), 128
        )


def test_the_bound_of_a_chain_is_that_of_its_last_layer():
    assert gt.total_explosion_bound(gt.Chain(50, "sigmoid"), threshold=2) == gt.depth_bound("sigmoid").value / 2
    assert gt.total_explosion_bound(gt.Chain(3, ["relu", "elu", "cloglog"])) == gt.depth_bound("cloglog").value
    assert gt.total_explosion_bound(gt.Chain(2, ["leaky_relu", "tanh"])) == 2  # monotone: the length of the range
    assert gt.total_explosion_bound(gt.Chain(2, ["sine", "tanh"])) == oo
    assert gt.total_explosion_bound(gt.Chain(2, "relu")) == oo
    assert gt.total_explosion_theorem(gt.Chain(3, ["relu", "elu", "cloglog"])) == "H/c: all activations are in class N"
    assert "range of tanh" in gt.total_explosion_theorem(gt.Chain(2, ["leaky_relu", "tanh"]))
    assert gt.total_explosion_theorem(gt.Chain(2, ["sine", "tanh"])) == "none: sine is not monotone"


# ---- two inputs


def _by_mpmath(names, x, w, b):
    """Return f(x), f'(x) and the pre-activations, by mpmath from the formulas."""
    formulas = {"sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "tanh": mpmath.tanh, "arctan": mpmath.atan}
    a, gradient, layers = mpmath.mpf(x), mpmath.mpf(1), []
    for which, weight, bias in zip(names, w, b, strict=True):
        z = mpmath.mpf(weight) * a + mpmath.mpf(bias)
        a, gradient = formulas[which](z), gradient * mpmath.mpf(weight) * mpmath.diff(formulas[which], z)
        layers.append(z)
    return a, gradient, layers


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("names", [("sigmoid",) * 4, ("tanh", "sigmoid", "tanh"), ("arctan", "tanh")], ids=str)
def test_two_points_are_what_mpmath_finds(names, seed):
    rng = np.random.default_rng(seed)
    w, b = (np.round(rng.normal(0, scale, len(names)) * 8) / 8 for scale in (4, 1))
    x, y = (float(np.round(8 * each) / 8) for each in (rng.normal(), 3 + rng.normal()))
    both = gt.two_point(gt.Chain(len(names), list(names)), x, y, w=w, b=b, digits=30)
    with mpmath.workdps(60):
        (a, here, first), (c, there, second) = (_by_mpmath(names, place, w, b) for place in (x, y))
        left = abs(mpmath.mpf(y) - x) * mpmath.sqrt(abs(here * there))
        right = abs(c - a)
        for which, p, q in zip(names, first, second, strict=True):
            step = (q - p) * {"sigmoid": mpmath.mpf(1) / 2, "tanh": 1, "arctan": 0}[which]
            right *= step / mpmath.sinh(step) if step else 1
        for ours, theirs in (
            (both.left, left),
            (both.right, right),
            (both.gradient_at_x, here),
            (both.gradient_at_y, there),
        ):
            assert abs(sympy.Float(mpmath.nstr(theirs, 40), 40) / ours - 1) < 10**-25
    assert both.is_identity is ("arctan" not in names)
    assert both.left <= both.right * (1 + R(1, 10**28))
    assert abs(both.gradient_at_y) <= both.bound_at_y
    if both.is_identity:
        assert abs(both.left / both.right - 1) < 10**-28


def test_a_slope_that_is_0_outside_an_interval_makes_no_identity():
    cut = sympy.Max(-R(1, 2), sympy.Min(R(1, 2), tanh(Z_)))  # constant Schwarzian derivative where the slope is not 0
    for activation in (cut, "hard_tanh"):
        both = gt.two_point(gt.Chain(1, activation), 0, 3, w=[1], b=[0])
        assert both.left < both.right
        assert not both.is_identity
    assert gt.two_point(gt.Chain(1, "exponential"), 0, 3, w=[1], b=[0]).is_identity


def test_two_points_of_deep_chains_do_not_underflow():
    both = gt.two_point(gt.Chain(300, "sigmoid"), "0.1", "0.2", w=[1] * 300, b=[-1] * 300)
    assert 0 < both.left < sympy.Float("1e-150")
    assert abs(both.left / both.right - 1) < 1e-13


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.two_point(gt.Chain(2), 1, 1, w=[1, 1], b=[0, 0]), "y = 1: must differ from x"),
        (lambda: gt.two_point(gt.Chain(2), 0, 1, w=["1e300", "1e300"], b=[0, 1]), "^w = "),
        (
            lambda: gt.two_point(gt.Chain(2, "gelu"), 0, 1, w=[1, 1], b=[0, 0]),
            "must have activations of class N: of gelu",
        ),
        (lambda: gt.two_point(gt.Chain(2), 0, 1, w=[1], b=[0, 0]), "w = "),
        (lambda: gt.two_point(gt.Chain(2), 0, 1, w=[1, np.inf], b=[0, 0]), "finite"),
        (
            lambda: gt.two_point(gt.Chain(sympy.Symbol("L", integer=True)), 0, 1, w=[1], b=[0]),
            "depth = L: must be a number",
        ),
    ],
)
def test_bad_pairs_are_refused_in_one_line(call, said):
    with pytest.raises((InvalidArgument, Undecided), match=said):
        call()


def test_a_kink_at_an_input_is_undecided():
    with pytest.raises(Undecided, match="a layer of relu stands at z = 0"):
        gt.two_point(gt.Chain(2, "relu"), 0, 1, w=[1, 1], b=[0, 0])


def test_an_input_without_gradient_says_nothing_of_the_other():
    both = gt.two_point(gt.Chain(2, "relu6"), -1, 2, w=[1, 1], b=[0, 1])
    assert (float(both.left), float(both.gradient_at_x), both.bound_at_y) == (0.0, 0.0, None)


def test_a_slope_that_changes_its_sign_a_period_later_is_no_member():
    member = membership(gt.activation("sine"))  # |σ'| has period π, and σ' is positive on all of (-π/2, π/2)
    assert (member.is_member, member.reason) == (False, "σ' changes its sign at z = π/2")


def test_what_is_not_proven_to_be_bounded_is_not_called_unbounded(monkeypatch):
    record = gt.activation(tanh(Z_ / 7))
    monkeypatch.setitem(record.__dict__, "limits", (sympy.nan, sympy.Integer(1)))
    with pytest.raises(Undecided, match="bounded"):
        gt.depth_bound(record)
