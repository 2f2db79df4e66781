"""Advice on a concrete chain: a diagnosis layer by layer, and remedies that were tried."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import read_parameters, read_samples
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.training.advice.diagnosis import LayerDiagnosis, diagnose, safe_factors
from gradtheory.training.advice.plan import prescribe
from gradtheory.training.advice.prescription import Prescription
from gradtheory.typing import ArrayLike


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


def advise(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> Advice:
    """Say which layers of a chain explode or vanish on its data, and what helps; every remedy is tried on its loss.

    Runs of 200 steps of gradient descent from these weights are compared: with each remedy and without it, at many
    learning rates. The advice, all remedies that work together, ends no higher than the better of the loss as it is and
    of the run with η = 0.1; the gradient stays below 1000, or below what it is at the start.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : array_like
        Inputs and targets, of one batch shape.
    w, b : array_like of shape (L,)
        Weights and biases.

    Returns
    -------
    Advice
        `print` shows it.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or shapes do not fit.
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

    """
    depth = len(read_concrete_chain(chain).layer_activations)
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
