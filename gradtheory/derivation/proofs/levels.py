"""Whether formulas for the ends of {z : |σ'(z)| > t}, for t between two levels, hold at a level too."""

import sympy

from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import order
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import SuperlevelSet


def keeps_shape(intervals: tuple[tuple[sympy.Expr, sympy.Expr], ...], level: sympy.Expr, profile: Profile) -> bool:
    """Return whether formulas for the levels beside one are proven to hold there too: each end stays in its branch."""
    try:
        exact = SuperlevelSet(profile, level, method="certified").components()
        return len(exact) == len(intervals) and all(
            order(formula.args[2], end) < 0 < order(formula.args[3], end)
            if isinstance(formula, SlopeInverse)
            else end == formula
            for part, formulas in zip(exact, intervals, strict=True)
            for end, formula in zip((part.lower, part.upper), formulas, strict=True)
        )
    except Undecided:
        return False
