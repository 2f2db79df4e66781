"""Finds the monotone branches of σ' for an activation that is only an expression, and proves them complete.

Every switch of the formula, every zero of σ'' and every zero of σ' is isolated with a proof, on the whole line: on
bounded cells by interval arithmetic, beyond them by expansions at ±oo, which give the limits of σ' too.
"""

import itertools
from collections.abc import Sequence

import sympy

from gradtheory.activations.slopes.branch import LINE, Branch, Region, Z
from gradtheory.activations.slopes.exact_zeros import exact_zeros, features, inner_point, root_between
from gradtheory.activations.slopes.jumps import may_jump
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import INCREASING, breaks, formula_near, switches
from gradtheory.arithmetic.effort import charge
from gradtheory.arithmetic.enclosure import (
    derivative,
    enclose,
    exponential_sum,
    order,
    sign,
    sign_at,
)
from gradtheory.arithmetic.expansion import longest_number, terms_written_out
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided

_BITS = 512
_PLACE = sympy.Rational(1, 7)
_MOST_OPERATIONS, _MOST_TERMS = 80, 1_000  # of an expression that SymPy expands or simplifies
_MOST_BITS = 512  # of a number in it, whose factors SymPy seeks


def find_branches(slope: sympy.Expr, region: Region = LINE, jumps: tuple[sympy.Expr, ...] = ()) -> tuple[Branch, ...]:
    """Return the monotone branches of |σ'| in a region, the whole line by default; σ' is any expression in `Z`.

    At places where σ jumps, a branch ends whatever σ' is on both sides.

    Raises
    ------
    Undecided
        If a proof does not succeed; as where σ' oscillates for ever.

    Examples
    --------
    >>> [branch.right for branch in find_branches((1 - Z) * sympy.exp(-Z))]
    [1, 2, oo]

    """
    first, last = region
    centre, even_or_odd = (sympy.S.Zero, 0) if jumps else symmetry(slope, region)
    start = centre if even_or_odd else first
    cuts = {*breaks(slope, Z, start, last), *(jump for jump in jumps if order(first, jump) < 0 < order(last, jump))}
    branches: list[Branch] = []
    for left, right in itertools.pairwise((start, *sorted(cuts, key=INCREASING), last)):
        branches += _smooth_branches(formula_near(slope, Z, inner_point(left, right)), left, right)
    if even_or_odd:
        branches = [*(_mirror(branch, centre, even_or_odd) for branch in reversed(branches)), *branches]
    return tuple(_join(branches, jumps))


def period_of(sigma: sympy.Expr, slope: sympy.Expr) -> sympy.Expr | None:
    """Return a period of |σ'| with which the jumps of σ repeat, None where there is none or it is not seen.

    It is seen where z stands in sines and cosines of affine functions alone: in σ', and in the terms of σ that may
    jump, of which σ' need not tell.

    Examples
    --------
    >>> waves = sympy.sin(3 * Z) + Z, sympy.sin(Z) ** 2, sympy.sin(2 * Z) + sympy.sign(sympy.sin(Z))
    >>> [period_of(each, each.diff(Z)) for each in waves[:2]], period_of(waves[2], 2 * sympy.cos(2 * Z))
    ([2*pi/3, pi/2], 2*pi)
    >>> stepped = sympy.sin(Z) + sympy.Piecewise((0, Z < 1), (1, True))
    >>> print(period_of(stepped, stepped.diff(Z)))
    None

    """
    period = _common_period(slope)
    if not period:
        return None
    for parts in (3, 2, 2):
        while _repeats(slope, period / parts):
            period /= parts
    return _common([period, *(_common_period(term) for term in sympy.Add.make_args(sigma) if may_jump(term))])


