"""What is known of the growth of a random chain's gradient."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import Estimate, Guarantee

FADING = "value is -inf: z falls to 0, where the slope is 0, faster than exponentially"
FLAT = "value is -inf: the slope is 0 with positive probability; surviving_value is the growth where it is not"
SPLIT = "value is nan: some chains meet a slope of 0, and the others never do, whose growth is surviving_value"
LINGERS = "z may stay near 0 for very long before it escapes to where its growth is value"
HEAVY = "value is -inf: log|σ'(z)| has no mean, z is large too often"
SPREAD = "mean_square_rate is nan: z comes arbitrarily close to 0 or infinity, so that it depends on the start"

LOST = "mean_square is nan: the slope is large only where z hardly ever is, which the quadrature does not resolve"


def unknown() -> Estimate:
    """Return the variance where there is none."""
    return Estimate(math.nan, math.nan)


def all_alive() -> tuple[Estimate, Estimate]:
    """Return that every chain has a gradient other than 0."""
    return Estimate(1.0, 0.0, Guarantee.EXACT), Estimate(math.nan, math.nan)


@dataclass(frozen=True)
class LyapunovExponent(ShownAsTable):
    """The growth of the gradient product Π σ'(z_l)·w_l per layer, as logarithms.

    Attributes
    ----------
    value : float, or Estimates of an array
        λ = E log|σ'(z)·w| in the stationary law: almost every chain's gradient goes like exp(λL). -inf where the slope
        is 0 with positive probability, and where z falls to 0 and σ'(0) is 0; nan where chains share no λ.
    error : float or ndarray
        A bound of the numerical error of `value`, estimated from two discretisations.
    mean_square : Estimate or Estimates
        ½·log E[(σ'(z)·w)²], of one factor; never less than `value`. nan where it is not told from -inf.
    mean_square_rate : Estimate or Estimates
        The rate at which the root mean square of the whole product grows; it differs from `mean_square`, since
        neighbouring factors depend on each other. nan where z may come arbitrarily close to 0 or to infinity, for
        then it depends on where the chain starts.
    reason : str
        Why a number is infinite or nan, or holds only after very many layers; empty where none is, and of Dask arrays.
        Of arrays every reason stands once.

    """

    value: Any
    error: Any
    mean_square: Any
    mean_square_rate: Any
    reason: str = ""
    _variance: Callable[[], Any] = field(default=unknown, repr=False, compare=False)
    _survival: Callable[[], tuple[Any, Any]] = field(default=all_alive, repr=False, compare=False)

    def __repr__(self) -> str:
        if np.ndim(self.value):
            return f"LyapunovExponent({self.value!r})"
        numbers = "value", "error", "mean_square", "mean_square_rate", "reason"
        return f"LyapunovExponent({', '.join(f'{name}={getattr(self, name)!r}' for name in numbers)})"

    @property
    def growth(self) -> Any:
        """exp(λ), the typical factor per layer; `overflow_depth` takes it."""
        return np.exp(self.value) if np.ndim(self.value) else math.exp(self.value)

    @property
    def gap(self) -> Any:
        """`mean_square` - `value`: how far averages mislead, since a few chains carry the mean; never negative."""
        return self.mean_square - self.value

    @cached_property
    def variance(self) -> Any:
        """The variance of log|product| per layer: after L layers it is about N(λL, variance·L).

        Exact where the factors are independent, numeric else; inf where log² of a factor has no mean, nan where
        λ = -inf.
        """
        return self._variance()

    @property
    def survival(self) -> Any:
        """The factor per layer by which the share of chains with a gradient other than 0 falls; 1 where none is 0."""
        return self._survivors[0]

    @property
    def surviving_value(self) -> Any:
        """The growth of log|gradient| per layer in chains whose gradient is not 0: λ if all are so, nan if none is."""
        return self._survivors[1] if self._survival is not all_alive else Estimate(self.value, self.error)

    @cached_property
    def _survivors(self) -> tuple[Any, Any]:
        return self._survival()


def known(number: Estimate) -> Estimate:
    """Return a number that needs no work, as `_variance`."""
    return number


def both(share: Estimate, rate: Estimate) -> tuple[Estimate, Estimate]:
    """Return two numbers that need no work, as `_survival`."""
    return share, rate
