"""Explosion sets, widths and critical weights against |σ'(wx + b)·w| > c at many digits."""

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.arithmetic.enclosure import sign as proven_sign
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, NoClosedForm, Undecided
from gradtheory.explosion.superlevel import Component, Periodic, as_set
from tests import oracle
from tests.conftest import closed_form
from tests.shapes import SHAPES

_TINY = sympy.Rational(1, 10**20)
_rationals = st.fractions(min_value=-60, max_value=60, max_denominator=1000)
_thresholds = st.fractions(min_value="1/50", max_value=8, max_denominator=100)


def explodes(name, x, w, b, c):
    """Evaluate |σ'(wx + b)·w| - c from the definition and return whether it is positive."""
    with mpmath.workdps(200):
        z = oracle.as_mpf(w) * oracle.as_mpf(x) + oracle.as_mpf(b)
        return abs(oracle.slope(name, z, digits=60)) * abs(oracle.as_mpf(w)) > oracle.as_mpf(c)


def ends_of(set_):
    """Return the finite ends; of a set that repeats, those of one period and of the next."""
    if isinstance(set_, Periodic):
        ends = {end + k * set_.period for end in set_.base.boundary for k in (0, 1)}
    else:
        ends = {end for end in set_.boundary if end.is_finite}
    return sorted(ends, key=lambda end: end.n(30))


@pytest.mark.sampled(6)
@pytest.mark.quick_for(*(shape for shape in SHAPES if shape not in ("gelu", "gaussian")))
@given(strict=st.booleans(), w=_rationals, b=_rationals, c=_thresholds, x=_rationals)
def test_membership_is_the_inequality(shape, strict, w, b, c, x):
    w, b, c, x = map(sympy.Rational, (w, b, c, x))
    set_ = gt.explosion_set(shape, w=w, b=b, threshold=c, strict=strict)
    probes = [x, -b / w + _TINY if w else x]
    for end in ends_of(set_):
        near = sympy.Rational(str(end.n(60)))
        probes += [near - _TINY, near + _TINY, near + sympy.Rational(1, 1000)]
    kinks = gt.activation(shape).kinks
    for probe in probes:
        if w * probe + b in kinks:
            assert probe not in set_
        elif not is_tie(shape, w, c, probe, b):
            assert (probe in set_) == explodes(shape, probe, w, b, c), probe


def is_tie(name, w, c, x, b):
    """Where |σ'|·|w| = c on a whole piece, strict and not strict differ; other tests decide those."""
    z = w * x + b
    with mpmath.workdps(100):
        return abs(abs(oracle.slope(name, z, digits=60)) * abs(oracle.as_mpf(w)) - oracle.as_mpf(c)) < 1e-55


@given(name=st.deferred(lambda: st.sampled_from(closed_form())), w=_rationals, b=_rationals, c=_thresholds)
def test_width_is_the_measure_whatever_the_bias_and_sign(name, w, b, c):
    set_ = gt.explosion_set(name, w=w, b=b, threshold=c)
    width = gt.explosion_width(name, w, threshold=c)
    assert width == gt.explosion_width(name, -w, threshold=c)
    if width is not sympy.oo:
        assert abs((set_.measure - width).n(30, chop=True)) < sympy.Float("1e-25")
    else:
        assert set_.measure is sympy.oo


@pytest.mark.only(lambda record: record.steepest_slope is sympy.oo)
def test_where_the_slope_is_unbounded_every_weight_but_0_explodes(name):
    assert gt.critical_weight(name, threshold="3/2") == 0
    for w in (0, "1e-30", "-1e-30"):
        assert (gt.explosion_set(name, w=w, threshold="3/2") is sympy.S.EmptySet) == (w == 0)
        assert gt.explosion_width(name, w, threshold="3/2") == (0 if w == 0 else sympy.oo)


