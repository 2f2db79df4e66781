"""Shapes of a batch: arguments of any shape as rows of samples, and gradients back in the shapes of the arguments."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument


def batch_shape(depth: int, x: Array, y: Array, w: Array, b: Array) -> tuple[int, ...]:
    """Return the shape to which x, y, w[0] and b[0] broadcast, or refuse what does not fit."""
    for name, array in (("w", w), ("b", b)):
        if array.ndim == 0 or array.shape[0] != depth:
            raise InvalidArgument(
                f"{name}.shape",
                array.shape,
                f"must be ({depth},) or ({depth}, *batch): one entry per layer first",
            )
    try:
        return np.broadcast_shapes(x.shape, y.shape, w.shape[1:], b.shape[1:])
    except ValueError:
        shapes = x.shape, y.shape, w.shape[1:], b.shape[1:]
        raise InvalidArgument("shapes of x, y, w[0], b[0]", shapes, "must broadcast to one batch shape") from None


def flat(array: Array, batch: tuple[int, ...], size: int) -> Array:
    """Return x or y as (size,), one number per sample."""
    return (array if array.shape == batch else np.broadcast_to(array, batch)).reshape(size)


def per_sample(array: Array, batch: tuple[int, ...], size: int) -> Array:
    """Return w or b as (L, 1) if all samples share it, else as (L, size)."""
    if array.ndim == 1:
        return array[:, np.newaxis]
    depth = array.shape[0]
    return np.broadcast_to(array.reshape(_padded(array.shape, len(batch) + 1, 1)), (depth, *batch)).reshape(depth, size)


def _padded(shape: tuple[int, ...], ndim: int, layers: int) -> tuple[int, ...]:
    """Put ones after the layer axes of a shape, so that the rest aligns with a batch on the right."""
    return (*shape[:layers], *(1,) * (ndim - len(shape)), *shape[layers:])


def summed_to(gradient: Array, shape: tuple[int, ...], layers: int) -> Array:
    """Sum over the axes along which an array of this shape was broadcast."""
    if gradient.shape == shape:
        return gradient
    padded = _padded(shape, gradient.ndim, layers)
    axes = tuple(axis for axis, (have, want) in enumerate(zip(gradient.shape, padded, strict=True)) if have != want)
    return np.asarray(gradient.sum(axis=axes)).reshape(shape)


def table_of_sizes(loss: Any, w: Sequence[Array], b: Sequence[Array], x: Array) -> str:
    """Return what prints for gradients: the least and the greatest size of each kind, and the shapes.

    Examples
    --------
    >>> print(table_of_sizes(0.5, [np.array([1.0, -3.0])], [np.zeros(2)], np.ones(4)))
    loss       0.5
    |∂C/∂w|    1 … 3    (2,)
    |∂C/∂b|    0 … 0    (2,)
    |∂C/∂x|    1 … 1    (4,)

    """
    rows = [("loss", f"{loss:.6g}", "")] if np.ndim(loss) == 0 else [("|loss|", *_sizes([loss]))]
    rows += [(f"|∂C/∂{letter}|", *_sizes(arrays)) for letter, arrays in (("w", w), ("b", b), ("x", [x]))]
    return "\n".join(f"{name:<11}{sizes}    {shapes}".rstrip() for name, sizes, shapes in rows)


def _sizes(arrays: Sequence[Array]) -> tuple[str, str]:
    least = min((np.abs(array).min() for array in arrays if array.size), default=0.0)
    greatest = max((np.abs(array).max() for array in arrays if array.size), default=0.0)
    shapes = str(arrays[0].shape) if len(arrays) == 1 else f"{len(arrays)} layers"
    return f"{least:.3g} … {greatest:.3g}", shapes
