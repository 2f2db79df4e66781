"""The chain's loss and gradients in NumPy, for whole batches, in float64.

Samples are taken in blocks and layers in groups, so that what is read again is still in cache. Overflow to inf and
underflow to 0 are answers; nan is not. Where 0·inf made a nan, the block is computed again with 0·inf = 0: the zero is
exact or below 1e-308, and the inf stands for a finite number. One nan remains: the sum over a batch in which the
gradients of some samples overflow to inf and of others to -inf.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.chains.batches import batch_shape, flat, per_sample, summed_to, table_of_sizes
from gradtheory.chains.layers import affine_neuron, forward_pass
from gradtheory.chains.losses import Loss, Multiply
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike

_CACHE, _MEMORY = 3 << 19, 1 << 25  # numbers kept for the backward half of a block: wanted, and at most
_LARGEST_BLOCK, _USUAL_BLOCK, _SMALLEST_BLOCK = 1 << 15, 1 << 13, 1 << 10  # samples
_GROUP = 1 << 17  # numbers in a group of layers
_KEPT = 1 << 22  # numbers of workspace that a thread keeps for its next call: fresh pages cost as much as the work
_OF_THREAD = threading.local()


@dataclass(frozen=True, eq=False)
class Gradients(ShownAsTable):
    """Loss and gradients of a chain.

    Attributes
    ----------
    loss : float or ndarray
        The sum over the batch; with ``reduction="none"`` one loss per sample, of the batch shape.
    w, b : ndarray
        ∂loss/∂w and ∂loss/∂b, of the shapes of w and b; with ``reduction="none"`` per sample, of shape (L, *batch).
    x : ndarray
        ∂loss/∂x, of the shape of x; with ``reduction="none"`` of the batch shape.

    """

    loss: Any
    w: Array
    b: Array
    x: Array

    def __repr__(self) -> str:
        return table_of_sizes(self.loss, [self.w], [self.b], self.x)


class _Samples(NamedTuple):
    """Input x and target y of shape (n,), w and b of shape (L, n), or (L, 1) where all samples share them."""

    x: Array
    y: Array
    w: Array
    b: Array

    def block(self, part: slice) -> "_Samples":
        w, b = (rows if rows.shape[1] == 1 else rows[:, part] for rows in (self.w, self.b))
        return _Samples(self.x[part], self.y[part], w, b)


class _Summed(NamedTuple):
    """Which results are wanted as sums over the batch, all samples sharing the parameter."""

    loss: bool
    w: bool
    b: bool


@dataclass(frozen=True)
class _Arithmetic:
    """How products are formed: by NumPy, or such that 0 times inf is 0."""

    multiply: Multiply
    dot: Callable[[Array, Array], Array]


def backprop(
    activations: Sequence[Activation],
    loss: Loss,
    x: ArrayLike,
    y: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    reduction: str,
) -> Gradients:
    """Return the loss and its gradients; `Chain.backprop` documents the arguments."""
    with np.errstate(all="ignore"):
        return _backprop(activations, loss, x, y, w, b, reduction)


def backprop_and_slopes(
    activations: Sequence[Activation], loss: Loss, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike
) -> tuple[Gradients, Array]:
    """Return the loss and its gradients, summed over the batch, and the greatest |σ'(z_l)| in each layer."""
    largest = np.zeros(len(activations))
    with np.errstate(all="ignore"):
        return _backprop(activations, loss, x, y, w, b, "sum", largest), largest


def factors(activations: Sequence[Activation], x: Array, w: Array, b: Array) -> Array:
    """Return σ'(z_l)·w_l of shape (L, n), for inputs of shape (n,) and parameters of shape (L,)."""
    with np.errstate(all="ignore"):
        return np.array(forward_pass(activations, affine_neuron, x, w, b).slopes) * w[:, np.newaxis]


def _backprop(
    activations: Sequence[Activation],
    loss: Loss,
    x: Any,
    y: Any,
    w: Any,
    b: Any,
    reduction: str,
    largest: Array | None = None,
) -> Gradients:
    if not isinstance(reduction, str) or reduction not in ("sum", "none"):
        raise InvalidArgument("reduction", reduction, "must be 'sum' (over the batch) or 'none' (per sample)")
    depth = len(activations)
    x, y, w, b = map(read_finite_array, (x, y, w, b), "xywb")
    batch = batch_shape(depth, x, y, w, b)
    size = math.prod(batch)
    samples = _Samples(
        flat(x, batch, size), flat(y, batch, size), per_sample(w, batch, size), per_sample(b, batch, size)
    )
    totals = reduction == "sum"
    summed = _Summed(loss=totals, w=totals and w.ndim == 1, b=totals and b.ndim == 1)

    step = _block_size(depth, size)
    workspace = _workspace(depth + 1, step)
    by_x = np.empty(size)
    blocks = [slice(start, min(start + step, size)) for start in range(0, size, step)] or [slice(0, 0)]
    parts = [
        _block(
            activations,
            loss,
            samples.block(block),
            by_x[block],
            workspace[..., : block.stop - block.start],
            summed,
            largest,
        )
        for block in blocks
    ]

    losses, by_w, by_b = (
        sum(arrays[1:], arrays[0]) if is_sum else np.concatenate(arrays, axis=-1)
        for arrays, is_sum in zip(zip(*parts, strict=True), summed, strict=True)
    )
    by_w, by_b = (by if by.ndim == 1 else by.reshape(depth, *batch) for by in (by_w, by_b))
    by_x = by_x.reshape(batch)
    if not totals:
        return Gradients(losses.reshape(batch), by_w, by_b, by_x)
    return Gradients(
        float(losses),
        summed_to(by_w, w.shape, 1),
        summed_to(by_b, b.shape, 1),
        summed_to(by_x, x.shape, 0),
    )


