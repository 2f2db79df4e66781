"""Finds the monotone branches of σ' for an activation that is only an expression, and proves them complete.

On a window [-w, w] every switch of the formula, every zero of σ'' and every zero of σ' is isolated with a proof. What
lies beyond rests on the limits of σ' that SymPy finds at ±oo, and on there being no further turning point.
"""

import itertools

import sympy

from gradtheory.activations.slopes.branch import Branch, Z
from gradtheory.activations.slopes.limits import HYPERBOLIC, MOST_OPERATIONS, in_exponentials, limit
from gradtheory.activations.slopes.switches import breaks, exact_zeros, formula_near, inner_point, root_between
from gradtheory.arithmetic.enclosure import derivative, sign, sign_at
from gradtheory.errors import Undecided

WINDOW = sympy.Integer(64)


def find_branches(
    slope: sympy.Expr, window: sympy.Expr = WINDOW, period: sympy.Expr | None = None
) -> tuple[Branch, ...]:
    """Return the monotone branches of |σ'|, where σ' is any expression in `Z`, or those of one period around 0.

    Raises
    ------
    Undecided
        If a proof does not succeed, or σ' has no limit at ±oo.

    Examples
    --------
    >>> [branch.right for branch in find_branches((1 - Z) * sympy.exp(-Z))]
    [1, 2, oo]

    """
    symmetry = parity(slope)
    window = window if period is None else period / 2
    start = sympy.S.Zero if symmetry else -window
    least, most = (-sympy.oo, sympy.oo) if period is None else (-window, window)
    corners = (start, *breaks(slope, Z, start, window), window)
    branches: list[Branch] = []
    for left, right in itertools.pairwise(corners):
        outer = (least if left == -window else left, most if right == window else right)
        branches += _smooth_branches(formula_near(slope, Z, inner_point(left, right)), left, right, *outer)
    if symmetry:
        branches = [*(_mirror(branch, symmetry) for branch in reversed(branches)), *branches]
    return tuple(_join(branches))


def period_of(slope: sympy.Expr) -> sympy.Expr | None:
    """Return a period of a slope, proven by simplification; None where SymPy sees none.

    Examples
    --------
    >>> period_of(sympy.cos(3 * Z) + 1)
    2*pi/3

    """
    if not slope.has(sympy.sin, sympy.cos) or slope.count_ops() > MOST_OPERATIONS:
        return None
    period = sympy.periodicity(slope, Z)
    if period is None or not period.is_positive or sympy.simplify(slope.subs(Z, Z + period) - slope) != 0:
        return None
    return period


def parity(function: sympy.Expr) -> int:
    """Return 1 for an even expression in `Z`, -1 for an odd one, 0 where neither is seen.

    Examples
    --------
    >>> parity(Z**2), parity(sympy.tanh(Z)), parity(sympy.exp(Z))
    (1, -1, 0)

    """
    mirrored = function.subs(Z, -Z)
    return next((each for each in (1, -1) if sympy.expand(function - each * mirrored) == 0), 0)


def _mirror(branch: Branch, symmetry: int) -> Branch:
    """Return the branch of -z; made from its twin, it has the very same expressions as limits."""
    return Branch(-branch.right, -branch.left, symmetry * branch.slope_right, symmetry * branch.slope_left)


def _smooth_branches(
    slope: sympy.Expr, left: sympy.Expr, right: sympy.Expr, outer_left: sympy.Expr, outer_right: sympy.Expr
) -> list[Branch]:
    """Return the branches of one smooth formula of σ', from `left` to `right`, which stand for the outer ends."""
    bend = _sign_form(derivative(slope, Z, 1))
    if not slope.free_symbols or _is_zero(bend):
        constant = slope.subs(Z, inner_point(left, right))
        return [Branch(outer_left, outer_right, constant, constant)]
    turns = (outer_left, *exact_zeros(bend, Z, left, right), outer_right)
    branches: list[Branch] = []
    for start, stop in itertools.pairwise(turns):
        at_start, at_stop = limit(slope, start, "+"), limit(slope, stop, "-")
        rises = sign(at_stop - at_start) if at_start.is_finite or at_stop.is_finite else sign(at_stop)
        if sign_at(bend, Z, _near_the_finite_end(start, stop)) != rises:
            raise Undecided(
                f"{slope} turns beyond [{left}, {right}], on its way from {at_start} at {start} to {at_stop} at "
                f"{stop}; scale the variable so that all its turning points lie within"
            )
        if sign(at_start) * sign(at_stop) < 0:
            middle = root_between(slope, Z, start, stop, rises=rises > 0)
            branches += [Branch(start, middle, at_start, sympy.S.Zero), Branch(middle, stop, sympy.S.Zero, at_stop)]
        else:
            branches.append(Branch(start, stop, at_start, at_stop))
    return branches


def _near_the_finite_end(start: sympy.Expr, stop: sympy.Expr) -> sympy.Rational:
    """Return a point of an interval, on an unbounded one within the window."""
    if start.is_infinite:
        start = stop - 2 if stop.is_finite else -sympy.S.One
    return inner_point(start, stop if stop.is_finite else start + 2)


def _sign_form(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression with the same sign, factored, so that interval arithmetic overestimates it less."""
    if expr.count_ops() > MOST_OPERATIONS:
        return expr
    rational, generators = in_exponentials(expr.rewrite(HYPERBOLIC, sympy.exp))
    if len(generators) > 1:  # beside other exponentials, tanh stays small and is left as it is
        for inner in {each.args[0] for each in expr.atoms(sympy.tanh)}:
            expr = expr.subs(sympy.tanh(inner) ** 2, 1 - 1 / sympy.cosh(inner) ** 2)
        rational, generators = in_exponentials(expr)
    factors = sympy.Mul.make_args(sympy.factor(sympy.together(rational)))
    return sympy.Mul(*(each for each in factors if not each.is_positive)).xreplace(generators)


def _is_zero(expr: sympy.Expr) -> bool:
    try:
        suspected = all(sign_at(expr, Z, point) == 0 for point in (sympy.Rational(1, 7), sympy.Rational(-5, 3)))
    except Undecided:
        return False
    return suspected and bool(sympy.simplify(expr) == 0)


def _join(branches: list[Branch]) -> list[Branch]:
    """Join neighbouring flat branches of equal slope: at a switch that changes nothing no branch ends."""
    joined = branches[:1]
    for branch in branches[1:]:
        last = joined[-1]
        if last.is_flat and branch.is_flat and last.slope_left == branch.slope_left:
            joined[-1] = Branch(last.left, branch.right, last.slope_left, last.slope_left)
        else:
            joined.append(branch)
    return joined
