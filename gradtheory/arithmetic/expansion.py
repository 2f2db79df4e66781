"""How long an expression becomes when its products and powers are written out: SymPy expands whatever it is given."""

import math
from collections import Counter

import sympy

_MOST = 10**9


def terms_written_out(expr: sympy.Expr) -> int:
    """Return about how many terms an expression has over one denominator; 1,000,000,000 for that many or more.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> [terms_written_out(each) for each in ((1 + x) ** 2 * (1 + y), 1 / (1 + x) + 1 / (1 + y), (x + y) ** 10**6)]
    [6, 4, 1000001]

    """
    return min(_MOST, _quotient(expr)[0])


def _quotient(expr: sympy.Expr) -> tuple[int, Counter[sympy.Expr]]:
    """Return the terms above, and the powers of sums below."""
    if expr.is_Add:
        parts = [_quotient(each) for each in expr.args]
        below: Counter[sympy.Expr] = Counter()
        for _, own in parts:
            below |= own
        return sum(above * _terms(below - own) for above, own in parts), below
    if expr.is_Mul:
        parts = [_quotient(each) for each in expr.args]
        return math.prod(above for above, _ in parts), sum((own for _, own in parts), Counter())
    if expr.is_Pow and expr.exp.is_Integer:
        above, below = _quotient(expr.base)
        times = abs(int(expr.exp))
        if expr.exp > 0:
            return _power(above, times), Counter({base: times * power for base, power in below.items()})
        return _terms(Counter({base: times * power for base, power in below.items()})), Counter({expr.base: times})
    return 1, Counter()


def _terms(factors: Counter[sympy.Expr]) -> int:
    return min(_MOST, math.prod(_power(_quotient(base)[0], power) for base, power in factors.items()))


def _power(terms: int, power: int) -> int:
    """Return how many terms a power of a sum has."""
    if terms == 1:
        return 1
    few = min(power, terms - 1)
    return min(_MOST, math.comb(min(power + terms - 1, _MOST), few)) if few < 12 else _MOST


def longest_number(expr: sympy.Expr) -> int:
    """Return how many bits the longest number in an expression has, above or below the line.

    Examples
    --------
    >>> longest_number(sympy.Symbol("x") / 1024 + 3)
    11

    """
    return max(
        (max(int(each.p).bit_length(), int(each.q).bit_length()) for each in expr.atoms(sympy.Rational)), default=0
    )
