"""What a monotone slope tends to at infinity, exactly.

A monotone σ' has a limit L there, finite or not, and then σ(z)/z tends to L as well. The quotient is often easier: of
z·(1 + erf(z))/2 the limit at -oo is (1 - 1)/2 = 0, by the rules below, while σ' has the indeterminate z·exp(-z²).
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeAlias

from gradtheory.checker.terms import Term, number, z
from gradtheory.errors import Undecided

Limit: TypeAlias = Term | int  # an int is the sign of an infinite limit

_TURN = Term("pi") * number(Fraction(1, 2))
_AT_INFINITY: dict[str, tuple[Limit | None, Limit]] = {  # at -oo and at oo
    "exp": (number(0), 1),
    "log": (None, 1),
    "sinh": (-1, 1),
    "cosh": (1, 1),
    "tanh": (number(-1), number(1)),
    "sech": (number(0), number(0)),
    "coth": (number(-1), number(1)),
    "asinh": (-1, 1),
    "acosh": (None, 1),
    "atan": (number(-1) * _TURN, _TURN),
    "erf": (number(-1), number(1)),
    "erfc": (number(2), number(0)),
}


class Indeterminate(Undecided):
    """The rules do not give the limit."""


def limit_of_slope(term: Term, infinite: int, sign: Callable[[Term], int]) -> Limit:
    """Return the limit of the derivative of a term, monotone near -oo or oo; raises Indeterminate or Undecided.

    Parameters
    ----------
    term : Term
        A term whose derivative is monotone there.
    infinite : int
        -1 or 1.
    sign : callable
        The proven sign of a constant term.

    """
    return _sum((_over_z(part, infinite, sign) for part in (term.args if term.head == "+" else (term,))), sign)


def _over_z(term: Term, infinite: int, sign: Callable[[Term], int]) -> Limit:
    factors = list(term.args if term.head == "*" else (term,))
    for i, factor in enumerate(factors):
        power = Fraction(1) if factor == z else factor.value if factor.head == "^" and factor.args == (z,) else None
        if power is not None:
            factors[i] = z.power(power - 1)
            break
    else:
        factors.append(z.power(Fraction(-1)))
    return _product((_limit(factor, infinite, sign) for factor in factors), sign)


def _sum(limits: Iterable[Limit], sign: Callable[[Term], int]) -> Limit:
    finite, endless = number(0), set()
    for limit in limits:
        if isinstance(limit, int):
            endless.add(limit)
        else:
            sign(limit)  # it is a real number
            finite = finite + limit
    if len(endless) > 1:
        raise Indeterminate("oo - oo in a limit")
    return endless.pop() if endless else finite


def _product(limits: Iterable[Limit], sign: Callable[[Term], int]) -> Limit:
    finite, direction, is_endless = number(1), 1, False
    for limit in limits:
        if isinstance(limit, int):
            direction, is_endless = direction * limit, True
        else:
            direction, finite = direction * sign(limit), finite * limit
    if is_endless and direction == 0:
        raise Indeterminate("0*oo in a limit")
    return direction if is_endless else finite


def _limit(term: Term, infinite: int, sign: Callable[[Term], int]) -> Limit:  # noqa: PLR0911  # one a case
    if not term.heads()["z"]:
        return term
    if term == z:
        return infinite
    inner = [_limit(each, infinite, sign) for each in term.args]
    match term.head:
        case "+":
            return _sum(inner, sign)
        case "*":
            return _product(inner, sign)
        case "^":
            return _power(inner[0], term.value, sign)
    (at,) = inner
    if isinstance(at, int):
        limit = _AT_INFINITY.get(term.head, (None, None))[at > 0]
        if limit is None:
            raise Indeterminate(f"{term.head} has no limit at infinity")
        return limit
    value = at.apply(term.head)
    sign(value)  # raises where the function is not defined, hence not continuous
    return value


def _power(base: Limit, exponent: Fraction, sign: Callable[[Term], int]) -> Limit:
    if isinstance(base, int):
        if base < 0 and exponent.denominator != 1:
            raise Indeterminate("a root of a negative number in a limit")
        return number(0) if exponent < 0 else 1 if exponent.numerator % 2 == 0 else base
    if sign(base) == 0:
        if exponent < 0 or exponent.denominator != 1:
            raise Indeterminate("a power of 0 in a limit")
        return number(0)
    return base.power(exponent)
