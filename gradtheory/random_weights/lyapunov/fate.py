"""What becomes of z in a chain whose law does not settle: it dies out at 0, rests there, or escapes."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.lyapunov.means import largest_mean_square
from gradtheory.random_weights.lyapunov.slopes import far_growth, growth_at_zero, has_rest_point, is_elastic, is_fading

_SAME = 1e-9
_LOG_WEIGHTED = 1.0 + -(np.euler_gamma + math.log(2.0)) / 2.0  # E ξ²·log|ξ|, ξ ~ N(0, 1)
LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|


@dataclass(frozen=True)
class Fate:
    """How |z| moves near 0 and far out, where an activation is two half-lines and log|z| a random walk."""

    record: Activation
    sigma_w: float
    sigma_b: float

    @cached_property
    def near(self) -> tuple[float, float] | None:
        """The slopes of the half-lines at 0; None where biases, or σ(0), keep z away from it."""
        return growth_at_zero(self.record) if self.sigma_b == 0.0 else None

    @cached_property
    def far(self) -> tuple[float, float]:
        """The slopes of the half-lines far out."""
        return far_growth(self.record)

    def has_unbounded_slope(self) -> bool:
        """Whether |σ'| has no bound."""
        return bool(self.record.steepest_slope.is_infinite)

    def dies_out(self) -> bool:
        """Whether z tends to 0: near 0 the walk of log|z| does not drift up."""
        return self.near is not None and self._drift(self.near) <= 0.0

    def mean_square_dies_out(self) -> bool:
        """Whether z tends to 0 in those chains, too, that carry the mean square of the gradient, so that it is known.

        That asks for mean squares of a factor that are nowhere greater. Under the law that is weighted with the squares
        of the factors, log|w| has a greater mean. Where σ is two half-lines, factors do not depend on z.
        """
        weights = np.square(self.near or (0.0, 0.0))
        if not _has_largest(self.record, weights):
            return False
        if not weights.any() or self.is_two_half_lines:
            return True
        slopes = np.array(self.near)[weights > 0.0]
        return math.log(self.sigma_w) + _LOG_WEIGHTED + float(np.average(np.log(slopes), weights=slopes**2)) < 0.0

    def mean_square_escapes(self) -> bool:
        """Whether, where |z| tends to infinity, no chains carry more of the mean square that stay elsewhere.

        Without biases it is enough that |σ'(z)·z| is at most |σ(z)|: then the gradient grows no more than z.
        """
        return _has_largest(self.record, np.square(self.far)) or (self.sigma_b == 0.0 and is_elastic(self.record))

    @cached_property
    def is_two_half_lines(self) -> bool:
        """Whether σ is two half-lines that meet at 0."""
        branches = self.record.profile.branches
        return self.near == self.far and len(branches) <= 2 and all(branch.is_flat for branch in branches)

    def escapes(self) -> bool:
        """Whether |z| tends to infinity: far out the walk of log|z| drifts up."""
        return min(self.far) > 0.0 and self._drift(self.far) > 0.0

    def depends_on_the_draw(self) -> bool:
        """Whether some chains die out and others escape, at different rates."""
        return self.dies_out() and self.escapes() and self.near != self.far

    def lingers(self) -> bool:
        """Whether chains without biases would die out, or escape: with small ones z stays near 0 for very long."""
        return replace(self, sigma_b=0.0).depends_on_the_draw()

    def comes_to_rest(self) -> bool:
        """Whether z meets a flat piece at height 0 sooner or later, and stays at 0."""
        return self.sigma_b == 0.0 and not self.escapes() and has_rest_point(self.record)

    def sinks(self) -> bool:
        """Whether z comes so close to 0 that no float follows it."""
        return self.sigma_b == 0.0 and is_fading(self.record)

    def _drift(self, growth: tuple[float, float]) -> float:
        """Return the mean growth of log|z| per layer where σ is two half-lines of these slopes."""
        return math.log(self.sigma_w) + LOG_NORMAL + float(np.mean(log_of(np.array(growth))))


def _has_largest(record: Activation, squares: Array) -> bool:
    """Return whether no mean square of a factor exceeds that of two half-lines, whose squared slopes are given."""
    return largest_mean_square(record) <= float(np.mean(squares)) * (1.0 + _SAME)


def log_of(numbers: Array) -> Array:
    """Return the logarithm, -inf for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(numbers))
