r"""A place where |f'| exceeds c, for a chain of class N, or a proof that there is none.

v = |f'|^(-1/2) is convex. At two inputs between which it is least, its tangents either meet above 1/√c, so that v is
everywhere greater, or say where to look next.
"""

import itertools
import math
from typing import NamedTuple

import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import Ball, as_rational, enclose, order, precision
from gradtheory.arithmetic.enclosure.signs import sign_of
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import SLOPE_BITS, Layers, Passed
from gradtheory.explosion.depth.class_n import is_before_support, middle_of_slope
from gradtheory.explosion.whole_chain.limits import is_constant
from gradtheory.explosion.whole_chain.touching import greatest_at
from gradtheory.explosion.whole_chain.trajectory import pulled_back, steepest_trajectory

_BITS = 128
_MOST_ASIDE = 4
_FAR = 4  # doublings of a step, after which f' may be 0 everywhere
_SMALL_STEP = 12
_MOST_STEPS = 2_000
_KNOWN_BITS = 24
_LEAST_SHARE = 1e-3
_SMALLER = (4, 8, 16, 32, 64)  # log2 of parts of the distance over which a layer moves by one unit
_TIE_BITS = 200  # a relative distance from the threshold below which it is taken for reached


class Place(NamedTuple):
    """An input, what the chain does with it in balls of so many bits, and the sign of the slope of |f'|."""

    x: sympy.Rational
    passed: Passed
    bits: int
    rises: int = 0

    @property
    def is_wall(self) -> bool:
        """Whether f'(x) = 0 is proven."""
        return self.passed.wall is not None

    @property
    def has_tangent(self) -> bool:
        """Whether v is known to some digits."""
        return not self.is_wall and bool(self.passed.gradient.rel_accuracy_bits() > _KNOWN_BITS)

    @property
    def spread(self) -> float:
        """log2 of the greatest |dz_l/dx|."""
        return max(float(abs(each).log().mid()) for each in self.passed.reach) / math.log(2)

    @property
    def v(self) -> Ball:
        """|f'|^(-1/2)."""
        return 1 / abs(self.passed.gradient).sqrt()

    @property
    def v_slope(self) -> Ball:
        """The derivative of v."""
        return -self.v * self.passed.log_slope / 2

    def exceeds(self, threshold: sympy.Expr) -> bool:
        """Whether |f'(x)| > c is proven."""
        with precision(self.bits):
            return bool(abs(self.passed.gradient) > enclose(threshold, self.bits))


class Nowhere(NamedTuple):
    """Two places between which |f'| is proven not to exceed c, and to fall further out; None at infinity.

    If |f'| is c at an input `touched`, that is proven too.
    """

    left: Place | None = None
    right: Place | None = None
    touched: sympy.Rational | None = None


class _NoDirection(Undecided):
    """That it is not decided whether |f'| rises near an input x: it may be flat there."""

    x: sympy.Rational


def place_within(layers: Layers, threshold: sympy.Expr) -> Place | Nowhere:
    """Return a place where |f'| > c, or the proof that there is none.

    Raises
    ------
    Undecided
        If |f'| is too close to c where it is greatest.

    """
    x, step, bits = _start(layers)
    try:
        return _searched(layers, threshold, x, step, bits)
    except Undecided as error:
        if (greatest := greatest_at(layers, error.x if isinstance(error, _NoDirection) else x)) is None:
            raise
    at, size = greatest
    above = order(size, threshold)
    return _passed(layers, at, bits) if above > 0 else Nowhere(touched=at if above == 0 else None)


def _searched(
    layers: Layers, threshold: sympy.Expr, x: sympy.Rational, step: sympy.Rational, bits: int
) -> Place | Nowhere:
    """Return a place where |f'| > c, or the proof that there is none, by a search from x on."""
    place = other = _at(layers, threshold, x, step / 2, bits)
    for number in range(_MOST_STEPS):
        if other.exceeds(threshold):
            return other
        if other.rises != place.rises or place.rises == 0:
            break
        if number == _FAR and place.is_wall and is_constant(layers):
            return Nowhere()
        other = _at(layers, threshold, other.x + place.rises * step * 2**number, step / 2, bits)
    else:
        raise Undecided(f"where |f'| is greatest is not decided: it still rises at x = {other.x.n(12)}")
    return _between(layers, threshold, *sorted((place, other), key=lambda each: each.x))


def _start(layers: Layers) -> tuple[sympy.Rational, sympy.Rational, int]:
    """Return about where |f'| is greatest, how far to go from there, and the bits that tell such places apart."""
    with precision(_BITS):
        weight, bias = enclose(layers.w[0], _BITS), enclose(layers.b[0], _BITS)
        unit = as_rational((1 / abs(weight)).mid())
        x = as_rational(((enclose(middle_of_slope(layers.activations[0]), _BITS) - bias) / weight).mid())
    if trajectory := steepest_trajectory(layers):
        spread = int(max(trajectory.log_reach) / math.log(2))
        x, unit = pulled_back(layers, trajectory), unit / sympy.Integer(2) ** (spread + _SMALL_STEP)
    return x, unit, _BITS + max(0, exponent(max(abs(x), sympy.S.One) / unit))


