"""The line cut into pieces on each of which an activation is a polynomial, to rounding."""

import functools
import math

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.switches import breaks
from gradtheory.arithmetic.inputs import Array

DEGREE = 11
_TOLERANCE = 1e-12  # of the size of σ on a piece
_FLOOR = 0.1  # of the size of σ on [-1, 1]: what is less is not resolved
_MISSED = 1e-8  # of the size of σ on a piece: more says that nodes did not see what lies between them
_SHORTEST = 1e-5
_JUMP = 1e-9
_NODES = np.polynomial.chebyshev.chebpts1(DEGREE + 1)
_TO_COEFFICIENTS = np.linalg.inv(np.polynomial.chebyshev.chebvander(_NODES, DEGREE))
_LAST = _TO_COEFFICIENTS[-3:]


@functools.lru_cache(maxsize=256)
def switching_places(record: Activation) -> tuple[float, ...]:
    """Return the places between which σ is one smooth formula; of a periodic activation, those in a period."""
    lower, upper = (sympy.S.Zero, record.period) if record.period is not None else (-sympy.oo, sympy.oo)
    return tuple(float(place) for place in breaks(record.expr, Z, lower, upper))


@functools.lru_cache(maxsize=256)
def has_corners(record: Activation) -> bool:
    """Return whether σ' jumps, as far as float64 shows."""
    places = np.array(switching_places(record))
    beside = record.slope(np.stack([np.nextafter(places, -np.inf), np.nextafter(places, np.inf)]))
    return bool(np.any(np.abs(beside[1] - beside[0]) > _JUMP * np.abs(beside).max(axis=0)))


@functools.lru_cache(maxsize=256)
def cuts(record: Activation, reach: int, of: str = "value") -> Array:
    """Return the ends of the pieces from -2^reach to 2^reach: the switching places, and halves of what is not smooth.

    `of` is "value" for pieces of σ, and "slope" for those of σ'.

    Examples
    --------
    >>> import gradtheory as gt
    >>> cuts(gt.activation("hard_tanh"), 3)
    array([-8., -1.,  1.,  8.])

    """
    end, function = 2.0**reach, getattr(record, of)
    inner = [place for place in switching_places(record) if -end < place < end]
    floor = _FLOOR * float(np.max(np.abs(function(_NODES))))
    probes = _probes(record, end)
    seen = function(probes)
    open_ends = np.array([-end, *inner, end])
    left, right, kept = open_ends[:-1], open_ends[1:], [open_ends]
    while len(left):
        middle, half = (left + right) / 2.0, (right - left) / 2.0
        values = function(middle + half * _NODES[:, np.newaxis])
        rest = np.abs(_LAST @ values).max(axis=0)
        size = np.maximum(np.abs(values).max(axis=0), floor)
        rough = ((rest > _TOLERANCE * size) | _misses(probes, seen, left, right, values, size)) & (half > _SHORTEST)
        kept.append(middle[rough])
        left, right = (np.concatenate([each[rough], other[rough]]) for each, other in ((left, middle), (middle, right)))
    return np.unique(np.concatenate(kept))


def _probes(record: Activation, end: float) -> Array:
    """Return places that nodes of long pieces may not see: about 0, and about the turning points of the slope."""
    steps = 2.0 ** np.arange(-4.0, math.log2(end) + 0.25, 0.25)
    turns = np.array([0.0, *(float(branch.right) for branch in record.profile.branches[:-1])])
    places = (turns[:, np.newaxis] + np.concatenate([-steps, [0.0], steps])).reshape(-1)
    return np.unique(places[np.abs(places) < end])


def _misses(probes: Array, seen: Array, left: Array, right: Array, values: Array, size: Array) -> np.ndarray:
    """Return whether the polynomial through the values at the nodes of each piece is wrong at a probe inside it."""
    order = np.argsort(left)
    owner = order[np.maximum(np.searchsorted(left[order], probes, side="right") - 1, 0)]
    inside = (left[owner] < probes) & (probes < right[owner])
    owner, place = owner[inside], probes[inside]
    between = 2.0 * (place - left[owner]) / (right - left)[owner] - 1.0
    rows = np.polynomial.chebyshev.chebvander(between, DEGREE)
    off = np.abs(np.einsum("ni,in->n", rows, (_TO_COEFFICIENTS @ values)[:, owner]) - seen[inside])
    return np.bincount(owner, ~(off <= _MISSED * size[owner]), len(left)) > 0.0
