"""Proofs on unbounded intervals [R, oo): the sign of an expression there, and its limit.

There an expression is written as a finite sum of terms C(x)·s(x) with scales of growth s (see `scales`) and
coefficients C whose limits at oo are known exactly and which lie in proven intervals. Smooth functions are expanded by
Taylor's formula with Lagrange's remainder, erfc by its asymptotic series, whose partial sums enclose it (F. Olver,
"Asymptotics and Special Functions", 1974, chapter 3). The fastest scale decides the sign, once R is so large that the
others are proven to be too small to matter.
"""

import functools
import itertools
from collections.abc import Callable

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import FIRST_BITS, precision
from gradtheory.arithmetic.enclosure.expansions import UNIT, Coefficient, Sum, Sums, TooNear
from gradtheory.arithmetic.enclosure.intervals import Interval
from gradtheory.arithmetic.enclosure.scales import ONE, Scale, decreasing, number_sign
from gradtheory.errors import Undecided

_FARTHEST = 2_000  # a limit is sought from 2**_FARTHEST on at most
_ORDERS = (2, 4)  # of Taylor's formula


def sign_beyond(
    expr: sympy.Expr, variable: sympy.Symbol, start: Ball, *, rightwards: bool, bits: int = FIRST_BITS
) -> int | None:
    """Return the proven sign of a smooth expression on (start, oo), or leftwards on (-oo, start).

    None where nothing is proven: because the start is too near, or because the expression is none of those that are
    expanded here.
    """
    try:
        towards, begin = (expr, start) if rightwards else (_mirrored(expr, variable), -start)
        for order in _ORDERS:
            with precision(bits):
                side = _Tail(variable, begin.mid(), bits, order).sign(towards)
            if side:
                return side
    except (TooNear, Undecided):
        return None
    return None


@functools.lru_cache(maxsize=1024)
def limit_at(expr: sympy.Expr, variable: sympy.Symbol, end: sympy.Expr) -> sympy.Expr:
    """Return the proven limit of a smooth expression at oo or -oo: an exact number, or ±oo.

    Raises
    ------
    Undecided
        If it oscillates, or is no expression that is expanded here.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> limit_at(z * sympy.tanh(z) / (1 + 2 * z), z, -sympy.oo)
    -1/2

    """
    towards = expr if end is sympy.oo else _mirrored(expr, variable)
    for order, doublings in itertools.product(_ORDERS, (2, 4, 8, 16, 32, 64, 128, 256, 512, _FARTHEST)):
        bits = max(64, doublings)
        with precision(bits):
            try:
                value = _Tail(variable, flint.arb(2) ** doublings, bits, order).limit(towards)
            except TooNear:
                continue
            if value is not None:
                return value
    raise Undecided(f"the limit of {shorten(expr)} at {variable} = {shorten(end)} is not proven")


