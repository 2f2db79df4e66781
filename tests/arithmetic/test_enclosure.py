"""Ball arithmetic: contained, decided, restored."""

import threading

import flint
import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided

_X = sympy.Symbol("x", positive=True)
_UNARY = (
    *(sympy.exp, sympy.log, sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.asinh, sympy.atan),
    *(sympy.erf, sympy.erfc, sympy.sin, sympy.cos, sympy.tan, sympy.LambertW, sympy.sqrt, sympy.Abs, sympy.sign),
)


@pytest.mark.parametrize("function", _UNARY)
@given(numerator=st.integers(1, 60), denominator=st.integers(1, 40))
def test_ball_contains_the_value_that_mpmath_finds(function, numerator, denominator):
    expr = (
        function(sympy.Rational(numerator, denominator), evaluate=False)
        if function is not sympy.sqrt
        else sympy.sqrt(sympy.Rational(numerator, denominator))
    )
    ball = enclosure.enclose(expr, 120)
    with mpmath.workdps(60):
        value = sympy.lambdify((), expr, "mpmath")()
        man, exp = (int(part) for part in ball.mid().man_exp())
        assert abs(mpmath.mpf(man) * mpmath.mpf(2) ** exp - value) <= mpmath.mpf(str(float(ball.rad()))) + 1e-45


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (sympy.Integer(-3), -1),
        (sympy.Integer(0), 0),
        (sympy.sqrt(2) - sympy.Rational(141, 100), 1),
        (sympy.sqrt(8, evaluate=False) - 2 * sympy.sqrt(2), 0),
        (sympy.sqrt(2) + sympy.sqrt(3) - sympy.sqrt(5 + 2 * sympy.sqrt(6)), 0),
        (sympy.exp(sympy.pi) - sympy.pi - 20, -1),
        (sympy.Max(sympy.pi, sympy.E) - sympy.Min(sympy.pi, 4), 0),
        (sympy.acosh(2) - sympy.Rational(4, 3), -1),
        (sympy.atanh(sympy.Rational(1, 2)) - sympy.Rational(11, 20), -1),
        (sympy.LambertW(-sympy.Rational(1, 10), -1), -1),
        (sympy.Pow(3, sympy.sqrt(2)) - sympy.Rational(47, 10), 1),
        (sympy.exp(-1) - sympy.Rational(str(sympy.exp(-1).n(200))), None),
    ],
)
def test_sign(expr, expected):
    answer = enclosure.sign(expr)
    assert answer != 0 if expected is None else answer == expected


def test_sign_says_when_it_cannot_decide():
    nearly = sympy.exp(-1) - sympy.Rational(str(sympy.exp(-1).n(300)))
    with pytest.raises(Undecided, match="digits"):
        enclosure.sign(nearly, most_bits=256)


def test_functions_without_an_enclosure_are_named():
    with pytest.raises(Undecided, match="zeta"):
        enclosure.sign(sympy.zeta(3) - 1)


def test_rounded_gives_up_on_an_endless_cancellation():
    x = sympy.Add(sympy.sqrt(8, evaluate=False), -2 * sympy.sqrt(2), evaluate=False)
    zero = sympy.Add(sympy.erf(1), sympy.erfc(1), -1, evaluate=False)
    assert enclosure.rounded(sympy.S.Zero, 53) == 0
    with pytest.raises(Undecided, match="bits"):
        enclosure.rounded(zero + x, 53)


@given(st.integers(20, 400))
def test_zero_is_refined_to_any_precision(digits):
    bits = int(digits * 3.33) + 8
    function = sympy.Lambda(_X, sympy.cos(_X) - _X)
    ball = enclosure.zero(function, function.expr.diff(_X), sympy.Rational(7, 10), sympy.Rational(8, 10), bits)
    with mpmath.workdps(digits + 20):
        exact = mpmath.findroot(lambda x: mpmath.cos(x) - x, 0.7390851332151607)
        man, exp = (int(part) for part in ball.mid().man_exp())
        assert abs(mpmath.mpf(man) * mpmath.mpf(2) ** exp - exact) < mpmath.mpf(10) ** -digits
    assert ball.rel_accuracy_bits() >= bits - 8


@pytest.mark.parametrize(
    ("expr", "lower", "upper"),
    [
        (_X**2 - 2, 0, 1),  # no zero
        ((_X - 1) * (_X - 2), 0, 3),  # two
        ((_X - 1) ** 2, 0, 3),  # double
        ((_X - 1) ** 3, 0, 3),  # the derivative vanishes at it
    ],
)
def test_no_zero_and_many_zeros_are_not_proven(expr, lower, upper):
    assert not enclosure.has_one_zero(sympy.Lambda(_X, expr), expr.diff(_X), sympy.Integer(lower), sympy.Integer(upper))


def test_precision_is_restored_and_threads_agree():
    s = sympy.Symbol("s")
    root = Root(sympy.Lambda(s, s * sympy.tanh(s) - sympy.Rational(1, 2)), sympy.Rational(1, 2), sympy.Integer(1))
    expected = {digits: str(root.n(digits)) for digits in (20, 50, 120, 333)}
    wrong = []

    def work(digits):
        for _ in range(10):
            if str(root.n(digits)) != expected[digits]:
                wrong.append(digits)

    threads = [threading.Thread(target=work, args=(digits,)) for digits in expected for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert flint.ctx.prec == 53
