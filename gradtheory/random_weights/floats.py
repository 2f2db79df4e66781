"""Binary float types: their limits, how they round, and products that are rounded after every factor."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array
from gradtheory.arithmetic.kinds import dtype_name
from gradtheory.errors import InvalidArgument, Undecided

_MOST_LAYERS = 5_000_000
_DIGITS = 800  # more than the exact digits of a float


@dataclass(frozen=True, repr=False)
class FloatType(ShownAsTable):
    """A binary float type with subnormal numbers, rounded to nearest, ties to even.

    Attributes
    ----------
    name : str
        As in NumPy and ml_dtypes.
    bits : int
        Of the significand, with the leading one that is not stored.
    largest : int
        The exponent of the greatest number.
    smallest : int
        The exponent of the least positive number.
    is_finite : bool
        Whether the pattern above the greatest number is nan, and there are no infinities ("fn" in the name).

    """

    name: str
    bits: int
    largest: int
    smallest: int
    is_finite: bool = False

    def __repr__(self) -> str:
        return (
            f"{self.name}: max {self.max:.6g}, smallest normal {self.smallest_normal:.6g}, smallest subnormal "
            f"{self.smallest_subnormal:.6g}, eps {self.eps:.6g} (exact)"
        )

    @property
    def max(self) -> float:
        """The greatest finite number."""
        return math.ldexp((1 << self.bits) - 1 - self.is_finite, self.largest - self.bits + 1)

    @property
    def smallest_normal(self) -> float:
        """The least positive number with all its bits: 2^(1 - bias)."""
        return math.ldexp(1.0, self.smallest + self.bits - 1)

    @property
    def smallest_subnormal(self) -> float:
        """The least positive number."""
        return math.ldexp(1.0, self.smallest)

    @property
    def eps(self) -> float:
        """The distance from 1 to the next number, two units roundoff."""
        return math.ldexp(1.0, 1 - self.bits)

    @property
    def overflow(self) -> Fraction:
        """Half a unit above the greatest number: more is inf, or nan; with infinities, so is this (ties go to even)."""
        return Fraction(((2 << self.bits) - 1 - 2 * self.is_finite) << self.largest, 1 << self.bits)

    @property
    def underflow(self) -> Fraction:
        """The greatest number that is rounded to 0: half the least positive float."""
        return Fraction(1, 1 << (1 - self.smallest))

    @property
    def storage(self) -> np.dtype[Any]:
        """The NumPy dtype that holds its numbers: float32 for types that NumPy lacks."""
        return np.dtype(self.name if self.name in _OF_NUMPY else "float32")

    def unit(self, numbers: npt.ArrayLike) -> Array:
        """Return one unit in the last place of finite numbers, counted as normal ones: of the least normal, at least.

        Examples
        --------
        >>> FLOAT_TYPES["float32"].unit([1.0, 3.0])
        array([1.19209290e-07, 2.38418579e-07])

        """
        size = np.maximum(np.abs(np.asarray(numbers, dtype=np.float64)), self.smallest_normal)
        return np.asarray(np.ldexp(self.eps, np.frexp(size)[1] - 1))

    def round(self, number: Fraction) -> float:
        """Return the nearest number of the type, ties to even, for number >= 0; inf beyond the greatest."""
        if not number:
            return 0.0
        if number > self.overflow or (number == self.overflow and not self.is_finite):
            return math.inf
        unit = max(_exponent(number) - self.bits + 1, self.smallest)
        return math.ldexp(round(number / Fraction(2) ** unit), unit)

    def rounded(self, numbers: npt.ArrayLike) -> Array:
        """Return the nearest numbers of the type, in float64: inf, or nan where there is none, beyond the greatest."""
        exact = np.asarray(numbers, dtype=np.float64)
        with np.errstate(all="ignore"):
            unit = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - self.bits, self.smallest))
            nearest = np.where(np.isfinite(exact), np.rint(exact / unit) * unit, exact)
            beyond = np.nan if self.is_finite else np.copysign(np.inf, exact)
            return np.asarray(np.where(np.abs(nearest) > self.max, beyond, nearest))


_OF_NUMPY = ("float16", "float32", "float64")
FLOAT_TYPES = {
    "float16": FloatType("float16", 11, 15, -24),
    "bfloat16": FloatType("bfloat16", 8, 127, -133),
    "float32": FloatType("float32", 24, 127, -149),
    "float64": FloatType("float64", 53, 1023, -1074),
}
# P. Micikevicius et al., "FP8 formats for deep learning" (2022), table 1; OCP 8-bit floating point specification (2023)
_FLOAT8 = {
    "float8_e4m3fn": FloatType("float8_e4m3fn", 4, 8, -9, is_finite=True),
    "float8_e5m2": FloatType("float8_e5m2", 3, 15, -16),
}
_E4M3 = "float8_e4m3"
ALL_TYPES = {**_FLOAT8, **FLOAT_TYPES}


def read_float_type(dtype: Any, types: dict[str, FloatType] = ALL_TYPES) -> FloatType:
    """Return a float type by its name, or by a dtype of NumPy or ml_dtypes.

    The text "float8_e4m3" is E4M3 of the literature, which ml_dtypes and PyTorch call float8_e4m3fn; the dtype that
    ml_dtypes calls float8_e4m3 is another, with infinities and maximum 240, and is refused.
    """
    if isinstance(dtype, FloatType):
        return dtype
    name = dtype_name(dtype)
    if isinstance(name, str) and name == _E4M3 and types is ALL_TYPES:
        if not isinstance(dtype, str):
            rule = "is not supported with infinities (maximum 240): take 'float8_e4m3fn', E4M3 of deep learning"
            raise InvalidArgument("dtype", dtype, rule)
        name = "float8_e4m3fn"
    return types[one_of(name, "dtype", tuple(types))]


def running_depth(growth: sympy.Expr, limits: FloatType, *, flush: bool) -> int | float:
    """Return after how many factors a product that is rounded after each is inf or 0; inf if it never is.

    The factor is rounded first. With `flush`, what is less than the least normal number is 0.

    Raises
    ------
    Undecided
        If that takes more than 5,000,000 layers.

    Examples
    --------
    >>> running_depth(sympy.Rational(9, 10), FLOAT_TYPES["float32"], flush=True)
    829

    """
    bits, smallest, greatest = limits.bits, limits.smallest, limits.max
    least = math.ldexp(1.0, 1 - limits.largest) if flush else 0.0
    exact = growth if growth.is_Rational else sympy.Rational(growth.n(_DIGITS))
    factor = limits.round(Fraction(int(exact.p), int(exact.q)))
    product = before = factor if factor >= least else 0.0
    for layer in range(1, _MOST_LAYERS):
        if product in (0.0, math.inf):
            return layer
        # in float64 the product of two shorter numbers is exact, and that of two of its own is rounded already
        product *= factor
        if product < math.inf:  # what is less than half a unit above the greatest number is rounded down to it
            unit = max(math.frexp(product)[1] - bits, smallest)
            product = math.ldexp(round(math.ldexp(product, -unit)), unit)
        if product > greatest:
            product = math.inf
        elif product < least:
            product = 0.0
        if product == before:
            return math.inf
        before = product
    raise Undecided(f"the running product neither ends nor rests within {_MOST_LAYERS} layers: take arithmetic='power'")


def _exponent(number: Fraction) -> int:
    """Return floor(log2) of a positive number."""
    estimate = number.numerator.bit_length() - number.denominator.bit_length()
    return estimate - (number < Fraction(2) ** estimate)
