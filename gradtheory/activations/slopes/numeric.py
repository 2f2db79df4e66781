"""Formulas in Z as functions of float64 arrays, made of NumPy's functions without generating code."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import sympy
from sympy.core.relational import Relational

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.arithmetic.enclosure import enclose, exactly
from gradtheory.arithmetic.functions import NormalCDF, stable
from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.logistic import Logistic, Softplus
from gradtheory.errors import InvalidArgument

Numeric: TypeAlias = "Callable[[np.ndarray], Any]"

_INFINITE = sympy.nan, sympy.zoo, sympy.oo, -sympy.oo
_BITS = (128, 1_024, 4_096)  # with the last, exp(-1000) is added to 1 and not lost
_MANY, _SOME, _NODES, _CONVERGED = 48, 8, 20, 1e-15  # a panel is kept, and asked again
_TINY = 1e-290
_STEEP = (sympy.exp, sympy.cosh, sympy.sinh)
_SLOW = (sympy.log, sympy.asinh, sympy.acosh)
_LEAST_NORMAL, _HUGE, _FARTHEST = 2.0**-1022, 60, 5_000  # the last two as powers of 2
_SHIFT = 2_000  # more than any exponent
_GREAT, _CANCELLED = 1e4, 1e-10


def mend(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray) -> None:
    """Write the true value of an expression where float64 arithmetic gave nan at a finite z.

    Where that are many places far out, all on one smooth piece, values are interpolated between a few.
    """
    lost = np.flatnonzero(np.isnan(numbers) & np.isfinite(z))
    if len(lost) >= _MANY:
        lost = _mend_far_out(numbers, expr, z, lost)
    for place in lost:
        numbers[place] = _true_value(expr, float(z[place]), numbers[place])


def _true_value(expr: sympy.Expr, point: float, otherwise: float) -> float:
    smooth = formula_near(stable(expr), Z, sympy.Rational(point))
    if smooth.has(*_INFINITE):  # such as the slope of √|z| at 0
        return otherwise
    for bits in _BITS:
        ball = enclose(smooth, bits, {Z: exactly(point)})
        if ball.is_finite() and (ball.rel_accuracy_bits() > 53 or bits == _BITS[-1]):
            return float(ball.mid())
    return otherwise


def _mend_far_out(numbers: np.ndarray, expr: sympy.Expr, z: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Write the values that are interpolated, and return the places that are left."""
    fraction, exponent = np.frexp(np.abs(z[lost]))
    key, left = np.where(z[lost] < 0.0, -1, 1) * (exponent + _SHIFT), []
    for panel in np.unique(key).tolist():
        here = key == panel
        series = _far_values(expr, abs(panel) - _SHIFT, math.copysign(1.0, panel)) if here.sum() >= _SOME else None
        if series is None:
            left.append(lost[here])
        else:
            numbers[lost[here]] = np.polynomial.chebyshev.chebval(4.0 * fraction[here] - 3.0, series)
    return np.concatenate([np.empty(0, dtype=int), *left])


@functools.lru_cache(maxsize=4096)
def _far_values(expr: sympy.Expr, exponent: int, side: float) -> np.ndarray | None:
    """Return Chebyshev coefficients over |z| from 2^(exponent - 1) to 2^exponent, or None if they are too few."""
    ends = sorted(sympy.Rational(side) * sympy.Integer(2) ** int(exponent - each) for each in (0, 1))
    if breaks(expr, Z, *ends):
        return None
    order = np.arange(_NODES)
    nodes = np.cos(np.pi * (2 * order + 1) / (2 * _NODES))
    values = np.array([_true_value(expr, side * math.ldexp((each + 3.0) / 4.0, exponent), np.nan) for each in nodes])
    if (np.abs(values) < _TINY).all():
        return np.zeros(1)
    angles = np.outer(order, 2 * order + 1) % (4 * _NODES)  # reduced exactly: no noise where the values are constant
    series = np.cos(np.pi / (2 * _NODES) * angles) @ values * np.where(order, 2.0, 1.0) / _NODES
    return series if np.abs(series[-3:]).max() <= _CONVERGED * np.abs(values).min() else None


