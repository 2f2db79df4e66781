"""The set of a certificate: from the claim, cells and crossings the components are derived anew and compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from gradtheory.checker.cells import Rejected, check_cell, locate, resolve_at
from gradtheory.checker.comparisons import Function
from gradtheory.checker.field import Quotient
from gradtheory.checker.jets import derivatives
from gradtheory.checker.reading import conditions, read
from gradtheory.checker.schema import Bound, Cell, Certificate, Component, Crossing, Place, Side
from gradtheory.checker.signs import Prover
from gradtheory.checker.terms import Term, number, z
from gradtheory.errors import InvalidArgument, Undecided


def verify(certificate: Certificate, formula_of: Callable[[str], str]) -> bool | None:
    """Check everything; raises Rejected or Undecided.

    `formula_of` tells the formula that belongs to the name of an activation, or raises InvalidArgument. Returns whether
    the points between two periods belong, if the set repeats: the certificate is about open ones; None if not known.
    """
    prover = Prover()
    _check_tails(certificate)
    check_name(certificate.activation, certificate.expression, formula_of)
    level = _level(certificate, prover)
    cells = locate(certificate.cells, certificate.domain, certificate.expression, prover)
    repeats = _check_period(certificate, prover) if certificate.tails[0] == "period" else 0
    for i, cell in enumerate(cells):
        check_cell(certificate.expression, cell, f"cells[{i}]", prover)
    if level is not None:
        superlevel = _Superlevel(certificate, cells, level, prover)
        superlevel.check()
        return superlevel.between_periods(repeats) if repeats else False
    if certificate.crossings or certificate.components:
        raise Rejected("components: with weight 0 no level is reached, and none are crossed")
    return False


def _check_tails(certificate: Certificate) -> None:
    """Check what is said about the line beyond the domain, and whether that is all of it."""
    for name, tail, end in zip(("left", "right"), certificate.tails, certificate.domain, strict=True):
        if (tail == "monotone") != bool(end.infinite):
            raise Rejected(f"tails.{name}: monotone belongs to an infinite end of the domain, others to a finite one")
    if certificate.tails.count("period") == 1:
        raise Rejected("tails: a period belongs to both")
    if (certificate.status == "proven") == ("limit" in certificate.tails):
        raise Rejected("status must be proven on the whole line and over a period, proven on the domain elsewhere")


def _check_period(certificate: Certificate, prover: Prover) -> int:
    """Check that a period further on, whose length is that of the domain, σ is the same or -σ, up to a constant.

    Equalities hold wherever both sides are defined: what may be undefined must repeat, too. Returns 1 or -1.
    """
    start, stop = (end.exact for end in certificate.domain)
    field, sigma = prover.field, certificate.expression
    if start is None or stop is None:
        raise Rejected("tails: a period is for exact ends")
    further = field.z + field.value(stop + number(-1) * start)

    def without_change(term: Term, sign: int) -> Quotient:
        here = field.value(term)
        return field.value(term, further) + here * here.like(Fraction(-sign))

    for term, signs in conditions(sigma):
        if not any(without_change(term, sign).is_zero for sign in signs):
            raise Undecided("tails: that the expression is defined beyond the period is not proven")
    for sign in (1, -1):
        if without_change(sigma, sign).is_constant:
            return sign
    raise Rejected("tails: the length of the domain is not proven to be a period of the slope")


def check_name(name: str | None, expression: Term, formula_of: Callable[[str], str]) -> None:
    """Check that an expression is that of the activation named, if one is."""
    if name is None:
        return
    try:
        formula = formula_of(name)
    except InvalidArgument:
        raise Rejected(f"claim.activation: {name[:40]} is not in the catalogue") from None
    if expression != read(formula):
        raise Rejected(f"claim.expression is not that of {name[:40]} in the catalogue")


def _level(certificate: Certificate, prover: Prover) -> Term | None:
    """Return t = c/|w| of a valid claim; None for w = 0."""
    prover.sign_at((certificate.bias * z, 1), Place(exact=number(0)))  # a real number; it takes no other part
    if prover.sign(certificate.threshold) <= 0:
        raise Rejected("claim.threshold must be positive")
    direction = prover.sign(certificate.weight)
    size = number(direction) * certificate.weight
    return certificate.threshold * size.power(number(-1).value) if direction else None


@dataclass(frozen=True)
class _Superlevel:
    """U_t, from cells that have been checked."""

    certificate: Certificate
    cells: tuple[Cell, ...]
    level: Term
    prover: Prover

    def check(self) -> None:
        stated, proven = self.certificate.components, tuple(self._components(self._crossings()))
        for i, (stated_one, proven_one) in enumerate(zip(stated, proven, strict=False)):
            if stated_one != proven_one:
                raise Rejected(f"components[{i}] is not as proven")
        if len(stated) != len(proven):
            raise Rejected(f"components: {len(stated)} stated, {len(proven)} proven")

    def _above(self, cell: Cell) -> Function:
        """Return |σ'| - t on the cell, as a function."""
        return number(cell.sign) * cell.piece + number(-1) * self.level * z, 1

    def _crossings(self) -> dict[int, int]:
        """Return the number of the crossing in each cell that has one; each is proven to be there."""
        numbers: dict[int, int] = {}
        for i, crossing in enumerate(self.certificate.crossings):
            if not max(numbers, default=-1) < crossing.cell < len(self.cells):
                raise Rejected(f"crossings[{i}].cell must be a cell, and later than the one before")
            cell = self.cells[crossing.cell]
            if cell.rises is None or not self._is_bracket(crossing, cell, rises=cell.rises):
                raise Rejected(f"crossings[{i}] does not bracket a crossing inside its cell")
            numbers[crossing.cell] = i
        return numbers

    def _is_bracket(self, crossing: Crossing, cell: Cell, *, rises: bool) -> bool:
        """Whether |σ'| - t changes sign within the bracket, and within the open cell."""
        bracket = crossing.lower, crossing.upper
        lower, upper = (self.prover.sign_at(self._above(cell), Place(exact=number(end))) for end in bracket)
        left, right = (self.prover.order(end, at) for end, at in zip((cell.left, cell.right), bracket, strict=True))
        inside = left < 0 < right or (left <= 0 <= right and lower != 0 != upper)
        change = (lower, upper) if rises else (upper, lower)
        is_crossing_itself = change == (0, 0) and crossing.lower == crossing.upper
        return inside and (change in {(-1, 1), (-1, 0), (0, 1)} or is_crossing_itself)

    def _components(self, crossings: dict[int, int]) -> Iterator[Component]:
        """Yield the components from left to right: parts that touch are joined."""
        pending: Component | None = None
        for i in range(len(self.cells)):
            for part in self._parts(i, crossings):
                if pending and pending.upper == part.lower and not (pending.upper_open and part.lower_open):
                    pending = Component(pending.lower, part.upper, pending.lower_open, part.upper_open)
                else:
                    if pending:
                        yield pending
                    pending = part
        if pending:
            yield pending

    def _parts(self, i: int, crossings: dict[int, int]) -> Iterator[Component]:
        """Yield the part of U_t in an open cell, and the point after the cell if it belongs."""
        cell, strict = self.cells[i], self.certificate.strict
        left: Bound = "-oo" if cell.left.infinite else ("end", i - 1)
        right: Bound = "oo" if cell.right.infinite else ("end", i)
        if i in crossings:
            crossing: Bound = ("crossing", crossings[i])
            if cell.rises:
                yield Component(crossing, right, lower_open=strict)
            else:
                yield Component(left, crossing, upper_open=strict)
        elif self._is_above(cell, f"cells[{i}]"):
            yield Component(left, right)
        if i + 1 < len(self.cells) and self._joint_belongs(cell, self.cells[i + 1]):
            yield Component(right, right, lower_open=False, upper_open=False)

    def _is_above(self, cell: Cell, name: str) -> bool:
        """Whether an open cell without a crossing belongs as a whole; the alternative is not at all."""
        above = self._above(cell)
        if cell.rises is None:
            return self.prover.sign_of_constant(above, cell) > (0 if self.certificate.strict else -1)
        steep: Side = "right" if cell.rises else "left"
        shallow: Side = "left" if cell.rises else "right"
        # A finite end is asked first: a limit at infinity takes longer, and is seldom needed.
        for side in sorted((steep, shallow), key=lambda side: cell.end(side).infinite != 0):
            if self.prover.signs_toward(above, cell, side) <= ({-1, 0} if side == steep else {0, 1}):
                return side == shallow
        raise Rejected(f"{name}: |σ'| crosses t, or is not seen to stay on one side, and no crossing is stated")

    def _joint_belongs(self, here: Cell, there: Cell) -> bool:
        """Whether the point between two cells belongs: its slope is enough, and σ has a derivative there."""
        prover, place, least = self.prover, here.right, 1 if self.certificate.strict else 0
        if any(prover.sign_at(self._above(cell), place) < least for cell in (here, there)):
            return False
        gap = here.piece + number(-1) * there.piece
        if any(prover.sign_at((gap, order), place) != 0 for order in (0, 1)):
            return False  # a jump or a kink
        return self._is_value(here.piece, place)

    def _is_value(self, piece: Term, place: Place) -> bool:
        """Whether σ at a place is what a piece beside it is: Piecewise and sign may differ, and z**2/z has no value."""
        at_place = resolve_at(self.certificate.expression, place, self.prover)
        return self.prover.sign_at((piece + number(-1) * at_place, 0), place) == 0

    def between_periods(self, sign: int) -> bool | None:
        """Whether the points between two periods belong, where σ(z + T) = sign·σ(z) + constant; None if not known."""
        prover, least = self.prover, 1 if self.certificate.strict else 0
        sides: tuple[Side, Side] = ("left", "right")
        ends = list(zip((self.cells[0], self.cells[-1]), sides, self.certificate.domain, strict=True))
        if any(max(prover.signs_toward(self._above(cell), cell, side)) < least for cell, side, _ in ends):
            return False
        slopes = []
        for cell, _, place in ends:
            if prover.sign_at(self._above(cell), place) < least or not self._is_value(cell.piece, place):
                return None
            slopes.append(derivatives(cell.piece, place.exact or number(0), 1)[1])
        return True if prover.sign(slopes[1] + number(-sign) * slopes[0]) == 0 else None
