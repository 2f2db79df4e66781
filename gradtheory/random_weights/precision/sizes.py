"""How large the entries of a gradient are: the greatest, and how many lie between two powers of 2."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array


@dataclass(frozen=True, repr=False)
class GradientSizes(ShownAsTable):
    """The sizes of a gradient's entries other than 0, in few numbers.

    Attributes
    ----------
    largest : float
        The greatest |g|, and of what is computed on the way to them; 0 where all are 0, inf or nan where one is.
    exponents, counts : tuple of int
        How many entries lie in (2^(e-1), 2^e], for each e with any, from the least.

    Examples
    --------
    >>> GradientSizes.of([np.array([0.0, 0.3, 0.5, 3.0])])
    3 entries from 2^-2 to 3

    """

    largest: float
    exponents: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, arrays: Iterable[Array], on_the_way: Iterable[Array] = ()) -> "GradientSizes":
        """Return the sizes of all entries of some arrays together; of others only the greatest counts."""
        entries = np.abs(np.concatenate([np.ravel(each) for each in arrays]).astype(np.float64))
        sizes = entries[(entries > 0.0) & np.isfinite(entries)]
        mantissa, exponent = np.frexp(sizes)
        exponents, counts = np.unique(exponent - (mantissa == 0.5), return_counts=True)  # 2^(e-1) itself
        largest = float(np.max([np.max(np.abs(each), initial=0.0) for each in (entries, *on_the_way)]))
        return cls(largest, tuple(map(int, exponents)), tuple(map(int, counts)))

    def least(self, share: float) -> float:
        """Return a power of 2 that at most this share of the entries does not reach; inf where there is none."""
        within = np.cumsum(self.counts) > share * sum(self.counts)
        if not within.any():
            return math.inf
        return max(2.0 ** (self.exponents[int(np.argmax(within))] - 1), math.ulp(0.0))  # none lies between them

    def __repr__(self) -> str:
        if not math.isfinite(self.largest):
            return f"{sum(self.counts)} entries other than 0, and some that are {self.largest}"
        if not self.counts:
            return "no entries other than 0"
        return f"{sum(self.counts)} entries from 2^{self.exponents[0] - 1} to {self.largest:.6g}"
