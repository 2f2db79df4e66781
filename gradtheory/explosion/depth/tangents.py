r"""H = sup (q - p)·√(σ'(p)σ'(q)) for any σ of class N, by tangents.

v = \|σ'\|^(-1/2) is convex, so it lies above the polygon of its tangents at some points. On one side of the polygon
(q - p)/(v(p)v(q)) is a fraction of linear functions, in p as in q, and so greatest at vertices: finitely many numbers
bound it on all pairs. Where they exceed what is attained, tangents are added, until the pairs that are left lie in one
box on which the logarithm of the size is strictly concave: its stationary pair is the best.
"""

import numpy as np
import numpy.typing as npt
import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import downward, upward
from gradtheory.arithmetic.effort import size, spend
from gradtheory.arithmetic.enclosure import exactly, order, precision
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import parts_of, sigma_at
from gradtheory.explosion.depth.class_n import middle_of_slope, support_ends
from gradtheory.explosion.depth.pair_at_infinity import best_at_infinity
from gradtheory.explosion.depth.pairs import (
    PAD,
    BestPair,
    Box,
    Range,
    best_at_kinks,
    is_concave,
    part_around,
    stationary_pair,
)

_BITS = 128
_KNOWN_BITS = 60
_PLACES = np.geomspace(1e-6, 1e6, 400)  # at which the half-width of σ' is looked for
_FIRST, _REACH = 48, 6.0  # tangents, and how far they reach: as arsinh of the distance in half-widths
_LARGEST = 1e6  # of v, as a multiple of its least: where it is greater, sides are too steep for float64
_MOST_TANGENTS = 1_000
_SLACK = 1e-13  # relative: more than what the operations in float64 may be off
_ENOUGH = 1e-11  # relative: closer bounds tell nothing

Floats = npt.NDArray[np.float64]


def best_pair(record: Activation, *, is_even: bool) -> BestPair:
    """Return H of a bounded activation of class N, if it is attained at one pair, or at two mirror images.

    Raises
    ------
    Undecided
        If that is not proven.

    """
    centre = float(middle_of_slope(record))
    box = _box(record, centre, is_even=is_even)
    if isinstance(box, BestPair):
        return box
    parts = part_around(record, box.p), part_around(record, box.q)
    if parts[0] is None or parts[1] is None:
        raise AssertionError("a box on which the size is concave lies within smooth parts")
    value, p, q = stationary_pair((parts[0], parts[1]), (sum(box.p) / 2, sum(box.q) / 2))
    if not box.holds(p, q):
        raise Undecided(f"H of {record.name} is not decided: the stationary pair near {(p.n(6), q.n(6))} is another")
    is_symmetric = is_even and box.is_met_by_its_image(centre)
    return BestPair(value, (p, q), is_symmetric, has_equals=is_even and not is_symmetric)


def _box(record: Activation, centre: float, *, is_even: bool) -> Box | BestPair:
    """Return a box that holds the best pair, or one of two mirror images, on which the size has one maximum.

    Or the best pair itself, where its box holds a kink of σ'.
    """
    z, v, rise = _tangents(record, _first_points(record, centre))
    if len(z) < 2:
        raise Undecided(f"H of {record.name} is not decided: float64 holds its slope at too few places")
    attained, highest = 0.0, np.inf
    while len(z) <= _MOST_TANGENTS:
        ends, heights = _polygon(record, z, v, rise)
        attained = ((z - z[:, None]) / (v * v[:, None])).max() * (1 - _SLACK)
        bound = _bounds(ends, heights, (-rise[0], rise[-1]))
        alive = np.triu(bound >= attained)
        highest = bound[alive].max()
        if is_even:
            alive &= np.add.outer(ends[1:], ends[1:]) >= 2 * centre - PAD * (z[-1] - z[0])
        rows, columns = np.nonzero(alive)
        box = Box(
            (float(ends[rows.min()]), float(ends[rows.max() + 1])),
            (float(ends[columns.min()]), float(ends[columns.max() + 1])),
        )
        box = box.with_image(centre) if is_even and box.is_met_by_its_image(centre) else box.padded()
        if _is_concave(record, box):
            return box
        best = best_at_infinity(record, box) if is_even else None
        if (best := best or best_at_kinks(record, box)) is not None:
            return best
        if highest < attained * (1 + _ENOUGH):
            break
        more = _tangents(record, _between(ends, z, np.union1d(rows, columns)))
        if len(more[0]) == 0:
            break
        places = np.argsort(np.concatenate([z, more[0]]))
        z, v, rise = (np.concatenate(both)[places] for both in zip((z, v, rise), more, strict=True))
    raise Undecided(
        f"H of {record.name} is not decided: it is proven to lie between {downward(attained, 10)} and "
        f"{upward(highest, 10)}, but not that one pair is the best"
    )


