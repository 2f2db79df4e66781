"""Which expressions SymPy is asked to simplify."""

import sympy

from gradtheory.arithmetic.enclosure.algebra import HYPERBOLIC

_MOST_OPERATIONS = 80
_MOST_DENOMINATOR = 100  # SymPy writes exp(1.702*z) as a power of exp(z/500)


def is_simple(expr: sympy.Expr) -> bool:
    """Return whether SymPy can be asked to simplify an expression without taking long."""
    most = _MOST_OPERATIONS // 2 if expr.has(sympy.exp, *HYPERBOLIC) else _MOST_OPERATIONS
    has_decimals = any(number.q > _MOST_DENOMINATOR for number in expr.atoms(sympy.Rational))
    return expr.count_ops() <= most and not (has_decimals or expr.has(sympy.Max, sympy.Min, sympy.DiracDelta))
