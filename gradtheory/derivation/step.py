"""One step of a derivation: a statement that was checked when the step was made, and that says how."""

from dataclasses import dataclass
from enum import Enum

import sympy

from gradtheory.enclosure import sign
from gradtheory.errors import GradTheoryError

_DIGITS = 50
_SAMPLES = tuple(sympy.Rational(*pair) for pair in ((1, 7), (9, 8), (23, 5)))


class Check(Enum):
    """How a step was checked; the value is the word that is shown."""

    EXACT = "exact"  # SymPy proves both sides equal
    CERTIFIED = "certified"  # decided in ball arithmetic
    NUMERIC = "numeric"  # equal to 50 digits at sample points


class UnprovenStep(GradTheoryError):
    """A step of a derivation is false, or could not be checked."""


@dataclass(frozen=True)
class Step:
    """A checked statement.

    Parameters
    ----------
    latex : str
        The statement.
    reason : str
        The key of its reason in the message catalogue.
    check : Check
        How it was checked.

    """

    latex: str
    reason: str
    check: Check


def equal(left: sympy.Expr, right: sympy.Expr, reason: str, latex: str | None = None) -> Step:
    """Return the step left = right: proven by SymPy, or else true to 50 digits at sample points.

    The samples are positive; free symbols must be real or positive. Raises `UnprovenStep` if the sides differ.

    Examples
    --------
    >>> x = sympy.Symbol("x", positive=True)
    >>> equal((x + 1) ** 2, x**2 + 2 * x + 1, "binomial").check
    <Check.EXACT: 'exact'>

    """
    shown = latex or f"{sympy.latex(left)} = {sympy.latex(right)}"
    difference = left - right
    if any(method(difference) == 0 for method in (sympy.S, sympy.expand, sympy.simplify)):
        return Step(shown, reason, Check.EXACT)
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    points = [  # every symbol gets a value of its own
        {
            symbol: _SAMPLES[(shift + position) % len(_SAMPLES)] / (position + 1)
            for position, symbol in enumerate(symbols)
        }
        for shift in range(len(_SAMPLES))
    ]
    if all(_is_small(difference, left, point) for point in points):
        return Step(shown, reason, Check.NUMERIC)
    raise UnprovenStep(f"not shown: {left} = {right}")


def compared(relation: sympy.Rel, reason: str, latex: str | None = None) -> Step:
    """Return the step that two real numbers compare as stated, decided in ball arithmetic.

    Raises `UnprovenStep` if they do not.

    Examples
    --------
    >>> compared(sympy.Lt(sympy.exp(1), 3, evaluate=False), "e").latex
    'e < 3'

    """
    order = sign(relation.lhs - relation.rhs)
    if not relation.func(sympy.Integer(order), 0):
        raise UnprovenStep(f"not shown: {relation}")
    return Step(latex or sympy.latex(relation), reason, Check.CERTIFIED)


def _is_small(difference: sympy.Expr, scale: sympy.Expr, point: dict[sympy.Symbol, sympy.Rational]) -> bool:
    size, unit = (abs(each.subs(point).evalf(_DIGITS, maxn=4 * _DIGITS)) for each in (difference, scale))
    return bool(size <= sympy.Float(10, _DIGITS) ** (3 - _DIGITS) * (1 + unit))
