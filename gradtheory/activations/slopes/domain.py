"""Whether an expression is finite and real everywhere: its denominators, roots and logarithms, one by one."""

import itertools
from collections.abc import Callable, Iterator

import sympy

from gradtheory.activations.slopes.branch import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import SWITCHES, breaks, formula_near, switches
from gradtheory.arithmetic.enclosure import FIRST_BITS, Univariate, evaluate, is_finite, sign_on
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
    parts = [part for part in sympy.postorder_traversal(expr) if isinstance(part, SWITCHES)]
    looked_at = dict.fromkeys(argument for part in parts for argument in part.args if argument.has(Z))
    for formula in (*looked_at, expr):  # inner ones first: what cancels in the value must be defined, too
        if any(True for _ in _conditions(formula)):
            _check(formula, expr)


def check_defined_at_switches(expr: sympy.Expr) -> None:
    """Refuse an expression that is not finite at a place where its formula changes."""
    for place in breaks(expr, Z, -sympy.oo, sympy.oo):
        if not is_finite(expr.subs(Z, place)):
            raise InvalidArgument("activation", expr, f"must be finite and real for every z: at z = {place} it is not")


def _check(formula: sympy.Expr, expr: sympy.Expr) -> None:
    """Refuse an expression that holds a formula which is not proven finite and real between its switches."""
    try:
        corners = (-sympy.oo, *breaks(formula, Z, -sympy.oo, sympy.oo), sympy.oo)
    except Undecided:  # where a switch looks at what is not defined, its zeros are not found
        for switch in switches(formula):
            if not switches(switch):
                _require(switch, expr, -sympy.oo, sympy.oo)
        raise
    for left, right in itertools.pairwise(corners):
        _require(formula_near(formula, Z, inner_point(left, right)), expr, left, right)


def _require(formula: sympy.Expr, expr: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> None:
    """Refuse an expression where a smooth formula in it is not proven finite and real on an interval."""
    for part, needed in _conditions(formula):
        if not _is_positive(needed, left, right):
            raise InvalidArgument(
                "activation",
                expr,
                f"must be finite and real for every z: {part} is not proven to be for {float(left):.4g} < z < "
                f"{float(right):.4g}; Piecewise and Abs can say what holds where",
            )


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
