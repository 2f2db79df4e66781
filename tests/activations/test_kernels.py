"""The check of activation kernels: right ones pass, wrong ones fail where they are wrong, points are adversarial."""

import numpy as np
import pytest
import scipy.special
import sympy

import gradtheory as gt
from gradtheory import testing
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import InvalidArgument

_BITS = 3000  # so that e^-700 beside 1 is told from 0


def message(*arguments, **more):
    with pytest.raises(AssertionError) as caught:
        testing.assert_activation(*arguments, **more)
    return str(caught.value)


@pytest.mark.sampled(2)
@pytest.mark.quick_for("gelu", "identity", "selu", "sigmoid", "snake")
@pytest.mark.parametrize("derivative", [0, 1])
def test_our_own_kernels_are_as_right_as_stated(shape, derivative):
    record = gt.activation(shape)
    errors = testing.kernel_errors((record.value, record.slope)[derivative], shape, derivative=derivative)
    # Below 1e-300 they lose bits gradually; snake's slope has zeros at all sizes.
    moderate = (np.abs(errors.exact) > 1e-300) | (errors.exact == 0) | ~np.isfinite(errors.exact)
    moderate &= (np.abs(errors.z) < 60) | (shape != "snake")
    limit = 8 if derivative == 0 or record.period is None else 10
    assert errors.ulp[moderate].max() <= limit, errors
    assert errors.ulp.max() < np.inf


def test_gelu_between_and_at_the_ends_of_its_table():
    """Farthest from the nodes k/128 its integral errs most; from -6 down and 9 up it is computed without them."""
    between = (np.arange(-6 * 128, 9 * 128, 7) + 0.5) / 128.0
    z = np.concatenate(
        [between, *(np.nextafter(end, [-np.inf, end, np.inf]) for end in (-6.0, 9.0)), [np.nan, -np.inf]]
    )
    record = gt.activation("gelu")
    value, slope = record.value_and_slope(z)
    exact_value, exact_slope = (
        np.array([float(enclose(formula, 200, {Z: exactly(place)})) for place in z[:-2]])
        for formula in (record.expr, record.slope_expr)
    )
    assert (np.abs(value[:-2] - exact_value) <= 4.0 * np.spacing(np.abs(exact_value))).all()
    parts = np.abs(exact_value / z[:-2]) + np.abs(exact_slope)  # the slope is Φ(z), which is σ(z)/z, and zφ(z)
    assert (np.abs(slope[:-2] - exact_slope) <= 4.0 * np.spacing(parts)).all()
    assert np.isnan([value[-2], slope[-2]]).all()
    assert value[-1] == slope[-1] == 0.0


