"""A running error analysis of the float64 chain: intervals at 60 digits that every rounding error widens.

Each elementary operation of IEEE arithmetic is off by at most one unit roundoff; each kernel by a few, and by what that
does to its argument. Carried through the layers, the intervals grow just as the conditioning of the chain makes errors
grow, so that a result outside them is a wrong formula, not rounding.
"""

from dataclasses import dataclass

import mpmath
import sympy
from mpmath import mpf

import gradtheory as gt
from tests import oracle

_UNIT = mpf(2) ** -53
_UNDERFLOW = mpf(2) ** -1074
_KERNEL = 16  # units: four ulp, and room for a result just above a power of two


@dataclass(frozen=True)
class Range:
    """A closed interval."""

    low: mpf
    high: mpf

    def __contains__(self, value: object) -> bool:
        return self.low <= value <= self.high

    def rounded(self, units: int = 1) -> "Range":
        """Widen by `units` roundoffs and by underflow."""
        slack = max(abs(self.low), abs(self.high)) * _UNIT * units + _UNDERFLOW * units
        return Range(self.low - slack, self.high + slack)

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high).rounded()

    def __mul__(self, other: "Range") -> "Range":
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Range(min(ends), max(ends)).rounded()

    @property
    def is_narrow(self) -> bool:
        """Whether the range tells a wrong formula from rounding: ten digits, or nothing but underflow."""
        return self.high - self.low <= mpf("1e-10") * max(abs(self.low), abs(self.high)) + mpf("1e-300")


def exact(number: float) -> Range:
    return Range(mpf(number), mpf(number))


def image(function, z: Range, kinks: tuple[mpf, ...]) -> Range:
    """Return a range of a function over an interval: its values at three points, at kinks, and a second-order term."""
    radius = (z.high - z.low) / 2
    inside = [kink for kink in kinks if kink in z]
    beside = [kink + side * mpf(10) ** -45 for kink in inside for side in (-1, 1)]
    values = [function(at) for at in (z.low, z.low + radius, z.high, *inside, *beside)]
    size = max(map(abs, values)) * (1 + max(abs(z.low), abs(z.high)) ** 2) + (abs(z.low) < 3)
    bend = 20 * radius**2 * size
    return Range(min(values) - bend, max(values) + bend)


def float_chain(names, loss, x, y, w, b):
    """Return ranges of (loss, by_w, by_b, by_x) that contain both the exact and every float64 result."""
    with mpmath.workdps(60):
        inputs, slopes = [exact(x)], []
        for name, weight, bias in zip(names, w, b, strict=True):
            z = (exact(weight) * inputs[-1] + exact(bias)).rounded(_KERNEL)
            kinks = _kinks(name)
            inputs.append(image(lambda at, name=name: oracle.value(name, at), z, kinks).rounded(_KERNEL))
            slopes.append(image(lambda at, name=name: oracle.slope(name, at), z, kinks).rounded(_KERNEL))
        if loss == "squared":
            residual = inputs[-1] + exact(-y)
            cost = (residual * residual * Range(mpf(0.5), mpf(0.5))).rounded(2)
            delta = residual * slopes[-1]
        else:
            cost = image(lambda at: y * mpmath.log1p(mpmath.exp(-at)) + (1 - y) * mpmath.log1p(mpmath.exp(at)), z, ())
            cost = cost.rounded(_KERNEL)
            parts = (oracle.value("sigmoid", at) - mpf(y) for at in (z.low, z.high))
            low, high = sorted(parts)
            delta = Range(low - _UNIT * _KERNEL * (1 + abs(mpf(y))), high + _UNIT * _KERNEL * (1 + abs(mpf(y))))
        deltas = [delta]
        for slope, weight in zip(slopes[-2::-1], w[:0:-1], strict=True):
            deltas.insert(0, slope * exact(weight) * deltas[0])
        by_w = [(delta * before).rounded(2) for delta, before in zip(deltas, inputs, strict=False)]
        return cost, by_w, deltas, deltas[0] * exact(w[0])


def _kinks(name: str) -> tuple[mpf, ...]:
    """Return the points where σ, σ' or σ'' jumps: branch ends at a kink or beside a flat branch, and 0 for Abs, Max, Min."""
    branches = gt.activation(name).profile.branches
    ends = {branch.right for branch in branches[:-1]} | {sympy.S.Zero}
    return tuple(oracle.as_mpf(end) for end in ends if end.is_Rational)
