r"""The total variation of σ between its jumps, V = ∫|σ'| dz: what bounds the length of every explosion set."""

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.limits import limit
from gradtheory.activations.pieces import piece_at


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
        If a limit of σ is not found.

    Examples
    --------
    >>> import gradtheory as gt
    >>> total_variation(gt.activation("tanh")), total_variation(gt.activation("relu"))
    (2, oo)

    """
    if record.period is not None:
        return sympy.oo
    total = sympy.S.Zero
    for branch in record.monotone_branches:
        if branch.direction == 0:
            continue
        sigma = piece_at(record.expr, Z, branch.inside)
        change = limit(sigma, branch.right, "-") - limit(sigma, branch.left, "+")
        if not change.is_finite:
            return sympy.oo
        total += branch.direction * change
    return total
