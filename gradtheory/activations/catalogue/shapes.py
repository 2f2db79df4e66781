"""Branches of slopes of a common shape, so that a record says only what is its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from gradtheory.activations.slopes.branch import Branch, Distance
from gradtheory.arithmetic.pairs import Pair, plus, quotient, root, times, two_sum

_ZERO = sympy.S.Zero
_LARGE = 1e100  # an excess beyond which 1 is nothing beside it


def bell(peak: sympy.Expr, half_width: sympy.Expr, distance: Distance | None = None) -> tuple[Branch, Branch]:
    """Return the branches of an even slope that falls from `peak` at 0 to 0 at ±oo.

    `half_width` is the positive z at which the slope equals `T`; `distance` is the same in float64.
    """
    return (
        Branch(-sympy.oo, _ZERO, _ZERO, peak, -half_width, distance),
        Branch(_ZERO, sympy.oo, peak, _ZERO, half_width, distance),
    )


def cube_root_excess(t: sympy.Expr) -> sympy.Expr:
    """Return t^(-2/3) - 1 as (t⁻² - 1)/(t^(-4/3) + t^(-2/3) + 1), which keeps its digits near t = 1."""
    third = sympy.Rational(1, 3)
    return (1 / t**2 - 1) / (t ** (-4 * third) + t ** (-2 * third) + 1)


def arsinh_root(xp: Any, e: Pair) -> Pair:
    """Return arsinh √e."""
    high, low = root(xp, e)
    return xp.asinh(high), low / xp.sqrt(1.0 + e[0])


def logarithm(xp: Any, e: Pair) -> Pair:
    """Return ln(1 + e)."""
    return xp.log1p(e[0]), e[1] / (1.0 + e[0])


def hyperbola(xp: Any, e: Pair) -> Pair:
    """Return sqrt(t⁻² - 1) with t = 1/(1 + e), where e² would overflow too."""
    is_large = e[0] > _LARGE
    moderate = xp.where(is_large, 1.0, e[0]), xp.where(is_large, 0.0, e[1])
    high, low = root(xp, times(moderate, plus(2.0, moderate)))
    return xp.where(is_large, e[0], high), xp.where(is_large, 0.0, low)


def cube_root_distance(alpha: sympy.Expr) -> Distance:
    """Return sqrt((t^(-2/3) - 1)/α) with t = 1/(1 + e), from k = t^(-1/3), refined to a pair by Newton's method."""
    scale = 1.0 / math.sqrt(float(alpha))

    def distance(xp: Any, e: Pair) -> Pair:
        is_large = e[0] > _LARGE
        inverse = plus(1.0, (xp.where(is_large, 1.0, e[0]), xp.where(is_large, 0.0, e[1])))
        k = inverse[0] ** (1.0 / 3.0)
        cube = times(times((k, 0.0), (k, 0.0)), (k, 0.0))
        step = ((inverse[0] - cube[0]) - cube[1] + inverse[1]) / (3.0 * k * k)
        cube_root = two_sum(k, step)
        high, low = root(xp, times(plus(-1.0, cube_root), plus(1.0, cube_root)))
        far = (1.0 + e[0]) ** (1.0 / 3.0)  # the exponent is not exactly 1/3
        far = far - (far * far - e[0] / far) / (3.0 * far)
        return scale * xp.where(is_large, far, high), scale * xp.where(is_large, 0.0, low)

    return distance


@dataclass(frozen=True)
class Float64Distance:
    """A distance in plain float64, for speed, or where it is an end point and not a width."""

    function: Callable[[Any, Any], Any]

    def __call__(self, xp: Any, e: Pair) -> Pair:
        """Return the distance for the first float of an excess."""
        return self.function(xp, e[0]), 0.0


def straight(length: sympy.Expr) -> Distance:
    """Return the distance of a branch on which the slope is linear."""
    whole = float(length)
    return lambda _, e: times((whole, 0.0), quotient(e, plus(1.0, e)))


def steps(corners: tuple[sympy.Expr, ...], slopes: tuple[sympy.Expr, ...]) -> tuple[Branch, ...]:
    """Return the branches of a piecewise linear activation: one slope more than there are corners."""
    ends = (-sympy.oo, *corners, sympy.oo)
    cells = zip(ends, ends[1:], slopes, strict=False)
    return tuple(Branch(left, right, slope, slope) for left, right, slope in cells)
