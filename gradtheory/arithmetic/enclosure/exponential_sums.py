"""Expressions as sums Σ c(z)·exp(q(z)), in units of their greatest term.

Interval arithmetic overestimates exp(z)/(1 + exp(z))² wherever exp(z) is huge: each exp(z) is taken for another number.
The numerator of such an expression is a sum of exponentials; divided by the one that is greatest near a point, all that
remains are exponentials of differences, which interval arithmetic follows over wide intervals.
"""

import functools
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import flint
import sympy

from gradtheory.arithmetic.effort import spend
from gradtheory.arithmetic.enclosure.algebra import HYPERBOLIC, in_symbols
from gradtheory.arithmetic.enclosure.ball_functions import Ball
from gradtheory.arithmetic.enclosure.balls import evaluate, precision
from gradtheory.arithmetic.enclosure.derivatives import derivative
from gradtheory.arithmetic.enclosure.intervals import Increasing, Interval, around, plus, range_over, times
from gradtheory.arithmetic.expansion import terms_written_out

_MOST_OPERATIONS = 250  # of an expression whose numerator is sought
_MOST_TERMS = 60
_MOST_WRITTEN_OUT, _UNITS_A_TERM = 5_000, 250  # before what cancels does; and of work, to write them out
_LEAST = flint.arb(2) ** -1000  # in place of the logarithm of 0


@dataclass(frozen=True)
class ExponentialSum:
    """A positive multiple of an expression: Σ c·exp(q), with c and q in one variable."""

    variable: sympy.Symbol
    terms: tuple[tuple[sympy.Expr, sympy.Expr], ...]  # pairs of c and q

    def sign_over(self, interval: Interval, bits: int) -> int | None:
        """Return the sign on a bounded interval, 0 where there is exactly one, simple, zero, or None."""
        with precision(bits):
            return self._sign_over(interval, bits)

    def _sign_over(self, interval: Interval, bits: int) -> int | None:
        lower, upper = interval
        middle = ((lower + upper) / 2).mid()
        unit = self._greatest(around(middle), bits)
        cell = _Cell(middle, interval, bits)
        parts = [(_range(c, self.variable, cell), _range(q - unit, self.variable, cell)) for c, q in self.terms]
        sizes = [_exp(q.over) for _, q in parts]
        whole = _total(times(c.over, size) for (c, _), size in zip(parts, sizes, strict=True)).sign
        if whole:
            return whole
        slope = _total(
            times(plus(c.slope, times(c.over, q.slope)), size) for (c, q), size in zip(parts, sizes, strict=True)
        )
        away = Interval(lower - middle, upper - middle)
        near = plus(self._value(middle, unit, bits), times(slope, away)).sign  # g(m) + g'(ξ)(z - m)
        if near or not slope.sign:
            return near
        at_ends = [self._value(end.mid(), unit, bits).sign for end in interval]
        if None in at_ends or 0 in at_ends:
            return None
        return at_ends[0] if at_ends[0] == at_ends[1] else 0

    def _value(self, point: Ball, unit: sympy.Expr, bits: int) -> Interval:
        at = {self.variable: point}
        return around(sum(evaluate(c, bits, at) * evaluate(q - unit, bits, at).exp() for c, q in self.terms))

    def _greatest(self, point: Interval, bits: int) -> sympy.Expr:
        """Return the exponent of the greatest term at a point."""
        at = {self.variable: point.lower}

        def size(term: tuple[sympy.Expr, sympy.Expr]) -> Ball:
            factor, exponent = (evaluate(part, bits, at) for part in term)
            return ((abs(factor).mid() + _LEAST).log() + exponent).mid()

        return max(self.terms, key=size)[1]


class _Cell(NamedTuple):
    middle: Ball
    interval: Interval
    bits: int


class _Range(NamedTuple):
    over: Interval
    slope: Interval


def _range(expr: sympy.Expr, variable: sympy.Symbol, cell: _Cell) -> _Range:
    """Return bounds of an expression and of its derivative; of a polynomial, by its expansion around the middle."""
    coefficients = _coefficients(expr, variable)
    if coefficients is None:
        slope = range_over(derivative(expr, variable, 1), variable, cell.interval, cell.bits)
        return _Range(range_over(expr, variable, cell.interval, cell.bits), slope)
    centred = flint.arb_poly([evaluate(each, cell.bits, {}) for each in coefficients])(flint.arb_poly([cell.middle, 1]))
    away = (cell.interval.lower - cell.middle).union(cell.interval.upper - cell.middle)
    return _Range(around(centred(away)), around(centred.derivative()(away)))


