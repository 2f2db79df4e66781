"""Planted bugs: a small implementation of backpropagation in NumPy, and what goes wrong in one, a record each.

Nothing here is gradtheory's. An implementation is a few steps, and a bug replaces some of them; layers count from 0 here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtr

Step = Callable[..., Any]

_SELU = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def logistic(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def logistic_slope(z):
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def density(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def exponential(z):
    return np.exp(np.minimum(z, 0.0))


def elu(z, scale=1.0, alpha=1.0):
    return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))


def elu_slope(z, scale=1.0, alpha=1.0):
    return scale * np.where(z > 0, 1.0, alpha * exponential(z))


ACTIVATIONS: Mapping[str, tuple[Step, Step]] = {  # σ and σ'
    "identity": (np.copy, np.ones_like),
    "sigmoid": (logistic, logistic_slope),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "hard_tanh": (lambda z: np.clip(z, -1.0, 1.0), lambda z: np.where(np.abs(z) < 1, 1.0, 0.0)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (elu, elu_slope),
    "selu": (lambda z: elu(z, *_SELU), lambda z: elu_slope(z, *_SELU)),
    "softplus": (lambda z: np.logaddexp(0.0, z), logistic),
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) + z * logistic_slope(z)),
    "gelu": (lambda z: z * ndtr(z), lambda z: ndtr(z) + z * density(z)),
}

LOSSES: Mapping[str, tuple[Step, Step]] = {  # C and δ of the last layer; cross entropy after a sigmoid
    "squared": (lambda z, a, y: 0.5 * (a - y) ** 2, lambda z, a, y, slope: (a - y) * slope),
    "cross_entropy": (
        lambda z, a, y: y * np.logaddexp(0.0, -z) + (1 - y) * np.logaddexp(0.0, z),
        lambda z, a, y, slope: a - y,
    ),
}


@dataclass(frozen=True)
class Steps:
    """What every implementation is made of."""

    value: Step
    slope: Step
    cost: Step
    last_delta: Step

    def __call__(self, x, y, w, b):
        with np.errstate(all="ignore"):
            return self.run(x, y, w, b)


@dataclass(frozen=True)
class Chain(Steps):
    """A chain of single neurons."""

    affine: Step = lambda w, a, b: w * a + b
    hidden_slope: Step = lambda slope, z, a, layer: slope(z[layer])
    delta_below: Step = lambda delta, w, layer, slope: delta * w[layer] * slope
    entering: Step = lambda a, z, layer: a[layer]
    total_loss: Step = np.sum
    total: Step = np.sum
    by_x: Step = lambda delta, w: delta * w[0]
    returned: Step = lambda gradients: gradients

    def run(self, x, y, w, b):
        a, z, by_w, by_b = [x], [], [], []
        for weight, bias in zip(w, b, strict=True):
            z.append(self.affine(weight, a[-1], bias))
            a.append(self.value(z[-1]))
        delta = self.last_delta(z[-1], a[-1], y, self.slope(z[-1]))
        for layer in reversed(range(len(w))):
            by_w.insert(0, self.total(delta * self.entering(a, z, layer)))
            by_b.insert(0, self.total(delta))
            if layer:
                delta = self.delta_below(delta, w, layer, self.hidden_slope(self.slope, z, a, layer - 1))
        loss = self.total_loss(self.cost(z[-1], a[-1], y))
        return self.returned({"loss": loss, "w": np.array(by_w), "b": np.array(by_b), "x": self.by_x(delta, w)})


@dataclass(frozen=True)
class Network(Steps):
    """A network of wide layers."""

    by_a: Step = lambda delta, w: delta @ w
    by_b: Step = lambda delta: delta.sum(axis=0)

    def run(self, x, y, w, b):
        a, z, by_w, by_b = [x], [], [], []
        for weight, bias in zip(w, b, strict=True):
            z.append(a[-1] @ weight.T + bias)
            a.append(self.value(z[-1]))
        delta = self.last_delta(z[-1], a[-1], y, self.slope(z[-1]))
        for layer in reversed(range(len(w))):
            by_w.insert(0, delta.T @ a[layer])
            by_b.insert(0, self.by_b(delta))
            delta = self.by_a(delta, w[layer])
            if layer:
                delta = delta * self.slope(z[layer - 1])
        return {"loss": self.cost(z[-1], a[-1], y).sum(), "w": by_w, "b": by_b, "x": delta}


def right(activation: str, loss: str = "squared", *, wide: bool = False) -> Steps:
    """Return the right implementation."""
    return (Network if wide else Chain)(*ACTIVATIONS[activation], *LOSSES[loss])


@dataclass(frozen=True)
class Bug:
    """One thing done wrong, and the steps that do it."""

    id: str
    description: str
    changes: Mapping[str, Step] = field(repr=False, compare=False)
    activation: str = "sigmoid"
    loss: str = "squared"
    wide: bool = False

    @property
    def implementation(self) -> Steps:
        return dataclasses.replace(right(self.activation, self.loss, wide=self.wide), **self.changes)


def tanh_of_gelu(z):
    return np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))


def slope_of_tanh_gelu(z):
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)
    return 0.5 * (1 + tanh_of_gelu(z)) + 0.5 * z * (1 - tanh_of_gelu(z) ** 2) * inner


def rough_ndtr(z):
    """Abramowitz & Stegun (1964), 26.2.17, with an error below 7.5e-8."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = density(z) * series
    return np.where(z > 0, 1 - tail, tail)


