"""Questions of sign toward the ends of a cell and on a whole open cell, answered by bisection."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from mpmath import libmp

from gradtheory.checker.algebra import as_sympy
from gradtheory.checker.intervals import MINUS_OO, ONE, OO, ZERO, Interval, Undefined, less, real
from gradtheory.checker.limits import limit_of_slope
from gradtheory.checker.points import BITS, WORK_OF_SYMPY, Function, Points, cut
from gradtheory.checker.reading import read
from gradtheory.checker.schema import Cell, Place, Side
from gradtheory.checker.terms import Term, number
from gradtheory.errors import Undecided

_MOST_BOXES = 3_000
_MOST_HALVINGS = 100
_POINTS = 24
_CUT = Fraction(499, 1024)  # off the centre, where zeros like to lie
_AGREEMENT = Fraction(1, 10**40)


class Changes(Exception):
    """The function takes both signs on the cell: an answer, not an error."""


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
        return self._signs_near(function, cell, side) or frozenset({self._sign_of_limit(function, place.infinite)})

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
                continue
            if not less(near.lower, ZERO):
                return frozenset({1} if less(ZERO, near.lower) else {0, 1})
            if not less(ZERO, near.upper):
                return frozenset({-1} if less(near.upper, ZERO) else {0, -1})
        return frozenset()

    def _sign_of_limit(self, function: Function, infinite: int) -> int:
        try:
            limit = limit_of_slope(function[0], infinite, self.sign)
            return limit if isinstance(limit, int) else self.sign(limit)
        except Undecided:
            answer: int = self.remembered((function, infinite), lambda: self._ask_for_limit(function, infinite))
            return answer

    def _ask_for_limit(self, function: Function, infinite: int) -> int:
        import sympy

        self.spend(WORK_OF_SYMPY)
        expr = as_sympy(self.derivative(*function))
        try:
            limit = sympy.limit(expr, sympy.Symbol("z", real=True), infinite * sympy.oo)
            sign = int(sympy.sign(limit)) if limit.is_infinite else self.sign(read(str(limit)))
        except Exception:  # SymPy may fail in any way on expressions from outside
            raise Undecided("a limit at infinity is not known") from None
        self.remarks["a limit of the slope at infinity was taken by SymPy"] = None
        return sign

    def _excludes_zero(self, cell: Cell) -> bool:
        left, right = cell.left, cell.right
        if (left.is_isolated and left.lower >= 0) or (right.is_isolated and right.upper <= 0):
            return True
        at_left = left.infinite or (self.sign(left.exact) if left.exact is not None else -1)
        at_right = right.infinite or (self.sign(right.exact) if right.exact is not None else 1)
        return at_left >= 0 or at_right <= 0

    def is_smooth_on(self, term: Term, cell: Cell) -> None:
        """Prove that a term has two derivatives everywhere on the open cell."""
        self._cover(cell, lambda box, *_: self._is_defined(term, box))

    def _is_defined(self, term: Term, box: Interval) -> bool:
        try:
            return bool(self.jet((term, 0), box, 2))
        except Undefined:
            return False

    def sign_on(self, function: Function, cell: Cell) -> int:
        """Return the sign of a function everywhere on the open cell; it may be 0 at the ends. Raises Changes."""
        return int(self.remembered((function, cell.left, cell.right), lambda: self._sign_on(function, cell)))

    def _sign_on(self, function: Function, cell: Cell) -> int:
        signs: set[int] = set()

        def is_settled(box: Interval, at_left: bool, at_right: bool) -> bool:
            sign = self._sign_on_box(function, cell, box, at_left, at_right)
            if sign is not None:
                signs.add(sign)
            if len(signs) > 1:
                raise Changes
            return sign is not None

        self._cover(cell, is_settled)
        return signs.pop()

    def _sign_on_box(self, function: Function, cell: Cell, box: Interval, at_left: bool, at_right: bool) -> int | None:
        try:
            value, *slopes = self.jet(function, box, int(at_left or at_right))
        except Undefined:
            return None
        if value.sign is not None:
            return value.sign
        # A simple zero at the very end of the cell: beside it the sign is the derivative's.
        slope = slopes[0].sign if slopes else None
        if slope and at_left and self._vanishes(function, cell.left):
            return slope
        if slope and at_right and self._vanishes(function, cell.right):
            return -slope
        return None

    def _vanishes(self, function: Function, place: Place) -> bool:
        try:
            return not place.infinite and self.sign_at(function, place) == 0
        except Undecided:
            return False

    def _cover(self, cell: Cell, is_settled: Callable[[Interval, bool, bool], bool]) -> None:
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
            if depth >= _MOST_HALVINGS or count > _MOST_BOXES:
                raise Undecided("a question on a whole cell is not decided by bisection")
            middle = cut(box, _CUT).lower
            parts = Interval(box.lower, middle, bits, nonzero), Interval(middle, box.upper, bits, nonzero)
            waiting.extend((part, depth + 1) for part in parts)

    def agree(self, left: Function, right: Function, cell: Cell) -> bool | None:
        """Whether two functions are the same: True if proven, None if they agree to 40 digits at points of the cell."""
        if self.remembered((left, right), lambda: self._is_same(left, right)):
            return True
        seen = 0
        for point in self._points(cell):
            box = Interval.around(point, BITS[1])
            try:
                here, there = self.jet(left, box)[0], self.jet(right, box)[0]
            except Undefined:
                continue
            gap, scale = (here + -there).size, here.size
            if less(ZERO, gap.lower):
                return False
            bound = scale.like(_AGREEMENT) * scale
            seen += not less(bound.lower, gap.upper)
        if seen < _POINTS - 4:
            raise Undecided("two expressions could not be compared at enough points")
        return None

    def _is_same(self, left: Function, right: Function) -> bool:
        try:
            return left == right or self._is_zero(self.derivative(*left) + number(-1) * self.derivative(*right))
        except Undecided:
            return False  # too large; points remain

    def _points(self, cell: Cell) -> list[Fraction]:
        """Return points spread over the cell, within some distance of its finite ends."""
        left, right = (None if end.infinite else self._near(end) for end in (cell.left, cell.right))
        if left is None:
            left, right = (-Fraction(37, 4), Fraction(35, 4)) if right is None else (right - Fraction(37, 4), right)
        elif right is None:
            right = left + Fraction(37, 4)
        return [left + (right - left) * Fraction(2 * k + 1, 2 * _POINTS + 1) for k in range(_POINTS)]

    def _near(self, place: Place) -> Fraction:
        """Return a rational number that differs from a finite place by some 60 digits."""
        return Fraction(*(int(part) for part in libmp.to_rational(self.enclosure(place, BITS[0]).lower)))
