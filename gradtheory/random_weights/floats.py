"""Binary float types: their limits, how they round, and products that are rounded after every factor."""

import math
from fractions import Fraction
from typing import NamedTuple

import sympy

from gradtheory.errors import Undecided

_MOST_LAYERS = 5_000_000
_DIGITS = 800  # more than the exact digits of a float


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

    @property
    def greatest(self) -> float:
        """The greatest finite number."""
        return math.ldexp((1 << self.bits) - 1, self.largest - self.bits + 1)

    def round(self, number: Fraction) -> float:
        """Return the nearest number of the type, ties to even, for number >= 0; inf beyond the greatest."""
        if not number:
            return 0.0
        if number >= self.overflow:
            return math.inf
        unit = max(_exponent(number) - self.bits + 1, self.smallest)
        return math.ldexp(round(number / Fraction(2) ** unit), unit)


FLOAT_TYPES = {
    "float16": FloatType(11, 15, -24),
    "bfloat16": FloatType(8, 127, -133),
    "float32": FloatType(24, 127, -149),
    "float64": FloatType(53, 1023, -1074),
}


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
    bits, smallest, greatest = limits.bits, limits.smallest, limits.greatest
    least = math.ldexp(1.0, 1 - limits.largest) if flush else 0.0
    exact = growth if growth.is_Rational else sympy.Rational(growth.n(_DIGITS))
    factor = limits.round(Fraction(int(exact.p), int(exact.q)))
    product = before = factor if factor >= least else 0.0
    for layer in range(1, _MOST_LAYERS):
        if product in (0.0, math.inf):
            return layer
        # in float64 the product of two shorter numbers is exact, and that of two of its own is rounded already
        product *= factor
        if product <= greatest:
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
