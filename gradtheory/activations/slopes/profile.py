"""A function f and the intervals on which |f| is monotone: all that a superlevel set needs."""

import functools
import itertools
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations.slopes.analysis import find_branches
from gradtheory.activations.slopes.branch import Branch, SignOfBend, Z
from gradtheory.activations.slopes.piece import Piece
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import Ball, Interval, bounds, evaluate, hull, order, precision
from gradtheory.arithmetic.functions import stable


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
        The monotone branches of |f|, from -oo to oo or over one period.
    window : sympy.Set
        Where the branches are proven complete.
    sign_of_bend : SignOfBend, optional
        What proves them, where they are stated.
    period : sympy.Expr, optional
        The period of |f|.

    """

    name: str
    function: sympy.Expr
    branches: tuple[Branch, ...]
    window: sympy.Set
    sign_of_bend: SignOfBend | None = None
    period: sympy.Expr | None = None

    def __repr__(self) -> str:
        return f"Profile({shorten(self.name)}: {len(self.branches)} branches)"

    @classmethod
    def of(cls, name: str, function: sympy.Expr, window: sympy.Expr, period: sympy.Expr | None = None) -> "Profile":
        """Return the profile of any function of `Z`, with branches found on [-window, window], or a period."""
        smooth = stable(function)
        proven = sympy.Interval(-window, window) if period is None else sympy.Interval(-period / 2, period / 2)
        return cls(name, smooth, find_branches(smooth, window, period), proven, period=period)

    @property
    def is_proven_everywhere(self) -> bool:
        """Whether the branches are proven on the whole line."""
        return self.window is sympy.S.Reals

    @cached_property
    def kinks(self) -> tuple[sympy.Expr, ...]:
        """The points where f jumps or is infinite."""
        pairs = itertools.pairwise(self.branches)
        return tuple(
            here.right
            for here, there in pairs
            if here.slope_right != there.slope_left or not here.slope_right.is_finite
        )

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
        return Piece(branch, formula, bend, is_proven=not self.is_proven_everywhere)

    def over(self, interval: Interval, bits: int) -> Interval:
        """Return tight bounds of f over an interval, from its values at the ends of the monotone branches within."""
        limits = self.branches[0].slope_left, self.branches[-1].slope_right
        return over_branches(self.branches, self.function, interval, bits, limits)


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
    return bounds(number, number, bits).lower if number.is_infinite else evaluate(number, bits, {})
