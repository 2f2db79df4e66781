"""Where an activation changes fast: the ends of panels of its integrals."""

import functools
from collections.abc import Iterator

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import features, inner_point
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.arithmetic.enclosure import is_infinite, order
from gradtheory.arithmetic.inputs import Array

_RUNGS = 0.5 ** np.arange(45)
_SHARES, _FAR, _BISECTIONS = np.array([0.25, 0.5, 0.75]), 1e300, 80
_FINE = 18  # rungs, on both sides: coarser changes are met by halving panels


@functools.lru_cache(maxsize=256)
def places_and_period(record: Activation) -> tuple[tuple[float, ...], float]:
    """Return the ends of panels: where σ' has kinks and turning points, and places beside which it changes fast.

    With them comes the period, or 0.
    """
    ends = tuple(float(branch.right) for branch in record.profile.branches)
    if record.period is not None:
        return ends, float(record.period)
    places = {*ends[:-1], *(place for place, _ in jumps(record))}
    places |= {rung for place in ends[:-1] for rung in _ladder(record, place)}
    for place in map(float, _steep_places(record)):
        if len(rungs := _ladder(record, place)) >= _FINE:
            places |= {place, *rungs}
    return tuple(sorted(places)), 0.0


def _steep_places(record: Activation) -> Iterator[float]:
    """Yield places within monotone branches of σ' about which it may change fast.

    They are zeros of arguments in its formula, and where it has gone a quarter, a half and three quarters of its way.
    """
    yield from (place for place, _ in features(record.expr))
    for branch in record.profile.branches:
        if branch.is_flat or is_infinite(branch.slope_left) or is_infinite(branch.slope_right):
            continue
        first, last = float(branch.slope_left), float(branch.slope_right)
        levels = first + (last - first) * _SHARES
        low, high = (
            np.full(len(levels), np.arcsinh(np.clip(float(end), -_FAR, _FAR))) for end in (branch.left, branch.right)
        )
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2.0
            is_before = (record.slope(np.sinh(middle)) < levels) == (first < last)
            low, high = np.where(is_before, middle, low), np.where(is_before, high, middle)
        yield from np.sinh(low).tolist()


def _ladder(record: Activation, place: float) -> Array:
    """Return places that close in on one, down to the scale on which σ' changes beside it, if that is less than 1."""
    rungs = place + np.array([[-1.0], [1.0]]) * _RUNGS
    slopes = record.slope(rungs)
    change = np.abs(slopes - slopes[:, -1:])
    whole = change.max(axis=1, keepdims=True)
    settled = (change > 0.9 * whole) & (whole > 1e-9 * np.abs(slopes).max(axis=1, keepdims=True))
    finest = np.where(settled, np.arange(len(_RUNGS)), 0).max()
    return np.asarray(rungs[:, 1 : finest + 1].reshape(-1))


@functools.lru_cache(maxsize=256)
def jumps(record: Activation) -> tuple[tuple[float, float], ...]:
    """Return where σ itself jumps, and by how much."""
    lower, upper = (sympy.S.Zero, record.period) if record.period is not None else (-sympy.oo, sympy.oo)
    corners = (lower, *breaks(record.expr, Z, lower, upper), upper)
    sizes = []
    for left, place, right in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
        ends = ((left, place), (place, right))
        below, above = (formula_near(record.expr, Z, inner_point(*each)).subs(Z, place) for each in ends)
        if order(below, above):
            sizes.append((float(place), float(above - below)))
    return tuple(sizes)
