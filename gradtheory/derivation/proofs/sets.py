"""Sets {z : |σ'(z)| > t} and their lengths, from their shapes between two levels."""

from collections.abc import Iterator, Sequence

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import T, Z
from gradtheory.arithmetic.enclosure import order
from gradtheory.derivation.language import Measure, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.conditions import factorwise
from gradtheory.derivation.proofs.definitions import in_measures
from gradtheory.derivation.proofs.normal_forms import is_identity
from gradtheory.derivation.proofs.shapes import Shape, shape_at
from gradtheory.derivation.proofs.signs import with_signs


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
    shape = shape_at(level, assumptions, meaning)
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
    shape = None if meaning.activation.period is not None else shape_at(level, assumptions, meaning)
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


def _level(inside: sympy.Gt, slope: sympy.Expr) -> sympy.Expr | None:
    """Return t, where a comparison says |σ'| > t times something."""
    factor = sympy.cancel(inside.lhs.replace(sympy.Abs, factorwise) / abs(slope))
    if factor.has(Slope) or inside.rhs.has(Slope):
        return None
    return inside.rhs / factor


def _cases_of_weight(place: sympy.Expr, variable: sympy.Symbol) -> Iterator[tuple[dict[sympy.Expr, sympy.Expr], bool]]:
    """Yield what is written for the weight of wx + b, and whether it is above 0."""
    weight = place.diff(variable)
    if weight.is_positive or weight.is_negative:
        yield {}, bool(weight.is_positive)
    elif weight.is_Symbol:
        size = sympy.Dummy(positive=True)
        yield {weight: size}, True
        yield {weight: -size}, False


def _is_union(outside: sympy.Basic, place: sympy.Expr, level: sympy.Expr, shape: Shape) -> bool:
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


def _is_same_union(intervals: list[tuple[sympy.Expr, sympy.Expr]], level: sympy.Expr, shape: Shape) -> bool:
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