def _block_size(depth: int, size: int) -> int:
    """Return how many samples to take at a time: few enough for the cache, enough to make calls to NumPy cheap."""
    in_cache, in_memory = (numbers // (2 * depth) for numbers in (_CACHE, _MEMORY))
    wanted = max(in_cache, min(_USUAL_BLOCK, max(in_memory, _SMALLEST_BLOCK)))
    return min(max(size, 1), wanted, _LARGEST_BLOCK)


def _workspace(rows: int, columns: int) -> Array:
    """Return uninitialised numbers of shape (2, rows, columns), of this thread alone."""
    count = 2 * rows * columns
    if count > _KEPT:
        return np.empty((2, rows, columns))
    kept: Array | None = getattr(_OF_THREAD, "workspace", None)
    if kept is None or kept.size < count:
        kept = _OF_THREAD.workspace = np.empty(count)
    return kept[:count].reshape(2, rows, columns)


def _block(
    activations: Sequence[Activation],
    loss: Loss,
    samples: _Samples,
    by_x: Array,
    workspace: Array,
    summed: _Summed,
    largest: Array | None,
) -> tuple[Any, Array, Array]:
    """Write the gradient by x; return the loss and the gradients by w and b, per sample or summed."""
    for arithmetic in (_PLAIN, _ZERO_WINS):
        _forward(activations, loss, samples, workspace, arithmetic.multiply)
        if largest is not None:
            _note_slopes(activations[-1], samples, workspace, largest)
        by_w, by_b = _backward(samples, by_x, workspace, arithmetic, summed)
        losses = workspace[0, -1]
        total = losses.sum()
        # A nan of the forward half reaches the loss, one of the backward half reaches by_x.
        if not math.isnan(total + by_x.sum() + by_w.sum()):
            break
    return total if summed.loss else losses.copy(), by_w, by_b


def _forward(
    activations: Sequence[Activation], loss: Loss, samples: _Samples, workspace: Array, multiply: Multiply
) -> None:
    """Leave a_0 … a_{L-1} and the losses in the first half of the workspace, σ'(z_1) … and δ_L in the second."""
    values, slopes = workspace
    z = slopes[-1]  # the spare row
    values[0] = samples.x
    kernels = [activation.kernel for activation in activations[:-1]]
    kernels.append(partial(loss.kernel, activations[-1], samples.y, multiply))
    for weight, bias, kernel, value, following, slope in zip(
        _by_layer(samples.w), _by_layer(samples.b), kernels, values, values[1:], slopes, strict=False
    ):
        multiply(weight, value, following)  # not in place, which NumPy does slowly for one number
        np.add(following, bias, z)
        kernel(z, following, slope)


def _note_slopes(last: Activation, samples: _Samples, workspace: Array, largest: Array) -> None:
    """Raise `largest` to the greatest |σ'(z_l)|; the last layer's row holds δ_L instead."""
    values, slopes = workspace
    z = samples.w[-1] * values[-2] + samples.b[-1]
    below = slopes[: len(largest) - 1]
    steepest = np.maximum(below.max(axis=1, initial=0.0), -below.min(axis=1, initial=0.0))
    np.fmax(largest, np.append(steepest, np.abs(last.slope(z)).max(initial=0.0)), out=largest)


def _by_layer(parameters: Array) -> list[Array]:
    """Return one array a layer: of shape (n,), or 0-d where shared, which NumPy takes twice as fast as (1,)."""
    rows = parameters[:, 0] if parameters.shape[1] == 1 else parameters
    return [rows[layer, ...] for layer in range(len(rows))]


def _backward(
    samples: _Samples, by_x: Array, workspace: Array, arithmetic: _Arithmetic, summed: _Summed
) -> tuple[Array, Array]:
    """Write the gradient by x; return those by w and b: (L, n), or (L,) where summed."""
    inputs, delta = workspace[:, :-1]
    multiply, w = arithmetic.multiply, samples.w
    depth, size = delta.shape
    by_w, by_b = (np.empty(depth if is_sum else (depth, size)) for is_sum in (summed.w, summed.b))
    after, ones = delta[-1], np.ones(size)  # a product with ones sums in half the time of `sum`
    group = max(1, _GROUP // max(size, 1))
    for stop in range(depth, 0, -group):
        layers = slice(max(stop - group, 0), stop)
        here = delta[layers]
        slopes = here[:-1] if stop == depth else here  # the last row is δ_L already
        multiply(slopes, w[1:][layers], out=slopes)
        for row in slopes[::-1]:  # δ_l = σ'(z_l)·w_{l+1}·δ_{l+1}
            multiply(row, after, row)
            after = row
        by_w[layers] = arithmetic.dot(here, inputs[layers]) if summed.w else multiply(here, inputs[layers])
        by_b[layers] = here @ ones if summed.b else here
    multiply(w[0], after, out=by_x)
    return by_w, by_b


def multiply_zero_wins(left: Array, right: Array, out: Array | None = None) -> Array:
    """Return the product, in which 0 times inf is 0."""
    product = np.where((left == 0.0) | (right == 0.0), 0.0, left * right)
    if out is None:
        return product
    out[...] = product
    return out


_PLAIN = _Arithmetic(np.multiply, np.vecdot)
_ZERO_WINS = _Arithmetic(multiply_zero_wins, lambda left, right: multiply_zero_wins(left, right).sum(axis=-1))