@pytest.mark.only(lambda record: record.steepest_slope is not sympy.oo)
def test_critical_weight_is_sharp(name):
    critical = gt.critical_weight(name, threshold="3/2")
    below, above = critical * (1 - _TINY), critical * (1 + _TINY)
    for sign in (1, -1):
        for w in (below, critical):
            assert gt.explosion_set(name, w=sign * w, b="1/3", threshold="3/2") is sympy.S.EmptySet
            assert gt.explosion_width(name, sign * w, threshold="3/2") == 0
        assert gt.explosion_set(name, w=sign * above, b="1/3", threshold="3/2") is not sympy.S.EmptySet
        width = gt.explosion_width(name, sign * above, threshold="3/2")
        assert width is sympy.oo or proven_sign(width) > 0
        assert gt.explosion_set(name, w=sign * below, threshold="3/2", strict=False) is sympy.S.EmptySet


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("sigmoid", sympy.FiniteSet(0)),
        ("tanh", sympy.FiniteSet(0)),
        ("erf", sympy.FiniteSet(0)),
        ("gaussian", sympy.FiniteSet(-sympy.exp(-sympy.S.Half), sympy.exp(-sympy.S.Half))),
        ("softplus", sympy.S.EmptySet),  # σ' tends to 1 and never reaches it
        ("selu", sympy.S.EmptySet),  # its supremum is a limit at the kink
        ("relu", sympy.Interval.open(0, sympy.oo)),
        ("leaky_relu", sympy.Interval.open(0, sympy.oo)),
        ("elu", sympy.Interval(0, sympy.oo)),  # σ'(0) = 1 from both sides: no kink
        ("identity", sympy.S.Reals),
        ("hard_tanh", sympy.Interval.open(-1, 1)),
        ("hard_sigmoid", sympy.Interval.open(-sympy.S.Half, sympy.S.Half)),
    ],
)
def test_at_the_critical_weight_without_strictness(which, expected):
    critical = gt.critical_weight(which)
    set_ = gt.explosion_set(which, w=critical, strict=False)
    assert set_ == expected or sympy.simplify(set_.symmetric_difference(expected)) is sympy.S.EmptySet


@pytest.mark.parametrize(
    ("which", "w", "expected"),
    [
        ("relu", -2, sympy.Interval.open(-sympy.oo, sympy.S.Half)),
        ("leaky_relu", 100, sympy.Interval.open(-sympy.S(1) / 100, sympy.oo)),
        (
            "leaky_relu",
            101,
            sympy.Union(
                sympy.Interval.open(-sympy.oo, -sympy.S(1) / 101), sympy.Interval.open(-sympy.S(1) / 101, sympy.oo)
            ),
        ),
        ("hard_tanh", 2, sympy.Interval.open(-1, 0)),
        ("identity", 2, sympy.S.Reals),
        ("sigmoid", 0, sympy.S.EmptySet),
        ("softsign", 4, sympy.Interval.open(-sympy.S.Half, 0)),
    ],
)
def test_kinks_and_unbounded_answers(which, w, expected):
    assert gt.explosion_set(which, w=w, b=1) == expected


_FLAT_NEAR_ZERO = ("gaussian", "hardshrink", "softshrink", "threshold")


@pytest.mark.quick_for("gaussian", "hardshrink", "log_cosh", "quadratic", "selu", "sigmoid", "snake")
@pytest.mark.parametrize("w", ["1e-308", 5e-324, -1.7976931348623157e308])
def test_huge_and_tiny_weights(shape, w):
    exact = sympy.Rational(str(w)) if isinstance(w, str) else sympy.Rational(*w.as_integer_ratio())
    set_, width = gt.explosion_set(shape, w=w), gt.explosion_width(shape, w)
    if abs(exact) < 1:
        assert (set_ is sympy.S.EmptySet) == (gt.critical_weight(shape) > 0)
    else:
        assert width > 0
        assert sympy.Rational(1, 10**400) in gt.explosion_set(shape, w=abs(exact)) or shape in _FLAT_NEAR_ZERO


@given(c=_thresholds, w=_rationals)
def test_threshold_scales_the_weight(c, w):
    c, w = sympy.Rational(c), sympy.Rational(w)
    assert gt.explosion_width("sigmoid", c * w, threshold=c) == gt.explosion_width("sigmoid", w) / c


