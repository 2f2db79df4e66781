r"""Class N, proven anew: \|σ'\|^(-1/2) is convex on the one interval where σ' is not 0, and σ is constant beyond.

On a cell this says that the Schwarzian derivative, times σ'² here so that nothing is divided by, is nowhere positive:
2σ'σ''' - 3σ''² <= 0. Between two cells σ and σ' must be continuous, and σ''/σ' must not jump upwards.
"""

import itertools
from dataclasses import dataclass

from gradtheory.checker.cells import Rejected, check_piece, locate, resolve_at
from gradtheory.checker.jets import derivatives
from gradtheory.checker.schema import Cell, Place
from gradtheory.checker.signs import Changes, Prover
from gradtheory.checker.terms import Term, number, z

_LINE = Place(infinite=-1), Place(infinite=1)


@dataclass(frozen=True, eq=False)
class Member:
    """An activation that is proven to be in class N.

    Parameters
    ----------
    cells : tuple of Cell
        From left to right over the whole line.
    support : range
        The numbers of the cells on which σ' is not 0.
    prover : Prover
        Who proved it.

    """

    cells: tuple[Cell, ...]
    support: range
    prover: Prover

    @property
    def sign(self) -> int:
        """The sign of σ' on the support."""
        return self.cells[self.support[0]].sign

    def rises_toward(self, side: int) -> bool:
        """Whether |σ'| is proven to be nowhere less further out on one side, and nowhere 0 far out."""
        cells = [self.cells[i] for i in self.support]
        outermost = cells[0].left if side < 0 else cells[-1].right
        if not outermost.infinite:
            return False
        return all(self._bends(cell) in (0, side) for cell in cells)

    def _bends(self, cell: Cell) -> int | None:
        """Return the direction in which |σ'| rises on a cell, 0 where it is constant; None where it is neither."""
        try:
            return _sign_on((cell.piece, 2), cell, self.prover) * cell.sign
        except Changes:
            return None

    def is_at_most(self, slope: Term) -> bool:
        """Whether |σ'| is proven to be nowhere greater than a number."""
        try:
            gaps = [
                _sign_on((slope * z + number(-self.sign) * self.cells[i].piece, 1), self.cells[i], self.prover)
                for i in self.support
            ]
        except Changes:
            return False
        return all(gap >= 0 for gap in gaps)


def member(expression: Term, cells: tuple[Cell, ...], name: str) -> Member:
    """Return an activation with the proof that it is in class N; raises Rejected or Undecided."""
    prover = Prover()
    located = locate(cells, _LINE, expression, prover)
    for i, cell in enumerate(located):
        _check_cell(expression, cell, f"{name}.cells[{i}]", prover)
    curved = [i for i, cell in enumerate(located) if cell.sign]
    support = range(curved[0], curved[-1] + 1) if curved else range(0)
    if not support or len({located[i].sign for i in support}) > 1:
        raise Rejected(f"{name}: the slope must have one sign on one interval, and be 0 beyond")
    for i, (here, there) in enumerate(itertools.pairwise(located)):
        _check_joint(expression, here, there, f"{name}.cells[{i}].right", prover)
    return Member(located, support, prover)


def _check_cell(expression: Term, cell: Cell, name: str, prover: Prover) -> None:
    """Check that σ is the piece, that σ' has the sign stated, and that the Schwarzian is nowhere positive."""
    check_piece(expression, cell, name, prover)
    try:
        if _sign_on((cell.piece, 1), cell, prover) != cell.sign:
            raise Rejected(f"{name}.sign is not the sign of the slope")
        if cell.sign and _sign_of_schwarzian(cell, prover) > 0:
            raise Rejected(f"{name}: the Schwarzian derivative is positive")
    except Changes:
        raise Rejected(f"{name}: the slope or the Schwarzian derivative changes its sign inside") from None


def _sign_on(function: tuple[Term, int], cell: Cell, prover: Prover) -> int:
    return 0 if prover.is_same(function, (number(0), 0)) else prover.sign_on(function, cell)


def _sign_of_schwarzian(cell: Cell, prover: Prover) -> int:
    """Return the sign of 2σ'σ''' - 3σ''²; it may be identically 0, as on a line."""
    _, slope, bend, third = derivatives(cell.piece, z, 3)
    return _sign_on((number(2) * slope * third + number(-3) * bend * bend, 0), cell, prover)


def _check_joint(expression: Term, here: Cell, there: Cell, name: str, prover: Prover) -> None:
    """Check what holds between two cells: at an end of the support σ alone must be continuous."""
    place = here.right

    def jump(order: int) -> int:
        return prover.sign_at((there.piece + number(-1) * here.piece, order), place)

    if jump(0) != 0 or not _is_as_beside(expression, here, place, prover):
        raise Rejected(f"{name}: σ jumps")
    if not (here.sign and there.sign):
        return
    if prover.sign_at((here.piece, 1), place) != here.sign:
        raise Rejected(f"{name}: the slope is 0 at a point, and not beside it")
    if jump(1) != 0:
        raise Rejected(f"{name}: the slope jumps")
    if jump(2) * here.sign > 0:
        raise Rejected(f"{name}: the slope of |σ'| jumps upwards")


def _is_as_beside(expression: Term, here: Cell, place: Place, prover: Prover) -> bool:
    """Whether σ at a place is the limit from the left: Piecewise and sign may make it another number, z**2/z none."""
    at_place = resolve_at(expression, place, prover)
    return prover.sign_at((here.piece + number(-1) * at_place, 0), place) == 0
