"""Branches of slopes of a common shape, so that a record says only what is its own."""

import sympy

from gradtheory.activations.record import Branch

_ZERO = sympy.S.Zero


def bell(peak: sympy.Expr, half_width: sympy.Expr) -> tuple[Branch, Branch]:
    """Return the branches of an even slope that falls from `peak` at 0 to 0 at ±oo.

    `half_width` is the positive z at which the slope equals `T`.
    """
    return (
        Branch(-sympy.oo, _ZERO, _ZERO, peak, -half_width),
        Branch(_ZERO, sympy.oo, peak, _ZERO, half_width),
    )


def cube_root_excess(t: sympy.Expr) -> sympy.Expr:
    """Return t^(-2/3) - 1 as (t⁻² - 1)/(t^(-4/3) + t^(-2/3) + 1), which keeps its digits near t = 1."""
    third = sympy.Rational(1, 3)
    return (1 / t**2 - 1) / (t ** (-4 * third) + t ** (-2 * third) + 1)


def steps(corners: tuple[sympy.Expr, ...], slopes: tuple[sympy.Expr, ...]) -> tuple[Branch, ...]:
    """Return the branches of a piecewise linear activation: one slope more than there are corners."""
    ends = (-sympy.oo, *corners, sympy.oo)
    cells = zip(ends, ends[1:], slopes, strict=False)
    return tuple(Branch(left, right, slope, slope) for left, right, slope in cells)
