"""Gradients of networks far deeper than can be followed layer by layer, where a layer changes the stream by little.

There the number of layers L is as good as continuous: dq/d log L = L·(V(q) - q) and d log G/d log L = L·log χ(q), with
the variance V(q) behind a layer and its factor χ(q), but for parts of the order of 1/L.
"""

import math
from collections.abc import Sequence

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import GradTheoryError
from gradtheory.random_weights.architectures.flow import first_signal, steps
from gradtheory.random_weights.architectures.layers import Block, has_scale_of_depth, passed
from gradtheory.random_weights.architectures.signal import Signal

_DOUBLINGS, _STEPS = 18, 4  # L times the rounding error of a layer stays small
_LEAST, _MOST = 1e-60, 1e60
_LITTLE = 20.0  # changes of log q and of log L at most


def logs_beyond(blocks: Sequence[Block], depth: int) -> list[float]:
    """Return how much log G grows while the depth doubles, again and again from this one; nothing where q settles.

    Examples
    --------
    >>> from gradtheory import blocks
    >>> first, *_, last = logs_beyond([blocks.residual([blocks.dense("tanh")])], 256)
    >>> round(math.log(last / first, 2) / 17, 2)  # as √L
    0.5

    """
    signal = first_signal(blocks, 1.0, None)
    if not math.isnan(signal.covariance) or has_scale_of_depth(blocks):
        return []
    passes = list(steps(blocks, signal, depth))
    variance, grown = passes[-1].signal.variance, []
    state, h = np.array([math.log(variance), 0.0]), math.log(2.0) / _STEPS

    def slope(log_depth: float, state: Array) -> Array:
        q, layers = math.exp(state[0]), math.exp(log_depth)
        step = passed(blocks, Signal(q), 1)
        change = step.signal.variance / q - 1.0
        if not (abs(layers * change) < _LITTLE and step.gradient > 0.0):
            raise _NoContinuum
        return np.array([layers * change, layers * math.log(step.gradient)])

    try:
        for doubling in range(_DOUBLINGS):
            log_depth, before = math.log(depth) + doubling * math.log(2.0), state[1]
            for t in log_depth + h * np.arange(_STEPS):
                first = slope(t, state)
                second = slope(t + h / 2, state + h / 2 * first)
                third = slope(t + h / 2, state + h / 2 * second)
                state = state + h / 6 * (first + 2.0 * (second + third) + slope(t + h, state + h * third))
            if not _LEAST < math.exp(state[0]) < _MOST:
                break
            grown.append(float(state[1] - before))
    except (_NoContinuum, GradTheoryError, OverflowError):
        pass
    return grown


class _NoContinuum(Exception):
    """A layer changes the stream by too much."""
