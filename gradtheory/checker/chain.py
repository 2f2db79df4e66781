r"""The set of a chain's certificate: with every layer in class N it is one interval, which a few inputs prove.

Class N is closed under composition, so that v = \|f'\|^(-1/2) is convex on the one interval of inputs at which every
layer stands within its support; elsewhere f' is 0, or a layer stands at a kink. So {\|f'\| > c} is an interval, and
where \|f'\| exceeds c at one input and not at another, it ends once between them. Nothing is believed but the claim.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial, reduce

from gradtheory.checker.cells import Rejected
from gradtheory.checker.chain_passes import Passed, Passes
from gradtheory.checker.chain_schema import ChainCertificate, Emptiness, End
from gradtheory.checker.class_n import member
from gradtheory.checker.comparisons import cut
from gradtheory.checker.intervals import MINUS_OO, OO, ZERO, Interval, Undefined, less, real
from gradtheory.checker.terms import Term, number
from gradtheory.checker.verify import check_name
from gradtheory.errors import Undecided

_FIRST_BITS = 64  # beyond those that tell two inputs apart
_MOST_DOUBLINGS = 6
_MOST_BOXES = 400
_MOST_EXACT = 100  # layers, in an exact product
_HALF = Fraction(1, 2)


def verify_chain(certificate: ChainCertificate, formula_of: Callable[[str], str]) -> None:
    """Check everything; raises Rejected or Undecided."""
    members = []
    for i, stated in enumerate(certificate.activations):
        check_name(stated.name, stated.expression, formula_of)
        members.append(member(stated.expression, stated.cells, f"activations[{i}]"))
    _Verification(certificate, Passes(certificate.layers, tuple(members))).check()


@dataclass(frozen=True)
class _Verification:
    certificate: ChainCertificate
    passes: Passes
    rising: dict[tuple[int, int], bool] = field(default_factory=dict)

    def check(self) -> None:
        certificate, points = self.certificate, self.passes.points
        if points.sign(certificate.threshold) <= 0:
            raise Rejected("claim.threshold must be positive")
        for layer in certificate.layers:
            for constant in (layer.weight, layer.bias):
                self.passes.constant(constant, _FIRST_BITS)  # a real number
        if certificate.ends is not None:
            self._check_ends(*certificate.ends)
        elif certificate.emptiness is not None:
            self._check_emptiness(certificate.emptiness)

    def _check_ends(self, lower: End, upper: End) -> None:
        """Check that the set is an interval with one end in each bracket."""
        in_order = lower.inner <= upper.inner
        in_order &= lower.outer is None or lower.outer < lower.inner
        in_order &= upper.outer is None or upper.inner < upper.outer
        if not in_order:
            raise Rejected("set: the four inputs are not in order")
        for name, side, end in (("set.lower", -1, lower), ("set.upper", 1, upper)):
            bits = _FIRST_BITS + _gap_bits(end.inner, end.inner if end.outer is None else end.outer)
            if self._excess(end.inner, bits) < (1 if self.certificate.strict else 0):
                raise Rejected(f"{name}.inner: |f'| does not exceed the threshold there")
            if end.outer is None:
                if not self._rises_toward(side):
                    raise Rejected(f"{name}.outer: |f'| is not seen to rise all the way to infinity")
            elif self._excess(end.outer, bits) >= 0:
                raise Rejected(f"{name}.outer: |f'| is not below the threshold there")
            self._check_open(name, end, bits)

    def _check_open(self, name: str, end: End, bits: int) -> None:
        """Check whether an end belongs: with >= it does, unless f' falls to 0 there at a kink."""
        if self.certificate.strict or end.outer is None:
            if not end.is_open:
                raise Rejected(f"{name}.open must be true with > and at infinity")
        elif not end.is_open:  # f' is not 0 as far as outer, so that it is continuous as far as there
            if self._settled(lambda more: self._passed(end.outer, more).size.sign, bits) != 1:
                raise Rejected(f"{name}.open must be true: a layer is constant beyond")
        elif self._passed(end.outer, bits).wall is None or self._excess_within(end.inner, end.outer, bits) < 0:
            raise Rejected(f"{name}.open must be false, as far as is proven: no kink is reached with a great slope")

    def _rises_toward(self, side: int) -> bool:
        """Whether every |σ'| rises as the input goes to infinity on one side, or stays as it is."""
        for layer in self.passes.layers:
            side *= self.passes.points.sign(layer.weight)
            key = layer.activation, side
            if key not in self.rising:
                self.rising[key] = side != 0 and self.passes.members[layer.activation].rises_toward(side)
            if not self.rising[key]:
                return False
            side *= self.passes.members[layer.activation].sign
        return True

    def _check_emptiness(self, empty: Emptiness) -> None:
        """Check that |f'| exceeds c nowhere."""
        match empty.argument:
            case "zero weight":
                layers = self.passes.layers
                if not 0 <= empty.layer < len(layers) or self.passes.points.sign(layers[empty.layer].weight) != 0:
                    raise Rejected("empty.layer must be that of a weight of 0")
            case "steepest":
                self._check_steepest(empty.slopes)
            case "tangents":
                left, right = empty.places
                if left is None or right is None or left > right:
                    raise Rejected("empty.places must be in order")
                bits = _FIRST_BITS + _gap_bits(left, right)
                if self._settled(partial(self._height, left, right), bits) < self._least:
                    raise Rejected("empty.places: the tangents of |f'|^(-1/2) do not meet high enough")
            case "between":
                self._check_between(*empty.places)

    @property
    def _least(self) -> int:
        """The least sign of c - |f'| outside of the set."""
        return 0 if self.certificate.strict else 1

    def _check_steepest(self, slopes: tuple[Term, ...]) -> None:
        """Check that the product of the greatest |σ'|·|w| is small enough."""
        for i, (activation, slope) in enumerate(zip(self.passes.members, slopes, strict=True)):
            if not activation.is_at_most(slope):
                raise Rejected(f"empty.slopes[{i}]: |σ'| is not proven to be at most so great")
        factors = [slopes[layer.activation] for layer in self.passes.layers]
        factors += [number(self.passes.points.sign(layer.weight)) * layer.weight for layer in self.passes.layers]

        def spare(bits: int) -> int | None:
            product = reduce(lambda one, other: one * other, (self.passes.constant(each, bits) for each in factors))
            return (self._threshold(bits) + -product).sign

        try:
            sign = self._settled(spare, 4 * _FIRST_BITS)
        except Undecided:
            if len(self.passes.layers) > _MOST_EXACT:
                raise
            product = reduce(lambda one, other: one * other, factors)
            sign = self.passes.points.sign(self.certificate.threshold + number(-1) * product)
        if sign < self._least:
            raise Rejected("empty.slopes: their product with the weights exceeds the threshold")

    def _check_between(self, left: Fraction | None, right: Fraction | None) -> None:
        """Check that |f'| is small between two places, and not greater further out."""
        if left is not None and right is not None and left >= right:
            raise Rejected("empty.places must be in order")
        bits = 2 * _FIRST_BITS + (_gap_bits(left, right) if left is not None and right is not None else 0)
        for side, place in ((-1, left), (1, right)):
            if place is not None and not self._settled(partial(self._falls, place, side), bits):
                raise Rejected("empty.places: |f'| may be greater beyond them")
        self._check_small_between(left, right, bits)

    def _check_small_between(self, left: Fraction | None, right: Fraction | None, bits: int) -> None:
        """Check, on smaller and smaller parts, that |f'| does not exceed c between two places."""
        lower = MINUS_OO if left is None else real(left, bits, "f")
        upper = OO if right is None else real(right, bits, "c")
        waiting, level = [Interval(lower, upper, bits)], self._threshold(bits)
        for _ in range(_MOST_BOXES):
            if not waiting:
                return
            box = waiting.pop()
            with contextlib.suppress(Undefined):
                spare = level + -self.passes.passed(box, within=True).size
                if spare.sign == 1 or (self.certificate.strict and not less(spare.lower, ZERO)):
                    continue
                if spare.sign == -1:
                    raise Rejected("empty.places: |f'| exceeds the threshold between them")
            middle = cut(box, _HALF).lower
            waiting += [Interval(box.lower, middle, bits), Interval(middle, box.upper, bits)]
        raise Undecided("whether |f'| stays below the threshold between two places is not decided by bisection")

    def _falls(self, place: Fraction, side: int, bits: int) -> bool | None:
        """Whether |f'| is nowhere greater than at a place further out on one side."""
        passed = self._passed(place, bits, curved=True)
        if passed.wall is not None:
            return passed.wall == side
        sign = None if passed.rate is None else passed.rate.sign
        return None if sign is None else sign * side <= 0

    def _height(self, left: Fraction, right: Fraction, bits: int) -> int | None:
        """Return the sign of the height at which tangents of v meet, less c^(-1/2); v is nowhere less than there."""
        values, slopes = [], []
        for place, way in ((left, 1), (right, -1)):
            passed = self._passed(place, bits, curved=True)
            if passed.rate is None:
                raise Rejected("empty.places: f' is 0 at one of them")
            if passed.size.sign != 1 or (sign := passed.rate.sign) is None:
                return None
            if sign * way < 0:
                raise Rejected("empty.places: |f'| must rise at the first and fall at the second")
            values.append(passed.size.power(-_HALF))
            slopes.append(values[-1] * passed.rate * passed.rate.like(-_HALF))
        level = self._threshold(bits).power(-_HALF)
        (v, w), (down, up) = values, slopes
        total = up + -down
        if total.sign == 0:
            return (v + -level).sign
        width = v.like(right - left)
        return ((v * up + -(w * down) + down * up * width) * total.power(Fraction(-1)) + -level).sign

    def _passed(self, place: Fraction | None, bits: int, *, curved: bool = False) -> Passed:
        return self.passes.passed(Interval.around(Fraction(place or 0), bits), curved=curved)

    def _threshold(self, bits: int) -> Interval:
        return self.passes.constant(self.certificate.threshold, bits)

    def _excess(self, place: Fraction, bits: int) -> int:
        """Return the sign of |f'| - c at an input."""
        return self._settled(lambda more: (self._passed(place, more).size + -self._threshold(more)).sign, bits)

    def _excess_within(self, inner: Fraction, outer: Fraction, bits: int) -> int:
        """Return the sign of |f'| - c at all inputs of a bracket at which every layer stands within its support."""
        left, right = sorted((inner, outer))

        def ask(more: int) -> int | None:
            size = self.passes.passed(Interval(real(left, more, "f"), real(right, more, "c"), more), within=True).size
            return (size + -self._threshold(more)).sign

        return self._settled(ask, bits, most=2)

    def _settled(self, ask: Callable[[int], int | None], bits: int, most: int = _MOST_DOUBLINGS) -> int:
        """Return an answer, asked for with more and more bits."""
        for doublings in range(most + 1):
            with contextlib.suppress(Undefined):  # such as a slope of which so few bits do not tell that it is not 0
                if (answer := ask(bits << doublings)) is not None:
                    return answer
        raise Undecided("a statement about |f'| is not decided with the bits that the checker takes")


def _gap_bits(one: Fraction, other: Fraction) -> int:
    """Return the bits of two numbers that tell them apart."""
    size, gap = max(abs(one), abs(other)), abs(one - other)
    if not gap or not size:
        return 0
    ratio = size / gap
    return max(0, ratio.numerator.bit_length() - ratio.denominator.bit_length())
