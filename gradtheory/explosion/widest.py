r"""The widest explosion interval over all weights.

The width at |w| is t·m(t)/c with t = c/|w| and m(t) = |U_t|, so the widest is K/c with K = sup_t t·m(t), the weak-L¹
quasi-norm of σ' (L. Grafakos, "Classical Fourier Analysis", 3rd ed. 2014, definition 1.1.5).
"""

import functools
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation, T, WidestPoint
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.guarantee import Guarantee, guarantee
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.budget import limited
from gradtheory.explosion.superlevel import SuperlevelSet, total_length
from gradtheory.explosion.widest_search import Supremum
from gradtheory.formulas import latex
from gradtheory.typing import ActivationLike, NumberLike

_LONGEST_FORMULA = 150


@dataclass(frozen=True, repr=False)
class WidestExplosion:
    r"""The greatest length of the explosion set over all weights, and where it occurs.

    Attributes
    ----------
    activation : Activation
    threshold : sympy.Expr
        c.
    width : sympy.Expr
        K/c: exact, or a `Root` with proven digits, or oo.
    weight : sympy.Expr
        The |w| of that width. Where `is_attained` is False, the width is only approached: as |w| falls to `weight`, or
        as it grows where `weight` is oo. For an infinite width, every larger |w| has it, with an unbounded slope every
        |w| above 0; and `weight` itself where |σ'| falls to its limit, as for gelu.
    is_attained : bool
        Whether the set at `weight` itself has that width.
    equation : sympy.Eq or None
        What the parameter s of `width` and `weight` solves; None where no stationary point is involved.
    reason : str or None
        Why the width is infinite, where it is.

    """

    activation: Activation
    threshold: sympy.Expr
    width: sympy.Expr
    weight: sympy.Expr
    is_attained: bool
    equation: sympy.Eq | None = None
    reason: str | None = None

    @property
    def guarantee(self) -> Guarantee:
        """Whether width and weight are exact, or certified with proven digits."""
        return guarantee(self.width, self.weight)

    @property
    def is_maximum(self) -> bool:
        """Whether the width is finite, and the set at `weight` has it."""
        return self.is_attained and bool(self.width.is_finite)

    def latex(self) -> str:
        """Return width, place and defining equation as LaTeX, for display mode."""
        size, place = (r"\max", "=") if self.is_attained else (r"\sup", r"\to")
        parts = [
            rf"{size}_w |X_w| = {latex(self.width)}",
            rf"|w| {place} {latex(self.weight)}",
        ]
        if self.equation is not None:
            parts.append(latex(self.equation))
        return r",\quad ".join(parts)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        place = "at |w| =" if self.is_attained else "as |w| tends to"
        where = f"; {self.equation.lhs} = {self.equation.rhs}" if self.equation is not None else ""
        where += f"; {self.reason}" if self.reason else ""
        return f"{_with_digits(self.width)} {place} {_with_digits(self.weight)}{where} ({self.guarantee.value})"


def _with_digits(number: sympy.Expr) -> str:
    """Return a number's formula and its digits; only the digits where the formula is too long to read."""
    formula = str(number)
    if number.is_Rational or number.is_infinite:
        return formula
    return f"{formula} = {number.n()}" if len(formula) <= _LONGEST_FORMULA else str(number.n())


@limited
def widest_explosion(
    activation: ActivationLike, *, threshold: NumberLike = 1, component: str = "total", effort: float = EFFORT
) -> WidestExplosion:
    r"""Return the widest explosion set over all weights, K/c, and the weight where it occurs.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression in one real symbol, or a record.
    threshold : number
        c > 0.
    component : {"total", "longest"}
        Whether the total length of the set is meant, or the length of its longest interval.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    WidestExplosion

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If the proof does not succeed: the supremum may be approached as |w| grows without end, or be taken at two
        weights.

    Examples
    --------
    >>> widest = widest_explosion("sigmoid")
    >>> widest
    s/cosh(s)**2 = 0.447743204694303 at |w| = 4*cosh(s)**2 = 6.89415103227293; s*tanh(s) = 1/2 (certified)
    >>> widest.width.n(50)
    0.44774320469430284917832424096967256979161169212605
    >>> widest.weight.n(20), widest.equation
    (6.8941510322729280142, Eq(s*tanh(s), 1/2))
    >>> widest_explosion("arctan")
    1 at |w| = 2; s**2 = 1 (exact)
    >>> widest_explosion("hard_tanh")
    2 as |w| tends to 1 (exact)
    >>> widest_explosion("sine")
    oo as |w| tends to 1; σ' is periodic (exact)

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    one_of(component, "component", ("total", "longest"))
    return _widest(record, c, longest=component == "longest")


@functools.lru_cache(maxsize=256)
def _widest(record: Activation, c: sympy.Expr, *, longest: bool) -> WidestExplosion:
    if record.period is not None and not longest:
        return _unbounded(record, c, record.steepest_slope, "σ' is periodic")
    tail = _steepest_tail(record) if record.period is None else _least_slope(record)
    if sign(tail) > 0:
        return _unbounded(record, c, tail, "σ' is unbounded" if tail.is_infinite else "σ' does not fade")
    if all(branch.is_flat for branch in record.profile.branches):
        return _at_steps(record, c, longest=longest)
    if longest and not _is_one_piece(record):
        return _search(record, c, longest=True)
    if record.widest_point is not None:
        return _at_stationarity(record, record.widest_point, c)
    return _search(record, c, longest=False)


def _unbounded(record: Activation, c: sympy.Expr, level: sympy.Expr, reason: str) -> WidestExplosion:
    """Return an infinite width; the set at the bound of the weights has it, too, where |σ'| falls to its limit."""
    is_attained = False
    if record.period is None and level.is_finite:
        is_attained = bool(total_length(SuperlevelSet(record.profile, level).components()).is_infinite)
    return WidestExplosion(record, c, sympy.oo, c / level, is_attained=is_attained, reason=reason)


