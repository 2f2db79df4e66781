"""Whether two exact numbers are equal, also where both are functions of one zero that has no closed form."""

import sympy

from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.root import Root


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
    if isinstance(left, Root) or isinstance(right, Root):
        root, other = (left, right) if isinstance(left, Root) else (right, left)
        if root.value in root.function.variables and not other.has(Root):  # f has no other zero between the bounds
            is_inside = order(root.lower, other) <= 0 <= order(root.upper, other)
            return is_inside and order(root.function(other), sympy.S.Zero) == 0
    return order(left, right) == 0