def exponent(number: sympy.Rational) -> int:
    """Return about log2 of a positive fraction."""
    return int(number.p).bit_length() - int(number.q).bit_length()


def _at(layers: Layers, threshold: sympy.Expr, x: sympy.Rational, aside: sympy.Rational, bits: int) -> Place:
    """Return a place, or one so far aside: |f'| is proven to exceed c there, or to rise, or to fall, or to be flat."""
    doubtful = None
    for number, working in itertools.product(range(_MOST_ASIDE), (bits, 2 * bits, 4 * bits)):
        beside = x + number * aside
        place = _passed(layers, beside, working, SLOPE_BITS if working == bits else working)
        is_flat = place.has_tangent and place.passed.log_slope.is_zero()  # at a wall only a direction says something
        if place.rises or is_flat or place.exceeds(threshold):
            if place.is_wall or not place.passed.gradient.contains(0):
                return place
            doubtful = doubtful or place  # at a kink, it seems, where f' falls to 0: halving would end there
    if doubtful:
        return doubtful
    undecided = _NoDirection(f"whether |f'| rises near x = {x.n(12)} is not decided")
    undecided.x = x
    raise undecided


def _rises(layers: Layers, passed: Passed, bits: int) -> int:
    """Return the proven sign of the slope of |f'|, or 0; where f' = 0, on which side it may not be."""
    if passed.wall is None:
        return sign_of(passed.log_slope)
    is_left = is_before_support(layers.activations[passed.wall], passed.z[passed.wall], bits)
    return layers.directions[passed.wall] * (1 if is_left else -1)


def _between(layers: Layers, threshold: sympy.Expr, left: Place, right: Place) -> Place | Nowhere:
    """Return a place where |f'| > c between two at which it rises and falls, or the proof that there is none."""
    for number in range(_MOST_STEPS):
        if flat := next((place for place in (left, right) if place.rises == 0), None):
            left = right = flat  # v is convex, and nowhere less than there
        share = 0.5
        if not (left.has_tangent and right.has_tangent):
            if _is_small_between(layers, threshold, left, right):
                return Nowhere(left, right)
        else:
            share, height = _tangents(left, right)
            with precision(left.bits):
                level = 1 / enclose(threshold, left.bits).sqrt()
                if height > level:
                    return Nowhere(left, right)
                if flat or level - height < level / 2**_TIE_BITS:
                    break
        if number % 2 or not _LEAST_SHARE < share < 1 - _LEAST_SHARE:
            share = 0.5
        width = right.x - left.x
        place = _at(
            layers, threshold, left.x + width * sympy.Rational(share), width / 2**10, max(left.bits, right.bits)
        )
        if place.exceeds(threshold):
            return place
        left, right = (place, right) if place.rises > 0 else (left, place)
    raise Undecided(
        f"the greatest |f'|, near x = {left.x.n(12)}, is too close to the threshold {shorten(threshold)} for digits "
        "to tell them apart: try another threshold"
    )


def parted(layers: Layers, threshold: sympy.Expr, flat: Place) -> Nowhere:
    """Return two places beside one at which v is least, whose tangents meet high enough too; where it is flat, itself.

    That v is least at one place is seen in exact numbers alone, but not by an enclosure of its slope.
    """
    for smaller in _SMALLER:
        step = 1 / sympy.Integer(2) ** (math.ceil(flat.spread) + smaller)
        left, right = (_passed(layers, flat.x + side * step, flat.bits + smaller) for side in (-1, 1))
        if left.rises > 0 > right.rises:
            with precision(left.bits):
                if _tangents(left, right)[1] > 1 / enclose(threshold, left.bits).sqrt():
                    return Nowhere(left, right)
    return Nowhere(flat, flat)


def _passed(layers: Layers, x: sympy.Rational, bits: int, slope_bits: int | None = None) -> Place:
    passed = layers.passed(enclose(x, bits), bits, slope_bits)
    return Place(x, passed, bits, _rises(layers, passed, bits))


def _tangents(left: Place, right: Place) -> tuple[float, Ball]:
    """Return where the tangents of v at two places meet, as a share of the way, and how high: v is nowhere less."""
    if right.rises == 0:  # then both are one place
        return 0.5, right.v
    with precision(max(left.bits, right.bits)):
        width = enclose(right.x - left.x, left.bits)
        away = (right.v - left.v - right.v_slope * width) / (left.v_slope - right.v_slope)
        return float((away / width).mid()), left.v + left.v_slope * away


def _is_small_between(layers: Layers, threshold: sympy.Expr, left: Place, right: Place) -> bool:
    """Return whether |f'| < c is proven between two places at which it rises and falls, or is 0: then everywhere."""
    bits = max(left.bits, right.bits)
    if layers.passed_between(left.x, right.x, bits).wall is not None:
        return True
    over = layers.beyond.passed_between(left.x, right.x, bits)
    with precision(bits):
        return bool(abs(over.gradient) < enclose(threshold, bits))