def _steepest_tail(record: Activation) -> sympy.Expr:
    """Return the greater of the limits of |σ'| at -oo and oo: it is 0 where σ' fades."""
    first, last = record.profile.branches[0], record.profile.branches[-1]
    left, right = abs(first.slope_left), abs(last.slope_right)
    return left if left.is_infinite or sign(left - right) > 0 else right


def _least_slope(record: Activation) -> sympy.Expr:
    """Return the least |σ'| of a periodic slope without kinks, 0 with them: below it a component has no end."""
    profile = record.profile
    if profile.kinks:
        return sympy.S.Zero
    least, *others = (branch.shallowest for branch in profile.branches)
    for other in others:
        least = other if sign(other - least) < 0 else least
    return least


def _at_stationarity(record: Activation, place: WidestPoint, c: sympy.Expr) -> WidestExplosion:
    s = place.parameter
    width, weight = sympy.Lambda(s, place.level * place.measure / c), sympy.Lambda(s, c / place.level)
    if place.equation is None:
        supremum, least = (sympy.limit(term(s), s, place.solution) for term in (width, weight))
        return WidestExplosion(record, c, supremum, least, is_attained=False)
    if place.solution is not None:
        width_there, weight_there = width(place.solution), weight(place.solution)
    else:
        zero = sympy.Lambda(s, place.equation.lhs - place.equation.rhs)
        lower, upper = place.between
        width_there, weight_there = Root(zero, lower, upper, width), Root(zero, lower, upper, weight)
    return WidestExplosion(record, c, width_there, weight_there, is_attained=True, equation=place.equation)


def _is_one_piece(record: Activation) -> bool:
    """Whether every superlevel set is one interval: |σ'| rises, then falls, and no kink cuts it."""
    if record.kinks:
        return False
    rises = [branch.rises for branch in record.profile.branches if not branch.is_flat]
    return not any(branch.is_flat for branch in record.profile.branches) and rises == sorted(rises, reverse=True)


def _search(record: Activation, c: sympy.Expr, *, longest: bool) -> WidestExplosion:
    """Find the supremum of t·m(t) by branch and bound."""
    supremum = Supremum(record, longest).greatest()
    if not supremum.is_stationary:
        return WidestExplosion(record, c, supremum.value / c, c / supremum.level, is_attained=supremum.is_attained)
    m = sympy.Function("m")(T)
    return WidestExplosion(
        record,
        c,
        supremum.level.map(sympy.Lambda(T, supremum.value / c)),
        supremum.level.map(sympy.Lambda(T, c / T)),
        is_attained=True,
        equation=sympy.Eq(m + T * m.diff(T), 0),
    )


def _at_steps(record: Activation, c: sympy.Expr, *, longest: bool) -> WidestExplosion:
    """Solve for a step-like σ': t·m(t) grows between two steps, so the supremum lies just below one, in the limit."""

    def product(level: sympy.Expr) -> sympy.Expr:
        components = SuperlevelSet(record.profile, level, strict=False).components()
        return level * (max(part.length for part in components) if longest else total_length(components))

    steps = [branch.steepest for branch in record.profile.branches if sign(branch.steepest) > 0]
    if not steps:
        raise InvalidArgument("activation", record.name, "has the slope 0 wherever it has one: nothing ever explodes")
    level = max(steps, key=product)
    return WidestExplosion(record, c, product(level) / c, c / level, is_attained=False)
