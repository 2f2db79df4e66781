"""Residual connections whose branches do not see how large the stream is, as those behind a norm: a power law of depth.

Each layer then adds the same variance a and covariance b to the stream, so that q = a·L, and multiplies the gradients'
(g, h) by 1 + N/q: as powers of L. The correlation of two inputs follows dc/d log L = b/a - c, until it is at rest. The
exponent is the greatest eigenvalue of N/a there.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.architectures.layers import (
    BatchNorm,
    Block,
    Norm,
    Residual,
    all_blocks,
    has_scale_of_depth,
    passed,
)
from gradtheory.random_weights.architectures.signal import Signal, Step

_SIZES = (4.0, 1e6)  # of streams that are compared with one of variance 1
_SAME = 1e-9  # relative
_STEPS = 16
_RESTS = 1e-10
_NUDGE = 1e-9
_BESIDE = 1e-6
_ROUNDING = 1e-12


def power_of_depth(blocks: Sequence[Block], c: float) -> Estimate | None:
    """Return p of G ~ L^p for inputs of correlation c, or one input (nan); None where a branch sees the stream's size.

    Examples
    --------
    >>> from gradtheory import blocks
    >>> normed = [blocks.residual([blocks.rms_norm(), blocks.dense("relu", 3)])]
    >>> round(power_of_depth(normed, math.nan), 12)
    1.0

    """
    branches = [block for block in blocks if isinstance(block, Residual)]
    if (
        len(branches) < len(blocks)
        or has_scale_of_depth(blocks)
        or not all(_is_scale_free(each, c) for each in branches)
    ):
        return None
    rest = c if math.isnan(c) else _at_rest(branches, c)
    near = [each for each in (rest - _NUDGE, rest + _NUDGE) if 0.0 <= each <= 1.0]
    power, *others = (_power(_added(branches, each)) for each in (rest, *near))
    spread = max((abs(power - other) for other in others), default=0.0)
    error = sum(_through(block, Signal(1.0, rest)).error for block in branches)
    return Estimate(power, 4.0 * spread + 2.0 * (error + _ROUNDING) * power)


def _is_scale_free(block: Residual, c: float) -> bool:
    """Return whether a branch makes the same of streams of all sizes, so that gradients by them fall as 1/q."""
    if not any(isinstance(each, (Norm, BatchNorm)) for each in all_blocks(block.blocks)) or not block.alpha(1):
        return False
    one = _through(block, Signal(1.0, c))
    for size in _SIZES:
        other = _through(block, Signal(size, size * c))
        first, second = np.append(one.backward, one.signal), np.append(size * other.backward, other.signal)
        if not np.allclose(first, second, rtol=_SAME, atol=0.0, equal_nan=True):
            return False
    return True


def _through(block: Residual, signal: Signal) -> Step:
    return passed(block.blocks, signal, 1)


class _Added(NamedTuple):
    variance: float
    covariance: float
    gradients: Array


def _added(branches: Sequence[Residual], c: float) -> _Added:
    """Return a, b and N of a layer, for a stream of variance 1."""
    passes = [(block.alpha(1) ** 2, _through(block, Signal(1.0, c))) for block in branches]
    return _Added(
        sum(square * step.signal.variance for square, step in passes),
        sum(square * step.signal.covariance for square, step in passes),
        np.asarray(sum(square * step.backward for square, step in passes)),
    )


def _power(added: _Added) -> float:
    n, is_mixed = added.gradients, bool(added.gradients[1, 0])  # else the gradient of one input meets no other
    return float(np.linalg.eigvals(n).real.max() if is_mixed else n[0, 0]) / added.variance


def _at_rest(branches: Sequence[Residual], c: float) -> float:
    """Return where the correlation comes to rest, from c."""

    def change(place: float) -> float:
        added = _added(branches, place)
        return added.covariance / added.variance - place

    if abs(change(c)) <= _RESTS:
        return c
    ahead = change(c) > 0.0
    before, places = c, np.linspace(c, float(ahead), _STEPS + 1)[1:]
    if ahead:  # equal inputs stay equal, and rest where those beside them do
        places = np.insert(places, -1, 1.0 - _BESIDE)
    for place in map(float, places):
        if abs(change(place)) <= _RESTS:
            return place
        if (change(place) > 0.0) != ahead:
            return float(brentq(change, before, place, xtol=1e-14))
        before = place
    return before
