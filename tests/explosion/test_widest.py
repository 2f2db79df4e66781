"""The widest explosion: golden digits, no weight does better, scaling laws."""

import dataclasses
import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion import widest_search
from tests import oracle
from tests.conftest import closed_form

# Maxima of 2·z·σ'(z) over z > 0 (for gaussian: of t·m(t)), found by mpmath alone: see _maximum below.
_GOLDEN = {
    "sigmoid": ("0.447743204694302849178324240970", "6.89415103227292801421200435307"),
    "tanh": ("0.895486409388605698356648481939", "1.72353775806823200355300108827"),
    "arctan": ("1", "2"),
    "softsign": ("0.5", "4"),
    "erf": ("0.967882898076573399191320771742", "1.46114118266113893227081153805"),
    "gudermannian": ("1.32548683869836316194948419422", "1.81017058069897727451282921240"),
    "isru": ("0.769800358919501019345531707336", "1.83711730708738357364796305603"),
    "lecun_tanh": ("1.53656512986990851781017313016", "1.50667675103581094779969790338"),
}


def _maximum(name):
    """Maximise z ↦ 2·z·σ'(z) for a bell-shaped slope, by setting the derivative of its logarithm to zero."""
    with mpmath.workdps(60):

        def stationary(z):
            step = mpmath.mpf(10) ** -20
            left, right = (mpmath.log(oracle.slope(name, sympy.Float(str(z + d), 60))) for d in (-step, step))
            return 1 + z * (right - left) / (2 * step)

        z = mpmath.findroot(stationary, (0.5, 1.7), solver="anderson", tol=1e-30)
        slope = oracle.slope(name, sympy.Float(str(z), 60))
        return 2 * z * slope, 1 / slope


@pytest.mark.parametrize("bell", sorted(_GOLDEN))
def test_golden_digits(bell):
    widest = gt.widest_explosion(bell)
    for ours, golden, by_mpmath in zip((widest.width, widest.weight), _GOLDEN[bell], _maximum(bell), strict=True):
        assert abs(ours - sympy.Rational(golden)).n(40) < sympy.Float("1e-28")
        assert abs(mpmath.mpf(golden) - by_mpmath) < 1e-14
    assert widest.is_attained


@pytest.mark.parametrize(
    ("which", "width", "weight"),
    [
        ("arctan", 1, 2),
        ("softsign", sympy.S.Half, 4),
        ("erf", 2 * sympy.sqrt(2) * sympy.exp(-sympy.S.Half) / sympy.sqrt(sympy.pi), None),
    ],
)
def test_exact_ones_are_exact(which, width, weight):
    widest = gt.widest_explosion(which)
    assert widest.width == width
    assert weight is None or widest.weight == weight
    assert widest.guarantee is gt.Guarantee.EXACT


def test_the_sigmoid_is_certified_by_its_equation():
    widest = gt.widest_explosion("sigmoid")
    assert widest.guarantee is gt.Guarantee.CERTIFIED
    s = widest.equation.free_symbols.pop()
    assert widest.equation == sympy.Eq(s * sympy.tanh(s), sympy.S.Half)
    assert repr(widest).endswith("s*tanh(s) = 1/2 (certified)")
    assert r"\max_w" in widest.latex()
    assert widest._repr_latex_().startswith("$")


@pytest.mark.parametrize(
    ("which", "more", "said", "latex"),
    [
        ("arctan", {}, "1 at |w| = 2; s**2 = 1 (exact)", r"\max_w |X_w| = 1,\quad |w| = 2,\quad s^{2} = 1"),
        ("hard_tanh", {"threshold": 2}, "1 as |w| tends to 2 (exact)", r"\sup_w |X_w| = 1,\quad |w| \to 2"),
        ("arsinh", {}, "2 as |w| tends to oo (exact)", r"\sup_w |X_w| = 2,\quad |w| \to \infty"),
        ("sine", {}, "oo as |w| tends to 1; σ' is periodic (exact)", r"\sup_w |X_w| = \infty,\quad |w| \to 1"),
        (
            "relu",
            {"threshold": 3},
            "oo as |w| tends to 3; σ' does not fade (exact)",
            r"\sup_w |X_w| = \infty,\quad |w| \to 3",
        ),
        ("exponential", {}, "oo as |w| tends to 0; σ' is unbounded (exact)", r"\sup_w |X_w| = \infty,\quad |w| \to 0"),
        ("gelu", {}, "oo at |w| = 1; σ' does not fade (exact)", r"\max_w |X_w| = \infty,\quad |w| = 1"),
        (gt.expression("log(1 + exp(-z))"), {}, "oo as |w| tends to 1; σ' does not fade (exact)", None),
        (gt.expression("exp(-z)"), {}, "oo as |w| tends to 0; σ' is unbounded (exact)", None),
        ("identity", {"component": "longest"}, "oo as |w| tends to 1; σ' does not fade (exact)", None),
        (
            "sine",
            {"component": "longest"},
            "2*t*atan(sqrt(-1 + t**(-2))) = 1.12219267638209 at |w| = 1/t = 1.53330815131153; "
            "t*Derivative(m(t), t) + m(t) = 0 (certified)",
            None,
        ),
        (
            "sine",
            {"component": "longest", "threshold": 2},
            "t*atan(sqrt(-1 + t**(-2))) = 0.561096338191045 at |w| = 2/t = 3.06661630262306; "
            "t*Derivative(m(t), t) + m(t) = 0 (certified)",
            None,
        ),
    ],
)
def test_results_in_words(which, more, said, latex):
    widest = gt.widest_explosion(which, **more)
    assert repr(widest) == said
    assert (widest.activation, widest.threshold) == (gt.activation(which), more.get("threshold", 1))
    assert widest.is_attained is ("tends" not in said)
    assert latex is None or widest.latex() == latex
    assert widest._repr_latex_() == f"$\\displaystyle {widest.latex()}$"


