r"""Class N: σ' is 0 outside of an interval, on which \|σ'\|^(-1/2) is convex. Their compositions are of the class too.

Where σ is three times differentiable it says that the Schwarzian derivative σ'''/σ' - (3/2)(σ''/σ')² is nowhere
positive. The class is called "nowhere coexpanding" by A. Cook, A. Hammerlindl & W. Tucker, arXiv:2303.12814; that
the condition passes to compositions is classical (D. Singer, SIAM J. Appl. Math. 35, 1978, theorem 2.1).
"""

import contextlib
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations.slopes.branch import LINE
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.jumps import jumps_of
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import (
    Ball,
    Univariate,
    as_rational,
    enclose,
    factored,
    is_infinite,
    order,
    sign,
    sign_on,
    signed_cells,
)
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided
from gradtheory.explosion.depth.in_exponentials import sign_in_exponentials
from gradtheory.formulas.text import text

_TRIED = 15  # places on a piece at which a positive Schwarzian is looked for


@dataclass(frozen=True)
class Membership:
    r"""Whether an activation is in class N, and why.

    Attributes
    ----------
    is_member : bool
    reason : str
    witness : sympy.Expr or None
        A place where \|σ'\|^(-1/2) is not convex.

    """

    is_member: bool
    reason: str
    witness: sympy.Expr | None = None


@dataclass(frozen=True)
class SmoothPart:
    """An interval on which σ' has one formula and does not vanish, with ℓ' = σ''/σ', the slope of ℓ = log|σ'|."""

    left: sympy.Expr
    right: sympy.Expr
    slope: sympy.Expr

    @functools.cached_property
    def log_slope(self) -> sympy.Expr:
        """ℓ'."""
        return factored(self.slope.diff(Z) / self.slope)

    @functools.cached_property
    def log_bend(self) -> sympy.Expr:
        """ℓ''."""
        return self.log_slope.diff(Z)

    @functools.cached_property
    def is_moebius(self) -> bool:
        """Whether σ is a Möbius map there, with the Schwarzian derivative 0."""
        return bool(factored(2 * self.log_bend - self.log_slope**2) == 0)

    def moved(self, origin: sympy.Expr) -> "SmoothPart":
        """Return the part as seen from another origin."""
        return SmoothPart(self.left - origin, self.right - origin, self.slope.xreplace({Z: Z + origin}))

    def is_never_positive(self, expr: sympy.Expr) -> bool:
        """Return True if an expression in `Z` is proven to be nowhere positive on the part, False if nowhere negative.

        Raises
        ------
        Undecided
            If no sign is proven.

        """
        factors = factored(expr)
        if factors.is_number:
            return sign(factors) <= 0
        if is_infinite(self.left) and is_infinite(self.right) and (side := sign_in_exponentials(expr)) is not None:
            if side == 0:
                raise Undecided(f"{shorten(expr)} changes its sign")
            return side < 0
        return sign_on(Univariate(stable(_without_squares(factors)), Z), self.left, self.right) == -1


def _without_squares(product: sympy.Expr) -> sympy.Expr:
    """Return a product without even powers of real factors, whose zeros no sign tells from places beside them."""
    powers = (factor.as_base_exp() for factor in sympy.Mul.make_args(product))
    return sympy.Mul(*(base**power for base, power in powers if not (power.is_even and base.is_extended_real)))


def support(record: Activation) -> list[Branch]:
    """Return the branches on which σ' is not 0."""
    return [branch for branch in record.profile.branches if branch.direction]


def support_ends(record: Activation) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the ends of the interval on which σ' is not 0."""
    branches = support(record)
    return branches[0].left, branches[-1].right


def is_before_support(record: Activation, z: Ball, bits: int) -> bool:
    """Return whether z, where σ' is 0, lies left of the support or at its left end, and not right of it."""
    left, _ = support_ends(record)
    return not (is_infinite(left) or z > enclose(left, bits))


def middle_of_slope(record: Activation) -> sympy.Expr:
    """Return where |σ'| is greatest, or the middle of where it is."""
    peaks = [branch.left for branch in support(record)[1:] if not branch.rises]
    if peaks:
        return peaks[0]
    left, right = support_ends(record)
    return (left + right) / 2 if left.is_finite and right.is_finite else sympy.S.Zero


def smooth_parts(record: Activation) -> list[SmoothPart]:
    """Return the longest intervals of the support on which σ' has one formula."""
    profile = record.profile
    parts: list[SmoothPart] = []
    for branch in support(record):
        formula = formula_near(profile.function, Z, branch.inside)
        if parts and parts[-1].slope == formula and parts[-1].right == branch.left:
            parts[-1] = SmoothPart(parts[-1].left, branch.right, formula)
        else:
            parts.append(SmoothPart(branch.left, branch.right, formula))
    return parts


