"""Which expressions SymPy is asked to simplify."""

import sympy

from gradtheory.arithmetic.enclosure.algebra import HYPERBOLIC

_MOST_OPERATIONS = 80
_MOST_DENOMINATOR = 100  # SymPy writes exp(1.702*z) as the 851st power of exp(z/500)
_MOST_NUMERATOR = 1_000  # of an expression with exponentials


def is_simple(expr: sympy.Expr) -> bool:
    """Return whether SymPy can be asked to simplify an expression without taking long."""
    has_exponentials = expr.has(sympy.exp, *HYPERBOLIC)
    most = _MOST_OPERATIONS // 2 if has_exponentials else _MOST_OPERATIONS
    numbers = expr.atoms(sympy.Rational)
    has_decimals = any(number.q > _MOST_DENOMINATOR for number in numbers)
    has_powers = has_exponentials and any(abs(number.p) > _MOST_NUMERATOR for number in numbers)
    is_short = expr.count_ops() <= most and not expr.has(sympy.Max, sympy.Min, sympy.DiracDelta)
    return is_short and not (has_decimals or has_powers)
