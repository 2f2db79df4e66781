"""Balls around the values of SymPy expressions at points, and digits that are proven by them.

python-flint keeps its precision in one object for the whole process, so each evaluation holds a lock, sets the
precision it was given, and restores the one before.
"""

import functools
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TypeAlias, runtime_checkable

import flint
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.effort import charge
from gradtheory.arithmetic.enclosure.ball_functions import Ball, as_float, logistic, softplus, whole_power
from gradtheory.errors import Undecided

Balls: TypeAlias = Mapping[sympy.Symbol, Ball]

GUARD_BITS = 16
FIRST_BITS = 64
MOST_BITS = 3_400  # about 1,000 digits
_GREATEST_EXPONENT = 2_000_000  # of 2, in a number that is written as a fraction
_DIGITS_PER_BIT = 0.30103  # log10(2)
_FLINT_LOCK = threading.RLock()

_FUNCTIONS: dict[type, Callable[..., Ball]] = {
    sympy.Abs: abs,
    sympy.LambertW: lambda x, branch=0: x.lambertw(int(float(branch))),
    sympy.Max: lambda *balls: functools.reduce(flint.arb.max, balls),
    sympy.Min: lambda *balls: functools.reduce(flint.arb.min, balls),
    sympy.acos: lambda x: x.acos(),
    sympy.acosh: lambda x: x.acosh(),
    sympy.asin: lambda x: x.asin(),
    sympy.asinh: lambda x: x.asinh(),
    sympy.atan: lambda x: x.atan(),
    sympy.atanh: lambda x: x.atanh(),
    sympy.cos: lambda x: x.cos(),
    sympy.cosh: lambda x: x.cosh(),
    sympy.coth: lambda x: x.coth(),
    sympy.erf: lambda x: x.erf(),
    sympy.erfc: lambda x: x.erfc(),
    sympy.exp: lambda x: x.exp(),
    sympy.floor: lambda x: x.floor(),
    sympy.log: lambda x: x.log(),
    sympy.sech: lambda x: x.sech(),
    sympy.sign: lambda x: x.sgn(),
    sympy.sin: lambda x: x.sin(),
    sympy.sinh: lambda x: x.sinh(),
    sympy.tan: lambda x: x.tan(),
    sympy.tanh: lambda x: x.tanh(),
}

Evaluator: TypeAlias = Callable[[int, Balls], Ball]


@runtime_checkable
class Enclosable(Protocol):
    """A SymPy object that encloses itself in balls, such as `Root`."""

    def enclosure(self, bits: int, at: Balls) -> Ball:
        """Return a ball around the number, computed with `bits` bits, with balls in place of free symbols."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Let python-flint work with `bits` bits in this thread alone, and restore the precision before."""
    with _FLINT_LOCK:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = before


def exactly(number: float) -> Ball:
    """Return the ball of radius 0 around a float.

    Examples
    --------
    >>> exactly(0.5).is_exact()
    True

    """
    return flint.arb(number)


