"""The shape of {z : |σ'(z)| > t} between two levels: its ends as formulas in t, proven from the monotone branches.

Between two levels, limits of |σ'| at the ends of branches, the set keeps its shape. An end that solves |σ'(z)| = t for
all these t, and lies inside a branch for one of them, lies inside it for all: at the branch's ends |σ'| is a level.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy

from gradtheory.activations import T, Z
from gradtheory.activations.slopes.piece import Piece, SlopeInverse
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import Univariate, order, sign_on
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.conditions import follows
from gradtheory.derivation.proofs.normal_forms import is_identity
from gradtheory.derivation.proofs.signs import factored, replaced
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import SuperlevelSet

_MOST_OPERATIONS = 10  # of a level about which conditions are decided
_MOST_CELLS = 400  # into which the values of a symbol are cut: what is proven at all takes few
_Ends = tuple[tuple[sympy.Expr, sympy.Expr], ...]


@dataclass(frozen=True)
class Shape:
    """The set {z : |σ'(z)| > t} for low < t < high, as intervals whose ends are formulas in t."""

    low: sympy.Expr
    high: sympy.Expr
    intervals: _Ends


def solves(end: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether |σ'| is proven to be t at a place that is a formula in t, for every t that is assumed."""
    low = next((each.rhs for each in assumptions if isinstance(each, sympy.Gt) and each.lhs == T), sympy.S.Zero)
    high = next((each.rhs for each in assumptions if isinstance(each, sympy.Lt) and each.lhs == T), sympy.oo)
    if isinstance(end, SlopeInverse):
        return end.args[0] == T and any(
            end.args[1].expr == piece.size and end.args[2:] == (piece.branch.left, piece.branch.right)
            for piece in meaning.activation.profile.pieces
        )
    return any(_solves(end, piece, low, high) for piece in meaning.activation.profile.pieces)


def _solves(end: sympy.Expr, piece: Piece, low: sympy.Expr, high: sympy.Expr) -> bool:
    """Return whether |σ'| on a branch is t at a place, for every t from low to high."""
    difference = piece.size.subs(Z, end) - T
    above = sympy.Dummy(positive=True)
    level = low + above if high.is_infinite else (low + high * above) / (1 + above)
    return is_identity(difference) or is_identity(difference.xreplace({T: level}))


def shape_at(level: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> Shape | None:
    """Return the shape of the set at a level, or None where it is not proven between which levels that lies."""
    levels = (sympy.S.Zero, *meaning.activation.profile.levels)
    profile = meaning.activation.profile
    for low, high in itertools.pairwise(levels):
        from_low = sympy.Ge(level, low, evaluate=False) in assumptions
        to_high = sympy.Le(level, high, evaluate=False) in assumptions
        below = high.is_infinite or to_high or sympy.Lt(level, high, evaluate=False) in assumptions
        if (from_low or _is_above(level, low, assumptions)) and (below or _is_above(-level, -high, assumptions)):
            shape = _shape(low, high, meaning)
            closed = [end for end, is_closed in ((low, from_low), (high, to_high)) if is_closed]
            return shape if shape and all(keeps_shape(shape.intervals, end, profile) for end in closed) else None
    return None


def keeps_shape(intervals: _Ends, level: sympy.Expr, profile: Profile) -> bool:
    """Return whether formulas for the levels beside one are proven to hold there too: each end stays in its branch."""
    try:
        exact = SuperlevelSet(profile, level, method="certified").components()
        return len(exact) == len(intervals) and all(
            order(formula.args[2], end) < 0 < order(formula.args[3], end)
            if isinstance(formula, SlopeInverse)
            else end == formula
            for part, formulas in zip(exact, intervals, strict=True)
            for end, formula in zip((part.lower, part.upper), formulas, strict=True)
        )
    except Undecided:
        return False


def _is_above(level: sympy.Expr, bound: sympy.Expr, assumptions: Sequence[sympy.Basic]) -> bool:
    """Return whether level > bound is proven: by cases, or for all positive values of one symbol in balls."""
    if not level.free_symbols:
        return order(level, bound) > 0
    sizes = {size: sympy.Dummy(positive=True) for size in level.atoms(sympy.Abs) if size.args[0].is_Symbol}
    level, *assumptions = (replaced(each, sizes) for each in (level, *assumptions))
    above = sympy.Gt(level, bound, evaluate=False)
    if (level.is_positive and bound == 0) or above in assumptions:
        return True
    is_short = bound.count_ops() < _MOST_OPERATIONS
    named, conditions = (bound, assumptions) if is_short else _with_a_name(bound, assumptions)
    if any(_is_above_by_sign(level - named, each) for each in conditions) or (is_short and follows(above, assumptions)):
        return True
    symbols = level.free_symbols
    if len(symbols) != 1 or not next(iter(symbols)).is_positive:
        return False
    try:
        return sign_on(Univariate(level - bound, *symbols), sympy.S.Zero, sympy.oo, _MOST_CELLS) == 1
    except Undecided:
        return False


def _with_a_name(bound: sympy.Expr, conditions: Sequence[sympy.Basic]) -> tuple[sympy.Expr, Iterator[sympy.Basic]]:
    """Return a symbol for a long number, and those conditions that are short once it stands in them."""
    size = sympy.Dummy(positive=True)
    named = size if order(bound, sympy.S.Zero) > 0 else -size
    written = (each.xreplace({bound: named, -bound: -named}) for each in conditions)
    return named, (each for each in written if each.count_ops() < _MOST_OPERATIONS)


def _is_above_by_sign(difference: sympy.Expr, condition: sympy.Basic) -> bool:
    """Return whether a difference has a positive sign with size·(1 + u) or size/(1 + u) for what lies beyond a size."""
    if not isinstance(condition, sympy.Gt | sympy.Lt) or not (condition.lhs.is_Symbol and condition.rhs.is_positive):
        return False
    factor = 1 + sympy.Dummy(positive=True)
    beyond = condition.rhs * factor if isinstance(condition, sympy.Gt) else condition.rhs / factor
    return bool(factored(difference.xreplace({condition.lhs: beyond})).is_positive)


def _shape(low: sympy.Expr, high: sympy.Expr, meaning: Meaning) -> Shape | None:
    profile = meaning.activation.profile
    between = low + 1 if high.is_infinite else (low + high) / 2
    try:
        for piece in profile.pieces:
            piece.prove()
        at_one = SuperlevelSet(profile, between, method="certified").components()
        formulas = SuperlevelSet(profile, between, in_terms_of=T).components()
        ends = [(one, two) for each, other in zip(at_one, formulas, strict=True) for one, two in _pairs(each, other)]
        if not all(_is_end(exact, formula, (low, between, high), meaning) for exact, formula in ends):
            return None
    except (Undecided, ValueError):
        return None
    return Shape(low, high, tuple((each.lower, each.upper) for each in formulas))


def _pairs(one: object, two: object) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    yield one.lower, two.lower  # type: ignore[attr-defined]
    yield one.upper, two.upper  # type: ignore[attr-defined]


def _is_end(
    exact: sympy.Expr, formula: sympy.Expr, levels: tuple[sympy.Expr, sympy.Expr, sympy.Expr], meaning: Meaning
) -> bool:
    """Return whether a formula is an end of the set at every level, given where the end is at one level between."""
    low, between, high = levels
    if not formula.has(T):
        return bool(exact == formula)
    if isinstance(formula, SlopeInverse):
        return solves(formula, (), meaning)
    there = formula.xreplace({T: between})
    for piece in meaning.activation.profile.pieces:
        left, right = piece.branch.left, piece.branch.right
        if all((order(left, each) < 0 < order(right, each)) for each in (exact, there)):
            return _solves(formula, piece, low, high)
    return False