def _common_period(expr: sympy.Expr) -> sympy.Expr | None:
    """Return a common period of all waves in an expression, 0 for a constant, None where there is none."""
    if not expr.has(Z):
        return sympy.S.Zero
    if isinstance(expr, sympy.sin | sympy.cos):
        (angle,) = expr.args
        speed = angle.diff(Z) if angle.is_polynomial(Z) else Z  # of a step the derivative is 0
        return None if speed.has(Z) or not speed.is_real else sympy.Abs(2 * sympy.pi / speed)
    return _common([_common_period(part) for part in expr.args])


def _common(periods: Sequence[sympy.Expr | None]) -> sympy.Expr | None:
    """Return a common multiple of periods, of which those of constants are 0; None where there is none."""
    if not periods or None in periods:
        return None
    common, *others = (period for period in periods if period)
    for period in others:
        ratio = period / common
        if not ratio.is_Rational:
            return None
        common *= ratio.p
    return common


def _repeats(slope: sympy.Expr, period: sympy.Expr) -> bool:
    """Return whether a shorter period of |σ'| is evident, as every wave is shifted by a multiple of a quarter."""
    if slope.count_ops() > _MOST_OPERATIONS:
        return False
    shifted = slope.replace(
        lambda part: isinstance(part, sympy.sin | sympy.cos),
        lambda wave: wave.func(sympy.expand(wave.args[0].xreplace({Z: Z + period}))),
    )
    if 0 in (shifted - slope, shifted + slope):
        return True
    return terms_written_out(slope) <= _MOST_TERMS and 0 in (
        sympy.expand(shifted - slope),
        sympy.expand(shifted + slope),
    )


def symmetry(slope: sympy.Expr, region: Region) -> tuple[sympy.Expr, int]:
    """Return the centre of a region about which a slope is seen to be even or odd, and its parity there, else 0.

    Of the line it is 0, or the middle of the outermost features.
    """
    if region == LINE:
        moved = [place for place, width in features(slope) if width] or [sympy.S.Zero]
        places = moved, [sympy.S.Zero, *moved]  # 0 may be one, or not
        centres = dict.fromkeys((sympy.S.Zero, *((min(each) + max(each)) / 2 for each in places)))
    else:
        centres = dict.fromkeys([(region[0] + region[1]) / 2])
    parities = ((each, parity(slope.xreplace({Z: Z + each}))) for each in centres if each.is_Rational)
    return next((pair for pair in parities if pair[1]), (sympy.S.Zero, 0))


def parity(function: sympy.Expr) -> int:
    """Return 1 for an even expression in `Z`, -1 for an odd one, 0 where neither is seen.

    Examples
    --------
    >>> parity(Z**2), parity(sympy.tanh(Z)), parity(sympy.exp(Z)), parity(sympy.Piecewise((Z, Z > 0), (-Z, True)))
    (1, -1, 0, 1)

    """
    if seen := _parity_of([(function, function.xreplace({Z: -Z}))]):
        return seen
    return _parity_of(_mirror_images(function)) if switches(function) else 0


def _parity_of(pairs: Sequence[tuple[sympy.Expr, sympy.Expr]]) -> int:
    """Return the side for which in each pair the first is seen to be side times the second, or 0."""
    for side in (1, -1) if pairs else ():
        differences = (here - side * there for here, there in pairs)
        if all(each == 0 or _vanishes(each) for each in differences):
            return side
    return 0


