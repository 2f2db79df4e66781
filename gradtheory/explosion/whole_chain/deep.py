"""Both ends of the explosion set of a chain that spreads inputs far, told by their turns."""

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import is_infinite
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.depth.class_n import support_ends
from gradtheory.explosion.whole_chain.deep_end import DeepEnd
from gradtheory.explosion.whole_chain.nearby import Neighbourhood
from gradtheory.explosion.whole_chain.trajectory import Floats, Trajectory, steepest_trajectory

_DEEP = 128 * math.log(2)  # of log|dz_l/dz_1|, from which on it is done so
_CLOSE = 2.0**-20, 2.0**-10  # relative errors of a place that is guessed


def deep_ends(layers: Layers, threshold: sympy.Expr) -> tuple[DeepEnd, DeepEnd] | None:
    """Return both ends of {|f'| > c}, or None where a guess is not proven: the caller then looks in another way."""
    if not all(is_infinite(end) for activation in layers.places for end in support_ends(activation)):
        return None
    trajectory = steepest_trajectory(layers)
    if trajectory is None or trajectory.log_reach.max() < _DEEP:
        return None
    neighbourhood = Neighbourhood(layers, trajectory.z)
    at_ends = neighbourhood.at(neighbourhood.ends(threshold))
    left, right = (
        next(_proven(layers, threshold, trajectory, side, *at_end), None)
        for side, at_end in zip((-1, 1), at_ends, strict=True)
    )
    return None if left is None or right is None else (left, right)


def _proven(
    layers: Layers, threshold: sympy.Expr, trajectory: Trajectory, side: int, z: Floats, log_reach: Floats
) -> Iterator[DeepEnd]:
    """Yield the end to one side of a trajectory, if it is proven to be near the place with the pre-activations z."""
    turn = int(np.argmax(log_reach))
    step = z[turn] - trajectory.z[turn]
    if not np.isfinite(z[: turn + 1]).all() or layers.directions[turn] * side * step <= 0:
        return
    near = tuple(z[:turn].tolist())
    lost = tuple(_lost(trajectory.log_largest, z, log_reach, turn).tolist())
    for close in _CLOSE:
        inner, outer = (sympy.Rational(trajectory.z[turn] + step * (1 + sign * close)) for sign in (-1, 1))
        with contextlib.suppress(InvalidArgument):
            yield DeepEnd(layers, near, lost, threshold, inner, outer)


def _lost(log_largest: Floats, z: Floats, log_reach: Floats, turn: int) -> Floats:
    """Return how many bits each layer before the turn needs beyond it, if it is saturated, and for those before it."""
    behind, here = slice(1, turn + 1), slice(turn)
    ratio = np.maximum(np.maximum.accumulate(log_reach)[here] - log_reach[behind], 0.0)
    sizes = np.maximum(log_largest, np.log(np.maximum(np.abs(z), 1.0)))
    return np.ceil((ratio + sizes[behind]) / math.log(2)).astype(int)
