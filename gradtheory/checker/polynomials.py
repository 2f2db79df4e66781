"""Polynomials in numbered generators with rational exponents: what `field` is made of.

A monomial lists the generators that occur in it, in order, each with its exponent; a polynomial maps monomials to their
coefficients, without zeros. Products count their work, and what grows too large is undecided.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TypeAlias

from gradtheory.errors import Undecided

Monomial: TypeAlias = tuple[tuple[int, Fraction], ...]
Polynomial: TypeAlias = Mapping[Monomial, Fraction]
Key: TypeAlias = tuple[tuple[Monomial, Fraction], ...]  # a polynomial in order, to compare and to look up

ONE: Polynomial = {(): Fraction(1)}
_MOST_PRODUCTS = 20_000  # of monomials, in one product of polynomials
_LONGEST_COEFFICIENT = 1_000  # bits
_MOST_DIVISIONS = 200
_PRODUCTS_OF_ONE_STEP = 10  # products of monomials that cost as much as one subterm in an interval


def joined(left: Monomial, right: Monomial) -> Monomial:
    """Return the product of two monomials."""
    if not left or not right:
        return left or right
    exponents = dict(left)
    for generator, exponent in right:
        exponents[generator] = exponents.get(generator, Fraction(0)) + exponent
    return tuple(sorted((generator, exponent) for generator, exponent in exponents.items() if exponent))


def raised(monomial: Monomial, exponent: Fraction | int) -> Monomial:
    """Return a power of a monomial."""
    return tuple((generator, each * exponent) for generator, each in monomial)


def plus(left: Polynomial, right: Polynomial) -> Polynomial:
    """Return the sum."""
    total = dict(left)
    for monomial, coefficient in right.items():
        total[monomial] = total.get(monomial, Fraction(0)) + coefficient
    return {monomial: coefficient for monomial, coefficient in total.items() if coefficient}


def times(left: Polynomial, right: Polynomial, spend: Callable[[int], None]) -> Polynomial:
    """Return the product; raises Undecided if it is too large."""
    count = len(left) * len(right)
    spend(1 + count // _PRODUCTS_OF_ONE_STEP)
    if count > _MOST_PRODUCTS:
        raise Undecided("an expression is too large to be compared")
    total: dict[Monomial, Fraction] = {}
    for monomial, coefficient in left.items():
        for other, factor in right.items():
            key = joined(monomial, other)
            total[key] = total.get(key, Fraction(0)) + coefficient * factor
    if any(max(_bits(each.numerator), _bits(each.denominator)) > _LONGEST_COEFFICIENT for each in total.values()):
        raise Undecided("an expression has too long numbers to be compared")
    return {monomial: coefficient for monomial, coefficient in total.items() if coefficient}


def to_the(base: Polynomial, exponent: int, spend: Callable[[int], None]) -> Polynomial:
    """Return a power that is not negative."""
    result = ONE
    for digit in f"{exponent:b}" if exponent else "":
        result = times(result, result, spend)
        if digit == "1":
            result = times(result, base, spend)
    return result


def content(polynomial: Polynomial) -> Monomial:
    """Return the greatest monomial that divides every one, exponents being of any sign."""
    monomials = [dict(monomial) for monomial in polynomial]
    generators = sorted({generator for monomial in monomials for generator in monomial})
    least = ((each, min(monomial.get(each, Fraction(0)) for monomial in monomials)) for each in generators)
    return tuple((generator, exponent) for generator, exponent in least if exponent)


def scaled(polynomial: Polynomial, factor: Fraction, monomial: Monomial = ()) -> Polynomial:
    """Return a polynomial times one monomial."""
    return {joined(each, monomial): coefficient * factor for each, coefficient in polynomial.items()}


def divided(polynomial: Polynomial, divisor: Polynomial, spend: Callable[[int], None]) -> Polynomial | None:
    """Return a polynomial over one that is seen to divide it, else None; with negative exponents none does."""
    rest, names = polynomial, sorted(generators([divisor, polynomial]))
    result: dict[Monomial, Fraction] = {}
    if any(exponent < 0 for each in (divisor, rest) for monomial in each for _, exponent in monomial):
        return None

    def degrees(monomial: Monomial) -> list[Fraction]:
        exponents = dict(monomial)
        return [exponents.get(each, Fraction(0)) for each in names]

    first = max(divisor, key=degrees)
    for _ in range(_MOST_DIVISIONS):
        if not rest:
            return result
        leading = max(rest, key=degrees)
        ratio = joined(leading, raised(first, -1))
        if any(exponent < 0 for _, exponent in ratio):
            return None
        result[ratio] = rest[leading] / divisor[first]
        rest = plus(rest, times({ratio: -result[ratio]}, divisor, spend))
    return None


def key(polynomial: Polynomial) -> Key:
    """Return the polynomial in order."""
    return tuple(sorted(polynomial.items()))


def generators(polynomials: Iterable[Polynomial]) -> set[int]:
    """Return the generators that occur."""
    return {generator for each in polynomials for monomial in each for generator, _ in monomial}


def _bits(value: int) -> int:
    return value.bit_length()
