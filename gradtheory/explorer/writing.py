"""Sets and numbers as prose with formulas, and their guarantees."""

import sympy

import gradtheory as gt
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.arithmetic.proven import Largest
from gradtheory.document.messages import words

_DIGITS = 15


def parts(inside: sympy.Set) -> tuple[sympy.Set, ...]:
    """Return the intervals and sets of points that a set is the union of."""
    return tuple(inside.args) if isinstance(inside, sympy.Union) else (inside,)


def digits_of(inside: sympy.Set, name: str) -> list[str]:
    """Return the components of a set with the digits of their ends.

    An interval with two ends is two formulas, between which the line may break: on a phone no digit is hidden.

    Examples
    --------
    >>> digits_of(sympy.Interval.open(sympy.E, sympy.pi), "x")
    ['$2.71828182845905 < x$ $< 3.14159265358979$']
    >>> digits_of(sympy.Interval.open(-sympy.oo, sympy.pi), "x")
    ['$x < 3.14159265358979$']

    """
    lines = []
    for part in parts(inside):
        if isinstance(part, sympy.Interval):
            low = "" if part.start.is_infinite else rf"{decimal(part.start, _DIGITS)} {_less(part.left_open)} "
            high = "" if part.end.is_infinite else rf" {_less(part.right_open)} {decimal(part.end, _DIGITS)}"
            lines.append(f"${low}{name}$ ${high.strip()}$" if low and high else f"${low}{name}{high}$")
        elif isinstance(part, sympy.FiniteSet):
            lines += [f"${name} = {decimal(point, _DIGITS)}$" for point in part.args]
    return lines


def _less(is_open: sympy.logic.boolalg.Boolean) -> str:
    return "<" if is_open else r"\le"


def digits(number: sympy.Expr) -> str:
    r"""Return a length with its digits.

    Examples
    --------
    >>> digits(sympy.oo), digits(sympy.Rational(1, 4))
    ('$\\infty$', '$0.25$')

    """
    return r"$\infty$" if number.is_infinite else f"${decimal(number, _DIGITS)}$"


def first_digits(number: sympy.Expr) -> str:
    r"""Return the first digits of a number, which are no more than it is.

    Examples
    --------
    >>> first_digits(gt.critical_weight("gelu")), first_digits(sympy.Integer(4))
    ('$0.885814800366\\ldots$', '$4$')

    """
    ellipsis = r"\ldots"
    return digits(number) if number.is_Rational else f"${Largest((number,)).first_digits(ellipsis)}$"


def badge(inside: sympy.Basic, lang: str) -> str:
    """Return how sure a result is, as HTML."""
    guarantee = gt.guarantee(inside).value
    return f'<span class="badge {guarantee}">{words(lang)["checks"][guarantee]}</span>'
