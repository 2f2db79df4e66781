"""Exact numbers as float64, rounded to the side on which a bound stays one."""

import math

import sympy

from gradtheory.arithmetic.enclosure import order


def rounded_up(number: sympy.Expr) -> float:
    """Return the least float64, or the one above it, that a number does not exceed.

    Examples
    --------
    >>> rounded_up(sympy.Integer(4)), sympy.Rational(rounded_up(sympy.Rational(1, 10))) > sympy.Rational(1, 10)
    (4.0, True)

    """
    if number.is_infinite:
        return math.inf if number > 0 else -math.inf
    nearest = float(number)
    return nearest if order(sympy.Rational(nearest), number) >= 0 else math.nextafter(nearest, math.inf)


def rounded_down(number: sympy.Expr) -> float:
    """Return the greatest float64, or the one below it, that does not exceed a number."""
    return -rounded_up(-number)
