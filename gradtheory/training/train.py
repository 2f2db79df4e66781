"""Training a chain or a network, with the loss, gradients and factors of every step, and its events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_count, read_parameters, read_samples
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.arithmetic.kinds import read_function
from gradtheory.chains.chain import Chain
from gradtheory.networks import Network
from gradtheory.networks.either import read_either
from gradtheory.training.batches import Batches
from gradtheory.training.chain_problem import ChainProblem
from gradtheory.training.engine import Clip, Schedule, Ways, run
from gradtheory.training.events import Event
from gradtheory.training.network_problem import NetworkProblem
from gradtheory.training.optimisers.optimiser import Optimiser, State, read_optimiser
from gradtheory.training.remedies.clipping import Clipping
from gradtheory.typing import ArrayLike

_MOST_STEPS = 10_000_000
_CLIP = "must be a remedies.Clipping, or a function of the gradients that returns as many arrays"
_SCHEDULE = "must be a function of (step, w, b), such as remedies.warm_up(0.1, 10)"
_MAP = "must be a function of the weights, such as lambda w: remedies.soft_threshold(w, 0.01)"

ClipLike: TypeAlias = Clipping | Callable[[Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True, eq=False)
class Training(ShownAsTable):
    """A run on L layers; row k of each array is the state after k steps, on the batch of that step.

    Attributes
    ----------
    loss : ndarray of shape (steps + 1,)
        Of the batch, as the chain's or the network's loss adds it up.
    gradient_norm : ndarray of shape (steps + 1,)
        The Euclidean norm of the gradient by all parameters, before clipping.
    layer_norms : ndarray of shape (steps + 1, L)
        That by the weights and biases of each layer.
    factors : ndarray of shape (steps + 1, L)
        The greatest |σ'(z_l)·w_l| over the samples; of wide layers max|σ'(z_l)|·‖W_l‖, ‖W_l‖ from below.
    events : tuple of Event
        One for each kind and layer, in order of their first steps; if the run ended early, the last one says why.
    steps_per_epoch : int
        1 where every step takes all samples.
    state : State
        The optimiser's, after the last recorded step.
    jumps : tuple of int
        The steps at which the loss was more than twice the greatest of the steps before that saw all samples, and more
        than twice that of the same samples at the start of the epoch before.

    """

    loss: Array
    gradient_norm: Array
    layer_norms: Array
    factors: Array
    events: tuple[Event, ...]
    steps_per_epoch: int
    state: State
    jumps: tuple[int, ...]

    @property
    def steps(self) -> int:
        """How many steps were taken and are recorded."""
        return max(len(self.loss) - 1, 0)

    @property
    def has_diverged(self) -> bool:
        """Whether the run ended because something was no longer finite."""
        return any(event.is_fatal for event in self.events)

    def __repr__(self) -> str:
        what = "loss" if self.steps_per_epoch == 1 else "batch loss"
        end = f"{what} {self.loss[0]:.6g} to {self.loss[-1]:.6g}" if self.loss.size else "nothing finite"
        return (
            f"Training({self.steps} steps, {end}, {len(self.events)} events{', diverged' if self.has_diverged else ''})"
        )


@dataclass(frozen=True, repr=False, eq=False)
class ChainTraining(Training):
    """A run on a chain of depth L.

    Attributes
    ----------
    w, b : ndarray of shape (steps + 1, L)
        Weights and biases.

    """

    w: Array
    b: Array


@dataclass(frozen=True, repr=False, eq=False)
class NetworkTraining(Training):
    """A run on a network with L dense layers.

    Attributes
    ----------
    network : Network
        As it is after the last recorded step.

    """

    network: Network


@overload
def train(
    network: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, *, optimiser: Optimiser, steps: int = ...,
    batch_size: int | None = ..., seed: int = ..., clip: ClipLike | None = ..., schedule: Schedule | None = ...,
    proximal: Callable[[Array], Array] | None = ...,
) -> ChainTraining: ...  # fmt: skip


@overload
def train(
    network: Network, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike] | None = ...,
    b: Sequence[ArrayLike] | None = ..., *, optimiser: Optimiser, steps: int = ...,
    batch_size: int | None = ..., seed: int = ..., clip: ClipLike | None = ..., schedule: Schedule | None = ...,
    proximal: Callable[[Array], Array] | None = ...,
) -> NetworkTraining: ...  # fmt: skip


@with_other_names
def train(
    network: Chain | Network,
    x: ArrayLike,
    y: ArrayLike,
    w: Any = None,
    b: Any = None,
    *,
    optimiser: Optimiser,
    steps: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
    clip: ClipLike | None = None,
    schedule: Schedule | None = None,
    proximal: Callable[[Array], Array] | None = None,
) -> Training:
    """Train a chain or a network, and record every step.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth L, or a network with L dense layers: its weights and biases, and the gains and
        biases of its norms, are trained.
    x, y : array_like
        Inputs and targets: of a chain of one batch shape, of a network as for `Network.backprop`.
    w, b : array_like of shape (L,)
        Where a chain starts. A network starts with those that it carries, unless it is given others: sequences of
        matrices and of vectors.
    optimiser : Optimiser
        Such as `gradtheory.optimisers.heavy_ball(0.1, 0.9)`; its weight decay is applied, but is not in the loss.
    steps : int
        How many, at most: a run that overflows ends early, which is a result and no error.
    batch_size : int, optional
        How many samples a step takes; all of them unless given. In an epoch every sample is taken once.
    seed : int
        Of the order of samples, drawn anew for each epoch.
    clip : Clipping or callable, optional
        `gradtheory.remedies.clipping("norm", 1.0)`, or a function that takes the gradients, of a chain [∂C/∂w, ∂C/∂b],
        of a network those by all weights, all biases and then the norms, and returns those for the optimiser.
    schedule : callable, optional
        Takes (step, w, b) and returns the learning rate of that step, such as `gradtheory.remedies.warm_up(0.1, 10)`.
    proximal : callable, optional
        Applied to the weights after each step, such as the soft threshold of an L1 penalty: of a network to each W_l.

    Returns
    -------
    Training
        Of a chain with `.w` and `.b` after every step, of a network with the trained `.network`.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, shapes do not fit, the depth is a symbol, `optimiser` is none of
        `gradtheory.optimisers`, or a schedule returns a learning rate that is not positive.

    Examples
    --------
    >>> from gradtheory.training.optimisers import adam, gradient_descent
    >>> chain = Chain(depth=3, activation="identity")
    >>> run = train(chain, [1.0], [0.0], [3.0, 3.0, 3.0], [0.0, 0.0, 0.0], optimiser=gradient_descent(0.1), steps=50)
    >>> run.steps, run.has_diverged, run.events[-1].kind
    (3, True, <EventKind.OVERFLOW: 'overflow'>)
    >>> network = Network((1, 1), "identity", "mse", w=[[[0.0]]], b=[[0.0]])
    >>> run = train(network, [[1.0], [2.0]], [[3.0], [5.0]], optimiser=adam(0.1), steps=600, batch_size=1)
    >>> run.network.forward([[4.0]]).round(1)
    array([[9.]])

    """
    optimiser = read_optimiser(optimiser)
    for name, argument, rule in (
        ("clip", clip, _CLIP),
        ("schedule", schedule, _SCHEDULE),
        ("proximal", proximal, _MAP),
    ):
        if argument is not None and not isinstance(argument, Clipping):
            read_function(argument, name, rule)
    most = read_count(steps, "steps", _MOST_STEPS, least=0)
    ways = Ways(None if clip is None else _both(clip), schedule, proximal)
    if isinstance(network := read_either(network), Network):
        network = network if w is None and b is None else network.carrying(w, b)
        x, y = network.read_data(x, y)
        return train_network(network, x, y, optimiser, most, Batches(len(x), batch_size, seed), ways)
    problem = ChainProblem(network, *read_samples(x, y))
    start = optimiser.start([read_parameters(w, "w", problem.depth), read_parameters(b, "b", problem.depth)])
    batches = Batches(problem.x.size, batch_size, seed)
    record, events = run(problem, start, optimiser, batches, most, ways, keeps_all=True)
    rows = ([state.parameters[k] for state in record.states] for k in range(2))
    weights, biases = (np.array(each).reshape(-1, problem.depth) for each in rows)
    last = record.states[-1] if record.states else start
    arrays, jumps = record.arrays(problem.depth), tuple(record.jumps)
    return ChainTraining(*arrays, events, batches.per_epoch, last, jumps, weights, biases)


def train_network(
    network: Network, x: Array, y: Array, optimiser: Optimiser, most: int, batches: Batches, ways: Ways,
    *, explains: bool = True,
) -> NetworkTraining:  # fmt: skip
    """Train a network; the arguments are checked. Events need no causes where nobody reads them."""
    problem = NetworkProblem(network, x, y)
    start = optimiser.start(problem.start)
    record, events = run(problem, start, optimiser, batches, most, ways, keeps_all=False, explains=explains)
    last = record.states[-1] if record.states else start
    arrays, jumps, trained = record.arrays(problem.depth), tuple(record.jumps), problem.after(last.parameters)
    return NetworkTraining(*arrays, events, batches.per_epoch, last, jumps, trained)


def _both(clip: ClipLike) -> Clip:
    """Return a function of gradients and parameters."""
    if isinstance(clip, Clipping):
        return clip.clipped

    def clipped(gradients: Sequence[Array], _parameters: Sequence[Array]) -> Sequence[Array]:
        return clip(gradients)

    return clipped
