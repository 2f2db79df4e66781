"""Rigorous balls for SymPy expressions: the only file that touches python-flint.

Arb's ball arithmetic returns a midpoint and a radius that is proven to cover every rounding error
(F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 2017).
Everything here that answers a question answers it with a proof, or raises `Undecided`.

python-flint keeps its precision in one object for the whole process, so each evaluation holds a lock, sets the
precision it was given, and restores what it found.
"""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import flint
import sympy
from mpmath.libmp import from_man_exp

from gradtheory.errors import Undecided

Ball: TypeAlias = Any  # flint.arb, which publishes no types

_GUARD_BITS = 16
_FIRST_BITS = 64
_MOST_BITS = 3_400  # about 1,000 digits
_FLINT_LOCK = threading.RLock()

_FUNCTIONS: dict[type, Callable[..., Ball]] = {
    sympy.Abs: abs,
    sympy.LambertW: lambda x, branch=0: x.lambertw(int(float(branch))),
    sympy.Max: lambda *balls: functools.reduce(flint.arb.max, balls),
    sympy.Min: lambda *balls: functools.reduce(flint.arb.min, balls),
    sympy.acosh: lambda x: x.acosh(),
    sympy.asinh: lambda x: x.asinh(),
    sympy.atan: lambda x: x.atan(),
    sympy.atanh: lambda x: x.atanh(),
    sympy.cos: lambda x: x.cos(),
    sympy.cosh: lambda x: x.cosh(),
    sympy.coth: lambda x: x.coth(),
    sympy.erf: lambda x: x.erf(),
    sympy.erfc: lambda x: x.erfc(),
    sympy.exp: lambda x: x.exp(),
    sympy.log: lambda x: x.log(),
    sympy.sech: lambda x: x.sech(),
    sympy.sign: lambda x: x.sgn(),
    sympy.sin: lambda x: x.sin(),
    sympy.sinh: lambda x: x.sinh(),
    sympy.tan: lambda x: x.tan(),
    sympy.tanh: lambda x: x.tanh(),
}


@contextmanager
def _precision(bits: int) -> Iterator[None]:
    with _FLINT_LOCK:
        found = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = found


def enclose(expr: sympy.Expr, bits: int, at: Mapping[sympy.Symbol, Ball] | None = None) -> Ball:
    """Return a ball that contains the real number `expr`, computed with `bits` bits.

    Parameters
    ----------
    expr : sympy.Expr
        An expression in the functions listed in this file; a `Root` inside it is enclosed at the same precision.
    bits : int
        Working precision in bits. The ball may be wider than 2**-bits.
    at : mapping of Symbol to ball, optional
        Balls to put in place of free symbols.

    Raises
    ------
    Undecided
        If `expr` holds a function without an enclosure.

    Examples
    --------
    >>> import sympy
    >>> print(enclose(sympy.exp(sympy.sqrt(2)), 64).str(10))
    [4.113250379 +/- 2.18e-10]

    """
    with _precision(bits):
        return _evaluate(expr, bits, at or {})


def _evaluate(expr: sympy.Expr, bits: int, at: Mapping[sympy.Symbol, Ball]) -> Ball:  # noqa: PLR0911  # one a case
    match expr:
        case sympy.Rational():
            return flint.arb(flint.fmpq(int(expr.p), int(expr.q)))
        case sympy.Symbol() if expr in at:
            return at[expr]
        case sympy.Add():
            return sum((_evaluate(each, bits, at) for each in expr.args), flint.arb(0))
        case sympy.Mul():
            product = flint.arb(1)
            for each in expr.args:
                product *= _evaluate(each, bits, at)
            return product
        case sympy.Pow():
            return _power(expr, bits, at)
        case _ if expr is sympy.pi:
            return flint.arb.pi()
        case _ if expr is sympy.E:
            return flint.arb.const_e()
        case _ if hasattr(expr, "enclosure"):
            return expr.enclosure(bits)
    function = _FUNCTIONS.get(expr.func)
    if function is None:
        raise Undecided(f"no proven enclosure is known for {expr.func.__name__} in {expr}")
    return function(*(_evaluate(each, bits, at) for each in expr.args))


def _power(expr: sympy.Pow, bits: int, at: Mapping[sympy.Symbol, Ball]) -> Ball:
    base, exponent = _evaluate(expr.base, bits, at), expr.exp
    if exponent.is_Integer:
        return base ** int(exponent)
    if exponent.is_Rational and exponent.q == 2:
        return base.sqrt() ** int(exponent.p)
    return base ** _evaluate(exponent, bits, at)


