"""Losses of networks: C(output, y), its gradient, and how that turns: those of chains, and the means of PyTorch."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation, activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array, read_array, read_finite_array
from gradtheory.chains.losses import LOSSES as CHAIN_LOSSES
from gradtheory.chains.losses import loss_for
from gradtheory.errors import InvalidArgument
from gradtheory.networks.nodes import INPUT, Elementwise, Node
from gradtheory.networks.passes import Forward

MEANS = ("mse", "mse_sum", "softmax_cross_entropy", "binary_cross_entropy_with_logits")
NAMES = (*CHAIN_LOSSES, *MEANS)
SHARES = ("cross_entropy", "softmax_cross_entropy", "binary_cross_entropy_with_logits")  # whose targets are shares of 1


class Ending(NamedTuple):
    """Where a backward pass starts, and with what.

    Attributes
    ----------
    place : int
        The node by whose output the gradient is.
    loss : float
    gradient : ndarray of shape (batch, n)
    turned : callable
        Takes the derivative of that output along a direction and returns that of the gradient.

    """

    place: int
    loss: float
    gradient: Array
    turned: Callable[[Array], Array]


def read_loss(name: Any, last: Activation) -> str:
    """Return the name of a loss that fits the last activation."""
    loss = one_of(name, "loss", NAMES)
    if loss in CHAIN_LOSSES:
        loss_for(loss, last)
    return loss


def read_targets(loss: str, y: Any, shape: tuple[int, ...]) -> Array:
    """Return targets of the output's shape; for softmax, classes become rows with a single 1.

    Examples
    --------
    >>> read_targets("softmax_cross_entropy", [2, 0], (2, 3))
    array([[0., 0., 1.],
           [1., 0., 0.]])

    """
    batch, width = shape
    array = read_array(y, "y")
    if loss == "softmax_cross_entropy" and array.shape == (batch,):
        if not (np.all(array == np.floor(array)) and np.all((array >= 0) & (array < width))):
            raise InvalidArgument("y", y, f"must be classes from 0 to {width - 1}, or a row of {width} shares each")
        return np.asarray(np.eye(width)[array.astype(int)])
    targets = read_finite_array(y, "y")
    if targets.shape == shape[:1] and width == 1:
        targets = targets[:, None]
    if targets.shape != shape:
        rows = f"must be {shape}: a row for each of x, as wide as the output"
        if targets.shape == (batch,) and np.all(targets == np.floor(targets)):
            rows += '; for the class of each, the loss must be "softmax_cross_entropy"'
        if loss == "softmax_cross_entropy":
            rows = f"must be {shape[:1]}, the class of each of x, or {shape}, its shares of the classes"
        raise InvalidArgument("y.shape", targets.shape, rows)
    return targets


def ending(loss: str, forward: Forward, y: Array) -> Ending:
    """Return the loss of a forward pass and the gradient with which the backward pass starts."""
    if loss in CHAIN_LOSSES:
        return _fused(loss, forward, y)
    gradient_of = {
        "mse": _mean_square,
        "mse_sum": _sum_of_squares,
        "softmax_cross_entropy": _softmax,
        "binary_cross_entropy_with_logits": _binary,
    }[loss]
    value, gradient, turned = gradient_of(forward.output, y)
    return Ending(len(forward.nodes) - 1, value, gradient, turned)


def _last(nodes: Sequence[Node]) -> tuple[Activation, int]:
    """Return the activation at the end, the identity where there is none, and the node before it."""
    end = nodes[-1]
    if isinstance(end.operation, Elementwise) and end.sources[0] != INPUT:
        return end.operation.activation, end.sources[0]
    return activation("identity"), len(nodes) - 1


def _fused(loss: str, forward: Forward, y: Array) -> Ending:
    """Return a chain's loss, which is computed from the last pre-activation."""
    last, place = _last(forward.nodes)
    record, z = CHAIN_LOSSES[loss], forward.values[place]
    losses, delta = np.empty((2, z.size))
    record.kernel(last, y.ravel(), np.multiply, z.ravel().copy(), losses, delta)

    def turned(direction: Array) -> Array:
        return np.asarray(record.bend(last, y.ravel(), z.ravel()).reshape(z.shape) * direction)

    return Ending(place, float(losses.sum()), delta.reshape(z.shape), turned)


def _sum_of_squares(output: Array, y: Array) -> tuple[float, Array, Callable[[Array], Array]]:
    error = output - y
    return float(np.sum(error * error)), 2.0 * error, lambda direction: 2.0 * direction


def _mean_square(output: Array, y: Array) -> tuple[float, Array, Callable[[Array], Array]]:
    error, share = output - y, 2.0 / output.size
    return float(np.mean(error * error)), share * error, lambda direction: share * direction


def _softmax(output: Array, y: Array) -> tuple[float, Array, Callable[[Array], Array]]:
    """Return mean over the batch of -Σ y·log p, p = softmax(output).

    What is left of 1 beside the largest p is a sum of the others, so that it has its digits where that p is near 1.
    """
    top = output.argmax(axis=1)[:, np.newaxis]
    shifted = output - np.take_along_axis(output, top, axis=1)
    others = np.exp(shifted)
    np.put_along_axis(others, top, np.take_along_axis(shifted, top, axis=1), axis=1)  # 0, or nan
    rest = np.sum(others, axis=1, keepdims=True)
    total = 1.0 + rest
    logs, p = shifted - np.log1p(rest), others / total
    np.put_along_axis(p, top, 1.0 / total, axis=1)
    weight, batch = y.sum(axis=1, keepdims=True), len(y)
    gradient = weight * p - y
    np.put_along_axis(gradient, top, weight - np.take_along_axis(y, top, axis=1) - weight * rest / total, axis=1)

    def turned(direction: Array) -> Array:
        apart = direction - np.take_along_axis(direction, top, axis=1)
        return np.asarray(weight * p * (apart - np.sum(p * apart, axis=1, keepdims=True)) / batch)

    return float((0.0 - np.sum(np.where(y == 0.0, 0.0, y * logs))) / batch), gradient / batch, turned


def _binary(output: Array, y: Array) -> tuple[float, Array, Callable[[Array], Array]]:
    """Return the mean of y·log(1 + e^-a) + (1 - y)·log(1 + e^a), whose gradient is (1 - y)·p - y·(1 - p)."""
    sigmoid = activation("sigmoid")
    gradient = (1.0 - y) * sigmoid.value(output) - y * sigmoid.value(-output)
    value = y * np.logaddexp(0.0, -output) + (1.0 - y) * np.logaddexp(0.0, output)
    slope = np.asarray(sigmoid.slope(output))
    return float(np.mean(value)), gradient / output.size, lambda direction: slope * direction / output.size
