"""References of exact numbers: text, fractions, SymPy numbers and large integers, not of their floats."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory import testing
from gradtheory.errors import InvalidArgument

_TENTHS = ["0.1", Fraction(1, 10), Decimal("0.1"), sympy.Rational(1, 10), "1/10"]


@pytest.mark.parametrize("tenth", _TENTHS, ids=repr)
def test_a_tenth_is_a_tenth(tenth):
    linear = gt.Chain(1, "identity")
    exact = testing.reference_gradients(linear, [tenth, 0.5], [0, tenth], [tenth], ["1/3"])
    for each, right in zip(exact.x, (Fraction(103, 3000), Fraction(17, 600)), strict=True):
        assert right in each
    of_float = testing.reference_gradients(linear, [0.1, 0.5], [0, 0.1], [0.1], ["1/3"])
    assert Fraction(103, 3000) not in of_float.x[0]
    scalar = testing.reference_gradients(linear, tenth, 0, [1], [0])
    assert Fraction(1, 10) in scalar.b[0]


def test_roots_and_large_integers_are_exact():
    linear = gt.Chain(2, "identity")
    exact = testing.reference_gradients(linear, [2**60 + 1], [0.0], [sympy.sqrt(2), sympy.sqrt(2)], [0, 0])
    assert 2 * (2**60 + 1) in exact.b[1]
    assert 2 * 2**60 not in exact.b[1]


@pytest.mark.parametrize("wrap", [list, np.array, lambda each: np.array(each, dtype=object)])
def test_networks_take_exact_numbers(wrap):
    network = gt.Network((2, 2, 1), ["tanh", "identity"])
    w, b = [wrap([["0.1", "1/3"], ["0.2", "-0.3"]]), [["0.5", "0.1"]]], [["0.1", "0.2"], ["0"]]
    exact = testing.reference_gradients(network, wrap([["0.1", "0.7"]]), [["0.3"]], w, b)
    rounded = network.backprop([[0.1, 0.7]], [[0.3]], [[[0.1, 1 / 3], [0.2, -0.3]], [[0.5, 0.1]]], [[0.1, 0.2], [0.0]])
    assert float(exact.loss) == pytest.approx(rounded.loss, rel=1e-13)
    assert np.array(exact.w[0], dtype=float) == pytest.approx(rounded.w[0], rel=1e-13)


@pytest.mark.parametrize("kind", [np.float32, np.float64, list, tuple])
def test_floats_are_taken_at_their_binary_values(kind):
    x = kind([0.1]) if kind in (list, tuple) else np.array([0.1], kind)
    exact = testing.reference_gradients(gt.Chain(1, "identity"), x, [0.0], [1.0], [0.0])
    assert Fraction(float(x[0])) in exact.b[0]


_CHAIN, _NETWORK = gt.Chain(2), gt.Network((1, 1), "tanh")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: testing.reference_gradients(_CHAIN, ["a"], [0], [1, 1], [0, 0]), "x = 'a'"),
        (lambda: testing.reference_gradients(_CHAIN, ["0.1"], [0], ["1/3"], [0, 0]), r"w\.shape = \(1,\)"),
        (lambda: testing.reference_gradients(_CHAIN, ["0.1"], [0, 1], [1, 1], [0, 0]), "shapes of x, y"),
        (lambda: testing.reference_gradients(_CHAIN, [True], [0], [1, 1], [0, 0]), "x = True"),
        (lambda: testing.reference_gradients(_CHAIN, [[1], [1, 2]], [0], [1, 1], [0, 0]), "x = "),
        (lambda: testing.reference_gradients(_CHAIN, [sympy.oo], [0], [1, 1], [0, 0]), "x = oo"),
        (lambda: testing.reference_gradients(_NETWORK, [["0.1"]], [[0]], [["1", "2"]], [["0"]]), r"w\[0\]\.shape"),
        (lambda: testing.reference_gradients(_NETWORK, [["0.1"]], [[0]], [[["b"]]], [["0"]]), r"w\[0\] = 'b'"),
        (lambda: testing.reference_gradients(_NETWORK, ["0.1"], [[0]], [[["1"]]], [["0"]]), r"x\.shape"),
    ],
)
def test_what_is_no_number_is_named_on_one_line(call, said):
    with pytest.raises(InvalidArgument, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
