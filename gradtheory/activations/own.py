"""Your own activation, from a SymPy expression: its record, with a float64 kernel made of NumPy functions."""

from functools import cache

import numpy as np
import sympy

from gradtheory.activations.record import Activation, Z
from gradtheory.activations.slopes.analysis import period_of
from gradtheory.activations.slopes.domain import check_defined
from gradtheory.activations.slopes.numeric import numeric, without_cancelling
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.effort import within
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import InvalidArgument

_MOST_OPERATIONS = 1_000
_BITS = (128, 1_024, 4_096)  # with the last, exp(-1000) is added to 1 and not lost
_EXAMPLE = "such as z*tanh(log(1 + exp(z))) with z = Symbol('z', real=True)"


@cache
def own_activation(expr: sympy.Basic) -> Activation:
    """Return the record of an activation given by an expression in one real symbol.

    Its range is not computed, so cross entropy refuses it. Its float64 kernel computes the value as the expression is
    written, and the slope as SymPy differentiates it, except 1 - tanh², which would cancel. Where that gives nan, as
    exp(z)/(1 + exp(z)) does for z = 800, ball arithmetic gives the number; inf is left as an overflow.

    Raises
    ------
    InvalidArgument
        If the expression has not exactly one symbol, is not proven finite and real everywhere, or holds a function
        without proven bounds.

    """
    if not isinstance(expr, sympy.Expr) or len(expr.free_symbols) != 1:
        raise InvalidArgument("activation", expr, f"must be an expression in exactly one symbol, {_EXAMPLE}")
    (symbol,) = expr.free_symbols
    if symbol.is_real is not True:
        raise InvalidArgument("activation", expr, f"must be written in a real symbol, {_EXAMPLE}")
    if symbol.is_positive is not None or symbol.is_integer is not None:
        raise InvalidArgument("activation", expr, f"must be written in a symbol for any real number, {_EXAMPLE}")
    if expr.count_ops() > _MOST_OPERATIONS:
        raise InvalidArgument("activation", expr, f"must have at most {_MOST_OPERATIONS} operations")
    in_z = expr.xreplace({symbol: Z}).replace(lambda part: part.is_Float, sympy.Rational)
    slope_expr = in_z.diff(Z)
    value_of, slope_of = numeric(in_z), numeric(without_cancelling(slope_expr))
    with within():
        check_defined(in_z)
        check_defined(slope_expr)
        period = period_of(slope_expr)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = slope_of(z)
        value[...] = value_of(z)
        _mend(slope, stable(slope_expr), z)
        _mend(value, stable(in_z), z)

    return Activation(
        name=str(in_z),
        symbol=rf"\left({sympy.latex(in_z)}\right)",
        expr=in_z,
        slope_expr=slope_expr,
        range=sympy.S.Reals,
        period=period,
        kernel=kernel,
        reference="given by its expression",
        source=in_z,
    )


def _mend(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the true value of an expression where float64 arithmetic gave nan at a finite z."""
    for place in np.flatnonzero(np.isnan(numbers) & np.isfinite(z)):
        point = float(z[place])
        smooth = formula_near(expr, Z, sympy.Rational(point))
        for bits in _BITS:
            ball = enclose(smooth, bits, {Z: exactly(point)})
            if ball.is_finite() and (ball.rel_accuracy_bits() > 53 or bits == _BITS[-1]):
                numbers[place] = float(ball.mid())
                break
