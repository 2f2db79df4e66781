"""The proven sign of a rational function of exponentials on the whole line: as a rational function of u = exp(z/n) > 0.

Ball arithmetic follows such functions badly far out, and never where they touch 0. Their numerators are polynomials in
u: Descartes' rule, or Sturm's theorem where the coefficients are fractions, and else their Bernstein coefficients in
balls, tell whether the sign changes.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.effort import size, spend
from gradtheory.arithmetic.enclosure import Ball, evaluate, precision, sign
from gradtheory.arithmetic.enclosure.algebra import HYPERBOLIC
from gradtheory.arithmetic.enclosure.signs import sign_of
from gradtheory.arithmetic.expansion import terms_written_out

_U, _T = sympy.symbols("u t", positive=True)
_GREATEST_DEGREE = 200
_MOST_PARTS_TIMES_DEGREE = 20_000  # of an expression, whose common denominator then takes a few seconds at most
_MOST_TERMS = 1_000_000  # of one in u and t, written out
_MOST_TERMS_TIMES_PARTS = 400_000_000  # of such a one: a second or two for its common denominator
_UNITS_FOR_A_PART = 200  # of work
_BITS = 256
_MOST_PARTS = 200


def sign_in_exponentials(expr: sympy.Expr) -> int | None:
    """Return the sign of an expression in `Z` on the whole line, 0 where it changes; None where it is of another kind.

    It may touch 0, or have poles, at isolated places.

    Examples
    --------
    >>> sign_in_exponentials(sympy.exp(2 * Z) - 2 * sympy.exp(Z) + 2), sign_in_exponentials(sympy.tanh(Z))
    (1, 0)

    """
    rational = _in_u(expr)
    if rational is None:
        return None
    sides = [_sign_of(sympy.Poly(part, _U), rational.unit) for part in sympy.fraction(sympy.cancel(rational.expr))]
    return None if None in sides else math.prod(side for side in sides if side is not None)


def cleared(terms: Sequence[tuple[sympy.Expr, sympy.Expr]]) -> sympy.Expr | None:
    """Return Σ c·f, for polynomials c and functions f of `Z`, times a positive function, as a sum of exponentials.

    None if some f is no rational function of exponentials, or has irrational numbers: roots among the coefficients hide
    common divisors, and a π makes polynomials in one symbol more.

    Examples
    --------
    >>> cleared([(Z, 1 / (1 + sympy.exp(Z))), (sympy.S.One, sympy.S.One)])
    z + exp(z) + 1

    """
    marks = sympy.symbols(f"m:{len(terms)}")
    rational = _in_u(sympy.Add(*(mark * function for mark, (_, function) in zip(marks, terms, strict=True))))
    if rational is None or not _has_fractions_only(rational.expr):
        return None
    numerators, denominators = zip(
        *(
            sympy.fraction(
                sympy.cancel(rational.expr.xreplace({other: sympy.S(int(other == mark)) for other in marks}))
            )
            for mark in marks
        ),
        strict=True,
    )
    common = functools.reduce(sympy.lcm, denominators)
    if not (side := _sign_of(sympy.Poly(common, _U), rational.unit)):
        return None
    parts = (
        sympy.cancel(numerator * common / denominator)
        for numerator, denominator in zip(numerators, denominators, strict=True)
    )
    in_u = sympy.expand(sympy.Add(*(c * part for (c, _), part in zip(terms, parts, strict=True))))
    return side * in_u.xreplace({_U: sympy.exp(rational.rate * Z), _T: sympy.exp(rational.unit)})


def _has_fractions_only(expr: sympy.Expr) -> bool:
    """Return whether all numbers in a rational function are fractions."""
    has_roots = any(not power.exp.is_Integer for power in expr.atoms(sympy.Pow))
    return not has_roots and not expr.atoms(sympy.NumberSymbol, sympy.Function)


class _Rational(NamedTuple):
    """A rational function of u = exp(rate·z) and t = exp(unit)."""

    expr: sympy.Expr
    rate: sympy.Rational
    unit: sympy.Rational


def _in_u(expr: sympy.Expr) -> _Rational | None:
    """Return an expression as a rational function of u and of one power of e, if it is one, and of small degree.

    What it takes to bring that to a common denominator is taken from the open budget.
    """
    plain = expr.rewrite(sympy.exp)
    if plain.has(*HYPERBOLIC):
        return None
    powers = {power: sympy.Poly(power.args[0], Z) for power in plain.atoms(sympy.exp) if power.args[0].is_polynomial(Z)}
    rates = [poly.coeff_monomial(Z) for poly in powers.values()]
    shifts = [poly.coeff_monomial(1) for poly in powers.values()]
    if any(poly.degree() > 1 for poly in powers.values()) or not all(r.is_Rational for r in (*rates, *shifts)):
        return None
    over, unit = (functools.reduce(_common, numbers, sympy.S.Zero) for numbers in (rates, shifts))
    if over == 0:
        return None
    in_both = ((rates, over), (shifts, unit))
    degree = int(math.prod(max(abs(number / base) for number in numbers) for numbers, base in in_both if base))
    if degree > _GREATEST_DEGREE or size(plain) * degree > _MOST_PARTS_TIMES_DEGREE:
        return None
    spend(_UNITS_FOR_A_PART * size(plain) * (1 + degree / 20))
    in_u = plain.xreplace(
        {
            power: _U ** (rate / over) * (_T ** (shift / unit) if shift else 1)
            for power, rate, shift in zip(powers, rates, shifts, strict=True)
        }
    )
    terms = terms_written_out(in_u) if unit else 0  # in u alone they are collected by their powers
    if terms > _MOST_TERMS or terms * size(in_u) > _MOST_TERMS_TIMES_PARTS:
        return None
    return _Rational(in_u, over, unit) if in_u.is_rational_function() and not in_u.has(Z) else None


def _common(one: sympy.Rational, other: sympy.Rational) -> sympy.Rational:
    """Return the greatest number of which both are whole multiples."""
    return sympy.Rational(math.gcd(int(one.p * other.q), int(other.p * one.q)), int(one.q * other.q))


def _sign_of(poly: sympy.Poly, unit: sympy.Rational) -> int | None:
    """Return the sign of a polynomial for u > 0, 0 where it changes there, None where that is not known."""
    if poly.degree() > _GREATEST_DEGREE:
        return None
    signs = {sign(coefficient.subs(_T, sympy.exp(unit))) for coefficient in poly.coeffs()}
    if len(signs) == 1:  # Descartes' rule
        return signs.pop()
    lowest = min(power for (power,) in poly.monoms())
    rest = poly.quo(sympy.Poly(_U**lowest, _U))
    if not (poly.domain.is_ZZ or poly.domain.is_QQ):
        return _sign_by_halves(rest, unit)
    _, factors = rest.sqf_list()
    crosses = any(times % 2 and factor.count_roots(0, sympy.oo) for factor, times in factors)
    return 0 if crosses else sign(poly.LC())


def _sign_by_halves(poly: sympy.Poly, unit: sympy.Rational) -> int | None:
    """Return what `_sign_of` does, where coefficients are no fractions: from Bernstein coefficients in u/(1 + u).

    The polynomial has the sign that all of them have, if not on the whole then on parts; first and last are values.
    """
    degree = poly.degree()
    with precision(_BITS):
        numbers = [evaluate(number.subs(_T, sympy.exp(unit)), _BITS, {}) for number in reversed(poly.all_coeffs())]
        waiting = [[number / math.comb(degree, power) for power, number in enumerate(numbers)]]
        side = sign_of(waiting[0][0])
        for _ in range(_MOST_PARTS if side else 0):
            part = waiting.pop()
            signs = {sign_of(number) for number in part}
            if -side in (sign_of(part[0]), sign_of(part[-1])):
                return 0
            if signs != {side}:
                spend(degree**2)
                waiting.extend(_halves(part))
            if not waiting:
                return side
    return None


def _halves(coefficients: list[Ball]) -> tuple[list[Ball], list[Ball]]:
    """Return the Bernstein coefficients on both halves, by de Casteljau's algorithm."""
    left, right = [], []
    while coefficients:
        left.append(coefficients[0])
        right.append(coefficients[-1])
        coefficients = [(one + other) / 2 for one, other in itertools.pairwise(coefficients)]
    return left, right[::-1]
