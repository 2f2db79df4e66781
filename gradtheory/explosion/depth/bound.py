r"""The widest explosion set of chains of any depth: H = sup (q - p)·√(σ'(p)σ'(q)) over p < q.

In class N, \|f'(x)\|·\|f'(y)\|·(x - y)² ≤ H² for chains of every depth with σ in the last layer, whatever their weights
and biases, and H is the least such number if σ'' is not 0 everywhere (proofs/limit.v). One neuron has K ≤ H.
"""

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import NamedTuple

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import factored, is_infinite, order
from gradtheory.arithmetic.guarantee import Guarantee, decimal, guarantee
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth.class_n import (
    SmoothPart,
    membership,
    middle_of_slope,
    positive_place,
    smooth_parts,
    support_ends,
)
from gradtheory.explosion.depth.in_exponentials import cleared
from gradtheory.explosion.depth.log_concave import Supremum, at_an_end
from gradtheory.explosion.depth.many_pairs import below_arctan, of_moebius_maps
from gradtheory.explosion.depth.tangents import best_pair
from gradtheory.explosion.widest import WidestExplosion, widest_explosion
from gradtheory.typing import ActivationLike, NumberLike


@dataclass(frozen=True, repr=False)
class DepthBound(ShownAsTable):
    r"""How wide the explosion set of a chain of any depth can be, with one activation in every layer.

    Attributes
    ----------
    activation : Activation
    threshold : sympy.Expr
        c.
    value : sympy.Expr or None
        H/c: no two inputs with \|f'\| > c are further apart, at any depth; oo where σ is unbounded; None where σ is not
        in class N, of which the theorem speaks.
    widens : bool or None
        Whether deep chains have wider sets than one neuron: K < H. None where that is not decided, though H is proven.
    factor : sympy.Expr or None
        H/K; None where both are infinite, or where it is not decided.
    pair : tuple of two sympy.Expr, or None
        The p < q at which H is attained, or which they approach.
    is_in_class_n : bool
    reason : str
        Why.
    witness : sympy.Expr or None
        Outside class N, a place where \|σ'\|^(-1/2) is not convex.

    """

    activation: Activation
    threshold: sympy.Expr
    value: sympy.Expr | None
    widens: bool | None
    factor: sympy.Expr | None
    pair: tuple[sympy.Expr, sympy.Expr] | None
    is_in_class_n: bool
    reason: str
    witness: sympy.Expr | None = None

    @property
    def guarantee(self) -> Guarantee:
        """Whether the value is exact, or certified with proven digits; class N is proven either way."""
        return Guarantee.EXACT if self.value is None else guarantee(self.value)

    def __repr__(self) -> str:
        if self.value is None:
            return f"{self.activation.name} is not in class N: {self.reason}"
        grows = f"depth widens by {decimal(self.factor, 6)} in the limit" if self.widens else "depth never widens"
        if self.widens is None:
            grows = "not decided whether depth widens"
        return f"{decimal(self.value, 15)} at any depth, {grows}: {self.reason} ({self.guarantee.value})"


class Shape(NamedTuple):
    """The form of a slope: about where it is even, whether it is log-concave, or else in angles, for which s²."""

    centre: sympy.Expr
    is_even: bool
    is_log_concave: bool
    squared_scale: sympy.Expr | None


@limited
def depth_bound(activation: ActivationLike, *, threshold: NumberLike = 1, effort: float = EFFORT) -> DepthBound:
    r"""Return how wide the explosion set of a chain can be at any depth: H/c.

    H = sup_{p<q} (q - p)·√(σ'(p)σ'(q)); K is the same with σ'(p) = σ'(q).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression in one real symbol, or a record.
    threshold : number
        c > 0.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    DepthBound

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If it is not proven whether σ is in class N, or what H is.

    References
    ----------
    Section 7 of the theory page; in Coq `proofs/limit.v`, `width_at_most_H` and `H_is_the_least`.

    Examples
    --------
    >>> depth_bound("sigmoid")
    0.447743204694303 at any depth, depth never widens: σ' is even and log-concave (certified)
    >>> depth_bound("softsign").factor
    2
    >>> depth_bound("cloglog").value.n(12)
    0.487619357500
    >>> depth_bound("selu")
    selu is not in class N: σ' jumps at z = 0

    """
    bound, c = _at_threshold_1(as_activation(activation)), read_positive(threshold, "threshold")
    return replace(bound, threshold=c, value=None if bound.value is None else bound.value / c)


@functools.lru_cache(maxsize=256)
def _at_threshold_1(record: Activation) -> DepthBound:
    belongs = membership(record)
    if not belongs.is_member:
        return DepthBound(record, sympy.S.One, None, None, None, None, False, belongs.reason, belongs.witness)
    highest = _supremum(record)
    if is_infinite(highest.value):
        return DepthBound(record, sympy.S.One, sympy.oo, False, None, None, True, highest.reason)
    widens, factor = (False, sympy.S.One) if highest.is_of_one_neuron else _compared(record, highest.value)
    return DepthBound(record, sympy.S.One, highest.value, widens, factor, highest.pair, True, highest.reason)


def _compared(record: Activation, highest: sympy.Expr) -> tuple[bool, sympy.Expr] | tuple[None, None]:
    """Return whether K < H, and H/K; None where K is not decided, or may equal H, of which no digits tell."""
    try:
        one = widest_explosion(record).width
        widens = highest != one and order(one, highest) < 0
    except Undecided:
        return None, None
    return widens, highest / one if widens else sympy.S.One


