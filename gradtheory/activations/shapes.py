"""Branches of slopes of a common shape, so that a record says only what is its own."""

import math
from typing import Any

import sympy

from gradtheory.activations.branch import Branch, Depth

_ZERO = sympy.S.Zero


def bell(peak: sympy.Expr, half_width: sympy.Expr, depth: Depth | None = None) -> tuple[Branch, Branch]:
    """Return the branches of an even slope that falls from `peak` at 0 to 0 at ±oo.

    `half_width` is the positive z at which the slope equals `T`; `depth` is the same in float64.
    """
    return (
        Branch(-sympy.oo, _ZERO, _ZERO, peak, -half_width, depth),
        Branch(_ZERO, sympy.oo, peak, _ZERO, half_width, depth),
    )


def cube_root_excess(t: sympy.Expr) -> sympy.Expr:
    """Return t^(-2/3) - 1 as (t⁻² - 1)/(t^(-4/3) + t^(-2/3) + 1), which keeps its digits near t = 1."""
    third = sympy.Rational(1, 3)
    return (1 / t**2 - 1) / (t ** (-4 * third) + t ** (-2 * third) + 1)


def cube_root_depth(alpha: sympy.Expr) -> Depth:
    """Return sqrt((t^(-2/3) - 1)/α) in float64, with t = 1/(1 + e); k = t^(-1/3): k² - 1 = e(k + 1)/(k² + k + 1)."""
    root = math.sqrt(float(alpha))

    def depth(xp: Any, e: Any) -> Any:
        k = (1.0 + e) ** (1.0 / 3.0)
        k = k - (k * k - (1.0 + e) / k) / (3.0 * k)  # the exponent is not exactly 1/3
        return xp.sqrt(e * ((k + 1.0) / (k * k + k + 1.0))) / root

    return depth


def hyperbola_depth(xp: Any, e: Any) -> Any:
    """Return sqrt(t⁻² - 1) in float64, with t = 1/(1 + e); e² overflows."""
    moderate = xp.where(e < 1e150, e, 1.0)
    return xp.where(e < 1e150, xp.sqrt(moderate * (2.0 + moderate)), e)


def straight(length: sympy.Expr) -> Depth:
    """Return the depth of a branch on which the slope is linear."""
    whole = float(length)
    return lambda xp, e: whole * (e / (1.0 + e))


def steps(corners: tuple[sympy.Expr, ...], slopes: tuple[sympy.Expr, ...]) -> tuple[Branch, ...]:
    """Return the branches of a piecewise linear activation: one slope more than there are corners."""
    ends = (-sympy.oo, *corners, sympy.oo)
    cells = zip(ends, ends[1:], slopes, strict=False)
    return tuple(Branch(left, right, slope, slope) for left, right, slope in cells)
