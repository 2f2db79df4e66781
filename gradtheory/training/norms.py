"""The Euclidean norm, where squares may overflow or underflow and the norm does not."""

import math

import numpy as np

from gradtheory.arithmetic.inputs import Array

_EPS = 2.0**-52
NORMAL, _LEAST = 2.0**-1022, 2.0**-1074


def norm(array: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """Return the Euclidean norm over axes, which are kept with length 1; inf or nan where an entry is."""
    scale, scaled = scaled_norm(array, axis)
    with np.errstate(all="ignore"):
        return np.asarray(scale * scaled)


def scaled_norm(array: Array, axis: int | tuple[int, ...] | None = None) -> tuple[Array, Array]:
    """Return the greatest size of an entry, 1 where that is 0, inf or nan, and the norm divided by it.

    The norm is their product, which may overflow where the two do not.
    """
    largest = np.max(np.abs(array), axis=axis, keepdims=True, initial=0.0)
    scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(all="ignore"):
        roots = np.sqrt(np.sum(np.square(array / scale), axis=axis, keepdims=True))
    return scale, np.asarray(np.where(np.isfinite(largest), roots, largest))


def shrink(count: int) -> float:
    """Return a factor just below 1 that outweighs the rounding of a norm of so many entries, and of a scaling by it.

    NumPy sums in blocks of 128 and then in pairs: at most 16 + log₂(count) roundings on one entry's way to the sum.
    """
    return 1.0 - _EPS * (16.0 + math.log2(max(count, 1)))


def toward_zero(numbers: Array) -> Array:
    """Return numbers of which the subnormal ones, where `shrink` is lost, are nearer to 0 by two roundings of them."""
    smaller = np.copysign(np.maximum(np.abs(numbers) - 2.0 * _LEAST, 0.0), numbers)
    return np.asarray(np.where(np.abs(numbers) < NORMAL, smaller, numbers))
