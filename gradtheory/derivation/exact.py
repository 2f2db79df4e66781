"""Exact numbers: whether a statement about them is true, and a rational very close to one."""

import sympy
from sympy.core.relational import Relational

from gradtheory.arithmetic.enclosure import MOST_BITS, Ball, as_rational, doubling, enclose, order, precision
from gradtheory.arithmetic.expansion import longest_number
from gradtheory.errors import Undecided

_BITS = 64
_MOST_BITS = 20_000  # of a rational
_FINEST = 4  # times the bits that are wanted, and those that are usually enough


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
    if number.is_Rational and longest_number(number) <= _MOST_BITS:
        return number
    middle = enclose(number, bits).mid()
    if not middle.is_finite():
        raise Undecided(f"{number} is not computed with {bits} bits")
    return _written_out(middle, most) or sympy.S.Zero


def leading(number: sympy.Expr, bits: int, most: int = _MOST_BITS) -> sympy.Rational | None:
    """Return a rational with as many bits in common with a number, however much of its terms cancels.

    It is None for a number below 2^-most, or not told from 0.

    Raises
    ------
    Undecided
        If the number is above 2^most.

    """
    if number.is_Rational:
        return number
    for working in doubling(_FINEST * (bits + MOST_BITS), 2 * bits):
        ball = enclose(number, working)
        if ball.rel_accuracy_bits() >= bits:
            with precision(bits):
                return _written_out((+ball).mid(), most)
    return None


def _written_out(point: Ball, most: int) -> sympy.Rational | None:
    """Return a ball without a radius as a rational; None below 2^-most."""
    mantissa, exponent = point.man_exp()
    if exponent > most:
        raise Undecided(f"a number is too large to write down: about 2^{exponent + mantissa.bit_length()}")
    return as_rational(point) if exponent > -most else None
