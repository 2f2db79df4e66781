"""Questions about numbers and points: what is asked of a certificate is answered with a proof or not at all.

A *function* here is a pair (term, k): the k-th derivative of the term in z.
"""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from mpmath import libmp

from gradtheory.checker.field import Field, Quotient
from gradtheory.checker.intervals import MINUS_OO, ONE, OO, ZERO, Interval, Real, less, real
from gradtheory.checker.jets import derivatives
from gradtheory.checker.schema import Place
from gradtheory.checker.terms import Malformed, Term, number
from gradtheory.errors import Undecided

Function: TypeAlias = tuple[Term, int]

BITS = (200, 800, 3_600)
_MOST_WORK = 500_000  # subterms evaluated in one check
_MOST_STEPS = 100


class Points:
    """Answers questions of sign at points, within a budget that all questions of one check share."""

    def __init__(self, most: int = _MOST_WORK) -> None:
        self._work, self._most = 0, most
        self._heads: dict[Term, Counter[str]] = {}
        self._answers: dict[Any, Any] = {}
        self.field = Field(self.spend)

    def jet(self, function: Function, box: Interval, further: int = 0) -> list[Interval]:
        """Return enclosures, over a box, of the function and of its next `further` derivatives."""
        term, order = function
        heads, bits = self.heads(term), box.bits
        self.spend(heads.total() * (1 + bits // 500) + (heads["erf"] + heads["erfc"]) * (bits // 100) ** 3)
        return derivatives(term, box, order + further)[order:]

    def heads(self, term: Term) -> Counter[str]:
        """Return how often each head occurs in a term."""
        return self._heads.get(term) or self._heads.setdefault(term, term.heads())

    def spend(self, work: int) -> None:
        """Count work; every check ends."""
        self._work += work
        if self._work > self._most:
            raise Undecided("the check's budget of work is spent")

    def remembered(self, question: Any, answer: Callable[[], Any]) -> Any:
        """Return the answer, computed once; neighbouring cells ask the same."""
        if question not in self._answers:
            self._answers[question] = answer()
        return self._answers[question]

    def sign(self, constant: Term) -> int:
        """Return the sign of a number."""
        return self.sign_at((constant, 0), Place(exact=number(0)))

    def enclosure(self, place: Place, bits: int) -> Interval:
        """Return an interval around a finite place; an isolated zero is narrowed to about `bits` bits."""
        if place.exact is not None:
            return self.jet((place.exact, 0), Interval(ZERO, ZERO, bits))[0]
        interval = Interval(real(place.lower, bits, "f"), real(place.upper, bits, "c"), bits)
        if place.defining is None:
            return interval
        narrowed: Interval = self.remembered((place, bits), lambda: self._narrowed(place.defining, interval))
        return narrowed

    def _narrowed(self, function: Any, interval: Interval) -> Interval:
        """Return a narrower interval around the only zero, by interval Newton; the derivative has no zero here."""
        for _ in range(_MOST_STEPS):
            middle = cut(interval, Fraction(1, 2))
            value, slope = self.jet(function, middle)[0], self.jet(function, interval, 1)[1]
            closer = middle + -(value * slope.power(Fraction(-1)))
            lower = closer.lower if less(interval.lower, closer.lower) else interval.lower
            upper = closer.upper if less(closer.upper, interval.upper) else interval.upper
            gained = less(_width(lower, upper), libmp.mpf_shift(_width(interval.lower, interval.upper), -1))
            interval = Interval(lower, upper, interval.bits)
            if not gained:
                break
        return interval

    def order(self, place: Place, value: Fraction) -> int:
        """Return the sign of place - value; an isolated place must lie apart from the value."""
        if place.infinite:
            return place.infinite
        if place.exact is not None:
            return self.sign(place.exact + number(-value))
        if place.upper <= value or value <= place.lower:
            return -1 if place.upper <= value else 1
        raise Undecided("an end's interval overlaps a bracket")

    def is_before(self, left: Place, right: Place) -> bool:
        """Whether left < right, isolating intervals being disjoint."""
        if left.infinite or right.infinite:
            return left.infinite < right.infinite
        if left.exact is not None and right.exact is not None:
            return self.sign(right.exact + number(-1) * left.exact) > 0
        if left.exact is None and right.exact is None:
            return left.upper < right.lower
        return self.order(left, right.lower) < 0 if left.exact is not None else self.order(right, left.upper) > 0

    def sign_at(self, function: Function, place: Place) -> int:
        """Return the sign of a function at a finite place; raises Undefined where it has no finite value."""
        answer: int = self.remembered((function, place), lambda: self._sign_at(function, place))
        return answer

    def value_at(self, term: Term, place: Place) -> Interval:
        """Return an interval around a value; raises Undefined where there is none."""
        return self.jet((term, 0), self.enclosure(place, BITS[0]))[0]

    def _sign_at(self, function: Function, place: Place) -> int:
        term, order = function
        if place.defining in (function, (number(-1) * term, order)):
            return 0
        sign = self.jet(function, self.enclosure(place, BITS[0]))[0].sign
        if sign is not None:
            return sign
        if self._is_zero_at(function, place):
            return 0
        for bits in BITS[1:]:
            sign = self.jet(function, self.enclosure(place, bits))[0].sign
            if sign is not None:
                return sign
        raise Undecided(f"a sign is not decided at {int(BITS[-1] * 0.301)} digits")

    def _is_zero_at(self, function: Function, place: Place) -> bool:
        """Whether a function that is defined at a place is proven to be 0 there; False means not proven."""
        term, order = function
        try:
            at = self.field.z if place.exact is None else self.field.value(place.exact)
            value = derivatives(term, at, order)[order]
            if value.is_zero or place.defining is None:
                return value.is_zero
            return value.is_multiple_of(self.field.derivative(*place.defining))
        except Undecided:
            return False

    def is_same(self, left: Function, right: Function) -> bool:
        """Whether two functions are proven to be the same wherever they are defined."""
        if left == right:
            return True
        try:
            return bool(self.remembered((left, right), lambda: self._difference(left, right).is_zero))
        except Undecided:
            return False

    def _difference(self, left: Function, right: Function) -> Quotient:
        one, other = (self.field.derivative(*function) for function in (left, right))
        return one + other * other.like(Fraction(-1))

    def has_one_zero(self, function: Function, lower: Fraction, upper: Fraction) -> bool:
        """Whether a function is proven to have exactly one zero between two numbers, and a simple one."""
        try:
            ends = {self.sign_at(function, Place(exact=number(each))) for each in (lower, upper)}
            box = Interval(real(lower, BITS[0], "f"), real(upper, BITS[0], "c"), BITS[0])
            return ends == {-1, 1} and bool(self.jet(function, box, 1)[1].sign)
        except (Undecided, Malformed):
            return False


def _width(lower: Real, upper: Real) -> Real:
    return libmp.mpf_sub(upper, lower, 53, "c")


def cut(box: Interval, share: Fraction) -> Interval:
    """Return a point inside a box; in an infinite one, a point that goes out geometrically."""
    bits = box.bits
    if box.lower == MINUS_OO and box.upper == OO:
        at = real(Fraction(13, 128), bits, "f")
    elif OO in (box.upper, box.lower) or MINUS_OO in (box.upper, box.lower):
        end = box.lower if box.upper == OO else box.upper
        away = libmp.mpf_add(libmp.mpf_abs(end), ONE, bits, "f")
        at = (libmp.mpf_add if box.upper == OO else libmp.mpf_sub)(end, away, bits, "f")
    else:
        step = libmp.mpf_mul(libmp.mpf_sub(box.upper, box.lower, bits, "f"), real(share, bits, "f"), bits, "f")
        at = libmp.mpf_add(box.lower, step, bits, "f")
    return Interval(at, at, bits)
