"""Short texts for the representations of results: long expressions and arrays in a few words."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import dataclasses
import html
from collections.abc import Iterator, Sequence
from typing import Any

from gradtheory.arithmetic.later import np


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


class ShownAsTable:
    """A result that Jupyter shows as a table of its parts."""

    __slots__ = ()

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values: of a dataclass its fields, of another class its public properties."""
        if dataclasses.is_dataclass(self):
            yield from ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self) if field.repr)
            return
        for name in dir(type(self)):
            if not name.startswith("_") and isinstance(getattr(type(self), name), property):
                yield name, getattr(self, name)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{name}</th><td style='text-align: left'>{_in_html(value)}</td></tr>"
            for name, value in self._parts()
            if not name.startswith("_")
        )
        return f"<table><caption style='text-align: left'>{html.escape(type(self).__name__)}</caption>{rows}</table>"


def _in_html(value: object) -> str:
    is_array = isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "fiu"
    return html.escape(shape_and_range(np.asarray(value)) if is_array else shorten(value))
