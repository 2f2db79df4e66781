"""Differences s·|w| - c, in which all digits of a slope s matter when |w| is next to the critical weight c/s."""

import functools
import math
import operator
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy

from gradtheory.arithmetic.pairs import Pair, floats_of, quick_sum, two_product, two_sum

Array: TypeAlias = Any  # of any namespace

_SCALE = 2.0**-64  # so that nothing overflows
_EXACT = 2**53
_NEAR = 2.0**-48  # of the threshold: above it, all but two of the parts are too small to count
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

    def minus(self, weight: Array, threshold: Array, *, is_paired: bool = True) -> Pair:
        """Return a positive multiple of s·weight - threshold, to twice the digits even where all of them cancel.

        The factor is the same for all slopes that were made multiples together.
        """
        if self.is_plain:
            if not self.parts:
                return -threshold, 0.0
            product = self.parts[0] * weight
            return quick_sum(product, -threshold) if is_paired else (product - threshold, 0.0)
        weight, threshold = _SCALE * weight, _SCALE * threshold
        if self.parts and not is_paired:
            difference = self._rounded(weight, threshold)
            if not (abs(difference) < _NEAR * threshold).any():
                return difference, 0.0
        terms = _product(-self.divisor, threshold)
        for part in self.parts[: _PARTS - 1]:
            terms += _product(part, weight)
        terms += [part * weight for part in self.parts[_PARTS - 1 :]]
        return _total(terms)

    def _rounded(self, weight: Array, threshold: Array) -> Array:
        """Return the multiple of s·weight - threshold as one float, good unless it is tiny beside the threshold."""
        high, *low = _product(self.parts[0], weight)
        from_threshold, *rest = _product(self.divisor, threshold)
        small = [*low, *(part * weight for part in self.parts[1:2]), *(-error for error in rest)]
        return functools.reduce(operator.add, small, 0.0) + (high - from_threshold)


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
    is_plain = divisor == 1 and all(len(floats) < 2 and all(map(_is_power_of_two, floats)) for floats in parts)
    return tuple(Multiple(floats, float(divisor), is_plain) for floats in parts)


def _is_power_of_two(number: float) -> bool:
    return math.frexp(number)[0] == 0.5


def _product(factor: float, array: Array) -> list[Array]:
    """Return a product as one or two floats, exactly."""
    return [factor * array] if _is_power_of_two(abs(factor)) else list(two_product(factor, array))


def _total(terms: list[Array]) -> Pair:
    """Return a sum as if computed with thrice the digits (Ogita, Rump & Oishi, SIAM J. Sci. Comput. 26, 2005)."""
    terms = list(terms)
    for _ in range(2 if len(terms) > 2 else 1):
        for k in range(1, len(terms)):
            terms[k], terms[k - 1] = two_sum(terms[k], terms[k - 1])
    rest = 0.0
    for term in terms[:-1]:
        rest = rest + term
    return two_sum(terms[-1], rest)
