"""Whole arrays of scales at once: against one by one, against mpmath, and pictures against gradients."""

import math

import mpmath
import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian.differences import Interpolation
from gradtheory.random_weights.gaussian.interpolated import Interpolated
from gradtheory.random_weights.gaussian.quadrature import Integrals
from gradtheory.random_weights.gaussian.second_moments import moments
from gradtheory.random_weights.meanfield import (
    correlation_map,
    correlation_slope,
    depth_scales,
    fixed_points,
    gain,
    gradients,
    jacobian_moments,
    settled_chi,
    variance_map,
)
from gradtheory.random_weights.meanfield.correlation import settled_correlation
from tests.shapes import slow_except

U = sympy.Symbol("u", real=True)
OWN = U / (1 + sympy.exp(-2 * U))


def agree(one, value, error):
    """Return whether two numbers are the same within their errors."""
    return one == value or (math.isnan(one) and math.isnan(value)) or abs(one - value) <= one.error + error


# ---- errors travel with arrays


def test_estimates_are_arrays_with_errors():
    numbers = Estimates([[1.0, 2.0], [3.0, 4.0]], [0.1, 0.2])
    assert isinstance(numbers[1, 0], gt.Estimate)
    assert (numbers[1, 0], numbers[1, 0].error) == (3.0, 0.1)
    assert numbers[:, 1].error.tolist() == [0.2, 0.2]
    assert numbers.reshape(4).error.tolist() == [0.1, 0.2, 0.1, 0.2]
    for plain in (numbers + 1, np.exp(numbers), numbers.sum(axis=0), numbers.round(1)):
        assert type(plain) is np.ndarray
    assert np.isnan(numbers.T[:1].error).all()  # a view that NumPy makes knows none
    assert numbers.copy().error.tolist() == numbers.error.tolist()
    ordered = np.sort(numbers[::-1], axis=0)
    assert ordered.tolist() == numbers.tolist()
    assert np.isnan(ordered.error).all()
    written = numbers.copy()
    written[0, 0] = 7.0
    assert np.isnan(written.error).all()
    alias = written = numbers.copy()
    written += 1.0
    assert np.isnan(alias.error).all()


# ---- moments between panels


@pytest.mark.parametrize("which", ["tanh", "relu", "hard_tanh", "threshold", "exponential"])
def test_moments_between_panels_are_those_of_the_quadrature(which):
    record = gt.activation(which)
    q = np.exp(np.linspace(-2.9, 1.4, 800))
    many = Interpolated(lambda q: moments(record, q, ("value", "slope", "growth"))).at(q)
    some = slice(3, None, 80)
    one = moments(record, q[some], ("value", "slope", "growth"))
    assert (np.abs(many.value[:, some] - one.value) <= many.error[:, some] + one.error).all()
    assert (many.error <= 1e-11 * np.abs(many.value)).all()


def test_a_panel_that_has_not_converged_is_not_used():
    def wild(q):
        return Integrals(np.sin(300.0 * np.log(q))[np.newaxis], np.zeros((1, len(q))))

    q = np.exp(np.linspace(0.0, 0.99, 400))
    assert Interpolated(wild).at(q).value[0] == pytest.approx(np.sin(300.0 * np.log(q)), abs=1e-12)


# ---- fixed points and depth scales, one by one


@pytest.mark.parametrize("which", slow_except({"gelu"}, ["tanh", "gelu", "selu", "hard_tanh", "relu", "sine"]))
def test_fixed_points_of_arrays_are_those_one_by_one(which):
    random = np.random.default_rng(5)
    weight, bias = random.uniform(0.6, 2.6, (4, 3)), random.choice([0.0, 0.05, 0.4], (4, 3))
    points = fixed_points(which, weight, bias)
    for index in np.ndindex(4, 3):
        alone = fixed_points(which, weight[index], bias[index])
        assert sum(not math.isnan(point.q[index]) for point in points) == len(alone)
        for one, many in zip(alone, points, strict=False):
            assert one.is_stable == many.is_stable[index]
            for each in ("q", "chi", "chi_parallel"):
                number = getattr(many, each)[index]
                assert agree(getattr(one, each), number, number.error)


