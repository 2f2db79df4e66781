"""Statements as formulas: in LaTeX, in rows where they are long, and as plain text."""

import itertools
import re
from collections.abc import Iterator, Sequence
from operator import itemgetter

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.arithmetic.brief import LATEX_POWER, POWER
from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.language import Constant, Named
from gradtheory.derivation.wide_layers import WideEquation
from gradtheory.document import Formula
from gradtheory.formulas import LatexWriter, TextWriter, WrittenProduct
from gradtheory.formulas.latex import SIGNS
from gradtheory.formulas.spelling import PLAIN, Spelling, between, pieces, sides

_DOT_BEFORE_NAME = re.compile(r" \\cdot (?=\\(?:operatorname|ln|cosh|sinh|tanh|pi)\b)")  # 2 arsinh(3): no dot is needed
_NAMES = re.compile(r"\\((?:arc)?(?:sin|cos|tan|cot)h?|ln|max|min)\b")
_GROUP = re.compile(r"(?<!\\frac)(?<!\})\{([^{}]*)\}")  # but for those of a fraction
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_BRACKETS = ("{", "}"), (r"\left", r"\right")
_LONGEST_ROW = 62  # in letters, as far as they can be counted
_LONGEST_EQUIVALENCE = 59  # likewise: its signs stand apart
_LONGEST_LINE = 75  # likewise, of a relation
_SHORT_SIDE = 20
_APPROX = r"\approx"


def text(statement: sympy.Basic, *assumptions: sympy.Basic, spelling: Spelling = PLAIN) -> str:
    """Return a statement as plain text, after what it follows from, and with its conditions in brackets.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> text(sympy.Le(x**2, 4, evaluate=False))
    'x² ≤ 4'

    """
    writer = TextWriter(spelling)
    if assumptions:
        premises, conditions = map(joined, divided(assumptions))
        before = f"{' ∧ '.join(map(writer.doprint, premises))} ⇒ " if premises else ""
        after = f"   ({', '.join(map(writer.doprint, conditions))})" if conditions else ""
        return f"{before}{text(statement, spelling=spelling)}{after}"
    if isinstance(statement, InNumbers):
        parts = dict.fromkeys(map(writer.doprint, (statement.lhs, statement.rhs)), "=")
        if statement.rhs not in statement.numbers:  # else one number is put in as it is
            parts.setdefault(writer.doprint(statement.substituted()), "≈" if statement.is_rounded else "=")
        result = _ending(statement, writer, POWER)
        parts.pop(result, None)
        parts[result] = "=" if statement.is_exact else "≈"
        return " ".join(f"{sign} {part}" for part, sign in parts.items()).removeprefix("= ")
    return str(writer.doprint(statement))


def divided(assumptions: Sequence[sympy.Basic]) -> tuple[list[sympy.Basic], list[sympy.Basic]]:
    """Return the assumptions that a statement follows from, and those that only say for which symbols it is meant.

    A comparison that speaks of σ or of a chain is a premise: |σ'(z) w| > c ⇒ |w| > c/sup|σ'|.
    """
    premises = [each for each in assumptions if isinstance(each, Relational) and each.rhs != 0 and _has_words(each)]
    return premises, [each for each in assumptions if each not in premises]


def _has_words(condition: Relational) -> bool:
    parts = sympy.preorder_traversal(condition)
    return not isinstance(condition, sympy.Ne) and any(isinstance(part, Named | Constant) for part in parts)


def joined(assumptions: Sequence[sympy.Basic]) -> list[sympy.Basic]:
    """Return assumptions with l < v and v < u as the one condition l < v < u."""
    conditions: list[sympy.Basic] = []
    for condition in assumptions:
        before = conditions[-1] if conditions else None
        both = None if before is None else sympy.And(before, condition, evaluate=False)
        if both is not None and between(both) is not None:
            conditions[-1] = both
        else:
            conditions.append(condition)
    return conditions


def formula(*statements: sympy.Basic, spelling: Spelling = PLAIN, premises: Sequence[sympy.Basic] = ()) -> Formula:
    """Return a statement as a formula in rows, after what it follows from, or several below each other."""
    writer = LatexWriter(spelling)
    rows = tuple(row for statement in statements for row in _rows(statement, writer))
    if premises:
        rows = ((r" \land ".join(map(writer.doprint, premises)), rf"\implies {rows[0][0]} {rows[0][1]}"), *rows[1:])
    return Formula(rows, lambda: "\n".join(text(statement, spelling=spelling) for statement in statements))


