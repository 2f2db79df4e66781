"""What a statement is tried under, and the points at which it is tried: rational, and where the assumptions hold."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy.core.relational import Relational

from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.enclosure import order
from gradtheory.derivation.exact import near, truth
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import AffineMeasure
from gradtheory.derivation.meaning import Meaning, Point
from gradtheory.errors import Undecided

FEWEST_POINTS = 2  # at which a statement must have been tried for a verdict
UNTRIED = "no points were found at which it can be tried"
POINTS = 8
_FEW_POINTS = 3  # where every end is the root of an equation
_MOST_TRIED, _FAR_FROM = 1_000, 600  # tries; from some number on, sizes differ by powers of 16 and lie about a centre
_POWERS = 7
_INWARD = sympy.Rational(1, 2**40)  # of a bound that is no fraction
_MANY, _SMALLER = 100, 16  # tries in vain, after which sizes are that many times smaller
_SIZES = tuple(
    sympy.Rational(*pair)
    for pair in ((1, 7), (9, 8), (23, 5), (3, 11), (17, 6), (40, 3), (1, 29), (8, 9), (12, 5), (5, 13), (61, 8))
)
_SHARES = tuple(sympy.Rational(*pair) for pair in ((1, 3), (7, 9), (1, 41), (40, 41), (5, 11), (2, 13)))


def _of_sizes(assumption: sympy.Basic) -> sympy.Basic:
    is_below = (
        isinstance(assumption, sympy.Lt | sympy.Le) and assumption.lhs.is_Symbol and not assumption.lhs.is_positive
    )
    return assumption.reversedsign if is_below and assumption.rhs.could_extract_minus_sign() else assumption


@dataclass(frozen=True)
class Trial:
    """What a statement is tried under.

    Parameters
    ----------
    assumptions : tuple of relations
        What holds for its symbols, beside what they are declared to be.
    meaning : Meaning
        What σ and the constants stand for.
    chain_rule : ChainRule, optional
        What ∂C/∂v and δ_l stand for.
    is_tight : bool
        Whether a comparison is refused where a better bound would do.

    """

    assumptions: tuple[sympy.Basic, ...]
    meaning: Meaning
    chain_rule: ChainRule | None = None
    is_tight: bool = True

    def __post_init__(self) -> None:
        """Take w < -c as the bound -w > c on a size, which is what proofs look for."""
        object.__setattr__(self, "assumptions", tuple(map(_of_sizes, self.assumptions)))

    def symbols(self, *sides: sympy.Basic) -> list[sympy.Symbol]:
        """Return the symbols of expressions and of the assumptions, in the order of their names."""
        free = set().union(*(side.free_symbols for side in (*sides, *self.assumptions)))
        return sorted((symbol for symbol in free if isinstance(symbol, sympy.Symbol)), key=str)

    def value(self, expr: sympy.Basic, point: Point) -> sympy.Basic:
        """Return what an expression is at a point; nan where that is not decided."""
        try:
            return self.meaning.value(expr, point)
        except Undecided:
            return sympy.nan

    def holds_at(self, point: Point) -> bool:
        """Return whether the assumptions are proven at a point."""
        return all(truth(self.value(assumption, point)) for assumption in self.assumptions)

    def points(self, symbols: Sequence[sympy.Symbol], count: int, *, far: bool = False) -> Iterator[Point]:
        """Yield points where the assumptions hold; symbols get values that fit what they are declared to be.

        With `far`, they lie about the place where σ is steepest, and their sizes differ by powers of 16.
        """
        yield from _points(self.assumptions, self.meaning, tuple(symbols), count, far) if symbols else ({},)

    def corners(self, symbols: Sequence[sympy.Symbol], start: Point) -> Iterator[Point]:
        """Yield the points nearest to a start at which symbols are as large as the assumptions allow or ask.

        An assumption v ≤ …, v ≥ … or |v| ≤ … may speak of symbols that those before it bound.
        """
        corners = [dict(start)]
        for bound in self.assumptions:
            symbol = bound.lhs.args[0] if isinstance(bound.lhs, sympy.Abs) else bound.lhs
            if not isinstance(bound, sympy.Le | sympy.Ge) or symbol not in symbols:
                continue
            signs = (1, -1) if isinstance(bound.lhs, sympy.Abs) else (1,)
            sizes = [(point, _within(bound, self.meaning.value(bound.rhs, point))) for point in corners]
            corners = [{**point, symbol: sign * size} for point, size in sizes for sign in signs]
        yield from (point for point in corners if point != start and self.holds_at(point))

    def interval(self, symbol: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
        """Return the ends between which a symbol must lie; where its size is bounded, those of its positive values."""
        return _interval(symbol, _inequalities(self.assumptions))


def _within(bound: Relational, size: sympy.Expr) -> sympy.Rational:
    """Return a fraction that is a bound, or just within one that is none."""
    if size.is_Rational:
        return size
    return near(size) + (-_INWARD if isinstance(bound, sympy.Le) else _INWARD) * abs(near(size))


@functools.lru_cache(maxsize=256)  # the steps of a derivation share their assumptions
def _points(
    assumptions: tuple[sympy.Basic, ...], meaning: Meaning, symbols: tuple[sympy.Symbol, ...], count: int, far: bool
) -> tuple[Point, ...]:
    trial = Trial(assumptions, meaning)
    tried = _tried(assumptions, symbols, meaning, _FAR_FROM if far else 0)
    return tuple(itertools.islice(filter(trial.holds_at, tried), count))


def _tried(
    assumptions: Sequence[sympy.Basic], symbols: Sequence[sympy.Symbol], meaning: Meaning, first: int
) -> Iterator[Point]:
    """Yield points that meet the simple assumptions; the others may fail there."""
    simple = [each for each in _inequalities(assumptions) if not each.has(sympy.Function) or each.has(sympy.Abs)]
    centre = sympy.S.Zero
    for number in range(first, _MOST_TRIED):
        centre = _steepest_place(meaning) if number == _FAR_FROM else centre
        point: dict[sympy.Symbol, sympy.Rational] = {}
        for place, symbol in enumerate(symbols):
            known = [_with_numbers(each, point) for each in simple if symbol in each.free_symbols]
            point[symbol] = _number(symbol, known, number, place, centre)
        yield point


def _steepest_place(meaning: Meaning) -> sympy.Rational:
    """Return a fraction near the finite end of a monotone branch at which |σ'| is greatest; 0 if there is none."""
    branches = meaning.activation.profile.branches
    ends = [
        (abs(slope), end)
        for branch in branches
        for slope, end in ((branch.slope_left, branch.left), (branch.slope_right, branch.right))
        if end.is_finite
    ]
    return near(max(ends, key=lambda pair: float(pair[0]))[1]) if ends else sympy.S.Zero


