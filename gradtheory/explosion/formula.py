r"""The explosion interval in symbols w, b, c, for every weight at once.

The superlevel set U_t keeps its shape while t stays between two neighbouring limits of |σ'|. Each such range of t is a
regime of weights, solved by the same branches as for numbers, with t = c/|w| left symbolic.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.proven import Largest
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.superlevel import Component, SuperlevelSet, total_length
from gradtheory.explosion.superlevel.periodic import with_ends
from gradtheory.formulas import latex
from gradtheory.formulas.decimals import Digits
from gradtheory.typing import ActivationLike

_W = sympy.Symbol("w", real=True)
_B = sympy.Symbol("b", real=True)
_C = sympy.Symbol("c", positive=True)
_LONGEST_NUMBER = 30  # characters


@dataclass(frozen=True)
class Regime:
    """The explosion set for a range of weights.

    Parameters
    ----------
    condition : sympy.Boolean
        The range, as a condition on w and c.
    intervals : tuple of pairs of sympy.Expr
        The open intervals of x, in increasing order.
    width : sympy.Expr
        The total length of the set.
    period : sympy.Expr, optional
        Of a periodic slope: the set is the intervals, moved by all multiples of it.

    """

    condition: sympy.Basic
    intervals: tuple[tuple[sympy.Expr, sympy.Expr], ...]
    width: sympy.Expr
    period: sympy.Expr | None = None


@dataclass(frozen=True, repr=False)
class ExplosionFormula:
    r"""The set {x : |σ'(wx + b)·w| > c} in symbols.

    Printed, inverse(σ', k) is the inverse of |σ'| on its k-th monotone branch from the left, where it has no closed
    form, and … stands for the middle of what is long, or further digits; `regimes` and `latex()` hold all of it.

    Attributes
    ----------
    condition : sympy.Relational
        |w| > c/sup|σ'|: elsewhere the set is empty.
    lower, upper : sympy.Expr
        The least and the greatest end of the set under that condition, or of one period of it; it is the open interval
        between them, unless a regime has several `intervals`.
    width : sympy.Expr
        Its total length.
    regimes : tuple of Regime
        One entry for each range of |w| with its own formula, by growing |w|.
    w, b, c : sympy.Symbol
        Weight and bias (real) and threshold (positive).

    Examples
    --------
    >>> import gradtheory as gt
    >>> formula = gt.explosion_formula("sigmoid")
    >>> formula.width, formula.condition
    (4*asinh(sqrt(-4 + Abs(w)/c)/2)/Abs(w), Abs(w) > 4*c)
    >>> formula.width.subs({formula.w: 7, formula.c: 1})
    4*asinh(sqrt(3)/2)/7

    """

    activation: Activation
    regimes: tuple[Regime, ...]
    condition: sympy.Basic
    w: sympy.Symbol = field(default=_W)
    b: sympy.Symbol = field(default=_B)
    c: sympy.Symbol = field(default=_C)

    @property
    def lower(self) -> sympy.Expr:
        """The least end of the set."""
        return self._by_regime(lambda regime: regime.intervals[0][0])

    @property
    def upper(self) -> sympy.Expr:
        """The greatest end of the set."""
        return self._by_regime(lambda regime: regime.intervals[-1][1])

    @property
    def width(self) -> sympy.Expr:
        """The total length of the set."""
        return self._by_regime(lambda regime: regime.width)

    def _by_regime(self, part: Callable[[Regime], sympy.Expr]) -> sympy.Expr:
        if len({part(regime) for regime in self.regimes}) == 1:
            return part(self.regimes[0])
        pieces = ((part(regime), regime.condition) for regime in self.regimes)
        return sympy.Piecewise(*pieces, evaluate=False)  # SymPy would mix the conditions of equal ones

    def latex(self) -> str:
        """Return the equivalence as LaTeX, for display mode."""
        sigma, w, b, c = self.activation.symbol, *map(latex, (self.w, self.b, self.c))
        left = rf"\left|{sigma}'({w} x + {b})\,{w}\right| > {c}"
        if len(self.regimes) == 1:
            (regime,) = self.regimes
            return rf"{left} \iff {_latex_of_intervals(regime)} \quad ({latex(self.condition)})"
        rows = r" \\ ".join(
            rf"{_latex_of_intervals(regime)} & \text{{if }} {latex(regime.condition)}" for regime in self.regimes
        )
        return rf"{left} \iff \begin{{cases}} {rows} \end{{cases}}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        lines = [f"|σ'({self.w}*x + {self.b})*{self.w}| > {self.c} for σ = {self.activation.name}:"]
        for regime in self.regimes:
            x = "x" if regime.period is None else f"x + k*{regime.period}"
            ends = ((self._in_brief(lower), self._in_brief(upper)) for lower, upper in regime.intervals)
            inside = " or ".join(f"{lower} < {x} < {upper}" for lower, upper in ends)
            some = "" if regime.period is None else " for some integer k"
            lines.append(f"  {inside}{some}  if {self._in_brief(regime.condition)}")
        return "\n".join(lines)

    def _in_brief(self, expr: sympy.Basic) -> str:
        def named(t: sympy.Expr, _size: sympy.Expr, left: sympy.Expr, _right: sympy.Expr) -> sympy.Expr:
            return sympy.Function(f"inverse(σ', {starts.index(left) + 1})")(t)

        starts = [branch.left for branch in self.activation.profile.branches]
        return shorten(_with_digits(expr.replace(SlopeInverse, named)), 100)


def _with_digits(expr: sympy.Basic) -> sympy.Basic:
    """Return an expression with the first digits of its numbers that are long."""
    if not expr.is_number:
        return expr.func(*map(_with_digits, expr.args)) if expr.args else expr
    if len(str(expr)) <= _LONGEST_NUMBER:
        return expr
    side = sign(expr)
    return side * Digits(Largest((side * expr,)).first_digits("…"), positive=True)


def explosion_formula(activation: ActivationLike) -> ExplosionFormula:
    """Return the explosion set of an activation in symbols w, b and c.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression in one real symbol, or a record.

    Returns
    -------
    ExplosionFormula
        With one regime for each range of |w|. Where |σ'(z)| = t has no closed-form solution, as for gelu, the ends hold
        the inverse of |σ'| on a branch as a function of its own, whose digits are proven.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, or its slope is 0 almost everywhere: then no factor exceeds any c.
    Undecided
        If the slope of your own expression cannot be cut into monotone branches.

    Examples
    --------
    >>> print(explosion_formula("arctan"))
    |σ'(w*x + b)*w| > c for σ = arctan:
      -b/w - sqrt(-1 + Abs(w)/c)/Abs(w) < x < -b/w + sqrt(-1 + Abs(w)/c)/Abs(w)  if Abs(w) > c

    """
    record = as_activation(activation)
    if record.steepest_slope == 0:
        raise InvalidArgument("activation", record.name, "must have a slope that is not 0 almost everywhere")
    ranges = itertools.pairwise((sympy.S.Zero, *record.profile.levels))
    regimes = [regime for low, high in reversed(list(ranges)) for regime in _regimes(record, low, high)]
    return ExplosionFormula(record, tuple(regimes), abs(_W) > _C / record.steepest_slope)


def _regimes(record: Activation, low: sympy.Expr, high: sympy.Expr) -> Iterator[Regime]:
    """Yield the formula for low <= c/|w| < high: one for both signs of w if U_t = -U_t, else one for each sign."""
    between = low + 1 if high.is_infinite else (low + high) / 2

    def components(t: sympy.Expr) -> tuple[Component, ...]:
        level = SuperlevelSet(record.profile, between, in_terms_of=t)
        if record.period is None or not level.has_ends_of_periods:
            return level.components()
        return tuple(with_ends(level.components(), record.profile.branches[0].left, record.period))

    in_z = components(_C / abs(_W))
    if in_z == _mirrored(in_z):
        yield _regime(in_z, abs(_W), low, high, record.period)
    else:
        yield _regime(components(_C / _W), _W, low, high, record.period)
        yield _regime(_mirrored(components(-_C / _W)), -_W, low, high, record.period)


def _mirrored(components: Sequence[Component]) -> tuple[Component, ...]:
    """Return -U for the set U of some components."""
    return tuple(component.affine(-1, 0, mirrored=True) for component in reversed(components))


def _regime(
    in_z: Sequence[Component], size: sympy.Expr, low: sympy.Expr, high: sympy.Expr, period: sympy.Expr | None
) -> Regime:
    """Return the regime of the weights whose |w| is written `size`, from the set U or, for w < 0, -U."""
    condition = size > _C / high
    if sign(low) > 0:
        condition = sympy.And(condition, size <= _C / low)
    intervals = tuple((_pull_back(part.lower, size), _pull_back(part.upper, size)) for part in in_z)
    is_unbounded = any(part.lower.is_infinite or part.upper.is_infinite for part in in_z)
    if period is not None and not is_unbounded:
        return Regime(condition, intervals, sympy.oo, period / abs(_W))
    return Regime(condition, intervals, sympy.oo if is_unbounded else total_length(in_z) / size)


def _pull_back(end: sympy.Expr, size: sympy.Expr) -> sympy.Expr:
    return end if end.is_infinite else end / size - _B / _W


def _latex_of_intervals(regime: Regime) -> str:
    x = "x" if regime.period is None else rf"x + {latex(regime.period)}\, k"
    inside = r" \;\text{or}\; ".join(f"{latex(lower)} < {x} < {latex(upper)}" for lower, upper in regime.intervals)
    return inside if regime.period is None else rf"{inside} \;\text{{for some}}\; k \in \mathbb{{Z}}"
