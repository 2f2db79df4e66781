"""What public functions accept: an activation, one exact number, an array of numbers."""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import sympy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike  # of real numbers: a number, nested lists, or an array

    from gradtheory.activations.record import Activation

__all__ = ["ActivationLike", "ArrayLike", "NumberLike"]

# A name, your own expression in one symbol, or a record. A union at run time too: `|` does not take a string.
ActivationLike: TypeAlias = Union[str, sympy.Expr, "Activation"]
NumberLike: TypeAlias = int | float | Fraction | Decimal | str | sympy.Expr  # text such as "3/10" is exact


def __getattr__(name: str) -> Any:
    """Return NumPy's `ArrayLike`, for those who ask: what takes exact numbers needs no NumPy."""
    if name == "ArrayLike":
        import numpy.typing

        return numpy.typing.ArrayLike
    raise AttributeError(name)
