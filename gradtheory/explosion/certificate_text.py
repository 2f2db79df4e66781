"""Numbers, formulas and the ends of cells as the checker reads them."""

import sympy

from gradtheory.activations import Activation, activation
from gradtheory.arithmetic.enclosure import as_rational, enclose, precision
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, Undecided

LONGEST_TEXT = 8_000  # characters; the checker reads numbers with parts of 4,000 digits


def written(value: sympy.Expr) -> str:
    """Return a number or formula as the checker reads it; raises Undecided if it is too long."""
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = ""
    if not 0 < len(text) <= LONGEST_TEXT:
        raise Undecided(f"the certificate would need more than {LONGEST_TEXT} characters for one number or formula")
    return text


def written_name(record: Activation) -> str | None:
    """Return the name by which the catalogue knows an activation; None of own ones, and of irrational parameters."""
    if record.branches is None:
        return None
    try:
        return record.name if activation(record.name).expr == record.expr else None
    except InvalidArgument:
        return None


def written_end(end: sympy.Expr, bits: int) -> str | list[str]:
    """Return an end of a cell: exact, or an interval around a root."""
    return list(written_bracket(end, bits).values()) if end.has(Root) else written(end)


def written_bracket(end: sympy.Expr, bits: int) -> dict[str, str]:
    """Return an interval around a number: that of a ball, or, of a root that is all but 0, the one that isolates it.

    A root of 1e-100000, as far features make, would take 100,000 digits.
    """
    ball = enclose(end, bits)
    if isinstance(end, Root) and end.value in end.function.variables and abs(ball) < 2.0**-bits:
        return {"lower": written(end.lower), "upper": written(end.upper)}
    with precision(bits):  # else its ends are rounded to 53 bits
        return {"lower": written(as_rational(ball.lower())), "upper": written(as_rational(ball.upper()))}
