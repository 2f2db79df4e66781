"""Exact numbers: whether a statement about them is true, and a rational very close to one."""

import sympy
from sympy.core.relational import Relational

from gradtheory.arithmetic.enclosure import as_rational, enclose, order
from gradtheory.errors import Undecided

_BITS = 64
_MOST_BITS = 20_000  # of a rational


def truth(statement: sympy.Basic) -> bool | None:
    """Return whether a statement about exact numbers is true; None where it cannot be decided."""
    if isinstance(statement, sympy.And | sympy.Or):
        parts = [truth(part) for part in statement.args]
        decisive = isinstance(statement, sympy.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if not isinstance(statement, Relational) or sympy.nan in statement.args:
        return bool(statement) if statement in (sympy.true, sympy.false) else None
    try:
        return bool(statement.func(sympy.Integer(order(statement.lhs, statement.rhs, ask_sympy=False)), 0))
    except (Undecided, ValueError, TypeError):
        return None


def near(number: sympy.Expr, bits: int = _BITS, most: int = _MOST_BITS) -> sympy.Rational:
    """Return a rational very close to a number: 0 for one below 2^-most.

    Raises
    ------
    Undecided
        If it is above 2^most, or not known to so many bits.

    """
    if number.is_Rational and max(int(number.p).bit_length(), int(number.q).bit_length()) <= _MOST_BITS:
        return number
    middle = enclose(number, bits).mid()
    if not middle.is_finite():
        raise Undecided(f"{number} is not computed with {bits} bits")
    _, exponent = middle.man_exp()
    if exponent > most:
        raise Undecided(f"a number is too large to write down: about 2^{exponent + bits}")
    return as_rational(middle) if exponent > -most else sympy.S.Zero
