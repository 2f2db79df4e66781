r"""The superlevel set U_t = {z : |σ'(z)| > t}, from the monotone branches of σ'.

On each branch |σ'| is monotone, so U_t meets it in nothing, in all of it, or in the part beyond the one z where
|σ'(z)| = t: the record's closed form, or a root isolated with a proof. Between two branches stands a single point: it
belongs to U_t by the value of |σ'| there, or not at all if it is a kink, where σ has no derivative.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations import Branch, T
from gradtheory.activations.slopes.branch import SlopeInverse, crossing_on
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import MOST_BITS, sign
from gradtheory.errors import NoClosedForm
from gradtheory.explosion.superlevel.component import Component

METHODS = ("auto", "closed_form", "certified")


@dataclass(frozen=True)
class SuperlevelSet:
    """A superlevel set to be found.

    Parameters
    ----------
    profile : Profile
        Of the slope, or of another function in its place.
    level : sympy.Expr
        t, an exact positive number.
    strict : bool
        False for |σ'(z)| >= t.
    method : {"auto", "closed_form", "certified"}
        How the ends are found: by the closed forms of the record, by isolated roots, or by the first where there is
        one.
    most_bits : int
        The precision at which a comparison is given up as undecided.
    at : sympy.Expr, optional
        What to write for t in the ends, in place of the level: a symbol gives the formula of all levels near it.

    """

    profile: Profile
    level: sympy.Expr
    strict: bool = True
    method: str = "auto"
    most_bits: int = MOST_BITS
    at: sympy.Expr | None = None

    def components(self) -> tuple[Component, ...]:
        """Return the components in increasing order; of a periodic slope, those of one period.

        Raises
        ------
        NoClosedForm
            If closed forms are asked for, and the record has none.
        Undecided
            If a proof does not succeed within `most_bits`.

        Examples
        --------
        >>> import gradtheory as gt
        >>> SuperlevelSet(gt.activation("arctan").profile, sympy.Rational(1, 5)).components()
        (Component(lower=-2, upper=2, lower_open=True, upper_open=True),)

        """
        merged: list[Component] = []
        for piece in self._pieces():
            if merged and merged[-1].touches(piece):
                merged[-1] = merged[-1].joined(piece)
            else:
                merged.append(piece)
        return tuple(merged)

    def holds_between_periods(self) -> bool:
        """Whether the point where one period of a periodic slope ends belongs to the set."""
        first, last = self.profile.branches[0], self.profile.branches[-1]
        smooth = sign(abs(first.slope_left) - abs(last.slope_right), self.most_bits) == 0
        return smooth and self._holds_at(last.slope_right)

    def crossings(self) -> dict[Branch, sympy.Expr]:
        """Return the one place on each branch where |σ'(z)| = t, for the branches that have one."""
        return {branch: self._crossing(branch) for branch in self.profile.branches if self._is_crossed(branch)}

    def _pieces(self) -> Iterator[Component]:
        """Yield the part of each branch, and the points between, from left to right."""
        branches = self.profile.branches
        for branch, following in zip(branches, (*branches[1:], None), strict=True):
            yield from self._part(branch)
            if following and following.left not in self.profile.kinks and self._holds_at(branch.slope_right):
                yield Component(branch.right, branch.right, lower_open=False, upper_open=False)

    def _part(self, branch: Branch) -> Iterator[Component]:
        """Yield the part of an open branch: no interior value of a monotone |σ'| equals a limit at an end."""
        if self.method == "certified":
            self.profile.prove(branch)
        if branch.is_flat:
            if self._holds_at(branch.slope_left):
                yield Component(branch.left, branch.right)
        elif self._is_crossed(branch):
            crossing = self._crossing(branch)
            if branch.rises:
                yield Component(crossing, branch.right, lower_open=self.strict)
            else:
                yield Component(branch.left, crossing, upper_open=self.strict)
        elif self._side(branch.shallowest) >= 0:
            yield Component(branch.left, branch.right)

    def _is_crossed(self, branch: Branch) -> bool:
        return not branch.is_flat and self._side(branch.steepest) > 0 > self._side(branch.shallowest)

    def _crossing(self, branch: Branch) -> sympy.Expr:
        """Return the z of the branch where |σ'(z)| = t."""
        if branch.inverse is not None and self.method != "certified":
            return branch.inverse.xreplace({T: self.level if self.at is None else self.at})
        if self.method == "closed_form":
            raise NoClosedForm(
                f"{self.profile.name}: |σ'(z)| = t has no closed-form solution on the record; "
                "method='certified' finds proven numbers"
            )
        self.profile.prove(branch)
        if self.at is not None:
            return SlopeInverse.on(branch, self.profile.function, self.at)
        return crossing_on(branch, self.profile.function, self.level, self.most_bits)

    def _holds_at(self, slope: sympy.Expr) -> bool:
        return self._side(abs(slope)) > (0 if self.strict else -1)

    def _side(self, slope: sympy.Expr) -> int:
        """Return the sign of a limit of |σ'| minus the level; branches share their limits."""
        if slope not in self._sides:
            self._sides[slope] = sign(slope - self.level, self.most_bits)
        return self._sides[slope]

    @cached_property
    def _sides(self) -> dict[sympy.Expr, int]:
        return {}