def test_the_widest_set_of_steps_lies_below_one_of_them():
    two = gt.expression("Max(0, Min(1, z)) + Max(0, Min(6, 2*z - 10)) + Max(0, Min(4, z - 20))")
    both = [gt.widest_explosion(two, component=each) for each in ("total", "longest")]
    assert [(each.width, each.weight, each.is_attained) for each in both] == [(8, 1, False), (6, sympy.S.Half, False)]
    assert gt.widest_explosion("hard_tanh", component="longest") == gt.widest_explosion("hard_tanh")


def test_a_formula_too_long_to_read_is_left_out():
    long = sympy.Add(*map(sympy.sqrt, sympy.primerange(100)))
    said = repr(dataclasses.replace(gt.widest_explosion("arctan"), width=long, weight=sympy.sqrt(2)))
    assert said == "150.288483412930 at |w| = sqrt(2) = 1.41421356237310; s**2 = 1 (exact)"


def test_no_weight_does_better(shape):
    widest = gt.widest_explosion(shape, threshold="3/2")
    critical = gt.critical_weight(shape, threshold="3/2")
    for stretch in np.concatenate([1 + np.geomspace(1e-9, 1, 12), np.geomspace(2.1, 1e6, 12)]):
        width = gt.explosion_width(shape, critical * sympy.Rational(float(stretch)), threshold="3/2")
        assert width is sympy.oo or float(width) <= float(widest.width) * (1 + 1e-12)


def test_the_width_at_the_weight(name):
    widest = gt.widest_explosion(name)
    if widest.width.is_infinite and widest.weight != 0:
        assert widest.is_attained is bool(gt.explosion_width(name, widest.weight).is_infinite)
    elif widest.is_attained:
        at = gt.explosion_width(name, widest.weight)
        assert abs((at - widest.width).n(25)) < sympy.Float("1e-22")
    elif widest.weight is sympy.oo:
        assert abs(float(gt.explosion_width(name, 10**9)) - float(widest.width)) < 1e-8
    else:
        just_above = widest.weight * (1 + sympy.Rational(1, 10**12)) or sympy.Rational(1, 10**12)
        width = gt.explosion_width(name, just_above)
        assert width == widest.width or abs(float(width) - float(widest.width)) < 1e-10
        assert "tends to" in repr(widest)
        assert r"\sup_w" in widest.latex()


def test_infinite_where_the_slope_does_not_fade():
    for name in ("relu", "leaky_relu", "elu", "selu", "softplus", "identity", "bent_identity", "log_cosh"):
        assert gt.widest_explosion(name).width is sympy.oo
    for name in ("exponential", "quadratic"):  # every weight but 0
        assert (gt.widest_explosion(name).width, gt.widest_explosion(name).weight) == (sympy.oo, 0)
    assert gt.widest_explosion("arsinh").weight is sympy.oo


@given(name=st.deferred(lambda: st.sampled_from(closed_form())), c=st.fractions("1/100", 100, max_denominator=100))
def test_threshold_scales_width_and_weight(name, c):
    one, scaled = gt.widest_explosion(name), gt.widest_explosion(name, threshold=c)
    for ours, theirs in (
        (scaled.width, one.width / sympy.Rational(c)),
        (scaled.weight, one.weight * sympy.Rational(c)),
    ):
        assert ours == theirs or abs((ours - theirs).n(25)) < sympy.Float("1e-20")


def test_tanh_is_twice_the_sigmoid():
    tanh, sigmoid = (gt.widest_explosion(each).width.n(60) for each in ("tanh", "sigmoid"))
    assert abs(tanh - 2 * sigmoid) < sympy.Float("1e-58")