@pytest.mark.only(lambda record: record.log_odds is not None)
def test_log_odds_are_those_of_the_value(name):
    """In balls, from the formula of σ alone: far out, where 1 - σ in float64 is 0, too."""
    record, z = gt.activation(name), np.array([-700.0, -40.0, -5.5, -1.0, -1e-3, 0.0, 1e-3, 0.7, 2.5, 5.5, 40.0, 700.0])
    odds, slope = np.empty_like(z), np.empty_like(z)
    with np.errstate(all="ignore"):  # as where it is called
        record.log_odds(z, odds, slope)
    share = stable(record.expr)
    formulas = sympy.log(share / (1 - share)), record.slope_expr / (share * (1 - share))
    for place, *told in zip(z, odds, slope, strict=True):
        exact = [float(enclose(formula, _BITS, {Z: exactly(place)})) for formula in formulas]
        assert told == pytest.approx(exact, rel=1e-13, abs=1e-15)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("fn", "which", "dtype", "ulp"),
    [
        (np.tanh, "tanh", "float64", 2),
        (np.tanh, "tanh", "float32", 4),
        (np.arctan, "arctan", np.float64, 2),
        (np.arcsinh, "arsinh", np.float32, 4),
        (np.exp, "exponential", "float64", 2),
        (scipy.special.erf, "erf", "float64", 4),
        (scipy.special.expit, "sigmoid", "float64", 4),
        (lambda z: np.maximum(z, 0), "relu", "float16", 0.5),
        (lambda z: np.logaddexp(0, z), "softplus", "float64", 4),
    ],
)
def test_good_kernels_pass(fn, which, dtype, ulp):
    testing.assert_activation(fn, which, dtype=dtype, ulp=ulp)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("fn", "which", "derivative", "where"),
    [
        (lambda z: np.exp(z) / (1 + np.exp(z)), "sigmoid", 0, lambda z: z > 700),
        (lambda z: 1 / (1 + np.exp(-z)) + 1e-14, "sigmoid", 0, lambda z: z < 0),
        (lambda z: np.log(1 + np.exp(z)), "softplus", 0, lambda z: z > 700),
        (lambda z: np.where(z > 0, z, np.exp(z) - 1), "elu", 0, lambda z: abs(z) < 1e-6),
        (lambda z: 0.5 * z * (1 + scipy.special.erf(z / np.sqrt(2))), "gelu", 0, lambda z: z < -5 or np.isinf(z)),
        (lambda z: 1.0 * (z >= 0), "relu", 1, lambda z: z == 0),
        (lambda z: np.clip(np.nan_to_num(z, nan=0.0), -1, 1), "hard_tanh", 0, np.isnan),
        (lambda z: np.tanh(np.clip(z, -1e6, 1e6)) + (z == np.inf), "tanh", 0, lambda z: z == np.inf),
        (lambda z: z + (z == 5e-324), "identity", 0, lambda z: z == 5e-324),
        (lambda z: np.where(abs(z) > 19, 0.0, 1 / np.cosh(z) ** 2), "tanh", 1, lambda z: abs(z) > 19),
        (lambda z: -2 * np.tanh(z) / np.cosh(np.clip(z, -300, 300)) ** 2 * 1.001, "tanh", 2, lambda z: z != 0),
        (lambda z: np.divide(1, 1 + z * z) + np.signbit(z) * (z == 0), "arctan", 1, lambda z: z == 0 and np.signbit(z)),
    ],
)
def test_bad_kernels_fail_where_they_are_wrong(fn, which, derivative, where):
    errors = testing.kernel_errors(fn, which, derivative=derivative)
    assert errors.worst > 8
    assert where(errors.worst_point), errors
    text = message(fn, which, derivative=derivative, ulp=8)
    assert f"at z = {errors.worst_point!r}" in text.splitlines()[0]
    assert f"σ{derivative * chr(39)} of {which} in float64" in text.splitlines()[0]
    assert len(text.splitlines()) <= 10


def test_a_half_of_the_last_place_counts_as_that():
    nearest = testing.kernel_errors(lambda z: np.where(abs(z) < 1e300, np.nextafter(z, np.inf), z), "identity")
    assert nearest.worst == 1


def test_results_that_underflow_may_be_flushed():
    def flushed(z):
        value = np.exp(z)
        return np.where(value < 2.3e-308, 0.0, value)

    testing.assert_activation(flushed, "exponential", ulp=2)
    assert "exact" in message(lambda z: np.where(np.exp(z) < 1e-300, 0.0, np.exp(z)), "exponential")


@pytest.mark.slow
def test_the_points_are_adversarial_and_exact_in_their_type():
    for dtype in ("float16", "float32", "float64"):
        errors = testing.kernel_errors(lambda z: z, "hard_sigmoid", dtype=dtype)
        limits = np.finfo(dtype)
        points = errors.z[~np.isnan(errors.z)]
        assert np.array_equal(points, points.astype(dtype).astype(float))
        for point in (0.0, -3.0, 3.0, limits.max, -limits.max, limits.smallest_subnormal, np.inf, -np.inf):
            assert float(point) in points
        assert float(np.nextafter(np.asarray(3, dtype), np.asarray(4, dtype))) in points
        assert np.isnan(errors.z).any()
        assert (np.signbit(errors.z) & (errors.z == 0)).any()


