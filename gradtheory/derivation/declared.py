"""What the letters of a derivation are declared to be where no step says it: a document says it once, for all steps."""

import re
from collections.abc import Iterable, Sequence

import sympy

from gradtheory.derivation.step import Step
from gradtheory.derivation.wide_layers import WideEquation
from gradtheory.formulas import LatexWriter

ABOVE, NOT_BELOW, BELOW, NOT_ZERO = r"> 0", r"\ge 0", r"< 0", r"\neq 0"
WHOLE, WHOLE_FROM_0 = r"\in \{1, 2, 3, \dots\}", r"\in \{0, 1, 2, \dots\}"
KINDS = ABOVE, NOT_BELOW, BELOW, NOT_ZERO, WHOLE, WHOLE_FROM_0  # in the order in which a document says them


def declaration(symbol: sympy.Symbol) -> str:
    r"""Return what a symbol is declared to be, beside real: LaTeX of the rest of a condition, or nothing.

    Examples
    --------
    >>> declaration(sympy.Symbol("c", positive=True)), declaration(sympy.Symbol("n", integer=True, positive=True))
    ('> 0', '\\in \\{1, 2, 3, \\dots\\}')

    """
    if symbol.is_integer:
        return WHOLE if symbol.is_positive else WHOLE_FROM_0 if symbol.is_nonnegative else ""
    if symbol.is_positive:
        return ABOVE
    if symbol.is_negative:
        return BELOW
    if symbol.is_nonnegative:
        return NOT_BELOW
    return NOT_ZERO if symbol.is_nonzero else ""


def assumed(statement: sympy.Basic, assumptions: Sequence[sympy.Basic] = ()) -> list[sympy.Symbol]:
    """Return the symbols that are free in a statement, and declared to be more than the assumptions beside it say.

    The sizes of matrices are left out: they are numbers of neurons, and no formula shows them.
    """
    if isinstance(statement, WideEquation):
        return []
    free = set().union(*(part.free_symbols for part in (statement, *assumptions)))
    symbols = [each for each in free if isinstance(each, sympy.Symbol) and declaration(each)]
    return sorted((each for each in symbols if not _says(assumptions, each)), key=lambda each: str(each).lower())


def unsaid(definitions: Sequence[sympy.Eq], steps: Sequence[Step]) -> list[sympy.Symbol]:
    """Return the symbols whose declarations no step says beside its statement, and no definition makes true."""
    defined = {each.lhs for each in definitions if each.rhs.is_positive or (1 / each.rhs).is_nonnegative}  # t = c/|w|
    symbols = (symbol for step in steps for symbol in assumed(step.statement, step.assumptions))
    return [each for each in dict.fromkeys(symbols) if each not in defined]


def in_conditions(symbols: Iterable[sympy.Symbol], said: str, writer: LatexWriter) -> list[str]:
    """Return what symbols are declared to be as conditions, such as "$c, t > 0$", without those that prose says."""
    kinds: dict[str, list[str]] = {}
    for symbol in symbols:
        if not re.search(rf"(?<![A-Za-z_]){re.escape(f'{symbol.name} {declaration(symbol)}')}", said):
            kinds.setdefault(declaration(symbol), []).append(writer.doprint(symbol))
    return [f"${', '.join(kinds[kind])} {kind}$" for kind in sorted(kinds, key=KINDS.index)]


def _says(assumptions: Sequence[sympy.Basic], symbol: sympy.Symbol) -> bool:
    """Return whether conditions beside a step say what its symbol is declared to be: s > 0, w ≠ 0, B > 3."""
    if symbol.is_integer:
        return False
    relations = (each for each in assumptions if isinstance(each, sympy.Rel) and each.lhs == symbol)
    if not symbol.is_positive and not symbol.is_nonnegative:
        return any(isinstance(each, sympy.Ne) and each.rhs == 0 for each in relations)
    kinds = sympy.Gt if symbol.is_positive else sympy.Gt | sympy.Ge
    return any(isinstance(each, kinds) and each.rhs.is_nonnegative for each in relations)
