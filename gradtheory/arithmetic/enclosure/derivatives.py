"""Derivatives of SymPy expressions, each found once: finding them takes longer than most proofs."""

import functools

import sympy

from gradtheory.arithmetic.effort import depth, size, spend


@functools.lru_cache(maxsize=4096)
def derivative(expr: sympy.Expr, variable: sympy.Symbol, order: int) -> sympy.Expr:
    """Return a derivative; the work is taken from the open budget.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> derivative(z**3, z, 2)
    6*z

    """
    if order == 0:
        return expr
    before = derivative(expr, variable, order - 1)
    spend(10 * size(before) * depth(before))  # each part is met again in the derivatives of those around it
    return before.diff(variable)
