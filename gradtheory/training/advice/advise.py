"""Advice on a chain or a network with its data: what is wrong with it, and remedies that were tried."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import read_count, read_parameters, read_samples, read_seed
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.either import read_either
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.random_weights.simulation.measured import Progress
from gradtheory.training.advice.of_chain.bench import USUAL
from gradtheory.training.advice.of_chain.choice_of_remedies import prescribe
from gradtheory.training.advice.of_chain.diagnosis import LayerDiagnosis, diagnose, safe_factors
from gradtheory.training.advice.of_chain.prescription import Prescription
from gradtheory.training.advice.of_network.advise_network import NetworkAdvice, advise_network
from gradtheory.training.batches import Batches
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser
from gradtheory.typing import ArrayLike

_STEPS, _MOST = 100, 1_000_000


@dataclass(frozen=True)
class Advice(ShownAsTable):
    """A diagnosis of a chain on its data, and remedies that were tried on it; `print` shows both.

    Attributes
    ----------
    layers : tuple of LayerDiagnosis
    total_factor : float
        The greatest |∂a_L/∂x| over the samples.
    growth : float
        Its L-th root: the factor per layer.
    overflow : dict of str to int or float
        For each float type: after how many layers a gradient that grows by that factor overflows or underflows.
    remedies : tuple of Prescription
        Those that work are the advice, to be followed together; the others were tried, and say what they cost.
    reason : str
        Why nothing is advised; empty if something is.

    """

    layers: tuple[LayerDiagnosis, ...]
    total_factor: float
    growth: float
    overflow: dict[str, int | float]
    remedies: tuple[Prescription, ...]
    reason: str

    @property
    def exploding(self) -> tuple[int, ...]:
        """The layers with factors above 1 on some samples."""
        return tuple(each.layer for each in self.layers if each.exploding > 0.0)

    @property
    def vanishing(self) -> tuple[int, ...]:
        """The layers with factors below 0.1 on some samples."""
        return tuple(each.layer for each in self.layers if each.vanishing > 0.0)

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.layers)
        yield f"largest |da_L/dx| on the data: {self.total_factor:.4g}, {self.growth:.4g} per layer"
        depths = ", ".join(f"{name} {depth}" for name, depth in self.overflow.items())
        yield f"at that rate out of range after so many layers: {depths}"
        if self.reason:
            yield self.reason
        yield from map(str, self.remedies)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        layers = f"exploding layers {self.exploding}, vanishing layers {self.vanishing}"
        works = sum(remedy.works for remedy in self.remedies)
        return f"Advice({layers}, largest factor {self.total_factor:.4g}, {works} remedies)"


@overload
def advise(
    network: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, *, optimiser: None = ..., steps: None = ...,
    batch_size: None = ..., seed: int = ..., progress: None = ...,
) -> Advice: ...  # fmt: skip


@overload
def advise(
    network: Network, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike] | None = ...,
    b: Sequence[ArrayLike] | None = ..., *, optimiser: Optimiser | None = ...,
    steps: int | None = ..., batch_size: int | None = ..., seed: int = ..., progress: Progress | None = ...,
) -> NetworkAdvice: ...  # fmt: skip


@with_other_names
def advise(
    network: Chain | Network,
    x: ArrayLike,
    y: ArrayLike,
    w: Any = None,
    b: Any = None,
    *,
    optimiser: Optimiser | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Advice | NetworkAdvice:
    """Say what is wrong with a chain or a network on its data, and what helps: every remedy is tried on its loss.

    Of a chain runs of 200 steps of gradient descent from these weights are compared: with each remedy and without it,
    at many learning rates. The advice, all remedies that work together, ends no higher than the better of the loss as
    it is and of the run with η = 0.1; the gradient stays below 1000, or below what it is at the start.

    Of a network each remedy is tried alone, from the smallest change to the largest: a learning rate, clipping to a
    norm that the run had, other sizes of the initial weights, norms, residual connections. It works if with it the
    gradient stays in range, below 1000 or 1000 times that by the outputs at the start, and the loss ends at least as
    good, in a second run from a start that hardly differs too, so that rounding does not decide; the first that works
    is the advice.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth L, or a network.
    x, y : array_like
        Inputs and targets: of a chain of one batch shape, of a network as for `Network.backprop`.
    w, b : array_like of shape (L,)
        Weights and biases of a chain; of a network sequences of matrices and vectors, unless it carries them.
    optimiser : Optimiser, optional
        With which a network is trained; gradient descent with η = 0.1 unless given. This and what follows is for
        networks alone.
    steps : int, optional
        How many; 100 unless given.
    batch_size : int, optional
        How many samples a step takes; all of them unless given.
    seed : int
        Of the order of samples.
    progress : callable, optional
        Such as ``tqdm.tqdm``: of the kinds of remedies. A minute goes by where layers are wide.

    Returns
    -------
    Advice or NetworkAdvice
        `print` shows it. Both have `.remedies`, each with `.kind`, `.value`, `.works`, `.loss_without` and
        `.loss_with`, and a `.reason` where nothing is advised.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, shapes do not fit, or a chain is given what is for networks.
    Undecided
        If the slope of your own expression cannot be analysed, as for sin(z)·z.

    Examples
    --------
    >>> x, y = [-0.2, 0.2], [0.0, 1.0]
    >>> advice = advise(Chain(depth=3), x, y, w=[7.0, 7.0, 7.0], b=[0.0, -3.5, -3.5])
    >>> advice.exploding
    (1,)
    >>> [(remedy.kind, remedy.works, remedy.loss_with <= remedy.loss_without) for remedy in advice.remedies][0]
    ('learning_rate', True, True)
    >>> rng = np.random.default_rng(0)
    >>> w = [rng.normal(0, 2 / 4, (16, 16)) for _ in range(12)]
    >>> network = Network((16,) * 13, "relu", "mse", w=w, b=[np.zeros(16)] * 12)
    >>> advise(network, rng.normal(size=(32, 16)), rng.normal(size=(32, 16)), steps=10).advised.kind
    'initialisation'

    """
    if isinstance(network := read_either(network), Network):
        network = network if w is None and b is None else network.carrying(w, b)
        most = _STEPS if steps is None else read_count(steps, "steps", _MOST)
        rule = gradient_descent(USUAL) if optimiser is None else read_optimiser(optimiser)
        size = Batches(1, batch_size, seed).size
        return advise_network(
            network, *network.read_data(x, y), rule, steps=most, batch_size=size, seed=read_seed(seed),
            progress=progress,
        )  # fmt: skip
    for_networks = {"optimiser": optimiser, "steps": steps, "batch_size": batch_size, "progress": progress}
    for name, value in for_networks.items():
        if value is not None:
            raise InvalidArgument(name, value, "must be left out for a chain, whose runs are gradient descent")
    return _of_chain(network, x, y, w, b)


def _of_chain(chain: Chain, x: Any, y: Any, w: Any, b: Any) -> Advice:
    depth = len(chain.layer_activations)
    weights, biases = read_parameters(w, "w", depth), read_parameters(b, "b", depth)
    inputs, targets = read_samples(x, y)
    jacobians = safe_factors(chain, inputs, weights, biases)
    layers = diagnose(chain, jacobians, weights)
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(jacobians)).sum(axis=0)
        largest = float(np.where(np.isnan(logs), -np.inf, logs).max(initial=-np.inf))  # nan is 0 times inf
        total, growth = float(np.exp(largest)), float(np.exp(largest / depth))
    overflow = {name: 1 if math.isinf(growth) else overflow_depth(growth, name) for name in FLOAT_TYPES}
    remedies, reason = prescribe(
        chain, inputs, targets, weights, biases, explodes=any(each.exploding > 0.0 for each in layers)
    )
    return Advice(layers, total, growth, overflow, remedies, reason)