def test_irrational_weights_are_exact():
    assert gt.explosion_set("erf", w=sympy.sqrt(sympy.pi) / 2) is sympy.S.EmptySet
    assert gt.explosion_set("erf", w=sympy.sqrt(sympy.pi) / 2, strict=False) == sympy.FiniteSet(0)
    width = gt.explosion_width("sigmoid", 4 * sympy.cosh(1) ** 2)
    assert abs((width - 1 / sympy.cosh(1) ** 2).n(30, chop=True)) < sympy.Float("1e-29")


def test_a_float_is_its_exact_binary_value():
    assert gt.explosion_set("relu", w=2, b=0.1).start == -sympy.Rational(*(0.1).as_integer_ratio()) / 2
    assert gt.explosion_set("relu", w=2, b="0.1").start == -sympy.Rational(1, 20)


@pytest.mark.sampled(6)
@settings(max_examples=5)
@given(w=_rationals, b=_rationals, c=_thresholds)
def test_formula_is_the_set(shape, w, b, c):
    formula = gt.explosion_formula(shape)
    values = dict(zip((formula.w, formula.b, formula.c), map(sympy.Rational, (w, b, c)), strict=True))
    exact = gt.explosion_set(shape, w=w, b=b, threshold=c)
    assert (exact is not sympy.S.EmptySet) == bool(formula.condition.subs(values))
    holding = [regime for regime in formula.regimes if regime.condition.subs(values) == True]  # noqa: E712  # SymPy's true
    assert len(holding) == (exact is not sympy.S.EmptySet)
    for case in holding:
        stated = [tuple(end.subs(values) for end in interval) for interval in case.intervals]
        if case.period is not None:
            assert Periodic(as_set([Component(*each) for each in stated]), case.period.subs(values)) == exact
            assert formula.width is sympy.oo
            continue
        finite = [end for interval in stated for end in interval if end.is_finite]
        for ours, theirs in zip(sorted(set(finite), key=lambda e: e.n(30)), ends_of(exact), strict=True):
            assert abs((ours - theirs).n(30, chop=True)) < sympy.Float("1e-25")
        width = case.width.subs(values)
        assert width == gt.explosion_width(shape, w, threshold=c) or abs(
            (width - gt.explosion_width(shape, w, threshold=c)).n(30, chop=True)
        ) < sympy.Float("1e-25")
        assert formula.lower.subs(values) == stated[0][0]
        assert formula.upper.subs(values) == stated[-1][1]


_ABOVE_0 = r"- \frac{b}{w} < x < \infty"
_BELOW_0 = r"-\infty < x < - \frac{b}{w}"
_FOUR_THIRDS = r"\frac{4 c}{3}"


