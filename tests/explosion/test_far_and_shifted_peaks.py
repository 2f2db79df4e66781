"""The widest explosion of bumps that are mirror images about any centre, or all but equal, or beside a jump."""

import pytest
import sympy
from sympy import Max, Rational, Symbol, cosh, exp, sign, sin, tanh

import gradtheory as gt
from gradtheory.activations.slopes.analysis import symmetry
from gradtheory.activations.slopes.branch import LINE
from gradtheory.errors import Undecided

Z = Symbol("z", real=True)


@pytest.mark.parametrize(
    ("expr", "centre", "parity"),
    [
        (exp(-((Z / 3 + 5) ** 2)), -15, -1),
        (1 / cosh(Z - 3), 3, -1),
        (tanh(2 * Z - 7), Rational(7, 2), 1),
        (exp(Z), 0, 0),
    ],
    ids=str,
)
def test_centres_of_slopes(expr, centre, parity):
    assert symmetry(expr.diff(Z), LINE) == (centre, parity)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expr", "centred"), [(1 / cosh(Z - 3), 1 / cosh(Z)), (exp(-((Z / 3 + 5) ** 2)), exp(-(Z**2)))], ids=str
)
def test_the_longest_of_mirror_images_about_a_shifted_centre(expr, centred):
    shifted, plain = (gt.widest_explosion(each, component="longest") for each in (expr, centred))
    assert abs((shifted.width - plain.width).n(30)) < sympy.Float("1e-25")  # no scale or shift changes it


@pytest.mark.slow
def test_far_bumps_that_differ_by_less_than_any_digits():
    """The slope of the second has two maxima, whose heights the first changes by exp(-5000000)."""
    widest = gt.widest_explosion(exp(-((50 * Z) ** 2)) + 3 * exp(-((Z / 20 - 3) ** 2)))
    sizes = [gt.explosion_width(exp(-((50 * Z) ** 2)) + 3 * exp(-((Z / 20 - 3) ** 2)), w) for w in (12, 12.4678, 13)]
    assert sizes[0] < sizes[1] > sizes[2]
    assert 0 < (widest.width - sizes[1]).n(20) < 1e-9


@pytest.mark.slow
def test_a_jump_leaves_the_mirror_image_whole():
    """The slope is even, but the jump cuts one of its two bumps."""
    widest = gt.widest_explosion(tanh(Z - 5) + tanh(Z + 5) + sign(Z - 5), component="longest")
    assert 0.89548 < widest.width.n(20) < 0.89549


@pytest.mark.slow
def test_equal_widths_that_are_not_proven_to_be_equal():
    with pytest.raises(Undecided, match="equally wide to all digits tried, as mirror images are"):
        gt.widest_explosion(Max(sin(Z), Rational(1, 2)), component="longest")
