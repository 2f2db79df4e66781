"""Points at which statements are tried: rational, varied, and such that the assumptions hold."""

import itertools
from collections.abc import Iterator, Sequence

import sympy
from sympy.core.relational import Relational

from gradtheory.arithmetic.enclosure import as_rational, enclose, order
from gradtheory.derivation.meaning import Meaning, Point
from gradtheory.errors import Undecided

_SIZES = tuple(
    sympy.Rational(*pair)
    for pair in ((1, 7), (9, 8), (23, 5), (3, 11), (17, 6), (40, 3), (1, 29), (8, 9), (12, 5), (5, 13), (61, 8))
)
_SHARES = tuple(sympy.Rational(*pair) for pair in ((1, 3), (7, 9), (1, 41), (40, 41), (5, 11), (2, 13)))
_MOST_TRIED = 600
_BITS = 64
_MOST_BITS = 20_000  # of a rational


def points(
    symbols: Sequence[sympy.Symbol], assumptions: Sequence[sympy.Basic], meaning: Meaning, count: int
) -> Iterator[Point]:
    """Yield points where the assumptions hold; symbols get values that fit what they are declared to be."""
    found = 0
    if not symbols:
        yield {}
        return
    simple = [each for each in _atoms(assumptions) if not each.has(sympy.Function) or each.has(sympy.Abs)]
    for number in range(_MOST_TRIED):
        point: dict[sympy.Symbol, sympy.Rational] = {}
        for place, symbol in enumerate(symbols):
            known = [each.xreplace(point) for each in simple]
            point[symbol] = _value(symbol, known, number, place)
        if holds(assumptions, point, meaning):
            yield point
            found += 1
            if found == count:
                return


def corners(
    symbols: Sequence[sympy.Symbol], assumptions: Sequence[sympy.Basic], meaning: Meaning, start: Point
) -> Iterator[Point]:
    """Yield the points nearest to a start at which symbols are as large as the assumptions allow or ask.

    An assumption v ≤ …, v ≥ … or |v| ≤ … may speak of symbols that those before it bound.
    """
    found = [dict(start)]
    for each in assumptions:
        symbol = each.lhs.args[0] if isinstance(each.lhs, sympy.Abs) else each.lhs
        if not isinstance(each, sympy.Le | sympy.Ge) or symbol not in symbols:
            continue
        signs = (1, -1) if isinstance(each.lhs, sympy.Abs) else (1,)
        bounds = [(point, meaning.at(each.rhs, point)) for point in found]
        found = [{**point, symbol: sign * near(bound)} for point, bound in bounds for sign in signs]
    yield from (point for point in found if point != start and holds(assumptions, point, meaning))


def holds(assumptions: Sequence[sympy.Basic], point: Point, meaning: Meaning) -> bool:
    """Return whether the assumptions are proven at a point."""
    return all(truth(meaning.at(each, point)) for each in assumptions)


def truth(statement: sympy.Basic) -> bool | None:
    """Return whether a statement about exact numbers is true; None where it cannot be decided."""
    if isinstance(statement, sympy.And | sympy.Or):
        parts = [truth(each) for each in statement.args]
        decisive = isinstance(statement, sympy.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if not isinstance(statement, Relational) or sympy.nan in statement.args:
        return bool(statement) if statement in (sympy.true, sympy.false) else None
    try:
        return bool(statement.func(sympy.Integer(order(statement.lhs, statement.rhs, asks=False)), 0))
    except (Undecided, ValueError, TypeError):
        return None


def near(number: sympy.Expr, bits: int = _BITS) -> sympy.Rational:
    """Return a rational very close to a number: 0 for one that is too small to write down.

    Raises
    ------
    Undecided
        If it is too large to write down.

    """
    if number.is_Rational:
        return number
    middle = enclose(number, bits).mid()
    _, exponent = middle.man_exp()
    if exponent > _MOST_BITS:
        raise Undecided(f"{number} is too large")
    return as_rational(middle) if exponent > -_MOST_BITS else sympy.S.Zero


def ends(symbol: sympy.Symbol, assumptions: Sequence[sympy.Basic]) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the numbers between which a symbol must lie; where its size is bounded, those of its positive values."""
    low = sympy.S.Zero if symbol.is_nonnegative else -sympy.oo
    high = sympy.S.Zero if symbol.is_nonpositive else sympy.oo
    for each in _atoms(assumptions):
        greater, less = each.gts, each.lts
        if greater == -symbol or less == -symbol:
            greater, less = -less, -greater
        if greater in (symbol, abs(symbol)) and less.is_number:
            low = less if order(less, low) > 0 else low
        elif less in (symbol, abs(symbol)) and greater.is_number:
            high = greater if order(greater, high) < 0 else high
    return low, high


def _atoms(assumptions: Sequence[sympy.Basic]) -> list[Relational]:
    """Return the inequalities among the assumptions."""
    parts = itertools.chain.from_iterable(each.args if isinstance(each, sympy.And) else (each,) for each in assumptions)
    return [each for each in parts if isinstance(each, Relational) and not isinstance(each, sympy.Eq | sympy.Ne)]


def _value(symbol: sympy.Symbol, assumptions: Sequence[sympy.Basic], number: int, place: int) -> sympy.Rational:
    size = _SIZES[(number * (1 + place) + 3 * place) % len(_SIZES)] * (1 + sympy.Rational(number, 97))
    if symbol.is_integer:
        return sympy.Integer(1 + (number + place) % 5)
    low, high = ends(symbol, assumptions)
    is_signed = any(each.has(abs(symbol)) for each in assumptions) and symbol.is_nonnegative is not True
    side = -1 if is_signed and number % 2 else 1
    if low.is_finite and high.is_finite:
        left, right = near(low), near(high)
        return side * (left + (right - left) * _SHARES[(number + place) % len(_SHARES)])
    if low.is_finite:
        return side * (near(low) + size)
    if high.is_finite:
        return near(high) - size
    return size if (number >> place % 7) % 2 else -size
