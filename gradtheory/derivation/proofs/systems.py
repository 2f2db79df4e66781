"""Systems of polynomial inequalities that no real numbers solve, shown by a certificate.

Products of quantities that are not negative are not negative. Where some combination of such products with coefficients
above 0 is zero as a polynomial, and one of the products in it is above 0, no point satisfies them all (G. Stengle,
"A Nullstellensatz and a Positivstellensatz in semialgebraic geometry", Math. Ann. 207, 1974). A linear program in
floating point suggests the coefficients; they are rounded to rationals, and the sum is then zero exactly, or not used.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from scipy.optimize import linprog
from sympy import QQ, ring
from sympy.core.expr import Expr
from sympy.core.symbol import Symbol

Bound: TypeAlias = tuple[Expr, bool]  # a polynomial that is not negative; whether it is above 0
_Product: TypeAlias = tuple[Any, bool]

_MOST_FACTORS = 4
_MOST_PRODUCTS = 1500
_POINTS = 4000
_DENOMINATORS = (1000, 10**6)


def is_empty(bounds: Sequence[Bound], symbols: Sequence[Symbol]) -> bool:
    """Return whether it is proven that no real point satisfies all bounds.

    Parameters
    ----------
    bounds : sequence of (sympy.Expr, bool)
        Polynomials in the symbols that are ≥ 0, or > 0 where the second is True.
    symbols : sequence of sympy.Symbol
        All that stand in them.

    """
    if not symbols:
        return any(poly.is_negative or (is_strict and poly.is_zero) for poly, is_strict in bounds)
    polynomials, *_ = ring([str(number) for number in range(len(symbols))], QQ)
    named = dict(zip(symbols, polynomials.gens, strict=True))
    known = [(_element(poly, named, polynomials), is_strict) for poly, is_strict in bounds]
    numbers = [(poly.coeff(1), is_strict) for poly, is_strict in known if poly.is_ground]
    if any(number < 0 or (is_strict and number == 0) for number, is_strict in numbers):
        return True
    known = [(_scaled(poly), is_strict) for poly, is_strict in known if not poly.is_ground]
    known = list(dict.fromkeys(known))
    return not _has_solution(known, len(symbols)) and any(
        _has_certificate(list(_products(known, count, polynomials.one))) for count in range(1, _MOST_FACTORS + 1)
    )


def _element(poly: Expr, named: dict[Symbol, Any], polynomials: Any) -> Any:
    return polynomials.from_expr(poly.xreplace({symbol: each.as_expr() for symbol, each in named.items()}))


def _scaled(poly: Any) -> Any:
    """Return a polynomial divided by its largest coefficient, as the linear program asks."""
    return poly * (QQ(1) / max(map(abs, poly.coeffs())))


def _has_solution(known: Sequence[_Product], dimension: int) -> bool:
    """Return whether one of many points satisfies all bounds in floats: no certificate is looked for then."""
    positive = [poly.leading_expv().index(1) for poly, _ in known if poly.is_generator]
    points = np.random.default_rng(0).standard_cauchy((dimension, _POINTS))
    points[positive] = np.abs(points[positive])
    for poly, _ in known:
        values = sum(float(number) * np.prod(points.T**powers, axis=1) for powers, number in poly.terms())
        points = points[:, values > 0.0]
        if not points.size:
            return False
    return True


def _products(known: Sequence[_Product], most: int, one: Any) -> Iterator[_Product]:
    """Yield the products of at most so many of the polynomials, the empty one among them."""
    if math.comb(len(known) + most, most) > _MOST_PRODUCTS:
        return
    for count in range(most + 1):
        for chosen in itertools.combinations_with_replacement(known, count):
            yield math.prod((poly for poly, _ in chosen), start=one), all(is_strict for _, is_strict in chosen)


def _has_certificate(products: Sequence[_Product]) -> bool:
    """Return whether a combination with coefficients ≥ 0 is zero, of which those above 0 have coefficients of sum 1."""
    if not products:
        return False
    monomials = {monomial: row for row, monomial in enumerate({each for poly, _ in products for each in poly})}
    table = np.zeros((len(monomials) + 1, len(products)))
    for column, (poly, is_strict) in enumerate(products):
        for monomial, coefficient in poly.items():
            table[monomials[monomial], column] = float(coefficient)
        table[-1, column] = is_strict
    aim = np.zeros(len(monomials) + 1)
    aim[-1] = 1
    solution = linprog(np.ones(len(products)), A_eq=table, b_eq=aim, method="highs")
    if solution.x is None:
        return False
    scale = min((share for share in solution.x if share > 1e-6), default=1)
    return any(_is_certificate(products, solution.x / unit, most) for unit in (1, scale) for most in _DENOMINATORS)


def _is_certificate(products: Sequence[_Product], shares: np.ndarray, most_denominator: int) -> bool:
    """Return whether coefficients, rounded to rationals, are a certificate exactly."""
    total, is_strict = products[0][0] * 0, False
    for (poly, is_positive), share in zip(products, shares.tolist(), strict=True):
        rational = Fraction(share).limit_denominator(most_denominator)
        if rational > 0:
            total += poly * QQ(rational.numerator, rational.denominator)
            is_strict |= is_positive
    return bool(total == 0) and is_strict
