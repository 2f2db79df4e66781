"""Short texts for the representations of results: long expressions and arrays in a few words."""

from collections.abc import Sequence

import numpy as np


def shorten(text: object, most: int = 80) -> str:
    """Return a text on one line, with its middle left out where it is longer than `most` characters.

    Examples
    --------
    >>> shorten("exp(z) + exp(2*z) + exp(3*z)", most=15)
    'exp(z) …xp(3*z)'

    """
    line = " ".join(str(text).split())
    if len(line) <= most:
        return line
    head = most // 2
    return f"{line[:head]}…{line[len(line) - (most - head - 1) :]}"


def shape_and_range(array: np.ndarray) -> str:
    """Return the shape of an array and the least and the greatest of its entries.

    Examples
    --------
    >>> shape_and_range(np.array([0.5, -2.0]))
    '(2,) in [-2, 0.5]'

    """
    array = np.asarray(array)
    return f"{array.shape} in [{array.min():g}, {array.max():g}]" if array.size else f"{array.shape}"


def shapes_and_ranges(arrays: Sequence[np.ndarray], most: int = 3) -> str:
    """Return `shape_and_range` of the first arrays, and how many there are if that is more.

    Examples
    --------
    >>> shapes_and_ranges([np.array([1.0])] * 9, most=1)
    '(1,) in [1, 1], … (9 arrays)'

    """
    shown = ", ".join(map(shape_and_range, arrays[:most]))
    return shown if len(arrays) <= most else f"{shown}, … ({len(arrays)} arrays)"
