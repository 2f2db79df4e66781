"""Questions of sign toward the ends of a cell and on a whole open cell, answered by bisection."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from mpmath import libmp

from gradtheory.checker.comparisons import BITS, Function, Points, cut
from gradtheory.checker.intervals import MINUS_OO, ONE, OO, TWO, ZERO, Interval, Undefined, less, real
from gradtheory.checker.jets import HIGHEST, derivatives
from gradtheory.checker.scales import UNIT, Beyond
from gradtheory.checker.schema import Cell, Place, Side
from gradtheory.checker.tail_arithmetic import Tail, variable
from gradtheory.checker.terms import Malformed, Term, number
from gradtheory.errors import Undecided

_MOST_BOXES = 3_000
_FEWER_BOXES = 1_000
_MOST_HALVINGS = 100
_POINTS = 8
_NOTHING = libmp.mpf_shift(ONE, -4_000)
_CUT = Fraction(499, 1024)  # off the centre, where zeros like to lie


class Changes(Exception):
    """The function takes both signs on the cell: an answer, not an error."""


@dataclass(frozen=True)
class _Question:
    """The sign of a function on a cell; where `vanishing` is 0 and none of the others, so is the function."""

    function: Function
    vanishing: Function
    cell: Cell
    others: tuple[Function, ...] = ()


class Prover(Points):
    """Answers questions of sign, at points and on cells."""

    def signs_toward(self, function: Function, cell: Cell, side: Side) -> frozenset[int]:
        """Return a set that contains the sign of a slope's limit at one end of a cell, where the slope is monotone."""
        place = cell.end(side)
        if not place.infinite:
            try:
                return frozenset({self.sign_at(function, place)})
            except Undefined:  # such as an infinite slope: look beside it
                signs = self._signs_near(function, cell, side)
                if not signs:  # the empty set would allow everything
                    raise
                return signs
        signs = self._signs_near(function, cell, side)
        if not signs:
            raise Undecided("a limit at infinity is not known")
        return signs

    def _signs_near(self, function: Function, cell: Cell, side: Side) -> frozenset[int]:
        """Return what the values near an end allow for the limit's sign; nothing where they allow everything."""
        bits, place = BITS[0], cell.end(side)
        for steps in (3, 10, 40, 120):
            if place.infinite:
                far = libmp.mpf_shift(ONE, steps)
                ends = (far, OO) if place.infinite > 0 else (MINUS_OO, libmp.mpf_neg(far))
                box = Interval(*ends, bits)
            else:
                at = self.enclosure(place, bits)
                tiny = real(Fraction(1, 2**steps), bits, "c")
                lower = at.lower if side == "left" else libmp.mpf_sub(at.lower, tiny, bits, "f")
                upper = at.upper if side == "right" else libmp.mpf_add(at.upper, tiny, bits, "c")
                box = Interval(lower, upper, bits, self._excludes_zero(cell))
            try:
                near = self.jet(function, box)[0]
            except Undefined:
                near = Interval(MINUS_OO, OO, bits)
            if near.sign is None and place.infinite:
                sign = self._on_tail(function, box, lambda tail: tail.sign_of_limit)
                if sign is not None:
                    return frozenset({sign})
            if not less(near.lower, ZERO):
                return frozenset({1} if less(ZERO, near.lower) else {0, 1})
            if not less(ZERO, near.upper):
                return frozenset({-1} if less(near.upper, ZERO) else {0, -1})
        return frozenset()

    def _on_tail(self, function: Function, box: Interval, ask: Callable[[Tail], int | None]) -> int | None:
        """Return what is asked of a function on a box that reaches to infinity; None where it is not proven."""
        try:
            return ask(self._tail(function, box))
        except Undecided:
            return None

    def _tail(self, function: Function, box: Interval) -> Tail:
        """Return a function on a box that reaches to one infinity; Undefined for other boxes."""
        direction = 1 if box.upper == OO else -1
        start = box.lower if direction == 1 else libmp.mpf_neg(box.upper)
        if (
            (box.lower == MINUS_OO and box.upper == OO)
            or OO not in (box.upper, libmp.mpf_neg(box.lower))
            or less(start, TWO)
        ):
            raise Undefined("no tail")
        term, order = function
        self.spend(4 * self.heads(term).total())
        beyond = Beyond(Interval(start, start, box.bits), self.sign, self.spend)
        try:
            return derivatives(term, variable(beyond, direction), order)[order]
        except Malformed:
            raise Undefined("an exact number in a tail is too long, or not defined") from None

    def values_on_tail(self, function: Function, box: Interval) -> Interval:
        """Return an interval around the values on a box that reaches to one infinity; Undefined where none is known."""
        return self._tail(function, box).over(UNIT)

    def _excludes_zero(self, cell: Cell) -> bool:
        left, right = cell.left, cell.right
        if (left.is_isolated and left.lower >= 0) or (right.is_isolated and right.upper <= 0):
            return True
        at_left = left.infinite or (self.sign(left.exact) if left.exact is not None else -1)
        at_right = right.infinite or (self.sign(right.exact) if right.exact is not None else 1)
        return at_left >= 0 or at_right <= 0

    def is_smooth_on(self, term: Term, cell: Cell) -> None:
        """Prove that a term has two derivatives everywhere on the open cell."""
        self._cover(cell, lambda box, *_: self._is_defined(term, box), _MOST_BOXES)

    def _is_defined(self, term: Term, box: Interval) -> bool:
        try:
            return bool(self.jet((term, 0), box, 2))
        except Undefined:
            return self._on_tail((term, 2), box, lambda tail: 1) is not None

    def sign_on(self, function: Function, cell: Cell) -> int:
        """Return the sign of a function everywhere on the open cell; it may be 0 at the ends. Raises Changes."""
        return int(self.remembered((function, cell.left, cell.right), lambda: self._sign_on(function, cell)))

    def _sign_on(self, function: Function, cell: Cell) -> int:
        """Return the sign, of the function as it stands or as a product, the shorter of the two first."""
        whole = [(_Question(function, function, cell), 1)]
        try:
            bases = map(self.field.value, dict.fromkeys(_bases(function[0])))
            tops, bottoms = self.field.derivative(*function).factors(bases)
        except (Undecided, Malformed):
            return self._sign_of_product(whole, _MOST_BOXES)
        factors = [*((top, 1) for top in tops), *bottoms]
        product = [(_Question((factor, 0), (factor, 0), cell), power) for factor, power in factors]
        product[0] = replace(product[0][0], vanishing=function, others=tuple((base, 0) for base in tops[1:])), 1
        size = sum(self.heads(factor).total() for factor, _ in factors)
        ways = [whole, product] if self.heads(function[0]).total() < size else [product, whole]
        try:
            return self._sign_of_product(ways[0], _FEWER_BOXES)
        except (Undecided, Malformed):
            return self._sign_of_product(ways[1], _MOST_BOXES)

    def _sign_of_product(self, factors: list[tuple["_Question", int]], most: int) -> int:
        return math.prod(self._sign_of(question, most) for question, power in factors if power % 2)

    def _sign_of(self, question: "_Question", most: int) -> int:
        signs: set[int] = set()

        def is_settled(box: Interval, at_left: bool, at_right: bool) -> bool:
            sign = self._sign_on_box(question, box, at_left, at_right)
            if sign is not None:
                signs.add(sign)
            if len(signs) > 1:
                raise Changes
            return sign is not None

        self._cover(question.cell, is_settled, most)
        return signs.pop()

    def _sign_on_box(self, question: "_Question", box: Interval, at_left: bool, at_right: bool) -> int | None:
        function = question.function
        try:
            value, slope = self.jet(function, box, 1)
        except Undefined:
            value = slope = Interval(MINUS_OO, OO, box.bits)
        if value.sign is not None:
            return value.sign
        if not slope.sign:
            beside = self._sign_beside_zero(question, box, at_left, at_right)
            return beside or self._on_tail(function, box, lambda tail: tail.sign)
        # A simple zero at the very end of the cell: beside it the sign is the derivative's.
        if at_left and self._is_zero_of(question, question.cell.left):
            return slope.sign
        if at_right and self._is_zero_of(question, question.cell.right):
            return -slope.sign
        return self._sign_if_monotone(function, box) or self._on_tail(function, box, lambda tail: tail.sign)

    def _sign_beside_zero(self, question: "_Question", box: Interval, at_left: bool, at_right: bool) -> int | None:
        """Return the sign beside a multiple zero at the very end of the cell, by Taylor's formula.

        It is that of the first derivative that is not 0 there, if that has one sign on the whole box.
        """
        term, order = question.function
        ends = (at_left, question.cell.left, 1), (at_right, question.cell.right, -1)
        for place, direction in ((place, direction) for touches, place, direction in ends if touches):
            if not self._is_zero_of(question, place):
                continue
            for more in range(1, HIGHEST - order):
                if not self._vanishes((term, order + more), place):
                    break
                try:
                    sign = self.jet((term, order + more + 1), box)[0].sign
                except Undefined:
                    return None
                if sign:
                    return int(sign * direction ** (more + 1))
        return None

    def _sign_if_monotone(self, function: Function, box: Interval) -> int | None:
        """Return the sign of a monotone function on a finite box, from its values at both ends."""
        if box.lower == MINUS_OO or box.upper == OO:
            return None
        try:
            ends = {self.jet(function, Interval(end, end, box.bits))[0].sign for end in (box.lower, box.upper)}
        except Undefined:
            return None
        return ends.pop() if len(ends) == 1 else None

    def _is_zero_of(self, question: "_Question", place: Place) -> bool:
        try:
            if all(self.sign_at(other, place) for other in question.others):
                return self._vanishes(question.vanishing, place)
        except (Undecided, Undefined):
            pass
        return self._vanishes(question.function, place)

    def _vanishes(self, function: Function, place: Place) -> bool:
        try:
            return not place.infinite and self.sign_at(function, place) == 0
        except Undecided:
            return False

    def _cover(self, cell: Cell, is_settled: Callable[[Interval, bool, bool], bool], most: int) -> None:
        """Cut the cell until every box is settled; the question also says which ends of the cell a box touches."""
        bits, nonzero = BITS[0], self._excludes_zero(cell)
        lower = MINUS_OO if cell.left.infinite else self.enclosure(replace(cell.left, defining=None), bits).lower
        upper = OO if cell.right.infinite else self.enclosure(replace(cell.right, defining=None), bits).upper
        waiting, count = deque([(Interval(lower, upper, bits, nonzero), 0)]), 0
        while waiting:  # the widest first, so that a change of sign is seen before the zero is cornered
            box, depth = waiting.popleft()
            count += 1
            if is_settled(box, box.lower == lower, box.upper == upper):
                continue
            if depth >= _MOST_HALVINGS or count > most:
                raise Undecided("a question on a whole cell is not decided by bisection")
            middle = cut(box, _CUT).lower
            parts = Interval(box.lower, middle, bits, nonzero), Interval(middle, box.upper, bits, nonzero)
            waiting.extend((part, depth + 1) for part in parts)

    def differ(self, left: Function, right: Function, cell: Cell) -> bool:
        """Whether two functions are seen to differ somewhere in a cell."""
        if left == right:
            return False
        for point in self._points(cell):
            box = Interval.around(point, BITS[0])
            try:
                gap = (self.jet(left, box)[0] + -self.jet(right, box)[0]).sign
            except Undefined:
                continue
            if gap:
                return True
        return False

    def sign_of_constant(self, function: Function, cell: Cell) -> int:
        """Return the sign of a function that is the same everywhere in a cell."""
        point = next(iter(self._points(cell)[_POINTS // 2 :]), None)
        if point is None or not self.order(cell.left, point) < 0 < self.order(cell.right, point):
            raise Undecided("a cell is too narrow")
        return self.sign_at(function, Place(exact=number(point)))

    def _points(self, cell: Cell) -> list[Fraction]:
        """Return points spread over the cell, within some distance of its finite ends; none if it is too narrow."""
        left, right = (None if end.infinite else self._near(end) for end in (cell.left, cell.right))
        if left is None:
            left, right = (-Fraction(37, 4), Fraction(35, 4)) if right is None else (right - Fraction(37, 4), right)
        elif right is None:
            right = left + Fraction(37, 4)
        shares = [Fraction(2 * k + 1, 2 * _POINTS + 1) for k in range(_POINTS)]
        return [left + (right - left) * share for share in shares if left != right]

    def _near(self, place: Place) -> Fraction:
        """Return a rational number that differs from a finite place by some 60 digits, or by next to nothing."""
        lower = self.enclosure(place, BITS[0]).lower
        if less(libmp.mpf_abs(lower), _NOTHING):  # as a fraction it may have millions of digits
            return Fraction(0)
        self.spend(max(0, int(lower[2])) // 2_000)  # and so may a huge one; so many bits take as long as a subterm
        return Fraction(*(int(part) for part in libmp.to_rational(lower)))


def _bases(term: Term) -> Iterator[Term]:
    """Yield the bases of higher powers: at their zeros derivatives may have zeros of a high order, too."""
    if term.head == "^" and term.value.denominator == 1 and term.value > HIGHEST:
        yield term.args[0]
    for part in term.args:
        yield from _bases(part)
