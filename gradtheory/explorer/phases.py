"""Wide layers: where gradients vanish, where they explode with depth, and the edge of chaos between."""

import functools
from dataclasses import dataclass

import numpy as np

import gradtheory as gt
from gradtheory.explorer.state import State
from gradtheory.random_weights.meanfield.phases import phases_over

Array = np.ndarray
_COLUMNS, _ROWS, _EDGE = 60, 30, 41
_TOP = 1.0  # of σ_b, unless the point is higher
_ROOM = 1.4  # to the right of the edge


@dataclass(frozen=True)
class Phases:
    """The phase diagram.

    Attributes
    ----------
    right, top : float
        It is drawn from 0 to these.
    phase : ndarray of shape (rows, columns)
        0 where gradients vanish, 1 where they explode, 2 where the start decides.
    edge_w, edge_b : ndarray
        The edge of chaos, nan where there is none.

    """

    right: float
    top: float
    phase: Array
    edge_w: Array
    edge_b: Array


def phases(state: State) -> Phases:
    """Return the phase diagram of an activation; it reaches beyond the point (σ_w, σ_b)."""
    return _phases(state.activation, _beyond(state.number("sigma_w")), max(_TOP, _beyond(state.number("sigma_b"))))


def _beyond(scale: float) -> float:
    """Return a power of 2 above a scale, so that a point that moves a little leaves the picture as it is."""
    return float(2.0 ** np.ceil(np.log2(max(scale, 1e-3)) + 1e-9))


@functools.lru_cache(maxsize=32)
def _phases(activation: str, least_right: float, top: float) -> Phases:
    record = State(activation=activation).record
    edge = gt.meanfield.edge_of_chaos(record, np.linspace(0.0, top, _EDGE))
    there = edge.sigma_w[np.isfinite(edge.sigma_w)]
    right = max(least_right, _ROOM * float(there.max(initial=0.0)))
    columns, rows = ((np.arange(count) + 0.5) / count for count in (_COLUMNS, _ROWS))  # the middles of cells
    phase, _ = phases_over(record, *np.meshgrid(right * columns, top * rows))
    return Phases(right, top, phase.astype(np.uint8), np.asarray(edge.sigma_w), np.asarray(edge.sigma_b))
