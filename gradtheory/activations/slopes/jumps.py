"""The places at which σ jumps, or has no value: switches of its formula, or places where a part of it is undefined."""

import itertools

import sympy

from gradtheory.activations.slopes.branch import LINE, Region, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import SWITCHES, breaks, formula_at, formula_near
from gradtheory.arithmetic.enclosure import FIRST_BITS, enclose, is_finite, order
from gradtheory.arithmetic.root import Root

_JUMPING = sympy.sign, sympy.Heaviside, sympy.Piecewise
_PARTIAL = sympy.Pow, sympy.log, sympy.coth, sympy.tan, sympy.acosh, sympy.atanh


def jumps_of(expr: sympy.Expr, region: Region = LINE) -> tuple[sympy.Expr, ...]:
    """Return the places in a region where an expression jumps or has no value, proven complete.

    Examples
    --------
    >>> jumps_of(Z + sympy.sign(Z - 2) + sympy.Abs(Z)), jumps_of(Z + sympy.sign(Z) ** 2), jumps_of(Z**3 / sympy.Abs(Z))
    ((2,), (0,), (0,))

    """
    if not may_jump(expr):
        return ()
    cuts = breaks(expr, Z, *region)
    ends = (region[0], *cuts, region[1])
    formulas = [formula_near(expr, Z, inner_point(*pair)) for pair in itertools.pairwise(ends)]
    return tuple(
        cut for cut, beside in zip(cuts, itertools.pairwise(formulas), strict=True) if _is_jump(expr, cut, *beside)
    )


def periodic_jumps(expr: sympy.Expr, period: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return the places at which an expression jumps from -period/2 to period/2, where it jumps at both or at neither.

    Examples
    --------
    >>> periodic_jumps(sympy.sign(sympy.sin(Z)), 2 * sympy.pi)
    (-pi, 0, pi)

    """
    half = period / 2
    inside = jumps_of(expr, (-half, half))
    is_cut = any(order(jump, half) == 0 for jump in jumps_of(expr, (half / 2, 3 * half / 2)))
    return (-half, *inside, half) if is_cut else inside


def may_jump(expr: sympy.Expr) -> bool:
    """Return whether an expression may jump, or have no value, at one of its switches: it is defined elsewhere."""
    parts = list(sympy.preorder_traversal(expr))
    return expr.has(*_JUMPING) or (
        any(isinstance(part, SWITCHES) for part in parts) and any(_may_have_no_value(part) for part in parts)
    )


def _may_have_no_value(part: sympy.Basic) -> bool:
    """Return whether a part of an expression is undefined for some numbers."""
    return isinstance(part, _PARTIAL) and part.has(Z) and not (part.is_Pow and part.exp.is_nonnegative)


def _is_jump(expr: sympy.Expr, cut: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> bool:
    value = value_at(expr, cut)
    if value is None:
        return True
    if not expr.has(*_JUMPING):
        return False
    before = limit(left, cut, "-")
    return order(before, limit(right, cut, "+")) != 0 or order(before, value) != 0


def value_at(expr: sympy.Expr, cut: sympy.Expr) -> sympy.Expr | None:
    """Return the value of an expression at a switch; None if it has none."""
    formula = formula_at(expr, Z, cut)
    if formula.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.AccumBounds):
        return None
    is_root = isinstance(cut, Root)
    value = cut.map(sympy.Lambda(Z, formula)) if is_root else formula.subs(Z, cut)
    if is_finite(value) and (enclose(value, FIRST_BITS).is_finite() or (not is_root and value.is_real)):
        return value  # of log(cosh(10**70)) there is no ball
    return None
