"""Depths of overflow: against exact fractions, rounded as IEEE 754 says."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights import floats
from tests.shapes import slow_except

# Bits of the significand with the hidden one, and the greatest exponent; bfloat16 is float32 without its last 16 bits.
_FORMATS = {
    **{name: (np.finfo(name).nmant + 1, int(np.finfo(name).maxexp) - 1) for name in ("float16", "float32", "float64")},
    "bfloat16": (24 - 16, 127),
}


def rounded(number, dtype):
    """Round a Fraction ≥ 0 to nearest, ties to even, with gradual underflow; inf from 2^(e + 1) on."""
    bits, largest = _FORMATS[dtype]
    if number == 0:
        return Fraction(0)
    exponent = number.numerator.bit_length() - number.denominator.bit_length()
    exponent -= number < Fraction(2) ** exponent
    unit = Fraction(2) ** (max(exponent, 1 - largest) - bits + 1)
    multiple = round(number / unit) * unit  # Python rounds fractions to even
    return math.inf if multiple >= Fraction(2) ** (largest + 1) else multiple


def is_lost(number, dtype):
    return rounded(number, dtype) in {0, math.inf}


@given(st.floats(0, allow_nan=False, allow_infinity=False), st.sampled_from(["float16", "float32", "float64"]))
def test_the_rounding_here_is_that_of_numpy(number, dtype):
    with np.errstate(over="ignore", under="ignore"):
        assert rounded(Fraction(number), dtype) == float(np.dtype(dtype).type(number))


@given(st.fractions(0, 10**6), st.integers(-330, 330))
def test_the_rounding_here_is_that_of_python(number, exponent):
    exact = number * Fraction(10) ** exponent
    try:
        theirs = float(exact)
    except OverflowError:
        theirs = math.inf
    assert rounded(exact, "float64") == theirs


def at_random():
    near = st.sampled_from([-1, 1]).flatmap(lambda side: st.floats(0.003, 0.9).map(lambda step: 1 + side * step))
    return st.one_of(
        near.map(Fraction),
        st.fractions("1/40", "39/40", max_denominator=40),
        st.fractions("41/40", 1000, max_denominator=40),
        st.integers(2, 10**60).map(Fraction),
        st.integers(2, 10**60).map(lambda n: Fraction(1, n)),
        st.integers(-1100, 1100).filter(bool).map(lambda n: Fraction(2) ** n),
    )


@pytest.mark.parametrize("dtype", slow_except({"float16", "bfloat16", "float32"}, _FORMATS))
@given(growth=at_random())
def test_the_depth_is_the_first_that_rounds_to_zero_or_inf(dtype, growth):
    depth = gt.overflow_depth(growth, dtype)
    assert type(depth) is int
    assert is_lost(growth**depth, dtype)
    assert not is_lost(growth ** (depth - 1), dtype)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", _FORMATS)
def test_step_by_step(dtype):
    for growth in (Fraction(3, 2), Fraction(2, 3), Fraction(7), Fraction(1, 7), Fraction(11, 10), Fraction(9, 10)):
        product, layers = growth, 1
        while not is_lost(product, dtype):
            product, layers = product * growth, layers + 1
        assert gt.overflow_depth(growth, dtype) == layers


@pytest.mark.parametrize(
    ("growth", "depths"),
    [
        (2, (16, 128, 128, 1024)),
        ("1/2", (25, 134, 150, 1075)),  # half the least subnormal number: a tie, and 0 is even
        ("1/4", (13, 67, 75, 538)),
        (sympy.sqrt(2) / 2, (50, 268, 300)),
        (sympy.sqrt(2), (32, 256, 256, 2048)),
        (sympy.Rational(1, 2) ** sympy.Rational(1, 7), (175, 938, 1050)),
        (sympy.exp(-2), (9, 47, 52, 373)),
        (0, (1, 1, 1, 1)),
        (10**400, (1, 1, 1, 1)),
        ("1e-400", (1, 1, 1, 1)),
        (1, (math.inf,) * 4),
        ("1.0", (math.inf,) * 4),
        (sympy.cos(1) ** 2 + sympy.sin(1) ** 2, (math.inf,) * 4),
    ],
)
def test_known_depths(growth, depths):
    types = ("float16", "bfloat16", "float32", "float64")[: len(depths)]
    assert tuple(gt.overflow_depth(growth, each) for each in types) == depths


@pytest.mark.parametrize("root", [2, 7])
def test_ties_after_many_layers(root):
    assert gt.overflow_depth(sympy.Rational(1, 2) ** sympy.Rational(1, root), "float64") == 1075 * root


@pytest.mark.parametrize("dtype", _FORMATS)
def test_ties_between_the_greatest_float_and_what_would_follow(dtype):
    bits, largest = _FORMATS[dtype]
    limit = (2 - Fraction(1, 2**bits)) * Fraction(2) ** largest
    exact, tiny = sympy.Rational(limit), limit / 2**300
    assert rounded(limit, dtype) == math.inf
    assert not is_lost(limit - tiny, dtype)
    for layers in (1, 2, 3, 7):
        root = exact ** sympy.Rational(1, layers)
        assert gt.overflow_depth(root, dtype) == layers
        assert gt.overflow_depth((exact - sympy.Rational(tiny)) ** sympy.Rational(1, layers), dtype) == layers + 1
    least = Fraction(2) ** (1 - largest - bits + 1)
    assert rounded(least, dtype) == least
    assert gt.overflow_depth(least, dtype) == 2
    assert gt.overflow_depth(least / 2, dtype) == 1
    assert gt.overflow_depth(least / 2 + least / 10**50, dtype) == 2


@pytest.mark.parametrize("dtype", _FORMATS)
@pytest.mark.parametrize(
    "growth",
    [
        *(1 + 1e-15, 1 - 1e-15, math.nextafter(1, 2), math.nextafter(1, 0), Fraction(10**30 + 1, 10**30)),
        *("0.999999999999999999999", Fraction(10**100 - 1, 10**100)),
    ],
)
def test_next_to_one_logarithms_decide(growth, dtype):
    """No power has a tie there: growth^L = (2 - 2^-p)·2^e would need a denominator of 1."""
    bits, largest = _FORMATS[dtype]
    depth = gt.overflow_depth(growth, dtype)
    with mpmath.workdps(300):
        exact = Fraction(growth)
        rate = mpmath.log(mpmath.mpf(exact.numerator) / exact.denominator)
        limit = (2 - mpmath.mpf(2) ** -bits) * mpmath.mpf(2) ** largest
        log_limit = mpmath.log(limit if rate > 0 else mpmath.mpf(2) ** (1 - largest - bits))
        assert (depth - 1) * abs(rate) < abs(log_limit) <= depth * abs(rate)


@given(growth=st.floats(1.001, 1e4), powers=st.integers(2, 5))
def test_powers_of_growth_divide_the_depth(growth, powers):
    exact = sympy.Rational(growth)
    assert gt.overflow_depth(exact**powers) == math.ceil(gt.overflow_depth(growth) / powers)
    assert gt.overflow_depth(1 / exact**powers) == math.ceil(gt.overflow_depth(1 / exact) / powers)


def test_wider_types_take_longer():
    for growth in ("1.3", "0.7", "100", sympy.exp(-1)):
        half, single, double = (gt.overflow_depth(growth, each) for each in ("float16", "float32", "float64"))
        assert half < single < double
        assert half < gt.overflow_depth(growth, "bfloat16") <= single


def test_types_may_be_named_as_in_numpy():
    for dtype in (np.float16, np.dtype("f2"), np.half(1).dtype, "float16"):
        assert gt.overflow_depth(2, dtype) == 16
    for dtype in (np.float32, np.dtype(">f4"), np.single, "float32"):
        assert gt.overflow_depth(2, dtype) == 128
    for dtype in (np.float64, float, np.dtype("f8"), "float64"):
        assert gt.overflow_depth(2, dtype) == 1024
    assert gt.overflow_depth(2) == gt.overflow_depth(2, "float32")


def test_other_kinds_of_numbers():
    assert gt.overflow_depth(gt.Estimate(0.5, 1e-16)) == 150
    assert gt.overflow_depth(np.float32(2)) == gt.overflow_depth(np.array(2.0)) == gt.overflow_depth("2") == 128
    assert gt.overflow_depth(-0.0) == 1
    assert gt.overflow_depth(5e-324, "float64") == 2
    assert gt.overflow_depth(gt.lyapunov_exponent("relu").growth) == 1
    assert gt.overflow_depth(gt.lyapunov_exponent("sigmoid").growth) == 46  # 150·log 2/2.307585 = 45.06


@pytest.mark.parametrize("growth", [-1, "-1/2", math.nan, math.inf, "x", "", None, True, [2], np.ones(2), 1j, sympy.I])
def test_bad_growth_is_refused(growth):
    with pytest.raises(InvalidArgument, match=r"^growth = "):
        gt.overflow_depth(growth)


@pytest.mark.parametrize(
    "dtype",
    [
        *("float128", "Float32", "half", "f4", "", "int32", int, complex, np.longdouble, np.int8, object(), [], {}, 32),
        None,
    ],
)
def test_bad_types_are_refused(dtype):
    with pytest.raises(
        InvalidArgument,
        match=r"^dtype = .*must be one of 'float16', 'bfloat16', 'float32', 'float64'(; the nearest is '\w+')?$",
    ):
        gt.overflow_depth(2, dtype)


def test_too_close_to_one_is_said():
    with pytest.raises(Undecided, match="not decided within"):
        gt.overflow_depth("1." + "0" * 900 + "1")


# ---- products that are rounded after every layer


def product_of(factor, dtype, flush, most=30_000):
    """Return the depth at which a product of rounded factors, rounded after each, is 0 or inf; inf if it rests before."""
    least = Fraction(2) ** (1 - _FORMATS[dtype][1]) if flush else 0

    def kept(number):
        number = rounded(number, dtype)
        return number if number >= least else Fraction(0)

    factor = kept(Fraction(factor))
    product = factor
    for layer in range(1, most):
        if product in {0, math.inf}:
            return layer
        after = kept(product * factor)
        if after == product:
            return math.inf
        product = after
    raise AssertionError("more layers are needed")


@pytest.mark.parametrize("dtype", _FORMATS)
@pytest.mark.parametrize("flush", [False, True])
@given(growth=st.floats(0.01, 100).filter(lambda number: abs(number - 1) > 0.02))
def test_running_products_step_by_step(dtype, flush, growth):
    arithmetic = "flush" if flush else "product"
    assert gt.overflow_depth(growth, dtype, arithmetic=arithmetic) == product_of(growth, dtype, flush)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("growth", [0.3, 0.77, 1.4, 9.0])
def test_running_products_are_those_of_numpy(dtype, growth):
    with np.errstate(over="ignore", under="ignore"):
        products = np.multiply.accumulate(np.full(4000, growth, dtype))
    lost = np.flatnonzero((products == 0) | np.isinf(products))
    expected = int(lost[0]) + 1 if lost.size else math.inf
    assert gt.overflow_depth(float(np.dtype(dtype).type(growth)), dtype, arithmetic="product") == expected


def test_what_rests_and_what_does_not():
    assert gt.overflow_depth(0.9, "float32") == 987
    assert gt.overflow_depth(0.9, "float32", arithmetic="product") == math.inf  # at 5.6e-45: 4·0.9 is 4 again
    assert gt.overflow_depth("1/2", "float32", arithmetic="product") == 150
    assert gt.overflow_depth(0.9, "float32", arithmetic="flush") == 829  # below 2^-126
    assert gt.overflow_depth("1.0078", "bfloat16", arithmetic="product") == 12288  # the factor is 1 + 1/128
    assert gt.overflow_depth("1.0078", "bfloat16") == 11419
    assert gt.overflow_depth("1.001", "bfloat16", arithmetic="product") == math.inf  # the factor is 1
    for arithmetic in (
        "product",
        "flush",
    ):  # a product less than half a unit above the greatest number is rounded to it
        assert gt.overflow_depth("184/153", "bfloat16", arithmetic=arithmetic) == 481
        assert gt.overflow_depth(1.310546875, "float16", arithmetic=arithmetic) == 42
    for arithmetic in ("product", "flush"):
        assert gt.overflow_depth(1, arithmetic=arithmetic) == math.inf
        assert gt.overflow_depth(0, arithmetic=arithmetic) == 1
        assert gt.overflow_depth(10**400, "float64", arithmetic=arithmetic) == 1
        assert gt.overflow_depth(sympy.sqrt(2), "float64", arithmetic=arithmetic) in {2047, 2048}


def test_too_many_layers_are_said(monkeypatch):
    monkeypatch.setattr(floats, "_MOST_LAYERS", 1000)
    with pytest.raises(Undecided, match="take arithmetic='power'"):
        gt.overflow_depth(1 + 1e-9, "float64", arithmetic="product")
