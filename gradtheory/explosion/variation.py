r"""The total variation of σ, which bounds the length of every explosion set, and sup\|σ\|."""

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.analysis import parity
from gradtheory.activations.slopes.values import end_values, repeats
from gradtheory.arithmetic.enclosure import is_infinite, order


def total_variation(record: Activation) -> sympy.Expr:
    r"""Return V = ∫|σ'(z)| dz: the sum over the monotone branches of |σ(right) - σ(left)|.

    Parameters
    ----------
    record : Activation
        The activation.

    Returns
    -------
    sympy.Expr
        Exact; oo for a periodic slope, or where σ is unbounded.

    Raises
    ------
    Undecided
        If a limit of σ is not proven.

    Examples
    --------
    >>> import gradtheory as gt
    >>> total_variation(gt.activation("tanh")), total_variation(gt.activation("relu"))
    (2, oo)

    """
    if record.period is not None:
        return sympy.oo
    total = sympy.S.Zero
    for branch in record.profile.branches:
        left, right = end_values(record.expr, branch)
        if is_infinite(left) or is_infinite(right):
            return sympy.oo
        total += branch.direction * (right - left)
    return total


def largest_value(record: Activation) -> sympy.Expr:
    r"""Return sup|σ(z)|: the greatest of |σ| at the ends of the monotone branches.

    Parameters
    ----------
    record : Activation
        The activation.

    Returns
    -------
    sympy.Expr
        Exact; oo where σ is unbounded.

    Raises
    ------
    Undecided
        If a limit of σ is not proven.

    Examples
    --------
    >>> import gradtheory as gt
    >>> [largest_value(gt.activation(name)) for name in ("sigmoid", "sine", "snake", "relu")]
    [1, 1, oo, oo]

    """
    profile = record.profile
    if record.period is None:
        halved = parity(record.expr) != 0
        halves = [each for each in profile.branches if not halved or order(each.right, sympy.S.Zero) > 0]
        values = [value for branch in halves for value in end_values(record.expr, branch)]
    elif repeats(record.expr, profile):
        places = [branch.left + shift for shift in (0, record.period) for branch in profile.branches]
        values = [record.expr.subs(Z, place) for place in places]
    else:
        return sympy.oo
    greatest = sympy.S.Zero
    for size in map(abs, values):
        if is_infinite(size) or order(size, greatest) > 0:
            greatest = size
    return greatest