@pytest.mark.parametrize(
    ("which", "weight", "bias"),
    slow_except(
        [("hard_tanh", [0.9, 1.6], 0.3)],
        [
            ("hard_tanh", [0.9, 1.6], 0.3),
            ("tanh", [0.9, 1.4, 2.5], 0.3),
            ("tanh", [1.5, 2.5], 0.0),
            ("gelu", [1.2, 1.39, 1.41], 0.8),
            ("selu", [0.5, 0.9, 1.2], 0.2),
            ("threshold", [0.7, 0.9], 0.5),
            (OWN, [0.9, 1.2], 0.2),
        ],
    ),
)
def test_depth_scales_of_arrays_are_those_one_by_one(which, weight, bias):
    many = depth_scales(which, weight, bias)
    for number, scale in enumerate(weight):
        try:
            one = depth_scales(which, scale, bias)
        except InvalidArgument:
            assert math.isnan(many.c[number])
            continue
        c, slope = settled_correlation(gt.activation(which), float(one.point.q), one.point.chi, scale, bias)
        assert agree(c, many.c[number], many.c.error[number])
        assert agree(slope, math.exp(-1 / many.xi_c[number]), many.xi_c.error[number] / many.xi_c[number] ** 2 + 1e-15)
        for each in ("c", "xi_q", "xi_c", "xi_gradient"):
            value = getattr(many, each)[number]
            assert agree(getattr(one, each), value, value.error), each
            assert value.error <= 1e-8 * max(1.0, abs(value)) or not math.isfinite(value)


@pytest.mark.slow
def test_a_chaotic_fixed_point_by_mpmath():
    # E[σ(x₁)σ(x₂)] by Mehler's formula Σ a_k²·c^k, a_k = E[σ·He_k]/√k!, which shares nothing with panels
    weight, bias = 2.2, 0.4
    scales = depth_scales("erf", [weight, weight + 0.1], bias)
    c, q = float(scales.c[0]), float(scales.point.q[0])
    assert 0.05 < c < 0.6
    ends = [-10, -6, -3, -1, 0, 1, 3, 6, 10]
    with mpmath.workdps(20):

        def coefficient(k):
            def integrand(z):
                before, now = mpmath.mpf(0), mpmath.mpf(1)
                for order in range(k):
                    before, now = now, z * now - order * before
                return mpmath.erf(mpmath.sqrt(q) * z) * now * mpmath.npdf(z)

            return mpmath.quad(integrand, ends, maxdegree=5) / mpmath.sqrt(mpmath.factorial(k))

        squares = {k: coefficient(k) ** 2 for k in range(1, 36, 2)}
        product = sum(square * mpmath.mpf(c) ** k for k, square in squares.items())
        slope = sum(k * square * mpmath.mpf(c) ** (k - 1) for k, square in squares.items()) / q
        variance = mpmath.quad(lambda z: mpmath.erf(mpmath.sqrt(q) * z) ** 2 * mpmath.npdf(z), ends)
        assert abs(weight**2 * variance + bias**2 - q) < 1e-12 * q
        assert abs((weight**2 * product + bias**2) / q - c) < 1e-10
        assert abs(-1 / mpmath.log(weight**2 * slope) - float(scales.xi_c[0])) < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tanh", "gelu", OWN])
def test_errors_of_a_hundred_by_a_hundred_are_small(which):
    weight, bias = np.meshgrid(np.linspace(0.5, 3.0, 100), np.linspace(0.0, 1.0, 100))
    scales = depth_scales(which, weight, bias)
    for each in (scales.point.q, scales.xi_q, scales.xi_c, scales.xi_gradient):
        finite = np.isfinite(each.plain) & (each.plain != 0.0)
        relative = each.error[finite] / np.abs(each.plain[finite])
        assert np.quantile(relative, 0.99) < 1e-9


# ---- maps of two inputs


@pytest.mark.parametrize("which", slow_except({"relu"}, ["relu", "tanh", "hard_tanh", "threshold"]))
def test_correlation_maps_of_arrays_are_those_one_by_one(which):
    random = np.random.default_rng(3)
    c, q = np.concatenate([[-1.0, 0.0, 1.0], random.uniform(-1, 1, 247)]), random.uniform(0.5, 2.0, 250)
    for function, rest in ((correlation_map, (1.3, 0.2)), (correlation_slope, (1.3,))):
        many = function(which, c, q, *rest)
        for place in (0, 1, 2, 40, 41):
            one = function(which, float(c[place]), q[place], *rest)
            assert agree(one, float(many[place]), many.error[place]), (function, c[place])
        few = function(which, c[:3], q[:3], *rest)
        assert few.plain == pytest.approx(many.plain[:3], abs=1e-9)


def test_the_kernel_of_relu_over_a_grid():
    # Y. Cho & L. K. Saul (2009), equation 6
    c = np.linspace(-1.0, 1.0, 401)
    angle = np.arccos(c)
    kernel = (np.sin(angle) + (np.pi - angle) * c) / np.pi
    assert correlation_map("relu", c, 0.7, 2.0**0.5).plain == pytest.approx(kernel, abs=1e-13)
    assert correlation_slope("relu", c, 0.7, 2.0**0.5).plain == pytest.approx(1 - angle / np.pi, abs=1e-11)


def test_differences_are_refused_where_they_do_not_converge():
    wild = gt.activation(sympy.exp(U))  # its tail beyond 9 standard deviations matters
    interpolated = Interpolation(wild).at(np.log(np.array([40.0])), np.zeros(1))
    assert np.isnan(interpolated.value).all()


# ---- gains, gradients and Jacobians


