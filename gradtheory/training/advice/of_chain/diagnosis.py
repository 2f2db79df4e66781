"""What each layer of a concrete chain does to gradients on its data."""

from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import percent
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import forward_pass
from gradtheory.explosion import critical_weight
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

    def __str__(self) -> str:
        return (
            f"layer {self.layer}: w = {self.weight:.4g} (critical {self.critical_weight:.4g}), largest factor "
            f"{self.largest_factor:.4g}; explodes on {percent(self.exploding)}, vanishes on {percent(self.vanishing)}"
        )


def safe_factors(chain: Chain, x: Array, w: Array, b: Array) -> Array:
    """Return σ'(z_l)·w_l of shape (L, samples), where 0 times inf is 0, and 0 where a slope at inf is not a number."""

    def affine(a: Array, weight: Array, bias: Array) -> Array:
        return np.asarray(weight * a + bias if weight else np.full_like(a, bias))

    with np.errstate(all="ignore"):
        slopes = np.array(forward_pass(chain.layer_activations, affine, x, w, b).slopes)
        return np.nan_to_num(slopes * w[:, np.newaxis], nan=0.0, posinf=np.inf, neginf=-np.inf)


def diagnose(chain: Chain, factors: Array, w: Array) -> tuple[LayerDiagnosis, ...]:
    """Return the diagnosis of every layer, from its factors on the samples, an array of shape (L, samples)."""
    sizes = np.abs(factors)
    return tuple(
        LayerDiagnosis(
            layer + 1,
            float(w[layer]),
            float(critical_weight(record)),
            float(row.max(initial=0.0)),
            float(np.sum(row > 1.0)) / max(row.size, 1),
            float(np.sum(row < VANISHED)) / max(row.size, 1),
        )
        for layer, (record, row) in enumerate(zip(chain.layer_activations, sizes, strict=True))
    )
