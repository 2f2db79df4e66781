"""Numbers and sets as the explorer writes them: no power of ten looks like a product, and no interval like none."""

import pytest
from sympy import EmptySet, FiniteSet, Integer, Interval, Rational, Union, oo

import gradtheory as gt
from gradtheory.explorer.writing import digits, digits_of

_HALF, _TINY = Rational(1, 2), Rational(1, 10**25)


@pytest.mark.parametrize(
    ("inside", "lines"),
    [
        (EmptySet, []),
        (FiniteSet(1, 2), ["$x = 1$", "$x = 2$"]),
        (Union(FiniteSet(0), Interval.Lopen(1, 2)), ["$x = 0$", r"$1 < x$ $\le 2$"]),
        (Interval.open(_HALF, _HALF + _TINY), ["$0.5 < x$ $< 0.5000000000000000000000001$"]),
        (Interval.open(_HALF, _HALF + _TINY**5), [r"$x \approx 0.5$"]),
        (Union(Interval.open(-oo, 1), Interval.open(1 + _TINY, oo)), ["$x < 1$", "$1.0000000000000000000000001 < x$"]),
    ],
)
def test_as_many_digits_as_tell_ends_apart(inside, lines):
    assert digits_of(inside, "x") == lines


def test_a_deep_chain_has_two_ends_and_a_length():
    inside = gt.total_explosion_set(gt.Chain(200, "sigmoid"), w=[8] * 200, b=[-4] * 200)
    (line,) = digits_of(inside, "x")
    low, high = line.replace("$", "").split(" < x ")
    assert float(low) == float(high.strip(" <")) == 0.5
    assert low != high.strip(" <")
    assert digits(inside.measure) == r"$3.94029897136255 \times 10^{-44}$"


def test_large_lengths_have_a_power_of_ten():
    assert digits(Integer(10) ** 20 + _HALF) == r"$1 \times 10^{20}$"
