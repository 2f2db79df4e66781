"""What public functions accept: an activation, one exact number, an array of numbers."""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy.typing as npt
import sympy

if TYPE_CHECKING:
    from gradtheory.activations.record import Activation

__all__ = ["ActivationLike", "ArrayLike", "NumberLike"]

# A name, your own expression in one symbol, or a record. A union at run time too: `|` does not take a string.
ActivationLike: TypeAlias = Union[str, sympy.Expr, "Activation"]
NumberLike: TypeAlias = int | float | Fraction | Decimal | str | sympy.Expr  # text such as "3/10" is exact
ArrayLike: TypeAlias = npt.ArrayLike  # of real numbers: a number, nested lists, or an array
