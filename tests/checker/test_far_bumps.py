"""Certificates of expressions with bumps far away or narrow: the checker proves them, well within its budget."""

from fractions import Fraction

import pytest
from mpmath import libmp

import gradtheory as gt
from gradtheory.checker import check
from gradtheory.checker.intervals import Interval


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "w"),
    [
        ("tanh(z) + exp(-(z - 3000)**2)", 2),
        ("tanh(z) + 5*exp(-(z - 100)**2)", "1/2"),
        ("tanh(z) + exp(-(1000*(z - 30))**2)", 2),
        ("tanh(z) + exp(-(10000*(z - 100000))**2)", "1/100"),
    ],
)
def test_a_bump_wherever_it_is_costs_the_checker_little(text, w):
    proof = gt.certificate(gt.expression(text), w)
    assert all(cell["shape"].count("exp") == 1 for cell in proof["cells"])
    assert check(proof).ok


def test_exponentials_of_great_numbers_are_computed_and_not_only_bounded():
    at = Interval.around(Fraction(-(10**15)), 100)
    for name in ("exp", "sinh"):
        value = at.apply(name)
        gap = libmp.mpf_sub(value.upper, value.lower)
        assert libmp.mpf_lt(gap, libmp.mpf_shift(libmp.mpf_abs(value.lower), -90))
        assert libmp.mpf_lt(libmp.fzero, libmp.mpf_abs(value.upper))
    assert Interval.around(Fraction(-(2**70)), 100).apply("exp").lower == libmp.fzero
