"""Arrays of exact numbers: text, fractions and SymPy numbers, where floats are not exact enough."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral
from typing import Any

import numpy as np
import sympy

from gradtheory.arithmetic.inputs import is_int, read_finite_array, read_real

_LARGEST_INTEGER = 2**53  # up to which float64 holds every integer


def read_exact_array(value: Any, name: str) -> np.ndarray[Any, Any]:
    """Return finite real numbers as float64 where all are floats or small integers, else as exact SymPy numbers.

    Parameters
    ----------
    value : array_like
        Of floats, which stand for their binary values, integers, text, fractions and SymPy numbers.
    name : str
        The argument's name, for the message.

    Returns
    -------
    ndarray of float64 or of objects

    Raises
    ------
    InvalidArgument
        If it holds anything else, or is ragged.

    Examples
    --------
    >>> read_exact_array([0.5, 2], "x"), read_exact_array(["0.1", 0.5], "x")
    (array([0.5, 2. ]), array([1/10, 1/2], dtype=object))

    """
    kind = value.dtype.kind if isinstance(value, np.ndarray) else ""
    exact_types = str | Fraction | Decimal | Integral | sympy.Basic | sympy.MatrixBase | Sequence
    if not (kind in "OUiu" if kind else isinstance(value, exact_types)):
        return read_finite_array(value, name)
    try:
        objects = np.array(value, dtype=object)
        is_exact = all(map(_is_exact_float, objects.flat))
    except (ValueError, RuntimeError):  # ragged nesting, or a list that holds itself: refused there
        return read_finite_array(value, name)
    if is_exact:
        return read_finite_array(value if kind != "O" else objects.astype(float), name)
    exact = np.empty(objects.shape, dtype=object)
    for place in np.ndindex(objects.shape):
        exact[place] = read_real(objects[place], name)
    return exact


def _is_exact_float(number: Any) -> bool:
    """Return whether float64 holds a number exactly, or the number is refused with the others as floats are."""
    if is_int(number):
        return abs(int(number)) <= _LARGEST_INTEGER
    return isinstance(number, float | np.floating)
