"""Two inputs around each end of a chain's explosion set: one proven to be outside of it, one within."""

import math
from typing import NamedTuple

import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import as_rational, enclose, is_infinite, precision
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.superlevel import Component
from gradtheory.explosion.whole_chain.deep_end import DeepEnd
from gradtheory.explosion.whole_chain.end import ExplosionEnd, side_of
from gradtheory.explosion.whole_chain.interior_point import exponent
from gradtheory.explosion.whole_chain.linear import is_piecewise_linear
from gradtheory.explosion.whole_chain.one_interval import outwards

_BITS = 128
_CLOSE = (20, 40, 80, 160, 320)  # log2 of how much less a bracket is than the set
_FINER = 16  # times, in which a bracket's ends are counted
_MOST_HALVINGS = 200


class Bracket(NamedTuple):
    """Inputs on both sides of an end; `outer` may be infinite."""

    outer: sympy.Expr
    inner: sympy.Rational


def brackets(layers: Layers, threshold: sympy.Expr, interval: Component, *, strict: bool) -> tuple[Bracket, Bracket]:
    """Return the brackets of both ends.

    Raises
    ------
    Undecided
        If no such inputs are met.

    """
    ends = {-1: interval.lower, 1: interval.upper}
    finite = [side for side in ends if not is_infinite(ends[side])]
    scale = sympy.S.One
    if len(finite) == 2:
        scale = _about(interval.length)
    around = {side: _bracket(layers, threshold, ends[side], side, scale) for side in finite}
    if not strict:
        opened = {-1: interval.lower_open, 1: interval.upper_open}
        around = {side: _narrowed(layers, threshold, around[side], is_open=opened[side]) for side in finite}
    around = {side: _rounded(bracket, side) for side, bracket in around.items()}
    for side in {-1, 1} - set(finite):
        inner = around[finite[0]].inner if finite else outwards(layers, threshold, side).x
        around[side] = Bracket(ends[side], inner)
    if not finite:  # |f'| is one number everywhere
        around[1] = Bracket(ends[1], around[-1].inner)
    if around[-1].inner > around[1].inner:
        raise Undecided("the set is too narrow for its ends to be told apart")
    return around[-1], around[1]


def _about(number: sympy.Expr) -> sympy.Rational:
    """Return about a positive number."""
    return as_rational(enclose(number, _BITS).mid())


def _bracket(layers: Layers, threshold: sympy.Expr, end: sympy.Expr, side: int, scale: sympy.Rational) -> Bracket:
    if isinstance(end, DeepEnd):
        end = end.by_inputs
    if isinstance(end, ExplosionEnd):
        return Bracket(end.outer, end.inner)
    for close in _CLOSE:
        gap = side * scale / sympy.Integer(2) ** close
        bits = _BITS + close + max(0, math.ceil(math.log2(1 + abs(_about(abs(end) + 1)) / scale)))
        at = as_rational(enclose(end, bits).mid())
        if side_of(layers, threshold, at + gap, bits) < 0 and _is_inside(layers, threshold, at - gap, bits):
            return Bracket(at + gap, at - gap)
    raise Undecided(f"inputs on both sides of the end {shorten(end)} are not met")


def _is_inside(layers: Layers, threshold: sympy.Expr, x: sympy.Rational, bits: int) -> bool:
    """Return whether an input belongs; where all layers are linear, |f'| may be c at all of them."""
    if is_piecewise_linear(layers):
        return layers.passed(enclose(x, bits), bits).wall is None
    return side_of(layers, threshold, x, bits) > 0


def _narrowed(layers: Layers, threshold: sympy.Expr, bracket: Bracket, *, is_open: bool) -> Bracket:
    """Return a bracket so narrow that it shows whether |f'| passes c, or falls to 0 at a kink."""
    outer, inner = bracket
    bits = 2 * _BITS + exponent(max(abs(outer), abs(inner)) / abs(outer - inner))
    for _ in range(_MOST_HALVINGS):
        passed = layers.passed(enclose(outer, bits), bits)
        over = layers.beyond.passed_between(inner, outer, bits)
        with precision(bits):
            if (
                (passed.wall is not None and abs(over.gradient) >= enclose(threshold, bits))
                or (not is_open and passed.wall is None and not passed.gradient.contains(0))
                or is_piecewise_linear(layers)
            ):
                return Bracket(outer, inner)
        middle = (inner + outer) / 2
        outer, inner = (outer, middle) if side_of(layers, threshold, middle, bits) > 0 else (middle, inner)
        bits += 1
    raise Undecided("whether an end of the set belongs to it is not shown by inputs beside it")


def _rounded(bracket: Bracket, side: int) -> Bracket:
    """Return a bracket with shorter numbers: both are moved away from the end a little."""
    unit = sympy.Integer(2) ** (exponent(_FINER / abs(bracket.outer - bracket.inner)) + 1)
    away = sympy.ceiling if side > 0 else sympy.floor
    inward = sympy.floor if side > 0 else sympy.ceiling
    return Bracket(away(bracket.outer * unit) / unit, inward(bracket.inner * unit) / unit)
