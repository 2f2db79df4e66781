r"""The explosion set of a chain of class N: one interval, with two ends, each in a few operations a layer.

In class N, v = |f'|^(-1/2) is convex, so that {|f'| > c} = {v < 1/√c} is an interval. A place in it is guessed in
float64 (`trajectory`), and so are the distances of its ends (`nearby`); what is guessed is proven in balls. Where a
guess fails, the search goes by tangents of v, or by halves (`interior_point`).
"""

import contextlib
import math
from fractions import Fraction

import numpy as np
import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import enclose, is_infinite, order, sign
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.depth.class_n import membership
from gradtheory.explosion.superlevel import Component
from gradtheory.explosion.whole_chain.deep import deep_ends
from gradtheory.explosion.whole_chain.end import LONGEST, ExplosionEnd, side_of
from gradtheory.explosion.whole_chain.flat import flat_around
from gradtheory.explosion.whole_chain.interior_point import Nowhere, Place, exponent, place_within
from gradtheory.explosion.whole_chain.limits import limit_of_gradient
from gradtheory.explosion.whole_chain.linear import is_piecewise_linear, linear_interval, reached_from
from gradtheory.explosion.whole_chain.nearby import Neighbourhood
from gradtheory.explosion.whole_chain.touching import LARGEST_DENOMINATOR, is_reached, stands_at, touches_once

_BITS = 64
_FINER = 64  # log2 of what an input is rounded to, of the distance of an end
_CLOSE = sympy.Rational(1, 2**20), sympy.Rational(1, 2**10)  # relative errors of a distance that is guessed


def has_one_interval(layers: Layers) -> bool:
    """Return whether all layers are proven to be in class N."""
    with contextlib.suppress(Undecided):
        return all(membership(activation).is_member for activation in layers.places)
    return False


def one_interval(layers: Layers, threshold: sympy.Expr, *, strict: bool) -> Component | None:
    """Return the set {|f'| > c}, or {|f'| >= c}, or None where it is empty.

    Raises
    ------
    Undecided
        If |f'| is too close to c where it is greatest, or tends to c without exceeding it.

    """
    if any(sign(weight) == 0 for weight in layers.w):
        return None
    if is_piecewise_linear(layers):
        return linear_interval(layers, threshold, strict=strict)
    limits = {side: limit_of_gradient(layers, side) for side in (-1, 1)}
    exceeding = [side for side, limit in limits.items() if is_infinite(limit) or order(limit, threshold) > 0]
    if any(limits.values()) and not exceeding:  # v is monotone: |f'| stays below its greater limit, or reaches it
        if not strict and any(order(limit, threshold) == 0 for limit in limits.values()):
            raise Undecided(f"|f'| tends to the threshold {shorten(threshold)}: whether it is reached is not decided")
        return None
    if not exceeding and (deep := deep_ends(layers, threshold)):
        return Component(*deep, strict, strict)
    place = outwards(layers, threshold, exceeding[0]) if exceeding else place_within(layers, threshold)
    if isinstance(place, Nowhere):
        return None if strict or place.touched is None else _touched(layers, threshold, place.touched)
    guesses = _guesses(layers, threshold, place)
    (left, left_open), (right, right_open) = (
        (side * sympy.oo, True) if side in exceeding else _end(layers, threshold, place, side, guess)
        for side, guess in zip((-1, 1), guesses, strict=True)
    )
    return Component(left, right, strict or left_open, strict or right_open)


def _touched(layers: Layers, threshold: sympy.Expr, x: sympy.Rational) -> Component:
    """Return the set {|f'| >= c} where the greatest |f'| is c, at x."""
    if touches_once(layers, x):
        return Component(x, x, False, False)
    if (flat := flat_around(layers, x)) is not None:
        return flat
    raise Undecided(
        f"the greatest |f'| is the threshold {shorten(threshold)}, at x = {shorten(x)}; whether elsewhere too is not "
        "decided"
    )