def _mirrored(expr: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    return expr.xreplace({variable: -variable})


class _Tail(Sums):
    """Expansions of expressions on [R, oo)."""

    def sign(self, expr: sympy.Expr) -> int | None:
        total = self._of(expr)
        if not total:
            return 0
        first = decreasing(total)[0]
        return self.over({scale / first: coefficient for scale, coefficient in total.items()}).sign

    def limit(self, expr: sympy.Expr) -> sympy.Expr | None:
        total = self._of(expr)
        growing = decreasing(scale for scale in total if scale.growth > 0)
        if not growing:
            return total[ONE].limit if ONE in total else sympy.S.Zero
        leading = total[growing[0]].limit
        side = number_sign(leading) if leading is not None else 0
        return side * sympy.oo if side else None

    # ---- functions

    def _of(self, expr: sympy.Expr) -> Sum:
        if expr not in self._known:
            self._known[expr] = self._expanded(expr)
        return self._known[expr]

    def _expanded(self, expr: sympy.Expr) -> Sum:  # noqa: PLR0911  # one a case
        if not expr.has(self.variable):
            return {ONE: Coefficient(expr)} if number_sign(expr) else {}
        if expr == self.variable:
            return {Scale(power=sympy.S.One): Coefficient(sympy.S.One)}
        if expr.is_Add:
            return self.add(*(self._of(term) for term in expr.args))
        if expr.is_Mul:
            return functools.reduce(self.multiply, (self._of(factor) for factor in expr.args))
        if isinstance(expr, sympy.exp):
            return self.exp(self._of(expr.args[0]))
        if expr.is_Pow:
            if expr.exp.has(self.variable):
                return self.exp(self.multiply(self._of(expr.exp), self.log(self._of(expr.base))))
            return self.pow(self._of(expr.base), expr.exp)
        if (plain := getattr(expr, "plain", None)) is not None:  # of a function of the package's own
            return self._of(plain)
        special = _SPECIAL.get(getattr(expr.func, "refines", expr.func))
        inner = self._of(expr.args[0])
        side = self.direction(inner)
        fades_in_a_logarithm = isinstance(expr, sympy.log) and ONE not in inner
        if side == 0 and not fades_in_a_logarithm:
            return self.taylor(expr.func, inner)
        if special is None:
            raise Undecided(f"{expr.func.__name__} is not expanded at infinity")
        return special(self, inner, side)

    def _log_at(self, inner: Sum, side: int) -> Sum:
        if side < 0:
            raise Undecided("a logarithm of a negative number")
        return self.log(inner)

    def _tanh(self, inner: Sum, side: int) -> Sum:
        """tanh(u) = 1 - 2/(exp(2u) + 1)."""
        power = self.exp(self.scaled(self.oriented(inner, side), Coefficient(sympy.Integer(-2))))
        quotient = self.multiply(power, self.reciprocal(self.add(UNIT, power)))
        value = self.add(UNIT, self.scaled(quotient, Coefficient(sympy.Integer(-2))))
        return self.oriented(value, side)

    def _coth(self, inner: Sum, side: int) -> Sum:
        return self.reciprocal(self._tanh(inner, side))

    def _hyperbolic(self, inner: Sum, symmetry: int) -> Sum:
        other = self.scaled(self.exp(self.negative(inner)), Coefficient(sympy.Integer(symmetry)))
        return self.scaled(self.add(self.exp(inner), other), Coefficient(sympy.S.Half))

    def _sinh(self, inner: Sum, side: int) -> Sum:
        return self._hyperbolic(inner, -1)

    def _cosh(self, inner: Sum, side: int) -> Sum:
        return self._hyperbolic(inner, 1)

    def _sech(self, inner: Sum, side: int) -> Sum:
        return self.reciprocal(self._hyperbolic(inner, 1))

    def _erfc(self, inner: Sum, side: int) -> Sum:
        """√π·u·exp(u²)·erfc(u) = Σ (-1)ᵏ(2k - 1)!!/(2u²)ᵏ, cut anywhere, up to less than the term that follows."""
        if side < 0:
            return self.add({ONE: Coefficient(sympy.Integer(2))}, self.negative(self._erfc(self.negative(inner), 1)))
        if self.sign_of(inner) != 1:
            raise TooNear
        square = self.multiply(inner, inner)
        step = self.scaled(self.reciprocal(square), Coefficient(-sympy.S.Half))
        series, term = UNIT, UNIT
        for k in range(1, self.order + 1):
            term = self.scaled(self.multiply(term, step), Coefficient(sympy.Integer(2 * k - 1)))
            if k == self.order:
                term = self.scaled(term, Coefficient(sympy.S.One, Interval(flint.arb(0), flint.arb(1))))
            series = self.add(series, term)
        scaled = self.multiply(self.reciprocal(inner), self.exp(self.negative(square)))
        return self.scaled(self.multiply(scaled, series), Coefficient(1 / sympy.sqrt(sympy.pi)))

    def _erf(self, inner: Sum, side: int) -> Sum:
        rest = self._erfc(self.oriented(inner, side), 1)
        return self.oriented(self.add(UNIT, self.negative(rest)), side)

    def _atan(self, inner: Sum, side: int) -> Sum:
        if self.sign_of(inner) != side:
            raise TooNear
        rest = self.taylor(sympy.atan, self.reciprocal(inner))
        return self.add({ONE: Coefficient(side * sympy.pi / 2)}, self.negative(rest))

    def _asinh(self, inner: Sum, side: int) -> Sum:
        size = self.oriented(inner, side)
        root = self.pow(self.add(UNIT, self.multiply(size, size)), sympy.S.Half)
        return self.oriented(self.log(self.add(size, root)), side)

    def _wave(self, inner: Sum, side: int) -> Sum:
        return {ONE: Coefficient(None, Interval(flint.arb(-1), flint.arb(1)))}


_SPECIAL: dict[type, Callable[[_Tail, Sum, int], Sum]] = {
    sympy.asinh: _Tail._asinh,
    sympy.atan: _Tail._atan,
    sympy.cos: _Tail._wave,
    sympy.cosh: _Tail._cosh,
    sympy.coth: _Tail._coth,
    sympy.erf: _Tail._erf,
    sympy.erfc: _Tail._erfc,
    sympy.log: _Tail._log_at,
    sympy.sech: _Tail._sech,
    sympy.sin: _Tail._wave,
    sympy.sinh: _Tail._sinh,
    sympy.tanh: _Tail._tanh,
}