def point_count(*expressions: sympy.Basic) -> int:
    """Return at how many points to try: fewer where each value takes a search for roots."""
    return _FEW_POINTS if any(expr.has(SlopeInverse, AffineMeasure) for expr in expressions) else POINTS


def _inequalities(assumptions: Sequence[sympy.Basic]) -> list[Relational]:
    parts = itertools.chain.from_iterable(each.args if isinstance(each, sympy.And) else (each,) for each in assumptions)
    return [each for each in parts if isinstance(each, Relational) and not isinstance(each, sympy.Eq | sympy.Ne)]


def _with_numbers(inequality: Relational, point: Point) -> Relational:
    """Return an inequality with its sides at a point; SymPy would ask for long whether it holds."""
    left, right = (side.xreplace(point) for side in inequality.args)
    return inequality.func(left, right, evaluate=False)


def _interval(symbol: sympy.Symbol, inequalities: Sequence[Relational]) -> tuple[sympy.Expr, sympy.Expr]:
    low = sympy.S.Zero if symbol.is_nonnegative else -sympy.oo
    high = sympy.S.Zero if symbol.is_nonpositive else sympy.oo
    for inequality in inequalities:
        greater, less = inequality.gts, inequality.lts
        if greater == -symbol or less == -symbol:
            greater, less = -less, -greater
        if greater in (symbol, abs(symbol)) and less.is_number:
            low = less if order(less, low) > 0 else low
        elif less in (symbol, abs(symbol)) and greater.is_number:
            high = greater if order(greater, high) < 0 else high
    return low, high


def _number(
    symbol: sympy.Symbol, inequalities: Sequence[sympy.Basic], number: int, place: int, centre: sympy.Rational
) -> sympy.Rational:
    """Return the value of a symbol at the point of some number, which stands at some place among the symbols."""
    size = _SIZES[(number * (1 + place) + 3 * place) % len(_SIZES)] * (1 + sympy.Rational(number, 97))
    if number < _FAR_FROM:
        size /= _SMALLER ** (number // _MANY)
    else:  # units of the symbols differ, and σ may be steep at one place only
        number -= _FAR_FROM
        size = _SIZES[(number + 3 * place) % len(_SIZES)]
        size *= sympy.Integer(_SMALLER) ** ((number // _POWERS**place) % _POWERS - _POWERS // 2)
    if symbol.is_integer:
        return sympy.Integer(1 + (number + place) % 5)
    low, high = _interval(symbol, _inequalities(inequalities))
    is_signed = any(each.has(abs(symbol)) for each in inequalities) and symbol.is_nonnegative is not True
    side = -1 if is_signed and number % 2 else 1
    if low.is_finite and high.is_finite:
        left, right = near(low), near(high)
        return side * (left + (right - left) * _SHARES[(number + place) % len(_SHARES)])
    if low.is_finite:
        return side * (near(low) + size)
    if high.is_finite:
        return near(high) - size
    return (size if (number >> place % 7) % 2 else -size) + (centre if (number >> place % 3) % 2 else 0)
