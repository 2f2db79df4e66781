"""A chain seen from one of its layers: what it does with the input at which that layer's pre-activation is z.

Where a chain expands, the inputs that matter differ in their thousandth digit, but the pre-activations of the layer
that spreads them the most, its *turn*, in their first. Backwards from there errors shrink: each pre-activation is met
in float64, and proven by a step of the interval Newton method, for σ is strictly monotone.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.effort import spend, work_of
from gradtheory.arithmetic.enclosure import Ball, exactly, precision
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers, Part, meeting, sigma_at, union

_NEAR = 2.0**-44  # how far a guess in float64 may be off: slopes are then known to 13 digits
_GUESS_BITS = 64
_SPARE_BITS = 16  # that rounding may take
_LOOSE_BITS = 64  # by which slopes may be less accurate
_MOST_STEPS = 100


@dataclass(frozen=True)
class Turn:
    """A layer of a chain; each σ before it is strictly monotone on the whole line.

    Parameters
    ----------
    layers : Layers
    near : tuple of float
        About the pre-activations of the layers before the turn, at some input of interest.
    lost : tuple of int
        How many bits these layers need beyond those of the turn.

    """

    layers: Layers
    near: tuple[float, ...]
    lost: tuple[int, ...]

    def gradient(self, z: Ball, bits: int) -> Ball:
        """Return f'(x), the derivative of the output by the input x at which the turn stands at z."""
        slopes = [slope for _, (_, slope) in self.before(z, bits)]
        product = self._after.passed(z, bits).gradient
        with precision(bits):
            for number, slope in zip(reversed(range(len(slopes))), slopes, strict=True):
                product *= slope * self.weight(number + 1, bits)
            return product * self.weight(0, bits)

    def input(self, z: Ball, bits: int) -> Ball:
        """Return the input at which the turn stands at z."""
        *_, (_, first) = self.way_back(z, bits)
        with precision(bits):
            return self._output_before(0, first, bits)

    def way_back(self, z: Ball, bits: int) -> Iterator[tuple[int, Ball]]:
        """Yield the layers from the turn to the first: number and pre-activation."""
        yield len(self.near), z
        for number, (earlier, _) in self.before(z, bits):
            yield number, earlier

    def before(self, z: Ball, bits: int) -> Iterator[tuple[int, tuple[Ball, Ball]]]:
        """Yield, from the last to the first, the layers before the turn: number, pre-activation and slope."""
        spend(self.layers.size * work_of(bits))
        for number in reversed(range(len(self.near))):
            working = bits + self.lost[number]
            with precision(working):
                a = self._output_before(number + 1, z, working)
                z, slope = _preimage(self.layers.steps[number].parts, a, self.near[number], working)
            yield number, (z, slope)

    def _output_before(self, number: int, z: Ball, bits: int) -> Ball:
        """Return the input of a layer from its pre-activation."""
        return (z - self.layers.steps[number].bias(bits, {})) / self.weight(number, bits)

    def weight(self, number: int, bits: int) -> Ball:
        """Return a layer's weight."""
        return self.layers.steps[number].weight(bits, {})

    @cached_property
    def _after(self) -> Layers:
        """The layers from the turn on, as a chain of which its pre-activation is the input."""
        first = len(self.near)
        w, b = self.layers.w[first + 1 :], self.layers.b[first + 1 :]
        return Layers(self.layers.activations[first:], (sympy.S.One, *w), (sympy.S.Zero, *b))


def difference(one: Turn, z_of_one: Ball, other: Turn, z_of_other: Ball, bits: int) -> Ball:
    """Return how far an input is from another one of the same chain, to so many bits, however many the two share."""
    working, common = 2 * bits, min(len(one.near), len(other.near))
    here, there = (
        ((number, z) for number, z in turn.way_back(z_of_turn, working) if number <= common)
        for turn, z_of_turn in ((one, z_of_one), (other, z_of_other))
    )
    gap = None
    for (number, left), (_, right) in zip(here, there, strict=True):
        with precision(working):
            apart = left - right
            if gap is not None and apart.rel_accuracy_bits() < bits:  # then by the mean value theorem
                slope = _slope_over(one.layers.steps[number].parts, left.union(right), working)
                apart = gap / one.weight(number + 1, working) / slope
            gap = apart
    with precision(working):
        return gap / one.weight(0, working)


def _preimage(parts: tuple[Part, ...], a: Ball, near: float, bits: int) -> tuple[Ball, Ball]:
    """Return the z at which σ(z) = a, and σ'(z)."""
    proven = _newton(parts, a, _around(exactly(near)), bits)
    if proven is None:
        proven = _newton(parts, a, _approached(parts, a, exactly(near)), bits)
    if proven is None:
        raise Undecided("a pre-activation before the turn of the chain is not met")
    z, slope = proven
    while z.rel_accuracy_bits() < bits - _SPARE_BITS:
        closer = _newton(parts, a, z, bits)
        if closer is None or not 2 * closer[0].rad() < z.rad():
            break
        z, slope = closer
    if slope.rel_accuracy_bits() < bits - _LOOSE_BITS:
        slope = _slope_over(parts, z, bits)
    return z, slope


def _newton(parts: tuple[Part, ...], a: Ball, around: Ball, bits: int) -> tuple[Ball, Ball] | None:
    """Return the z at which σ(z) = a, if it is proven to be in a ball, and σ' over that ball."""
    middle, slope = around.mid(), _slope_over(parts, around, bits)
    value = functools.reduce(union, (part.value(bits, {Z: middle}) for part in meeting(parts, middle, bits)))
    z = middle - (value - a) / slope
    return (z, slope) if around.contains(z) else None


def _slope_over(parts: tuple[Part, ...], z: Ball, bits: int) -> Ball:
    return functools.reduce(union, (part.slope(bits, {Z: z}) for part in meeting(parts, z, bits)))


def _around(z: Ball, spread: float = 0.0) -> Ball:
    radius = _NEAR * max(1.0, abs(float(z))) + 2 * spread
    return (z - radius).union(z + radius)


def _approached(parts: tuple[Part, ...], a: Ball, z: Ball) -> Ball:
    """Return a ball about the z at which σ(z) = a, by Halley's method, at most one unit of z at a time."""
    for _ in range(_MOST_STEPS):
        value, slope, log_slope = sigma_at(parts, z, _GUESS_BITS, _GUESS_BITS)
        newton = (value - a) / slope
        step = float((newton / (1 - newton * log_slope / 2)).mid())
        if not math.isfinite(step):
            break
        z = (z - min(max(step, -1.0), 1.0)).mid()
        if abs(step) < _NEAR / 4:
            break
    return _around(z, abs(float((a.rad() / slope).mid())))
