"""One-sided limits of a smooth formula."""

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import FIRST_BITS, enclose, is_finite, is_infinite, limit_at
from gradtheory.arithmetic.root import Root


def limit(formula: sympy.Expr, end: sympy.Expr, side: str) -> sympy.Expr:
    """Return the proven one-sided limit of a smooth expression in `Z` at an end; the side is "+" or "-".

    Raises
    ------
    Undecided
        If there is no limit, or none is proven.

    Examples
    --------
    >>> limit(Z * sympy.tanh(Z) / (1 + 2 * Z), -sympy.oo, "+")
    -1/2

    """
    if isinstance(end, Root):
        there = end.map(sympy.Lambda(Z, formula))
        is_zero = enclose(there, FIRST_BITS).contains(0) and there.is_multiple(there.value)
        return sympy.S.Zero if is_zero else there
    if is_infinite(end):
        return limit_at(formula, Z, end)
    value = formula.subs(Z, end)
    if is_finite(value) and enclose(value, FIRST_BITS).is_finite():
        return value
    nearer = 1 / Z if side == "+" else -1 / Z
    return limit_at(formula.xreplace({Z: end + nearer}), Z, sympy.oo)
