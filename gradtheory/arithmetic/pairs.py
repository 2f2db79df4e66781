"""Float64 numbers with their rounding errors (double-double), by plain arithmetic that any array namespace has.

A pair (high, low) stands for high + low, with |low| at most about an ulp of high. T. J. Dekker, "A floating-point
technique for extending the available precision", Numer. Math. 18 (1971). Beyond 1e290 low parts may be inf or nan;
`divide` leaves such out.
"""

from fractions import Fraction
from typing import Any, TypeAlias

import sympy

from gradtheory.arithmetic.enclosure import as_rational, enclose

Pair: TypeAlias = tuple[Any, Any]  # of numbers or arrays

_TINY = 1e-300
_SCALE = 2.0**-64  # so that products of large numbers do not overflow
_SPLITTER = 134217729.0  # 2**27 + 1
_BITS = 320
_PARTS = 3  # floats that together have 159 bits


def floats_of(number: sympy.Expr) -> tuple[float, ...]:
    """Return floats that add up to a number, the largest first; three of them where it is no sum of so few."""
    rational = number if number.is_Rational else as_rational(enclose(number, _BITS))
    rest = Fraction(int(rational.p), int(rational.q))
    parts: list[float] = []
    while rest and len(parts) < _PARTS:
        parts.append(float(rest))
        rest -= Fraction(parts[-1])
    return tuple(parts)


def pair_of(number: sympy.Expr) -> tuple[float, float]:
    """Return a number as a pair of floats.

    Examples
    --------
    >>> pair_of(sympy.Rational(1, 3))
    (0.3333333333333333, 1.850371707708594e-17)

    """
    high, low, *_ = (*floats_of(number), 0.0, 0.0)
    return high, low


def two_sum(a: Any, b: Any) -> Pair:
    """Return a + b, exactly."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def quick_sum(a: Any, b: Any) -> Pair:
    """Return a + b, exactly where |a| >= |b| or a + b is 0 or less."""
    total = a + b
    return total, b - (total - a)


def two_product(a: Any, b: Any) -> Pair:
    """Return a·b, exactly."""
    product = a * b
    a_high, b_high = _high(a), _high(b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def plus(a: float, pair: Pair) -> Pair:
    """Return a number plus a pair."""
    high, low = two_sum(a, pair[0])
    return two_sum(high, low + pair[1])


def add(a: Pair, b: Pair) -> Pair:
    """Return the sum of two pairs."""
    high, low = two_sum(a[0], b[0])
    return high, low + (a[1] + b[1])


def times(a: Pair, b: Pair) -> Pair:
    """Return the product of two pairs."""
    high, low = two_product(a[0], b[0])
    return high, low + (a[0] * b[1] + a[1] * b[0])


def quotient(above: Pair, below: Pair) -> Pair:
    """Return the quotient of two pairs."""
    high = above[0] / below[0]
    product, error = two_product(high, below[0])
    return high, (((above[0] - product) - error) + above[1] - high * below[1]) / below[0]


def root(xp: Any, pair: Pair) -> Pair:
    """Return the square root of a pair that is not negative."""
    high = xp.sqrt(pair[0])
    first = _high(high)
    second = high - first
    rest = (pair[0] - first * first) - second * (high + first)
    return high, (rest + pair[1]) / (2.0 * high + _TINY)


def divide(xp: Any, above: Pair, below: Any) -> Any:
    """Return a pair over a number, rounded once; a pair with nothing low is divided as one float."""
    if isinstance(above[1], float):
        return above[0] / below
    high, scaled = above[0] / below, _SCALE * below
    product, error = two_product(high, scaled)
    low = (((_SCALE * above[0] - product) - error) + _SCALE * above[1]) / scaled
    return high + xp.where(abs(low) <= abs(high), low, 0.0)


def _high(a: Any) -> Any:
    scaled = _SPLITTER * a
    return scaled - (scaled - a)
