"""How a chain is written on one line."""

import pytest
import sympy

import gradtheory as gt


@pytest.mark.parametrize(
    ("activation", "written"),
    [
        ("tanh", "Chain(depth=3, activation='tanh', loss='squared')"),
        (("tanh", "relu", "tanh"), "Chain(depth=3, activation=('tanh', 'relu', 'tanh'), loss='squared')"),
    ],
)
def test_few_activations_are_written_as_they_were_given(activation, written):
    assert repr(gt.Chain(3, activation)) == written


def test_of_many_activations_the_first_two_are_named():
    z = sympy.Symbol("z", real=True)
    long = sympy.tanh(z) + sympy.atan(z) + sympy.erf(z) + sympy.Rational(1, 3)
    written = repr(gt.Chain(5, ["tanh", long, "relu", "relu", "relu"]))
    assert written.startswith("Chain(depth=5, activation=5 activations (tanh, ")
    assert written.endswith(", …), loss='squared')")
    assert len(written) < 110
