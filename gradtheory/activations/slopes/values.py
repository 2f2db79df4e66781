"""The values of σ: on each branch of its slope it is monotone, so that its limits at the ends tell all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sympy

from gradtheory.activations.slopes.branch import Branch, Z
from gradtheory.activations.slopes.jumps import value_at
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import FIRST_BITS, as_rational, enclose, is_infinite, order
from gradtheory.errors import Undecided

_REACH = 3  # drifts by which pieces are moved that begin less than 2 drifts from 0: all that reach [0, drift] are there


def end_values(expr: sympy.Expr, branch: Branch) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the limits of σ, an expression in `Z`, at both ends of a branch.

    Raises
    ------
    Undecided
        If there is no limit, or none is proven.

    """
    sigma = formula_near(expr, Z, branch.inside)
    return limit(sigma, branch.left, "+"), limit(sigma, branch.right, "-")


def drift_of(expr: sympy.Expr, profile: Profile) -> sympy.Expr:
    """Return by how much σ grows in two periods of |σ'|, after which σ' repeats; 0 where σ repeats, or nothing does."""
    if profile.period is None:
        return sympy.S.Zero
    first = profile.branches[0]
    before, after = (end_values(each, first)[0] for each in (expr, expr.xreplace({Z: Z + 2 * profile.period})))
    return sympy.S.Zero if order(after, before) == 0 else after - before


@dataclass(frozen=True)
class _Bound:
    value: sympy.Expr
    is_attained: bool


_Piece = tuple[_Bound, _Bound]


def values_of(expr: sympy.Expr, profile: Profile) -> sympy.Set:
    """Return the set of the values of σ, whose slope has this profile: an interval, or a union where σ jumps.

    Raises
    ------
    Undecided
        If a limit of σ is not proven, or σ leaves gaps for ever, as z + 10·sign(sin z) does.

    Examples
    --------
    >>> values_of(sympy.tanh(Z), Profile.of("tanh", sympy.tanh(Z).diff(Z)))
    Interval.open(-1, 1)

    """
    drift = drift_of(expr, profile)
    if drift == 0:
        sets = [_set(*piece) for piece in _merged(_images(expr, profile))]
        return sets[0] if len(sets) == 1 else sympy.Union(*sets, evaluate=False)
    if profile.jumps and not _covers_the_line(list(_images(expr, profile)), abs(drift)):
        raise Undecided(f"it leaves out gaps that come again after every {shorten(abs(drift))}")
    return sympy.S.Reals


def ends_of(expr: sympy.Expr, profile: Profile) -> tuple[sympy.Expr, sympy.Expr]:
    """Return between which numbers σ lies, of those with a profile: its infimum and its supremum.

    Raises
    ------
    Undecided
        If a limit of σ is not proven.

    """
    if drift_of(expr, profile) != 0:
        return -sympy.oo, sympy.oo
    values = values_of(expr, profile)
    return values.inf, values.sup


def _covers_the_line(pieces: list[_Piece], drift: sympy.Expr) -> bool:
    """Return whether pieces cover all numbers, moved by all multiples of a positive number."""
    moved = []
    for low, high in pieces:
        if order(high.value - low.value, drift) > 0:
            return True
        back = sympy.floor(as_rational(enclose(low.value / drift, FIRST_BITS)))
        for shift in range(-_REACH, _REACH + 1):
            way = (shift - back) * drift
            moved.append((_Bound(low.value + way, low.is_attained), _Bound(high.value + way, high.is_attained)))
    sides = (
        (order(high.value - low.value, drift), low.is_attained or high.is_attained) for low, high in _merged(moved)
    )
    return any(side > 0 or (side == 0 and is_attained) for side, is_attained in sides)


def _merged(pieces: Iterable[_Piece]) -> list[_Piece]:
    """Return the largest pieces, no two of which touch, with the same union."""
    merged: list[_Piece] = []
    for piece in pieces:
        apart = []
        for other in merged:
            if _touch(piece, other):
                piece = _lower(piece[0], other[0]), _upper(piece[1], other[1])  # noqa: PLW2901  # it grows
            else:
                apart.append(other)
        merged = [*apart, piece]
    return merged


def _set(low: _Bound, high: _Bound) -> sympy.Set:
    if order(low.value, high.value) == 0:
        return sympy.FiniteSet(low.value)
    return sympy.Interval(low.value, high.value, not low.is_attained, not high.is_attained)


def _images(expr: sympy.Expr, profile: Profile) -> Iterator[_Piece]:
    """Yield what σ takes each branch to, without the ends at which it jumps, and then its values there."""
    shifts = (0,) if profile.period is None else (0, profile.period)
    for shift in shifts:
        for branch in profile.branches:
            values = end_values(expr.xreplace({Z: Z + shift}), branch)
            ends = (branch.left, branch.right)
            low, high = (
                _Bound(value, branch.direction == 0 or not (is_infinite(end) or end in profile.jumps))
                for value, end in zip(values, ends, strict=True)
            )
            yield (low, high) if order(low.value, high.value) <= 0 else (high, low)
        for jump in profile.jumps:
            if (value := value_at(expr.xreplace({Z: Z + shift}), jump)) is not None:
                yield _Bound(value, True), _Bound(value, True)


def _touch(one: _Piece, other: _Piece) -> bool:
    """Return whether two pieces together are one."""
    for (_, high), (low, _) in ((one, other), (other, one)):
        side = order(high.value, low.value)
        if side < 0 or (side == 0 and not (high.is_attained or low.is_attained)):
            return False
    return True


def _lower(one: _Bound, other: _Bound) -> _Bound:
    side = order(one.value, other.value)
    return _Bound(one.value, one.is_attained or other.is_attained) if side == 0 else (one if side < 0 else other)


def _upper(one: _Bound, other: _Bound) -> _Bound:
    side = order(one.value, other.value)
    return _Bound(one.value, one.is_attained or other.is_attained) if side == 0 else (one if side > 0 else other)
