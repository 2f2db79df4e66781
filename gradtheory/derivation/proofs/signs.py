"""Symbols whose signs follow from assumptions, as symbols that are declared to have them; factors, which have signs."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy.logic.boolalg import Boolean

from gradtheory.derivation.proofs.conditions import follows

_MOST_DEGREE = 50  # of a polynomial that is given to SymPy's factor


def with_signs(
    assumptions: Sequence[sympy.Basic], *expressions: sympy.Basic
) -> tuple[tuple[sympy.Basic, ...], tuple[sympy.Basic, ...]]:
    """Return assumptions and expressions with positive symbols, or their negatives, where signs follow."""
    names: dict[sympy.Basic, sympy.Basic] = {}
    for symbol in sorted(set().union(*(each.free_symbols for each in assumptions)), key=sympy.default_sort_key):
        if symbol.is_nonnegative is not None or symbol.is_positive is not None or not symbol.is_real:
            continue
        for sign in (1, -1):
            above = (each.rhs for each in assumptions if isinstance(each, sympy.Gt) and each.lhs == sign * symbol)
            if any(bound.is_positive for bound in above) or follows(sign * symbol > 0, assumptions):
                names[symbol] = sign * sympy.Dummy(positive=True)
                break
    if not names:
        return tuple(assumptions), expressions
    return tuple(replaced(each, names) for each in assumptions), tuple(replaced(each, names) for each in expressions)


def in_shares(assumptions: Sequence[sympy.Basic], expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with a positive symbol below another as a share s/(1 + s) of it, s > 0."""
    for bound in assumptions:
        if not isinstance(bound, sympy.Gt | sympy.Lt):
            continue
        for large, small in ((bound.gts, bound.lts), (-bound.lts, -bound.gts)):
            if large.is_Symbol and small.is_Symbol and large.is_positive and small.is_positive:
                share = sympy.Dummy(positive=True)
                expr = expr.xreplace({small: large * share / (1 + share)})
    return expr


def replaced(expr: sympy.Basic, names: Mapping[sympy.Basic, sympy.Basic]) -> sympy.Basic:
    """Return an expression with other symbols; SymPy refuses relations of what it takes for no real numbers."""
    if isinstance(expr, Boolean) and expr.args:
        return expr.func(*(replaced(part, names) for part in expr.args), evaluate=False)
    return expr.xreplace(names)


def factored(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression in factors.

    SymPy takes e^(-64/81) for the 64th power of e^(-1/81), and e^(-361) for that of 1/e, and searches the factors of
    such a polynomial without end: where the powers are high, each stands for itself.
    """
    powers = [
        part
        for part in expr.atoms(sympy.exp, sympy.Pow)
        if isinstance(part, sympy.exp) or not part.as_base_exp()[1].is_Integer
    ]
    shares = defaultdict[tuple[sympy.Expr, sympy.Expr], list[sympy.Rational]](list)
    for quantity, share in itertools.chain.from_iterable(map(_shares, powers)):
        shares[quantity].append(share)
    if all(_degree(each) <= _MOST_DEGREE for each in shares.values()):
        return sympy.factor(expr)
    names = {part: sympy.Dummy(real=part.is_real, positive=part.is_positive) for part in powers}
    parts = {name: part for part, name in names.items()}
    return sympy.factor(expr.xreplace(names)).xreplace(parts)


def _shares(power: sympy.Expr) -> Iterator[tuple[tuple[sympy.Expr, sympy.Expr], sympy.Rational]]:
    """Yield what stands in an exponent, with its base, and how often."""
    base, exponent = power.as_base_exp()
    for term in sympy.Add.make_args(exponent):
        share, quantity = term.as_coeff_Mul()
        yield (base, quantity), sympy.Rational(share)


def _degree(shares: Sequence[sympy.Rational]) -> int:
    """Return the highest power of the one quantity of which all these are whole powers."""
    return max(abs(int(share * math.lcm(*(int(each.q) for each in shares)))) for share in shares)
