"""Symbols whose signs follow from assumptions, as symbols that are declared to have them."""

from collections.abc import Mapping, Sequence

import sympy
from sympy.logic.boolalg import Boolean

from gradtheory.derivation.proofs.conditions import follows


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
