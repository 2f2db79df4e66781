"""H of a log-concave slope whose support ends where the slope is not 0: approached at that end, if not within."""

import numpy as np
import pytest
import sympy
from sympy import E, Max, Min, Piecewise, exp, sqrt, tanh

import gradtheory as gt
from gradtheory.activations import Z

_RAMP = Piecewise((0, Z < 0), (exp(Z) - 1, Z < 1), (E - 1, True))  # H is approached at both ends of its support
_CLOGLOG = 1 - exp(-exp(Z))


def _in_float64(record):
    """Return H on a grid."""
    places = np.linspace(-8.0, 8.0, 1_601)
    z = np.sort(np.concatenate([places - 1e-9, places + 1e-9]))  # beside the kinks, not at them
    roots = np.sqrt(np.abs(record.slope(z)))
    return np.max((z - z[:, None]) * roots * roots[:, None])


@pytest.mark.parametrize(
    ("expr", "end"),
    [
        (tanh(Max(Z, 0)), 0),
        pytest.param(-2 * tanh(Min(3 * Z - 1, sympy.S.Half)), sympy.S.Half, marks=pytest.mark.slow),
        pytest.param(_CLOGLOG.subs(Z, Max(Z, 1)), 1, marks=pytest.mark.slow),
        pytest.param(_CLOGLOG.subs(Z, Max(Z, -1)), -1, marks=pytest.mark.slow),
    ],
)
def test_h_is_approached_at_an_end(expr, end):
    bound = gt.depth_bound(expr)
    assert end in bound.pair
    assert bound.widens
    assert float(bound.value) == pytest.approx(_in_float64(bound.activation), rel=1e-4)
    assert float(bound.factor) == pytest.approx(float(bound.value / gt.widest_explosion(expr).width))


@pytest.mark.slow
def test_h_is_approached_at_both_ends_though_k_is_not_decided():
    bound = gt.depth_bound(_RAMP)
    assert (bound.value, bound.pair) == (sqrt(E), (0, 1))
    assert (bound.widens, bound.factor) == (None, None)
    assert "not decided whether depth widens" in repr(bound)


@pytest.mark.slow
def test_h_is_attained_within_where_the_slope_still_rises_at_the_end():
    bound, whole = gt.depth_bound(_CLOGLOG.subs(Z, Max(Z, -3))), gt.depth_bound(_CLOGLOG)
    assert bound.pair[0] > -3
    assert float(bound.value) == pytest.approx(float(whole.value))
