"""Whether two exact numbers are equal, also where both are functions of one zero that has no closed form."""

import sympy

from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.root import Root

_MOST_OPERATIONS = 200  # of an expression that SymPy divides
_FACTORS = (1, -1, 2, -2)  # of f, by which formulas on both sides of a switch often differ: u·sign(u) by 2u


def is_equal(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether two real numbers are equal.

    Raises
    ------
    Undecided
        If neither equality nor a difference is proven.

    Examples
    --------
    >>> s = sympy.Symbol("s")
    >>> root = Root(sympy.Lambda(s, sympy.exp(s) - 3), sympy.S.One, sympy.Integer(2))
    >>> is_equal(root.map(sympy.Lambda(s, sympy.exp(2 * s))), root.map(sympy.Lambda(s, 3 * sympy.exp(s))))
    True

    """
    if left == right:
        return True
    if isinstance(left, Root) and isinstance(right, Root) and left.function == right.function:
        return _vanishes(left.value - right.value, left)
    if isinstance(left, Root) or isinstance(right, Root):
        root, other = (left, right) if isinstance(left, Root) else (right, left)
        if root.value in root.function.variables and not other.has(Root):  # f has no other zero between the bounds
            is_inside = order(root.lower, other) <= 0 <= order(root.upper, other)
            return is_inside and order(root.function(other), sympy.S.Zero) == 0
        if not other.has(Root):
            return _vanishes(root.value - other, root)
    return order(left, right) == 0


def _vanishes(difference: sympy.Expr, root: Root) -> bool:
    """Return whether an expression in the variable of a root is 0 there: it is where it is a multiple of f."""
    (variable,) = root.function.variables
    return order(Root(root.function, root.lower, root.upper, sympy.Lambda(variable, difference)), sympy.S.Zero) == 0
