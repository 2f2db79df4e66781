"""The one loop that trains: chains and networks alike are problems that say what a step needs to know."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from gradtheory.arithmetic.brief import upward
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument
from gradtheory.training.batches import Batches, Rows
from gradtheory.training.events import Event, EventKind, Log, NonfiniteValue, factors_of, loss_jumps, note_layers
from gradtheory.training.norms import norm
from gradtheory.training.optimisers.optimiser import Optimiser, State

Clip: TypeAlias = Callable[[Sequence[Array], Sequence[Array]], Sequence[Array]]  # of gradients and parameters
Schedule: TypeAlias = Callable[[int, Any, Any], float]
Proximal: TypeAlias = Callable[[Array], Any]


class Ways(NamedTuple):
    """What is done in each step beside the optimiser's."""

    clip: Clip | None = None
    schedule: Schedule | None = None
    proximal: Proximal | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a problem is at one point, on one batch.

    Attributes
    ----------
    loss : float
    gradients : list of ndarray
        By every parameter.
    slopes : ndarray of shape (L,)
        The greatest |σ'(z_l)| over samples and units.
    sizes : ndarray of shape (L,)
        |w_l|, or ‖W_l‖.
    norms : ndarray of shape (L,) or more
        The norm of the gradient by the parameters of each layer; what follows is by parameters of no layer.

    """

    loss: float
    gradients: list[Array]
    slopes: Array
    sizes: Array
    norms: Array


class Problem(Protocol):
    """What is trained, with its data."""

    depth: int
    steepest: Array
    names: Sequence[str]  # of the layers; none where they have none

    def evaluate(self, parameters: Sequence[Array], rows: Rows) -> Evaluation | NonfiniteValue:
        """Return loss and gradients, or the first value that is not finite."""

    def loss(self, parameters: Sequence[Array], rows: Rows) -> float:
        """Return the loss alone, finite or not."""

    def shares_exploding(self, parameters: Sequence[Array], sizes: Array, rows: Rows) -> Array:
        """Return the share of samples whose factor exceeds 1, layer by layer."""

    def told(self, row: int, size: float, parameters: Sequence[Array]) -> str:
        """Return the weights of a layer in words."""

    def weights_and_biases(self, parameters: Sequence[Array]) -> tuple[Any, Any]:
        """Return what a schedule takes beside the step."""

    def moved(self, parameters: Sequence[Array], proximal: Proximal) -> tuple[Array, ...]:
        """Return the parameters after a proximal step on the weights."""

    def limit(self, parameters: Sequence[Array], rows: Rows, optimiser: Optimiser) -> float:
        """Return the largest stable step."""


@dataclass
class Record:
    """A run as it goes; row k of each list is the state after k steps."""

    loss: list[float] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    norms: list[Array] = field(default_factory=list)
    factors: list[Array] = field(default_factory=list)
    jumps: list[int] = field(default_factory=list)  # the steps at which the loss jumped
    rate: float = math.nan  # of the step after the last row
    rows: Rows = field(default_factory=lambda: slice(None))  # the samples of the last row
    keeps_all: bool = True  # the states of all steps, or only the last

    def add(self, state: State, at: Evaluation, rows: Rows) -> None:
        """Note the state after one step more."""
        if not self.keeps_all:
            self.states.clear()
        self.loss.append(float(at.loss))
        self.states.append(state)
        self.norms.append(at.norms)
        self.factors.append(factors_of(at.slopes, at.sizes))
        self.rows = rows

    def arrays(self, depth: int) -> tuple[Array, Array, Array, Array]:
        """Return the losses, the gradient norms, those of layers, and the factors."""
        norms = np.array(self.norms) if self.norms else np.zeros((0, depth))
        factors = np.array(self.factors).reshape(-1, depth)
        return np.array(self.loss), norm(norms, 1)[:, 0], norms[:, :depth], factors


def run(
    problem: Problem,
    start: State,
    optimiser: Optimiser,
    batches: Batches,
    most: int,
    ways: Ways,
    *,
    keeps_all: bool,
    explains: bool = True,
) -> tuple[Record, tuple[Event, ...]]:
    """Train for so many steps, or until something is not finite.

    A step takes the gradient of its batch, clips it, and moves. The loss jumps where it is more than twice the greatest
    of so many steps before that all samples are among them, and twice that of the same samples at the start of the
    epoch before: where a batch is all samples, both are that of the step before. Events that nobody reads need not be
    explained: that takes the largest stable step, and so hundreds of passes.
    """
    record, log, state = Record(keeps_all=keeps_all), Log(problem.names), start
    epochs: list[State] = []  # where this one and the one before began
    for rows in batches:
        epochs = epochs if state.steps % batches.per_epoch else [*epochs[-1:], state]
        at, step = problem.evaluate(state.parameters, rows), state.steps
        if isinstance(at, NonfiniteValue):
            why = functools.partial(_end, at, record, problem, optimiser) if explains else str
            log.add(step, at.kind, at.layer, why)
            break
        shares = functools.cache(functools.partial(problem.shares_exploding, state.parameters, at.sizes, rows))
        told = functools.partial(problem.told, parameters=state.parameters)
        note_layers(log, step, at.slopes, problem.steepest, at.sizes, shares, told)
        before = record.loss[-batches.window :]
        if len(before) == batches.window and loss_jumps(max(before), at.loss):
            earlier = problem.loss(epochs[0].parameters, rows)
            if loss_jumps(earlier, at.loss):
                ago = step - epochs[0].steps
                jump = functools.partial(_jump, record, earlier, ago, at.loss, problem, optimiser) if explains else str
                log.add(step, EventKind.LOSS_JUMP, None, jump)
                record.jumps.append(step)
        record.add(state, at, rows)
        if step == most:
            break
        downhill = at.gradients if ways.clip is None else ways.clip(at.gradients, state.parameters)
        record.rate = optimiser.eta
        if ways.schedule is not None:
            rate = ways.schedule(step, *problem.weights_and_biases(state.parameters))
            if rate is None:  # which a step would take for the optimiser's own
                raise InvalidArgument("schedule", ways.schedule, "must return a learning rate, such as 0.1, not None")
            record.rate = rate
        state = optimiser.step(state, downhill, record.rate)
        if ways.proximal is not None:
            state = replace(state, parameters=problem.moved(state.parameters, ways.proximal))
    return record, log.events()


def _jump(record: Record, earlier: float, ago: int, loss: float, problem: Problem, optimiser: Optimiser) -> str:
    when = "" if ago == 1 else f", {ago} steps before and on the same samples,"
    return f"from {earlier:.4g}{when} to {loss:.4g}; {_cause(record, problem, optimiser)}"


def _end(value: NonfiniteValue, record: Record, problem: Problem, optimiser: Optimiser) -> str:
    return f"the {value.name.replace('_', ' ')} is not finite; {_cause(record, problem, optimiser)}"


def _cause(record: Record, problem: Problem, optimiser: Optimiser) -> str:
    """Return why the step from the last recorded state was too large."""
    if not record.states:
        return "it was so at the start"
    largest = record.factors[-1]
    with np.errstate(all="ignore"):
        product = float(np.prod(np.maximum(largest, 1e-300)))
    factors_before = (
        f"before it the factors multiplied to at most {upward(product, 3)}, {int((largest > 1).sum())} of them above 1"
    )
    if optimiser.rule.is_adaptive or math.isnan(record.rate):
        return factors_before
    try:
        limit = problem.limit(record.states[-1].parameters, record.rows, optimiser)
    except InvalidArgument:  # second derivatives overflow
        return factors_before
    relation = "above" if record.rate > limit else "below"
    return f"{factors_before}, and η = {record.rate:.3g} was {relation} the stable limit {limit:.3g}"
