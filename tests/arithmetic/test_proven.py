"""A subclass of ProvenNumber gives balls, and is a SymPy number that certifies what rests on it."""

import pickle

import flint
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.guarantee import Guarantee, guarantee
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.arithmetic.proven import Largest, Proven, ProvenNumber

_P, _Q = sympy.symbols("p q")


class _Exponential(ProvenNumber):
    """e^x, or its negative."""

    def __new__(cls, exponent, factor):
        self = super().__new__(cls)
        self.exponent, self.factor = exponent, factor
        return self

    def _hashable_content(self):
        return self.exponent, self.factor

    def enclosure(self, bits, at=None):
        return enclosure.enclose(self.factor * sympy.exp(self.exponent), bits)


def _diagonal():
    return PairRoot((_P**2 + _Q**2 - 1, _P - _Q), (_P, _Q), (0.7, 0.7))


_NUMBERS = [  # each with what it is
    (lambda: _Exponential(sympy.S(2), sympy.S.One), sympy.exp(2), "_Exponential"),
    (lambda: _Exponential(sympy.S(2), -sympy.S.One), -sympy.exp(2), "_Exponential"),
    (_diagonal, sympy.sqrt(2) / 2, "PairRoot"),
]


@pytest.mark.parametrize(("make", "exact", "prefix"), _NUMBERS)
def test_it_is_a_sympy_number(make, exact, prefix):
    number = make()
    assert (number.is_number, number.is_real, number.is_finite, number.is_zero) == (True, True, True, False)
    assert (number.is_positive, number.is_negative) == (exact.is_positive, exact.is_negative)
    assert number.free_symbols == set()
    assert (2 * number + 1).subs(_P, 3) == 2 * number + 1
    assert abs(number.n(60) - exact.n(60)) <= abs(exact.n(60)) * sympy.Float("1e-59")
    for off in (sympy.Rational(1, 10**130), -sympy.Rational(1, 10**130)):
        near = sympy.Rational(str(exact.n(150))) + off
        assert (number < near, near > number, number > near) == (off > 0, off > 0, off < 0)
    digits = str(exact.n(20))[: 13 + exact.is_negative]  # cut off, as the ellipsis says
    digits = digits if abs(exact) > 1 else str(exact.n(20))[: 14 + exact.is_negative]
    assert str(number) == f"{prefix}({digits}…)"
    assert sympy.latex(number) == rf"{digits}\ldots"
    copy = pickle.loads(pickle.dumps(number))
    assert copy == number
    assert hash(copy) == hash(number)


def test_it_certifies_what_rests_on_it():
    number = _Exponential(sympy.S(2), sympy.S.One)
    assert guarantee(number) == guarantee(sympy.Interval.open(0, 2 * number)) == Guarantee.CERTIFIED
    assert guarantee(sympy.exp(2), sympy.Interval(0, 1)) == Guarantee.EXACT
    assert number != _Exponential(sympy.S(3), sympy.S.One)


class _Ball(ProvenNumber):
    parts = ("ball",)

    def enclosure(self, bits, at=None):
        return self.ball


@pytest.mark.parametrize(
    ("middle", "radius", "printed", "in_latex"),
    [
        ("0", 1e-48, "_Ball(0 ± 1.1e-48)", r"0 \pm 1.1 \times 10^{-48}"),  # radii are rounded up
        ("1e-49", 1e-48, "_Ball(0 ± 1.2e-48)", r"0 \pm 1.2 \times 10^{-48}"),
        ("1.25", 1e-5, "_Ball(1.250…)", r"1.250\ldots"),
    ],
)
def test_no_digit_is_printed_that_is_not_known(middle, radius, printed, in_latex):
    number = _Ball(flint.arb(middle, radius))
    assert (str(number), sympy.latex(number)) == (printed, in_latex)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (sympy.pi - 3, "0.141592653589…"),
        (-sympy.pi, "-3.14159265358…"),
        (1 - sympy.exp(-40), "0.999999999999…"),
        (1 + sympy.exp(-40), "1.00000000000…"),
        (sympy.sqrt(2) ** 2 / 4, "0.500000000000…"),
        (sympy.exp(-100) / 3, "1.24002532534…e-44"),
    ],
)
def test_what_stands_before_an_ellipsis_are_the_first_digits(number, shown):
    assert Largest((number,)).first_digits("…") == shown


@pytest.mark.parametrize("number", [_diagonal().n(20), sympy.Float("0.1"), sympy.nan, sympy.zoo])
def test_digits_alone_have_no_proof_behind_them(number):
    assert guarantee(number) == guarantee(1 + number, sympy.Integer(1)) == Guarantee.NUMERIC


def test_latex_has_powers_of_ten_and_brackets_where_a_sign_or_a_power_needs_them():
    small = gt.total_explosion_set(gt.Chain(12, "tanh"), w=[30] * 12, b=[0] * 12)
    low, high = small.inf, small.sup
    assert sympy.latex(high) == r"4.81450259965\ldots \times 10^{-17}"
    assert sympy.latex(high**2) == r"\left(4.81450259965\ldots \times 10^{-17}\right)^{2}"
    assert sympy.latex(3 * low) == r"3 \left(-4.81450259965\ldots \times 10^{-17}\right)"
    assert sympy.latex(low / 3) == r"\frac{-4.81450259965\ldots \times 10^{-17}}{3}"


def test_a_number_with_a_sum_for_a_formula_keeps_its_brackets():
    number = Proven(1 + sympy.sqrt(2))
    assert sympy.latex(-number) == r"- \left(1 + \sqrt{2}\right)"
    assert str(sympy.Symbol("x") - 2 * number) == "x - 2*(1 + sqrt(2))"
    assert str(number**2) == "(1 + sqrt(2))**2"
