"""Proofs of what signs tell: on which piece of σ a place lies, and that a level is above another."""

import re

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import T, Z
from gradtheory.chains.symbols import equation
from gradtheory.derivation.checks import decide
from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.language import Sigma, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import text
from gradtheory.derivation.proofs.shapes import _is_above, _with_a_name
from gradtheory.derivation.proofs.signs import in_shares
from gradtheory.formulas.latex import latex

_A = sympy.Symbol("A", positive=True)
_X = sympy.Symbol("x", real=True)
_BETWEEN = (sympy.Lt(_X, 0, evaluate=False), sympy.Gt(_X, -_A, evaluate=False))


@pytest.mark.parametrize(
    ("factor", "assumptions", "status"),
    [
        (1 + _A, _BETWEEN, "exact"),
        (2 + _A, _BETWEEN, "false"),
        (1 + _A, (sympy.Lt(_X, 0, evaluate=False),), "false"),
    ],
)
def test_two_softsign_layers_are_linear_between_signs(factor, assumptions, status):
    slope = factor * Slope((1 + _A) * Sigma(_X) + _A) * Slope(_X)
    verdict = decide(equation(slope, 1 / (1 + _A)), Trial(assumptions, Meaning(gt.activation("softsign"))))
    assert verdict.status == status


def test_a_symbol_below_another_is_a_share_of_it():
    small = sympy.Symbol("d", positive=True)
    written = in_shares([sympy.Lt(small, _A)], small)
    (share,) = written.free_symbols - {_A}
    assert written == _A * share / (1 + share)
    assert in_shares([sympy.Gt(-small, -_A, evaluate=False)], small).has(_A)
    assert in_shares([sympy.Le(small, _A), sympy.Lt(small, 1)], small) == small


def test_long_numbers_are_compared_by_their_names():
    long = sum((sympy.sqrt(prime) for prime in (2, 3, 5, 7, 11, 13)), sympy.S.One)
    other = long + sympy.sqrt(17)
    named, conditions = _with_a_name(long, [sympy.Gt(T, 2 * long), sympy.Gt(T, other)])
    assert [each.lhs == T and each.rhs in (2 * named, sympy.Mul(2, named)) for each in conditions] in ([True], [])
    assert _is_above(T, long, [sympy.Gt(T, long, evaluate=False)])
    assert not _is_above(T, long, [sympy.Gt(T, 1, evaluate=False)])
    assert _is_above(-T, -long, [sympy.Gt(-T, -long, evaluate=False)])


def test_numbers_keep_their_places_where_a_formula_keeps_its_own():
    w = sympy.Symbol("w", positive=True)
    below = sympy.Mul(sympy.sqrt(2), w, evaluate=False)
    kept = sympy.Mul(4, sympy.Pow(below, -1, evaluate=False), evaluate=False)
    for number, wanted in ((20, "4/(√2 · 20)"), (1, "4/√2")):
        numbers = {w: sympy.Integer(number)}
        step = InNumbers.of(Z, kept, numbers, kept.xreplace(numbers), 3)
        assert wanted in text(step)


def test_no_sign_follows_another():
    values = {"x": 1, "y": -2, "w1": "1.5", "b1": "-0.25"}
    written = gt.derive("gradient", depth=1, activation="softplus", values=values).to_text()
    (line,) = (each for each in written.splitlines() if "∂C/∂w₁" in each and "σ'(z₁) x ≈" in each)
    assert re.search(r"≈ \([0-9.]+ \+ 2\) · [0-9.]+ · 1 ≈", line)


def test_what_is_differentiated_and_powers_of_erf_stand_in_brackets():
    s = sympy.Symbol("s")
    assert latex(sympy.Derivative(s / sympy.cosh(s), s)) == r"\frac{d}{d s} \left(\frac{s}{\cosh s}\right)"
    assert latex(sympy.Derivative(sympy.tanh(s), s)) == r"\frac{d}{d s} \tanh s"
    assert latex(sympy.erf(s) ** 3) == r"\left(\operatorname{erf}\left(s \right)\right)^{3}"
