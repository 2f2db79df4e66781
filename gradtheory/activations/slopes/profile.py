"""A function f and the intervals on which |f| is monotone: all that a superlevel set needs."""

import functools
import itertools
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations.slopes.analysis import find_branches
from gradtheory.activations.slopes.branch import LINE, Branch, Region, SignOfBend, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.piece import Piece
from gradtheory.activations.slopes.switches import breaks, formula_near, switches
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import (
    FIRST_BITS,
    MOST_BITS,
    Ball,
    Interval,
    as_rational,
    bounds,
    doubling,
    enclose,
    evaluate,
    hull,
    is_infinite,
    order,
    precision,
    range_over,
    sign_at,
    sign_beyond,
)
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided

_MOST_STEPS = 40  # with which such a place is drawn in
_MOST_DOUBLINGS = 200  # of the distance beyond which a function is to stay small


@dataclass(frozen=True)
class Profile:
    r"""A function f of z, for the sets {z : |f(z)| > t}.

    Parameters
    ----------
    name : str
        What messages call it.
    function : sympy.Expr
        f, in the symbol `Z`.
    branches : tuple of Branch
        The monotone branches of |f|: from -oo to oo, over one period, or in a region.
    sign_of_bend : SignOfBend, optional
        What proves them, where they are stated.
    period : sympy.Expr, optional
        The period of |f|.
    is_found : bool
        Whether the branches were found with a proof, not stated.
    jumps : tuple of sympy.Expr
        Places where f is the derivative of nothing, since there an activation jumps between two branches.

    """

    name: str
    function: sympy.Expr
    branches: tuple[Branch, ...]
    sign_of_bend: SignOfBend | None = None
    period: sympy.Expr | None = None
    is_found: bool = False
    jumps: tuple[sympy.Expr, ...] = ()

    def __repr__(self) -> str:
        return f"Profile({shorten(self.name)}: {len(self.branches)} branches)"

    @classmethod
    def of(
        cls,
        name: str,
        function: sympy.Expr,
        region: Region = LINE,
        period: sympy.Expr | None = None,
        jumps: tuple[sympy.Expr, ...] = (),
    ) -> "Profile":
        """Return the profile of any function of `Z`, with branches found on the line or in a region, such as a period.

        Raises
        ------
        Undecided
            If the branches are not proven: as where the function oscillates for ever.

        """
        smooth = stable(function)
        return cls(name, smooth, find_branches(smooth, region, jumps), period=period, is_found=True, jumps=jumps)

    @classmethod
    def above(cls, name: str, function: sympy.Expr, level: sympy.Expr, jumps: tuple[sympy.Expr, ...] = ()) -> "Profile":
        """Return the profile in a region outside of which |f| is proven to lie below a level.

        Raises
        ------
        Undecided
            If there is none, or the branches in it are not proven.

        """
        smooth = stable(function)
        corners = (-sympy.oo, *breaks(smooth, Z, *LINE), sympy.oo)
        left, right = (formula_near(smooth, Z, inner_point(*pair)) for pair in (corners[:2], corners[-2:]))
        outer_first = _quiet_from(left, level, corners[1] if len(corners) > 2 else sympy.S.Zero, rightwards=False)
        outer_last = _quiet_from(right, level, corners[-2] if len(corners) > 2 else sympy.S.Zero, rightwards=True)
        last = _drawn_in(smooth, level, outer_last, outer_first)
        first = _drawn_in(smooth, level, outer_first, last)
        return cls(name, smooth, find_branches(smooth, (first, last), jumps), is_found=True, jumps=jumps)

    @cached_property
    def kinks(self) -> tuple[sympy.Expr, ...]:
        """The points, of one period if there is one, where f jumps or is infinite, or is the derivative of nothing."""
        pairs = itertools.pairwise(self.branches)
        inside = (here.right for here, there in pairs if here.right in self.jumps or not here.continues(there))
        is_cut = self.period is not None and not self.continues_periodically
        return (*inside, self.branches[-1].right) if is_cut else tuple(inside)

    def is_kink(self, place: sympy.Expr) -> bool:
        """Return whether a number is one of the kinks, or repeats one.

        Raises
        ------
        Undecided
            If it is too near to one to tell.

        """
        if self.period is None:
            return place in self.kinks or any(order(place, kink) == 0 for kink in self.kinks)
        shifts = [(self._periods_before(place) + k) * self.period for k in (-1, 0, 1)]
        return any(order(place - shift, kink) == 0 for kink in self.kinks for shift in shifts)

    def size_at(self, place: sympy.Expr) -> sympy.Expr:
        """Return |f| at a place that is no kink, by what holds beside it.

        At a switch the formula itself may give another value: that of sign(z)·|tanh(z)| has the derivative 0 at 0.
        """
        if not switches(self.function):
            return abs(self.function.subs(Z, place))
        shifts = range(1) if self.period is None else (self._periods_before(place) + k for k in (-1, 0, 1))
        for there, branch in itertools.product((place - shift * (self.period or 0) for shift in shifts), self.branches):
            sides = order(branch.left, there), order(there, branch.right)
            if sides == (-1, -1):
                return abs(formula_near(self.function, Z, branch.inside).subs(Z, there))
            if sides in {(0, -1), (-1, 0)}:
                return abs(branch.slope_right if sides[1] == 0 else branch.slope_left)
        raise Undecided(f"{shorten(self.name)}: the formula of its slope at {shorten(place)}")

    def _periods_before(self, place: sympy.Expr) -> sympy.Integer:
        """Return how many periods a place is away from 0, to the nearest or the one beside it."""
        for bits in doubling(MOST_BITS):
            ball = enclose(place / self.period, bits)
            if ball.rad() < 1:
                return sympy.floor(as_rational(ball))
        raise Undecided(f"{shorten(place)} is too far out to count the periods before it")

    @cached_property
    def infinite_slopes(self) -> tuple[sympy.Expr, ...]:
        """The places beside which |f| grows without bound, as the slope of sign(z)·√|z| does beside 0."""
        branches = self.branches
        ends = [end for each in branches for end in ((each.left, each.slope_left), (each.right, each.slope_right))]
        places = [place for place, slope in ends if not is_infinite(place) and is_infinite(slope)]
        return tuple(dict.fromkeys(places))

    @cached_property
    def continues_periodically(self) -> bool:
        """Whether f is continuous where one period of |f| ends: after it f repeats, or repeats with the other sign."""
        first, last = self.branches[0], self.branches[-1]
        if last.right in self.jumps:
            return False
        here, there = self._signs_of_two_periods
        return order(here * there * first.slope_left, last.slope_right) == 0

    @cached_property
    def keeps_its_sign(self) -> bool:
        """Whether f has the same sign one period of |f| later."""
        here, there = self._signs_of_two_periods
        return here == there

    @cached_property
    def _signs_of_two_periods(self) -> tuple[int, int]:
        """The sign of f on a branch, and one period of |f| later."""
        branch = next((each for each in self.branches if each.direction), self.branches[0])
        later = inner_point(branch.left + self.period, branch.right + self.period)
        here, there = (sign_at(formula_near(self.function, Z, place), Z, place) for place in (branch.inside, later))
        return here, there

    @cached_property
    def levels(self) -> tuple[sympy.Expr, ...]:
        """The distinct positive limits of |f| at the ends of branches, in increasing order; the last may be oo.

        Between two neighbours a superlevel set keeps its shape.
        """
        levels: list[sympy.Expr] = []
        for limit in itertools.chain.from_iterable((branch.shallowest, branch.steepest) for branch in self.branches):
            sides = [order(limit, level) for level in (sympy.S.Zero, *levels)]
            if 0 not in sides:
                levels.insert(sides.count(1) - 1, limit)
        return tuple(levels)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The function on each branch, in the order of the branches."""
        return tuple(self._piece(branch) for branch in self.branches)

    def _piece(self, branch: Branch) -> Piece:
        formula = formula_near(self.function, Z, branch.inside)
        bend = None if self.sign_of_bend is None else formula_near(self.sign_of_bend.rest, Z, branch.inside)
        return Piece(branch, formula, bend, is_proven=self.is_found)

    def over(self, interval: Interval, bits: int) -> Interval:
        """Return tight bounds of f over an interval, from its values at the ends of the monotone branches within."""
        limits = self.branches[0].slope_left, self.branches[-1].slope_right
        return over_branches(self.branches, self.function, interval, bits, limits)


def _quiet_from(formula: sympy.Expr, level: sympy.Expr, last: sympy.Expr, *, rightwards: bool) -> sympy.Rational:
    """Return a place beyond which a smooth formula is proven to lie between -level and level."""
    beyond = inner_point(last, sympy.oo) if rightwards else inner_point(-sympy.oo, last)
    for doublings in range(_MOST_DOUBLINGS):
        start = beyond + (1 if rightwards else -1) * (sympy.Integer(2) ** doublings)
        sides = (sign_beyond(level + side * formula, Z, enclose(start, 64), rightwards=rightwards) for side in (1, -1))
        if all(side == 1 for side in sides):
            return start
    raise Undecided(
        f"{shorten(formula)} is not proven to stay below {level} as z tends to {'' if rightwards else '-'}oo: it may "
        "oscillate for ever; where the call takes domain=, ask on a bounded one, such as (-50, 50)"
    )


def _drawn_in(function: sympy.Expr, level: sympy.Expr, outer: sympy.Rational, other: sympy.Rational) -> sympy.Rational:
    """Return a place towards the other end up to which a function is proven to lie between -level and level."""
    height = enclose(level, FIRST_BITS)
    step = (other - outer) / 2
    for _ in range(_MOST_STEPS):
        low, high = sorted((outer, outer + step))
        lower, upper = range_over(function, Z, bounds(low, high, FIRST_BITS), FIRST_BITS)
        if lower > -height and upper < height and abs(other - outer) > abs(step):
            outer += step
        else:
            step /= 2
    return outer


def over_branches(
    branches: tuple[Branch, ...],
    function: sympy.Expr,
    interval: Interval,
    bits: int,
    limits: tuple[sympy.Expr, sympy.Expr],
) -> Interval:
    """Return bounds over an interval of a function that is monotone on each branch and has these limits at ±oo."""
    ends: list[Ball] = []
    with precision(bits):
        at_left, at_right = (_ball(limit, bits) for limit in limits)
        for branch in branches:
            left, right = _ball(branch.left, bits), _ball(branch.right, bits)
            if interval.upper < left or interval.lower > right:
                continue
            smooth = formula_near(function, Z, branch.inside)
            for point in (interval.lower.max(left), interval.upper.min(right)):
                if point.is_finite():
                    ends.append(evaluate(smooth, bits, {Z: point}))
                else:
                    ends.append(at_right if point > 0 else at_left)
        return hull(ends)


@functools.lru_cache(maxsize=256)
def _ball(number: sympy.Expr, bits: int) -> Ball:
    return bounds(number, number, bits).lower if is_infinite(number) else evaluate(number, bits, {})
