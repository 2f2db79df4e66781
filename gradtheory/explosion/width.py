"""The length of an explosion set, and the least weight above which there is one."""

import sympy

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import DIGITS, read_positive, read_real
from gradtheory.explosion.budget import limited
from gradtheory.explosion.level import superlevel, superlevel_sets
from gradtheory.explosion.superlevel import total_length
from gradtheory.typing import ActivationLike, NumberLike


@limited
def explosion_width(
    activation: ActivationLike,
    w: NumberLike,
    *,
    threshold: NumberLike = 1,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
) -> sympy.Expr:
    r"""Return the exact or certified total length of the explosion set, |U_t|/|w| with t = c/|w|.

    Parameters
    ----------
    activation, w, threshold, method, digits
        As in `explosion_set`; the bias does not matter.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Expr
        The length; 0 where nothing explodes, oo where the set is unbounded or repeats.

    Raises
    ------
    InvalidArgument, NoClosedForm, Undecided
        As `explosion_set`.

    Examples
    --------
    >>> explosion_width("sigmoid", w=7)
    4*asinh(sqrt(3)/2)/7
    >>> explosion_width("relu", w=2), explosion_width("relu", w=1)
    (oo, 0)

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, superlevel_set = read_real(w, "w"), superlevel_sets(method, digits)
    direction = sign(weight)
    if direction == 0:
        return sympy.S.Zero
    size = direction * weight
    length = total_length(superlevel(record, c / size, superlevel_set).components()) / size
    return sympy.oo if record.period is not None and length != 0 else length


@limited
def critical_weight(activation: ActivationLike, *, threshold: NumberLike = 1, effort: float = EFFORT) -> sympy.Expr:
    r"""Return c/sup|σ'|: no input explodes unless |w| exceeds it.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        As in `explosion_set`.
    threshold : number
        c > 0.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Expr
        The weight, exact or certified; 0 for an unbounded slope, oo for a slope of 0.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If the slope of your own expression cannot be cut into monotone branches.

    Examples
    --------
    >>> critical_weight("sigmoid"), critical_weight("erf", threshold=2)
    (4, sqrt(pi))

    """
    c, steepest = read_positive(threshold, "threshold"), as_activation(activation).steepest_slope
    return c / steepest if steepest else sympy.oo
