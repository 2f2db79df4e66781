"""A real number between two fractions, with a proof."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import sympy

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import Ball, evaluate
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.errors import Undecided

_MOST_SHOWN = 60  # digits
_MOST_BITS = 1 << 18  # of an exponent that is written out
_LEAST = Fraction(1, 1 << 4096)  # smaller numbers are only said to be so
_LEAST_BALL = evaluate(sympy.Rational(1, 1 << 4096), 64, {})


@dataclass(frozen=True)
class Enclosed(ShownAsTable):
    """A real number that is proven to lie in [lower, upper].

    Attributes
    ----------
    lower, upper : Fraction
        Exact ends; equal where the number is known exactly.

    Examples
    --------
    >>> third = Enclosed(Fraction(333, 1000), Fraction(334, 1000))
    >>> third, float(third), Fraction(1, 3) in third, 0.3 in third
    (0.3335 ± 5e-4 (certified), 0.3335, True, False)

    """

    lower: Fraction
    upper: Fraction

    @classmethod
    def of(cls, ball: Ball) -> "Enclosed":
        """Return what a finite ball encloses, to the precision that is set; what is below 2**-4096, only as that."""
        if float(ball.abs_upper()) == 0.0 and ball.abs_upper() < _LEAST_BALL and not ball.is_zero():
            return cls(Fraction(0) if ball >= 0 else -_LEAST, Fraction(0) if ball <= 0 else _LEAST)
        return cls(_fraction(ball.lower()), _fraction(ball.upper()))

    @property
    def middle(self) -> Fraction:
        """The number in the middle."""
        return (self.lower + self.upper) / 2

    @property
    def error(self) -> float:
        """How far the number can be from the middle, rounded up."""
        size = float((self.upper - self.lower) / 2)
        return math.nextafter(size, math.inf) if self.lower != self.upper else 0.0

    @property
    def guarantee(self) -> Guarantee:
        """Certified."""
        return Guarantee.CERTIFIED

    def n(self, digits: int = 15) -> sympy.Float:
        """Return the middle as a SymPy number of so many digits."""
        return sympy.Rational(self.middle).n(digits)

    def __contains__(self, number: Any) -> bool:
        return self.lower <= Fraction(number) <= self.upper

    def __float__(self) -> float:
        try:
            return float(self.middle)  # to nearest
        except OverflowError:
            return math.inf if self.middle > 0 else -math.inf

    def __repr__(self) -> str:
        half = (self.upper - self.lower) / 2
        size = max(abs(self.lower), abs(self.upper))
        digits = 17 if half == 0 else max(1, min(_MOST_SHOWN, _magnitude(size) - _magnitude(half) + 2))
        shown = _rounded(self.middle, digits, ROUND_HALF_EVEN)
        error = _rounded(half + abs(Fraction(shown) - self.middle), 1, ROUND_CEILING)  # with the digits not shown
        return f"{shown} ± {f'{error:.0e}' if error else 0} ({self.guarantee.value})"

    __str__ = __repr__


def _fraction(point: Ball) -> Fraction:
    mantissa, exponent = (int(part) for part in point.man_exp())
    if abs(exponent) > _MOST_BITS:
        raise Undecided(f"the number is out of range: its binary exponent has {len(str(abs(exponent)))} digits")
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def _rounded(number: Fraction, digits: int, rounding: str) -> Decimal:
    context = Context(prec=digits, rounding=rounding)
    return context.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize(context)


def _magnitude(size: Fraction) -> int:
    """Return the decimal exponent of a number, within one."""
    return math.floor((size.numerator.bit_length() - size.denominator.bit_length()) * math.log10(2)) if size else 0
