"""What can go wrong while a chain trains, and the tests that notice it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from gradtheory.arithmetic.brief import percent, upward
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.backprop import multiply_zero_wins
from gradtheory.typing import ArrayLike

_JUMP = 2.0  # the least ratio of two losses
_LEAST_LOSS = 1e-300  # below it a ratio says nothing
SATURATED = 0.01  # of sup|σ'|


class EventKind(Enum):
    """Kinds of events; the value is the name that is shown."""

    EXPLOSION = "entry into the explosion set"  # some |σ'(z)·w| > 1 in a layer that had none
    SATURATION = "saturation"  # every σ'(z) of a layer below 1 % of sup|σ'|
    LOSS_JUMP = "loss jump"  # the loss more than doubles in one step
    OVERFLOW = "overflow"  # an infinite loss, gradient or parameter: the run ends
    NAN = "nan"  # one that is not a number: the run ends


@dataclass(frozen=True)
class Event:
    """Something that began or happened in a run, once or several times.

    Attributes
    ----------
    step : int
        After how many steps, the first time.
    kind : EventKind
    layer : int or None
        The layer, from 1; None for an event of the loss.
    cause : str
        Why, with numbers, the first time.
    last_step : int
        After how many steps, the last time.
    count : int
        How many times.
    name : str
        That of the layer in a network; empty in a chain, whose layers have none.

    """

    step: int
    kind: EventKind
    layer: int | None
    cause: str
    last_step: int
    count: int = 1
    name: str = ""

    @property
    def is_fatal(self) -> bool:
        """Whether it ended the run."""
        return self.kind in (EventKind.OVERFLOW, EventKind.NAN)

    def __str__(self) -> str:
        where = "" if self.layer is None else f" in {self.name or f'layer {self.layer}'}"
        again = "" if self.count == 1 else f"; {self.count} times up to step {self.last_step}"
        return f"step {self.step}: {self.kind.value}{where}: {self.cause}{again}"


@dataclass
class Log:
    """The events of a run as it goes: one for each kind and layer, however often it happens.

    Attributes
    ----------
    names : sequence of str
        Those of the layers; none where they have none.

    """

    names: Sequence[str] = ()
    _events: dict[tuple[EventKind, int | None], Event] = field(default_factory=dict)
    _ongoing: set[tuple[EventKind, int]] = field(default_factory=set)  # kinds and layers, from 0

    def add(self, step: int, kind: EventKind, layer: int | None, cause: Callable[[], str]) -> None:
        """Note that something happened; the cause is asked for the first time only."""
        before, name = self._events.get((kind, layer)), self.names[layer - 1] if layer and self.names else ""
        self._events[kind, layer] = (
            Event(step, kind, layer, cause(), step, name=name)
            if before is None
            else replace(before, last_step=step, count=before.count + 1)
        )

    def events(self) -> tuple[Event, ...]:
        """Return the events, in order of their first steps."""
        return tuple(self._events.values())

    def begins(self, holding: set[tuple[EventKind, int]]) -> list[tuple[EventKind, int]]:
        """Return what holds and did not hold the last time this was asked, in order."""
        new = sorted(holding - self._ongoing, key=lambda event: (event[0].value, event[1]))
        self._ongoing = holding
        return new


def factors_of(slopes: Array, sizes: Array) -> Array:
    """Return the greatest |σ'(z)|·|w| of each layer: 0 where the slope is, though the size may have overflowed."""
    with np.errstate(all="ignore"):
        return multiply_zero_wins(slopes, sizes)


def note_layers(
    log: Log,
    step: int,
    slopes: Array,
    steepest: Array,
    sizes: Array,
    shares: Callable[[], Array],
    told: Callable[[int, float], str],
) -> None:
    """Note the explosions and saturations that begin in layers at a step.

    Parameters
    ----------
    log : Log
        Of the run.
    step : int
        After how many steps.
    slopes : ndarray of shape (L,)
        The greatest |σ'(z_l)| over the samples.
    steepest : ndarray of shape (L,)
        sup|σ'| of each layer.
    sizes : ndarray of shape (L,)
        |w_l|, or ‖W_l‖.
    shares : callable
        Returns the share of samples whose factor exceeds 1, layer by layer; called for the first explosion of a layer.
    told : callable
        Takes a layer, from 0, and its size, and returns its weights in words.

    """
    factors = factors_of(slopes, sizes)
    signs = {
        EventKind.EXPLOSION: factors > 1.0,
        EventKind.SATURATION: (slopes < SATURATED * steepest) & np.isfinite(steepest),
    }
    holding = {(kind, int(row)) for kind, holds in signs.items() for row in np.flatnonzero(holds)}

    def cause(kind: EventKind, row: int) -> str:
        what = (
            f"|σ'(z)·w| reaches {factors[row]:.4g} and exceeds 1 on {percent(shares()[row])} of the samples"
            if kind is EventKind.EXPLOSION
            else f"|σ'(z)| is at most {upward(float(slopes[row]), 3)}"
        )
        return f"{what}, {told(row, float(sizes[row]))}"

    for kind, row in log.begins(holding):
        log.add(step, kind, row + 1, functools.partial(cause, kind, row))


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
        finite = np.isfinite(array)
        if not finite.all():
            bad = np.flatnonzero(~finite)
            kind = EventKind.NAN if np.isnan(array).any() else EventKind.OVERFLOW
            return NonfiniteValue(kind, name, int(bad[0]) + 1 if np.ndim(array) else None)
    return None