@functools.lru_cache(maxsize=256)
def membership(record: Activation) -> Membership:
    r"""Return whether an activation is in class N, with a proof, tails included.

    Raises
    ------
    Undecided
        If neither is proven.

    Examples
    --------
    >>> import gradtheory as gt
    >>> membership(gt.activation("sigmoid"))
    Membership(is_member=True, reason='the Schwarzian derivative of σ is nowhere positive', witness=None)
    >>> membership(gt.activation("leaky_relu"))
    Membership(is_member=False, reason="σ' jumps at z = 0", witness=0)

    """
    if flaw := next(_flaws(record), None):
        return flaw
    parts = smooth_parts(record)
    for part in parts:
        schwarzian = 2 * part.log_bend - part.log_slope**2
        try:
            if part.is_never_positive(schwarzian):
                continue
        except Undecided:
            place = positive_place(part, schwarzian)
            if place is None and (place := _place_in_cells(part, schwarzian)) is None:
                raise
        else:
            place = inner_point(part.left, part.right)
        return Membership(False, f"the Schwarzian derivative of σ is positive at z = {text(place)}", place)
    if all(part.slope.is_number for part in parts):
        return Membership(True, "σ' is constant where it is not 0")
    return Membership(True, "the Schwarzian derivative of σ is nowhere positive")


def _flaws(record: Activation) -> Iterator[Membership]:
    """Yield the places where |σ'|^(-1/2) is seen not to be convex, between smooth parts."""
    for jump in jumps_of(record.expr, LINE) if record.period is None else record.profile.jumps:
        yield Membership(False, f"σ jumps at z = {text(jump)}", jump)
    branches = support(record)
    if not branches:
        yield Membership(False, "σ is constant on each piece", sympy.S.Zero)
    for here, there in itertools.pairwise(branches):
        place = here.right
        if place != there.left:
            yield Membership(False, f"σ' is 0 from z = {text(place)} to {text(there.left)}, and not beyond", place)
        elif here.direction != there.direction:
            yield Membership(False, f"σ' changes its sign at z = {text(place)}", place)
        elif is_infinite(here.slope_right) or is_infinite(there.slope_left):
            yield Membership(False, f"σ' is infinite at z = {text(place)}", place)
        elif order(here.slope_right, sympy.S.Zero) == 0:
            yield Membership(False, f"σ' is 0 at z = {text(place)}, and not beside it", place)
        elif order(here.slope_right, there.slope_left):
            yield Membership(False, f"σ' jumps at z = {text(place)}", place)
        elif _rises_suddenly(record, here, there):
            yield Membership(False, f"|σ'| has a corner at z = {text(place)}, at which it turns upwards", place)
    if record.period is not None and not record.profile.keeps_its_sign:
        place = record.profile.branches[-1].right
        yield Membership(False, f"σ' changes its sign at z = {text(place)}", place)
    curved = next((branch for branch in branches if not branch.is_flat), None)
    if record.period is not None and curved is not None:
        place = curved.left if curved.rises else curved.right
        yield Membership(False, f"|σ'| is periodic, and least at z = {text(place)}", place)


def _rises_suddenly(record: Activation, here: Branch, there: Branch) -> bool:
    """Return whether the slope of |σ'| is greater after a joint than before it."""
    before, after = (formula_near(record.profile.function, Z, branch.inside) for branch in (here, there))
    if before == after:
        return False
    bends = limit(before.diff(Z), here.right, "-"), limit(after.diff(Z), here.right, "+")
    return here.direction * order(bends[1], bends[0]) > 0


def positive_place(part: SmoothPart, expr: sympy.Expr) -> sympy.Expr | None:
    """Return a place of a part at which an expression is proven to be positive, if one is met."""
    middle = inner_point(part.left, part.right)
    for step in range(1, _TRIED):
        for side in (-1, 1):
            end = part.left if side < 0 else part.right
            share = sympy.Rational(step, _TRIED)
            place = (
                middle + side * sympy.Rational(2) ** (step - 4)
                if is_infinite(end)
                else inner_point(*sorted((middle, middle + share * (sympy.Rational(float(end)) - middle))))
                if not end.is_Rational
                else middle + share * (end - middle)
            )
            with contextlib.suppress(Undecided):  # far out it may be too near 0
                if order(expr.subs(Z, place), sympy.S.Zero, ask_sympy=False) > 0:
                    return place
    return None


def _place_in_cells(part: SmoothPart, expr: sympy.Expr) -> sympy.Expr | None:
    """Return a short number at which an expression is positive, from the cells that tell its zeros apart."""
    with contextlib.suppress(Undecided):
        for _, cell in signed_cells(Univariate(stable(factored(expr)), Z), part.left, part.right):
            end = cell.interval.upper  # past a zero, or in the middle of where there is none
            if end.is_finite() and _is_positive_at(as_rational(end), part, expr):
                short = (as_rational(end).limit_denominator(10**digits) for digits in itertools.count(1))
                return next(place for place in short if _is_positive_at(place, part, expr))
    return None


def _is_positive_at(place: sympy.Rational, part: SmoothPart, expr: sympy.Expr) -> bool:
    is_inside = order(part.left, place) < 0 < order(part.right, place)
    return is_inside and order(expr.subs(Z, place), sympy.S.Zero) > 0
