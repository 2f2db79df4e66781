"""The Euclidean norm, where squares may overflow and the norm does not."""

import numpy as np

from gradtheory.arithmetic.inputs import Array


def norm(array: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """Return the Euclidean norm over axes, which are kept with length 1; inf or nan where an entry is."""
    largest = np.max(np.abs(array), axis=axis, keepdims=True, initial=0.0)
    scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(all="ignore"):
        roots = scale * np.sqrt(np.sum(np.square(array / scale), axis=axis, keepdims=True))
    return np.asarray(np.where(np.isfinite(largest), roots, largest))
