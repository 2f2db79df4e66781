"""Remedies with constants for a concrete chain, each applied and measured."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import Activation
from gradtheory.backprop import factors
from gradtheory.chain import Chain
from gradtheory.curvature import largest_stable_step
from gradtheory.errors import InvalidArgument
from gradtheory.inputs import Array
from gradtheory.optimisers import gradient_descent
from gradtheory.remedies import weight_decay_guarantee
from gradtheory.training import train

_STEPS = 50
_MARGIN = 1.01  # of a strict bound
_WINDOW = 4.0  # largest |z| at which a slope is sought
_GRID_ERROR = 1e-3


@dataclass(frozen=True)
class Prescription:
    """A remedy with its constant, the theorem it rests on, and what was measured without and with it.

    Attributes
    ----------
    remedy : str
        What to do.
    constant : float or ndarray
        With which number: per layer where it is an array.
    theorem : str
        What it guarantees.
    measured : str
        What is compared.
    before, after : float
        Without the remedy and with it.
    works : bool
        Whether what the theorem promises was measured.

    """

    remedy: str
    constant: float | Array
    theorem: str
    measured: str
    before: float
    after: float
    works: bool

    def __str__(self) -> str:
        with np.printoptions(precision=4, threshold=8):
            shown = f"{self.constant:.6g}" if isinstance(self.constant, float) else str(self.constant)
        verdict = "as promised" if self.works else "NOT as promised"
        return (
            f"{self.remedy}: {shown}\n    {self.theorem}\n"
            f"    {self.measured}: {self.before:.4g} before, {self.after:.4g} after: {verdict}"
        )


def against_explosion(chain: Chain, x: Array, y: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield what stops factors above 1: smaller weights, and a weight decay that keeps them small."""
    slopes = np.array([float(each.steepest_slope) for each in chain.layer_activations])
    if not np.isfinite(slopes).all():
        return
    limits = 1.0 / np.where(slopes > 0.0, slopes, np.inf)
    limits[slopes == 0.0] = math.inf
    small = np.clip(w, -limits, limits)
    before, after = (
        float(np.abs(factors(chain.layer_activations, x, each, b)).max(initial=0.0)) for each in (w, small)
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
        guarantee = weight_decay_guarantee(chain, x, y)
    except InvalidArgument:  # unbounded activations
        return
    decay = _MARGIN * guarantee.weight_decay
    if not decay > 0.0:
        return
    run = train(chain, x, y, small, b, optimiser=gradient_descent(1.0 / decay, weight_decay=decay), steps=_STEPS)
    largest = float(run.factors.max(initial=0.0))
    yield Prescription(
        "then train with L2 weight decay above λ*",
        guarantee.weight_decay,
        "for λ > λ* and η·λ ≤ 1 no |w_l| leaves its critical weight, nor any factor 1, however long (weight decay)",
        f"largest factor, before and in {_STEPS} steps with λ = {decay:.4g}, η = 1/λ",
        before,
        largest,
        largest <= 1.0 + 1e-12,
    )


def against_vanishing(chain: Chain, x: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield the biases that put the middle sample where each slope is greatest."""
    moved = b.copy()
    middle = np.sort(x)[len(x) // 2 : len(x) // 2 + 1]
    a = middle
    for layer, record in enumerate(chain.layer_activations):
        moved[layer] = _steepest_place(record) - float(w[layer] * a[0])
        a = record.value(w[layer] * a + moved[layer])
    before, after = (float(abs(np.prod(factors(chain.layer_activations, middle, w, each)))) for each in (b, moved))
    yield Prescription(
        "move the biases to",
        moved,
        "the factors of the middle sample are then |w|·sup|σ'|, which no bias exceeds (critical weight)",
        f"|∂a_L/∂x| at the middle sample, x = {middle[0]:.4g}",
        before,
        after,
        after >= before * (1.0 - _GRID_ERROR),
    )


def _steepest_place(record: Activation) -> float:
    """Return a z in the middle of where |σ'| is greatest, on a grid of step 0.01 around 0."""
    z = np.linspace(-_WINDOW, _WINDOW, 801)
    sizes = np.abs(record.slope(z))
    return float(np.median(z[sizes >= sizes.max() * (1.0 - 1e-9)]))


def for_the_step(chain: Chain, x: Array, y: Array, w: Array, b: Array) -> Iterator[Prescription]:
    """Yield the learning rate that is stable on the quadratic at the point, tried beside twice that."""
    try:
        limit = largest_stable_step(chain, x, y, w, b, optimiser=gradient_descent(1.0))
    except InvalidArgument:  # second derivatives overflow
        return
    if math.isinf(limit):
        return
    before, after = (_left_along_the_sharpest(limit, share) for share in (2.0, 0.9))
    yield Prescription(
        "keep the learning rate of gradient descent below",
        limit,
        "η < 2/h on the quadratic that touches the loss, h the largest eigenvalue of its Hessian (stability region)",
        f"distance along its sharpest direction after {_STEPS} steps from 1, with η twice that and 0.9 of it",
        before,
        after,
        after < 1.0 < before,
    )


def _left_along_the_sharpest(limit: float, share: float) -> float:
    h = 2.0 / limit
    optimiser = gradient_descent(share * limit)
    state = optimiser.start([1.0])
    for _ in range(_STEPS):
        state = optimiser.step(state, [h * state.parameters[0]])
    return float(abs(state.parameters[0]))