def changed(gradients, **others):
    return {**gradients, **{kind: change(gradients[kind]) for kind, change in others.items()}}


def clipped(g):
    return np.clip(g, -1.0, 1.0)


def in_float32(g):
    return np.asarray(g, np.float32)


def sum_in_float32(terms):
    return terms.sum(dtype=np.float32)


BUGS = (
    # The backward pass of a chain.
    Bug("sign", "δ has the wrong sign", {"last_delta": lambda z, a, y, slope: (y - a) * slope}),
    Bug(
        "no_hidden_slope",
        "σ' is missing in layer 1",
        {"hidden_slope": lambda slope, z, a, layer: slope(z[layer]) if layer else 1.0},
        activation="tanh",
    ),
    Bug(
        "slope_at_a",
        "σ'(a) in place of σ'(z) in hidden layers, as after an activation in place",
        {"hidden_slope": lambda slope, z, a, layer: slope(a[layer + 1])},
        activation="silu",
    ),
    Bug(
        "weight_off_by_one",
        "δ_l is made with w_l in place of w_{l+1}",
        {"delta_below": lambda delta, w, layer, slope: delta * w[layer - 1] * slope},
    ),
    Bug(
        "input_off_by_one",
        "∂C/∂w_l is made with a_l in place of a_{l-1}",
        {"entering": lambda a, z, layer: a[layer + 1]},
    ),
    Bug(
        "z_for_a",
        "∂C/∂w_l is made with z_{l-1} in place of a_{l-1}",
        {"entering": lambda a, z, layer: z[layer - 1] if layer else a[0]},
        activation="tanh",
    ),
    Bug(
        "absolute_weight",
        "δ_l is made with |w_{l+1}|",
        {"delta_below": lambda delta, w, layer, slope: delta * np.abs(w[layer]) * slope},
    ),
    Bug("x_without_weight", "∂C/∂x lacks the factor w_1", {"by_x": lambda delta, w: delta}),
    Bug(
        "first_delta",
        "δ_1 is returned for every bias",
        {"returned": lambda gradients: changed(gradients, b=lambda b: np.full_like(b, b[0]))},
    ),
    Bug(
        "reversed_layers",
        "gradients are returned from the last layer to the first",
        {"returned": lambda gradients: changed(gradients, w=np.flip, b=np.flip)},
    ),
    Bug(
        "clipped",
        "gradients are clipped to [-1, 1], and nobody is told",
        {"returned": lambda gradients: changed(gradients, w=clipped, b=clipped, x=clipped)},
        activation="relu",
    ),
    # The batch.
    Bug("last_sample", "the gradient is the last sample's", {"total": lambda losses: losses[-1]}),
    Bug("mean_gradient", "gradients are the mean over the batch, the loss is the sum", {"total": np.mean}),
    Bug(
        "mean",
        "mean in place of sum over the batch, in loss and gradients alike",
        {"total_loss": np.mean, "total": np.mean, "by_x": lambda delta, w: delta * w[0] / len(delta)},
    ),
    # The loss.
    Bug(
        "no_half",
        "(a - y)² in place of ½(a - y)², in loss and gradients alike",
        {"cost": lambda z, a, y: (a - y) ** 2, "last_delta": lambda z, a, y, slope: 2 * (a - y) * slope},
    ),
    Bug(
        "doubled_gradient",
        "2(a - y) in the gradient of ½(a - y)²",
        {"last_delta": lambda z, a, y, slope: 2 * (a - y) * slope},
    ),
    Bug(
        "double_slope",
        "cross entropy: δ_L = (a - y)·σ', a factor σ' too many",
        {"last_delta": lambda z, a, y, slope: (a - y) * slope},
        loss="cross_entropy",
    ),
    Bug(
        "swapped_target",
        "cross entropy: y and 1 - y are swapped, in loss and gradients alike",
        {
            "cost": lambda z, a, y: (1 - y) * np.logaddexp(0.0, -z) + y * np.logaddexp(0.0, z),
            "last_delta": lambda z, a, y, slope: a - (1 - y),
        },
        loss="cross_entropy",
    ),
    # The forward pass of a chain, rightly differentiated.
    Bug(
        "lost_bias",
        "the biases are left out, and their gradients are 0",
        {"affine": lambda w, a, b: w * a, "returned": lambda gradients: changed(gradients, b=np.zeros_like)},
    ),
    Bug(
        "linear_output",
        "the last layer is left linear",
        {"cost": lambda z, a, y: 0.5 * (z - y) ** 2, "last_delta": lambda z, a, y, slope: z - y},
        activation="tanh",
    ),
    # Kinks.
    Bug("relu_kink_1", "relu'(0) = 1", {"slope": lambda z: np.where(z >= 0, 1.0, 0.0)}, activation="relu"),
    Bug("relu_kink_half", "relu'(0) = ½", {"slope": lambda z: np.heaviside(z, 0.5)}, activation="relu"),
    Bug(
        "hard_tanh_kink",
        "hard_tanh'(±1) = 1",
        {"slope": lambda z: np.where(np.abs(z) <= 1, 1.0, 0.0)},
        activation="hard_tanh",
    ),
    # Activations.
    Bug("sigmoid_slope", "z(1 - z) in place of σ(1 - σ)", {"slope": lambda z: z * (1 - z)}),
    Bug("tanh_slope", "1 - a in place of 1 - a²", {"slope": lambda z: 1 - np.tanh(z)}, activation="tanh"),
    Bug(
        "elu_slope",
        "elu's slope with expm1(z) in place of exp(z)",
        {"slope": lambda z: np.where(z > 0, 1.0, elu(z))},
        activation="elu",
    ),
    Bug("silu_slope", "silu's slope without z·σ'(z)", {"slope": logistic}, activation="silu"),
    Bug("gelu_slope", "gelu's slope without z·φ(z)", {"slope": ndtr}, activation="gelu"),
    Bug(
        "tanh_gelu",
        "gelu by its tanh formula, slope and all",
        {"value": lambda z: 0.5 * z * (1 + tanh_of_gelu(z)), "slope": slope_of_tanh_gelu},
        activation="gelu",
    ),
    Bug(
        "rough_gelu",
        "gelu by a formula of 7 digits for Φ, slope and all",
        {"value": lambda z: z * rough_ndtr(z), "slope": lambda z: rough_ndtr(z) + z * density(z)},
        activation="gelu",
    ),
    Bug(
        "leaky_constant",
        "leaky_relu with 0.1 in place of 0.01, slope and all",
        {"value": lambda z: np.where(z > 0, z, 0.1 * z), "slope": lambda z: np.where(z > 0, 1.0, 0.1)},
        activation="leaky_relu",
    ),
    Bug(
        "selu_constants",
        "selu with its constants rounded to 1.0507 and 1.6733, slope and all",
        {"value": lambda z: elu(z, 1.0507, 1.6733), "slope": lambda z: elu_slope(z, 1.0507, 1.6733)},
        activation="selu",
    ),
    # The range and digits of floats.
    Bug("sigmoid_nan", "exp(z)/(1 + exp(z)), nan for large z", {"value": lambda z: np.exp(z) / (1 + np.exp(z))}),
    Bug(
        "softplus_overflow",
        "log(1 + exp(z)), inf for large z",
        {"value": lambda z: np.log(1 + np.exp(z))},
        activation="softplus",
    ),
    Bug(
        "vanishing_tail",
        "the slope is set to 0 for |z| > 10, where it is 5e-5",
        {"slope": lambda z: np.where(np.abs(z) > 10, 0.0, logistic_slope(z))},
    ),
    Bug("float32_sum", "gradients are summed over the batch in float32", {"total": sum_in_float32}),
    Bug(
        "float32_sums",
        "loss and gradients are summed over the batch in float32",
        {"total": sum_in_float32, "total_loss": sum_in_float32},
    ),
    Bug("float32_z", "z is cast to float32", {"affine": lambda w, a, b: in_float32(w * a + b).astype(float)}),
    Bug(
        "float32_result",
        "gradients are returned in float32",
        {"returned": lambda gradients: changed(gradients, w=in_float32, b=in_float32, x=in_float32)},
    ),
    # Wide networks.
    Bug("not_transposed", "W in place of Wᵀ", {"by_a": lambda delta, w: delta @ w.T}, activation="tanh", wide=True),
    Bug(
        "square_not_transposed",
        "W in place of Wᵀ where W is square",
        {"by_a": lambda delta, w: delta @ (w.T if w.shape[0] == w.shape[1] else w)},
        activation="tanh",
        wide=True,
    ),
    Bug(
        "reshaped",
        "W reshaped to the shape of Wᵀ in place of transposed",
        {"by_a": lambda delta, w: delta @ w.T.reshape(w.shape)},
        activation="tanh",
        wide=True,
    ),
    Bug(
        "mean_bias",
        "the gradient of the biases is the mean over the batch",
        {"by_b": lambda delta: delta.mean(axis=0)},
        activation="tanh",
        wide=True,
    ),
    Bug(
        "first_output",
        "only the first output's error is propagated",
        {"last_delta": lambda z, a, y, slope: (a - y) * slope * (np.arange(a.shape[1]) == 0)},
        activation="tanh",
        wide=True,
    ),
)