def test_gains_and_jacobians_of_arrays_are_those_one_by_one():
    q, weight = np.array([0.5, 2.0]), np.array([1.1, 1.3])
    gains, spectrum = gain("gelu", q), jacobian_moments("gelu", 5, q, weight)
    for place in range(2):
        one, other = gain("gelu", q[place]), jacobian_moments("gelu", 5, q[place], weight[place])
        for single, many in (
            (one.forward, gains.forward),
            (one.backward, gains.backward),
            (other.mean, spectrum.mean),
            (other.variance, spectrum.variance),
        ):
            assert agree(single, many[place], many[place].error)


def test_gradients_of_arrays_are_those_one_by_one():
    weight, q = np.array([[0.9], [1.8]]), np.array([0.1, 0.2, 3.0])
    many = gradients("gelu", 12, weight, 0.05, q=q)
    assert many.shape == (2, 3, 12)
    for row, column in np.ndindex(2, 3):
        one = gradients("gelu", 12, weight[row, 0], 0.05, q=q[column])
        assert many[row, column] == pytest.approx(one, rel=1e-10)
    with pytest.raises(InvalidArgument, match="the variance leaves float64"):
        gradients("exponential", 9, 2.0)
    assert np.isnan(gradients("exponential", 9, [2.0, 3.0])[:, 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize("which", ["gelu", "silu", "mish", "tanh", "selu"])
def test_the_colour_of_every_pixel_is_what_gradients_do(which):
    random = np.random.default_rng(8)
    weight, bias, start = (
        random.uniform(0.5, 2.4, 200),
        random.uniform(0.0, 0.8, 200),
        np.exp(random.uniform(-4, 3, 200)),
    )
    colour = settled_chi(which, weight, bias, q=start)
    layers = 400
    with np.errstate(all="ignore"):
        growth = gradients(which, layers, weight, bias, q=start)
        last = growth[:, -2] / growth[:, -1]
    told = np.isfinite(last) & (np.abs(np.log(colour)) > 1e-3)
    assert told.sum() > 120
    assert ((last[told] > 1.0) == (colour[told] > 1.0)).all()


# ---- random chains


def test_lyapunov_exponents_of_arrays_are_those_one_by_one():
    weight = np.array([1.0, 2.0])
    many = gt.lyapunov_exponent("sigmoid", weight, 1.0)
    for place in range(2):
        one = gt.lyapunov_exponent("sigmoid", weight[place], 1.0)
        assert (one.value, one.error) == (many.value[place], many.value[place].error)
        assert one.mean_square_rate == many.mean_square_rate[place]
    assert many.growth.shape == (2,)
    assert gt.lyapunov_exponent("identity", [1.0, 2.0], 0).variance.shape == (2,)
    relu = gt.lyapunov_exponent("relu", [[1.0, 2.0]], 0.0)
    assert relu.survival.tolist() == [[0.5, 0.5]]
    refused = gt.lyapunov_exponent("identity", [1.0, 1e60], 0.0)
    assert math.isnan(refused.value[1])
    assert refused.reason.startswith("sigma_w = 1e+60")
    several = gt.lyapunov_exponent("relu", [1.0, *(10.0 ** np.arange(60, 67))], 0.0)
    assert several.reason.startswith("value is -inf: the slope is 0 with positive probability; ")
    assert "; sigma_w = 1e+60" in several.reason
    assert several.reason.endswith("; and 4 more")


def test_arrays_of_depth_scales_say_why_they_hold_nan():
    some = depth_scales("relu", [[1.0, 2.0], [1e200, 1.2]], 0.1)
    assert np.isnan(some.c).tolist() == [[False, True], [True, False]]
    with pytest.raises(InvalidArgument) as alone:
        depth_scales("relu", 2.0, 0.1)
    assert some.reason == f"nan at 2 of 4 pairs of scales, first where sigma_w = 2: {alone.value.rule}"
    assert "sigma_w = 1e+200: makes variances" in depth_scales("tanh", [1e200, 1.0]).reason
    assert depth_scales("tanh", [1.0, 2.0], 0.1).reason == ""


def test_shapes_that_do_not_broadcast_are_refused():
    for call in (
        lambda: fixed_points("tanh", [1.0, 2.0], [0.1, 0.2, 0.3]),
        lambda: depth_scales("tanh", [1.0, 2.0], [0.1, 0.2, 0.3]),
        lambda: gt.lyapunov_exponent("tanh", [1.0, 2.0], [0.1, 0.2, 0.3]),
    ):
        with pytest.raises(InvalidArgument, match=r"^shapes of sigma_w, sigma_b = .* must broadcast"):
            call()
    with pytest.raises(InvalidArgument, match="must broadcast"):
        correlation_map("tanh", [0.1, 0.2], [1.0, 1.0, 1.0], 1.0)
    assert variance_map("tanh", [1.0, 2.0], 1.0).error.shape == (2,)
