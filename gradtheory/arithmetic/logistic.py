"""The logistic function and its integral, softplus, as functions of their own: in exponentials their slopes cancel.

The derivative of log(1 + exp(u)) is exp(u)/(1 + exp(u)) to SymPy, whose own derivative is a difference of two numbers
that agree in thousands of digits where u is large. As s(u), with s' = s(u)·s(-u), nothing cancels, and s is monotone.
"""

from collections.abc import Callable
from typing import Any

import sympy

from gradtheory.arithmetic import enclosure


class _OfExponentials(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """An increasing function that prints as what it stands for in exponentials."""

    nargs = 1
    is_real = True
    is_positive = True
    ball: Callable[[enclosure.Ball], enclosure.Ball]

    @property
    def plain(self) -> sympy.Expr:
        """The same in exponentials."""
        raise NotImplementedError

    def enclosure(self, bits: int, at: enclosure.Balls) -> enclosure.Ball:
        """Return a ball around the number, computed with `bits` bits."""
        return type(self).ball(enclosure.evaluate(self.args[0], bits, at))

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return self.plain

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _sympystr(self, printer: Any) -> str:
        return f"({printer._print(self.plain)})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left({printer._print(self.plain)}\right){power}"


class Logistic(_OfExponentials):
    """s(x) = 1/(1 + exp(-x)).

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> Logistic(3 * z).diff(z)
    3*(1/(exp(3*z) + 1))*(1/(1 + exp(-3*z)))

    """

    limits = (0, 1)  # at -oo and oo
    ball = staticmethod(enclosure.logistic)

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
        """Return the values that are known exactly."""
        return {sympy.S.Zero: sympy.S.Half, sympy.oo: sympy.S.One, -sympy.oo: sympy.S.Zero}.get(x)

    @property
    def plain(self) -> sympy.Expr:
        """The same in exponentials."""
        return 1 / (1 + sympy.exp(-self.args[0]))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:  # SymPy's name
        """Return s(x)·s(-x)."""
        return self * Logistic(-self.args[0])


class Softplus(_OfExponentials):
    """log(1 + exp(x))."""

    limits = (0, sympy.oo)
    ball = staticmethod(enclosure.softplus)

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
        """Return the limits."""
        return {sympy.oo: sympy.oo, -sympy.oo: sympy.S.Zero}.get(x)

    @property
    def plain(self) -> sympy.Expr:
        """The same in exponentials."""
        return sympy.log(1 + sympy.exp(self.args[0]))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:  # SymPy's name
        """Return s(x)."""
        return Logistic(self.args[0])


def with_logistics(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with `Logistic` and `Softplus` wherever it holds them written in exponentials.

    Numbers stay as they are: they cancel with themselves in one spelling only.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> with_logistics(sympy.exp(z) / (1 + sympy.exp(z)) ** 2) == Logistic(z) * Logistic(-z)
    True

    """
    if not expr.free_symbols or not expr.has(sympy.exp):
        return expr
    if expr.args:
        expr = expr.func(*(with_logistics(part) if isinstance(part, sympy.Expr) else part for part in expr.args))
    if isinstance(expr, sympy.log) and (parts := _beside_power(expr.args[0])) is not None:
        return sympy.log(parts[0]) + Softplus(parts[1])
    if expr.is_Pow and expr.exp.is_Integer and expr.exp < 0 and (parts := _beside_power(expr.base)) is not None:
        return parts[0] ** expr.exp * Logistic(-parts[1]) ** -expr.exp
    if expr.is_Mul:
        return _divided(_merged(expr))
    return expr


def _beside_power(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return c and u where an expression is c·(1 + exp(u)), with a rational c."""
    constant, rest = expr.as_coeff_Add()
    factor, power = rest.as_coeff_Mul()
    if constant.is_positive and factor.is_positive and factor.is_Rational and isinstance(power, sympy.exp):
        return constant, power.args[0] + sympy.log(factor / constant)
    return None


def _merged(product: sympy.Mul) -> sympy.Expr:
    """Return a product with s(-v) in place of exp(-v)·s(v), as often as the powers allow."""
    factors = list(product.args)
    for place, factor in enumerate(factors):
        if not isinstance(factor, sympy.exp):
            continue
        for other, partner in enumerate(factors):
            base, count = partner.as_base_exp()
            if not (isinstance(base, Logistic) and count.is_Integer and count > 0):
                continue
            times = next(
                (n for n in range(1, count + 1) if sympy.expand(factor.args[0] + n * base.args[0]).is_number), 0
            )
            if times:
                factors[other] = base ** (count - times)
                rest = sympy.exp(sympy.expand(factor.args[0] + times * base.args[0]))
                factors[place] = rest * Logistic(-base.args[0]) ** times
                return sympy.Mul(*factors)
    return product


def _divided(product: sympy.Mul) -> sympy.Expr:
    """Return a product with b + (a - b)·s(v) in place of (a + b·exp(-v))·s(v), as of tanh in exponentials."""
    factors = list(product.args)
    for place, partner in enumerate(factors):
        if not isinstance(partner, Logistic):
            continue
        scale, power = sympy.exp(-partner.args[0]).as_coeff_Mul()
        for other, factor in enumerate(factors):
            a, b = factor.coeff(power, 0), factor.coeff(power, 1)
            if factor.is_Add and a.is_number and b.is_number and sympy.expand(factor - a - b * power) == 0:
                factors[place], factors[other] = b / scale + (a - b / scale) * partner, sympy.S.One
                return sympy.Mul(*factors)
    return product
