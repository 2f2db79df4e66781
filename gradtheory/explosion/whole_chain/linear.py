"""The explosion set of a chain whose layers are linear where they are not constant: exact, from the last layer back."""

import functools
from typing import NamedTuple

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.arithmetic.enclosure import order, sign
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.depth.class_n import smooth_parts
from gradtheory.explosion.superlevel import Component


def is_piecewise_linear(layers: Layers) -> bool:
    """Return whether σ' is one number in each layer, where it is not 0."""
    return None not in map(_line, layers.places)


def linear_interval(layers: Layers, threshold: sympy.Expr, *, strict: bool) -> Component | None:
    """Return the set {|f'| > c}, or {|f'| >= c}, or None where it is empty.

    |f'| is one number on the inputs at which no layer is constant; the kinks at its ends do not belong to the set.
    """
    lines = [line for activation in layers.activations if (line := _line(activation))]
    size = sympy.Mul(*(abs(weight * line.slope) for weight, line in zip(layers.w, lines, strict=True)))
    if order(size, threshold) < (1 if strict else 0):
        return None
    interval = lines[-1].support
    for number in reversed(range(1, len(layers))):
        line, weight, bias = lines[number - 1], layers.w[number], layers.b[number]
        scale, shift = weight * line.slope, weight * line.offset + bias
        parts = interval.affine(scale, shift, mirrored=sign(scale) < 0).within(line.support)
        if not parts:
            return None
        (interval,) = parts
    return interval.affine(layers.w[0], layers.b[0], mirrored=sign(layers.w[0]) < 0)


def reached_from(layers: Layers, number: int, z: sympy.Expr) -> sympy.Expr | None:
    """Return the input at which a layer stands at z, or None where a layer before it is curved."""
    for before in reversed(range(number + 1)):
        z = (z - layers.b[before]) / layers.w[before]
        if before and (line := _line(layers.activations[before - 1])) is not None:
            z = (z - line.offset) / line.slope
        elif before:
            return None
    return z


class _Line(NamedTuple):
    """An activation where it is not constant: offset + slope·z."""

    support: Component
    offset: sympy.Expr
    slope: sympy.Expr


@functools.lru_cache(maxsize=256)
def _line(activation: Activation) -> _Line | None:
    """Return the line, or None where there is none."""
    part, *others = smooth_parts(activation)
    if others or not part.slope.is_number:
        return None
    place = inner_point(part.left, part.right)
    offset = activation.expr.subs(Z, place) - part.slope * place
    return _Line(Component(part.left, part.right), offset, part.slope)
