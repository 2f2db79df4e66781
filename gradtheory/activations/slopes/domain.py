"""Whether an expression is finite and real everywhere: its denominators, roots and logarithms, one by one."""

import itertools
from collections.abc import Callable, Iterator

import sympy
from sympy.core.relational import Relational

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import SIGNED, breaks, formula_near, holds, switches
from gradtheory.arithmetic.enclosure import FIRST_BITS, Univariate, evaluate, sign_on
from gradtheory.errors import InvalidArgument, Undecided

_MOST_BITS = 33_220  # of 1e10000

# What must be positive on the open interval for a function of u to be finite and real there.
_NEEDS: dict[type, Callable[[sympy.Expr], tuple[sympy.Expr, ...]]] = {
    sympy.acos: lambda u: (1 - u**2,),
    sympy.acosh: lambda u: (u - 1,),
    sympy.asin: lambda u: (1 - u**2,),
    sympy.atanh: lambda u: (1 - u**2,),
    sympy.coth: lambda u: (u**2,),
    sympy.log: lambda u: (u,),
    sympy.tan: lambda u: (sympy.cos(u) ** 2,),
}


def is_moderate(number: sympy.Expr) -> bool:
    """Return whether a number without `Z` is finite and lies between 1e-10000 and 1e10000, or is 0."""
    ball = evaluate(number, FIRST_BITS, {})
    middle = ball.mid()
    return bool(ball.is_finite() and (middle.is_zero() or abs(int(middle.man_exp()[1])) <= _MOST_BITS))


def check_defined(expr: sympy.Expr) -> None:
    """Prove that an expression in `Z` is finite and real on the whole line, except where its formula changes.

    Raises
    ------
    InvalidArgument
        If that is not proven; the message names the part of the formula.

    """
    if not any(True for _ in _conditions(expr)):
        return
    try:
        corners = (-sympy.oo, *breaks(expr, Z, -sympy.oo, sympy.oo), sympy.oo)
    except Undecided:  # where a switch looks at what is not defined, its zeros are not found
        for switch in switches(expr):
            if not switches(switch):
                _require(_conditions(switch), expr, -sympy.oo, sympy.oo)
        raise
    for left, right in itertools.pairwise(corners):
        _require(_needed_near(expr, inner_point(left, right)), expr, left, right)


def _require(
    conditions: Iterator[tuple[sympy.Expr, sympy.Expr]], expr: sympy.Expr, left: sympy.Expr, right: sympy.Expr
) -> None:
    """Refuse an expression that holds a part of which what is needed is not proven on an interval."""
    for part, needed in conditions:
        if not _is_positive(needed, left, right):
            raise InvalidArgument(
                "activation",
                expr,
                f"must be finite and real for every z: {part} is not proven to be for {float(left):.4g} < z < "
                f"{float(right):.4g}; Piecewise and Abs can say what holds where",
            )


def _needed_near(expr: sympy.Expr, point: sympy.Rational) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Yield what a formula near a point needs, and first what its switches look at, which may cancel in it."""
    for looked_at in dict.fromkeys(_looked_at(expr, point)):
        yield from _conditions(formula_near(looked_at, Z, point))
    yield from _conditions(formula_near(expr, Z, point))


def _looked_at(expr: sympy.Basic, point: sympy.Rational) -> Iterator[sympy.Expr]:
    """Yield the arguments of the switches on the way to an expression's value near a point, inner ones first."""
    if isinstance(expr, sympy.Piecewise):
        for value, condition in expr.args:
            for relation in condition.atoms(Relational):
                yield from itertools.chain(*(_looked_at(side, point) for side in relation.args), relation.args)
            if holds(condition, Z, point):
                yield from _looked_at(value, point)
                return
    for argument in expr.args:
        yield from _looked_at(argument, point)
    if isinstance(expr, SIGNED | sympy.Max | sympy.Min):
        yield from expr.args


def _conditions(formula: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Yield the parts of a formula that may be infinite or not real, each with what must be positive."""
    for part in sympy.postorder_traversal(formula):
        if part in (sympy.nan, sympy.zoo):
            yield part, sympy.S.NegativeOne
        if not part.has(Z):
            continue
        if part.is_Pow and not part.exp.is_Integer:
            yield part, part.base
        elif part.is_Pow and part.exp < 0:
            yield part, part.base**2
        elif part.func in _NEEDS:
            for needed in _NEEDS[part.func](part.args[0]):
                yield part, needed


def _is_positive(expr: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether an expression is positive on an open interval; of a square, whether its base has no zero."""
    if expr.is_positive:
        return True
    base, exponent = expr.as_base_exp()
    try:
        return sign_on(Univariate(base, Z), left, right) > 0 or exponent == 2
    except Undecided:
        return False