def _supremum(record: Activation) -> Supremum:
    """Return H for an activation of class N."""
    if sympy.nan in record.limits:
        raise Undecided(f"whether {record.name} is bounded is not proven")
    if any(map(is_infinite, record.limits)):
        # |σ'|^(-1/2) is convex and the integral of |σ'| diverges, so that |σ'| does not fade on that side.
        return Supremum(sympy.oo, None, "σ is unbounded, and so is H")
    parts = smooth_parts(record)
    if all(part.slope.is_number for part in parts):
        return Supremum(record.proven_range.measure, support_ends(record), "σ' is constant where it is not 0")
    if all(part.is_moebius for part in parts):
        return of_moebius_maps(parts)
    return _by_form(record, parts)


def _by_form(record: Activation, parts: list[SmoothPart]) -> Supremum:
    """Return H of a bounded activation with a part that is no Möbius map."""
    form = shape(record, in_angles=record.branches is not None)
    if not form.is_log_concave and form.squared_scale is None:
        try:
            return _by_tangents(record, form)
        except Undecided:  # many pairs may be the best, as for arctan
            form = shape(record)
            if form.squared_scale is None:
                if (highest := below_arctan(parts)) is not None:
                    return highest
                raise
    if not form.is_even:
        return (at_an_end(parts[0]) if len(parts) == 1 else None) or _by_tangents(record, form)
    widest = widest_explosion(record)
    place = "even" if form.centre == 0 else f"even about z = {form.centre}"
    reason = f"σ' is {place} and log-concave"
    if not form.is_log_concave:
        reason = f"σ' is {place}, and σ'(s·tan θ)/cos²θ log-concave for s² = {form.squared_scale}"
    return Supremum(widest.width, _symmetric_pair(form, widest), reason)


def _by_tangents(record: Activation, form: Shape) -> Supremum:
    """Return H where tangents of |σ'|^(-1/2) rule out all pairs but one."""
    best = best_pair(record, is_even=form.is_even)
    if best.is_symmetric:  # σ' is the same at both, which are the ends of a set of one neuron
        widest = widest_explosion(record)
        return Supremum(widest.width, _symmetric_pair(form, widest), "σ' is even, and the best pair is proven to be so")
    others = "another pair is as good" if best.has_equals else "no other pair is as good"
    return Supremum(best.value, best.pair, "σ' is log-concave" if form.is_log_concave else others)


def shape(record: Activation, *, in_angles: bool = True) -> Shape:
    """Return what is proven of the form of a slope, for an activation of class N; in angles, if that is asked for."""
    parts = smooth_parts(record)
    centre = middle_of_slope(record)
    centred = [part.moved(centre) for part in parts]
    is_even, is_log_concave = _is_even(centred), all(map(is_part_log_concave, parts))
    square = None
    if in_angles and is_even and not is_log_concave:
        squares = _squared_scales(centred)
        square = next((s for s in squares if all(is_part_log_concave_in_angles(part, s) for part in centred)), None)
    return Shape(centre, is_even, is_log_concave, square)


def _symmetric_pair(form: Shape, widest: WidestExplosion) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the ends in z of the widest set."""
    half = _half(widest.width, widest.weight) if widest.is_maximum else sympy.oo
    return form.centre - half, form.centre + half


def _half(width: sympy.Expr, weight: sympy.Expr) -> sympy.Expr:
    """Return half the length in z of the widest set."""
    if isinstance(width, Root) and isinstance(weight, Root) and width.function == weight.function:
        (s,) = width.function.variables
        half = sympy.Lambda(s, sympy.cancel(width.value * weight.value / 2))
        with contextlib.suppress(InvalidArgument):  # the bracket may be too wide to be proven again
            return Root(width.function, width.lower, width.upper, half)
    return width * weight / 2


def _is_even(parts: list[SmoothPart]) -> bool:
    """Return whether |σ'| is the same after z = -z, part by part."""
    for part, mirrored in zip(parts, reversed(parts), strict=True):
        difference = part.slope - mirrored.slope.xreplace({Z: -Z})
        if part.left != -mirrored.right:
            return False
        if difference != 0 and sympy.expand(sympy.numer(sympy.together(difference.rewrite(sympy.exp)))) != 0:
            return False
    return True


def _squared_scales(parts: list[SmoothPart]) -> list[sympy.Expr]:
    """Return the s² that are tried: at 0 the condition asks for at least -2/ℓ''."""
    bend = parts[len(parts) // 2].log_bend.subs(Z, 0)
    least = -2 / bend if bend.is_number and bend.is_negative else sympy.S.One
    return [least * factor for factor in (1, sympy.Rational(3, 2), 2, 4)]


def is_part_log_concave(part: SmoothPart) -> bool:
    """Return whether ℓ'' ≤ 0 is proven."""
    return part.slope.is_number or _is_proven(part, part.log_bend)


def is_part_log_concave_in_angles(part: SmoothPart, square: sympy.Expr) -> bool:
    """Return whether σ'(s·tan θ)/cos²θ is log-concave in θ: (s² + z²)·ℓ'' + 2z·ℓ' + 2 ≤ 0."""
    terms = (square + Z**2, part.log_bend), (2 * Z, part.log_slope), (sympy.Integer(2), sympy.S.One)
    expr = None
    with contextlib.suppress(Undecided):
        expr = cleared(terms)
    expr = expr or factored(sympy.Add(*(c * function for c, function in terms)))
    touches = part.left < 0 < part.right and expr != 0 and expr.subs(Z, 0) == 0
    return not touches and _is_proven(part, expr)  # what touches 0 has no proven sign


def _is_proven(part: SmoothPart, expr: sympy.Expr) -> bool:
    try:
        return positive_place(part, expr) is None and part.is_never_positive(expr)
    except Undecided:
        return False
