"""The intervals on which |σ'| is monotone, and what proves that it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import sympy

from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.arithmetic.enclosure import is_finite, order, sign
from gradtheory.arithmetic.pairs import Pair

Z = sympy.Symbol("z", real=True)  # the pre-activation, in which every record is written
T = sympy.Symbol("t", positive=True)  # the level of a superlevel set, t = c/|w|

Region: TypeAlias = tuple[sympy.Expr, sympy.Expr]
LINE: Region = (-sympy.oo, sympy.oo)
Distance: TypeAlias = Callable[[Any, Pair], Pair]


@dataclass(frozen=True)
class Branch:
    r"""An open interval of pre-activations on which |σ'| is monotone and σ' keeps its sign.

    Parameters
    ----------
    left, right : sympy.Expr
        The ends of the interval in z; ±oo at the ends of the line.
    slope_left, slope_right : sympy.Expr
        The one-sided limits of σ' (with its sign) at these ends; σ' is constant on the branch where they are equal.
    inverse : sympy.Expr, optional
        The z of the branch at which |σ'(z)| = t, in the symbol `T`, where it has a closed form.
    distance : callable, optional
        (xp, e): how far that z lies from the steep end of the branch, or from the shallow end where the steep one is
        infinite, or z itself where both are; for arrays of the relative excess e = (sup - t)/(t - inf), with
        sup and inf of |σ'| on the branch (e = t for an infinite sup), in the array namespace xp. Both are pairs: a
        float64 number and its rounding error.
    bends : int, optional
        The sign of σ'' on the branch, where it is known.

    """

    left: sympy.Expr
    right: sympy.Expr
    slope_left: sympy.Expr
    slope_right: sympy.Expr
    inverse: sympy.Expr | None = None
    distance: Distance | None = field(default=None, compare=False)
    bends: int = field(default=0, compare=False)

    @cached_property
    def is_flat(self) -> bool:
        """Whether σ' is constant on the branch."""
        return bool(self.slope_left == self.slope_right)

    @cached_property
    def rises(self) -> bool:
        """Whether |σ'| increases on the branch."""
        if self.bends:  # the slopes at the ends may differ by 1e-100000
            return self.bends * self.direction > 0
        return sign(abs(self.slope_right) - abs(self.slope_left)) > 0

    @cached_property
    def direction(self) -> int:
        """The sign of σ' on the branch, 0 where σ is constant."""
        return sign(self.slope_left) or sign(self.slope_right)

    @cached_property
    def shallowest(self) -> sympy.Expr:
        """The infimum of |σ'| on the branch."""
        return abs(self.slope_left if self.rises else self.slope_right)

    @cached_property
    def steepest(self) -> sympy.Expr:
        """The supremum of |σ'| on the branch."""
        return abs(self.slope_right if self.rises else self.slope_left)

    def continues(self, following: "Branch") -> bool:
        """Whether σ' is finite and continuous where this branch ends and the next begins."""
        here, there = self.slope_right, following.slope_left
        return bool(is_finite(here) and is_finite(there)) and order(here, there) == 0

    @cached_property
    def inside(self) -> sympy.Rational:
        """A rational point of the branch."""
        return inner_point(self.left, self.right)


@dataclass(frozen=True)
class SignOfBend:
    r"""σ'' = positive · rest, in `Z`: what proves that |σ'| is monotone between its turning points.

    Parameters
    ----------
    positive : sympy.Expr
        An expression that is evidently positive, such as exp(-z²).
    rest : sympy.Expr
        The other factor, which has the sign of σ'', written so that interval arithmetic finds that sign also on
        unbounded intervals.

    """

    positive: sympy.Expr
    rest: sympy.Expr
