"""Sets and numbers as prose with formulas, and their guarantees."""

import sympy

import gradtheory as gt
from gradtheory.arithmetic.brief import with_power
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.arithmetic.proven import Largest
from gradtheory.document.messages import words
from gradtheory.explosion.superlevel import Periodic, components_of

_DIGITS = 15, 30, 60
_AT_MOST, _NEAR = r"\le", r"\approx"


def parts(inside: sympy.Set) -> tuple[sympy.Set, ...]:
    """Return the intervals and sets of points that a set is the union of."""
    return tuple(inside.args) if isinstance(inside, sympy.Union) else (inside,)


def digits_of(inside: sympy.Set, name: str) -> list[str]:
    """Return the components of a set with the digits of their ends.

    An interval with two ends is two formulas, between which the line may break: on a phone no digit is hidden. A set
    that repeats has none.

    Examples
    --------
    >>> digits_of(sympy.Interval.open(sympy.E, sympy.pi), "x")
    ['$2.71828182845905 < x$ $< 3.14159265358979$']
    >>> digits_of(sympy.Interval.open(-sympy.oo, sympy.pi), "x")
    ['$x < 3.14159265358979$']

    """
    pieces = [] if isinstance(inside, Periodic) else components_of(inside)
    ends = [end for piece in pieces for end in (piece.lower, piece.upper) if not end.is_infinite]
    shown = _digits(*dict.fromkeys(ends))
    lines = []
    for piece in pieces:
        low, high = (shown.get(end, "") for end in (piece.lower, piece.upper))
        below = f"{low} {'<' if piece.lower_open else _AT_MOST} {name}" if low else name
        above = f" {'<' if piece.upper_open else _AT_MOST} {high}" if high else ""
        if low and low == high:  # two ends that are not told apart are near
            lines.append(f"${name} {'=' if piece.is_point else _NEAR} {low}$")
        else:
            lines.append(f"${below}$ ${above.strip()}$" if low and high else f"${below}{above}$")
    return lines


def _digits(*numbers: sympy.Expr) -> dict[sympy.Expr, str]:
    """Return numbers as LaTeX, with so many digits that they are told apart if 60 do that."""
    for many in _DIGITS:
        shown = {number: with_power(decimal(number, many)) for number in numbers}
        if len(set(shown.values())) == len(shown):
            break
    return shown


def digits(number: sympy.Expr) -> str:
    r"""Return a length with its digits.

    Examples
    --------
    >>> digits(sympy.oo), digits(sympy.Rational(1, 4))
    ('$\\infty$', '$0.25$')

    """
    return r"$\infty$" if number.is_infinite else f"${_digits(number)[number]}$"


def first_digits(number: sympy.Expr) -> str:
    r"""Return the first digits of a number, which are no more than it is.

    Examples
    --------
    >>> first_digits(gt.critical_weight("gelu")), first_digits(sympy.Integer(4))
    ('$0.885814800366\\ldots$', '$4$')

    """
    ellipsis = r"\ldots"
    return digits(number) if number.is_Rational else f"${with_power(Largest((number,)).first_digits(ellipsis))}$"


def badge(inside: sympy.Basic, lang: str) -> str:
    """Return how sure a result is, as HTML."""
    guarantee = gt.guarantee(inside).value
    return f'<span class="badge {guarantee}">{words(lang)["checks"][guarantee]}</span>'