def test_results_can_be_pickled(name):
    widest = gt.widest_explosion(name)
    assert pickle.loads(pickle.dumps(widest)) == widest


# The steps of the proof by branch and bound, on the sigmoid: t·m(t) is greatest at t = 0.14505…, and 0.44774… there.
_SEARCH = widest_search.Supremum(gt.activation("sigmoid"))
_BEST = enclose(gt.widest_explosion("sigmoid").width, 96)
_WIDE = _BEST + (enclose(sympy.Rational(-1, 10), 96)).union(enclose(sympy.Rational(1, 10), 96))


@pytest.mark.parametrize(
    ("low", "high", "best", "settled"),
    [
        ("1/50", "3/100", _BEST, True),  # the bound is less than the best value
        ("1/10", "3/25", _BEST, True),  # it rises there
        ("27/200", "7/50", _BEST, True),  # slowly
        ("9/50", "1/5", _BEST, True),  # it falls
        ("1/4", "3/10", _BEST, True),  # nothing is as steep
        ("7/50", "3/20", _BEST, False),  # the maximum
        ("9/50", "3/10", _BEST, False),  # no one formula holds there
        ("7/50", "3/20", _WIDE, False),  # the bound lies between the ends of what is known of the best value
    ],
)
def test_levels_are_settled_that_cannot_hold_the_maximum(low, high, best, settled):
    assert _SEARCH._is_settled(sympy.Rational(low), sympy.Rational(high), best) is settled


@pytest.mark.parametrize("best", [_BEST, _WIDE])
def test_the_tail_begins_where_its_bound_is_less_than_the_best_value(best):
    # t·m(t) + V(t) is 0.463 at 1/16 and 0.277 at 1/32.
    assert _SEARCH._tail_start(sympy.Rational(1, 8), best) == sympy.Rational(1, 32)


def test_the_variation_of_the_tails_is_what_the_values_go_there():
    assert _SEARCH._variation_below(sympy.Rational(1, 5)).overlaps(enclose(1 - 1 / sympy.sqrt(5), 96))
    assert (
        widest_search.Supremum(gt.activation("softsign"))
        ._variation_below(sympy.Rational(1, 4))
        .overlaps(enclose(sympy.S.One, 96))
    )


def test_one_formula_stands_for_levels_between_limits_of_the_slope():
    for low, high, is_one in (
        ("1/5", "3/10", False),
        ("1/5", "1/4", False),
        ("1/4", "3/10", False),
        ("1/8", "1/5", True),
    ):
        assert _SEARCH._has_limits(sympy.Rational(low), sympy.Rational(high)) != is_one


def test_a_single_stationary_level_is_found_where_there_is_one():
    place = _SEARCH._stationary(sympy.Rational(7, 50), sympy.Rational(3, 20), _BEST)
    level, product = place.level, place.value
    assert abs(1 / level.n(30) - gt.widest_explosion("sigmoid").weight.n(30)) < sympy.Float("1e-25")
    assert product.subs(product.free_symbols.pop(), sympy.Rational(1, 8)) == sympy.asinh(1) / 2
    assert _SEARCH._stationary(sympy.Rational(1, 10), sympy.Rational(3, 25), _BEST) is None


def test_the_measure_is_the_total_or_the_longest():
    total, longest = (
        widest_search.Supremum(gt.activation("gaussian"), is_longest)._measure_at(sympy.S.Half)
        for is_longest in (False, True)
    )
    assert total.overlaps(2 * longest)
    assert total > 2


def test_rational_bounds_of_a_number():
    root = sympy.sqrt(2)
    assert widest_search._rational_below(root) < root < widest_search._rational_above(root)


@pytest.mark.parametrize(
    ("search", "said"),
    [
        pytest.param(
            lambda: _SEARCH._tail_start(sympy.Rational(1, 8), enclose(sympy.S.Zero, 96)),
            "the widest explosion of sigmoid is not decided: t·m(t) is not proven to fade as t tends to 0",
            marks=pytest.mark.slow,
        ),
        (
            lambda: widest_search.Supremum(gt.activation("arsinh")).greatest(),
            "the limits of arsinh are infinite, or not found: its variation does not bound the widths",
        ),
    ],
)
def test_a_search_that_finds_no_proof_says_why(search, said):
    with pytest.raises(Undecided) as caught:
        search()
    assert str(caught.value) == said


def test_an_infinite_width_is_no_maximum_to_mark():
    widest = gt.widest_explosion("gelu")
    assert (widest.is_attained, widest.is_maximum) == (True, False)
    assert gt.widest_explosion("sigmoid").is_maximum
    assert "place" not in {step.rule for step in gt.derive("weak_norm", activation="gelu").steps}
    with pytest.raises(InvalidArgument, match="has no widest explosion to mark"):
        gt.plots.width_over_weight("gelu")
