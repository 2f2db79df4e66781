"""H of any activation of class N: the best of all pairs, which tangents of |σ'|^(-1/2) prove."""

import numpy as np
import pytest
from sympy import Abs, Integer, Max, Min, Piecewise, Rational, atan, erf, exp, log, oo, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.activations import activation as as_activation
from gradtheory.errors import Undecided
from gradtheory.explosion.depth import tangents
from gradtheory.explosion.depth.pairs import Box
from gradtheory.explosion.depth.tangents import best_pair


def _sigmoid(z):
    return 1 / (1 + exp(-z))


_SUMS = {
    "sigmoids": (_sigmoid(Z) + _sigmoid(3 * Z), False),
    "irrational": (_sigmoid(Z) + _sigmoid(sqrt(2) * Z), False),
    "shifted": (_sigmoid(Z) + 2 * _sigmoid(2 * Z + 1), True),
    "erf": (erf(Z) + tanh(2 * Z), False),
    "arctan": (atan(Z) + atan(Z + 1), False),
    "isru": (tanh(Z) + Z / sqrt(1 + Z**2), False),
}


def _in_float64(record):
    z = np.linspace(-8.0, 8.0, 1_601)
    roots = np.sqrt(np.abs(record.slope(z)))
    return np.max((z - z[:, None]) * roots * roots[:, None])


@pytest.mark.slow
@pytest.mark.parametrize("which", _SUMS)
def test_h_of_sums(which):
    expr, widens = _SUMS[which]
    bound = gt.depth_bound(expr)
    assert bound.widens is widens
    assert float(bound.value) == pytest.approx(_in_float64(bound.activation), rel=1e-4)
    assert bound.guarantee is gt.Guarantee.CERTIFIED
    assert float(bound.factor) == pytest.approx(float(bound.value / gt.widest_explosion(expr).width))


@pytest.mark.parametrize(("which", "is_even"), [("sigmoid", True), ("isru", True), ("erf", True), ("cloglog", False)])
def test_the_best_pair_is_that_of_other_proofs(which, is_even):
    best, bound = best_pair(as_activation(which), is_even=is_even), gt.depth_bound(which)
    assert best.is_symmetric is is_even
    assert best.value.n(30) == bound.value.n(30)
    assert [end.n(20) for end in best.pair] == [end.n(20) for end in bound.pair]


def test_no_pair_exceeds_the_bound_of_its_sides():
    record = as_activation("gudermannian")
    z, v, rise = tangents._tangents(record, np.array([-3.0, -0.5, 0.25, 2.0]))
    ends, heights = tangents._polygon(record, z, v, rise)
    bounds = tangents._bounds(ends, heights, (-rise[0], rise[-1]))
    grid = np.linspace(-9.0, 9.0, 601)
    roots, side = np.sqrt(record.slope(grid)), np.searchsorted(ends, grid) - 1
    sizes = np.triu((grid - grid[:, None]) * roots * roots[:, None])
    assert (sizes <= bounds[side[:, None], side]).all()
    assert bounds.max() < 3 * sizes.max()  # the bounds say something


def test_pairs_that_are_as_good_as_each_other_are_not_decided():
    with pytest.raises(Undecided, match=r"between 1 and 1\.\d+, but not that one pair is the best|one pair"):
        best_pair(as_activation("arctan"), is_even=False)


def test_a_stationary_pair_outside_the_box_is_refused(monkeypatch):
    monkeypatch.setattr(tangents, "_box", lambda record, centre, is_even: Box((0.5, 0.75), (0.7, 0.8)))
    with pytest.raises(Undecided, match="stationary pair"):
        best_pair(as_activation("sigmoid"), is_even=True)


@pytest.mark.parametrize(("which", "is_concave"), [("sigmoid", True), ("arctan", False)])
def test_one_maximum_is_proven_by_second_derivatives(which, is_concave):
    box = Box((-1.01, -0.99), (0.99, 1.01))  # arctan has many best pairs within
    assert tangents._is_concave(as_activation(which), box) is is_concave
    assert not tangents._is_concave(as_activation(which), Box((-np.inf, -0.99), (0.99, 1.01)))


def _arc(z):
    return Piecewise((3 * atan(z / 3), z > 0), (atan(z), True))


