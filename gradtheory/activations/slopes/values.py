"""The values of σ: on each branch of its slope it is monotone, so that its limits at the ends tell all."""

from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from gradtheory.activations.slopes.branch import Branch, Z
from gradtheory.activations.slopes.jumps import value_at
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import is_infinite, order


def end_values(expr: sympy.Expr, branch: Branch) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the limits of σ, an expression in `Z`, at both ends of a branch.

    Raises
    ------
    Undecided
        If there is no limit, or none is proven.

    """
    sigma = formula_near(expr, Z, branch.inside)
    return limit(sigma, branch.left, "+"), limit(sigma, branch.right, "-")


def repeats(expr: sympy.Expr, profile: Profile) -> bool:
    """Return whether σ repeats after two periods of |σ'|, as σ' does."""
    ends = profile.branches[0].left, profile.branches[-1].right
    return order(expr.subs(Z, 2 * ends[1] - ends[0]), expr.subs(Z, ends[0])) == 0


@dataclass(frozen=True)
class _Bound:
    value: sympy.Expr
    is_attained: bool


def values_of(expr: sympy.Expr, profile: Profile) -> sympy.Set:
    """Return the set of the values of σ, whose slope has this profile: an interval, or a union where σ jumps.

    Raises
    ------
    Undecided
        If a limit of σ is not proven.

    Examples
    --------
    >>> values_of(sympy.tanh(Z), Profile.of("tanh", sympy.tanh(Z).diff(Z)))
    Interval.open(-1, 1)

    """
    if profile.period is not None and not repeats(expr, profile):
        return sympy.S.Reals
    pieces: list[tuple[_Bound, _Bound]] = []
    for piece in _images(expr, profile):
        apart = []
        for other in pieces:
            if _touch(piece, other):
                piece = _lower(piece[0], other[0]), _upper(piece[1], other[1])  # noqa: PLW2901  # it grows
            else:
                apart.append(other)
        pieces = [*apart, piece]
    sets = [_set(*piece) for piece in pieces]
    return sets[0] if len(sets) == 1 else sympy.Union(*sets, evaluate=False)


def _set(low: _Bound, high: _Bound) -> sympy.Set:
    if order(low.value, high.value) == 0:
        return sympy.FiniteSet(low.value)
    return sympy.Interval(low.value, high.value, not low.is_attained, not high.is_attained)


def _images(expr: sympy.Expr, profile: Profile) -> Iterator[tuple[_Bound, _Bound]]:
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


def _touch(one: tuple[_Bound, _Bound], other: tuple[_Bound, _Bound]) -> bool:
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