@pytest.mark.parametrize(
    ("which", "lines", "latex"),
    [
        (
            "identity",
            ["-oo < x < oo  if Abs(w) > c"],
            r"-\infty < x < \infty \quad (\left|{w}\right| > c)",
        ),
        (
            "leaky_relu(3/4)",
            [
                "-b/w < x < oo  if (w > c) & (w <= 4*c/3)",
                "-oo < x < -b/w  if (-w > c) & (-w <= 4*c/3)",
                "-oo < x < -b/w or -b/w < x < oo  if Abs(w) > 4*c/3",
            ],
            rf"\begin{{cases}} {_ABOVE_0} & \text{{if }} c < w \le {_FOUR_THIRDS} \\ {_BELOW_0}"
            rf" & \text{{if }} c < - w \le {_FOUR_THIRDS} \\ {_BELOW_0} \;\text{{or}}\; {_ABOVE_0}"
            rf" & \text{{if }} \left|{{w}}\right| > {_FOUR_THIRDS} \end{{cases}}",
        ),
        (
            "exponential",
            ["-b/w + log(c/w)/w < x < oo  if w > 0", "-oo < x < -b/w + log(-c/w)/w  if -w > 0"],
            r"\begin{cases} - \frac{b}{w} + \frac{\ln\left(c / w\right)}{w} < x < \infty & \text{if } w > 0 \\ "
            r"-\infty < x < - \frac{b}{w} + \frac{\ln\left(- c / w\right)}{w} & \text{if } - w > 0 \end{cases}",
        ),
        (
            "elu",
            ["-b/w - log(w/c)/w < x < oo  if w > c", "-oo < x < -b/w - log(-w/c)/w  if -w > c"],
            r"\begin{cases} - \frac{b}{w} - \frac{\ln\left(w / c\right)}{w} < x < \infty & \text{if } w > c \\ "
            r"-\infty < x < - \frac{b}{w} - \frac{\ln\left(- w / c\right)}{w} & \text{if } - w > c \end{cases}",
        ),
        (
            "sine",
            [
                "-b/w - atan(sqrt(-1 + w**2/c**2))/Abs(w) < x + k*pi/Abs(w) < -b/w + atan(sqrt(-1 + w**2/c**2))/Abs(w)"
                " for some integer k  if Abs(w) > c"
            ],
            r"- \frac{b}{w} - \frac{\arctan\left(\sqrt{w^{2} / c^{2} - 1} \right)}{\left|{w}\right|} < "
            r"x + \frac{\pi}{\left|{w}\right|}\, k < "
            r"- \frac{b}{w} + \frac{\arctan\left(\sqrt{w^{2} / c^{2} - 1} \right)}{\left|{w}\right|}"
            r" \;\text{for some}\; k \in \mathbb{Z} \quad (\left|{w}\right| > c)",
        ),
    ],
)
def test_formulas_in_words(which, lines, latex):
    formula = gt.explosion_formula(which)
    heading, *cases = str(formula).splitlines()
    assert heading == f"|σ'(w*x + b)*w| > c for σ = {gt.activation(which).name}:"
    assert cases == [f"  {line}" for line in lines]
    assert formula.width is sympy.oo
    sigma = gt.activation(which).symbol
    assert formula.latex() == rf"\left|{sigma}'(w x + b)\,w\right| > c \iff {latex}"
    assert formula._repr_latex_() == f"$\\displaystyle {formula.latex()}$"


def test_formula_prints(shape):
    formula = gt.explosion_formula(shape)
    assert r"\iff" in formula.latex()
    assert f"{gt.activation(shape).symbol}'(w x + b)" in formula.latex()
    assert formula._repr_latex_().startswith("$")
    assert f"σ = {shape}" in str(formula)
    assert {symbol.name for symbol in formula.width.free_symbols} <= {"w", "c"}


@pytest.mark.slow
@pytest.mark.parametrize("distance", [8, 15, 30, 60, 100, 200])
def test_just_above_the_critical_weight_the_gaussian_keeps_its_digits(distance):
    """Near its maximum |σ'| is a parabola, and Lambert's W has a branch point there."""
    w = gt.critical_weight("gaussian") * (1 + sympy.Rational(1, 10**distance))
    assert all(end.n(30).is_real for end in ends_of(gt.explosion_set("gaussian", w=w)))
    width = gt.explosion_width("gaussian", w)
    exact = rounded(width, 100)
    assert abs((width.n(20) - exact) / exact) < 1e-15


def test_membership_just_above_the_critical_weight(shape):
    w = gt.critical_weight(shape) * (1 + sympy.Rational(1, 10**30))
    set_ = gt.explosion_set(shape, w=w)
    for end in ends_of(set_):
        near = sympy.Rational(str(rounded(end, 300)))
        for probe in (near - _TINY, near + _TINY, near - sympy.Rational(1, 10**18), near + sympy.Rational(1, 10**18)):
            if w * probe not in gt.activation(shape).kinks:
                assert (probe in set_) == explodes(shape, probe, w, 0, 1), probe


def test_membership_is_decided_one_ulp_above_critical():
    set_ = gt.explosion_set("gaussian", w=1.1658219907985623)
    assert set_.contains(sympy.Rational("0.606530659716")) in (sympy.true, sympy.false)