def _rows(statement: sympy.Basic, writer: LatexWriter) -> Iterator[tuple[str, str]]:
    if isinstance(statement, InNumbers):
        rows = list(_broken(writer, writer.doprint(statement.lhs), "=", statement.rhs))
        result = _ending(statement, writer, LATEX_POWER)
        sign = _APPROX if statement.is_rounded else "="
        for left, right in _broken(LatexWriter(writer.spelling, "dot"), "", sign, statement.substituted()):
            if statement.rhs not in statement.numbers and right != f"{sign} {result}":
                rows.append((left, _DOT_BEFORE_NAME.sub(" ", right)))
        rows.append(("", rf"{'=' if statement.is_exact else _APPROX} {result}"))
        yield from (next(same) for _, same in itertools.groupby(rows, key=itemgetter(1)))
    elif isinstance(statement, Rounded | WideEquation):
        sign = r"\approx" if isinstance(statement, Rounded) else "="
        left, right = statement._latex(writer).split(f" {sign} ", 1)
        yield left, f"{sign} {right}"
    elif isinstance(statement, Equivalent):
        left, right = map(writer.doprint, sides(statement))
        if _length(left) + _length(right) > _LONGEST_EQUIVALENCE:
            yield "", rf"{left} \iff"
            yield from _alternatives(sides(statement)[1], writer)
        else:
            yield left, rf"\iff {right}"
    elif isinstance(statement, Relational) and _is_wide(statement, writer):
        left, right, sign = writer.doprint(statement.lhs), writer.doprint(statement.rhs), SIGNS[statement.rel_op]
        if (short := _width(left)) < _SHORT_SIDE:
            first, *others = _in_lines(right, _LONGEST_ROW - short)
            yield left, f"{sign} {first}"
        else:
            first, *others = _in_lines(right)
            yield from (("", line) for line in _in_lines(left))
            yield "", rf"\quad {sign} {first}"
        yield from (("", rf"\qquad {line}") for line in others)
    elif isinstance(statement, Relational):
        yield from _broken(writer, writer.doprint(statement.lhs), SIGNS[statement.rel_op], statement.rhs)
    else:
        yield "", writer.doprint(statement)


def _ending(statement: InNumbers, writer: LatexWriter | TextWriter, power: str) -> str:
    ending = statement.ending
    return ending.written(power) if isinstance(ending, Rounded) else str(writer.doprint(ending))


def _is_wide(statement: Relational, writer: LatexWriter) -> bool:
    """Return whether a relation would leave the line; a product with fractions is broken between its factors."""
    printed = [writer.doprint(side) for side in (statement.lhs, statement.rhs)]
    is_product = (
        isinstance(statement.rhs, WrittenProduct) and not statement.rhs.is_turned and "\\frac" in "".join(printed)
    )
    return not is_product and sum(map(_width, printed)) > _LONGEST_LINE


def _in_lines(printed: str, longest: int = _LONGEST_ROW) -> list[str]:
    """Return a sum in as few lines as hold its terms."""
    lines, term = [""], ""
    for part in re.split(r"(?= [-+] )", printed):
        term += part
        if all(term.count(opening) == term.count(closing) for opening, closing in _BRACKETS):
            if lines[-1] and _width(lines[-1] + term) > longest:
                lines.append("")
            lines[-1] += term
            term = ""
    return [line.strip() for line in (*lines[:-1], lines[-1] + term)]


def _width(printed: str) -> int:
    """Return about how many letters wide a formula is: a fraction is as wide as the longer of its parts."""
    before = ""
    while printed != before:
        before = printed
        printed = _FRACTION.sub(lambda parts: max(parts.groups(), key=_length), _GROUP.sub(r"\1", printed))
    return _length(printed)


def _broken(writer: LatexWriter, left: str, sign: str, right: sympy.Expr) -> Iterator[tuple[str, str]]:
    """Yield the rows of left = right: a long product is broken between its groups of factors, a sum between terms."""
    if not isinstance(right, WrittenProduct) or right.is_turned:
        first, *others = _in_lines(writer.doprint(right), _LONGEST_LINE - _width(left))
        yield left, f"{sign} {first}"
        yield from (("", rf"\quad {line}") for line in others)
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


def _alternatives(side: sympy.Basic, writer: LatexWriter) -> Iterator[tuple[str, str]]:
    """Yield a side of an equivalence: in one row, or where it is long each of its alternatives in its own."""
    printed = writer.doprint(side)
    parts = [printed]
    if isinstance(side, sympy.Or) and _length(printed) > _LONGEST_ROW:
        parts = list(map(writer.doprint, pieces(side)))
    for number, part in enumerate(parts):
        yield "", rf"\quad \lor\; {part}" if number else part


def _in_a_row(groups: Sequence[str]) -> str:
    return r" \cdot ".join(groups)


def _length(printed: str) -> int:
    return len(re.sub(r"\\[a-zA-Z]+|[{}^_\\ ]", "", _NAMES.sub(r"\1", printed))) + 1
