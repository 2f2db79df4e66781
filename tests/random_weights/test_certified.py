"""Numbers that are called certified: never further from the 50-digit value than they say, as they are shown, too."""

import math
import re
from fractions import Fraction

import flint
import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.arithmetic.enclosure import nearest
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights import meanfield
from gradtheory.random_weights.architectures.growth import Growth

DIGITS = 50


def moment(which, q, of):
    """Return E[σ²], E[σ'²] or q·d/dq E[σ²] to 50 digits, by the trapezoidal rule."""
    functions = {
        "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
        "sine": (mpmath.sin, mpmath.cos),
        "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: mpmath.mpf(z > 0)),
        "gelu": (lambda z: z * mpmath.ncdf(z), lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z)),
    }
    value, slope = functions[which]
    if which == "relu":
        return q / 2 if of in {"value", "growth"} else mpmath.mpf(1) / 2
    integrand = {
        "value": lambda z: value(z) ** 2,
        "slope": lambda z: slope(z) ** 2,
        "growth": lambda z: value(z) * slope(z) * z,
    }[of]
    scale = mpmath.sqrt(q)
    step = mpmath.mpf(1) / 32
    nodes = (k * step for k in range(-16 * 32, 16 * 32 + 1))
    return mpmath.fsum(integrand(scale * z) * mpmath.npdf(z) for z in nodes) * step


def exact(number):
    fraction = Fraction(number)
    return mpmath.mpf(fraction.numerator) / fraction.denominator


def holds(estimate, truth):
    """Whether the truth lies within the error, and within the error that is shown, of the number that is shown."""
    shown = re.fullmatch(r"(\S+) ± (\S+) \(certified\)", str(estimate))
    pairs = ((mpmath.mpf(float(estimate)), mpmath.mpf(estimate.error)), tuple(map(mpmath.mpf, shown.groups())))
    return all(abs(truth - value) <= error for value, error in pairs)


CASES = [
    *(("tanh", "1", "3/2", "1/10"), ("tanh", "0.3", "1.1", "0.7"), ("sine", "2", "0.9", "1/3")),
    *(("relu", "1/3", "7/5", "0.1"), ("relu", "5", "3", "0")),
    pytest.param("gelu", "1.7", "1.3", "0.2", marks=pytest.mark.slow),
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("which", "q", "sigma_w", "sigma_b"), CASES)
def test_maps_of_exact_numbers_are_within_their_errors(which, q, sigma_w, sigma_b):
    with mpmath.workdps(DIGITS):
        at, weight, bias = exact(q), exact(sigma_w), exact(sigma_b)
        certified = {"method": "certified"}
        value, slope, growth = (moment(which, at, of) for of in ("value", "slope", "growth"))
        assert holds(meanfield.variance_map(which, q, sigma_w, sigma_b, **certified), weight**2 * value + bias**2)
        assert holds(meanfield.chi(which, q, sigma_w, **certified), weight**2 * slope)
        assert holds(meanfield.chi_parallel(which, q, sigma_w, **certified), weight**2 * growth / at)
        gains = meanfield.gain(which, q, **certified)
        assert holds(gains.forward, 1 / mpmath.sqrt(value))
        assert holds(gains.backward, 1 / mpmath.sqrt(slope))
        for of, truth in (("value", value), ("slope", slope), ("growth", growth)):
            assert holds(gt.gaussian.moment(which, q, of=of, **certified), truth)


@given(
    q=st.fractions("1/100", 100, max_denominator=1000),
    sigma_w=st.fractions("1/10", 10, max_denominator=1000),
    sigma_b=st.fractions(0, 10, max_denominator=1000),
)
def test_lines_are_within_their_errors(q, sigma_w, sigma_b):
    with mpmath.workdps(DIGITS):
        at, weight, bias = map(exact, (q, sigma_w, sigma_b))
        for method in ("certified", "auto"):
            chi = meanfield.variance_map("relu", q, sigma_w, sigma_b, method=method)
            assert abs(weight**2 * at / 2 + bias**2 - mpmath.mpf(float(chi))) <= chi.error
            for function in (meanfield.chi, meanfield.chi_parallel):
                chi = function("relu", q, sigma_w, method=method)
                assert abs(weight**2 / 2 - mpmath.mpf(float(chi))) <= chi.error
        chi = meanfield.correlation_slope("relu", 0.5, q, sigma_w)
        assert abs(weight**2 / 3 - mpmath.mpf(float(chi))) <= chi.error


