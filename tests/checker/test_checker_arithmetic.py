"""The checker's own arithmetic: intervals and jets against Arb, limits, zeros, and the texts that are expressions."""

import random
from fractions import Fraction

import flint
import pytest
import sympy

from gradtheory.arithmetic.enclosure import enclose
from gradtheory.checker.algebra import as_sympy, is_zero
from gradtheory.checker.intervals import MINUS_OO, OO, Interval, Undefined, real
from gradtheory.checker.jets import derivatives
from gradtheory.checker.limits import limit_of_slope
from gradtheory.checker.points import Points
from gradtheory.checker.reading import read
from gradtheory.checker.terms import Malformed, number, z
from gradtheory.errors import Undecided

_RANGES = {
    **dict.fromkeys(
        ("exp", "sinh", "cosh", "tanh", "sech", "asinh", "atan", "sin", "cos", "tan", "erf", "erfc"), (-6, 6)
    ),
    **{"log": (0.01, 9), "coth": (0.1, 4), "acosh": (1.01, 9), "atanh": (-0.95, 0.95)},
}


def _arb(end):
    negative, mantissa, exponent, _ = end
    return flint.arb(int(-mantissa if negative else mantissa)) * flint.arb(2) ** int(exponent)


@pytest.mark.parametrize("function", [*_RANGES, "z**(1/2)", "z**(-3/2)", "z**(1/3)", "z**5", "z**-4"])
def test_jets_contain_what_arb_finds(function):
    text = function.replace("z", "(z + 1)") if "z" in function else f"{function}(z)"
    term, (low, high) = read(f"{text}*z + 3"), _RANGES.get(function, (0, 9))
    source, x = random.Random(function), sympy.Symbol("z", real=True)
    terms = derivatives(term, z)
    flint.ctx.prec = 400
    try:
        for trial in range(12):
            left = Fraction(source.uniform(low, high)).limit_denominator(1000)
            width = Fraction(trial % 3, 50) if left + Fraction(1, 25) < high else Fraction(0)
            try:
                jets = derivatives(term, Interval(real(left, 120, "f"), real(left + width, 120, "c"), 120))
            except Undefined:
                assert function == "tan"
                continue
            inside = left + width * Fraction(source.randrange(11), 10)
            at = sympy.Rational(inside.numerator, inside.denominator)
            for k, jet in enumerate(jets):
                value = enclose(sympy.diff(as_sympy(term), x, k).subs(x, at), 400)
                assert value.overlaps(enclose(as_sympy(terms[k]).subs(x, at), 400))
                assert _arb(jet.lower) <= value <= _arb(jet.upper), (function, k)
                if width == 0:
                    assert _arb(jet.upper) - _arb(jet.lower) < 1e-25 * (1 + abs(value))
    finally:
        flint.ctx.prec = 53


@pytest.mark.parametrize("function", _RANGES)
def test_functions_are_rounded_outward(function):
    low, high = _RANGES[function]
    flint.ctx.prec = 400
    try:
        for k in range(40):
            point = Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(2 * k + 1, 81)
            interval = Interval.around(point.limit_denominator(8), 60)
            try:
                image = interval.apply(function)
            except Undefined:
                continue
            value = enclose(
                getattr(sympy, function)(sympy.Rational(str(point.limit_denominator(8))), evaluate=False), 400
            )
            assert _arb(image.lower) <= value <= _arb(image.upper)
            assert value.contains(0) or _arb(image.lower) < value < _arb(image.upper)
    finally:
        flint.ctx.prec = 53


def test_intervals_reach_to_infinity():
    line = Interval(MINUS_OO, OO, 100)
    assert [line.apply(name).sign for name in ("exp", "cosh", "sech", "erfc", "erf")] == [1, 1, 1, 1, None]
    assert derivatives(read("1/(1 + exp(-z))"), line, 1)[1].sign == 1
    assert (line.power(Fraction(2)) + line.like(Fraction(1))).sign == 1
    for undefined in ("log", "acosh", "atanh", "coth"):
        with pytest.raises(Undefined):
            line.apply(undefined)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("z*(1 + erf(z/sqrt(2)))/2", "0 1"),
        ("z/(1 + exp(-z))", "0 1"),
        ("z*tanh(log(1 + exp(z)))", "0 1"),
        ("atan(z)", "0 0"),
        ("3*z + z**2", "-1* 1*"),
        ("2*z*atan(z)", "-pi pi"),
        ("z*cosh(1/z) + erfc(z)", "1 1"),
        ("z*sech(z) - sinh(1)*z", "-sinh(1) -sinh(1)"),
        ("exp(z)", "0 ?"),
        ("sin(z)", "? ?"),
        ("z*log(z)", "? 1*"),
        ("sqrt(z)", "? 0"),
        ("z/exp(-z)", "0 1*"),
        ("z*coth(z)", "-1 1"),
        ("z*(z - exp(z))", "-1* ?"),
        ("z*log(exp(-z))", "1* -1*"),
        ("z*asinh(z)**3", "-1* 1*"),
    ],
)
def test_limits_of_slopes(text, limits):
    sign = Points().sign
    for infinite, expected in zip((-1, 1), limits.split(), strict=True):
        if expected == "?":
            with pytest.raises(Undecided):
                limit_of_slope(read(text), infinite, sign)
        elif expected.endswith("*"):
            assert limit_of_slope(read(text), infinite, sign) == int(expected[:-1])
        else:
            assert is_zero(limit_of_slope(read(text), infinite, sign) + number(-1) * read(expected))


def test_what_is_zero_is_known_or_not_claimed():
    for text in (
        "sqrt(8) - 2*sqrt(2)",
        "exp(z)*exp(-z) - 1",
        "tanh(z) - sinh(z)/cosh(z)",
        "sin(z)**2 + cos(z)**2 - 1",
        "log(E**2) - 2",
        "E - exp(1)",
        "sqrt(pi)**2 - pi",
    ):
        assert is_zero(read(text)), text
    for text in (
        "z",
        "sqrt(z**2) - z",
        "sqrt(z)**2 - z + 1",
        "exp(log(z)) - z + 1",
        "z**12 - (z + 1)**999",
        "+".join(f"sin({k}*z)" for k in range(1, 60)),
        "1/(z + 1) - 1/z",
    ):
        assert not is_zero(read(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "z.real",
        "z[0]",
        "lambda: 1",
        "f(z)",
        "exp(z, 2)",
        "exp(x=z)",
        "w*z",
        "1.5*z",
        "z if z else 1",
        "z := 1",
        "'z'",
        "z" * 10_001,
        "(" * 70 + "z" + ")" * 70 + "+",
        "-" * 61 + "z",
        "+".join(["z"] * 70),
        "z**1001",
        "2**(10**6)",
        "9" * 4_000 + "**900",
        "z**(1/1001)",
        "1/0",
        "0**-1",
        "1_000",
        "0x10",
        "1e5",
        "2z",
        "z²",
        "z;z",
        "",
        " ",
        "Max(z)",
        "Piecewise(z)",
        "Piecewise((z, 1, 2))",
        "~z",
        "z @ z",
        "z < 1 < 2",
        "I",
        "oo",
        "None",
    ],
)
def test_other_texts_are_no_expressions(text):
    with pytest.raises(Malformed):
        read(text)
