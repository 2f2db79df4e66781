"""A chain at one input or on an interval of inputs: |f'| and the slope of its logarithm, enclosed layer by layer."""

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from mpmath import libmp

from gradtheory.checker.chain_schema import Layer
from gradtheory.checker.class_n import Member
from gradtheory.checker.intervals import MINUS_OO, ONE, OO, ZERO, Interval, Real, Undefined, less
from gradtheory.checker.schema import Place
from gradtheory.checker.signs import Prover
from gradtheory.checker.terms import Term

_SPARE_BITS = 64  # kept beyond those that a pre-activation is known to
_FAR = 64  # log2 of where a tail begins
_FAR_OUT = 29  # log2 of |z| beyond which e^z is bounded by its tail: `intervals` computes it up to twice that
_NARROW = -8  # log2 of a width below which the mean value theorem is the better bound
_STEP = 64  # bits, between one precision and the next
_MOST_WORK = 3_000_000  # as in `comparisons`, and more of it the longer the numbers are
_LONG, _WORK_OF_LONG = 1_000, 12  # bits, from which on functions take far longer
_ZERO, _ONE = Fraction(0), Fraction(1)


class Passed(NamedTuple):
    """|f'|; the derivative of log|f'|, if asked for; and, where a layer stands beyond its support, the side of x.

    Further out on that side f' is 0 too, because pre-activations are monotone in x.
    """

    size: Interval
    rate: Interval | None = None
    wall: int | None = None


class _Values(NamedTuple):
    value: Interval
    slope: Interval
    bend: Interval


