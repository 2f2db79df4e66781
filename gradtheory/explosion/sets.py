r"""Where one factor σ'(wx + b)·w of the gradient exceeds a threshold c in absolute value.

With t = c/|w|:  |σ'(wx + b)·w| > c  ⇔  z = wx + b ∈ U_t = {z : |σ'(z)| > t}.  The explosion set in x is
(U_t - b)/w, an affine pull-back, and its length is |U_t|/|w|, whatever b and the sign of w.
"""

from typing import Any

import sympy

from gradtheory import activations as catalogue
from gradtheory.activations import Activation
from gradtheory.enclosure import sign
from gradtheory.inputs import exact_positive, exact_real
from gradtheory.superlevel import Level, as_set, total_length


def explosion_set(
    activation: str | Activation, w: Any, b: Any = 0, *, threshold: Any = 1, strict: bool = True
) -> sympy.Set:
    r"""Return the exact set of inputs x with |σ'(wx + b)·w| > c.

    Parameters
    ----------
    activation : str or Activation
        A name in the catalogue, or a record.
    w, b : number
        Weight and bias; exact (int, Fraction, Decimal, str, SymPy number) or a float's exact binary value.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.

    Returns
    -------
    sympy.Set
        A union of intervals with exact ends, the empty set, or for ``strict=False`` possibly points. Kinks, where
        σ has no derivative, never belong to it.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    NoClosedForm
        If the activation's superlevel sets have no closed form.

    Examples
    --------
    >>> explosion_set("sigmoid", w=7, b=1)
    Interval.open(-2*asinh(sqrt(3)/2)/7 - 1/7, -1/7 + 2*asinh(sqrt(3)/2)/7)
    >>> explosion_set("sigmoid", w=4)
    EmptySet
    >>> explosion_set("sigmoid", w=4, strict=False)
    {0}
    >>> explosion_set("relu", w=-2)
    Interval.open(-oo, 0)

    """
    record, c = catalogue.activation(activation), exact_positive(threshold, "threshold")
    weight, bias = exact_real(w, "w"), exact_real(b, "b")
    direction = sign(weight)
    if direction == 0:
        return sympy.S.EmptySet  # every factor is 0, which is less than c
    in_z = Level(record.profile, c / abs(weight), strict).components()
    in_x = [component.affine(weight, bias, mirrored=direction < 0) for component in in_z]
    return as_set(in_x[::direction])


def explosion_width(activation: str | Activation, w: Any, *, threshold: Any = 1) -> sympy.Expr:
    r"""Return the exact total length of the explosion set, |U_t|/|w| with t = c/|w|.

    Parameters
    ----------
    activation : str or Activation
        A name in the catalogue, or a record.
    w : number
        The weight.
    threshold : number
        c > 0.

    Returns
    -------
    sympy.Expr
        The length; 0 where nothing explodes, oo where the set is unbounded. The bias does not matter.

    Raises
    ------
    InvalidArgument, NoClosedForm
        As `explosion_set`.

    Examples
    --------
    >>> explosion_width("sigmoid", w=7)
    4*asinh(sqrt(3)/2)/7
    >>> explosion_width("relu", w=2), explosion_width("relu", w=1)
    (oo, 0)

    """
    record, c = catalogue.activation(activation), exact_positive(threshold, "threshold")
    size = abs(exact_real(w, "w"))
    if sign(size) == 0:
        return sympy.S.Zero
    return total_length(Level(record.profile, c / size).components()) / size


def critical_weight(activation: str | Activation, *, threshold: Any = 1) -> sympy.Expr:
    r"""Return c/sup|σ'|: no input explodes unless |w| exceeds it.

    Parameters
    ----------
    activation : str or Activation
        A name in the catalogue, or a record.
    threshold : number
        c > 0.

    Raises
    ------
    InvalidArgument, NoClosedForm
        As `explosion_set`.

    Examples
    --------
    >>> critical_weight("sigmoid"), critical_weight("erf", threshold=2)
    (4, sqrt(pi))

    """
    return exact_positive(threshold, "threshold") / catalogue.activation(activation).steepest_slope
