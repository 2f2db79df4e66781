"""The cells of a certificate: that they cover the domain, and that on each σ and |σ'| are as stated."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, islice, pairwise

from gradtheory.checker.comparisons import Function
from gradtheory.checker.reading import partial
from gradtheory.checker.schema import Cell, Place
from gradtheory.checker.signs import Changes, Prover
from gradtheory.checker.terms import Term, number
from gradtheory.errors import Undecided

_MOST_SWITCHES = 100


class Rejected(Exception):
    """A statement of the certificate is false, or not of the kind the argument needs."""


def locate(cells: tuple[Cell, ...], domain: tuple[Place, Place], expression: Term, prover: Prover) -> tuple[Cell, ...]:
    """Return the cells, contiguous over the domain; each isolated end knows whose only zero it is."""
    if not cells or (cells[0].left, cells[-1].right) != domain:
        raise Rejected("cells must reach from one end of the domain to the other")
    ends = [cells[0].left]
    for j, (here, there) in enumerate(pairwise(cells)):
        if here.right != there.left:
            raise Rejected(f"cells[{j}] and cells[{j + 1}] must share an end")
        ends.append(_defined(here, there, expression, j, prover))
    ends.append(cells[-1].right)
    for j, (left, right) in enumerate(pairwise(ends)):
        if not prover.is_before(left, right):
            raise Rejected(f"cells[{j}] must have its left end before its right end")
    placed = zip(cells, pairwise(ends), strict=True)
    return tuple(replace(cell, left=left, right=right) for cell, (left, right) in placed)


def _defined(here: Cell, there: Cell, expression: Term, j: int, prover: Prover) -> Place:
    """Return the place between two cells; one that is only isolated is the zero of what changes there."""
    place = here.right
    if not place.is_isolated:
        return place
    candidates: list[Function]
    if here.piece != there.piece:
        candidates = [(each, 0) for each in islice(_switches(expression), _MOST_SWITCHES)]
    elif here.sign != there.sign:
        candidates = [(here.piece, 1)]
    else:
        candidates = [] if here.shape is None else [(here.shape, 0)]
    for function in candidates:
        if prover.has_one_zero(function, place.lower, place.upper):
            return replace(place, defining=function)
    raise Rejected(f"cells[{j}].right: no simple zero of what changes there is proven in the interval")


def _switches(term: Term) -> Iterator[Term]:
    """Yield the functions at whose zeros Max, Min, Abs, sign or a condition switches, those that are smooth."""
    for argument in term.args:
        yield from _switches(argument)
    match term.head:
        case "Abs" | "sign" if not term.args[0].switches:
            yield term.args[0]
        case "Max" | "Min" | "<" | "<=" | "Eq":
            for left, right in combinations([each for each in term.args if not each.switches], 2):
                yield left + number(-1) * right


def check_cell(expression: Term, cell: Cell, name: str, prover: Prover) -> None:
    """Check that σ is the piece, and that its slope has the sign and the direction stated, on the whole open cell."""
    check_piece(expression, cell, name, prover)
    if cell.shape is None or cell.positive is None:
        if not prover.is_same((cell.piece, 2), (number(0), 0)):
            raise Rejected(f"{name}: the slope is not seen to be constant")
        if prover.sign_of_constant((cell.piece, 1), cell) != cell.sign:
            raise Rejected(f"{name}.sign is not the sign of the slope")
        return
    for term in (cell.positive, cell.shape):
        prover.is_smooth_on(term, cell)
    _same((cell.piece, 2), (cell.positive * cell.shape, 0), cell, f"{name}: σ'' is positive*shape", prover)
    try:
        if prover.sign_on((cell.positive, 0), cell) != 1:
            raise Rejected(f"{name}.positive is not positive")
        if prover.sign_on((cell.shape, 0), cell) != cell.sign * (1 if cell.rises else -1):
            raise Rejected(f"{name}.rises: shape has the other sign")
    except Changes:
        raise Rejected(f"{name}: positive or shape changes sign inside") from None
    # |σ'| is monotone with the sign stated if that sign is right beside the end where it is least.
    shallow = prover.signs_toward((number(cell.sign) * cell.piece, 1), cell, "left" if cell.rises else "right")
    if not shallow <= {0, 1}:
        raise Rejected(f"{name}.sign is not the sign of the slope")


def check_piece(expression: Term, cell: Cell, name: str, prover: Prover) -> None:
    """Check that σ is the piece on the whole open cell, and has derivatives there."""
    try:
        smooth = resolve(
            expression, lambda term: prover.sign_on((term, 0), cell), lambda term: prover.is_smooth_on(term, cell)
        )
    except Changes:
        raise Rejected(f"{name}: a switch of the expression lies inside") from None
    for term in {smooth, cell.piece}:
        prover.is_smooth_on(term, cell)
    _same((smooth, 0), (cell.piece, 0), cell, f"{name}.piece is σ", prover)


def _same(left: Function, right: Function, cell: Cell, statement: str, prover: Prover) -> None:
    if prover.differ(left, right, cell):  # takes less time than a proof
        raise Rejected(f"{statement}: false")
    if not prover.is_same(left, right):
        raise Undecided(f"{statement}: not proven")


def resolve(term: Term, sign: Callable[[Term], int], require: Callable[[Term], object]) -> Term:
    """Return the term without Max, Min, Abs, sign and Piecewise, where the sign of any smooth term is known.

    Where a part cancels, as log(z) in log(z) - Max(log(z), log(z)), `require` raises unless it is defined.
    """
    match term.head:
        case "Piecewise":
            for value, condition in zip(term.args[::2], term.args[1::2], strict=True):
                if _holds(condition, sign, require):
                    return resolve(value, sign, require)
            raise Rejected("claim.expression is not defined on the whole domain")
        case "z" | "pi" | "number":
            return term
    parts = [resolve(each, sign, require) for each in term.args]
    return _kept(_combined(term, parts, sign), parts, require)


def resolve_at(term: Term, place: Place, prover: Prover) -> Term:
    """Return what `resolve` does at one place."""
    return resolve(term, lambda part: prover.sign_at((part, 0), place), lambda part: prover.value_at(part, place))


def _combined(term: Term, parts: list[Term], sign: Callable[[Term], int]) -> Term:
    """Return what a term makes of its resolved parts."""
    first, *others = parts
    match term.head:
        case "Max" | "Min":
            for other in others:
                gap = sign(other + number(-1) * first)
                first = other if gap == (1 if term.head == "Max" else -1) else first
            return first
        case "Abs" | "sign":
            return number(sign(first)) * (first if term.head == "Abs" else number(1))
        case "^":
            return first.power(term.value)
        case "+" | "*":
            for other in others:
                first = first + other if term.head == "+" else first * other
            return first
    return first.apply(term.head)


def _kept(result: Term, parts: list[Term], require: Callable[[Term], object]) -> Term:
    """Return the result; what it does not show of the parts must be defined."""
    shown = set(partial(result))
    for part in parts:
        if not shown.issuperset(partial(part)):
            require(part)
    return result


def _holds(condition: Term, sign: Callable[[Term], int], require: Callable[[Term], object]) -> bool:
    match condition.head:
        case "True":
            return True
        case "&":
            return all(_holds(each, sign, require) for each in condition.args)
        case "|":  # of nothing: False
            return any(_holds(each, sign, require) for each in condition.args)
    left, right = parts = [resolve(each, sign, require) for each in condition.args]
    gap = sign(_kept(number(0), parts, require) + right + number(-1) * left)
    return gap in {"<": (1,), "<=": (0, 1), "Eq": (0,)}[condition.head]
