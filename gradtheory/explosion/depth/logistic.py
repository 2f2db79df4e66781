r"""Activations of constant Schwarzian derivative, and the bounded ones among them: mid + (R/2)·tanh(β(z - z₀)).

With S(σ) = -2β² on the line, \|σ'\|^(-1/2) solves v'' = β²·v, so that σ is a Möbius map of exp(2βz); bounded, it is the
logistic function, shifted and stretched.
"""

import functools
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.enclosure import factored, is_finite
from gradtheory.explosion.depth.class_n import membership, smooth_parts, support


@dataclass(frozen=True)
class Logistic:
    r"""The form mid + (R/2)·tanh(β(z - z₀)) of an activation.

    Attributes
    ----------
    beta : sympy.Expr
    height : sympy.Expr
        \|R\|, the length of the range.
    middle : sympy.Expr
        The middle of the range.
    centre : sympy.Expr
        z₀, where \|σ'\| is greatest.

    """

    beta: sympy.Expr
    height: sympy.Expr
    middle: sympy.Expr
    centre: sympy.Expr


@functools.lru_cache(maxsize=256)
def logistic(activation: Activation) -> Logistic | None:
    """Return the logistic form of an activation, or None where it is not proven to have one.

    Examples
    --------
    >>> import gradtheory as gt
    >>> logistic(gt.activation("sigmoid"))
    Logistic(beta=1/2, height=1, middle=1/2, centre=0)

    """
    if not membership(activation).is_member:
        return None
    square, ends = squared_beta(activation), activation.limits
    if not square or not all(map(is_finite, ends)):
        return None
    return Logistic(sympy.sqrt(square), abs(ends[1] - ends[0]), (ends[0] + ends[1]) / 2, support(activation)[0].right)


@functools.lru_cache(maxsize=256)
def squared_beta(activation: Activation) -> sympy.Expr | None:
    """Return β² where the Schwarzian derivative of an activation of class N is -2β² on the whole line, or None."""
    first, *others = smooth_parts(activation)
    if others or (first.left, first.right) != (-sympy.oo, sympy.oo):
        return None
    in_exponentials = (first.log_bend - first.log_slope**2 / 2).rewrite(sympy.exp)
    schwarzian = factored(in_exponentials)
    return -schwarzian / 2 if schwarzian.is_number else None
