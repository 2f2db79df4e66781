r"""The best pair in a small box: where log((q - p)·√(σ'(p)σ'(q))) is greatest, on smooth parts and at kinks of σ'."""

import itertools
import math
from typing import NamedTuple

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.enclosure import Ball, enclose, evaluate, order, precision
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.class_n import SmoothPart, smooth_parts

PAD = 1e-9  # relative: what a box is larger, for places that are no floats
_P, _Q = sympy.symbols("p q", real=True)
_BITS = 128


class Box(NamedTuple):
    """Pairs with p and q between two floats each."""

    p: tuple[float, float]
    q: tuple[float, float]

    def is_met_by_its_image(self, centre: float) -> bool:
        """Return whether mirror images (2c - q, 2c - p) of some pairs belong too."""
        return self.p[0] <= 2 * centre - self.q[0] and 2 * centre - self.q[1] <= self.p[1]

    def holds(self, p: sympy.Expr, q: sympy.Expr) -> bool:
        """Return whether two numbers lie inside."""
        ends = [(number, sympy.Rational(end)) for number, range_ in ((p, self.p), (q, self.q)) for end in range_]
        return [order(number, end) for number, end in ends] == [1, -1, 1, -1]

    def with_image(self, centre: float) -> "Box":
        """Return a box that holds all mirror images too."""
        p = min(self.p[0], 2 * centre - self.q[1]), max(self.p[1], 2 * centre - self.q[0])
        return Box(p, (2 * centre - p[1], 2 * centre - p[0])).padded()

    def padded(self) -> "Box":
        """Return a slightly larger box."""
        finite = [end for end in (*self.p, *self.q) if math.isfinite(end)]
        pad = PAD * (max(finite, default=0.0) - min(finite, default=0.0))
        return Box((self.p[0] - pad, self.p[1] + pad), (self.q[0] - pad, self.q[1] + pad))


class BestPair(NamedTuple):
    """H, the pair, whether that is a pair of mirror images, and whether others are seen to be as good."""

    value: sympy.Expr
    pair: tuple[sympy.Expr, sympy.Expr]
    is_symmetric: bool = False
    has_equals: bool = False


class Range(NamedTuple):
    """An interval of one smooth part, and at which of its ends σ' has a kink, or the support ends."""

    part: SmoothPart
    low: sympy.Expr
    high: sympy.Expr
    has_kinks: tuple[bool, bool] = (False, False)

    @property
    def ball(self) -> Ball:
        """A ball around the interval."""
        with precision(_BITS):
            return enclose(self.low, _BITS).union(enclose(self.high, _BITS))

    def over(self, expr: sympy.Expr) -> Ball:
        """Return a ball around the values of an expression in `Z`."""
        with precision(_BITS):
            return evaluate(expr, _BITS, {Z: self.ball})

    def kink(self, side: int) -> sympy.Expr | None:
        """Return its end on one side, if σ' has a kink there."""
        return (self.low, self.high)[side > 0] if self.has_kinks[side > 0] else None


class _Pair(NamedTuple):
    value: sympy.Expr
    p: sympy.Expr
    q: sympy.Expr


def part_around(record: Activation, between: tuple[float, float]) -> SmoothPart | None:
    """Return the smooth part that holds all numbers between two floats."""
    if not all(map(math.isfinite, between)):
        return None
    low, high = map(sympy.Rational, between)
    return next((p for p in smooth_parts(record) if order(p.left, low) < 0 < order(p.right, high)), None)


def is_concave(p: Range, q: Range) -> bool:
    """Return whether the logarithm of the size is proven to be strictly concave: by its second derivatives."""
    with precision(_BITS):
        mixed = 1 / (q.ball - p.ball) ** 2
        own = [range_.over(range_.part.log_bend) / 2 - mixed for range_ in (p, q)]
        return bool(own[0] < 0 and own[1] < 0 and own[0] * own[1] > mixed**2)


