"""What can happen while a chain trains, and how it is noticed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array

_JUMP = 2.0
_LEAST_LOSS = 1e-300
_SATURATED = 0.01


class EventKind(Enum):
    """Kinds of events; the value is the name that is shown."""

    EXPLOSION = "entry into the explosion set"  # some |σ'(z)·w| > 1 in a layer that had none
    SATURATION = "saturation"  # every σ'(z) of a layer below 1 % of sup|σ'|
    LOSS_JUMP = "loss jump"  # the loss more than doubles in one step
    OVERFLOW = "overflow"  # an infinite loss, gradient or parameter: the run ends
    NAN = "nan"  # one that is not a number: the run ends


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    step : int
        After how many steps.
    kind : EventKind
    layer : int or None
        The layer, from 1; None where it concerns the loss.
    cause : str
        Why, with numbers.

    """

    step: int
    kind: EventKind
    layer: int | None
    cause: str

    @property
    def is_fatal(self) -> bool:
        """Whether the run ended with it."""
        return self.kind in (EventKind.OVERFLOW, EventKind.NAN)

    def __str__(self) -> str:
        where = "" if self.layer is None else f" in layer {self.layer}"
        return f"step {self.step}: {self.kind.value}{where}: {self.cause}"


def in_layers(
    step: int,
    largest: Array,
    steepest: Array,
    w: Array,
    before: set[tuple[EventKind, int]],
    shares: Callable[[], Array],
) -> list[Event]:
    """Return the events that begin in layers; `before` holds what is going on, and is brought up to date.

    Parameters
    ----------
    step : int
        After how many steps.
    largest : ndarray of shape (L,)
        The greatest |σ'(z_l)| over the samples.
    steepest : ndarray of shape (L,)
        sup|σ'| of every layer.
    w : ndarray of shape (L,)
        The weights.
    before : set
        Kinds and layers.
    shares : callable
        Returns the share of samples whose factor exceeds 1, layer by layer; asked only if there is something to tell.

    """
    factors = largest * np.abs(w)
    signs = {
        EventKind.EXPLOSION: factors > 1.0,
        EventKind.SATURATION: (largest < _SATURATED * steepest) & np.isfinite(steepest),
    }
    now = {(kind, int(row)) for kind, holds in signs.items() for row in np.flatnonzero(holds)}
    new = sorted(now - before, key=lambda each: (each[0].value, each[1]))
    exploding = shares() if any(kind is EventKind.EXPLOSION for kind, _ in new) else np.zeros_like(w)
    found = []
    for kind, row in new:
        cause = (
            f"|σ'(z)·w| reaches {factors[row]:.4g} and exceeds 1 on {exploding[row]:.0%} of the samples"
            if kind is EventKind.EXPLOSION
            else f"|σ'(z)| is at most {largest[row]:.3g}"
        )
        found.append(Event(step, kind, row + 1, f"{cause}, w = {w[row]:.4g}"))
    before.clear()
    before.update(now)
    return found


def jumped(before: float, after: float) -> bool:
    """Return whether a loss has jumped."""
    return after > _JUMP * before and after > _LEAST_LOSS


@dataclass(frozen=True)
class NotFinite:
    """The first number that is not finite: what it is, and its layer."""

    kind: EventKind
    name: str
    layer: int | None


def not_finite(**arrays: Any) -> NotFinite | None:
    """Return what is not finite first, by its name."""
    for name, array in arrays.items():
        bad = np.flatnonzero(~np.isfinite(array))
        if bad.size:
            kind = EventKind.NAN if np.isnan(array).any() else EventKind.OVERFLOW
            return NotFinite(kind, name, int(bad[0]) + 1 if np.ndim(array) else None)
    return None
