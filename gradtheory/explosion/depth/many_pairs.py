r"""H = sup (q - p)·√(σ'(p)σ'(q)) where several pairs may attain it: for Möbius maps in a row, and arcs of an arctan.

With v = \|σ'\|^(-1/2) the size is (q - p)/(v(p)v(q)). Where v is linear, its slope in p has one sign, and in q.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import is_infinite, order
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.class_n import SmoothPart
from gradtheory.explosion.depth.log_concave import Supremum


def of_moebius_maps(parts: Sequence[SmoothPart]) -> Supremum:
    """Return H of a bounded σ that is a Möbius map on each part: the greatest at pairs of their ends."""
    ends = [parts[0].left, *(part.right for part in parts)]
    beside = [parts[0], *parts]
    best: list[_Pair] = []
    for (p, before), (q, after) in itertools.combinations(zip(ends, beside, strict=True), 2):
        pair = _pair(p, before, q, after)
        side = order(pair.size, best[0].size) if best else 1
        best = [pair] if side > 0 else [*best, pair] if side == 0 else best
    chosen = next((pair for pair in best if pair.has_equal_slopes), best[-1])
    where = f"on each side of {ends[1]}" if len(parts) == 2 else f"on each of {len(parts)} parts"
    where = "where σ' is not 0" if len(parts) == 1 else where
    several = "" if len(best) == 1 else ", and several pairs are as good"
    return Supremum(chosen.size, chosen.places, f"σ is a Möbius map {where}{several}", chosen.has_equal_slopes)


class _Pair(NamedTuple):
    size: sympy.Expr
    places: tuple[sympy.Expr, sympy.Expr]
    has_equal_slopes: bool = False


def _pair(p: sympy.Expr, before: SmoothPart, q: sympy.Expr, after: SmoothPart) -> _Pair:
    """Return (q - p)·√(σ'(p)σ'(q)), or its limit: where v grows as γ·z, √σ'(p)/γ."""
    if is_infinite(p) and is_infinite(q):
        return _Pair(sympy.S.Zero, (p, q))
    if is_infinite(p):
        return _Pair(_at_infinity(before, abs(after.slope.subs(Z, q))), (p, q))
    if is_infinite(q):
        return _Pair(_at_infinity(after, abs(before.slope.subs(Z, p))), (p, q))
    slopes = before.slope.subs(Z, p), after.slope.subs(Z, q)
    return _Pair((q - p) * sympy.sqrt(abs(sympy.Mul(*slopes))), (p, q), order(*slopes) == 0)


def _at_infinity(far: SmoothPart, slope: sympy.Expr) -> sympy.Expr:
    place = far.left + 1 if not is_infinite(far.left) else far.right - 1 if not is_infinite(far.right) else sympy.S.Zero
    gamma_squared = far.log_slope.subs(Z, place) ** 2 / abs(4 * far.slope.subs(Z, place))  # the same everywhere
    return sympy.sqrt(sympy.radsimp(slope / gamma_squared))


def below_arctan(parts: Sequence[SmoothPart]) -> Supremum | None:
    """Return H where σ' is at most that of an arctan, and equal to it on an arc of a right angle or more.

    With σ'(z) = k/((z - m)² + s²) and z = m + s·tan θ the size is (k/s)·sin(θ_q - θ_p). None where no part is an arc.
    """
    for part in parts:
        inverse = sympy.cancel(1 / part.slope)
        square = sympy.Poly(inverse, Z) if inverse.is_polynomial(Z) else None
        if square is None or square.degree() != 2 or order(sympy.discriminant(square), sympy.S.Zero) >= 0:
            continue
        k, m = 1 / square.LC(), -square.nth(1) / (2 * square.LC())  # k < 0 where σ falls
        s_squared = square.nth(0) / square.LC() - m**2
        pair = _right_angle(part, m, s_squared)
        most = abs(k) / ((Z - m) ** 2 + s_squared)
        if pair is None or not all(_is_at_most(other, sympy.sign(k), most) for other in parts if other != part):
            continue
        several = "" if is_infinite(pair[0]) or is_infinite(pair[1]) else ", and several pairs are as good"
        where = f"between z = {part.left} and {part.right}"
        is_symmetric = not any(map(is_infinite, pair)) and order(pair[0] + pair[1], 2 * m) == 0
        reason = f"|σ'| is at most {most}, as {where}{several}"
        return Supremum(abs(k) / sympy.sqrt(s_squared), pair, reason, is_symmetric)
    return None


def _right_angle(part: SmoothPart, m: sympy.Expr, square: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return two places of a part seen from (m, s) at a right angle, if there are such."""
    s = sympy.sqrt(square)
    if order(part.left, m - s) <= 0 <= order(part.right, m + s):
        return m - s, m + s
    for end, other in ((part.left, part.right), (part.right, part.left)):
        if is_infinite(end) or order(end, m) * (1 if other == part.right else -1) > 0:
            continue
        across = m - square / (end - m) if order(end, m) else other if is_infinite(other) else None
        if across is not None and order(across, other) * (1 if other == part.right else -1) <= 0:
            return (end, across) if other == part.right else (across, end)
    return None


def _is_at_most(part: SmoothPart, direction: sympy.Expr, slope: sympy.Expr) -> bool:
    try:
        return part.is_never_positive(direction * part.slope - slope)
    except Undecided:
        return False
