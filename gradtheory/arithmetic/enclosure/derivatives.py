"""Derivatives of SymPy expressions, each found once: finding them takes longer than most proofs.

Sums, products, powers and functions of one argument are differentiated here, part by part, which is several times as
fast as SymPy's way; anything else is left to SymPy.
"""

import functools

import sympy

from gradtheory.arithmetic.effort import depth, size, spend


@functools.lru_cache(maxsize=4096)
def derivative(expr: sympy.Expr, variable: sympy.Symbol, order: int) -> sympy.Expr:
    """Return a derivative; the work is taken from the open budget.

    That of tanh is 1/cosh², which does not cancel.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> derivative(z**3, z, 2)
    6*z
    >>> derivative(sympy.tanh(2 * z), z, 1)
    2/cosh(2*z)**2

    """
    if order == 0:
        return expr
    before = derivative(expr, variable, order - 1)
    spend(10 * size(before) * depth(before))  # each part is met again in the derivatives of those around it
    return _first(before, variable)


@functools.lru_cache(maxsize=16_384)
def _first(expr: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:  # noqa: PLR0911  # one a kind
    if expr == variable:
        return sympy.S.One
    if variable not in expr.free_symbols:
        return sympy.S.Zero
    if expr.is_Add:
        return sympy.Add(*(_first(term, variable) for term in expr.args))
    if expr.is_Mul:
        return sympy.Add(*(_by_one_factor(expr, place, variable) for place in range(len(expr.args))))
    if expr.is_Pow and variable not in expr.exp.free_symbols:
        return expr.exp * expr.base ** (expr.exp - 1) * _first(expr.base, variable)
    if isinstance(expr, sympy.tanh):
        return _first(expr.args[0], variable) / sympy.cosh(expr.args[0]) ** 2
    if isinstance(expr, sympy.Function) and len(expr.args) == 1 and not isinstance(expr, _SWITCHES):
        return expr.fdiff() * _first(expr.args[0], variable)
    return expr.diff(variable)


_SWITCHES = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.DiracDelta, sympy.Piecewise)


def _by_one_factor(product: sympy.Mul, place: int, variable: sympy.Symbol) -> sympy.Expr:
    """Return a product with the derivative of one of its factors in place of it."""
    factors = list(product.args)
    factors[place] = _first(factors[place], variable)
    return sympy.Mul(*factors)
