"""Slopes that are steepest at two places: the critical weight rests on how steep they are, not on which is steeper."""

import mpmath
import pytest
from sympy import Symbol, cos, exp, sin, sqrt, tanh

import gradtheory as gt
from gradtheory.activations.slopes.analysis import find_branches
from gradtheory.arithmetic.enclosure import rounded
from gradtheory.arithmetic.proven import Largest
from tests.explosion.own_oracle import value
from tests.shapes import slow_except

Z = Symbol("z", real=True)

# σ, and a place near which it is steepest
_CASES = {
    "two sigmoids": (tanh(Z) + tanh(Z - 4), 0.0),
    "two logistic ones": (1 / (1 + exp(-Z)) + 1 / (1 + exp(9 - Z)), 0.0),
    "a far bump": (exp(-((Z - 10**6) ** 2)), 10**6 + 0.707),
    "two bumps": (exp(-((Z - 3) ** 2)) + exp(-((Z - 11) ** 2)), 3.707),
    "peaks that differ by e^(-20000000)": (tanh(Z) + 50 / ((Z / 10 - 10**6) ** 2 + 1), 10**7 - 5.77),
    "a packet of waves": (exp(-(Z**2) / 50) * cos(Z), 1.5),
    "waves far out on a slope": (exp(-((Z - 200) ** 2)) * sin(5 * Z) + Z / 20, 200.0),
}


def _steepest(expr, place):
    """Return the greatest difference quotient within 1 of a place, to ten digits."""
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20

        def size(z):
            return abs(value(expr, z + h) - value(expr, z - h)) / (2 * h)

        best, width = mpmath.mpf(place), mpmath.mpf(1)
        while width > 1e-7:
            best = max((best + k * width / 8 for k in range(-8, 9)), key=size)
            width /= 5
        return float(size(best))


@pytest.mark.parametrize("case", slow_except({"a far bump", "a packet of waves"}, _CASES))
def test_critical_weight_is_decided(case):
    expr, place = _CASES[case]
    assert float(1 / gt.critical_weight(expr)) == pytest.approx(_steepest(expr, place), rel=1e-10)


@pytest.mark.parametrize(("expr", "centre"), [(exp(-((Z - 10**6) ** 2)), 10**6), (1 / (1 + (Z + 7) ** 2), -7)])
def test_branches_mirror_each_other_about_the_centre(expr, centre):
    branches = gt.activation(expr).profile.branches
    for branch, twin in zip(branches, reversed(branches), strict=True):
        assert twin.right == 2 * centre - branch.left or branch.left == 2 * centre - twin.right
        assert branch.steepest == twin.steepest


@pytest.mark.slow
def test_symmetry_is_proven():
    """A function that is all but even has two different peaks."""
    slope = (tanh(Z) + (1 + exp(-20)) * tanh(Z - 4)).diff(Z)
    branches = find_branches(slope)
    assert len({branch.steepest for branch in branches if branch.steepest != 0}) > 1
    assert gt.critical_weight(tanh(Z) + (1 + exp(-20)) * tanh(Z - 4)) < gt.critical_weight(tanh(Z) + tanh(Z - 4))


def test_the_largest_of_numbers_that_may_be_equal():
    number = Largest((sqrt(2), sqrt(3), sqrt(2) + exp(-(10**4))))
    assert abs(rounded(number, 200) - sqrt(3).n(60)) < 1e-55
    assert number > 1.7


@pytest.mark.parametrize(
    "written",
    ["Piecewise((z**2*exp(-z**2), z > 0), (-z**2*exp(-z**2), True))", "(Max(z, 0)**2 - Min(z, 0)**2)*exp(-z**2)"],
)
def test_mirror_images_are_seen_however_the_function_is_written(written):
    one, other = gt.activation(gt.expression(written)), gt.activation(gt.expression("z*Abs(z)*exp(-z**2)"))
    assert [level.n(20) for level in one.profile.levels] == [level.n(20) for level in other.profile.levels]
    assert gt.explosion_set(gt.expression(written), w=3).measure.n(20) == gt.explosion_set(other, w=3).measure.n(20)