def sign(expr: sympy.Expr, most_bits: int = _MOST_BITS) -> int:
    """Return the proven sign of a real number: -1, 0 or 1.

    Rationals are read off. Otherwise balls of growing precision decide, unless the number is so close to zero that
    SymPy is asked whether it *is* zero: no ball can prove that.

    Raises
    ------
    Undecided
        If neither decides within `most_bits` bits.

    Examples
    --------
    >>> import sympy
    >>> sign(sympy.pi - sympy.Rational(355, 113)), sign(sympy.sqrt(8) - 2 * sympy.sqrt(2))
    (-1, 0)

    """
    if expr.is_Rational:
        return int(expr.p > 0) - int(expr.p < 0)
    bits, asked = _FIRST_BITS, False
    while bits <= most_bits:
        with _precision(bits):
            ball = enclose(expr, bits)
            if ball > 0:
                return 1
            if ball < 0:
                return -1
        if bits > 2 * _FIRST_BITS and not asked:
            asked = True
            if sympy.simplify(expr).is_zero:
                return 0
        bits *= 2
    digits = int(most_bits * 0.30103)
    raise Undecided(f"the sign of {expr} is not decided at {digits} digits: it is zero, or smaller than 1e-{digits}")


def rounded(expr: sympy.Expr, bits: int) -> sympy.Float:
    """Return a Float of `bits` bits, proven to lie within one unit in the last place of the real number `expr`.

    Examples
    --------
    >>> import sympy
    >>> rounded(sympy.exp(1), 53)
    2.71828182845905

    """
    working = bits + _GUARD_BITS
    while True:
        ball = enclose(expr, working)
        if ball.rel_accuracy_bits() > bits + 1:
            break
        if ball.is_zero():
            return sympy.Float(0)
        if working > 4 * (bits + _MOST_BITS):
            raise Undecided(f"{expr} is not known to {bits} bits even when computed with {working}")
        working += max(working // 2, bits - ball.rel_accuracy_bits() if ball.rel_accuracy_bits() > 0 else 0)
    mantissa, exponent = (int(part) for part in ball.mid().man_exp())
    return sympy.Float._new(from_man_exp(mantissa, exponent, bits, "n"), bits)


def has_one_zero(function: sympy.Lambda, derivative: sympy.Expr, lower: sympy.Rational, upper: sympy.Rational) -> bool:
    """Prove that `function` has exactly one zero in [lower, upper]: its ends differ in sign, its derivative has none.

    False means *not proven*, at the precision used.
    """
    (variable,) = function.variables
    with _precision(_FIRST_BITS):
        at_lower, at_upper = enclose(function(lower), _FIRST_BITS), enclose(function(upper), _FIRST_BITS)
        slope = enclose(derivative, _FIRST_BITS, {variable: _between(lower, upper)})
        return bool(at_lower * at_upper < 0 and (slope > 0 or slope < 0))


def zero(
    function: sympy.Lambda, derivative: sympy.Expr, lower: sympy.Rational, upper: sympy.Rational, bits: int
) -> Ball:
    """Return a ball of about `bits` correct bits around the only zero of `function` in [lower, upper].

    Interval Newton, N(X) = m - f(m)/f'(X), at a precision that doubles with each step (W. Tucker, "Validated
    Numerics", 2011, section 5.1): the zero lies in X and in N(X), hence in their intersection.
    Precondition: `has_one_zero`. The derivative, in the function's variable, is given: finding it takes longer than
    the proof.
    """
    (variable,) = function.variables
    with _precision(_FIRST_BITS):
        ball = _between(lower, upper)
    for working in _doubling(bits + _GUARD_BITS):
        with _precision(working):
            wide_enough = working // 2 + _GUARD_BITS  # the derivative only divides a small correction
            for _ in range(_MOST_BITS):
                middle = ball.mid()
                value = enclose(function.expr, working, {variable: middle})
                slope = enclose(derivative, wide_enough, {variable: ball})
                closer = (middle - value / slope).intersection(ball)
                gained = closer.rad() < ball.rad() / 2
                ball = closer
                if not gained or ball.rel_accuracy_bits() >= working - _GUARD_BITS:
                    break
    return ball


def _doubling(bits: int) -> list[int]:
    """Return precisions that about double up to `bits`, each with room for the guard bits of the last step."""
    steps = [bits]
    while steps[-1] > 2 * _FIRST_BITS:
        steps.append(steps[-1] // 2 + _GUARD_BITS)
    return steps[::-1]


def _between(lower: sympy.Rational, upper: sympy.Rational) -> Ball:
    return _evaluate(lower, _FIRST_BITS, {}).union(_evaluate(upper, _FIRST_BITS, {}))
