"""Training a chain of single neurons, with the loss, gradients, factors and weights of every step, and its events."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_count, read_parameters, read_samples
from gradtheory.arithmetic.kinds import read_function
from gradtheory.chains.backprop import Gradients, backprop_and_slopes, factors
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import steepest_slopes
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.training.events import (
    Event,
    EventKind,
    Log,
    NonfiniteValue,
    loss_jumps,
    nonfinite_value,
    note_layers,
)
from gradtheory.training.norms import norm
from gradtheory.training.optimisers.optimiser import Optimiser, State, read_optimiser
from gradtheory.training.stability import largest_stable_step
from gradtheory.typing import ArrayLike

Clip: TypeAlias = Callable[[Sequence[Array]], Sequence[Array]]
Schedule: TypeAlias = Callable[[int, Array, Array], float]
_MOST_STEPS = 10_000_000
_CLIP = "must be a function of [∂C/∂w, ∂C/∂b] that returns two arrays"
_SCHEDULE = "must be a function of (step, w, b), such as remedies.warm_up(0.1, 10)"
_MAP = "must be a function of the weights, such as lambda w: remedies.soft_threshold(w, 0.01)"


@dataclass(frozen=True)
class Training(ShownAsTable):
    """A run on a chain of depth L; row k of each array is the state after k steps.

    Attributes
    ----------
    loss : ndarray of shape (steps + 1,)
        Summed over the samples.
    w, b : ndarray of shape (steps + 1, L)
        Weights and biases.
    gradient_norm : ndarray of shape (steps + 1,)
        The Euclidean norm of the gradient by all weights and biases, before clipping.
    layer_norms : ndarray of shape (steps + 1, L)
        The Euclidean norm of (∂C/∂w_l, ∂C/∂b_l).
    factors : ndarray of shape (steps + 1, L)
        The greatest |σ'(z_l)·w_l| over the samples.
    events : tuple of Event
        One for each kind and layer, in order of their first steps; if the run ended early, the last one says why.

    """

    loss: Array
    w: Array
    b: Array
    gradient_norm: Array
    layer_norms: Array
    factors: Array
    events: tuple[Event, ...]

    @property
    def steps(self) -> int:
        """How many steps were taken and are recorded."""
        return max(len(self.loss) - 1, 0)

    @property
    def has_diverged(self) -> bool:
        """Whether the run ended because something was no longer finite."""
        return any(event.is_fatal for event in self.events)

    @property
    def jumps(self) -> tuple[int, ...]:
        """The steps at which the loss more than doubled."""
        return tuple(step for step in range(1, len(self.loss)) if loss_jumps(self.loss[step - 1], self.loss[step]))

    def __repr__(self) -> str:
        end = f"loss {self.loss[0]:.6g} to {self.loss[-1]:.6g}" if self.loss.size else "nothing finite"
        return (
            f"Training({self.steps} steps, {end}, {len(self.events)} events{', diverged' if self.has_diverged else ''})"
        )


def train(
    chain: Chain,
    x: ArrayLike,
    y: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    optimiser: Optimiser,
    steps: int = 100,
    clip: Clip | None = None,
    schedule: Schedule | None = None,
    proximal: Callable[[Array], Array] | None = None,
) -> Training:
    """Train a chain on a batch, and record every step.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : array_like
        Inputs and targets, of one batch shape.
    w, b : array_like of shape (L,)
        Where to start.
    optimiser : Optimiser
        Such as `gradtheory.optimisers.heavy_ball(0.1, 0.9)`; its weight decay is applied, but is not in the loss.
    steps : int
        How many, at most: a run that overflows ends early, which is a result and no error.
    clip : callable, optional
        Takes [∂C/∂w, ∂C/∂b] and returns the gradients for the optimiser, such as
        ``lambda gradients: clip_by_global_norm(gradients, 1.0).gradients``.
    schedule : callable, optional
        Takes (step, w, b) and returns the learning rate of that step, such as `gradtheory.remedies.warm_up(0.1, 10)`.
    proximal : callable, optional
        Applied to the weights after each step, such as the soft threshold of an L1 penalty.

    Returns
    -------
    Training

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, shapes do not fit, the depth is a symbol, `optimiser` is none of
        `gradtheory.optimisers`, or a schedule returns a learning rate that is not positive.

    Examples
    --------
    >>> from gradtheory.training.optimisers import gradient_descent
    >>> chain = Chain(depth=3, activation="identity")
    >>> run = train(chain, [1.0], [0.0], [3.0, 3.0, 3.0], [0.0, 0.0, 0.0], optimiser=gradient_descent(0.1), steps=50)
    >>> run.steps, run.has_diverged, run.events[-1].kind
    (3, True, <EventKind.OVERFLOW: 'overflow'>)

    """
    optimiser, chain = read_optimiser(optimiser), read_concrete_chain(chain)
    for name, each, rule in (("clip", clip, _CLIP), ("schedule", schedule, _SCHEDULE), ("proximal", proximal, _MAP)):
        if each is not None:
            read_function(each, name, rule)
    most = read_count(steps, "steps", _MOST_STEPS, least=0)
    data = _Data(chain, *read_samples(x, y))
    state = optimiser.start([read_parameters(w, "w", data.depth), read_parameters(b, "b", data.depth)])
    record, log = _Record(), Log()
    while True:
        computed = data.gradients(state)
        step = state.steps
        if isinstance(computed, NonfiniteValue):
            log.add(step, computed.kind, computed.layer, functools.partial(_end, computed, record, data, optimiser))
            break
        gradients, slopes = computed
        shares = functools.partial(data.shares_exploding, state)
        note_layers(log, step, slopes, data.steepest, state.parameters[0], shares)
        if step and loss_jumps(record.loss[-1], gradients.loss):
            log.add(step, EventKind.LOSS_JUMP, None, functools.partial(_jump, record, gradients.loss, data, optimiser))
        record.add(state, gradients, slopes)
        if step == most:
            break
        downhill = [gradients.w, gradients.b] if clip is None else clip([gradients.w, gradients.b])
        record.rate = optimiser.eta if schedule is None else schedule(step, *state.parameters)
        state = optimiser.step(state, downhill, record.rate)
        if proximal is not None:
            weights, biases = state.parameters
            moved = read_parameters(proximal(weights), "proximal(w)", data.depth)
            state = State((moved, biases), state.first, state.second, state.steps)
    return record.training(data.depth, log.events())


class _Data:
    """The chain and the samples it is trained on."""

    def __init__(self, chain: Chain, x: Array, y: Array) -> None:
        self.x, self.y, self.chain, self.activations = x, y, chain, chain.layer_activations
        self.depth = len(self.activations)
        self.steepest = steepest_slopes(self.activations)

    def gradients(self, state: State) -> tuple[Gradients, Array] | NonfiniteValue:
        """Return loss and gradients, and the greatest |σ'| of each layer; or the first value that is not finite."""
        w, b = state.parameters
        if bad := nonfinite_value(weight=w, bias=b):
            return bad
        gradients, slopes = backprop_and_slopes(self.activations, self.chain.loss_record, self.x, self.y, w, b)
        bad = nonfinite_value(loss=gradients.loss, gradient_by_w=gradients.w, gradient_by_b=gradients.b)
        return bad or (gradients, slopes)

    def shares_exploding(self, state: State) -> Array:
        """Return the share of samples whose factor exceeds 1, layer by layer."""
        return np.asarray(np.mean(np.abs(factors(self.activations, self.x, *state.parameters)) > 1.0, axis=1))


