"""The widest component where another is all but as wide: proven digits say which it is."""

import pytest
import sympy
from sympy import Rational, Symbol, tanh

import gradtheory as gt
from gradtheory.arithmetic.enclosure import rounded

Z = Symbol("z", real=True)


@pytest.mark.slow
@pytest.mark.parametrize("more", [Rational(1, 10**7), Rational(1, 10**40), -Rational(1, 10**15)])
def test_the_greater_of_two_nearly_equal_peaks_is_the_widest(more):
    widest = gt.widest_explosion(tanh(Z) + (1 + more) * tanh(Z - 100), component="longest")
    alone = gt.widest_explosion("tanh")  # of which 1 + more is a factor; the other one is e^(-200) at most
    assert abs(rounded(widest.width, 300) - rounded(alone.width, 300) * (1 + max(more, 0))) < sympy.Float("1e-75")
    assert abs(rounded(widest.weight, 300) * (1 + max(more, 0)) / rounded(alone.weight, 300) - 1) < sympy.Float("1e-75")
