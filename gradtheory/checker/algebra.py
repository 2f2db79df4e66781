"""What SymPy is asked: whether an exact expression is zero, if it is small enough to be settled soon."""

import math
from typing import Any

from gradtheory.checker.terms import FUNCTIONS, Term
from gradtheory.errors import Undecided

_LARGEST_ASKED = 150  # subterms
_LARGEST_POWER_ASKED = 12
_LARGEST_EXPANDED = 20_000  # summands of an expanded numerator or denominator
_IN_EXPONENTIALS = {"cosh": (2, 1), "sinh": (2, 1), "tanh": (2, 2), "coth": (2, 2), "sech": (1, 2)}


def as_sympy(term: Term) -> Any:
    """Return the SymPy expression of a term without switches; Undecided if it is too large to ask about.

    Examples
    --------
    >>> from gradtheory.checker.reading import read
    >>> as_sympy(read("sqrt(8)/2"))
    sqrt(2)

    """
    import sympy

    if term.heads().total() > _LARGEST_ASKED:
        raise Undecided("an expression is too large to ask SymPy about")
    match term.head:
        case "z":
            return sympy.Symbol("z", real=True)
        case "pi":
            return sympy.pi
        case "number":
            return sympy.Rational(term.value.numerator, term.value.denominator)
        case "^" if abs(term.value.numerator) > _LARGEST_POWER_ASKED:
            raise Undecided("a power is too large to ask SymPy about")
        case "^":
            return as_sympy(term.args[0]) ** sympy.Rational(term.value.numerator, term.value.denominator)
        case "+" | "*":
            return (sympy.Add if term.head == "+" else sympy.Mul)(*map(as_sympy, term.args))
        case name if name in FUNCTIONS:
            return getattr(sympy, name)(as_sympy(term.args[0]))
    raise Undecided(f"{term.head} in a piece")


def _expanded(term: Term) -> tuple[int, int]:
    """Return how many summands the numerator and the denominator may have when all is written in exponentials."""
    parts = [_expanded(each) for each in term.args]
    if max(map(max, parts), default=0) > _LARGEST_EXPANDED:
        return max(parts, key=max)
    match term.head:
        case "+":
            bottom = math.prod(below for _, below in parts)
            return sum(above * bottom // below for above, below in parts), bottom
        case "*":
            return math.prod(above for above, _ in parts), math.prod(below for _, below in parts)
        case "^":
            power = math.ceil(abs(term.value))
            above, below = (math.comb(count + power - 1, power) for count in parts[0])
            return (above, below) if term.value > 0 else (below, above)
    return _IN_EXPONENTIALS.get(term.head, (1, 1))


def is_zero(term: Term) -> bool:
    """Whether a term is proven to be zero, for every z if z occurs in it; False means not proven.

    Examples
    --------
    >>> from gradtheory.checker.reading import read
    >>> is_zero(read("cosh(z)**2 - sinh(z)**2 - 1")), is_zero(read("sin(z) - z"))
    (True, False)

    """
    if term.head == "number":
        return term.value == 0
    if max(_expanded(term)) > _LARGEST_EXPANDED:
        return False
    import sympy

    try:
        expr = as_sympy(term)
        top, _ = sympy.fraction(sympy.together(expr.rewrite(sympy.exp)))
        if top.expand() == 0:
            return True
        return not expr.free_symbols and sympy.simplify(expr) == 0
    except Exception:  # SymPy may fail in any way on expressions from outside; then nothing is proven
        return False
