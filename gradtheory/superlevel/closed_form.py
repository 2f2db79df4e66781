r"""The superlevel set U_t = {z : |σ'(z)| > t} in closed form, from the monotone branches of the record.

On each branch |σ'| is monotone, so U_t meets it in nothing, in all of it, or in the part beyond the one z where
|σ'(z)| = t. Between two branches stands a single point: it belongs to U_t by the value of |σ'| there, or not at all
if it is a kink, where σ has no derivative.
"""

from collections.abc import Iterator

import sympy

from gradtheory.activations import Activation, Branch, T
from gradtheory.enclosure import sign
from gradtheory.superlevel.component import Component


def components(
    activation: Activation, level: sympy.Expr, *, strict: bool = True, at: sympy.Expr | None = None
) -> tuple[Component, ...]:
    """Return the components of {z : |σ'(z)| > level}, in increasing order.

    Parameters
    ----------
    activation : Activation
        An activation whose branches have closed-form inverses.
    level : sympy.Expr
        An exact positive number.
    strict : bool
        False for |σ'(z)| >= level.
    at : sympy.Expr, optional
        What to write for t in the ends, in place of the level: a symbol gives the formula of all levels near it.

    Raises
    ------
    NoClosedForm
        If the record has no branches.

    Examples
    --------
    >>> import gradtheory as gt
    >>> components(gt.activation("arctan"), sympy.Rational(1, 5))
    (Component(lower=-2, upper=2, lower_open=True, upper_open=True),)

    """
    merged: list[Component] = []
    for piece in _pieces(activation, level, strict, level if at is None else at):
        if merged and merged[-1].touches(piece):
            merged[-1] = merged[-1].joined(piece)
        else:
            merged.append(piece)
    return tuple(merged)


def _pieces(activation: Activation, level: sympy.Expr, strict: bool, at: sympy.Expr) -> Iterator[Component]:
    """Yield the part of each branch, and the points between, from left to right."""
    branches = activation.monotone_branches
    for branch, following in zip(branches, (*branches[1:], None), strict=True):
        yield from _part(branch, level, strict, at)
        if following and following.left not in activation.kinks and _exceeds(branch.slope_right, level, strict):
            yield Component(branch.right, branch.right, lower_open=False, upper_open=False)


def _part(branch: Branch, level: sympy.Expr, strict: bool, at: sympy.Expr) -> Iterator[Component]:
    """Yield {z in the open branch : |σ'(z)| > level}: no interior value of a monotone |σ'| equals a limit at an end."""
    if branch.inverse is None:
        if _exceeds(branch.slope_left, level, strict):
            yield Component(branch.left, branch.right)
    elif sign(branch.shallowest - level) >= 0:
        yield Component(branch.left, branch.right)
    elif sign(branch.steepest - level) > 0:
        crossing = branch.inverse.xreplace({T: at})
        if branch.rises:
            yield Component(crossing, branch.right, lower_open=strict)
        else:
            yield Component(branch.left, crossing, upper_open=strict)


def _exceeds(slope: sympy.Expr, level: sympy.Expr, strict: bool) -> bool:
    return sign(abs(slope) - level) > (0 if strict else -1)