def enclose(expr: sympy.Expr, bits: int, at: Balls | None = None) -> Ball:
    """Return a ball that contains the real number `expr`, computed with `bits` bits.

    Parameters
    ----------
    expr : sympy.Expr
        An expression in the functions listed in this file, and in `Enclosable` objects such as `Root`.
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
    with precision(bits):
        return evaluate(expr, bits, at or {})


def evaluate(expr: sympy.Expr, bits: int, at: Balls) -> Ball:
    """Return the ball of `enclose`, where the caller has set the precision."""
    charge(expr, bits)
    return evaluator(expr)(bits, at)


@functools.lru_cache(maxsize=4096)
def evaluator(expr: sympy.Expr) -> Evaluator:  # noqa: PLR0911  # one a case
    """Return the function of `evaluate` for one expression, which takes bits and balls and charges nothing.

    It is made of nested closures: the tree is walked once, and evaluated often.
    """
    match expr:
        case sympy.Rational():
            number = flint.fmpq(int(expr.p), int(expr.q))
            return lambda bits, at: flint.arb(number)
        case sympy.Symbol():
            return lambda bits, at: at[expr]
        case sympy.Add():
            terms = [evaluator(each) for each in expr.args]
            return lambda bits, at: sum((each(bits, at) for each in terms[1:]), terms[0](bits, at))
        case sympy.Mul():
            return _product(expr)
        case sympy.Pow():
            return _power(expr)
        case _ if expr is sympy.pi:
            return lambda bits, at: flint.arb.pi()
        case _ if expr is sympy.E:
            return lambda bits, at: flint.arb.const_e()
        case Enclosable():
            return expr.enclosure
        case sympy.log() if (rest := above_one(expr.args[0])) is not None:
            if isinstance(rest, sympy.exp):
                power = evaluator(rest.args[0])
                return lambda bits, at: softplus(power(bits, at))
            beyond_one = evaluator(rest)
            return lambda bits, at: beyond_one(bits, at).log1p()
    function = _FUNCTIONS.get(expr.func)
    if expr is sympy.nan:
        raise Undecided("a formula has no value at the end of one of its pieces, as exp(-1/z**2) has none at z = 0")
    if function is None:
        raise Undecided(f"no proven enclosure is known for {expr.func.__name__} in {shorten(expr)}")
    inner = [evaluator(each) for each in expr.args]
    return lambda bits, at: function(*(each(bits, at) for each in inner))


def above_one(expr: sympy.Expr) -> sympy.Expr | None:
    """Return x where an expression is written 1 + x: log(1 + x) keeps the digits that 1 + x loses; else None."""
    return expr - 1 if expr.is_Add and sympy.S.One in expr.args else None


def _product(expr: sympy.Mul) -> Evaluator:
    first, *others = (evaluator(each) for each in expr.args)

    def product(bits: int, at: Balls) -> Ball:
        ball = first(bits, at)
        for other in others:
            ball = ball * other(bits, at)
        return ball

    return product


def _power(expr: sympy.Pow) -> Evaluator:
    exponent = expr.exp
    if exponent.is_Integer and exponent < 0 and (reciprocal := _reciprocal(expr.base)) is not None:
        positive = -int(exponent)
        return lambda bits, at: whole_power(reciprocal(bits, at), positive)
    base = evaluator(expr.base)
    if exponent.is_Integer:
        whole = int(exponent)
        return lambda bits, at: whole_power(base(bits, at), whole)
    if exponent.is_Rational and exponent.q == 2:
        halves = int(exponent.p)
        return lambda bits, at: base(bits, at).sqrt() ** halves
    power = evaluator(exponent)
    return lambda bits, at: base(bits, at) ** power(bits, at)


def _reciprocal(expr: sympy.Expr) -> Evaluator | None:
    """Return 1/cosh(u) and 1/(1 + exp(u)) for large u too, where no ball holds cosh(u) or exp(u); else None."""
    if isinstance(expr, sympy.cosh):
        inner = evaluator(expr.args[0])
        return lambda bits, at: inner(bits, at).sech()
    if isinstance(power := above_one(expr), sympy.exp):
        inner = evaluator(power.args[0])
        return lambda bits, at: logistic(-inner(bits, at))
    return None


def function_of(kind: type) -> Callable[..., Ball]:
    """Return what a SymPy function does to balls."""
    return _FUNCTIONS[kind]


def doubling(most_bits: int, least_bits: int = FIRST_BITS) -> Iterator[int]:
    """Yield growing precisions, the last of them `most_bits`."""
    bits = least_bits
    while bits < most_bits:
        yield bits
        bits *= 2
    yield most_bits


def digits_of(bits: int) -> int:
    """Return how many decimal digits some bits are worth."""
    return int(bits * _DIGITS_PER_BIT)


def is_infinite(number: sympy.Expr) -> bool:
    """Return whether a number is ±oo, without SymPy's search for assumptions, which may take very long."""
    return number is sympy.S.Infinity or number is sympy.S.NegativeInfinity or number is sympy.zoo


def is_finite(number: sympy.Expr) -> bool:
    """Return whether a number is a real one, and not ±oo."""
    return not number.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)


def as_rational(point: Ball) -> sympy.Rational:
    """Return the midpoint of a ball, exactly; `Undecided` if it is not finite or would have millions of digits."""
    if not point.mid().is_finite():
        raise Undecided("a number of which no digit is known is no fraction")
    mantissa, exponent = (int(part) for part in point.mid().man_exp())
    if abs(exponent) > _GREATEST_EXPONENT:
        side = "less than 2**-" if exponent < 0 else "more than 2**"
        raise Undecided(f"a number of {side}{_GREATEST_EXPONENT} is not written as a fraction")
    return sympy.Integer(mantissa) * sympy.Integer(2) ** exponent


def rounded(expr: sympy.Expr, bits: int) -> sympy.Float:
    """Return a Float of `bits` bits, proven to lie within one unit in the last place of the real number `expr`.

    Examples
    --------
    >>> import sympy
    >>> rounded(sympy.exp(1), 53)
    2.71828182845905

    """
    working = bits + GUARD_BITS
    while True:
        ball = enclose(expr, working)
        if ball.rel_accuracy_bits() > bits + 1:
            break
        if ball.is_zero():
            return sympy.Float(0)
        if working > 4 * (bits + MOST_BITS):
            raise Undecided(f"{shorten(expr)} is not known to {bits} bits even when computed with {working}")
        working += max(working // 2, bits - ball.rel_accuracy_bits() if ball.rel_accuracy_bits() > 0 else 0)
    return as_float(ball, bits)


def nearest(ball: Ball) -> tuple[float, float]:
    """Return the float64 in the middle of a ball, and how far the numbers in the ball may be from it.

    Examples
    --------
    >>> import sympy
    >>> value, error = nearest(enclose(sympy.pi, 200))
    >>> value, error < 1.3e-16
    (3.141592653589793, True)

    """
    with precision(MOST_BITS):
        value = float(ball.mid())
        apart = (ball - flint.arb(value)).abs_upper()
        return value, math.nextafter(float(apart), math.inf) if apart > 0 else 0.0  # float() rounds to nearest
