r"""How large the gradient by each layer's weights can be, at any biases, while no weight exceeds a bound.

Of a network of dense layers in a row ∂C/∂W_l = Σ_i δ_i·a_iᵀ over the samples, with δ_i = ∂C_i/∂z_l and a_i the layer's
inputs. In spectral norms ‖δ·aᵀ‖ = |δ|·|a|, |a| ≤ A_{l-1}·√n_{l-1} for |σ_{l-1}| ≤ A_{l-1}, and |δ_l| is at most
|δ_L|·Π_{k>l} ‖W_k‖·sup|σ_{k-1}'|. With widths of 1 that is the chain's bound.
"""

import math

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array, read_samples
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import largest_value
from gradtheory.networks import Network
from gradtheory.networks.array_shapes import read_inputs
from gradtheory.networks.losses import read_targets
from gradtheory.training.remedies.output_gradient import largest_by_target, largest_output_gradient
from gradtheory.training.remedies.rounding import rounded_up
from gradtheory.typing import ArrayLike

ROUNDING = 2.0**-49  # more than the roundings of a layer
_CANCELLED = 1e-12  # more than what squares of shares lose to each other
_OF_LOGITS = ("softmax_cross_entropy", "binary_cross_entropy_with_logits")
HOPELESS = "no bound of gradients for all biases is known; take a bounded one, or clip"


def largest_gradients(network: Chain | Network, x: ArrayLike, y: ArrayLike, critical: Array, slopes: Array) -> Array:
    """Return bounds of ‖∂C/∂W_l‖ while every ‖W_k‖ is at most critical."""
    records = network.layer_activations
    if isinstance(network, Network):
        inputs = read_inputs(x, network.n_inputs, for_a_loss=True)
        targets = read_targets(network.loss, y, (len(inputs), network.widths[-1]))
        sizes = np.linalg.norm(inputs, axis=1) * (1.0 + ROUNDING * network.n_inputs)
        roots = np.sqrt(np.array(network.widths[1:-1], dtype=float))
    else:
        inputs, targets = read_samples(x, y)
        sizes, roots = np.abs(inputs), np.ones(len(records) - 1)
    if not inputs.size:
        raise InvalidArgument("x", x, "must hold at least one sample")
    if network.loss not in _OF_LOGITS:
        _bounded(records[-1])
    values = np.array([sizes.max(), *(root * _bounded(record) for root, record in zip(roots, records, strict=False))])
    with np.errstate(over="ignore", invalid="ignore"):
        factors = np.append(critical[1:] * slopes[:-1], _output_gradient(network, targets, float(slopes[-1])))
        bounds = np.cumprod(factors[::-1])[::-1] * values * (1.0 + ROUNDING * len(records))
    bounds[np.logical_or.accumulate(slopes[::-1] == 0.0)[::-1]] = 0.0  # no gradient passes through a flat layer
    if not np.isfinite(bounds).all():
        raise InvalidArgument("x", x, "makes, with y, gradients that may exceed float64; take smaller numbers")
    return np.asarray(bounds)


def _output_gradient(network: Chain | Network, targets: Array, slope: float) -> float:
    """Return a bound of Σ_i |∂C_i/∂z_L|, or of the greatest term where the loss is a mean over samples."""
    if not isinstance(network, Network):
        return largest_output_gradient(network, targets)
    batch, width = targets.shape
    match network.loss:
        case "softmax_cross_entropy":  # |weight·p - y| is greatest where p is a class
            weight = targets.sum(axis=1)
            squares = weight**2 + np.sum(targets**2, axis=1) - 2.0 * np.min(weight[:, None] * targets, axis=1)
            terms = slope * np.sqrt(np.maximum(squares, 0.0))
        case "binary_cross_entropy_with_logits":
            terms = slope * np.linalg.norm(np.maximum(np.abs(targets), np.abs(1.0 - targets)), axis=1) / width
        case loss:
            factor = {"mse": 2.0 / width, "mse_sum": 2.0}.get(loss, 1.0)
            terms = factor * np.linalg.norm(largest_by_target(loss, network.layer_activations[-1], targets), axis=1)
    largest = float(terms.max() if network.loss in ("mse", *_OF_LOGITS) else terms.sum())
    return largest * (1.0 + ROUNDING * float(width + batch) + _CANCELLED)


def _bounded(record: Activation) -> float:
    value = rounded_up(largest_value(record))
    if math.isinf(value):
        raise InvalidArgument("activation", record.name, f"is unbounded: {HOPELESS}")
    return value


def finite_slope(record: Activation) -> float:
    """Return the least float64 that no slope exceeds."""
    if record.steepest_slope.is_infinite:
        raise InvalidArgument("activation", record.name, f"has an unbounded slope: {HOPELESS}")
    return rounded_up(record.steepest_slope)