@pytest.mark.slow
def test_errors_next_to_a_zero_of_the_slope_count_by_what_surrounds_it():
    def cancelling(z):
        return 0.5 * (1 + scipy.special.erf(z / np.sqrt(2))) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    errors = testing.kernel_errors(cancelling, "gelu", derivative=1)
    beside = np.abs(errors.z + 0.7517915246935645) < 1e-3
    assert errors.ulp[beside].max() < 8
    assert errors.ulp[errors.z < -6].max() > 1e5  # 1 + erf cancels in the tail


@pytest.mark.slow
def test_activations_with_parameters_and_of_ones_own():
    testing.assert_activation(lambda z: np.where(z > 0, z, z / 5), "leaky_relu(1/5)", ulp=2)
    z = gt.expression("z/(1 + z**2)")
    assert testing.kernel_errors(lambda z: z / (1 + z * z), z).ulp[:50].max() > 1e10  # z² overflows


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        ((3, "tanh"), {}, "fn = 3"),
        ((np.tanh, "nope"), {}, "nope"),
        ((np.tanh, "tanh"), {"dtype": "int8"}, "dtype = 'int8'"),
        ((np.tanh, "tanh"), {"derivative": -1}, "derivative = -1"),
        ((np.tanh, "tanh"), {"ulp": 0}, "ulp = 0"),
        ((lambda z: z[:2], "tanh"), {}, "must return an array of shape"),
        ((lambda z: z + 1j, "tanh"), {}, "must return an array of real numbers: its type is complex128"),
    ],
)
def test_bad_arguments_are_named(arguments, more, said):
    with pytest.raises(InvalidArgument, match=said):
        testing.assert_activation(*arguments, **more)


def _numbers(first, last):
    """Return floats beside a number, and the numbers that they are."""
    z = first + np.arange(-40, 41) * np.spacing(first) if last is None else np.geomspace(first, last, 300)
    return z, [sympy.Rational(float(each)) for each in z]


@pytest.mark.parametrize("corner", ["0.3", "1e-3", "7/9", "0.1"])
def test_kernels_take_their_parameters_for_the_fractions_that_they_write(corner):
    number = sympy.Rational(corner)
    z, exact = _numbers(float(number), None)
    within = lambda each: -number <= each <= number  # noqa: E731 - as short as the other formulas
    cases = {
        gt.activation("softshrink", lambd=corner): [0 if within(each) else each - number for each in exact],
        gt.activation("hardshrink", lambd=corner): [0 if within(each) else each for each in exact],
        gt.activation("threshold", threshold=corner, value=0): [0 if each <= number else each for each in exact],
    }
    for record, values in cases.items():
        np.testing.assert_allclose(record.value(z), [float(each) for each in values], rtol=1e-15, atol=0.0)
        assert record.slope(z).tolist() == [float(bool(each > number)) for each in exact]
    tanh = gt.activation("hard_tanh", lower=-number, upper=number)
    assert tanh.slope(z).tolist() == [float(bool(each < number)) for each in exact]
    sigmoid = gt.activation("hard_sigmoid", slope=1 / (2 * number))
    values = [float(max(0, (number - each) / (2 * number))) for each in exact]
    np.testing.assert_allclose(sigmoid.value(-z), values, rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("a", ["0.3", "3", "1", "1/4", "1000", "1e-6", "1e6", "1e250"])
def test_snake_is_right_however_far_out(a):
    z, exact = _numbers(1e5, 1e300) if a != "1e250" else _numbers(1e-245, 1e50)
    record, number = gt.activation("snake", a=a), sympy.Rational(a)
    value, slope = record.value_and_slope(z)
    for k, each in enumerate(exact):
        digits = 700
        angle = (number * each).n(digits)
        assert slope[k] == pytest.approx(float((1 + sympy.sin(2 * angle)).n(digits)), rel=1e-9, abs=1e-15)
        assert value[k] == pytest.approx(float(each + (sympy.sin(angle) ** 2).n(digits) / number), rel=1e-15)


@pytest.mark.parametrize(
    "text", ["hard_sigmoid(slope=1e-310)", "snake(a=1e310)", "isru(alpha=1e-400)", "elu(alpha=1e310)"]
)
def test_parameters_beyond_float64_are_refused(text):
    with pytest.raises(InvalidArgument, match="between 1e-300 and 1e300"):
        gt.activation(text)
