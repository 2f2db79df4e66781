"""Sets {z : |σ'(z)| > t} and their lengths, from the proven monotone branches of σ'.

Between two levels, limits of |σ'| at the ends of branches, the set keeps its shape. An end that solves |σ'(z)| = t for
all these t, and lies inside a branch for one of them, lies inside it for all: at the branch's ends |σ'| is a level.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import T, Z
from gradtheory.activations.slopes.piece import Piece, SlopeInverse
from gradtheory.arithmetic.enclosure import Univariate, order, sign_on
from gradtheory.derivation.language import Measure, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.conditions import factorwise, follows
from gradtheory.derivation.proofs.definitions import in_measures
from gradtheory.derivation.proofs.levels import keeps_shape
from gradtheory.derivation.proofs.normal_forms import is_identity
from gradtheory.derivation.proofs.signs import replaced, with_signs
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import SuperlevelSet

_MOST_OPERATIONS = 10  # of a level about which conditions are decided
_Ends = tuple[tuple[sympy.Expr, sympy.Expr], ...]


@dataclass(frozen=True)
class _Shape:
    """The set {z : |σ'(z)| > t} for low < t < high, as intervals whose ends are formulas in t."""

    low: sympy.Expr
    high: sympy.Expr
    intervals: _Ends


def is_superlevel(statement: Equivalent, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether "|σ'(u)·w| > c" is proven to be that u or the input x lies in the stated intervals."""
    assumptions, (statement,) = with_signs(assumptions, statement)
    inner = [side for side in statement.args if isinstance(side, sympy.Gt) and side.has(Slope)]
    if len(inner) != 1:
        return False
    (inside,) = inner
    (outside,) = (side for side in statement.args if side is not inside)
    places = {word.args[0] for word in inside.atoms(Slope)}
    if len(places) != 1:
        return False
    (place,) = places
    level = _level(inside, Slope(place))
    if level is None or not _is_in_period(place, assumptions, meaning):
        return False
    shape = _shape_at(level, assumptions, meaning)
    if shape is None:
        return False
    return _is_union(outside, place, level, shape)


def _is_in_period(place: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether a place is assumed to lie in the period that the branches describe, where there is one."""
    if meaning.activation.period is None:
        return True
    branches = meaning.activation.profile.branches
    known = [(type(each), sympy.expand(each.lhs), each.rhs) for each in assumptions]
    ends = (sympy.StrictGreaterThan, branches[0].left), (sympy.StrictLessThan, branches[-1].right)
    return all((sense, sympy.expand(place), end) in known for sense, end in ends)


def length(level: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> sympy.Expr | None:
    """Return a proven formula for m at a level, where there is one."""
    shape = None if meaning.activation.period is not None else _shape_at(level, assumptions, meaning)
    if shape is None:
        return None
    if any(end.is_infinite for pair in shape.intervals for end in pair):
        return sympy.oo
    total = sum((upper - lower for lower, upper in shape.intervals), sympy.S.Zero)
    return total.xreplace({T: level})


def is_length(left: sympy.Expr, right: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether two expressions are proven equal, with formulas for the lengths of sets in them."""
    assumptions, (left, right) = with_signs(assumptions, in_measures(left), in_measures(right))
    words = left.atoms(Measure) | right.atoms(Measure)
    lengths = {word: length(word.args[0], assumptions, meaning) for word in words}
    if not lengths or None in lengths.values():
        return False
    if sympy.oo in lengths.values():
        (word,) = words if len(words) == 1 else (None,)
        return word is not None and right == sympy.oo and bool((word / left).is_nonnegative)
    return is_identity(left.xreplace(lengths) - right.xreplace(lengths))


def is_at_least(statement: sympy.Ge, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether |σ'(z)| is proven to be at least a number wherever σ' exists."""
    if statement.lhs != abs(Slope(Z)) or statement.rhs.free_symbols or meaning.activation.period is not None:
        return False
    profile = meaning.activation.profile
    for piece in profile.pieces:
        piece.prove()
    off = all(sympy.Ne(Z, kink) in assumptions for kink in profile.kinks)
    return off and all(order(branch.shallowest, statement.rhs) >= 0 for branch in profile.branches)


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


def _level(inside: sympy.Gt, slope: sympy.Expr) -> sympy.Expr | None:
    """Return t, where a comparison says |σ'| > t times something."""
    factor = sympy.cancel(inside.lhs.replace(sympy.Abs, factorwise) / abs(slope))
    if factor.has(Slope) or inside.rhs.has(Slope):
        return None
    return inside.rhs / factor


def _shape_at(level: sympy.Expr, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> _Shape | None:
    profile = meaning.activation.profile
    for low, high in itertools.pairwise((sympy.S.Zero, *profile.levels)):
        from_low = sympy.Ge(level, low, evaluate=False) in assumptions
        to_high = sympy.Le(level, high, evaluate=False) in assumptions
        below = high.is_infinite or to_high or sympy.Lt(level, high, evaluate=False) in assumptions
        if (from_low or _is_above(level, low, assumptions)) and (below or _is_above(-level, -high, assumptions)):
            shape = _shape(low, high, meaning)
            closed = [end for end, is_closed in ((low, from_low), (high, to_high)) if is_closed]
            return shape if shape and all(keeps_shape(shape.intervals, end, profile) for end in closed) else None
    return None


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
        return sign_on(Univariate(level - bound, *symbols), sympy.S.Zero, sympy.oo) == 1
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
    return bool(sympy.factor(difference.xreplace({condition.lhs: beyond})).is_positive)


def _shape(low: sympy.Expr, high: sympy.Expr, meaning: Meaning) -> _Shape | None:
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
    return _Shape(low, high, tuple((each.lower, each.upper) for each in formulas))


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


def _cases_of_weight(place: sympy.Expr, variable: sympy.Symbol) -> Iterator[tuple[dict[sympy.Expr, sympy.Expr], bool]]:
    """Yield what is written for the weight of wx + b, and whether it is above 0."""
    weight = place.diff(variable)
    if weight.is_positive or weight.is_negative:
        yield {}, bool(weight.is_positive)
    elif weight.is_Symbol:
        size = sympy.Dummy(positive=True)
        yield {weight: size}, True
        yield {weight: -size}, False


def _is_union(outside: sympy.Basic, place: sympy.Expr, level: sympy.Expr, shape: _Shape) -> bool:
    """Return whether a union of intervals of z or x is a set of places, for either sign of the weight."""
    variables = [place] if place.is_Symbol else list(place.free_symbols - level.free_symbols)
    parts = outside.args if isinstance(outside, sympy.Or) else (outside,)
    for variable in variables:
        intervals = [ends for part in parts if (ends := _interval(part, variable)) is not None]
        if len(intervals) == len(parts) == len(shape.intervals):
            cases = list(_cases_of_weight(place, variable))
            return bool(cases) and all(
                _is_same_union(
                    [_moved(each, place, variable, *case) for each in intervals], level.xreplace(case[0]), shape
                )
                for case in cases
            )
    return False


def _interval(part: sympy.Basic, variable: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return the ends between which strict comparisons say that a variable lies."""
    lower, upper = -sympy.oo, sympy.oo
    for bound in part.args if isinstance(part, sympy.And) else (part,):
        if not isinstance(bound, sympy.Lt | sympy.Gt):
            return None
        if bound.gts == variable and lower == -sympy.oo and variable not in bound.lts.free_symbols:
            lower = bound.lts
        elif bound.lts == variable and upper == sympy.oo and variable not in bound.gts.free_symbols:
            upper = bound.gts
        else:
            return None
    return lower, upper


def _moved(
    interval: tuple[sympy.Expr, sympy.Expr],
    place: sympy.Expr,
    variable: sympy.Symbol,
    weight: dict[sympy.Expr, sympy.Expr],
    is_rising: bool,
) -> tuple[sympy.Expr, sympy.Expr]:
    """Return an interval of x as one of z, which a weight below 0 turns round."""
    if place == variable:
        return interval
    ends = interval if is_rising else interval[::-1]
    z = place.xreplace(weight)
    far = (-sympy.oo, sympy.oo)
    return tuple(
        far[number] if end.is_infinite else sympy.expand(z.xreplace({variable: end.xreplace(weight)}))
        for number, end in enumerate(ends)
    )


def _is_same_union(intervals: list[tuple[sympy.Expr, sympy.Expr]], level: sympy.Expr, shape: _Shape) -> bool:
    rest = list(intervals)
    for pair in shape.intervals:
        wanted = [end.xreplace({T: level}) for end in pair]
        same = [each for each in rest if all(_is_equal(*ends) for ends in zip(each, wanted, strict=True))]
        if not same:
            return False
        rest.remove(same[0])
    return not rest


def _is_equal(one: sympy.Expr, two: sympy.Expr) -> bool:
    if one == two or one.is_infinite or two.is_infinite:
        return bool(one == two)
    return is_identity(one - two)
