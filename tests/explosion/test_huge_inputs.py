"""Parameters of chains whose layers are saturated beyond any float: exp(1e300) is no number that a ball holds."""

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.explosion.superlevel import Periodic


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (1 / sympy.cosh(Z), 0),
        (1 / (1 + sympy.exp(Z)) ** 2, 0),
        (1 / (1 + sympy.exp(-Z)), 1),
        (sympy.log(1 + sympy.exp(Z)) / Z, 1),
    ],
)
def test_enclosures_far_out(expr, value):
    ball = enclose(expr, 128, {Z: enclose(sympy.Integer(10) ** 300, 128)})
    assert ball.contains(value)
    assert ball.rad() < 1e-30


def test_a_bias_behind_a_saturated_layer():
    set_ = gt.exploding_parameter(
        gt.Chain(3, "tanh"), "b3", x=1e300, w=[1, 3, 4], b=[0, 0, None], threshold=sympy.Rational(1, 10**12)
    )
    with mpmath.workdps(40):  # 1/cosh(4·tanh(3) + b)² = 1e-12
        middle, half = -4 * mpmath.tanh(3), mpmath.acosh(mpmath.mpf(10) ** 6)
        assert abs(mpmath.mpf(str(set_.start.n(30))) - (middle - half)) < mpmath.mpf("1e-27")
        assert abs(mpmath.mpf(str(set_.end.n(30))) - (middle + half)) < mpmath.mpf("1e-27")


def test_a_weight_behind_a_saturated_layer():
    set_ = gt.exploding_parameter(
        gt.Chain(3), "w3", x=1e300, w=[-1, 30, None], b=[0, -15, 0], threshold=sympy.Rational(1, 10**12)
    )
    with mpmath.workdps(40):  # a·σ'(w·a) = 1e-12 for a = σ(-15)
        a = 1 / (1 + mpmath.exp(15))
        end = 2 * mpmath.acosh(mpmath.sqrt(a * mpmath.mpf(10) ** 12) / 2) / a
        assert abs(mpmath.mpf(str(set_.end.n(30))) / end - 1) < mpmath.mpf("1e-27")
    assert set_.start == -set_.end


@pytest.mark.parametrize(
    ("activation", "w", "threshold"),
    [("isru", 18, "1e-12"), ("sine", 6, "1e-20"), ("arsinh", 6 * 10**20, 1), ("gudermannian", 3, "1e-25")],
)
def test_roots_of_differences_of_squares_with_large_factors(activation, w, threshold):
    """SymPy took w - 1 and w + 1 for primes, and broke off where they are none."""
    width = gt.explosion_width(activation, w, threshold=threshold)
    ends = gt.explosion_set(activation, w, threshold=threshold)
    end = ends.base.end if isinstance(ends, Periodic) else ends.end
    slope = gt.activation(activation).slope_expr.subs(Z, w * end.n(80)) * w
    assert float(slope / sympy.sympify(threshold)) == pytest.approx(1.0, rel=1e-12)
    assert width is sympy.oo or float(width / (2 * end)) == pytest.approx(1.0, rel=1e-12)
