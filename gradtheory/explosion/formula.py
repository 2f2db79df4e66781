r"""The explosion interval in symbols w, b, c, for every weight at once.

The superlevel set U_t keeps its shape while t stays between two neighbouring limits of |σ'|; each such range is one
case, solved by the same branches as for numbers, with t = c/|w| left symbolic.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.enclosure import sign
from gradtheory.explosion.superlevel import Component, SuperlevelSet, total_length

_W = sympy.Symbol("w", real=True)
_B = sympy.Symbol("b", real=True)
_C = sympy.Symbol("c", positive=True)


@dataclass(frozen=True)
class Case:
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


@dataclass(frozen=True)
class ExplosionFormula:
    r"""The set {x : |σ'(wx + b)·w| > c} in symbols.

    Attributes
    ----------
    condition : sympy.Relational
        |w| > c/sup|σ'|: elsewhere the set is empty.
    lower, upper : sympy.Expr
        The least and the greatest end of the set under that condition, or of one period of it; it is the open interval
        between them, unless a case has several `intervals`.
    width : sympy.Expr
        Its total length.
    cases : tuple of Case
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
    cases: tuple[Case, ...]
    condition: sympy.Basic
    w: sympy.Symbol = field(default=_W)
    b: sympy.Symbol = field(default=_B)
    c: sympy.Symbol = field(default=_C)

    @property
    def lower(self) -> sympy.Expr:
        """The least end of the set."""
        return self._by_case(lambda case: case.intervals[0][0])

    @property
    def upper(self) -> sympy.Expr:
        """The greatest end of the set."""
        return self._by_case(lambda case: case.intervals[-1][1])

    @property
    def width(self) -> sympy.Expr:
        """The total length of the set."""
        return self._by_case(lambda case: case.width)

    def _by_case(self, part: Callable[[Case], sympy.Expr]) -> sympy.Expr:
        if len({part(case) for case in self.cases}) == 1:
            return part(self.cases[0])
        return sympy.Piecewise(*((part(case), case.condition) for case in self.cases))

    def latex(self) -> str:
        """Return the equivalence as LaTeX, for display mode."""
        sigma, w, b, c = self.activation.latex, *(sympy.latex(each) for each in (self.w, self.b, self.c))
        left = rf"\left|{sigma}'({w} x + {b})\,{w}\right| > {c}"
        if len(self.cases) == 1:
            (case,) = self.cases
            return rf"{left} \iff {_latex_of_intervals(case)} \quad ({sympy.latex(self.condition)})"
        rows = r" \\ ".join(
            rf"{_latex_of_intervals(case)} & \text{{if }} {sympy.latex(case.condition)}" for case in self.cases
        )
        return rf"{left} \iff \begin{{cases}} {rows} \end{{cases}}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        lines = [f"|σ'({self.w}*x + {self.b})*{self.w}| > {self.c} for σ = {self.activation.name}:"]
        for case in self.cases:
            x = "x" if case.period is None else f"x + k*{case.period}"
            inside = " or ".join(f"{lower} < {x} < {upper}" for lower, upper in case.intervals)
            some = "" if case.period is None else " for some integer k"
            lines.append(f"  {inside}{some}  if {case.condition}")
        return "\n".join(lines)


def explosion_formula(activation: str | Activation) -> ExplosionFormula:
    """Return the explosion set of an activation in symbols w, b and c.

    Parameters
    ----------
    activation : str or Activation
        A name in the catalogue, or a record.

    Raises
    ------
    InvalidArgument
        If the activation is unknown.
    NoClosedForm
        If its superlevel sets have no closed form.

    Examples
    --------
    >>> print(explosion_formula("arctan"))
    |σ'(w*x + b)*w| > c for σ = arctan:
      -b/w - sqrt(-1 + Abs(w)/c)/Abs(w) < x < -b/w + sqrt(-1 + Abs(w)/c)/Abs(w)  if Abs(w) > c

    """
    record = as_activation(activation)
    levels = _levels(record)
    cases: list[Case] = []
    for high, low in zip(levels, (*levels[1:], sympy.S.Zero), strict=True):
        cases.extend(_cases(record, low, high))
    return ExplosionFormula(record, tuple(cases), abs(_W) > _C / record.steepest_slope)


def _levels(record: Activation) -> list[sympy.Expr]:
    """Return the distinct positive limits of |σ'| at branch ends, in decreasing order."""
    found: list[sympy.Expr] = []
    for branch in record.profile.branches:
        for level in (branch.steepest, branch.shallowest):
            if sign(level) > 0 and level not in found:
                found.append(level)
    return sorted(found, reverse=True)


def _cases(record: Activation, low: sympy.Expr, high: sympy.Expr) -> Iterator[Case]:
    """Yield the formula for low <= c/|w| < high: one for both signs of w if U_t = -U_t, else one for each."""
    between = low + 1 if high.is_infinite else (low + high) / 2
    in_z = SuperlevelSet(record.profile, between, at=_C / abs(_W)).components()
    if in_z == tuple(component.affine(-1, 0, mirrored=True) for component in reversed(in_z)):
        yield _case(in_z, abs(_W), low, high, record.period)
    else:
        yield _case(SuperlevelSet(record.profile, between, at=_C / _W).components(), _W, low, high, record.period)
        to_the_left = SuperlevelSet(record.profile, between, at=-_C / _W).components()
        yield _case(
            [each.affine(-1, 0, mirrored=True) for each in reversed(to_the_left)], -_W, low, high, record.period
        )


def _case(
    in_z: Sequence[Component], size: sympy.Expr, low: sympy.Expr, high: sympy.Expr, period: sympy.Expr | None
) -> Case:
    """Return the case of the weights whose |w| is written `size`, from the set U or, for w < 0, -U."""
    condition = size > _C / high
    if sign(low) > 0:
        condition = sympy.And(condition, size <= _C / low)
    intervals = tuple((_moved(each.lower, size), _moved(each.upper, size)) for each in in_z)
    length = total_length(in_z)
    if period is not None:
        return Case(condition, intervals, sympy.oo, period / abs(_W))
    return Case(condition, intervals, length if length.is_infinite else length / size)


def _moved(end: sympy.Expr, size: sympy.Expr) -> sympy.Expr:
    return end if end.is_infinite else end / size - _B / _W


def _latex_of_intervals(case: Case) -> str:
    x = "x" if case.period is None else rf"x + {sympy.latex(case.period)}\, k"
    inside = r" \;\text{or}\; ".join(
        f"{sympy.latex(lower)} < {x} < {sympy.latex(upper)}" for lower, upper in case.intervals
    )
    return inside if case.period is None else rf"{inside} \;\text{{for some}}\; k \in \mathbb{{Z}}"
