"""Square roots of large numbers in SymPy 1.14: it breaks off where a difference of squares has large factors.

sqrt(w² - 1) looks for factors up to 2¹⁵ only, finds w - 1 and w + 1 by Fermat's method, and keeps them as primes, which
raises a ValueError unless they are (https://github.com/sympy/sympy/issues/28621, mended after 1.14). The factors
themselves are right.
"""

import contextlib
from collections.abc import Iterable

from sympy.ntheory.factor_ import FactorCache

_add = FactorCache.add


def _add_primes(self: FactorCache, n: int, factors: Iterable[int]) -> None:
    """Keep the factors of a number that are prime."""
    with contextlib.suppress(ValueError):
        _add(self, n, factors)


FactorCache.add = _add_primes