def _first_points(record: Activation, centre: float) -> Floats:
    steepest = float(record.steepest_slope)  # at a kink it is that of one side
    is_steep = [abs(record.slope(centre + side * _PLACES)) > steepest / 2 for side in (-1, 1)]
    half_width = _PLACES[np.nonzero(is_steep[0] | is_steep[1])[0].max(initial=0)]
    return np.asarray(centre + half_width * np.sinh(np.linspace(-_REACH, _REACH, _FIRST)))


def _tangents(record: Activation, z: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the places at which v is known, v and its slope there."""
    parts, (left, right) = parts_of(record), support_ends(record)
    known, most = [], _LARGEST / np.sqrt(float(record.steepest_slope))
    spend(3 * size(record.expr) * len(z))
    for place in z.tolist():
        if order(left, sympy.Rational(place)) >= 0 or order(sympy.Rational(place), right) >= 0:
            continue
        with precision(_BITS):
            _, slope, rate = sigma_at(parts, exactly(place), _BITS, _BITS)
            v = 1 / abs(slope).sqrt()
            rise = -v * rate / 2
        is_known = v.rel_accuracy_bits() > _KNOWN_BITS and (rise.rel_accuracy_bits() > _KNOWN_BITS or rise.is_zero())
        if is_known and v < most:
            known.append((place, float(v.mid()), float(rise.mid())))
    places, values, rises = np.array(known, dtype=np.float64).reshape(-1, 3).T
    return places, values, rises


def _polygon(record: Activation, z: Floats, v: Floats, rise: Floats) -> tuple[Floats, Floats]:
    """Return where neighbouring tangents meet, from one end of the support to the other, and heights below v there.

    A side ends at heights below its tangent, and so does all of it.
    """
    with np.errstate(all="ignore"):
        meeting = z[:-1] + (np.diff(v) - rise[1:] * np.diff(z)) / (rise[:-1] - rise[1:])
    meeting = np.where(np.isfinite(meeting), np.clip(meeting, z[:-1], z[1:]), (z[:-1] + z[1:]) / 2)
    beyond = zip(support_ends(record), (-np.inf, np.inf), strict=True)
    left, right = (np.nextafter(float(end), side) for end, side in beyond)
    ends = np.concatenate([[left], meeting, [right]])
    before, after = np.arange(-1, len(z)).clip(0), np.arange(len(z) + 1).clip(max=len(z) - 1)
    with np.errstate(all="ignore"):
        sides = [
            v[side] + rise[side] * (ends - z[side]) - _SLACK * (v[side] + abs(rise[side] * (ends - z[side])))
            for side in (before, after)
        ]
    return ends, np.where(np.isinf(ends), np.inf, np.minimum(*sides))


def _bounds(ends: Floats, heights: Floats, far: tuple[float, float]) -> Floats:
    """Return bounds of the size on all pairs of sides: the greatest at their vertices, or limits at infinite ones."""
    with np.errstate(all="ignore"):
        at = (ends - ends[:, None]) / (heights * heights[:, None])
        if np.isinf(ends[0]):
            at[0] = 1 / (far[0] * heights) if far[0] > 0 else np.inf
        if np.isinf(ends[-1]):
            at[:, -1] = 1 / (far[1] * heights) if far[1] > 0 else np.inf
        if np.isinf(ends[0]) and np.isinf(ends[-1]):
            at[0, -1] = 0.0 if min(far) > 0 else np.inf
    is_low = (heights <= 0) & np.isfinite(ends)  # there a tangent says nothing
    at[is_low] = at[:, is_low] = np.inf
    at = np.triu(np.nan_to_num(at, nan=np.inf, posinf=np.inf), 1) * (1 + _SLACK)  # p < q
    return np.asarray(np.maximum(np.maximum(at[:-1, :-1], at[:-1, 1:]), np.maximum(at[1:, :-1], at[1:, 1:])))


def _between(ends: Floats, z: Floats, sides: npt.NDArray[np.intp]) -> Floats:
    """Return places on both halves of some sides; on an infinite side farther out."""
    span = z[-1] - z[0]
    left, right = (
        np.where(np.isinf(end), z[sides] + way * span, (end + z[sides]) / 2)
        for end, way in ((ends[sides], -1), (ends[sides + 1], 1))
    )
    return np.setdiff1d(np.concatenate([left, right]), z)


def _is_concave(record: Activation, box: Box) -> bool:
    """Return whether the logarithm of the size is proven to be strictly concave on a box within smooth parts."""
    parts = part_around(record, box.p), part_around(record, box.q)
    if parts[0] is None or parts[1] is None:
        return False
    p, q = (
        Range(part, *map(sympy.Rational, range_)) for part, range_ in zip(parts, box, strict=True) if part is not None
    )
    return is_concave(p, q)
