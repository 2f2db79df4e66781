"""Your own activation, from a SymPy expression: its record, with a float64 kernel made of NumPy functions."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import scipy.special
import sympy
from sympy.core.relational import Relational

from gradtheory.activations.analysis import WINDOW, period_of
from gradtheory.activations.domain import check_defined
from gradtheory.activations.record import Activation, Z
from gradtheory.errors import InvalidArgument

_Numeric: TypeAlias = Callable[[np.ndarray], Any]
_MOST_OPERATIONS = 1_000
_EXAMPLE = "such as z*tanh(log(1 + exp(z))) with z = Symbol('z', real=True)"


@cache
def own_activation(expr: sympy.Basic) -> Activation:
    """Return the record of an activation given by an expression in one real symbol.

    Its range is not sought, so cross entropy refuses it; its float64 kernel computes as the expression is written, and
    the slope as SymPy differentiates it, but for 1 - tanh², which would cancel.

    Raises
    ------
    InvalidArgument
        If the expression has not exactly one symbol, is not proven finite and real on the window, or holds a function
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
    slope = in_z.diff(Z)
    value_of, slope_of = _numeric(in_z), _numeric(slope.replace(_is_one_minus_square, _as_cosh))
    for each in (in_z, slope):
        check_defined(each, WINDOW)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = slope_of(z)
        value[...] = value_of(z)

    return Activation(
        name=str(in_z),
        latex=rf"\left({sympy.latex(in_z)}\right)",
        expr=in_z,
        derivative=slope,
        range=sympy.S.Reals,
        period=period_of(slope),
        kernel=kernel,
        reference="given by its expression",
        source=in_z,
    )


def _is_one_minus_square(part: sympy.Expr) -> bool:
    """Return whether a sum is c - c·tanh(x)²."""
    if not part.is_Add or len(part.args) != 2:
        return False
    constant, term = part.as_coeff_Add()
    factor, square = term.as_coeff_Mul()
    return bool(
        constant and factor == -constant and square.is_Pow and square.exp == 2 and square.base.func == sympy.tanh
    )


def _as_cosh(part: sympy.Expr) -> sympy.Expr:
    constant, term = part.as_coeff_Add()
    return constant / sympy.cosh(term.as_coeff_Mul()[1].base.args[0]) ** 2


_FUNCTIONS: dict[type, Callable[..., Any]] = {
    sympy.Abs: np.abs,
    sympy.DiracDelta: np.zeros_like,
    sympy.Heaviside: lambda z, at_zero=0.0: np.heaviside(z, 0.0),  # as PyTorch at kinks
    sympy.Max: lambda *each: np.maximum.reduce(np.broadcast_arrays(*each)),
    sympy.Min: lambda *each: np.minimum.reduce(np.broadcast_arrays(*each)),
    sympy.acosh: np.arccosh,
    sympy.asinh: np.arcsinh,
    sympy.atan: np.arctan,
    sympy.atanh: np.arctanh,
    sympy.cos: np.cos,
    sympy.cosh: np.cosh,
    sympy.coth: lambda z: 1.0 / np.tanh(z),
    sympy.erf: scipy.special.erf,
    sympy.erfc: scipy.special.erfc,
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sech: lambda z: 1.0 / np.cosh(z),
    sympy.sign: np.sign,
    sympy.sin: np.sin,
    sympy.sinh: np.sinh,
    sympy.tan: np.tan,
    sympy.tanh: np.tanh,
}


def _numeric(expr: sympy.Basic) -> _Numeric:  # noqa: PLR0911  # one a case
    """Return an expression in Z as a function of float64 arrays, without generating code."""
    if not expr.free_symbols and expr.is_number:
        number = float(expr)
        return lambda z: number
    if expr == Z:
        return lambda z: z
    if isinstance(expr, sympy.Piecewise):
        return _piecewise(expr)
    inner = [_numeric(each) for each in expr.args]
    if isinstance(expr, sympy.Add):
        return lambda z: sum((each(z) for each in inner[1:]), inner[0](z))
    if isinstance(expr, sympy.Mul):
        return lambda z: _product([each(z) for each in inner])
    if isinstance(expr, sympy.Pow):
        return lambda z: np.power(*(np.asarray(each(z), dtype=float) for each in inner))
    if isinstance(expr, Relational):
        compare = _COMPARISONS[expr.func]
        return lambda z: compare(*(each(z) for each in inner))
    if isinstance(expr, sympy.And | sympy.Or):
        combine = np.logical_and if isinstance(expr, sympy.And) else np.logical_or
        return lambda z: combine.reduce(np.broadcast_arrays(*(each(z) for each in inner)))
    function = _FUNCTIONS.get(expr.func)
    if function is None:
        raise InvalidArgument("activation", expr, f"holds {expr.func.__name__}, which has no proven bounds here")
    return lambda z: function(*(each(z) for each in inner))


_COMPARISONS: dict[type, Callable[..., Any]] = {
    sympy.Eq: np.equal,
    sympy.Ge: np.greater_equal,
    sympy.Gt: np.greater,
    sympy.Le: np.less_equal,
    sympy.Lt: np.less,
    sympy.Ne: np.not_equal,
}


def _product(factors: list[Any]) -> Any:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _piecewise(expr: sympy.Piecewise) -> _Numeric:
    values = [_numeric(value) for value, _ in expr.args]
    conditions = [(lambda z: True) if condition is sympy.true else _numeric(condition) for _, condition in expr.args]

    def piecewise(z: np.ndarray) -> Any:
        result = np.full(z.shape, np.nan)
        for value, condition in zip(reversed(values), reversed(conditions), strict=True):
            result = np.where(condition(z), value(z), result)
        return result

    return piecewise
