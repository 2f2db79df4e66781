"""Lower and upper bounds in float64, and floats around exact numbers."""

from typing import NamedTuple

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import Ball, enclose, is_finite
from gradtheory.arithmetic.inputs import Array

BITS = 96


class Range(NamedTuple):
    """Lower and upper bounds, entry by entry."""

    lower: Array
    upper: Array

    @property
    def size(self) -> Array:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))


def outer(number: sympy.Expr) -> tuple[float, float]:
    """Return floats around an exact number; an infinite one is two infinities."""
    if not is_finite(number):
        return (float(number),) * 2
    return floats_around(enclose(number, BITS))


def floats_around(ball: Ball) -> tuple[float, float]:
    """Return floats around a ball; around 0 and small whole numbers, those themselves."""
    if ball.is_exact() and float(ball) == ball:
        return (float(ball),) * 2
    low, high = float(ball.lower()), float(ball.upper())
    low, high = (-np.inf if np.isnan(low) else low), (np.inf if np.isnan(high) else high)
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