def stationary_pair(
    parts: tuple[SmoothPart, SmoothPart],
    start: tuple[float, float],
    kinks: tuple[sympy.Expr | None, sympy.Expr | None] = (None, None),
) -> tuple[PairRoot, PairRoot, PairRoot]:
    """Return the size (q - p)·√(σ'(p)σ'(q)), p and q where both its derivatives vanish near a start.

    A number that is given as a kink stays there.

    Raises
    ------
    Undecided
        If there is none, or none is proven.

    """
    slopes, rates = (
        [formula.xreplace({Z: unknown}) for formula, unknown in zip(formulas, (_P, _Q), strict=True)]
        for formulas in ([part.slope for part in parts], [part.log_slope for part in parts])
    )
    system = (
        rates[0] * (_Q - _P) - 2 if kinks[0] is None else _P - kinks[0],
        rates[1] * (_Q - _P) + 2 if kinks[1] is None else _Q - kinks[1],
    )
    length = (_Q - _P) * sympy.sqrt(abs(sympy.Mul(*slopes)))
    try:
        value, p, q = (PairRoot(system, (_P, _Q), start, number) for number in (length, _P, _Q))
        is_within = kinks[0] is not None or order(parts[0].left, p) < 0
        is_within &= kinks[1] is not None or order(parts[1].right, q) > 0  # formulas go on beyond their parts
    except InvalidArgument:
        is_within = False
    if not is_within:
        raise Undecided(f"H is not decided: no stationary pair near {start} is proven")
    return value, p, q


def best_at_kinks(record: Activation, box: Box) -> BestPair | None:
    """Return the best pair of a box with kinks of σ' or ends of its support, on whose border no pair is the best.

    None if it has none, or that is not seen. On each of its parts the size is greatest with a number at a kink, or
    both, or inside.
    """
    ranges = [_within_parts(record, *range_) for range_ in box]
    if not any(any(range_.has_kinks) for some in ranges for range_ in some):
        return None
    pairs: list[_Pair] = []
    for p, q in itertools.product(*ranges):
        try:
            known = _greatest(p, q)
        except Undecided:
            return None
        if known is not None and all(known[1:] != other[1:] for other in pairs):
            pairs.append(known)
    best, has_equals = None, False
    for pair in pairs:
        side = 1 if best is None else order(pair.value, best.value)
        best, has_equals = (pair, False) if side > 0 else (best, has_equals or side == 0)
    return None if best is None else BestPair(best.value, (best.p, best.q), has_equals=has_equals)


def _within_parts(record: Activation, low: float, high: float) -> list[Range]:
    """Return an interval cut into smooth parts, without what lies outside of the support."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    first, last = map(sympy.Rational, (low, high))
    ranges = []
    for part in smooth_parts(record):
        if order(part.left, last) >= 0 or order(first, part.right) >= 0:
            continue
        starts, ends = order(first, part.left) <= 0, order(part.right, last) <= 0
        ranges.append(Range(part, part.left if starts else first, part.right if ends else last, (starts, ends)))
    return ranges


def _greatest(p: Range, q: Range) -> _Pair | None:
    """Return where the size is greatest on a box within smooth parts; None if on its border, but at no kink.

    Raises
    ------
    Undecided
        If that is not seen.

    """
    with precision(_BITS):
        share = 1 / (q.ball - p.ball)
        rises = p.over(p.part.log_slope) / 2 - share, q.over(q.part.log_slope) / 2 + share
        sides = [int(rise > 0) - int(rise < 0) for rise in rises]
        bends = [range_.over(range_.part.log_bend) / 2 - share**2 for range_ in (p, q)]
    kinks = [range_.kink(side) if side else None for range_, side in zip((p, q), sides, strict=True)]
    if any(side and kink is None for side, kink in zip(sides, kinks, strict=True)):
        return None
    if kinks[0] is not None and kinks[1] is not None:
        slopes = p.part.slope.subs(Z, kinks[0]) * q.part.slope.subs(Z, kinks[1])
        return _Pair((kinks[1] - kinks[0]) * sympy.sqrt(abs(slopes)), kinks[0], kinks[1])
    free = [bend < 0 for bend, side in zip(bends, sides, strict=True) if not side]
    if not (is_concave(p, q) if len(free) == 2 else free[0]):
        raise Undecided("H is not decided: the size is not seen to be concave")
    start = float(p.low + p.high) / 2, float(q.low + q.high) / 2
    value, *roots = stationary_pair((p.part, q.part), start, (kinks[0], kinks[1]))
    for place, range_, kink in zip(roots, (p, q), kinks, strict=True):
        if kink is None and not order(range_.low, place) < 0 < order(range_.high, place):
            raise Undecided("H is not decided: the size is greatest at a kink, or beside it")
    places = (root if kink is None else kink for root, kink in zip(roots, kinks, strict=True))
    return _Pair(value, *places)