@pytest.mark.parametrize("which", ["elu", "selu", "celu"])
@pytest.mark.parametrize("distance", [10, 18, 25, 40, 100])
def test_logarithms_of_numbers_next_to_1_keep_their_digits(which, distance):
    """SymPy rounds the argument of a logarithm first: the ends were wrong by 1e-20."""
    nudge = sympy.Rational(1, 10**distance)
    top = gt.activation(which).profile.branches[0].steepest
    set_ = gt.explosion_set(which, w=(1 + nudge) / top)
    end = set_.inf * (1 + nudge) / top
    assert -nudge < end < -nudge * (1 - nudge)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.explosion_set("tanh", 1, threshold=0), "threshold = 0: must be positive"),
        (lambda: gt.explosion_width("tanh", 1, threshold=0), "threshold = 0: must be positive"),
        (lambda: gt.critical_weight("tanh", threshold=0), "threshold = 0: must be positive"),
        (lambda: gt.widest_explosion("tanh", threshold=0), "threshold = 0: must be positive"),
        (
            lambda: gt.widest_explosion("tanh", component="short"),
            "component = 'short': must be one of 'total', 'longest'",
        ),
        (lambda: gt.explosion_width("tanh", "q"), "w = 'q': must be one finite real number"),
        (lambda: gt.explosion_set("tanh", 1, b="q"), "b = 'q': must be one finite real number"),
        (lambda: gt.exploding_weights("tanh", x="q"), "x = 'q': must be one finite real number"),
        (
            lambda: gt.explosion_set("tanh", 1, method="best"),
            "method = 'best': must be one of 'auto', 'closed_form', 'certified'",
        ),
        (
            lambda: gt.explosion_width("tanh", 1, method="best"),
            "method = 'best': must be one of 'auto', 'closed_form', 'certified'",
        ),
        (lambda: gt.explosion_set("tanh", 1, digits="many"), "digits = 'many': must be an int from 10 to 100000"),
        (lambda: gt.explosion_set("tanh", 1, digits=True), "digits = True: must be an int from 10 to 100000"),
        (lambda: gt.explosion_width("tanh", 1, digits=1), "digits = 1: must be an int from 10 to 100000, such as 1000"),
        (lambda: gt.exploding_biases("tanh", w="q", x=0), "w = 'q': must be one finite real number"),
        (lambda: gt.exploding_biases("tanh", w=1, x="q"), "x = 'q': must be one finite real number"),
        (lambda: gt.exploding_weights("tanh", x=0, b="q"), "b = 'q': must be one finite real number"),
        (lambda: gt.exploding_weights("tanh", x=0, method="best"), "method = 'best': must be one of"),
        (lambda: gt.explosion_width("tanh", 0, method="best"), "method = 'best': must be one of"),
        (
            lambda: gt.explosion_set("tanh", 1, domain=(2, 1)),
            "domain = (2, 1): must be a SymPy Interval or a pair of numbers in order, such as (0, 1)",
        ),
        (lambda: gt.explosion_set("tanh", 1, domain=("q", 1)), "domain[0] = 'q': must be one finite real number"),
        (lambda: gt.explosion_set("tanh", 1, domain=(1, "q")), "domain[1] = 'q': must be one finite real number"),
        (
            lambda: gt.explosion_set("sine", 2, domain=sympy.Interval(0, sympy.oo)),
            "domain = '(0, oo)': must be bounded for a periodic slope",
        ),
    ],
)
def test_refusals_name_the_argument_its_value_and_the_rule(call, said):
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert str(caught.value).startswith(said)


def test_widths_take_the_method_and_the_digits():
    with pytest.raises(NoClosedForm):
        gt.explosion_width("gelu", "0.9", method="closed_form")
    assert not gt.explosion_width("tanh", 2).has(Root)
    assert gt.explosion_width("tanh", 2, method="certified").has(Root)
    nearly = 1 / sympy.sqrt(1 - sympy.Rational(1, 10**300))
    assert proven_sign(gt.explosion_width("tanh", nearly)) > 0
    with pytest.raises(Undecided):
        gt.explosion_width("tanh", nearly, digits=60)


@pytest.mark.parametrize("x", [1, -1])
def test_sets_of_weights_have_their_ends_where_they_are_not_strict(x):
    for strict, interval in ((True, sympy.Interval.open), (False, sympy.Interval)):
        set_ = gt.exploding_weights("arctan", x=x, threshold="2/5", strict=strict)
        assert set_ == sympy.Union(interval(-2, -sympy.S.Half), interval(sympy.S.Half, 2))
        set_ = gt.exploding_weights("tanh", x=0, strict=strict)
        assert set_ == sympy.Union(*(interval(*ends) for ends in ((-sympy.oo, -1), (1, sympy.oo))))