@functools.lru_cache(maxsize=4096)
def _coefficients(expr: sympy.Expr, variable: sympy.Symbol) -> tuple[sympy.Expr, ...] | None:
    """Return the coefficients of a polynomial, the constant one first; None for another expression."""
    return tuple(sympy.Poly(expr, variable).all_coeffs()[::-1]) if expr.is_polynomial(variable) else None


def _exp(interval: Interval) -> Interval:
    return Interval(interval.lower.exp().lower(), interval.upper.exp().upper())


def _total(parts: Iterable[Interval]) -> Interval:
    return functools.reduce(plus, parts)


@functools.lru_cache(maxsize=1024)
def exponential_sum(expr: sympy.Expr, variable: sympy.Symbol) -> ExponentialSum | None:
    """Return an expression times something positive as a sum of exponentials; None where that is not soon found.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> exponential_sum(sympy.diff(1 / (1 + sympy.exp(z - 9)), z), z).terms
    ((-1, z - 9),)

    """
    expr = expr.replace(lambda part: isinstance(part, Increasing), lambda part: part.plain)
    if expr.count_ops() > _MOST_OPERATIONS or not expr.has(sympy.exp, *HYPERBOLIC):
        return None
    rational, generators, constants = in_symbols(expr, variable)
    if terms_written_out(rational) > _MOST_WRITTEN_OUT:
        return None
    above, below = sympy.fraction(sympy.together(rational))
    for factor in sympy.Mul.make_args(below):
        base, exponent = factor.as_base_exp()
        if not (exponent.is_even or _is_positive(base, {*generators, *constants})):
            above *= base  # x/d has the sign of x·d
    if not above.is_polynomial(*generators) or terms_written_out(above) > _MOST_WRITTEN_OUT:
        return None
    factors = _factors(above, generators, constants) if generators else {}
    if not 0 < len(factors) <= _MOST_TERMS:
        return None
    directions = [power.args[0] for power in generators.values()]
    terms: dict[sympy.Expr, sympy.Expr] = {}
    for powers, factor in factors.items():
        fixed, moving = sympy.sift(
            sympy.Mul.make_args(factor), lambda part: part.as_base_exp()[0] in constants, binary=True
        )
        exponent = sympy.expand(sympy.Add(*(p * each for p, each in zip(powers, directions, strict=True))))
        for base, power in (each.as_base_exp() for each in fixed):
            exponent += power * constants[base].args[0]
        exponent = exponent.xreplace(constants)  # of an exponential inside another
        terms[exponent] = terms.get(exponent, sympy.S.Zero) + sympy.Mul(*moving).xreplace(constants)
    if not all(part.free_symbols <= {variable} for term in terms.items() for part in term):
        return None  # a symbol for an exponential stands within another function, as in log(1 + exp(z))
    return ExponentialSum(variable, tuple((factor, exponent) for exponent, factor in terms.items()))


def _factors(
    polynomial: sympy.Expr, generators: Iterable[sympy.Symbol], constants: Iterable[sympy.Symbol]
) -> dict[tuple[int, ...], sympy.Expr]:
    """Return the factors of a polynomial by the powers of its generators.

    SymPy expands it as one of all symbols, which is several times as fast as where the constants are in the factors.
    """
    every = (*generators, *constants)
    count = len(every) - len(tuple(constants))
    spend(_UNITS_A_TERM * terms_written_out(polynomial))
    parts: dict[tuple[int, ...], list[sympy.Expr]] = {}
    for powers, factor in sympy.Poly(polynomial, *every).terms():
        known = (symbol**power for symbol, power in zip(every[count:], powers[count:], strict=True))
        parts.setdefault(powers[:count], []).append(sympy.Mul(factor, *known))
    return {powers: sympy.Add(*each) for powers, each in parts.items()}


def _is_positive(expr: sympy.Expr, generators: Container[sympy.Expr]) -> bool:
    """Return whether a real expression, in symbols that stand for exponentials too, is evidently positive."""
    if expr.is_Add:
        evident = [_is_positive(term, generators) for term in expr.args]
        return any(evident) and all(
            known or _is_square(term, generators) for known, term in zip(evident, expr.args, strict=True)
        )
    if expr.is_Mul:
        return all(_is_positive(factor, generators) for factor in expr.args)
    if expr.is_Pow and expr.exp.is_Rational:
        return _is_positive(expr.base, generators)
    return expr in generators or bool(expr.is_number and expr.is_positive)


def _is_square(term: sympy.Expr, generators: Container[sympy.Expr]) -> bool:
    """Return whether a real expression is evidently no less than 0."""
    factors = sympy.Mul.make_args(term)
    return all(factor.as_base_exp()[1].is_even or _is_positive(factor, generators) for factor in factors)
