"""Remedies with constants for a concrete chain, each applied and measured."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations.slopes.numeric import steepest_place
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.backprop import factors
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature import hessian_vector_product, sharpest_direction
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import critical_weight
from gradtheory.training import train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import weight_decay_guarantee
from gradtheory.training.stability import largest_stable_step

_STEPS = 50
_MARGIN = 1.01  # of a strict bound
_WINDOWS = 4.0, 40.0  # largest |z| at which a slope is sought
_GRID_ERROR = 1e-3


@dataclass(frozen=True)
class Prescription:
    """A remedy with its constant, the theorem behind it, and a quantity measured without it and with it.

    Attributes
    ----------
    remedy : str
        What to do.
    constant : float or ndarray
        The number that it needs; an array has one for each layer, two rows are weights and biases.
    theorem : str
        What it guarantees.
    quantity : str
        What is measured.
    before, after : float
        Without the remedy and with it.
    works : bool
        Whether the measurement is what the theorem promises.

    """

    remedy: str
    constant: float | Array
    theorem: str
    quantity: str
    before: float
    after: float
    works: bool

    def _outcome(self) -> str:
        return f"{self.before:.4g} before, {self.after:.4g} after: {'' if self.works else 'NOT '}as promised"

    def _headline(self) -> str:
        if isinstance(self.constant, float):
            return f"{self.remedy}: {self.constant:.6g}"
        with np.printoptions(precision=4, threshold=8):
            return f"{self.remedy}: {' '.join(str(self.constant).split())}"

    def __str__(self) -> str:
        return f"{self._headline()}\n    {self.theorem}\n    {self.quantity}: {self._outcome()}"

    def __repr__(self) -> str:
        return f"Prescription({self._headline()}; {self._outcome()})"


def against_explosion(chain: Chain, x: Array, y: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield the remedies against factors above 1: smaller weights, and a weight decay that keeps them small."""
    limits = _critical_weights(chain)
    if not limits.all():
        return
    small = np.clip(w, -limits, limits)
    before, after = (
        float(np.abs(factors(chain.layer_activations, x, weights, b)).max(initial=0.0)) for weights in (w, small)
    )
    yield Prescription(
        "clip the weights to 1/sup|σ'|",
        limits,
        "|σ'(z)·w| ≤ sup|σ'|·|w| ≤ 1 at every input (critical weight)",
        "largest factor on the data",
        before,
        after,
        after <= 1.0 + 1e-12,
    )
    try:
        bound = weight_decay_guarantee(chain, x, y)
    except InvalidArgument:  # unbounded activations
        return
    decay = _MARGIN * bound.weight_decay
    if not decay > 0.0:
        return
    run = train(chain, x, y, small, b, optimiser=gradient_descent(1.0 / decay, weight_decay=decay), steps=_STEPS)
    largest = float(run.factors.max(initial=0.0))
    yield Prescription(
        "then train with L2 weight decay above λ*",
        bound.weight_decay,
        "for λ > λ* and η·λ ≤ 1 no |w_l| leaves its critical weight, nor any factor 1, however long (weight decay)",
        f"largest factor, before and in {_STEPS} steps with λ = {decay:.4g}, η = 1/λ",
        before,
        largest,
        largest <= 1.0 + 1e-12,
    )


def against_vanishing(chain: Chain, x: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield the remedies against factors that vanish: biases that put the middle sample where each slope is greatest.

    Where that is not enough, also weights raised to their critical ones.
    """
    limits = _critical_weights(chain)
    if not (limits.all() and np.isfinite(limits).all()):
        return
    middle = np.sort(x)[len(x) // 2 : len(x) // 2 + 1]

    def total(weights: Array, biases: Array) -> float:
        return float(abs(np.prod(factors(chain.layer_activations, middle, weights, biases))))

    before, quantity = total(w, b), f"|∂a_L/∂x| at the middle sample, x = {middle[0]:.4g}"
    least = 1.0 - _GRID_ERROR * len(w)
    moved = _centred(chain, middle, w)
    after = total(w, moved)
    if after > before * (1.0 + _GRID_ERROR):
        yield Prescription(
            "move the biases to",
            moved,
            "the factors of the middle sample are then |w|·sup|σ'|, which no bias exceeds (critical weight)",
            quantity,
            before,
            after,
            after >= float(np.prod(np.abs(w) / limits)) * least,
        )
    if after < least:
        raised = np.where(np.abs(w) < limits, np.copysign(limits, w), w)
        both = np.array([raised, _centred(chain, middle, raised)])
        kept = total(*both)
        yield Prescription(
            "raise smaller weights to 1/sup|σ'|, and move the biases again, to",
            both,
            "|w|·sup|σ'| ≥ 1 in every layer, so the total factor of the middle sample is at least 1 (critical weight)",
            quantity,
            before,
            kept,
            kept >= least,
        )


def _critical_weights(chain: Chain) -> Array:
    """Return 1/sup|σ'| of every layer: inf for a constant σ, 0 where slopes are unbounded."""
    return np.array([float(critical_weight(each)) for each in chain.layer_activations])


def _centred(chain: Chain, x: Array, w: Array) -> Array:
    """Return the biases with which one sample meets the greatest slope in every layer."""
    biases = np.zeros_like(w)
    for layer, record in enumerate(chain.layer_activations):
        biases[layer] = _steepest_near_zero(record) - float(w[layer] * x[0])
        x = record.value(w[layer] * x + biases[layer])
    return biases


def _steepest_near_zero(record: Activation) -> float:
    """Return where |σ'| is greatest on a grid around 0, or on a wider one if no slope on that is as steep."""
    near, wide = (steepest_place(record.slope, np.linspace(-width, width, 801)) for width in _WINDOWS)
    return near[0] if near[1] >= float(record.steepest_slope) * (1.0 - _GRID_ERROR) else wide[0]


def for_the_step(chain: Chain, x: Array, y: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield the learning rate up to which a step is stable on the quadratic at the point, tried beside twice that."""
    try:
        limit = largest_stable_step(chain, x, y, w, b, optimiser=gradient_descent(1.0))
    except InvalidArgument:  # second derivatives overflow
        return
    if math.isinf(limit):
        return
    _, sharpest = sharpest_direction(chain, x, y, w, b)

    def distance(share: float) -> float:
        """Return how far from its minimum gradient descent on that quadratic, along the sharpest direction, ends."""
        optimiser = gradient_descent(share * limit)
        state = optimiser.start([1.0])
        for _ in range(_STEPS):
            (place,) = state.parameters
            state = optimiser.step(state, [sharpest @ hessian_vector_product(chain, x, y, w, b, place * sharpest)])
        return float(abs(state.parameters[0]))

    before, after = distance(2.0), distance(0.9)
    yield Prescription(
        "keep the learning rate of gradient descent below",
        limit,
        "η < 2/h on the quadratic that touches the loss, h the largest eigenvalue of its Hessian (stability region)",
        f"distance along its sharpest direction after {_STEPS} steps from 1, with η twice that and 0.9 of it",
        before,
        after,
        after < 1.0 < before,
    )
