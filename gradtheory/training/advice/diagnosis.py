"""What each layer of a concrete chain does to gradients, on the data that it has."""

from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.training.remedies.activation_choice import VANISHED


@dataclass(frozen=True)
class LayerDiagnosis:
    """The factors |σ'(z_l)·w_l| of one layer over the samples.

    Attributes
    ----------
    layer : int
        From 1.
    weight, critical_weight : float
        w_l, and 1/sup|σ'|, up to which no factor exceeds 1 at any input.
    largest_factor : float
        Over the samples.
    exploding, vanishing : float
        The share of samples with a factor above 1, and below 0.1.

    """

    layer: int
    weight: float
    critical_weight: float
    largest_factor: float
    exploding: float
    vanishing: float


def diagnosed(chain: Chain, factors: Array, w: Array) -> tuple[LayerDiagnosis, ...]:
    """Return the diagnosis of every layer."""
    sizes = np.abs(factors)
    return tuple(
        LayerDiagnosis(
            layer + 1,
            float(w[layer]),
            float(1 / record.steepest_slope),
            float(row.max(initial=0.0)),
            float(np.mean(row > 1.0)),
            float(np.mean(row < VANISHED)),
        )
        for layer, (record, row) in enumerate(zip(chain.layer_activations, sizes, strict=True))
    )
