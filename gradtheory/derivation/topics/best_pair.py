"""What the vanishing derivatives of ln((q - p)√(σ'(p)σ'(q))) say of the best pair of two places."""

from typing import TypeAlias

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.root import Root
from gradtheory.chains.symbols import equation
from gradtheory.derivation.language import Bend, Slope
from gradtheory.formulas import WrittenProduct, WrittenSum

Pair: TypeAlias = tuple[sympy.Expr, sympy.Expr]
P, Q = sympy.symbols("p q", real=True)


def has_formulas(pair: Pair) -> bool:
    """Return whether no end of a pair is where σ' has a value that no formula solves for."""
    return not any(root.value.has(SlopeInverse) for end in pair for root in end.atoms(Root))


def at_mirror_images(record: Activation, pair: Pair) -> tuple[sympy.Eq, sympy.Expr, sympy.Symbol] | None:
    """Return what -(q - p)σ''(q)/σ'(q), which is 2 at the best pair, is at all mirror images, such as 4s·tanh s.

    With it q, such as 2s, and s. None where the equation of the best pair is of another form.
    """
    widest, (_, q) = record.widest_point, pair
    if widest is None or widest.equation is None or not isinstance(q, Root) or not has_formulas(pair):
        return None
    place = q.value.xreplace({q.function.variables[0]: widest.parameter})
    two = 2 * widest.equation.lhs / widest.equation.rhs
    bend, slope = (formula.subs(Z, place) for formula in (record.expr.diff(Z, 2), record.expr.diff(Z)))
    difference = sympy.together((two + 2 * place * bend / slope).rewrite(sympy.exp))
    if sympy.expand(sympy.numer(difference)) != 0:
        return None
    return equation(-2 * place * Bend(place) / Slope(place), two), place, widest.parameter


def slope_by(place: sympy.Symbol, sign: int) -> sympy.Eq:
    """Return the derivative of ln((q - p)√(σ'(p)σ'(q))) by one of both."""
    size = sympy.log(WrittenProduct((Q - P, sympy.sqrt(Slope(P) * Slope(Q)))))
    parts = sign / (Q - P), Bend(place) / (2 * Slope(place))
    return equation(sympy.Derivative(size, place), WrittenSum(*parts[::sign]))


def stationary_at(place: sympy.Symbol, sign: int, pair: Pair) -> sympy.Eq:
    """Return that it vanishes at a pair."""
    stationary = equation(-sign * (Q - P) * Bend(place) / Slope(place), sympy.Integer(2))
    return stationary.xreplace(dict(zip((P, Q), pair, strict=True)))
