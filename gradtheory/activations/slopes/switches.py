"""Expressions that change their formula at switches: Abs, sign, Max, Min, Heaviside, Piecewise.

Between the zeros of its switches such an expression is one smooth formula.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import sympy
from sympy.core.relational import Relational

from gradtheory.activations.slopes.exact_zeros import exact_zeros, inner_point
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import order, sign, sign_at
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided

_SIGNED = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.DiracDelta)
SWITCHES = (*_SIGNED, sympy.Max, sympy.Min, Relational)

Sign: TypeAlias = Callable[[sympy.Expr], int]  # of a formula, where another is asked for


@functools.lru_cache(maxsize=4096)
def formula_near(
    expr: sympy.Basic, variable: sympy.Symbol, point: sympy.Rational, *, takes_either: bool = False
) -> sympy.Basic:
    """Return the smooth formula of an expression near a point that is no zero of its switches.

    Where it is not decided which, either may be taken: both sides of a switch are then the same to many digits.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> formula_near(sympy.Abs(z) / (1 + sympy.Max(0, z)), z, sympy.Rational(-1))
    -z

    """

    def side(formula: sympy.Expr) -> int:
        try:
            return sign_at(formula, variable, point)
        except Undecided:
            if not takes_either:
                raise
            return -1 if formula.could_extract_minus_sign() else 1  # of f - g the opposite of g - f

    return _resolved(expr, side, (variable, point))


def formula_at(expr: sympy.Basic, variable: sympy.Symbol, place: sympy.Expr) -> sympy.Basic:
    """Return the formula that gives the value of an expression at one place, which may be a zero of its switches.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> formula_at(z + sympy.sign(z) ** 2, z, sympy.S.Zero), formula_at(z / sympy.Abs(z), z, sympy.S.Zero)
    (z, nan)

    """
    return _resolved(expr, functools.partial(_side_at, variable, place), (variable, place), at_switch=True)


def switches_at(expr: sympy.Basic, variable: sympy.Symbol, place: sympy.Expr) -> bool:
    """Return whether a switch that is in force at a place is 0 there.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> far = sympy.Piecewise((sympy.Abs(z - 5), z < 0), (z, True))
    >>> switches_at(far, z, sympy.S.Zero), switches_at(far, z, sympy.Integer(5))
    (True, False)

    """
    met = list[int]()

    def side(formula: sympy.Expr) -> int:
        met.append(_side_at(variable, place, formula))
        return met[-1]

    _resolved(expr, side, (variable, place), at_switch=True)
    return 0 in met


def _side_at(variable: sympy.Symbol, place: sympy.Expr, formula: sympy.Expr) -> int:
    if not isinstance(place, Root):
        return order(formula.subs(variable, place), sympy.S.Zero)
    if order(place.map(sympy.Lambda(variable, formula + variable)), place) == 0:
        return 0
    return order(place.map(sympy.Lambda(variable, formula)), sympy.S.Zero)


def _resolved(  # noqa: PLR0911  # one a kind of switch
    expr: sympy.Basic, side: Sign, where: tuple[sympy.Symbol, sympy.Expr], *, at_switch: bool = False
) -> sympy.Basic:
    if isinstance(expr, sympy.Piecewise):
        for value, condition in expr.args:
            if _holds(condition, side):
                return _resolved(value, side, where, at_switch=at_switch)
        variable, place = where
        raise Undecided(f"{shorten(expr)} has no value at {variable} = {shorten(place)}")
    args = [_resolved(each, side, where, at_switch=at_switch) for each in expr.args]
    if at_switch and expr.is_Pow and expr.exp.is_negative and side(args[0]) == 0:
        return sympy.nan  # asked for before it cancels
    if isinstance(expr, sympy.DiracDelta):
        return sympy.S.Zero
    if isinstance(expr, sympy.Abs):
        return args[0] * side(args[0])
    if isinstance(expr, sympy.sign):
        return sympy.Integer(side(args[0]))
    if isinstance(expr, sympy.Heaviside):
        return (sympy.S.Zero, args[1], sympy.S.One)[side(args[0]) + 1]
    if isinstance(expr, sympy.Max | sympy.Min):
        best, *others = args
        wanted = 1 if isinstance(expr, sympy.Max) else -1
        for other in others:
            best = other if side(other - best) == wanted else best
        return best
    return expr.func(*args) if args else expr


def _holds(condition: sympy.Basic, side: Sign) -> bool:
    if isinstance(condition, Relational):
        return bool(condition.func(side(condition.lhs - condition.rhs), 0))
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        parts = [_holds(each, side) for each in condition.args]
        return all(parts) if isinstance(condition, sympy.And) else any(parts) != isinstance(condition, sympy.Not)
    return condition is sympy.true


def switches(expr: sympy.Basic) -> list[sympy.Expr]:
    """Return the expressions at whose zeros the formula may change, inner ones first."""
    expressions: list[sympy.Expr] = []
    for part in sympy.postorder_traversal(expr):
        if isinstance(part, _SIGNED):
            expressions.append(part.args[0])
        elif isinstance(part, sympy.Max | sympy.Min):
            expressions += [left - right for right, left in itertools.combinations(part.args, 2)]
        elif isinstance(part, Relational):
            expressions.append(part.lhs - part.rhs)
    return list(dict.fromkeys(expressions))


def breaks(expr: sympy.Expr, variable: sympy.Symbol, lower: sympy.Expr, upper: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return, in increasing order, exact points between which the expression is one smooth formula.

    Proven complete on the open interval (lower, upper): exact zeros of linear switches, isolated ones of the others.
    """
    points = [lower, upper]
    for switch in switches(expr):
        inside: list[sympy.Expr] = []
        for left, right in itertools.pairwise(points):
            inside += exact_zeros(formula_near(switch, variable, inner_point(left, right)), variable, left, right)
        points = sorted({*points, *inside}, key=INCREASING)
    return tuple(points[1:-1])


def formula_left_of(expr: sympy.Expr, variable: sympy.Symbol, point: sympy.Rational) -> sympy.Expr:
    """Return the smooth formula of an expression near a point; at a switch the one that holds before it.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> formula_left_of(sympy.Max(z, z / 10).diff(z), z, sympy.S.Zero)
    1/10

    """
    if all(sign_at(formula_near(switch, variable, point), variable, point) for switch in switches(expr)):
        return formula_near(expr, variable, point)
    previous = (point - 1, *breaks(expr, variable, point - 1, point))[-1]
    return formula_near(expr, variable, inner_point(previous, point))


INCREASING: Any = functools.cmp_to_key(lambda left, right: sign(left - right))
