"""Widest explosions that are approached at a limit of |σ'|, where components join or a branch is flat."""

import itertools

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.errors import Undecided
from gradtheory.explosion import widest_search

_CORNERS = (
    ("-31", "0"),
    ("-30.9", "0.040"),
    ("-17.6", "0.041"),
    ("-15", "1"),
    ("-12.4", "0.041"),
    ("-0.1", "0.0405"),
    ("0", "0.029"),
    ("0.1", "0.0405"),
    ("30.9", "0.040"),
    ("31", "0"),
)


def _with_slope(corners):
    """Return the activation whose slope is linear between these corners."""
    points = [(sympy.Rational(z), sympy.Rational(slope)) for z, slope in corners]
    rates = [(b - a) / (q - p) for (p, a), (q, b) in itertools.pairwise(points)]
    bends = [after - before for before, after in zip((0, *rates), (*rates, 0), strict=True)]
    return sympy.Add(*(bend * sympy.Max(0, Z - p) ** 2 / 2 for bend, (p, _) in zip(bends, points, strict=True)))


@pytest.mark.slow
def test_two_components_that_join_are_longer_than_each():
    # Below t = 0.029 the set from -31 to 31 is one interval, all but 62 long; above, it is cut at 0.
    sigma = _with_slope(_CORNERS)
    widest = gt.widest_explosion(sigma, component="longest")
    assert repr(widest) == "358759/200000 as |w| tends to 1000/29 (exact)"
    assert widest.width > sympy.Rational(173208, 10**5) == gt.explosion_set(sigma, sympy.Rational(1000, 28)).measure
    just_above = gt.explosion_set(sigma, widest.weight * (1 + sympy.Rational(1, 10**9)))
    assert 0 < widest.width - just_above.measure < sympy.Rational(1, 10**7)
    assert isinstance(gt.explosion_set(sigma, widest.weight), sympy.Union)


_TRAPEZIUM = _with_slope([("-1", "0"), ("0", "1"), ("9", "1"), ("10", "0")])
_VALLEY = _with_slope([("-2", "0"), ("-1", "1"), ("0", "3/4"), ("1", "1"), ("2", "0")])


@pytest.mark.parametrize(
    ("sigma", "component", "said"),
    [
        (_TRAPEZIUM, "total", "9 as |w| tends to 1 (exact)"),
        (_TRAPEZIUM, "longest", "9 as |w| tends to 1 (exact)"),
        # at t = 3/4 the two halves meet: m is 5/2 on either side, but twice as steep above
        (_VALLEY, "total", "15/8 at |w| = 4/3 (exact)"),
        (_VALLEY, "longest", "15/8 as |w| tends to 4/3 (exact)"),
        pytest.param(
            sympy.tanh(Z) / 4 + sympy.Min(1, sympy.Max(0, Z)),  # the slope jumps at 0 and at 1
            "total",
            "1/(4*cosh(1)**2) + 1 = 1.10499358540351 at |w| = 1/(1/(4*cosh(1)**2) + 1) = 0.904982629048325 (exact)",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_suprema_at_limits(sigma, component, said):
    widest = gt.widest_explosion(sigma, component=component)
    assert repr(widest) == said
    for nearer in (
        sympy.Rational(1, 10**6),
        sympy.Rational(1, 10),
        1,
        5,
    ):  # no set is wider, and one is all but as wide
        explosion = gt.explosion_set(sigma, widest.weight * (1 + nearer))
        parts = explosion.args if isinstance(explosion, sympy.Union) else (explosion,)
        length = explosion.measure if component == "total" else max(part.measure for part in parts)
        assert length < widest.width
        assert nearer > sympy.Rational(1, 10**5) or length > widest.width * (1 - 5 * nearer)


def test_what_is_not_told_apart_is_undecided():
    twins = widest_search.Supremum(gt.activation(sympy.Min(1, sympy.Max(0, Z)) + sympy.Min(1, sympy.Max(0, Z - 5)) / 2))
    assert twins._at_a_limit(sympy.Rational(1, 4), sympy.Rational(2)) is None  # two limits, 1/2 and 1
    same = widest_search.SuperlevelSet(twins.activation.profile, sympy.Rational(1, 4))
    assert widest_search.Supremum(twins.activation, longest=True)._longest(same) == 1
    assert twins._longest(same) == 2
    assert not twins._is_monotone(sympy.Rational(1, 8), sympy.Rational(1, 4), enclose(sympy.S.Zero, 96), rises=False)


@pytest.mark.slow
def test_a_supremum_that_is_approached_at_two_weights_is_undecided():
    corners = (("-1", "0"), ("0", "1"), ("2", "1"), ("3", "0"), ("9", "0"), ("10", "1/2"), ("14", "1/2"), ("15", "0"))
    with pytest.raises(Undecided, match="it may be taken at two weights, or only approached"):
        gt.widest_explosion(_with_slope(corners), component="longest")


def test_a_search_at_a_limit_says_so():
    supremum = widest_search.Supremum(gt.activation("hard_tanh")).greatest()
    assert (supremum.level, supremum.value, supremum.is_stationary, supremum.is_attained) == (1, 2, False, False)