def outwards(layers: Layers, threshold: sympy.Expr, side: int) -> Place:
    """Return a place where |f'| exceeds c, as it does in the limit on a side: far out it may be beyond all numbers."""
    far = [sympy.Integer(side) * 2**doublings for doublings in range(0, 4 * _BITS, 2)]
    for x in (*far, sympy.S.Zero, *(-each for each in far)):
        if side_of(layers, threshold, x, _BITS) > 0:
            return Place(x, layers.passed(enclose(x, _BITS), _BITS), _BITS)
    raise Undecided(f"|f'| exceeds {shorten(threshold)} in the limit, but no place was found where it does")


def _guesses(layers: Layers, threshold: sympy.Expr, place: Place) -> tuple[float, float]:
    """Return about log2|x - y| for both ends y; 0 where float64 overflows at x, from which it is looked for."""
    z = np.array([float(each.mid()) for each in place.passed.z])
    near = Neighbourhood(layers, z)
    if near.overflows:
        return 0.0, 0.0
    left, right = near.ends(threshold)
    return left / math.log(2), right / math.log(2)


def _end(layers: Layers, threshold: sympy.Expr, place: Place, side: int, guess: float) -> tuple[sympy.Expr, bool]:
    """Return the end on one side of a place within, and whether a layer has a kink there.

    It is exact where it is a simple fraction, or the kink of a layer before which all are linear.
    """
    end = _proven_end(layers, threshold, place, side, guess)
    between = Fraction(int(end.inner.p), int(end.inner.q)), Fraction(int(end.outer.p), int(end.outer.q))
    near = ((between[0] + between[1]) / 2).limit_denominator(LARGEST_DENOMINATOR)
    simple = sympy.Rational(near) if min(between) < near < max(between) else None
    if end.wall is not None:
        exact = reached_from(layers, end.wall.layer, end.wall.z)
        if exact is None and simple is not None and stands_at(layers, simple, *end.wall):
            exact = simple
        return end if exact is None else exact, True
    return simple if simple is not None and is_reached(layers, threshold, simple) else end, False


def _proven_end(layers: Layers, threshold: sympy.Expr, place: Place, side: int, guess: float) -> ExplosionEnd:
    distance, x, bits = side * _exp2(guess), place.x, place.bits
    far = max(0, math.ceil(-guess)) + _FINER  # more digits of x say nothing of the end
    if (fewer := _BITS + far + exponent(max(abs(x), sympy.S.One))) < bits:
        x, bits = sympy.floor(x * 2**far) / sympy.Integer(2) ** far, fewer
    for close in _CLOSE:
        inner, outer = (x + distance * factor for factor in (1 - close, 1 + close))
        with contextlib.suppress(InvalidArgument):
            return ExplosionEnd(layers, threshold, inner, outer, bits)
    return _end_by_halves(layers, threshold, place, side, guess)


def _end_by_halves(layers: Layers, threshold: sympy.Expr, place: Place, side: int, guess: float) -> ExplosionEnd:
    """Return an end, looked for by halving the logarithm of its distance."""
    near, far, step = -place.spread - place.bits, guess, 0.5
    while side_of(layers, threshold, place.x + side * _exp2(far), place.bits) >= 0:
        near, far, step = far, far + step, 2 * step
    while far - near > 2**-10:
        middle = (near + far) / 2
        where = side_of(layers, threshold, place.x + side * _exp2(middle), place.bits)
        near, far = (middle, far) if where > 0 else (near, middle)
    inner, outer = (place.x + side * _exp2(distance) for distance in (near, far + 2**-12))
    try:
        return ExplosionEnd(layers, threshold, inner, outer, place.bits)
    except InvalidArgument:
        raise Undecided(f"an end of the set near {inner.n(12)} is not decided") from None


def _exp2(exponent: float) -> sympy.Rational:
    if abs(exponent) > LONGEST:
        raise Undecided(
            f"an end of the set is about 2**{exponent:.0f} from a place within, which takes too many digits"
        )
    whole = math.floor(exponent)
    return sympy.Rational(2.0 ** (exponent - whole)) * sympy.Integer(2) ** whole
