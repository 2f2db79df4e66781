r"""The total variation of σ, which bounds the length of every explosion set, and sup\|σ\|."""

import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.analysis import parity
from gradtheory.activations.slopes.values import end_values
from gradtheory.arithmetic.enclosure import is_infinite, order


def total_variation(record: Activation) -> sympy.Expr:
    r"""Return V = ∫|σ'(z)| dz, without jumps: the sum over the monotone branches of |σ(right) - σ(left)|.

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
    r"""Return sup|σ(z)|, by the range of σ.

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
        If it is not known between which numbers σ lies.

    Examples
    --------
    >>> import gradtheory as gt
    >>> [largest_value(gt.activation(name)) for name in ("sigmoid", "sine", "snake", "relu")]
    [1, 1, oo, oo]

    """
    low, high = map(abs, record.proven_ends)
    if is_infinite(high) or parity(record.expr) < 0:  # of an odd σ they are equal, which digits do not show
        return high
    return low if is_infinite(low) or order(low, high) > 0 else high
