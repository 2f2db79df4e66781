"""Advice on a concrete chain: a diagnosis layer by layer, and remedies that were tried."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.inputs import read_parameters, read_samples
from gradtheory.chains.backprop import factors
from gradtheory.chains.chain import Chain
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.training.advice.diagnosis import LayerDiagnosis, diagnose
from gradtheory.training.advice.prescription import Prescription, against_explosion, against_vanishing, for_the_step
from gradtheory.training.remedies.activation_choice import VANISHED
from gradtheory.typing import ArrayLike


@dataclass(frozen=True)
class Advice:
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
        What to do, tried. Of a chain in which nothing explodes or vanishes only the limit of the learning rate, if
        there is one.

    """

    layers: tuple[LayerDiagnosis, ...]
    total_factor: float
    growth: float
    overflow: dict[str, int | float]
    remedies: tuple[Prescription, ...]

    @property
    def exploding(self) -> tuple[int, ...]:
        """The layers with factors above 1 on some samples."""
        return tuple(each.layer for each in self.layers if each.exploding > 0.0)

    @property
    def vanishing(self) -> tuple[int, ...]:
        """The layers with factors below 0.1 on all samples."""
        return tuple(each.layer for each in self.layers if each.vanishing == 1.0)

    def _lines(self) -> Iterator[str]:
        yield from (str(each) for each in self.layers if each.exploding > 0.0 or each.vanishing > 0.0)
        yield f"largest |da_L/dx| on the data: {self.total_factor:.4g}, {self.growth:.4g} per layer"
        depths = ", ".join(f"{name} {depth}" for name, depth in self.overflow.items())
        yield f"at that rate out of range after so many layers: {depths}"
        yield from map(str, self.remedies)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        layers = f"exploding layers {self.exploding}, vanishing layers {self.vanishing}"
        return f"Advice({layers}, largest factor {self.total_factor:.4g}, {len(self.remedies)} remedies)"


def advise(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> Advice:
    """Say which layers of a chain explode or vanish on its data, and what removes it; every remedy is tried.

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
    >>> advice = advise(Chain(depth=3), [-0.2, 0.2], [0.0, 1.0], w=[7.0, 7.0, 7.0], b=[0.0, -3.5, -3.5])
    >>> print(advice.remedies[0])
    clip the weights to 1/sup|σ'|: [4. 4. 4.]
        |σ'(z)·w| ≤ sup|σ'|·|w| ≤ 1 at every input (critical weight)
        largest factor on the data: 1.111 before, 0.8747 after: as promised
    >>> all(remedy.works for remedy in advice.remedies)
    True

    """
    depth = len(chain.layer_activations)
    weights, biases = read_parameters(w, "w", depth), read_parameters(b, "b", depth)
    inputs, targets = read_samples(x, y)
    jacobians = factors(chain.layer_activations, inputs, weights, biases)
    layers = diagnose(chain, jacobians, weights)
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(jacobians)).sum(axis=0).max(initial=-math.inf)
        total, growth = float(np.exp(logs)), float(np.exp(logs / depth))
    remedies: list[Prescription] = []
    if any(each.exploding for each in layers):
        remedies += against_explosion(chain, inputs, targets, weights, biases)
    if any(each.vanishing == 1.0 for each in layers) or total < VANISHED:
        remedies += against_vanishing(chain, inputs, weights, biases)
    remedies += for_the_step(chain, inputs, targets, weights, biases)
    overflow = {name: overflow_depth(growth, name) for name in FLOAT_TYPES}
    return Advice(layers, total, growth, overflow, tuple(remedies))
