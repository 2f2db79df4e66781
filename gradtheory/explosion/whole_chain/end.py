"""An end of the explosion set of a deep chain: a SymPy number with as many proven digits as asked for."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import (
    MOST_BITS,
    Ball,
    Balls,
    as_rational,
    doubling,
    enclose,
    is_infinite,
    precision,
)
from gradtheory.arithmetic.enclosure.signs import sign_of
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import SLOPE_BITS, Layers, ball_between
from gradtheory.explosion.depth.class_n import is_before_support, support_ends

_GUARD = 32
_MOST_STEPS = 1_000
_MOST_NEWTON = 12
_AGREEING = 4  # times the bits that tell neighbours apart: two ends are not closer
LONGEST = 16 * MOST_BITS  # bits: a chain of depth 10,000 spreads inputs 1e-3000 apart


def side_of(layers: Layers, threshold: sympy.Expr, x: sympy.Rational, bits: int) -> int:
    """Return the proven sign of |f'(x)| - c, with at least so many bits; 0 where it is not proven."""
    slope_bits = SLOPE_BITS
    while bits <= LONGEST:
        passed = layers.passed(enclose(x, bits), bits, slope_bits)
        with precision(bits):
            if side := sign_of(abs(passed.gradient) - enclose(threshold, bits)):
                return side
        if slope_bits == SLOPE_BITS and bits > 2 * slope_bits:
            slope_bits = bits
        else:
            bits, slope_bits = 2 * bits, 2 * bits
    return 0


class Wall(NamedTuple):
    """A layer, and its pre-activation where it becomes constant."""

    layer: int
    z: sympy.Expr


