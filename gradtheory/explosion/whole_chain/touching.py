r"""Where |f'| of a chain of class N is greatest, in exact numbers, for the threshold may be the greatest |f'| itself.

No enclosure shows that two numbers are equal, nor that |f'| is flat. But v = |f'|^(-1/2) is convex, so that
|f'| is greatest at x if log|f'| does not fall before it, nor rise after it; where all pre-activations at x are
fractions, both slopes are exact.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.enclosure import enclose, order, precision, sign
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.depth.class_n import SmoothPart, middle_of_slope, smooth_parts
from gradtheory.explosion.whole_chain.linear import reached_from

LARGEST_DENOMINATOR = 1_000  # of an input that is looked at for being a fraction
_BITS, _MOST_OPERATIONS = 128, 20


def is_reached(layers: Layers, threshold: sympy.Expr, x: sympy.Rational) -> bool:
    """Return whether |f'(x)| = c is proven, where the values of all layers are short formulas."""
    gradient = layers.passed(enclose(x, _BITS), _BITS).gradient
    with precision(_BITS):
        if not (abs(gradient) - enclose(threshold, _BITS)).contains(0):
            return False
    z = layers.exactly(x, operations=_MOST_OPERATIONS)
    with contextlib.suppress(Undecided):
        return z is not None and order(size_at(layers, z), threshold) == 0
    return False


def stands_at(layers: Layers, x: sympy.Rational, number: int, z: sympy.Expr) -> bool:
    """Return whether a layer's pre-activation at x is z, if the values of all before it are fractions."""
    first = slice(number + 1)
    exact = Layers(layers.activations[first], layers.w[first], layers.b[first]).exactly(x)
    return exact is not None and bool(exact[-1] == z)


def size_at(layers: Layers, z: list[sympy.Expr]) -> sympy.Expr:
    """Return |f'| for the pre-activations z."""
    sizes = (activation.profile.size_at(each) for activation, each in zip(layers.activations, z, strict=True))
    return sympy.Mul(*sizes, *map(abs, layers.w))


def greatest_at(layers: Layers, near: sympy.Rational) -> tuple[sympy.Rational, sympy.Expr] | None:
    """Return an input at which |f'| is nowhere greater, which is proven, and |f'| there; None where none is met."""
    for x in _simple(layers, near):
        if (z := _fractions(layers, x)) is not None and _is_greatest(layers, x, z):
            return x, size_at(layers, z)
    return None


def touches_once(layers: Layers, x: sympy.Rational) -> bool:
    """Return whether |f'| is proven to be less than at x everywhere else, given that it is nowhere greater."""
    left, right = (rate_beside(layers, x, side) for side in (-1, 1))
    if sign(left) > 0 > sign(right):
        return True
    at = zip(layers.activations, _fractions(layers, x) or (), strict=True)
    return any(all(_bends(activation, z, side) for side in (-1, 1)) for activation, z in at)


def _bends(activation: Activation, z: sympy.Rational, side: int) -> bool:
    """Return whether the Schwarzian derivative is negative beside z: then |σ'|^(-1/2), and so v, is strictly convex."""
    part = _part(activation, z, side)
    return part is not None and sign((part.log_bend - part.log_slope**2 / 2).subs(Z, z)) < 0


def _simple(layers: Layers, near: sympy.Rational) -> Iterator[sympy.Rational]:
    """Yield fractions near a place: where the first curved layer is steepest, and a simple one."""
    curved = next(
        (number for number in range(1, len(layers)) if reached_from(layers, number, sympy.S.Zero) is None), None
    )
    first = len(layers) - 1 if curved is None else curved - 1
    x = reached_from(layers, first, middle_of_slope(layers.activations[first]))
    if x is not None and x.is_Rational:
        yield x
    yield sympy.Rational(Fraction(int(near.p), int(near.q)).limit_denominator(LARGEST_DENOMINATOR))


def _is_greatest(layers: Layers, x: sympy.Rational, z: list[sympy.Rational]) -> bool:
    """Return whether |f'| is proven to be nowhere greater than at x, where the pre-activations are z."""
    at = list(zip(layers.activations, z, strict=True))
    if any(activation.is_kink(number) for activation, number in at):
        return False
    if any(_part(activation, number, side) is None for activation, number in at for side in (-1, 1)):
        return False
    return sign(rate_beside(layers, x, -1)) >= 0 >= sign(rate_beside(layers, x, 1))


def rate_beside(layers: Layers, x: sympy.Rational, side: int) -> sympy.Expr:
    """Return the slope of log|f'| at x on one side: Σ σ''(z_l)/σ'(z_l)·dz_l/dx."""
    total, reach = sympy.S.Zero, sympy.S.One
    for weight, (z, _, part) in zip(layers.w, beside(layers, x, side), strict=True):
        reach *= weight
        total += part.log_slope.subs(Z, z) * reach
        reach *= part.slope.subs(Z, z)
    return total


class Beside(NamedTuple):
    """A layer's pre-activation z at an input, on which side of it those of inputs beside it lie, and σ' there."""

    z: sympy.Rational
    way: int
    part: SmoothPart


def beside(layers: Layers, x: sympy.Rational, side: int) -> list[Beside]:
    """Return what holds in each layer on one side of an input at which all pre-activations are fractions."""
    places, way = [], side
    for activation, weight, z in zip(layers.activations, layers.w, _fractions(layers, x) or (), strict=True):
        way *= sign(weight)
        if (part := _part(activation, z, way)) is None:
            raise Undecided(f"a layer stands at an end of the support of {activation.name}")
        places.append(Beside(z, way, part))
        way *= sign(part.slope.subs(Z, z))
    return places


def _part(activation: Activation, z: sympy.Rational, side: int) -> SmoothPart | None:
    """Return the formula of σ' beside z, if σ' is not 0 there."""
    least_left, least_right = (1, 0) if side < 0 else (0, 1)  # on which side z may be the end itself
    parts = smooth_parts(activation)
    return next((p for p in parts if order(z, p.left) >= least_left and order(p.right, z) >= least_right), None)


def _fractions(layers: Layers, x: sympy.Rational) -> list[sympy.Rational] | None:
    """Return the pre-activations at x, if they are fractions."""
    z = layers.exactly(x)
    return z if z is not None and all(each.is_Rational for each in z) else None
