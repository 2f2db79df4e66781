"""Moments of two correlated Gaussians."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Rational

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import correlated, moment
from gradtheory.random_weights.gaussian.trigonometric_pairs import waves_of
from tests.shapes import slow_except

U = sympy.Symbol("u", real=True)


def trapezoid(function, c, q):
    """E[f(x₁)f(x₂)] by the trapezoidal rule in two dimensions, which converges exponentially for analytic f."""
    step = 1 / 24
    z = np.arange(-11, 11 + step, step)
    weights = step * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    first = math.sqrt(q) * z[:, np.newaxis]
    second = c * first + math.sqrt(q * (1 - c) * (1 + c)) * z
    return float(weights @ (function(first) * function(second)) @ weights)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("c", [-1, -0.5, 0, 0.3, 0.999, 1])
@pytest.mark.parametrize(
    ("which", "value", "slope"),
    [
        ("tanh", np.tanh, lambda z: np.cosh(z) ** -2.0),
        ("silu", lambda z: z / (1 + np.exp(-z)), None),
        ("sine", np.sin, np.cos),
    ],
)
def test_correlated_is_what_the_trapezoidal_rule_finds(which, value, slope, c):
    for of, function in (("value", value), ("slope", slope)):
        if function is not None:
            estimate = correlated(which, c, 1.3, of=of)
            expected = trapezoid(function, c, 1.3)
            assert abs(estimate - expected) < 1e-12
            assert estimate.error < 1e-12


@pytest.mark.parametrize("q", [1e-12, 0.3, 1, 40, 1e9])
@pytest.mark.parametrize("c", [-1, -0.5, 0, 0.3, 1 - 1e-9, 1])
def test_the_closed_form_of_gelu_is_its_textbook_formula_in_60_digits(c, q):
    with mpmath.workdps(60):
        variance, covariance = mpmath.mpf(q), mpmath.mpf(c) * mpmath.mpf(q)

        def kernel(p):
            density = 1 / (2 * mpmath.pi * mpmath.sqrt((1 + variance) ** 2 - p**2))
            distribution = mpmath.mpf(1) / 4 + mpmath.asin(p / (1 + variance)) / (2 * mpmath.pi)
            return density * (variance**2 + p**2 * (1 - variance) / (1 + variance)) + p * distribution

        expected = {"value": kernel(covariance), "slope": mpmath.diff(kernel, covariance, h=mpmath.mpf(10) ** -25)}
        for of, number in expected.items():
            estimate = correlated("gelu", c, q, of=of)
            assert abs(estimate - number) <= estimate.error < 1e-13 * max(1, q)


def test_the_closed_form_of_gelu_is_the_double_integral_of_the_same_function():
    z = gt.activation("gelu").expr
    own = gt.activation(2 * z)  # no closed form is known of it
    for of in ("value", "slope"):
        twice, once = correlated(own, 0.3, 1.3, of=of), correlated("gelu", 0.3, 1.3, of=of)
        assert abs(twice - 4 * once) <= twice.error + 4 * once.error


def test_products_of_the_identity_are_the_covariance_and_1():
    assert [correlated("identity", 0.25, 3, of=of) for of in ("value", "slope")] == [0.75, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("which", "c"), [("tanh", 0.3), ("softsign", -0.5)])
def test_correlated_is_what_a_double_integral_of_mpmath_finds(which, c):
    expr = gt.activation(which).expr
    sigma = sympy.lambdify(Z, expr, "mpmath")
    narrow = mpmath.sqrt(1 - mpmath.mpf(c) ** 2)
    corner = -mpmath.mpf(c) / narrow  # the second is 0 at z₂ = corner·z₁

    def inner(first):
        ends = sorted((-9, min(max(corner * first, -8.5), 8.5), 9))
        return mpmath.quad(
            lambda z: sigma(c * first + narrow * z) * mpmath.npdf(z), ends, method="gauss-legendre", maxdegree=5
        )

    expected = mpmath.quad(
        lambda z: sigma(z) * inner(z) * mpmath.npdf(z), [-9, 0, 9], method="gauss-legendre", maxdegree=5
    )
    assert abs(correlated(which, c, 1, of="value") - expected) < 1e-10


@pytest.mark.parametrize("q", slow_except({1.0}, [1e-4, 1.0, 300.0]))
@pytest.mark.parametrize("c", [-1, -0.5, 0, 0.3, 0.999, 1])
def test_correlated_is_the_kernel_where_one_is_known(c, q):
    angle = math.acos(c)
    arc = {  # Y. Cho & L. K. Saul, "Kernel methods for deep learning" (2009), equations 4 to 6: halves of J_n/π
        "slope": (math.pi - angle) / (2 * math.pi),
        "value": q * (math.sin(angle) + (math.pi - angle) * math.cos(angle)) / (2 * math.pi),
    }
    for of, expected in arc.items():
        estimate = correlated("relu", c, q, of=of)
        assert abs(estimate - expected) <= estimate.error
    square = correlated(sympy.Max(0, U) ** 2, c, q, of="value")
    double = 3 * math.sin(angle) * c + (math.pi - angle) * (1 + 2 * c * c)
    assert abs(square - q * q * double / (2 * math.pi)) <= square.error
    # Williams (1998), equation 11
    erf = correlated("erf", c, q, of="value")
    assert abs(erf - 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q))) <= erf.error
    erf = correlated("erf", c, q, of="slope")
    assert abs(erf - 4 / (math.pi * math.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2))) <= erf.error


@pytest.mark.parametrize("c", [-0.9, 0.0, 0.4])
def test_correlated_exponentials_and_sines(c):
    for which, expected in {  # by the characteristic function
        "exponential": math.exp(1.1 * (1 + c)),
        "sine": math.exp(-1.1) * math.sinh(1.1 * c),
        "cosine": math.exp(-1.1) * math.cosh(1.1 * c),
        "gaussian": ((1 + 2.2) ** 2 - (2.2 * c) ** 2) ** -0.5,  # Williams (1998), equation 13, at 0
        "quadratic": 1.1**2 * (1 + 2 * c * c),
    }.items():
        estimate = correlated(which, c, 1.1, of="value")
        assert abs(estimate - expected) <= estimate.error
        assert estimate.error < 3e-12 * max(1.0, expected)


@pytest.mark.sampled(5)
def test_correlated_ends_in_the_moments(shape):
    q = 0.6
    for of in ("value", "slope"):
        same, whole = correlated(shape, 1, q, of=of), moment(shape, q, of=of)
        assert abs(same - whole) <= same.error + whole.error
        # Cauchy and Schwarz
        assert abs(correlated(shape, -0.7, q, of=of)) <= whole * (1 + 1e-12)


def _by_characteristic_functions(which, c, q, of):
    """E[f(x₁)f(x₂)] in 60 digits: f as a sum of C·e^(iwx) with one line, whose products have the mean -∂²/∂w∂v."""
    i, k = mpmath.mpc(0, 1), mpmath.mpf(1) / 6  # snake(3) = x + 1/6 - cos(6x)/6
    waves = {
        ("sine", "value"): {1: -i / 2, -1: i / 2},
        ("sine", "slope"): {1: 0.5, -1: 0.5},
        ("cosine", "value"): {1: 0.5, -1: 0.5},
        ("cosine", "slope"): {1: i / 2, -1: -i / 2},
        ("snake", "value"): {0: k, 6: -k / 2, -6: -k / 2},
        ("snake", "slope"): {0: 1, 6: -i / 2, -6: i / 2},
    }[which, of]
    p = mpmath.mpf(c) * q
    total = p if (which, of) == ("snake", "value") else mpmath.mpf(0)  # x·cos has the mean 0
    for v, one in waves.items():
        for w, other in waves.items():
            total += one * other * mpmath.exp(-mpmath.mpf(q) * (v * v + w * w) / 2 - v * w * p)
    return mpmath.re(total)


@pytest.mark.parametrize("which", ["sine", "cosine", "snake"])
@pytest.mark.parametrize("of", ["value", "slope"])
@pytest.mark.parametrize("q", [1e-3, 0.7, 150.0, 1e4])
@pytest.mark.parametrize("c", [-1, -0.5, 0, 1e-9, 0.3, 1 - 1e-6, 1])
def test_lines_with_waves_have_closed_forms(which, of, q, c):
    record = gt.activation("snake", a=3) if which == "snake" else which
    estimate = correlated(record, c, q, of=of)
    with mpmath.workdps(60):
        expected = _by_characteristic_functions(which, c, q, of)
        largest = _by_characteristic_functions(which, 1, q, of)
        assert abs(mpmath.mpf(float(estimate)) - expected) <= estimate.error
        assert estimate.error <= 1e-11 * largest


def test_close_frequencies_lose_digits_that_the_error_counts():
    """The difference of two rounded frequencies is multiplied by the variance."""
    v, w, q = Rational(27, 10), Rational(27037, 10010), 268620.66
    estimate = waves_of(Z / 2 + sympy.sin(v * Z) / v - sympy.sin(w * Z) / w).slope.mean_product(1.0, q)
    with mpmath.workdps(60):
        one, other, variance = mpmath.mpf(27) / 10, mpmath.mpf(27037) / 10010, mpmath.mpf(q)
        apart, both = (mpmath.exp(-variance * (one + side * other) ** 2 / 2) for side in (-1, 1))
        same = [(1 + mpmath.exp(-2 * variance * each**2)) / 2 for each in (one, other)]
        expected = mpmath.mpf(1) / 4 + sum(same) - (apart + both)
        assert abs(mpmath.mpf(float(estimate)) - expected) <= estimate.error


@pytest.mark.slow
def test_correlated_is_refused_where_it_is_slow():
    def kernel(z, value, slope):
        value[:], slope[:] = np.sin(np.sin(z)), np.cos(np.sin(z)) * np.cos(z)

    wave = replace(gt.activation("sine"), name="wave", expr=sympy.sin(sympy.sin(Z)), kernel=kernel)
    assert correlated(wave, 0.3, 150, of="value") == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InvalidArgument, match=r"^q = 10000.0: must be at most 157.9 for wave: .* is slow beyond"):
        correlated(wave, 0.3, 1e4, of="value")


@pytest.mark.parametrize("c", [1 - 1e-9, 1e-12 - 1])
def test_correlated_slopes_close_to_1(c):
    estimate = correlated("relu", c, 1, of="slope")
    assert abs(estimate - (math.pi - math.acos(c)) / (2 * math.pi)) <= estimate.error


def test_correlated_moments_that_diverge_are_refused():
    with pytest.raises(InvalidArgument, match="diverge there or exceed float64"):
        correlated(sympy.exp(U**2 / 2), 0.3, 2, of="value")


@pytest.mark.parametrize(
    ("rule", "c", "of"),
    [("of", 0.5, "growth"), ("of", 0.5, "values"), ("of", 0.5, None), ("c", 2, "value"), ("c", -1.1, "value")]
    + [("c", c, "value") for c in (float("nan"), "x", [0.5, 2], None)],
)
def test_correlated_refuses_by_name(rule, c, of):
    with pytest.raises(InvalidArgument, match=rf"^{rule} = "):
        correlated("tanh", c, 1, of=of)


@pytest.mark.parametrize(
    "which", ["relu", pytest.param("tanh", marks=pytest.mark.slow), pytest.param("gelu", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("of", ["value", "slope"])
def test_products_of_arrays_are_those_one_by_one(which, of):
    c, q = np.linspace(-1.0, 1.0, 21), np.geomspace(0.01, 20.0, 10)[:, np.newaxis]
    many = gt.gaussian.correlated(which, c, q, of=of)
    few = gt.gaussian.correlated(which, c[[0, 7]], q[3], of=of)
    assert many.shape == (10, 21)
    for place, same in (((3, 0), few[0]), ((3, 7), few[1]), ((8, 13), None), ((0, 20), None)):
        one = gt.gaussian.correlated(which, c[place[1]], q[place[0], 0], of=of)
        assert abs(many[place] - one) <= many.error[place] + one.error < 1e-8
        assert same is None or abs(same - one) <= one.error + 1e-9


def test_slopes_of_arrays_leave_out_the_masses_of_jumps_too():
    jumping = gt.expression("sign(z) + tanh(z)")
    c = np.linspace(-0.9, 0.9, 250)
    many = gt.gaussian.correlated(jumping, c, 1.0, of="slope")
    smooth = gt.gaussian.correlated("tanh", c, 1.0, of="slope")
    assert np.abs(many - smooth).max() < 1e-9