@dataclass(frozen=True)
class Passes:
    """The layers of a chain with their activations, which are proven to be in class N."""

    layers: tuple[Layer, ...]
    members: tuple[Member, ...]
    points: Prover = field(default_factory=lambda: Prover(_MOST_WORK))
    known: dict[tuple[Term, int], Interval] = field(default_factory=dict)

    def constant(self, term: Term, bits: int) -> Interval:
        """Return an interval around an exact number."""
        if (term, bits) not in self.known:
            self.known[term, bits] = self.points.jet((term, 0), Interval(ZERO, ZERO, bits))[0]
        return self.known[term, bits]

    def passed(self, x: Interval, *, curved: bool = False, within: bool = False) -> Passed:
        """Return what the chain does with an interval of inputs.

        With `curved` the derivative of log|f'| too. With `within` only inputs count at which every layer stands within
        its support.
        """
        a, reach, rate = x, x.like(_ONE), x.like(_ZERO)
        direction = 1
        for layer in self.layers:
            member = self.members[layer.activation]
            weight = self.constant(layer.weight, a.bits)
            z = _rounded(weight * a + self.constant(layer.bias, a.bits))
            direction *= self.points.sign(layer.weight)
            touched = self._touched(member, z)
            inner = [i for i, _ in touched if member.cells[i].sign and not (within and self._is_beside(member, i, z))]
            if all(not member.cells[i].sign for i, _ in touched):
                side = -1 if touched[0][0] < member.support[0] else 1
                return Passed(z.like(_ZERO), None, side * direction)
            reach = Interval(reach.lower, reach.upper, z.bits) * weight
            parts = [self._values(member, i, box, curved=curved) for i, box in touched]
            if within and not inner:
                return Passed(z.like(_ZERO))
            counted = [part for part, (i, _) in zip(parts, touched, strict=True) if i in inner or not within]
            a = reduce(_hull, (part.value for part in parts))
            slope = reduce(_hull, (part.slope for part in counted))
            if curved:
                rates = [part.bend * part.slope.power(-_ONE) for part in counted]
                rate = Interval(rate.lower, rate.upper, z.bits) + reduce(_hull, rates) * reach
            reach = reach * slope
            direction *= member.sign
        return Passed(reach.size, rate if curved else None)

    def _is_beside(self, member: Member, i: int, z: Interval) -> bool:
        """Whether numbers that touch a cell lie at an end of the support and beyond, and none within."""
        cell, support = member.cells[i], member.support
        if i == support[0] and not cell.left.infinite:
            first = self._enclosure(member, cell.left, z.bits).lower
            if not less(first, z.upper):
                return True
        if i == support[-1] and not cell.right.infinite:
            last = self._enclosure(member, cell.right, z.bits).upper
            return not less(z.lower, last)
        return False

    def _touched(self, member: Member, z: Interval) -> list[tuple[int, Interval]]:
        """Return the cells in which the numbers of an interval lie, each with the part that lies there."""
        result, left = [], MINUS_OO
        for i, cell in enumerate(member.cells):
            joint = None if cell.right.infinite else self._enclosure(member, cell.right, z.bits)
            if joint is None or not less(joint.upper, z.lower):
                upper = z.upper if joint is None or less(z.upper, joint.upper) else joint.upper
                result.append((i, Interval(left if less(z.lower, left) else z.lower, upper, z.bits)))
            if joint is None or less(z.upper, joint.lower):
                break
            left = joint.lower
        return result

    def _enclosure(self, member: Member, place: Place, bits: int) -> Interval:
        if place.exact is not None:
            return self.constant(place.exact, bits)
        return member.prover.enclosure(place, bits)

    def _values(self, member: Member, i: int, box: Interval, *, curved: bool) -> _Values:
        """Return σ, σ' and, if asked for, σ'' on a part of a cell."""
        piece, zero = member.cells[i].piece, box.like(_ZERO)
        if not member.cells[i].sign:
            return _Values(self.points.jet((piece, 0), box)[0], zero, zero)
        self.points.spend(self.points.heads(piece).total() * _WORK_OF_LONG * (box.bits // _LONG) ** 2)
        value, slope, *bend = self.points.jet((piece, 0), box, 2 if curved else 1)
        is_bounded = not {OO, MINUS_OO} & {value.lower, value.upper, slope.lower, slope.upper}
        if not is_bounded and (far := self._far_values(member, i, box, curved=curved)):
            return far
        width = libmp.mpf_sub(box.upper, box.lower, 53, "c")
        if width not in (ZERO, OO) and _exponent(width) < _NARROW:
            middle = libmp.mpf_shift(libmp.mpf_add(box.lower, box.upper, box.bits, "n"), -1)
            at = Interval(middle, middle, box.bits)
            value = self.points.jet((piece, 0), at)[0] + slope * (box + -at)
        elif width != ZERO:  # σ is monotone
            with contextlib.suppress(Undefined):
                value = _hull(*(self._value_at(piece, end, box.bits) for end in (box.lower, box.upper)))
        return _Values(value, slope, bend[0] if bend else slope)

    def _far_values(self, member: Member, i: int, box: Interval, *, curved: bool) -> _Values | None:
        """Return σ, σ' and σ'' so far out that e^z is not computed; None elsewhere, or where nothing is known.

        σ(z) = σ(start) + ∫σ' over the way from where that begins, and the tail there bounds σ'.
        """
        cell, far = member.cells[i], libmp.mpf_shift(ONE, _FAR_OUT)
        is_right = less(far, box.lower)
        joint = cell.left if is_right else cell.right
        if (
            not (is_right or less(box.upper, libmp.mpf_neg(far)))
            or not (cell.right if is_right else cell.left).infinite
        ):
            return None
        start = far if is_right else libmp.mpf_neg(far)
        if not joint.infinite:
            end = self._enclosure(member, joint, box.bits)
            if not (less(end.upper, start) if is_right else less(start, end.lower)):
                return None
        tail = Interval(start, OO, box.bits) if is_right else Interval(MINUS_OO, start, box.bits)
        with contextlib.suppress(Undefined):
            slope, *bend = (self.points.values_on_tail((cell.piece, n), tail) for n in ((1, 2) if curved else (1,)))
            begin = Interval(start, start, box.bits)
            value = self.points.jet((cell.piece, 0), begin)[0] + slope * (box + -begin)
            return _Values(value, slope, bend[0] if bend else slope)
        return None

    def _value_at(self, piece: Term, end: Real, bits: int) -> Interval:
        """Return an interval around a value; at infinity, around the values far out."""
        if end not in (OO, MINUS_OO):
            return self.points.jet((piece, 0), Interval(end, end, bits))[0]
        far = libmp.mpf_shift(ONE, _FAR)
        tail = (far, OO) if end == OO else (MINUS_OO, libmp.mpf_neg(far))
        return self.points.values_on_tail((piece, 0), Interval(*tail, bits))


def _rounded(z: Interval) -> Interval:
    """Return an interval rounded outward to the bits that are worth keeping."""
    width, size = libmp.mpf_sub(z.upper, z.lower, 53, "c"), z.size.upper
    bits = z.bits
    if width not in (ZERO, OO):
        largest = max(_exponent(size), 0)  # σ(z) may be of the size of 1 where z is far smaller
        worth = max(largest - _exponent(width), 0) + _SPARE_BITS
        bits = min(bits, -(-worth // _STEP) * _STEP)
    elif width == OO:
        bits = min(bits, 2 * _SPARE_BITS)
    return Interval(libmp.mpf_pos(z.lower, bits, "f"), libmp.mpf_pos(z.upper, bits, "c"), bits, z.nonzero)


def _exponent(number: Real) -> int:
    """Return log2 of a number that is not 0, about."""
    return int(number[2] + number[3])


def _hull(one: Interval, other: Interval) -> Interval:
    lower = one.lower if less(one.lower, other.lower) else other.lower
    upper = other.upper if less(one.upper, other.upper) else one.upper
    return Interval(lower, upper, one.bits)
