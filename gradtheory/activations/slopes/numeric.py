"""Formulas in Z as functions of float64 arrays, made of NumPy's functions without generating code."""

# Above 300 lines: one recursive function, whose cases call it again.

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import sympy
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.relational import Relational

from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.functions import NormalCDF
from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.logistic import Logistic, Softplus
from gradtheory.errors import InvalidArgument

Numeric: TypeAlias = "Callable[[np.ndarray], Any]"

_STEEP = (sympy.exp, sympy.cosh, sympy.sinh)
_LEAST_NORMAL, _HUGE, _FARTHEST = 2.0**-1022, 60, 5_000  # the last two as powers of 2
_NEAR, _BEYOND, _ROUGHLY, _BESIDE_TINY = 1_460.0, 1e12, 1_200, 2.0**20
_CANCELLED = 1e-10
_ENORMOUS = 1e150  # its square leaves float64


def without_cancelling(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with 1/cosh² for 1 - tanh², which cancels.

    Examples
    --------
    >>> without_cancelling(2 - 3 * sympy.tanh(3 * Z) ** 2 + sympy.tanh(Z) ** 2)
    3/cosh(3*z)**2 - 1/cosh(z)**2

    """
    return expr.replace(lambda part: part.is_Add, _with_cosh)


def _with_cosh(total: sympy.Expr) -> sympy.Expr:
    """Return a sum with c/cosh(x)² for its terms c - c·tanh(x)², if its number is that of several."""
    number, rest = total.as_coeff_Add()
    pairs = [(term.as_coeff_Mul(), term) for term in sympy.Add.make_args(rest)]
    squares = [(factor, part.base.args[0]) for (factor, part), _ in pairs if _is_square_of_tanh(part)]
    if not squares or number + sum(factor for factor, _ in squares) != 0:
        return total
    others = [term for (_, part), term in pairs if not _is_square_of_tanh(part)]
    return sympy.Add(*others, *(-factor / sympy.cosh(inner) ** 2 for factor, inner in squares))


def _is_square_of_tanh(part: sympy.Expr) -> bool:
    return bool(part.is_Pow and part.exp == 2 and part.base.func == sympy.tanh)


_SLOW = (sympy.log, sympy.asinh, sympy.acosh, log1p)


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
        expm1: np.expm1,
        log1p: np.log1p,
        sympy.Abs: np.abs,
        sympy.DiracDelta: lambda z, order=0.0: np.zeros_like(z),
        sympy.Heaviside: np.heaviside,
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
    on what is left of numbers that cancel.

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
    expr = _beside_1(expr)
    inner = [numeric(each, is_mended=is_mended) for each in expr.args]
    if isinstance(expr, sympy.Add):
        is_exact = len(inner) < 2 or (expr.is_polynomial(Z) and sympy.degree(expr, Z) < 2)  # but for a rounding or two
        return _sum(inner) if is_exact or not is_mended else _sum_without_cancelling(inner)
    if isinstance(expr, sympy.Mul):
        return _product_beside_huge(expr, inner) if is_mended else lambda z: _product([each(z) for each in inner])
    if isinstance(expr, sympy.Pow):
        return _power(inner[0], inner[1], expr.exp, is_mended)
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


def _beside_1(expr: sympy.Basic) -> sympy.Basic:
    """Return exp(u) - 1 in a sum, and log(1 + u), as one function of u, of which nothing is lost near u = 0."""
    if isinstance(expr, sympy.log) and expr.args[0].is_Add and sympy.S.One in expr.args[0].args:
        return log1p(expr.args[0] - 1)
    if not isinstance(expr, sympy.Add):
        return expr
    constant, rest = expr.as_coeff_Add()
    for term in sympy.Add.make_args(rest):
        if constant and term.has(sympy.exp) and isinstance(term / -constant, sympy.exp):
            return rest - term - constant * expm1((term / -constant).args[0])
    return expr


def _watched(function: Callable[..., Any], argument: Numeric, is_mended: bool) -> Numeric:
    """Return a function that grows so slowly that it is finite where its argument has left float64."""
    if not is_mended:
        return lambda z: function(argument(z))

    def watched(z: np.ndarray) -> Any:
        number = argument(z)
        value = function(number)
        return np.where((np.isinf(number) | np.isinf(value)) & np.isfinite(z), np.nan, value)

    return watched


_WHOLE = 1000

_POWERS: dict[sympy.Expr, Callable[[np.ndarray], Any]] = {  # many times as fast as powers in general
    sympy.Integer(2): lambda base: base * base,
    sympy.Integer(3): lambda base: base * base * base,
    sympy.Integer(-1): lambda base: 1.0 / base,
    sympy.Integer(-2): lambda base: 1.0 / (base * base),
}


def _whole_power(n: int) -> Callable[[np.ndarray], Any]:
    """Return the n-th power; NumPy's takes ten times as long where a base is negative or the result leaves float64."""
    least, most = 2.0 ** (-1021.0 / n), 2.0 ** (1023.0 / n)

    def power(base: np.ndarray) -> Any:
        size = np.abs(base)
        value = np.power(np.clip(size, least, most), n)
        outside = (size < least) | (size > most)
        if np.any(outside):
            value = np.asarray(value)
            value[outside] = _by_squaring(size[outside], n)
        return np.copysign(value, base) if n % 2 else value

    return power


def _by_squaring(base: np.ndarray, n: int) -> np.ndarray:
    """Return the n-th power, n > 1, which is less exact than NumPy's: for sizes near the ends of float64 or beyond."""
    result = base
    for bit in f"{n:b}"[1:]:
        result = result * result
        if bit == "1":
            result = result * base
    return result


def _power(base: Numeric, exponent: Numeric, constant: sympy.Expr, is_mended: bool) -> Numeric:
    known = _POWERS.get(constant)
    if known is None and constant.is_Integer and 3 < constant <= _WHOLE:
        known = _whole_power(int(constant))
    if known is not None:
        return lambda z: known(np.asarray(base(z), dtype=float))
    is_watched = is_mended and constant.is_number and abs(constant) < 1

    def power(z: np.ndarray) -> Any:
        number = np.asarray(base(z), dtype=float)
        value = np.power(number, np.asarray(exponent(z), dtype=float))
        return np.where(np.isinf(number) & np.isfinite(z), np.nan, value) if is_watched else value

    return power


def _sum(terms: list[Numeric]) -> Numeric:
    return lambda z: sum((each(z) for each in terms[1:]), terms[0](z))


def _sum_without_cancelling(terms: list[Numeric]) -> Numeric:
    """Return a sum that is nan where its terms cancel, as √(z⁴ + 1) - z² and tanh(3z) - tanh(z) do far out."""

    def total(z: np.ndarray) -> Any:
        result = size = 0.0
        for term in terms:
            number = term(z)
            result, size = result + number, np.maximum(size, np.abs(number))
        return np.where(np.abs(result) < _CANCELLED * size, np.nan, result)

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


def _product_beside_huge(expr: sympy.Mul, factors: list[Numeric]) -> Numeric:
    """Return a product that is scaled where a factor underflows beside huge ones, as in z³⁰·exp(-z²) at z = 27."""
    if not expr.has(*_STEEP):
        is_quotient = any(part.is_Pow and part.exp.is_negative for part in expr.args)
        return _beside_infinite(factors) if is_quotient else lambda z: _product([each(z) for each in factors])
    scaled = _scaled_product(expr, is_mended=True)
    exponents = [numeric(part.args[0]) for part in expr.args if isinstance(part, sympy.exp)]

    def product(z: np.ndarray) -> Any:
        numbers = [each(z) for each in factors]
        result, sizes = np.asarray(_product(numbers)), [np.abs(each) for each in numbers]
        is_tiny = functools.reduce(np.minimum, sizes) < _LEAST_NORMAL
        lost = np.flatnonzero(is_tiny & (functools.reduce(np.maximum, sizes) > _BESIDE_TINY))
        for exponent in exponents if len(lost) else []:  # it is 0 whatever float64 stands beside it
            lost = lost[(exponent(z[lost]) > -_NEAR) | (result[lost] != 0.0)]
        if len(lost):
            result[lost] = scaled(z[lost])
        return result

    return product


def _beside_infinite(factors: list[Numeric]) -> Numeric:
    """Return a product that is nan where an infinite denominator stands beside huge factors, as in |z|·z/(1 + z²)."""

    def product(z: np.ndarray) -> Any:
        numbers = [each(z) for each in factors]
        sizes = [np.abs(each) for each in numbers]
        lost = (functools.reduce(np.minimum, sizes) == 0.0) & (functools.reduce(np.maximum, sizes) > _ENORMOUS)
        return np.where(lost, np.nan, _product(numbers))

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
    factors = [
        (
            _scaled_exponential(base.args[0], is_mended)
            if isinstance(base, sympy.exp)
            else _scaled(numeric(base, is_mended=is_mended)),
            int(exponent),
        )
        for base, exponent in parts
    ]

    def scaled(z: np.ndarray) -> Any:
        size, power, is_rough = np.ones(1), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
        for factor, exponent in factors:
            fraction, own, rough = factor(z)
            size, more = np.frexp(size * np.power(fraction, exponent))
            power, is_rough = power + exponent * own + more, is_rough | rough
        result = np.ldexp(size, np.clip(power, -_FARTHEST, _FARTHEST).astype(np.int32))
        lost = ((size == 0.0) & (power > _HUGE)) | (np.isinf(size) & (power < -_HUGE))
        return np.where(lost | is_rough & (np.abs(power) < _ROUGHLY), np.nan, result)

    return scaled


def _scaled(function: Numeric) -> Callable[[np.ndarray], tuple[Any, Any, Any]]:
    def scaled(z: np.ndarray) -> tuple[Any, Any, Any]:
        number = np.asarray(function(z), dtype=float)
        fraction, own = np.frexp(np.where(np.abs(number) < _LEAST_NORMAL, 0.0, number))
        return fraction, own.astype(np.int64), False

    return scaled


def _scaled_exponential(argument: sympy.Expr, is_mended: bool) -> Callable[[np.ndarray], tuple[Any, Any, Any]]:
    """Return exp(u) by fraction and exponent; far out the exponent is known alone, and roughly."""
    function = numeric(argument, is_mended=is_mended)

    def scaled(z: np.ndarray) -> tuple[Any, Any, Any]:
        number = np.asarray(function(z), dtype=float)
        near = np.clip(number, -_NEAR, _NEAR)
        fraction, half = np.frexp(np.exp(near / 2.0))
        rest = np.nan_to_num(np.clip((number - near) / math.log(2.0), -_BEYOND, _BEYOND))
        return np.where(np.isnan(number), np.nan, fraction * fraction), 2 * half + rest.astype(np.int64), rest != 0.0

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
    sizes = np.nan_to_num(np.abs(slope(places)), nan=0.0, posinf=np.inf)
    steepest = places[sizes >= sizes.max() * (1.0 - 1e-9)]
    return float(steepest[len(steepest) // 2]), float(sizes.max())
