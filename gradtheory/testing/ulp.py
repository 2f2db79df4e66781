"""Units in the last place of a float type."""

from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array


def last_place(numbers: Any, dtype: np.dtype[Any]) -> Array:
    """Return one unit in the last place of finite numbers, counted as normal ones: that of the least normal, at least.

    Examples
    --------
    >>> last_place([1.0, 3.0], np.dtype("float32"))
    array([1.19209290e-07, 2.38418579e-07])

    """
    limits = np.finfo(dtype)
    size = np.maximum(np.abs(np.asarray(numbers, dtype=np.float64)), float(limits.tiny))
    return np.asarray(float(limits.eps) * 2.0 ** np.floor(np.log2(size)))
