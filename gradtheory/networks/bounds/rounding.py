"""How far float64 results may be from the exact ones: γ_n, and sums and products of bounds rounded upwards."""

import numpy as np

from gradtheory.arithmetic.inputs import Array

UNIT = 2.0**-53  # a rounding changes a number by at most this share of it
TINY = 2.0**-1022  # and, where it underflows, by far less than this


def gamma(roundings: float) -> float:
    """Return γ_n = n·u/(1 - n·u) for n roundings one after the other, rounded upwards.

    Examples
    --------
    >>> gamma(1) > 2.0**-53
    True

    """
    share = roundings * UNIT
    return float("inf") if share >= 0.5 else share / (1.0 - share) * (1.0 + 8.0 * UNIT)


def up(bound: Array, roundings: float = 1.0) -> Array:
    """Return an upper bound of a nonnegative number that took so many roundings of nonnegative numbers."""
    return np.asarray(bound * (1.0 + 2.0 * gamma(roundings + 2.0)) + roundings * TINY)


def product_up(a: Array, b: Array) -> Array:
    """Return an upper bound of the product of two nonnegative matrices, or stacks of them."""
    return up(a @ b, a.shape[-1] + 1.0)


def norm_up(v: Array) -> Array:
    """Return upper bounds of the Euclidean norms along the last axis, scaled so that nothing overflows."""
    largest = np.max(np.abs(v), axis=-1, initial=0.0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return up(scale * np.sqrt(up(np.sum((v / scale[..., None]) ** 2, axis=-1), v.shape[-1] + 3.0)), 3.0)
