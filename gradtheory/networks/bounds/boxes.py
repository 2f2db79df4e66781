"""Boxes as a caller gives them, lower and upper corners, and boxes in halves."""

from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.arithmetic.kinds import read_items
from gradtheory.errors import InvalidArgument


def read_box(box: Any, n_inputs: int) -> tuple[Array, Array]:
    """Return the corners of a box as two vectors, or refuse it.

    Examples
    --------
    >>> read_box(([-1, 0], [1, 2.5]), 2)
    (array([-1.,  0.]), array([1. , 2.5]))

    """
    rule = f"must be (lower, upper), two vectors of length {n_inputs}"
    pair = read_items(box, "box", rule)
    if len(pair) != 2:
        raise InvalidArgument("box", box, rule)
    corners = [
        np.atleast_1d(read_finite_array(corner, name)) for corner, name in zip(pair, ("lower", "upper"), strict=True)
    ]
    for corner, name in zip(corners, ("box[0]", "box[1]"), strict=True):
        if corner.shape != (n_inputs,):
            raise InvalidArgument(f"{name}.shape", corner.shape, f"must be ({n_inputs},), as the network has inputs")
    lower, upper = corners
    with np.errstate(over="ignore"):
        if not np.isfinite(upper - lower).all():
            raise InvalidArgument("box", box, "must not be wider than the largest float")
    if np.any(lower > upper):
        raise InvalidArgument("box", box, "must have lower ≤ upper in every entry")
    return lower, upper


def halves(lower: Array, upper: Array, axis: Array) -> tuple[Array, Array]:
    """Return the boxes of a batch cut in two along an axis each, first all the lower halves, then the upper ones."""
    rows = np.arange(len(lower))
    middle = lower[rows, axis] + (upper[rows, axis] - lower[rows, axis]) / 2.0
    low, high = np.concatenate([lower, lower]), np.concatenate([upper, upper])
    high[rows, axis] = middle
    low[rows + len(rows), axis] = middle
    return low, high


def shares(lower: Array, upper: Array, of: tuple[Array, Array]) -> Array:
    """Return the volumes of boxes, of shape (batch,), as shares of that of a box around them, in float64."""
    return np.asarray(np.prod((upper - lower) / (of[1] - of[0]), axis=1))