def _mirror_images(function: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Return the formulas of a function between switches with those of its mirror image; none if they differ."""
    try:
        cuts = breaks(function, Z, *LINE)
        if any(order(cut, -other) for cut, other in zip(cuts, reversed(cuts), strict=True)):
            return []
        places = [inner_point(*ends) for ends in itertools.pairwise((-sympy.oo, *cuts, sympy.oo))]
        formulas = [formula_near(function, Z, place) for place in places]
    except Undecided:
        return []
    return [(here, there.xreplace({Z: -Z})) for here, there in zip(formulas, reversed(formulas), strict=True)]


def _vanishes(expr: sympy.Expr) -> bool:
    """Return whether an expression is seen to be 0 everywhere, expanded or as a sum of exponentials."""
    if not _may_vanish(expr, [_PLACE]):
        return False
    is_short = expr.count_ops() <= 2 * _MOST_OPERATIONS and terms_written_out(expr) <= _MOST_TERMS
    if is_short and sympy.expand(expr) == 0:
        return True
    exponentials = None if switches(expr) else exponential_sum(expr, Z)
    return exponentials is not None and all(sympy.expand(factor) == 0 for factor, _ in exponentials.terms)


def _may_vanish(expr: sympy.Expr, places: Sequence[sympy.Rational]) -> bool:
    """Return whether an expression is not seen to differ from 0 at any of these places."""
    try:
        balls = [enclose(expr, _BITS, {Z: enclose(place, _BITS)}) for place in places]
    except Undecided:  # it switches
        return True
    return all(ball.contains(0) for ball in balls)


def _mirror(branch: Branch, centre: sympy.Expr, even_or_odd: int) -> Branch:
    """Return the branch on the other side; made from its twin, it has the very same expressions as limits."""
    slopes = even_or_odd * branch.slope_right, even_or_odd * branch.slope_left
    return Branch(2 * centre - branch.right, 2 * centre - branch.left, *slopes, bends=-even_or_odd * branch.bends)


def _smooth_branches(slope: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> list[Branch]:
    """Return the branches of one smooth formula of σ' between two places."""
    bend = stable(derivative(slope, Z, 1))
    if not slope.free_symbols or _is_zero(bend, left, right):
        constant = slope.subs(Z, inner_point(left, right))
        return [Branch(left, right, constant, constant)]
    branches: list[Branch] = []
    for start, stop in itertools.pairwise((left, *_turns(bend, left, right), right)):
        at_start, at_stop = limit(slope, start, "+"), limit(slope, stop, "-")
        bends = sign_at(bend, Z, inner_point(start, stop))
        if sign(at_start) * sign(at_stop) < 0:
            middle = root_between(slope, Z, start, stop, rises=bends > 0)
            branches.append(Branch(start, middle, at_start, sympy.S.Zero, bends=bends))
            branches.append(Branch(middle, stop, sympy.S.Zero, at_stop, bends=bends))
        else:
            branches.append(Branch(start, stop, at_start, at_stop, bends=bends))
    return branches


def _turns(bend: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> list[sympy.Expr]:
    """Return the zeros of σ'' between two places, factor by factor, without those of even powers: σ' turns at none."""
    zeros: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(sympy.factor_terms(bend)):
        base, exponent = factor.as_base_exp()
        if not (factor.is_positive or exponent.is_even or base is sympy.E):
            zeros += exact_zeros(base, Z, left, right)
    return sorted(set(zeros), key=INCREASING)


def _is_zero(expr: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether a slope's derivative is seen to vanish between two places, as that of sin² + cos² does."""
    middle = inner_point(left, right)
    places = inner_point(left, middle), inner_point(middle, right)  # those beside it are seldom special
    if expr.count_ops() > _MOST_OPERATIONS or terms_written_out(expr) > _MOST_TERMS or not _may_vanish(expr, places):
        return False
    if longest_number(expr) > _MOST_BITS:
        return False
    charge(expr, _BITS)  # what is left of a budget: SymPy looks at none
    try:
        return bool(sympy.simplify(expr) == 0)
    except (OverflowError, RecursionError, NotImplementedError):
        return False


def _join(branches: list[Branch], jumps: tuple[sympy.Expr, ...]) -> list[Branch]:
    """Join neighbouring flat branches of equal slope: at a switch that changes nothing no branch ends."""
    joined = branches[:1]
    for branch in branches[1:]:
        last = joined[-1]
        if last.is_flat and branch.is_flat and last.slope_left == branch.slope_left and last.right not in jumps:
            joined[-1] = Branch(last.left, branch.right, last.slope_left, last.slope_left)
        else:
            joined.append(branch)
    return joined
