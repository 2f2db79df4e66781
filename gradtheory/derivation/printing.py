"""Statements as formulas: in LaTeX, in rows where they are long, and as plain text."""

import re
from collections.abc import Iterator, Sequence

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.wide import WideEquation
from gradtheory.document import Formula
from gradtheory.formulas import LatexWriter, TextWriter, WrittenProduct
from gradtheory.formulas.latex import SIGNS
from gradtheory.formulas.spelling import PLAIN, Spelling, sides

_LONGEST_ROW = 62  # in letters, as far as they can be counted


def text(statement: sympy.Basic, *assumptions: sympy.Basic, spelling: Spelling = PLAIN) -> str:
    """Return a statement as plain text, with its assumptions in brackets.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> text(sympy.Le(x**2, 4, evaluate=False))
    'x² ≤ 4'

    """
    writer = TextWriter(spelling)
    if assumptions:
        return f"{text(statement, spelling=spelling)}   ({', '.join(map(writer.doprint, joined(assumptions)))})"
    if isinstance(statement, InNumbers):
        parts = (statement.lhs, statement.rhs, statement.substituted())
        return f"{' = '.join(map(writer.doprint, parts))} ≈ {statement.result._written()}"
    return str(writer.doprint(statement))


def joined(assumptions: Sequence[sympy.Basic]) -> list[sympy.Basic]:
    """Return assumptions with l < v and v < u as the one condition l < v < u."""
    conditions: list[sympy.Basic] = []
    for condition in assumptions:
        before = conditions[-1] if conditions else None
        if isinstance(before, sympy.Gt) and isinstance(condition, sympy.Lt) and before.lhs == condition.lhs:
            conditions[-1] = sympy.And(before, condition, evaluate=False)
        else:
            conditions.append(condition)
    return conditions


def formula(*statements: sympy.Basic, spelling: Spelling = PLAIN) -> Formula:
    """Return a statement as a formula in rows, or several below each other."""
    rows = tuple(row for statement in statements for row in _rows(statement, LatexWriter(spelling)))
    return Formula(rows, lambda: "\n".join(text(statement, spelling=spelling) for statement in statements))


def _rows(statement: sympy.Basic, writer: LatexWriter) -> Iterator[tuple[str, str]]:
    if isinstance(statement, InNumbers):
        yield from _broken(writer, writer.doprint(statement.lhs), "=", statement.rhs)
        yield from _broken(LatexWriter(writer.spelling, "dot"), "", "=", statement.substituted())
        yield "", rf"\approx {statement.result._written()}"
    elif isinstance(statement, Rounded | WideEquation):
        sign = r"\approx" if isinstance(statement, Rounded) else "="
        left, right = statement._latex(writer).split(f" {sign} ", 1)
        yield left, f"{sign} {right}"
    elif isinstance(statement, Equivalent):
        left, right = map(writer.doprint, sides(statement))
        if _length(left) + _length(right) > _LONGEST_ROW:
            yield "", rf"{left} \iff"
            yield "", right
        else:
            yield left, rf"\iff {right}"
    elif isinstance(statement, Relational):
        yield from _broken(writer, writer.doprint(statement.lhs), SIGNS[statement.rel_op], statement.rhs)
    else:
        yield "", writer.doprint(statement)


def _broken(writer: LatexWriter, left: str, sign: str, right: sympy.Expr) -> Iterator[tuple[str, str]]:
    """Yield the rows of left = right: a long product is broken between its groups of factors."""
    if not isinstance(right, WrittenProduct):
        yield left, f"{sign} {writer.doprint(right)}"
        return
    row: list[str] = []
    length = 0
    for group in right.groups:
        printed = right.printed(group, writer)
        if row and length + _length(printed) > _LONGEST_ROW:
            yield left, f"{sign} {_in_a_row(row)}"
            left, sign, row, length = "", r"\quad {}\cdot", [], 0
        row.append(printed)
        length += _length(printed)
    yield left, f"{sign} {_in_a_row(row)}"


def _in_a_row(groups: Sequence[str]) -> str:
    return r" \cdot ".join(groups)


def _length(printed: str) -> int:
    return len(re.sub(r"\\[a-zA-Z]+|[{}^_\\ ]", "", printed)) + 1
