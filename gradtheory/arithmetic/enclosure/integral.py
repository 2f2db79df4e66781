"""Proven integrals: Arb's adaptive Gauss-Legendre rule with error bounds from complex analysis.

F. Johansson, "Numerical integration in arbitrary-precision ball arithmetic", ICMS 2018. The integrand is evaluated on
complex boxes; where a box touches a branch cut its value must be infinite, so every function with a cut is built here
from logarithms and roots that know of it.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import enclose, precision
from gradtheory.arithmetic.enclosure.intervals import Increasing
from gradtheory.errors import Undecided

__all__ = ["integral"]

_Box: TypeAlias = Any  # flint.acb, which publishes no types
_OnBox: TypeAlias = Callable[[_Box, bool], _Box]  # the box, and whether the value must be analytic on it


def _arcsinh(x: _Box, analytic: bool) -> _Box:
    return (x + (x * x + 1).sqrt(analytic=analytic)).log(analytic=analytic)


def _arctan(x: _Box, analytic: bool) -> _Box:
    turned = x * _I
    return ((1 + turned).log(analytic=analytic) - (1 - turned).log(analytic=analytic)) / (2 * _I)


_I = flint.acb(0, 1)
_FUNCTIONS: dict[type, _OnBox] = {
    sympy.asinh: _arcsinh,
    sympy.atan: _arctan,
    sympy.cos: lambda x, analytic: x.cos(),
    sympy.cosh: lambda x, analytic: x.cosh(),
    sympy.coth: lambda x, analytic: x.coth(),
    sympy.erf: lambda x, analytic: x.erf(),
    sympy.erfc: lambda x, analytic: x.erfc(),
    sympy.exp: lambda x, analytic: x.exp(),
    sympy.log: lambda x, analytic: x.log(analytic=analytic),
    sympy.sech: lambda x, analytic: x.sech(),
    sympy.sin: lambda x, analytic: x.sin(),
    sympy.sinh: lambda x, analytic: x.sinh(),
    sympy.tan: lambda x, analytic: x.tan(),
    sympy.tanh: lambda x, analytic: x.tanh(),
}


def integral(expr: sympy.Expr, variable: sympy.Symbol, lower: sympy.Expr, upper: sympy.Expr, bits: int) -> Ball:
    """Return a ball that contains the integral of a smooth formula between two exact finite numbers.

    Raises
    ------
    Undecided
        If the formula holds a function that is not listed in this file, or the work exceeds Arb's limit, which it does
        where singularities crowd near a long path.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> print(integral(sympy.sech(x), x, sympy.Integer(-50), sympy.Integer(50), 64).str(10))
    [3.141592654 +/- 4.11e-10]

    """
    with precision(bits):
        on_box = _evaluator(expr, variable, bits)
        start, stop = (flint.acb(enclose(end, bits)) for end in (lower, upper))
        ball = flint.acb.integral(on_box, start, stop).real
    if not ball.is_finite():
        raise Undecided(
            f"the integral of {shorten(expr)} from {shorten(lower)} to {shorten(upper)} is not proven within the limit "
            "of work"
        )
    return ball


@functools.lru_cache(maxsize=1024)
def _evaluator(expr: sympy.Expr, variable: sympy.Symbol, bits: int) -> _OnBox:  # noqa: PLR0911  # one a case
    """Return the evaluation of a formula on complex boxes."""
    if expr == variable:
        return lambda x, analytic: x
    if not expr.has(variable):
        constant = flint.acb(enclose(expr, bits))
        return lambda x, analytic: constant
    inner = [_evaluator(each, variable, bits) for each in expr.args]
    if expr.is_Add:
        return lambda x, analytic: functools.reduce(flint.acb.__add__, (each(x, analytic) for each in inner))
    if expr.is_Mul:
        return lambda x, analytic: functools.reduce(flint.acb.__mul__, (each(x, analytic) for each in inner))
    if expr.is_Pow and expr.exp.is_Integer:
        whole = int(expr.exp)
        return lambda x, analytic: inner[0](x, analytic) ** whole
    if expr.is_Pow and expr.exp.is_Rational and expr.exp.q == 2:
        halves = int(expr.exp.p)
        return lambda x, analytic: inner[0](x, analytic).sqrt(analytic=analytic) ** halves
    if isinstance(expr, Increasing):
        return _evaluator(expr.plain, variable, bits)
    function = _FUNCTIONS.get(getattr(expr.func, "refines", expr.func))
    if function is None:
        raise Undecided(f"no proven integral is known for {expr.func.__name__} in {shorten(expr)}")
    return lambda x, analytic: function(inner[0](x, analytic), analytic)