@pytest.mark.parametrize(
    ("expr", "value", "pair", "are_several"),
    [
        (Z / (1 + Abs(Z)), 1, (0, oo), True),
        (Max(0, Z) / (1 + Max(0, Z)), 1, (0, oo), False),
        pytest.param(
            Piecewise((Z, Abs(Z) <= 1), (2 - 1 / Z, Z > 1), (-2 - 1 / Z, True)),
            2,
            (-1, 1),
            False,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Piecewise((Z, Abs(Z) <= 1), (3 - 4 / (Z + 1), Z > 1), (-3 + 4 / (1 - Z), True)),
            2,
            (-1, 1),
            True,
            marks=pytest.mark.slow,
        ),
        pytest.param(5 * atan(Max(Z, -1)), 5, (-1, 1), True, marks=pytest.mark.slow),
        pytest.param(-atan(Max(2 * Z + 1, -2)), 1, (-1, 0), True, marks=pytest.mark.slow),
        pytest.param(atan(Max(-3, Min(Rational(1, 2), Z))), 1, (-3, Rational(1, 3)), True, marks=pytest.mark.slow),
        pytest.param(_arc(Z), 3, (0, oo), False, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_several_pairs_may_attain_h(expr, value, pair, are_several):
    bound = gt.depth_bound(expr)
    assert (bound.value, bound.pair, bound.guarantee) == (value, pair, gt.Guarantee.EXACT)
    assert ("several pairs are as good" in bound.reason) == are_several
    z = np.concatenate([-np.geomspace(1e5, 1e-3, 400), [0], np.geomspace(1e-3, 1e5, 400)])
    roots = np.sqrt(np.abs(bound.activation.slope(z)))
    highest = np.max((z - z[:, None]) * roots * roots[:, None])
    assert 0.97 * value < highest < value * (1 + 1e-9)
    if pair in ((-1, 1), (-1, 0)):  # σ' is the same at both: one neuron is as good
        assert (bound.widens, bound.factor) == (False, 1)


@pytest.mark.slow
def test_a_pair_at_a_kink():
    """Of max(z, -1) beside 3·tanh(z/3): p = -1, and q where (q + 1)/cosh(q/3) is greatest."""
    bound = gt.depth_bound(Piecewise((3 * tanh(Z / 3), Z > 0), (Max(Z, -1), True)))
    p, q = bound.pair
    assert p == -1
    assert float((q + 1) * tanh(q / 3)) == pytest.approx(3, rel=1e-12)
    assert bound.value.n(20) == ((q + 1) / ((exp(q / 3) + exp(-q / 3)) / 2)).n(20)
    assert bound.guarantee is gt.Guarantee.CERTIFIED


@pytest.mark.slow
@pytest.mark.parametrize("power", [3, 4, 6])
def test_a_slope_that_is_flat_at_its_peak(power):
    """Of z/(1 + |z|^n)^(1/n) the bend of log σ' has a double zero at 0; the best pair is ±n^(-1/n)."""
    bound = gt.depth_bound(Z / (1 + Abs(Z) ** power) ** Rational(1, power))
    place = Integer(power) ** Rational(-1, power)
    assert bound.widens is False
    assert float(bound.value) == pytest.approx(float(2 * place / (1 + place**power) ** (1 + Rational(1, power))))
    assert float(bound.pair[1]) == pytest.approx(float(place))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (log(1 + exp(Z)), oo),
        (7 * erf(Z / 3), 7 * 0.967882898076),
        (Z / sqrt(1 + Z**2), 4 / 27**0.5),
        (2 * atan(tanh(Z / 2)), 1.32548683869836),
        (3 * atan(2 * Z + 1) - 5, 3),
        (3 * (Z - 5) / (2 + Abs(Z - 5)), 3),
    ],
    ids=str,
)
def test_unusual_ways_to_write_an_activation(expr, value):
    assert float(gt.depth_bound(expr).value) == pytest.approx(float(value))


@pytest.mark.parametrize(("rate", "share"), [(3, 1), (2, 1), (2, Rational(1, 10)), (-2, -1)])
def test_h_is_approached_as_one_number_of_the_pair_grows(rate, share):
    bound = gt.depth_bound(atan(Z - 1) + share * atan(rate * (Z - 1)))
    assert bound.value == sqrt((1 + share * rate) * (1 + share / Integer(rate)))  # σ' in the middle, and z²σ' far out
    assert bound.guarantee is gt.Guarantee.EXACT
    assert bound.pair == (1, oo)
    assert bound.widens
    z = np.concatenate([[1.0], 1 + np.geomspace(0.1, 1e7, 801)])
    z = np.concatenate([2 - z[:0:-1], z])  # 801 on each side of 1, and 1 itself
    roots = np.sqrt(bound.activation.slope(z))
    sizes = (z - z[:, None]) * roots * roots[:, None]
    assert float(bound.value) * (1 - 1e-6) < sizes.max() < float(bound.value)


def test_an_even_slope_has_a_mirror_image_of_its_best_pair():
    assert "another pair is as good" in gt.depth_bound(atan(Z) + atan(2 * Z)).reason


@pytest.mark.parametrize("expr", [exp(exp(-Max(0, Z))), tanh(Rational(1, 2) - exp(-Max(0, Z)))])
def test_slopes_that_are_steepest_at_a_kink_at_their_end(expr):
    """Two outputs of neurons with these weights attain nearly H: a search over pairs on a grid comes close to it."""
    bound = gt.depth_bound(expr)
    record, z = gt.activation(expr), np.linspace(1e-6, 8.0, 1500)
    slopes = np.sqrt(np.abs(record.slope(z)))
    size = ((z[:, None] - z) * slopes[:, None] * slopes).max()
    assert size * (1 - 1e-12) <= float(bound.value) <= size * (1 + 1e-4)


@pytest.mark.slow
def test_long_sums_in_two_exponentials_are_not_written_out():
    with pytest.raises(Undecided, match="effort"):
        gt.depth_bound(2 * atan(tanh(Z / 2)) + 1 / (exp(Rational(1, 2) - 2 * Z) + 1), effort=2)
