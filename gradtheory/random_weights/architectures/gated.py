"""A gated recurrent layer: the minimal one, whose maps of variance and gradient are closed."""

import math
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.architectures.layers import Backward, Block, Layer
from gradtheory.random_weights.architectures.signal import (
    Signal,
    Step,
    Variances,
    mean_squares,
    product_moments,
    second_moments,
)

_GATE = activation("sigmoid")


@dataclass(frozen=True, repr=False)
class Gated(Block):
    """h' = u ∘ h + (1 - u) ∘ x with the gate u = sigmoid(W·h + V·x + b)."""

    sigma_w: float
    sigma_b: float
    sigma_v: float
    input_size: float

    def __repr__(self) -> str:
        names = ("sigma_w", "sigma_b", "sigma_v", "input_size")
        return f"gated_recurrent({', '.join(f'{name}={getattr(self, name):.6g}' for name in names)})"

    def step(self, signal: Signal, depth: int) -> Step:
        """Return (q + r)·E[u²], (p + r)·E[u₁u₂] and E[u²] + σ_w²·E[u'²]·(q + r), with r = input_size²."""
        del depth
        q, p, r, size = *signal, self.input_size**2, self.sigma_w**2
        added = self.sigma_v**2 * r + self.sigma_b**2
        gate, slope = second_moments(_GATE, size * q + added)
        error = gate.error / gate + slope.error / slope
        variance, gradient = (q + r) * gate, gate + size * slope * (q + r)
        if math.isnan(p):
            return Step(Signal(variance), gradient, error=error)
        product, slopes = product_moments(_GATE, Signal(size * q + added, size * p + added))
        error += product.error / product + slopes.error / slopes
        return Step(Signal(variance, (p + r) * product), gradient, product + size * slopes * (p + r), error)

    def variances(self, q: Array) -> Variances:
        """Return (q + r)·E[u²]."""
        r, size = self.input_size**2, self.sigma_w**2
        gate, growth, error = mean_squares(_GATE, size * q + self.sigma_v**2 * r + self.sigma_b**2)
        return Variances((q + r) * gate, gate + size * growth * (q + r), (q + r) * error)

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return a step with weights and inputs of its own."""
        del depth
        w, v = (rng.normal(0.0, each / math.sqrt(width), (width, width)) for each in (self.sigma_w, self.sigma_v))
        bias = rng.normal(0.0, self.sigma_b, (width, 1)) if self.sigma_b else 0.0

        def layer(h: Array) -> tuple[Array, Backward]:
            x = rng.normal(0.0, self.input_size, (width, 1)) if self.input_size else np.zeros((width, 1))
            gate, slope = _GATE.value_and_slope(w @ h + v @ x + bias)
            return gate * h + (1.0 - gate) * x, lambda delta: gate * delta + w.T @ (slope * (h - x) * delta)

        return layer
