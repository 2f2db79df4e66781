"""A certified root behaves as a SymPy number."""

import pickle

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import order, sign
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument

_S = sympy.Symbol("s")
_FUNCTION = sympy.Lambda(_S, _S * sympy.tanh(_S) - sympy.Rational(1, 2))


@pytest.fixture
def root():
    return Root(_FUNCTION, sympy.Rational(1, 2), sympy.Integer(1))


@pytest.fixture
def width(root):
    return root.map(sympy.Lambda(_S, _S / sympy.cosh(_S) ** 2))


def test_digits_agree_with_mpmath(root, width):
    with mpmath.workdps(1020):
        s = mpmath.findroot(lambda s: s * mpmath.tanh(s) - 0.5, 0.7717)
        for number, exact in ((root, s), (width, s / mpmath.cosh(s) ** 2)):
            for digits in (1, 15, 50, 1000):
                assert abs(mpmath.mpf(str(number.n(digits))) - exact) <= abs(exact) * mpmath.mpf(10) ** (1 - digits)


def test_it_is_a_sympy_number(width):
    assert width.is_number
    assert width.is_real
    assert width.is_positive
    assert not width.is_negative
    assert not width.is_zero
    assert width.is_finite
    assert width.free_symbols == set()
    assert width.subs(_S, 3) == width
    assert (2 * width + 1).subs(_S, 3) == 2 * width + 1
    assert abs(width) == width
    assert float(width) == pytest.approx(0.44774320469430284)
    assert round(width, 3) == sympy.Float("0.448", 3)


def test_comparisons_are_decided_at_any_precision(width):
    below, above = (sympy.Rational(str(width.n(300))) + sign * sympy.Rational(1, 10**298) for sign in (-1, 1))
    assert below < width < above
    assert above > width > below
    assert not width < below
    assert width != below
    assert max(width, below, above) == above
    assert width < sympy.sqrt(2)


def test_it_serves_as_the_end_of_an_interval(width):
    interval = sympy.Interval.open(0, width)
    assert sympy.Rational(44774, 100000) in interval
    assert sympy.Rational(44775, 100000) not in interval
    assert interval.measure == width


def test_printing(width):
    assert str(width) == "s/cosh(s)**2"
    assert sympy.latex(width) == r"\frac{s}{\cosh^{2}{\left(s \right)}}"
    assert str(1 / width**2) == "(s/cosh(s)**2)**(-2)"
    assert sympy.latex(width**2) == r"\left(\frac{s}{\cosh^{2}{\left(s \right)}}\right)^{2}"
    assert "Root(" in sympy.srepr(width)
    assert width.equation == sympy.Eq(_FUNCTION.expr, 0, evaluate=False)


def test_pickling_proves_again(width):
    copy = pickle.loads(pickle.dumps(width))
    assert copy == width
    assert hash(copy) == hash(width)
    assert copy.n(30) == width.n(30)


def test_a_weight_that_is_a_root_is_an_exact_weight():
    widest = gt.widest_explosion("sigmoid")
    width = gt.explosion_width("sigmoid", widest.weight)
    assert abs(width.n(40) - widest.width.n(40)) < sympy.Float("1e-38")


def test_what_is_not_proven_is_refused():
    with pytest.raises(InvalidArgument, match="exactly one zero"):
        Root(_FUNCTION, sympy.Integer(1), sympy.Integer(2))


def test_a_number_of_a_pre_activation_is_printed_as_digits():
    z, s = sympy.Symbol("z", real=True), sympy.Symbol("s", positive=True)
    in_z, in_s = (
        Root(sympy.Lambda(u, u**2 - 2), sympy.Integer(1), sympy.Integer(2), sympy.Lambda(u, sympy.exp(u)))
        for u in (z, s)
    )
    assert (str(in_z), sympy.latex(in_z)) == ("Root(4.11325037878…)", r"4.11325037878\ldots")
    assert (str(in_s), sympy.latex(in_s)) == ("exp(s)", "e^{s}")


@pytest.mark.parametrize("value", [_S, _S / sympy.cosh(_S) ** 2, _S**3 + 1])
def test_a_number_near_another_is_not_taken_for_it(value):
    root = Root(_FUNCTION, sympy.Rational(1, 2), sympy.Integer(1), sympy.Lambda(_S, value))
    near = sympy.Rational(str(root.n(300)))
    assert not root.is_multiple(value - near)
    assert root.is_multiple(value * (_S * sympy.tanh(_S) - sympy.Rational(1, 2)))
    assert root.is_multiple(_S**2 - _S / (2 * sympy.tanh(_S)))
    assert sign(root - near) != 0


def test_numbers_of_one_zero_that_are_equal_are_so():
    cubic = Root(sympy.Lambda(_S, _S**3 + _S - 1), sympy.Rational(1, 2), sympy.S.One)
    assert sign(cubic**3 + cubic - 1) == 0
    assert sign(cubic**3 + cubic - 1 - sympy.Rational(1, 10**400)) == -1
    other = cubic.map(sympy.Lambda(_S, _S**3))
    assert sign(other - 1 + cubic) == 0


def test_a_number_that_is_no_function_of_the_same_zero_is_seen_to_be_equal():
    equation = sympy.Lambda(_S, _S**2 - 2)
    right, left = Root(equation, sympy.S.One, sympy.Integer(2)), Root(equation, sympy.Integer(-2), sympy.Integer(-1))
    assert order(left, -right) == order(right / 3, -left / 3) == sign(left + sympy.sqrt(2)) == 0
    other = Root(sympy.Lambda(_S, sympy.exp(_S) - 3), sympy.S.One, sympy.Integer(2))
    assert sign(2 * other - sympy.log(9)) == 0
    assert sign(other - sympy.log(3) - sympy.Rational(1, 10**400)) == -1


def test_two_zeros_of_one_function_are_told_apart():
    equation = sympy.Lambda(_S, sympy.cosh(_S) - 2 - _S / 10)
    right = Root(equation, sympy.S.One, sympy.Integer(2))
    left = Root(equation, sympy.Integer(-2), sympy.Integer(-1))
    for value in (sympy.Lambda(_S, _S), sympy.Lambda(_S, _S**3)):
        assert order(left.map(value), right.map(value)) != 0
    assert order(left.map(sympy.Lambda(_S, sympy.cosh(_S))), left.map(sympy.Lambda(_S, 2 + _S / 10))) == 0
    assert order(left.map(sympy.Lambda(_S, sympy.cosh(_S))), right.map(sympy.Lambda(_S, 2 + _S / 10))) != 0
