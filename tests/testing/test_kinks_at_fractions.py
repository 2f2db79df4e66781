"""On a kink that no float is, the reference takes the slope from the left, however the function is written."""

import pytest
from sympy import Abs, Max, Min, Piecewise, Rational, Symbol, sign, sqrt

from gradtheory.testing import reference_activation

Z = Symbol("z", real=True)
_THIRD = Rational(1, 3)


@pytest.mark.parametrize(
    "expr",
    [
        Abs(Z - _THIRD),
        Max(Z - _THIRD, _THIRD - Z),
        -Min(Z - _THIRD, _THIRD - Z),
        (Z - _THIRD) * sign(Z - _THIRD),
        Piecewise((_THIRD - Z, Z < _THIRD), (Z - _THIRD, True)),
    ],
    ids=str,
)
def test_one_convention(expr):
    value, slope, bend = (reference_activation(expr, "1/3", derivative=order, digits=20) for order in range(3))
    assert (float(value), float(slope), float(bend)) == (0, -1, 0)


def test_an_irrational_kink():
    assert float(reference_activation(Max(0, Z**2 - 2), sqrt(2), derivative=1)) == 0
    assert float(reference_activation(Max(0, Z**2 - 2), -sqrt(2), derivative=1, digits=20)) == pytest.approx(-(8**0.5))
