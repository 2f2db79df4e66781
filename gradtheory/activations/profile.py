"""A function whose size is asked about, with the monotone branches of its size: all that a superlevel set needs."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations.analysis import found_branches
from gradtheory.activations.branch import Branch, Curvature, prove
from gradtheory.functions import stable


@dataclass(frozen=True)
class Profile:
    r"""A function g of z, for the sets {z : |g(z)| > t}.

    Parameters
    ----------
    name : str
        What messages call it.
    function : sympy.Expr
        g, in the symbol `Z`.
    branches : tuple of Branch
        The monotone branches of |g|, from -oo to oo or over one period.
    window : sympy.Set
        Where the branches are proven complete.
    curvature : Curvature, optional
        What proves them, where they are stated.
    period : sympy.Expr, optional
        The period of |g|.

    """

    name: str
    function: sympy.Expr
    branches: tuple[Branch, ...]
    window: sympy.Set
    curvature: Curvature | None = None
    period: sympy.Expr | None = None

    @classmethod
    def found(cls, name: str, function: sympy.Expr, window: sympy.Rational) -> "Profile":
        """Return the profile of any function of `Z`, its branches found and proven on [-window, window]."""
        smooth = stable(function)
        return cls(name, smooth, found_branches(smooth, window), sympy.Interval(-window, window))

    @property
    def is_proven_everywhere(self) -> bool:
        """Whether the branches are proven on the whole line."""
        return self.window is sympy.S.Reals

    @cached_property
    def kinks(self) -> tuple[sympy.Expr, ...]:
        """The points where g jumps."""
        pairs = itertools.pairwise(self.branches)
        return tuple(here.right for here, there in pairs if here.slope_right != there.slope_left)

    def prove(self, branch: Branch) -> None:
        """Prove a stated branch; found ones are proven as they are found."""
        if self.is_proven_everywhere:
            prove(branch, self.function, self.curvature)