@pytest.mark.parametrize("sigma_w", [1e-30, 1e30])
def test_the_error_of_a_slope_scales_with_the_weights(sigma_w):
    chi = meanfield.correlation_slope("relu", 0.5, 1, sigma_w)
    assert sigma_w**2 * 1e-17 < chi.error < sigma_w**2 * 1e-11


@given(value=st.floats(-1e300, 1e300), error=st.floats(0, 1e300))
def test_what_is_shown_holds_what_is_meant(value, error):
    shown, _, within, _ = str(gt.Estimate(value, error)).split(" ")
    ends = (Fraction(value) - Fraction(error), Fraction(value) + Fraction(error))
    reach = Fraction(within)
    assert all(abs(end - Fraction(shown)) <= reach for end in ends)
    assert reach <= (Fraction(error) + abs(Fraction(shown) - Fraction(value))) * Fraction(11, 10)


@given(pairs=st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9)), min_size=1, max_size=3))
def test_what_is_shown_of_arrays_holds_what_is_meant(pairs):
    values, errors = zip(*pairs, strict=True)
    numbers, reach = re.fullmatch(r"\[(.*)\] ± (\S+) \(numeric\)", repr(gt.Estimates(values, errors)), re.S).groups()
    for shown, value, error in zip(numbers.split(","), values, errors, strict=True):
        assert abs(Fraction(shown.strip()) - Fraction(value)) + Fraction(error) <= Fraction(reach)


@given(value=st.floats(1e-6, 1e9), error=st.floats(0, 1e9))
def test_six_digits_are_within_what_is_shown(value, error):
    shown, _, within = gt.Estimate(value, error).brief.partition(" ± ")
    reach = Fraction(within) if within else Fraction(value) * Fraction(2, 10**5)
    assert abs(Fraction(shown) - Fraction(value)) + Fraction(error) <= reach


def test_the_error_of_a_law_of_growth_is_not_short():
    law = Growth("stretched exponential", gt.Estimate(0.4896, 0.0137), (), ())
    assert repr(law) == "stretched exponential: mean square ~ exp(c·L^0.490) (numeric, ± 0.015)"


def test_shown_errors_keep_their_form():
    assert str(gt.Estimate(0.5, 1e-16)) == "0.5 ± 1e-16 (numeric)"
    assert str(gt.Estimate(0.5, 1.01e-16)) == "0.5 ± 1.1e-16 (numeric)"
    assert str(gt.Estimate(0.1, 0.0)) == "0.1 ± 5.6e-18 (numeric)"  # the float 0.1 is a little more
    assert str(gt.Estimate(0.5, 2.0**-3)) == "0.5 ± 0.13 (numeric)"
    assert str(gt.Estimate(2.0, 0.0)) == "2.0 ± 0 (numeric)"
    assert str(gt.Estimate(2.0, math.inf)) == "2.0 ± inf (numeric)"


@given(mantissa=st.integers(1, 2**70), exponent=st.integers(-1160, -1000))
def test_the_nearest_float_is_within_its_error_among_the_least_floats(mantissa, exponent):
    value, error = nearest(flint.arb((mantissa, exponent)))
    truth = Fraction(mantissa) * Fraction(2) ** exponent
    assert abs(truth - Fraction(value)) <= Fraction(error)


def test_what_exceeds_float64_is_refused():
    with pytest.raises(InvalidArgument, match=r"^sigma_w = .*exceed float64"):
        meanfield.variance_map("relu", 1, sympy.Integer(10) ** 200, method="certified")
    with pytest.raises(InvalidArgument, match=r"^q = 1e-06: must be larger: threshold is as good as constant"):
        meanfield.correlation_map("threshold", 0.5, 1e-6, 1)
