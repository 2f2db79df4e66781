"""Float64 numbers together with what they lack, by plain arithmetic that any array namespace has.

A pair (high, low) stands for high + low, with |low| at most about an ulp of high. T. J. Dekker, "A floating-point
technique for extending the available precision", Numer. Math. 18 (1971). Beyond 1e290 low parts may be inf or nan;
`divided` leaves such out.
"""

from typing import Any, TypeAlias

Pair: TypeAlias = tuple[Any, Any]  # of numbers or arrays

_TINY = 1e-300
_SCALE = 2.0**-64  # so that products of large numbers do not overflow
_SPLITTER = 134217729.0  # 2**27 + 1


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


def added(one: Pair, other: Pair) -> Pair:
    """Return the sum of two pairs."""
    high, low = two_sum(one[0], other[0])
    return high, low + (one[1] + other[1])


def times(one: Pair, other: Pair) -> Pair:
    """Return the product of two pairs."""
    high, low = two_product(one[0], other[0])
    return high, low + (one[0] * other[1] + one[1] * other[0])


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


def divided(xp: Any, above: Pair, below: Any) -> Any:
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