class ExplosionEnd(ProvenNumber):
    """The x between two inputs at which |f'| passes c: in class N there is one, if |f'| > c at one of them alone.

    Parameters
    ----------
    layers : Layers
        A chain of class N.
    threshold : sympy.Expr
        c.
    inner, outer : sympy.Rational
        Inputs with |f'(inner)| > c > |f'(outer)|, which is proven when the number is built.
    bits : int
        With which to begin.

    Raises
    ------
    InvalidArgument
        If the proof fails.

    """

    parts = ("layers", "threshold", "inner", "outer", "bits")
    layers: Layers
    threshold: sympy.Expr
    inner: sympy.Rational
    outer: sympy.Rational
    bits: int

    def __new__(  # noqa: D102  # the class's docstring
        cls, layers: Layers, threshold: sympy.Expr, inner: sympy.Rational, outer: sympy.Rational, bits: int = 64
    ) -> "ExplosionEnd":
        if [side_of(layers, threshold, x, bits) for x in (inner, outer)] != [1, -1]:
            raise InvalidArgument("inner, outer", (inner, outer), "must lie inside and outside of the explosion set")
        return super().__new__(cls, layers, threshold, inner, outer, bits)

    @cached_property
    def _balls(self) -> dict[int, Ball]:
        return {}

    def __sub__(self, other: Any) -> sympy.Expr:
        """Return a difference of which digits are proven even where ends agree in their first hundreds of digits."""
        if not isinstance(other, ExplosionEnd):
            return super().__sub__(other)
        return sympy.S.Zero if self == other else Length(self, other)

    def order_to(self, number: sympy.Rational) -> int:
        """Return the proven sign of the difference to an input: of inputs near by, the chain tells which belong."""
        side = 1 if self.outer > self.inner else -1
        if side * (number - self.outer) >= 0:
            return -side
        if side * (number - self.inner) <= 0:
            return side
        return side * side_of(self.layers, self.threshold, number, self.bits) or super().order_to(number)

    def enclosure(self, bits: int, at: Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        if bits not in self._balls:
            self._balls[bits] = self._refined(bits)
        return self._balls[bits]

    def _refined(self, bits: int) -> Ball:
        """Return a ball of about so many bits: found by Newton's method, proven by the sides of its ends."""
        inner, outer = self.inner, self.outer
        tolerance = max(abs(inner), abs(outer)) / 2**bits
        size = max(abs(inner), abs(outer)) / abs(outer - inner)
        agreeing = int(size.p).bit_length() - int(size.q).bit_length()
        lost = max(0, self.bits - agreeing)  # a small x loses its digits where σ(wx) is about σ(0)
        working = max(self.bits, bits + lost + _GUARD)
        for _ in range(_MOST_STEPS):
            if abs(outer - inner) <= tolerance:
                return ball_between(inner, outer, bits + _GUARD)
            near = self._newton((inner + outer) / 2, abs(outer - inner), tolerance, working)
            for x in (near - tolerance / 2, near + tolerance / 2, (inner + outer) / 2):
                if min(inner, outer) < x < max(inner, outer) and (
                    side := side_of(self.layers, self.threshold, x, working)
                ):
                    inner, outer = (x, outer) if side > 0 else (inner, x)
        raise Undecided(f"an end between {inner.n(12)} and {outer.n(12)} is not known to {bits} bits")

    def _newton(self, x: sympy.Rational, width: sympy.Rational, tolerance: sympy.Rational, bits: int) -> sympy.Rational:
        """Return about the end, in a bracket of which x is the middle."""
        slope_bits = SLOPE_BITS + int(width / tolerance).bit_length()  # the width is known to few digits
        start = x
        for _ in range(_MOST_NEWTON):
            for step in self._steps(x, bits, slope_bits):
                if step.is_finite() and abs(x - (moved := as_rational(step)) - start) <= width / 2:
                    break
            else:
                break
            x -= moved
            if abs(moved) < tolerance / 8:
                break
        return x

    def _steps(self, x: sympy.Rational, bits: int, slope_bits: int) -> Iterator[Ball]:
        """Yield how far x is beyond the end, to first order: of log|f'|, and of |f'| itself."""
        passed = self.layers.beyond.passed(enclose(x, bits), bits, slope_bits)
        with precision(bits):
            if self.wall is not None:
                excess = passed.z[self.wall.layer] - enclose(self.wall.z, bits)
                yield (excess / passed.reach[self.wall.layer]).mid()
            else:
                ratio = abs(passed.gradient) / enclose(self.threshold, bits)
                yield (ratio.log() / passed.log_slope).mid()
                yield ((1 - 1 / ratio) / passed.log_slope).mid()

    @cached_property
    def wall(self) -> Wall | None:
        """The layer that becomes constant at the end, if |f'| does not pass c there but falls to 0."""
        if all(is_infinite(end) for activation in self.layers.places for end in support_ends(activation)):
            return None
        inner, outer, bits = self.inner, self.outer, self.bits
        for _ in range(_MOST_STEPS):
            passed = self.layers.passed(enclose(outer, bits), bits)
            number = passed.wall
            if number is None and not passed.gradient.contains(0):
                return None
            if number is None:  # the bits do not tell the place from a kink
                bits *= 2
                continue
            over = self.layers.beyond.passed_between(inner, outer, bits)
            with precision(bits):
                if abs(over.gradient) > enclose(self.threshold, bits):
                    return self._wall_at(number, passed.z[number])
            middle = (inner + outer) / 2
            side = side_of(self.layers, self.threshold, middle, bits)
            inner, outer = (middle, outer) if side > 0 else (inner, middle)
        raise Undecided(f"whether |f'| passes {shorten(self.threshold)} near x = {inner.n(12)} is not decided")

    def _wall_at(self, number: int, z: Ball) -> Wall:
        """Return a layer that is constant beyond, and the end of its support on that side."""
        record = self.layers.activations[number]
        left, right = support_ends(record)
        return Wall(number, left if is_before_support(record, z, self.bits) else right)


class Length(ProvenNumber):
    """The difference of two ends, which may be far smaller than they are."""

    parts = ("upper", "lower")
    upper: ExplosionEnd
    lower: ExplosionEnd

    def enclosure(self, bits: int, at: Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits more than the ends agree in."""
        agreeing = max(self.upper.bits, self.lower.bits)
        for working in doubling(bits + _AGREEING * agreeing, bits + agreeing):
            with precision(working):
                ball = self.upper.enclosure(working) - self.lower.enclosure(working)
            if ball.rel_accuracy_bits() >= bits:
                return ball
        return ball
