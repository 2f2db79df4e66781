"""What can go wrong while a chain trains, and the tests that notice it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.typing import ArrayLike

_JUMP = 2.0  # the least ratio of two losses
_LEAST_LOSS = 1e-300  # below it a ratio says nothing
_SATURATED = 0.01  # of sup|σ'|


class EventKind(Enum):
    """Kinds of events; the value is the name that is shown."""

    EXPLOSION = "entry into the explosion set"  # some |σ'(z)·w| > 1 in a layer that had none
    SATURATION = "saturation"  # every σ'(z) of a layer below 1 % of sup|σ'|
    LOSS_JUMP = "loss jump"  # the loss more than doubles in one step
    OVERFLOW = "overflow"  # an infinite loss, gradient or parameter: the run ends
    NAN = "nan"  # one that is not a number: the run ends


@dataclass(frozen=True)
class Event:
    """Something that began or happened in a run.

    Attributes
    ----------
    step : int
        After how many steps.
    kind : EventKind
    layer : int or None
        The layer, from 1; None for an event of the loss.
    cause : str
        Why, with numbers.

    """

    step: int
    kind: EventKind
    layer: int | None
    cause: str

    @property
    def is_fatal(self) -> bool:
        """Whether it ended the run."""
        return self.kind in (EventKind.OVERFLOW, EventKind.NAN)

    def __str__(self) -> str:
        where = "" if self.layer is None else f" in layer {self.layer}"
        return f"step {self.step}: {self.kind.value}{where}: {self.cause}"


Ongoing: TypeAlias = set[tuple[EventKind, int]]  # kinds and layers, from 0


def layer_events(
    step: int, slopes: Array, steepest: Array, w: Array, ongoing: Ongoing, shares: Callable[[], Array]
) -> list[Event]:
    """Return the explosions and saturations that begin in layers at a step, and bring `ongoing` up to date.

    Parameters
    ----------
    step : int
        After how many steps.
    slopes : ndarray of shape (L,)
        The greatest |σ'(z_l)| over the samples.
    steepest : ndarray of shape (L,)
        sup|σ'| of each layer.
    w : ndarray of shape (L,)
        The weights.
    ongoing : set
        The kinds and layers, from 0, that held at the step before; changed to those that hold at this one.
    shares : callable
        Returns the share of samples whose factor exceeds 1, layer by layer; called only if an explosion begins.

    """
    factors = slopes * np.abs(w)
    signs = {
        EventKind.EXPLOSION: factors > 1.0,
        EventKind.SATURATION: (slopes < _SATURATED * steepest) & np.isfinite(steepest),
    }
    holding = {(kind, int(row)) for kind, holds in signs.items() for row in np.flatnonzero(holds)}
    new = sorted(holding - ongoing, key=lambda event: (event[0].value, event[1]))
    ongoing.clear()
    ongoing.update(holding)
    exploding = shares() if any(kind is EventKind.EXPLOSION for kind, _ in new) else np.zeros_like(w)
    events = []
    for kind, row in new:
        cause = (
            f"|σ'(z)·w| reaches {factors[row]:.4g} and exceeds 1 on {exploding[row]:.0%} of the samples"
            if kind is EventKind.EXPLOSION
            else f"|σ'(z)| is at most {slopes[row]:.3g}"
        )
        events.append(Event(step, kind, row + 1, f"{cause}, w = {w[row]:.4g}"))
    return events


def loss_jumps(before: float, after: float) -> bool:
    """Return whether a loss more than doubles in one step."""
    return after > _JUMP * before and after > _LEAST_LOSS


@dataclass(frozen=True)
class NonfiniteValue:
    """A number that is not finite: its kind, the name of its array, and its layer if there is one for each layer."""

    kind: EventKind
    name: str
    layer: int | None


def nonfinite_value(**arrays: ArrayLike) -> NonfiniteValue | None:
    """Return the first array that is not finite, by its name, with its first layer that is not; None if all are."""
    for name, array in arrays.items():
        bad = np.flatnonzero(~np.isfinite(array))
        if bad.size:
            kind = EventKind.NAN if np.isnan(array).any() else EventKind.OVERFLOW
            return NonfiniteValue(kind, name, int(bad[0]) + 1 if np.ndim(array) else None)
    return None