class _Record:
    """The rows of a `Training`, as they come."""

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.states: list[State] = []
        self.gradients: list[tuple[Array, Array]] = []
        self.factors: list[Array] = []
        self.rate = math.nan  # of the step after the last row

    def add(self, state: State, gradients: Gradients, slopes: Array) -> None:
        self.loss.append(float(gradients.loss))
        self.states.append(state)
        self.gradients.append((gradients.w, gradients.b))
        self.factors.append(slopes * np.abs(state.parameters[0]))

    def training(self, depth: int, events: tuple[Event, ...]) -> Training:
        w, b = (np.array([state.parameters[k] for state in self.states]).reshape(-1, depth) for k in range(2))
        by_w, by_b = (np.array([pair[k] for pair in self.gradients]).reshape(-1, depth) for k in range(2))
        layers = np.hypot(by_w, by_b)
        largest = np.array(self.factors).reshape(-1, depth)
        return Training(np.array(self.loss), w, b, norm(layers, 1)[:, 0], layers, largest, events)


def _jump(record: _Record, loss: float, data: _Data, optimiser: Optimiser) -> str:
    return f"from {record.loss[-1]:.4g} to {loss:.4g}; {_cause(record, data, optimiser)}"


def _end(value: NonfiniteValue, record: _Record, data: _Data, optimiser: Optimiser) -> str:
    return f"the {value.name.replace('_', ' ')} is not finite; {_cause(record, data, optimiser)}"


def _cause(record: _Record, data: _Data, optimiser: Optimiser) -> str:
    """Return why the step from the last recorded state was too large."""
    if not record.states:
        return "it was so at the start"
    largest = record.factors[-1]
    product = math.prod(np.maximum(largest, 1e-300))
    factors_before = (
        f"before it the factors multiplied to at most {product:.3g}, {int((largest > 1).sum())} of them above 1"
    )
    if optimiser.rule.is_adaptive:
        return factors_before
    try:
        limit = largest_stable_step(data.chain, data.x, data.y, *record.states[-1].parameters, optimiser=optimiser)
    except InvalidArgument:  # second derivatives overflow
        return factors_before
    relation = "above" if record.rate > limit else "below"
    return f"{factors_before}, and η = {record.rate:.3g} was {relation} the stable limit {limit:.3g}"
