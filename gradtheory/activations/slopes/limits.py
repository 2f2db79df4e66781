"""One-sided limits of a smooth formula."""

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import FIRST_BITS, as_rational, enclose, is_finite, is_infinite, limit_at
from gradtheory.arithmetic.root import Root

_LARGEST = 100  # the denominator of a fraction that is tried


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
        return _simple(end.map(sympy.Lambda(Z, formula)))
    if isinstance(-end, Root):
        return _simple((-end).map(sympy.Lambda(Z, formula.xreplace({Z: -Z}))))
    if is_infinite(end):
        return limit_at(formula, Z, end)
    value = formula.subs(Z, end)
    if is_finite(value) and enclose(value, FIRST_BITS).is_finite():
        return value
    nearer = 1 / Z if side == "+" else -1 / Z
    return limit_at(formula.xreplace({Z: end + nearer}), Z, sympy.oo)


def _simple(number: Root) -> sympy.Expr:
    """Return the fraction with a small denominator that a number is proven to be, or the number."""
    ball = enclose(number, FIRST_BITS)
    if not ball.is_finite() or abs(ball) > _LARGEST:
        return number
    middle = as_rational(ball) if abs(ball) > 1 / (2 * _LARGEST) else sympy.S.Zero  # the nearest such fraction
    fraction = middle.limit_denominator(_LARGEST)
    is_near = enclose(number - fraction, FIRST_BITS).contains(0)
    return fraction if is_near and number.is_multiple(number.value - fraction) else number
