r"""The superlevel set U_t = {z : |σ'(z)| > t}, from the monotone branches of σ'.

On each branch |σ'| is monotone, so U_t meets it in nothing, in all of it, or in the part beyond the one z where
|σ'(z)| = t: the record's closed form, or a root isolated with a proof. Between two branches stands a single point: it
belongs to U_t by the value of |σ'| there, or not at all if it is a kink, where σ has no derivative.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations import Branch, T
from gradtheory.activations.slopes.piece import Piece
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import MOST_BITS, sign
from gradtheory.errors import NoClosedForm
from gradtheory.explosion.superlevel.component import Component, joined

METHODS = ("auto", "closed_form", "certified")


@dataclass(frozen=True)
class SuperlevelSet:
    """The set {z : |f(z)| > t} of a function f with monotone branches.

    Parameters
    ----------
    profile : Profile
        Of f: the slope, or another function in its place.
    t : sympy.Expr
        An exact positive number.
    strict : bool
        False for |f(z)| >= t.
    method : {"auto", "closed_form", "certified"}
        How the ends are computed: by the closed forms of the record, by isolated roots, or by the first where there is
        one.
    most_bits : int
        The precision at which a comparison is given up as undecided.
    in_terms_of : sympy.Expr, optional
        What to write for t in the ends: a symbol gives the formula of all levels near t.

    """

    profile: Profile
    t: sympy.Expr
    strict: bool = True
    method: str = "auto"
    most_bits: int = MOST_BITS
    in_terms_of: sympy.Expr | None = None

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
        return joined(self._parts())

    def crossings(self) -> dict[Branch, sympy.Expr]:
        """Return the one place on each branch where |f(z)| = t, for the branches that have one."""
        return {piece.branch: self._crossing(piece) for piece in self.profile.pieces if self._is_crossed(piece.branch)}

    @property
    def has_ends_of_periods(self) -> bool:
        """Whether the point where one period of a periodic function ends belongs to the set."""
        return self.profile.continues_periodically and self._has_points_of_slope(self.profile.branches[-1].slope_right)

    def _parts(self) -> Iterator[Component]:
        """Yield the part on each branch, and the points between, from left to right."""
        for piece, following in itertools.zip_longest(self.profile.pieces, self.profile.branches[1:]):
            yield from self._part(piece)
            end, slope = piece.branch.right, piece.branch.slope_right
            if following and end not in self.profile.kinks and self._has_points_of_slope(slope):
                yield Component(end, end, lower_open=False, upper_open=False)

    def _part(self, piece: Piece) -> Iterator[Component]:
        """Yield the part on an open branch: no interior value of a monotone |f| equals a limit at an end."""
        branch = piece.branch
        if self.method == "certified":
            piece.prove()
        if branch.is_flat:
            if self._has_points_of_slope(branch.slope_left):
                yield Component(branch.left, branch.right)
        elif self._is_crossed(branch):
            crossing = self._crossing(piece)
            if branch.rises:
                yield Component(crossing, branch.right, lower_open=self.strict)
            else:
                yield Component(branch.left, crossing, upper_open=self.strict)
        elif self._side(branch.shallowest) >= 0:
            yield Component(branch.left, branch.right)

    def _is_crossed(self, branch: Branch) -> bool:
        return not branch.is_flat and self._side(branch.steepest) > 0 > self._side(branch.shallowest)

    def _crossing(self, piece: Piece) -> sympy.Expr:
        """Return the z of the branch where |f(z)| = t."""
        inverse = piece.branch.inverse
        if inverse is not None and self.method != "certified":
            return inverse.xreplace({T: self.t if self.in_terms_of is None else self.in_terms_of})
        if self.method == "closed_form":
            raise NoClosedForm(
                f"{self.profile.name}: |σ'(z)| = t has no closed-form solution on the record; "
                "method='certified' finds proven numbers"
            )
        piece.prove()
        if self.in_terms_of is not None:
            return piece.inverse(self.in_terms_of)
        return piece.crossing(self.t, self.most_bits)

    def _has_points_of_slope(self, slope: sympy.Expr) -> bool:
        """Return whether points at which f has this value belong to the set."""
        return self._side(abs(slope)) > (0 if self.strict else -1)

    def _side(self, size: sympy.Expr) -> int:
        """Return the sign of a limit of |f| minus t; branches share their limits."""
        if size not in self._sides:
            self._sides[size] = sign(size - self.t, self.most_bits)
        return self._sides[size]

    @cached_property
    def _sides(self) -> dict[sympy.Expr, int]:
        return {}
