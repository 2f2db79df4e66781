"""Bounds are shown rounded to the safe side, in few digits."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.arithmetic.brief import downward, shorten, upward


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 15))
def test_shown_bounds_are_on_the_safe_side(number, digits):
    low, high = Fraction(downward(number, digits)), Fraction(upward(number, digits))
    assert low <= Fraction(number) <= high or (digits >= 6 and number in (float(low), float(high)))
    assert high - low <= abs(Fraction(number)) * Fraction(10) ** (1 - digits)


def test_bounds_are_printed_on_the_safe_side():
    network = gt.Network((1, 1), "gelu", w=[[[1.0]]], b=[[0.0]])  # sup ‖J‖ = 1.128904…
    assert "≤ 1.12891, certified" in repr(network.jacobian_bound(([0], [3])))
    assert "‖diag(σ')·W‖ ≤ 1.12891" in repr(network.layer_bounds(([0], [3]))[0])
    tanh = gt.Network((1, 1), "tanh", w=[[[2.0]]], b=[[0.0]])
    region = gt.explosion_region(tanh, ([-2], [2]), tolerance=1e-9)
    assert "between 0.881373 and 0.881374 (certified)" in repr(region)
    bound = gt.remedies.weight_decay_guarantee(gt.Chain(1, "erf"), [1.0], [-1.0])
    assert bound.weight_decay == pytest.approx(1.5539405, rel=1e-7)
    assert "above 1.55395 keeps" in str(bound)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (f"{3**200}*z + {5**90}", "265613…044001*z + 807793…765625"),
        (
            f"w = {0.1 + 0.2!r}0123456789, b = 1, more of it, and more, and more",
            "w = 0.300000000000…, b = 1, more of it, and more, and more",
        ),
        (
            "(0, -12345678901/2000000014, -12345678901/2000000014, -12345678901/2000000014)",
            "(0, -12345678901/2000000014, …, -12345678901/2000000014)",
        ),
        (
            "(0, 5, -12345678901/2000000014, -12345678901/2000000014, -12345678901/2000000014)",
            "(0, 5, …, -12345678901/2000000014)",
        ),
    ],
)
def test_no_number_is_cut_in_two(text, short):
    assert shorten(text, most=58) == short
