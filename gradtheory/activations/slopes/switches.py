"""Expressions that change their formula at switches: Abs, sign, Max, Min, Heaviside, Piecewise.

Between the zeros of its switches such an expression is one smooth formula.
"""

import functools
import itertools
from typing import Any

import sympy
from sympy.core.relational import Relational

from gradtheory.activations.slopes.exact_zeros import exact_zeros, inner_point
from gradtheory.arithmetic.enclosure import (
    sign,
    sign_at,
)
from gradtheory.errors import Undecided

SIGNED = sympy.Abs | sympy.sign | sympy.Heaviside


@functools.lru_cache(maxsize=4096)
def formula_near(expr: sympy.Basic, variable: sympy.Symbol, point: sympy.Rational) -> sympy.Basic:
    """Return the smooth formula of an expression near a point that is no zero of its switches.

    Examples
    --------
    >>> z = sympy.Symbol("z", real=True)
    >>> formula_near(sympy.Abs(z) / (1 + sympy.Max(0, z)), z, sympy.Rational(-1))
    -z

    """
    if isinstance(expr, sympy.Piecewise):
        for value, condition in expr.args:
            if holds(condition, variable, point):
                return formula_near(value, variable, point)
        raise Undecided(f"{expr} has no value at {variable} = {point}")
    args = [formula_near(each, variable, point) for each in expr.args]
    if isinstance(expr, sympy.DiracDelta):
        return sympy.S.Zero
    if isinstance(expr, SIGNED):
        side = sign_at(args[0], variable, point)
        if isinstance(expr, sympy.Abs):
            return args[0] * side
        return sympy.Integer(side if isinstance(expr, sympy.sign) else (side + 1) // 2)
    if isinstance(expr, sympy.Max | sympy.Min):
        best, *others = args
        wanted = 1 if isinstance(expr, sympy.Max) else -1
        for other in others:
            best = other if sign_at(other - best, variable, point) == wanted else best
        return best
    return expr.func(*args) if args else expr


def holds(condition: sympy.Basic, variable: sympy.Symbol, point: sympy.Rational) -> bool:
    """Return whether a condition holds at a point that is no zero of its switches."""
    if isinstance(condition, Relational):
        difference = sign_at(condition.lhs - condition.rhs, variable, point)
        return bool(condition.func(difference, 0))
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        parts = [holds(each, variable, point) for each in condition.args]
        return all(parts) if isinstance(condition, sympy.And) else any(parts) != isinstance(condition, sympy.Not)
    return condition is sympy.true


def switches(expr: sympy.Basic) -> list[sympy.Expr]:
    """Return the expressions at whose zeros the formula may change, inner ones first."""
    expressions: list[sympy.Expr] = []
    for part in sympy.postorder_traversal(expr):
        if isinstance(part, SIGNED):
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
    if all(sign_at(switch, variable, point) for switch in switches(expr)):
        return formula_near(expr, variable, point)
    previous = (point - 1, *breaks(expr, variable, point - 1, point))[-1]
    return formula_near(expr, variable, inner_point(previous, point))


INCREASING: Any = functools.cmp_to_key(lambda left, right: sign(left - right))
