"""Ends of cells that are smaller than any digit tells: as fractions they would have millions of digits."""

from fractions import Fraction

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.checker import check
from gradtheory.checker.schema import Cell, Place
from gradtheory.checker.signs import Prover
from gradtheory.checker.terms import number
from gradtheory.errors import Undecided

_TINY = Fraction(1, 10**1500), Fraction(2, 10**1500)


def cell_between(left, right):
    """Return a cell; what is stated of it is of no effect."""
    return Cell(left, right, piece=number(1), sign=1, rises=True, positive=None, shape=None)


def test_points_of_cells():
    tiny = Place(lower=_TINY[0], upper=_TINY[1])
    assert all(0 < point < 1 for point in Prover()._points(cell_between(tiny, Place(exact=number(1)))))
    narrow = cell_between(tiny, tiny)
    assert not Prover()._points(narrow)
    assert not Prover().differ((number(1), 0), (number(2), 0), narrow)  # it is not seen there
    with pytest.raises(Undecided, match="too narrow"):
        Prover().sign_of_constant((number(1), 0), narrow)


@pytest.mark.slow
def test_a_turning_point_a_millionth_of_a_million_digits_from_0():
    """A bump of erf at z = 3 moves the zero of σ'' from 0 by about exp(-9000000)."""
    bump = sympy.erf(Z) + sympy.exp(-((Z - 3) ** 2) * 10**6) / 1000
    assert check(gt.certificate(bump, w=2)).verdict == "verified on the whole line"
