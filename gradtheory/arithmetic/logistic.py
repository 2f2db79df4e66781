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

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> with_logistics(sympy.exp(z) / (1 + sympy.exp(z)) ** 2) == Logistic(z) * Logistic(-z)
    True

    """
    if not expr.has(sympy.exp):
        return expr
    if expr.args:
        expr = expr.func(*(with_logistics(part) if isinstance(part, sympy.Expr) else part for part in expr.args))
    if isinstance(expr, sympy.log) and (power := _power_beside_one(expr.args[0])) is not None:
        return Softplus(power)
    if expr.is_Pow and expr.exp.is_Integer and expr.exp < 0 and (power := _power_beside_one(expr.base)) is not None:
        return Logistic(-power) ** -expr.exp
    if expr.is_Mul:
        return _merged(expr)
    return expr


def _power_beside_one(expr: sympy.Expr) -> sympy.Expr | None:
    """Return u where an expression is 1 + exp(u)."""
    if expr.is_Add and len(expr.args) == 2 and expr.args[0] is sympy.S.One and isinstance(expr.args[1], sympy.exp):
        return expr.args[1].args[0]
    return None


def _merged(product: sympy.Mul) -> sympy.Expr:
    """Return a product with s(u) in place of exp(u)·s(-u), as often as the exponential's power allows."""
    factors = list(product.args)
    for place, factor in enumerate(factors):
        if isinstance(factor, sympy.exp):
            for other, partner in enumerate(factors):
                base, count = partner.as_base_exp()
                if isinstance(base, Logistic) and count.is_Integer and count > 0:
                    times = factor.args[0] / -base.args[0]
                    if times.is_Integer and 0 < times <= count:
                        factors[other] = base ** (count - times)
                        factors[place] = Logistic(-base.args[0]) ** times
                        return sympy.Mul(*factors)
    return product
