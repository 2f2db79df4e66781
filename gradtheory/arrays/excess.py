"""Differences s·|w| - c, in which all digits of a slope s matter when |w| is next to the critical weight c/s.

Sums and products carry their rounding errors, by plain arithmetic that any array namespace has: T. J. Dekker, "A
floating-point technique for extending the available precision", Numer. Math. 18 (1971).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import sympy

from gradtheory.enclosure import as_rational, enclose

Array: TypeAlias = Any  # of any namespace

_SPLITTER = 134217729.0  # 2**27 + 1
_SCALE = 2.0**-64  # so that nothing overflows
_EXACT = 2**53
_BITS = 320
_PARTS = 3  # floats that together have 159 bits


@dataclass(frozen=True)
class Multiple:
    """A slope s >= 0, ready to be multiplied by arrays of weights.

    Parameters
    ----------
    parts : tuple of float
        Floats whose sum is s·divisor; empty for s = 0.
    divisor : float
        An integer that makes a rational s exact, so that ties are seen: 3 for s = 1/3.
    is_plain : bool
        Whether plain arithmetic cannot lose digits.

    """

    parts: tuple[float, ...]
    divisor: float
    is_plain: bool

    def minus(self, weight: Array, threshold: Array) -> Array:
        """Return a positive multiple of s·weight - threshold, to the last bit or two even where all digits cancel.

        The factor is the same for all slopes that were made multiples together.
        """
        if self.is_plain:
            return self.parts[0] * weight - threshold if self.parts else -threshold
        weight, threshold = _SCALE * weight, _SCALE * threshold
        terms = _product(-self.divisor, threshold)
        for part in self.parts[: _PARTS - 1]:
            terms += _product(part, weight)
        terms += [part * weight for part in self.parts[_PARTS - 1 :]]
        return _total(terms)


def multiples_of(*slopes: sympy.Expr) -> tuple[Multiple, ...]:
    """Return some slopes as multiples with a divisor in common.

    Examples
    --------
    >>> multiples_of(sympy.Rational(1, 4), sympy.S.Zero)
    (Multiple(parts=(0.25,), divisor=1.0, is_plain=True), Multiple(parts=(), divisor=1.0, is_plain=True))
    >>> multiples_of(sympy.Rational(5, 6))
    (Multiple(parts=(2.5,), divisor=3.0, is_plain=False),)

    """
    divisor = 1
    for slope in slopes:
        if slope.is_Rational:
            odd = int(slope.q) >> ((int(slope.q) & -int(slope.q)).bit_length() - 1)
            common = int(sympy.ilcm(divisor, odd))
            divisor = common if common < _EXACT else divisor
    parts = [floats_of(slope * divisor) for slope in slopes]
    is_plain = divisor == 1 and all(len(each) < 2 and all(map(_is_power_of_two, each)) for each in parts)
    return tuple(Multiple(each, float(divisor), is_plain) for each in parts)


def floats_of(number: sympy.Expr) -> tuple[float, ...]:
    """Return floats that add up to a number, the largest first; three of them where it is no sum of so few."""
    rational = number if number.is_Rational else as_rational(enclose(number, _BITS))
    rest = Fraction(int(rational.p), int(rational.q))
    parts: list[float] = []
    while rest and len(parts) < _PARTS:
        parts.append(float(rest))
        rest -= Fraction(parts[-1])
    return tuple(parts)


def _is_power_of_two(number: float) -> bool:
    return math.frexp(number)[0] == 0.5


def _product(factor: float, array: Array) -> list[Array]:
    """Return a product as a float and what it lacks."""
    product = factor * array
    if _is_power_of_two(abs(factor)):
        return [product]
    high, a_high = _high(factor), _high(array)
    low, a_low = factor - high, array - a_high
    return [product, ((high * a_high - product) + high * a_low + low * a_high) + low * a_low]


def _high(a: Any) -> Any:
    scaled = _SPLITTER * a
    return scaled - (scaled - a)


def _total(terms: list[Array]) -> Array:
    """Return a sum as if computed with thrice the digits (Ogita, Rump & Oishi, SIAM J. Sci. Comput. 26, 2005)."""
    terms = list(terms)
    for _ in range(2 if len(terms) > 2 else 1):
        for k in range(1, len(terms)):
            one, other = terms[k], terms[k - 1]
            total = one + other
            part = total - one
            terms[k], terms[k - 1] = total, (one - (total - part)) + (other - part)
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result
