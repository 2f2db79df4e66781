"""Trial runs of a network's advice, and their twins: rounding decides how chaotic runs end."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from gradtheory.networks.variants import scaled
from gradtheory.training.advice.of_network.changes import Change
from gradtheory.training.train import NetworkTraining

_NUDGES = tuple(1.0 + part for part in (1e-10, -1e-10, 3e-10, -3e-10))  # of the weights
_ALIKE = 1e-4  # relative: where a run and its first twin end


@dataclass(frozen=True)
class Trial:
    """A change, its run, and where that starts and ends."""

    change: Change
    run: NetworkTraining
    start: float  # the loss there, on all samples
    loss: float  # at the end, on all samples
    growth: float
    wrong: str  # with the gradient; empty if it stays in range
    twins: tuple[float, ...] = ()  # where runs end that start hardly elsewhere: rounding decides how chaotic ones end

    @property
    def ends(self) -> tuple[float, ...]:
        """Where this run and its twins end."""
        return (self.loss, *self.twins)


def with_twins(trial: Trial, end_of: Callable[[Change], float]) -> Trial:
    """Return a trial with runs of which the weights differ in their tenth digit: one, and more if it ends elsewhere."""
    network, ends = trial.change.network, list[float]()
    for nudge in _NUDGES:
        ends.append(end_of(replace(trial.change, network=scaled(network, [nudge] * network.depth))))
        if ends[0] == trial.loss or math.isclose(ends[0], trial.loss, rel_tol=_ALIKE):
            break
    return replace(trial, twins=tuple(ends))
