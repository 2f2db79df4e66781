"""How deep a network may be before its gradient leaves the range of a float type."""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy.typing as npt
import sympy

from gradtheory.arithmetic.enclosure import MOST_BITS, doubling, enclose, precision, sign
from gradtheory.arithmetic.inputs import dtype_name, one_of, read_depth, read_real
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.typing import NumberLike

__all__ = ["FLOAT_TYPES", "FloatType", "overflow_depth"]

_MOST_EQUAL = 100_000  # layers up to which growth^L may be one of the limits itself


class FloatType(NamedTuple):
    """A binary float type: bits of the significand, the greatest exponent, and that of the least positive number."""

    bits: int
    largest: int
    smallest: int

    @property
    def overflow(self) -> Fraction:
        """The least number that is rounded to inf: half a unit above the greatest float (ties go to even)."""
        return Fraction(((2 << self.bits) - 1) << self.largest, 1 << self.bits)

    @property
    def underflow(self) -> Fraction:
        """The greatest number that is rounded to 0: half the least positive float."""
        return Fraction(1, 1 << (1 - self.smallest))


FLOAT_TYPES = {
    "float16": FloatType(11, 15, -24),
    "bfloat16": FloatType(8, 127, -133),
    "float32": FloatType(24, 127, -149),
    "float64": FloatType(53, 1023, -1074),
}


def overflow_depth(growth: NumberLike, dtype: npt.DTypeLike = "float32") -> int | float:
    r"""Return the least number of layers L after which growth^L is inf, or 0, in a float type.

    growth^L is rounded to nearest, once: the least L with growth^L ≥ (2 - 2^-p)·2^e_max where growth > 1, and with
    growth^L ≤ half the least positive (subnormal) number where growth < 1.

    Parameters
    ----------
    growth : number
        The factor per layer, not negative; for a rate λ, exp(λ). A float is taken at its exact value.
    dtype : {"float16", "bfloat16", "float32", "float64"} or NumPy dtype
        The float type.

    Returns
    -------
    int or math.inf
        Proven; inf if growth = 1.

    Raises
    ------
    InvalidArgument
        If growth is negative or not finite, or dtype is none of the four.
    Undecided
        If a power of growth is closer to the limit than can be told apart.

    References
    ----------
    IEEE 754-2019, sections 3.3 and 4.3.1; bfloat16 as in oneDNN and PyTorch, with subnormal numbers.

    Examples
    --------
    >>> overflow_depth(2), overflow_depth("1/4"), overflow_depth("1/4", "bfloat16")
    (128, 75, 67)
    >>> overflow_depth(1)
    inf

    """
    limits = FLOAT_TYPES[one_of(dtype_name(dtype), "dtype", tuple(FLOAT_TYPES))]
    rate = read_real(growth, "growth")
    if sign(rate) < 0:
        raise InvalidArgument("growth", growth, "must not be negative: it is the size of a factor, such as 1.5")
    side = sign(rate - 1)
    if side == 0:
        return math.inf
    limit = sympy.Rational(limits.overflow if side > 0 else limits.underflow)
    if sign(rate) == 0 or side * sign(rate - limit) >= 0:
        return 1
    depth = sympy.log(limit) / sympy.log(rate)
    for bits in doubling(MOST_BITS):
        with precision(bits):
            ball = enclose(depth, bits)
            least = ball.ceil().unique_fmpz() if ball.is_finite() else None
            nearest = round(float(ball.mid())) if ball < _MOST_EQUAL else None
        if least is not None:
            return int(least)
        if nearest is not None and sign(rate**nearest - limit) == 0:
            return nearest
    raise Undecided(
        f"growth = {str(growth)[:40]}: when its powers leave {dtype} is not decided within {MOST_BITS} bits"
    )


def overflow_growth(depth: int, dtype: npt.DTypeLike = "float32") -> sympy.Expr:
    r"""Return the least factor per layer with which the gradient is inf after L layers, exactly.

    ((2 - 2^-p)·2^e_max)^(1/L); weights reach it where |w|·sup|σ'| does.

    Parameters
    ----------
    depth : int
        The number of layers L.
    dtype : {"float16", "bfloat16", "float32", "float64"} or NumPy dtype
        The float type.

    Returns
    -------
    sympy.Expr
        The factor, exact.

    Raises
    ------
    InvalidArgument
        If the depth or the float type breaks a rule.

    Examples
    --------
    >>> overflow_growth(50).n(10)  # a sigmoid chain of 50 layers overflows float32 if |w| = 23.6 in each, at most slope
    5.897076866

    """
    layer_count = read_depth(depth)
    limits = FLOAT_TYPES[one_of(dtype_name(dtype), "dtype", tuple(FLOAT_TYPES))]
    return sympy.Rational(limits.overflow) ** sympy.Rational(1, layer_count)
