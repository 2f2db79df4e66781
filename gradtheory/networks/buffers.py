"""Memory for the arrays of a pass, taken in few large pieces.

The system hands out fresh memory page by page when it is first written: for a layer of width 256 and as many samples
that takes as long as its matrix products. NumPy asks for large pages where an array has 4 MB or more.
"""

import math

import numpy as np

from gradtheory.arithmetic.inputs import Array

_FIRST, _LARGEST = 2**10, 2**21  # entries of a piece; below malloc's 32 MB, so that what is freed is used again


class Room:
    """Room for arrays that are kept together."""

    def __init__(self) -> None:
        self._rest: Array = np.empty(0)
        self._next = _FIRST

    def take(self, *shape: int) -> Array:
        """Return an array of that shape, not yet written."""
        size = math.prod(shape)
        if size > len(self._rest):
            self._rest = np.empty(max(size, self._next))
            self._next = min(8 * self._next, _LARGEST)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken.reshape(shape)