def without_cancelling(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with 1/cosh² for 1 - tanh², which cancels."""
    return expr.replace(_is_one_minus_square, _as_cosh)


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


def _special(name: str) -> Callable[..., Any]:
    """Return a function of SciPy, which is imported when it is called: that takes as long as SymPy."""

    def function(z: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(z)

    return function


@functools.cache
def _functions() -> dict[type, Callable[..., Any]]:
    return {
        Logistic: _special("expit"),
        NormalCDF: _special("ndtr"),
        Softplus: lambda z: np.logaddexp(0.0, z),
        sympy.Abs: np.abs,
        sympy.DiracDelta: lambda z, order=0.0: np.zeros_like(z),
        sympy.Heaviside: lambda z, at_zero=0.0: np.heaviside(z, 0.0),  # as PyTorch at kinks
        sympy.Max: lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
        sympy.Min: lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
        sympy.acosh: np.arccosh,
        sympy.asinh: np.arcsinh,
        sympy.atan: np.arctan,
        sympy.atanh: np.arctanh,
        sympy.cos: np.cos,
        sympy.cosh: np.cosh,
        sympy.coth: lambda z: 1.0 / np.tanh(z),
        sympy.erf: _special("erf"),
        sympy.erfc: _special("erfc"),
        sympy.exp: np.exp,
        sympy.log: np.log,
        sympy.sech: lambda z: 1.0 / np.cosh(z),
        sympy.sign: np.sign,
        sympy.sin: np.sin,
        sympy.sinh: np.sinh,
        sympy.tan: np.tan,
        sympy.tanh: np.tanh,
    }


def numeric(expr: sympy.Basic, *, is_mended: bool = False) -> Numeric:  # noqa: PLR0911  # one a case
    """Return an expression in Z as a function of float64 arrays.

    If it is mended afterwards, it is nan where it depends on a number that has left float64, as log(cosh(800)) does, or
    on what is left of great numbers that cancel.

    Raises
    ------
    InvalidArgument
        If it holds a function without a float64 counterpart here.

    """
    if not expr.free_symbols and expr.is_number:
        number = float(expr)
        return lambda z: number
    if expr == Z:
        return lambda z: z
    if isinstance(expr, sympy.Piecewise):
        return _piecewise(expr, is_mended)
    if isinstance(expr, sympy.Mul) and _may_leave_floats(expr):
        return _scaled_product(expr, is_mended)
    if isinstance(expr, sympy.log) and expr.args[0].is_Add and sympy.S.One in expr.args[0].args:
        return _watched(np.log1p, numeric(expr.args[0] - 1, is_mended=is_mended), is_mended)
    inner = [numeric(each, is_mended=is_mended) for each in expr.args]
    if isinstance(expr, sympy.Add):
        return _sum_of_great(inner) if is_mended and len(inner) > 1 else _sum(inner)
    if isinstance(expr, sympy.Mul):
        return lambda z: _product([each(z) for each in inner])
    if isinstance(expr, sympy.Pow):
        return _power(inner[0], inner[1], is_mended and expr.exp.is_number and abs(expr.exp) < 1)
    if isinstance(expr, Relational):
        compare = _comparisons()[expr.func]
        return lambda z: compare(*(each(z) for each in inner))
    if isinstance(expr, sympy.And | sympy.Or):
        combine = np.logical_and if isinstance(expr, sympy.And) else np.logical_or
        return lambda z: combine.reduce(np.broadcast_arrays(*(each(z) for each in inner)))
    function = _functions().get(expr.func)
    if function is None:
        raise InvalidArgument("activation", expr, f"holds {expr.func.__name__}, which has no proven bounds here")
    if isinstance(expr, _SLOW):
        return _watched(function, inner[0], is_mended)
    return lambda z: function(*(each(z) for each in inner))


def _watched(function: Callable[..., Any], argument: Numeric, is_mended: bool) -> Numeric:
    """Return a function that grows so slowly that it is finite where its argument has left float64."""
    if not is_mended:
        return lambda z: function(argument(z))

    def watched(z: np.ndarray) -> Any:
        number = argument(z)
        value = function(number)
        return np.where((np.isinf(number) | np.isinf(value)) & np.isfinite(z), np.nan, value)

    return watched


def _power(base: Numeric, exponent: Numeric, is_watched: bool) -> Numeric:
    def power(z: np.ndarray) -> Any:
        number = np.asarray(base(z), dtype=float)
        value = np.power(number, np.asarray(exponent(z), dtype=float))
        return np.where(np.isinf(number) & np.isfinite(z), np.nan, value) if is_watched else value

    return power


def _sum(terms: list[Numeric]) -> Numeric:
    return lambda z: sum((each(z) for each in terms[1:]), terms[0](z))


def _sum_of_great(terms: list[Numeric]) -> Numeric:
    """Return a sum that is nan where great numbers cancel, as √(z⁴ + 1) - z² does far out."""

    def total(z: np.ndarray) -> Any:
        result = size = 0.0
        for term in terms:
            number = term(z)
            result, size = result + number, np.maximum(size, np.abs(number))
        return np.where((size > _GREAT) & (np.abs(result) < _CANCELLED * size), np.nan, result)

    return total


@functools.cache
def _comparisons() -> dict[type, Callable[..., Any]]:
    return {
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


def _may_leave_floats(product: sympy.Mul) -> bool:
    """Return whether a square of what may be huge stands beside what may be so, too: exp(z)/(1 + exp(z))²."""
    steep = [part for part in product.args if part.has(*_STEEP)]
    return len(steep) > 1 and any(part.is_Pow and part.exp.is_Integer for part in steep)


def _scaled_product(product: sympy.Mul, is_mended: bool) -> Numeric:
    """Return a product by fractions and exponents, so that no square leaves float64 before it meets other factors.

    It is nan, for `mend`, where a factor underflows beside huge ones, or overflows beside tiny ones.
    """
    parts = [part.as_base_exp() if part.is_Pow and part.exp.is_Integer else (part, 1) for part in product.args]
    factors = [(numeric(base, is_mended=is_mended), int(exponent)) for base, exponent in parts]

    def scaled(z: np.ndarray) -> Any:
        size, power = np.ones(1), np.zeros(1, dtype=np.int64)
        for factor, exponent in factors:
            number = np.asarray(factor(z), dtype=float)
            fraction, own = np.frexp(np.where(np.abs(number) < _LEAST_NORMAL, 0.0, number))
            size, more = np.frexp(size * np.power(fraction, exponent))
            power = power + exponent * own.astype(np.int64) + more
        result = np.ldexp(size, np.clip(power, -_FARTHEST, _FARTHEST).astype(np.int32))
        lost = ((size == 0.0) & (power > _HUGE)) | (np.isinf(size) & (power < -_HUGE))
        return np.where(lost, np.nan, result)

    return scaled


def _piecewise(expr: sympy.Piecewise, is_mended: bool) -> Numeric:
    values = [numeric(value, is_mended=is_mended) for value, _ in expr.args]
    conditions = [(lambda z: True) if condition is sympy.true else numeric(condition) for _, condition in expr.args]

    def piecewise(z: np.ndarray) -> Any:
        result = np.full(z.shape, np.nan)
        for value, condition in zip(reversed(values), reversed(conditions), strict=True):
            result = np.where(condition(z), value(z), result)
        return result

    return piecewise


def steepest_place(slope: Numeric, places: np.ndarray) -> tuple[float, float]:
    """Return the middle one of the places where |σ'| is greatest, and how great it is there."""
    sizes = np.abs(slope(places))
    steepest = places[sizes >= sizes.max() * (1.0 - 1e-9)]
    return float(steepest[len(steepest) // 2]), float(sizes.max())
