"""What a chain of class N tends to as the input goes to -oo or oo."""

from collections.abc import Iterator

import sympy

from gradtheory.arithmetic.enclosure import Ball, enclose, is_infinite, order, precision, sign
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers, sigma_at
from gradtheory.explosion.depth.class_n import support_ends

_BITS = 256


def limit_of_gradient(layers: Layers, side: int) -> sympy.Expr:
    """Return the limit of |f'|.

    Where σ tends to a number, f is bounded on that side; since |f'|^(-1/2) is convex, f' then tends to 0.
    """
    size = sympy.S.One
    for activation, weight in zip(layers.activations, layers.w, strict=True):
        side *= sign(weight)
        value = activation.limits[0 if side < 0 else 1]
        if not is_infinite(value):
            if value is sympy.nan:
                raise Undecided(f"the limits of {activation.name} are not proven")
            return sympy.S.Zero
        branches = activation.profile.branches
        size *= abs(weight * (branches[0].slope_left if side < 0 else branches[-1].slope_right))
        side = 1 if value is sympy.oo else -1
    return size


def is_constant(layers: Layers) -> bool:
    """Return whether f' = 0 is proven everywhere: a layer stays where its σ is constant.

    Each z_l is monotone, and so between its limits.
    """
    with precision(_BITS):
        limits = zip(_limits_of_layers(layers, -1), _limits_of_layers(layers, 1), strict=True)
        for activation, both in zip(layers.activations, limits, strict=True):
            left, right = support_ends(activation)
            if all(_is_at_most(z, left) for z in both) or all(_is_at_most(right, z) for z in both):
                return True
    return False


def _limits_of_layers(layers: Layers, side: int) -> Iterator[sympy.Expr | Ball]:
    """Yield the limit of each pre-activation: as an exact number, ±oo included, or as a ball."""
    a: sympy.Expr | Ball = side * sympy.oo
    for activation, step, weight, bias in zip(layers.activations, layers.steps, layers.w, layers.b, strict=True):
        is_exact = isinstance(a, sympy.Expr)
        z = weight * a + bias if is_exact else step.weight(_BITS, {}) * a + step.bias(_BITS, {})
        yield z
        if isinstance(z, sympy.Expr) and is_infinite(z):
            a = activation.limits[0 if z == -sympy.oo else 1]
        else:
            a, _, _ = sigma_at(step.parts, _as_ball(z), _BITS, _BITS)


def _is_at_most(one: sympy.Expr | Ball, other: sympy.Expr | Ball) -> bool:
    """Return whether one number is proven to be at most another."""
    if isinstance(one, sympy.Expr) and isinstance(other, sympy.Expr):
        return order(one, other) <= 0
    if any(isinstance(each, sympy.Expr) and is_infinite(each) for each in (one, other)):
        return bool(one is -sympy.oo or other is sympy.oo)
    return bool(_as_ball(one) <= _as_ball(other))


def _as_ball(number: sympy.Expr | Ball) -> Ball:
    return enclose(number, _BITS) if isinstance(number, sympy.Expr) else number
