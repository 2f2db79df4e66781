"""An end of the explosion set of a chain that spreads inputs far: known by what one of its layers does there."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import Ball, Balls, as_rational, doubling, enclose, precision
from gradtheory.arithmetic.enclosure.signs import sign_of
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers, ball_between
from gradtheory.explosion.whole_chain.end import LONGEST, ExplosionEnd
from gradtheory.explosion.whole_chain.interior_point import exponent
from gradtheory.explosion.whole_chain.turn import Turn, difference

_BITS = 96
_DOUBLINGS = 4  # of the bits, after which a side is not proven
_GUARD = 32
_SPARE = 80  # bits beyond those of a place, with which its side is proven
_MOST_STEPS = 200
_TOLD = 16  # bits that a secant's share of its bracket needs beyond what it tells
_FEWER = 9  # bits with which a length is computed first: places are met to twice as many digits in each step
_FARTHEST_ASIDE = 2.0**-4  # of a secant, as a share of its bracket


class DeepEnd(ProvenNumber):
    """The x at which |f'| passes c, between two places that are told by the pre-activation z of one layer, the turn.

    Parameters
    ----------
    layers : Layers
        A chain of class N.
    near, lost : tuple of float, tuple of int
        Of the turn.
    threshold : sympy.Expr
        c.
    inner, outer : sympy.Rational
        z of the turn with |f'| > c and |f'| < c, which is proven when the number is built.

    Raises
    ------
    InvalidArgument
        If the proof fails.

    """

    parts = ("layers", "near", "lost", "threshold", "inner", "outer")
    layers: Layers
    near: tuple[float, ...]
    lost: tuple[int, ...]
    threshold: sympy.Expr
    inner: sympy.Rational
    outer: sympy.Rational

    def __new__(cls, *values: Any) -> "DeepEnd":  # noqa: D102  # the class's docstring
        self = super().__new__(cls, *values)
        if [self._side(z, _BITS) for z in (self.inner, self.outer)] != [1, -1]:
            raise InvalidArgument("inner, outer", values[-2:], "must lie inside and outside of the explosion set")
        return self

    @cached_property
    def turn(self) -> Turn:
        """The layer that tells the end from its neighbours."""
        return Turn(self.layers, self.near, self.lost)

    def __sub__(self, other: Any) -> sympy.Expr:
        """Return a difference of which digits are proven even where ends agree in their first thousands of digits."""
        if not isinstance(other, DeepEnd) or self.layers != other.layers:
            return super().__sub__(other)
        return sympy.S.Zero if self == other else DeepLength(self, other)

    def order_to(self, number: sympy.Rational) -> int:
        """Return the proven sign of the difference to an input: where it puts the turn, or whether it belongs."""
        way = 1 if self.outer > self.inner else -1
        side = way * self.layers.directions[len(self.near)]
        most = LONGEST + 2 * max(self.lost)
        for bits in doubling(most, _BITS):
            passed = self.layers.passed(enclose(number, bits), bits)
            with precision(bits):
                z, ends = passed.z[len(self.near)] * way, [enclose(way * z, bits) for z in (self.inner, self.outer)]
                if z > ends[1]:
                    return -side
                if z < ends[0]:
                    return side
                if (
                    z > ends[0]
                    and z < ends[1]
                    and (within := sign_of(abs(passed.gradient) - enclose(self.threshold, bits)))
                ):
                    return side * within
        raise Undecided(f"whether {shorten(number)} belongs to the set is not decided with {most} bits")

    def enclosure(self, bits: int, at: Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        for narrow in (0, bits, 2 * bits):  # as far as the chain spreads inputs, x has more digits than z
            x = self.turn.input(self.place(narrow), bits + _GUARD)
            if x.rel_accuracy_bits() >= bits:
                break
        return x

    def place(self, bits: int) -> Ball:
        """Return a ball around the turn's pre-activation at the end, its radius about 2**-bits of it."""
        inner, outer = self._bracket[:] = self._refined(self._bracket[0], self._bracket[1], bits)
        return ball_between(inner, outer, bits + _GUARD)

    @cached_property
    def _bracket(self) -> list[sympy.Rational]:
        """The closest places within and outside that are known."""
        return [self.inner, self.outer]

    def _refined(
        self, inner: sympy.Rational, outer: sympy.Rational, bits: int
    ) -> tuple[sympy.Rational, sympy.Rational]:
        """Return places within and outside, found by the secants of log|f'| and proven by their sides."""
        tolerance = max(abs(inner), abs(outer)) / sympy.Integer(2) ** bits
        working = bits + _SPARE
        for _ in range(_MOST_STEPS):
            if abs(outer - inner) <= tolerance:
                return inner, outer
            for z in self._between(inner, outer, tolerance, working):
                if min(inner, outer) < z < max(inner, outer) and (side := self._side(z, working)):
                    inner, outer = (z, outer) if side > 0 else (inner, z)
        raise Undecided(f"an end of the set is not known to {bits} bits")

    def _between(
        self, inner: sympy.Rational, outer: sympy.Rational, tolerance: sympy.Rational, bits: int
    ) -> Iterator[sympy.Rational]:
        """Yield places on both sides of the zero of the secant, as far from it as it may be wrong, and the middle.

        They need be no closer to it than the tolerance: sides of closer ones take more bits.
        """
        with precision(bits):
            start, width = enclose(inner, bits), enclose(outer - inner, bits)
            known = _TOLD + 2 * max(0, exponent(abs(inner / (outer - inner))))  # a secant is no better than the width
            above, below = (self._excess(z, bits, known).log() for z in (inner, outer))
            share = above / (above - below)
            aside = abs(width).max(enclose(tolerance, bits) / abs(width) / 4).min(_FARTHEST_ASIDE)
            places = [start + width * part for part in (share - aside, share + aside, 0.5)]
        yield from (as_rational(place.mid()) for place in places if place.is_finite())

    def _excess(self, z: sympy.Rational, bits: int, enough: int | None = None) -> Ball:
        """Return |f'|/c, with so many bits, or as it is known with enough of them."""
        known = self._excesses.get(z)
        if known is None or known[0] < (bits if enough is None else enough):
            gradient = self.turn.gradient(enclose(z, bits), bits)
            with precision(bits):
                known = bits, abs(gradient) / enclose(self.threshold, bits)
            self._excesses[z] = known
        return known[1]

    @cached_property
    def _excesses(self) -> dict[sympy.Rational, tuple[int, Ball]]:
        """Those that are known, and with how many bits: the next secant goes through places of proven sides."""
        return {}

    def _side(self, z: sympy.Rational, bits: int) -> int:
        """Return the proven sign of |f'| - c; 0 where it is not proven."""
        for working in (bits * 2**number for number in range(_DOUBLINGS)):
            try:
                excess = self._excess(z, working)
            except Undecided:  # with so many bits
                continue
            with precision(working):
                if side := sign_of(excess - 1):
                    return side
        return 0

    @cached_property
    def by_inputs(self) -> ExplosionEnd:
        """The same end, between two inputs, each with all the digits that tell it from the other."""
        between = [enclose(z, _BITS) for z in (self.inner, self.outer)]
        gap = abs(difference(self.turn, between[0], self.turn, between[1], _BITS))
        unit = sympy.Integer(2) ** math.floor(float(gap.log().mid()) / math.log(2) - _GUARD)
        x = enclose(self, _BITS)
        with precision(_BITS):
            bits = _BITS + max(0, math.ceil(float((abs(x) / gap + 1).log().mid()) / math.log(2)))
        inner, outer = (
            sympy.floor(as_rational(self.turn.input(enclose(z, bits), bits).mid()) / unit) * unit
            for z in (self.inner, self.outer)
        )
        return ExplosionEnd(self.layers, self.threshold, inner, outer, bits)


class DeepLength(ProvenNumber):
    """The difference of two ends of the same set, which may be far smaller than they are."""

    parts = ("upper", "lower")
    upper: DeepEnd
    lower: DeepEnd

    def enclosure(self, bits: int, at: Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        for working in (bits - _FEWER, bits + _GUARD, 4 * bits + _BITS):
            above, below = (end.place(working) for end in (self.upper, self.lower))
            ball = difference(self.upper.turn, above, self.lower.turn, below, working)
            if ball.rel_accuracy_bits() >= bits - 2 * _FEWER:
                break
        return ball
