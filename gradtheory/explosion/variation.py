r"""The total variation of σ, which bounds the length of every explosion set, and sup\|σ\|."""

from collections.abc import Iterator

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.analysis import parity
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import formula_near
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
        If SymPy does not find a limit of σ.

    Examples
    --------
    >>> import gradtheory as gt
    >>> total_variation(gt.activation("tanh")), total_variation(gt.activation("relu"))
    (2, oo)

    """
    if record.period is not None:
        return sympy.oo
    total = sympy.S.Zero
    for branch, (left, right) in zip(record.profile.branches, _values(record), strict=True):
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
        If SymPy does not find a limit of σ.

    Examples
    --------
    >>> import gradtheory as gt
    >>> [largest_value(gt.activation(name)) for name in ("sigmoid", "sine", "snake", "relu")]
    [1, 1, oo, oo]

    """
    if record.period is None:
        values = [end for pair in _values(record, halved=parity(record.expr) != 0) for end in pair]
    else:
        values = _over_periods(record, record.period)
    greatest = sympy.S.Zero
    for size in map(abs, values):
        if is_infinite(size) or order(size, greatest) > 0:
            greatest = size
    return greatest


def _over_periods(record: Activation, period: sympy.Expr) -> list[sympy.Expr]:
    """Return σ at the ends of the branches of two periods of |σ'|, after which σ' repeats; oo where σ does not."""
    start = record.profile.branches[0].left
    places = [branch.left + shift for shift in (0, period) for branch in record.profile.branches]
    again, *values = (record.expr.subs(Z, place) for place in (start + 2 * period, *places))
    return values if order(again, values[0]) == 0 else [sympy.oo]


def _values(record: Activation, *, halved: bool = False) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Yield the limits of σ at both ends of each branch, on which it is monotone; if asked, for z > 0 only."""
    for branch in record.profile.branches:
        if not halved or order(branch.right, sympy.S.Zero) > 0:
            sigma = formula_near(record.expr, Z, branch.inside)
            yield limit(sigma, branch.left, "+"), limit(sigma, branch.right, "-")
