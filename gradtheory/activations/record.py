"""What the catalogue knows of an activation: one frozen record, from which everything else is derived."""

# Above 300 lines: one class, whose fields and properties need their docstrings.

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import sympy

from gradtheory.activations.slopes.branch import LINE, Branch, Region, SignOfBend, T, Z
from gradtheory.activations.slopes.exact_zeros import features
from gradtheory.activations.slopes.jumps import jumps_of, periodic_jumps
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.numeric import Numeric, numeric, steepest_place, without_cancelling
from gradtheory.activations.slopes.one_sided import write_from_the_left
from gradtheory.activations.slopes.profile import Profile, over_branches
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.effort import within
from gradtheory.arithmetic.enclosure import Interval, derivative, is_infinite, sign
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import read_array
from gradtheory.arithmetic.kinds import read_function, read_kind
from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.logistic import with_logistics
from gradtheory.arithmetic.proven import Largest
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.formulas import latex

if TYPE_CHECKING:
    from gradtheory.typing import ArrayLike

__all__ = ["Activation", "Branch", "SignOfBend", "Kernel", "WidestPoint", "T", "Z"]

_PLACES = (-20.0, 20.0, 401)  # as NumPy's linspace takes them
_WIDTHS = (-3.0, 3.0, 61)  # about a feature
_FAR = 10**15  # beyond, float64 does not resolve a feature
Kernel: TypeAlias = "Callable[[np.ndarray, np.ndarray, np.ndarray], None]"


@dataclass(frozen=True)
class WidestPoint:
    r"""The place where t·m(t), the explosion width for threshold 1 and |w| = 1/t, is greatest.

    Level and measure are written in one parameter s, so that no inverse function is needed.

    Parameters
    ----------
    parameter : sympy.Symbol
        s.
    level, measure : sympy.Expr
        t and m(t) = |{z : |σ'(z)| > t}| as functions of s.
    equation : sympy.Eq, optional
        What s solves; None where the supremum is only approached.
    solution : sympy.Expr, optional
        s in closed form; where there is no equation, the value that s approaches from above.
    between : pair of sympy.Rational, optional
        An isolating interval of s, where it has no closed form; proven when it is used.

    """

    parameter: sympy.Symbol
    level: sympy.Expr
    measure: sympy.Expr
    equation: sympy.Eq | None = None
    solution: sympy.Expr | None = None
    between: tuple[sympy.Rational, sympy.Rational] = (sympy.S.Zero, sympy.S.One)


@dataclass(frozen=True)
class Activation:
    r"""An activation function σ of one real pre-activation z.

    Parameters
    ----------
    name : str
        Its name in the catalogue; PyTorch's where PyTorch has it.
    symbol : str
        Its LaTeX symbol.
    expr : sympy.Expr
        σ(z), in the real symbol `Z`.
    range : sympy.Set
        The set of its values.
    kernel : callable
        (z, value, slope): writes σ(z) and σ'(z) of a float64 array into two others, without overflow or cancellation,
        also at ±inf; at kinks it takes the one-sided slope that PyTorch takes. It may overwrite z.
    reference : str
        Where it is defined.
    slope_expr : sympy.Expr, optional
        σ'(z) as one would write it; SymPy's derivative of `expr` if left out.
    branches : tuple of Branch, optional
        The monotone branches of |σ'|, from -oo to oo, or over one period; derived from `expr` if left out.
    sign_of_bend : SignOfBend, optional
        What proves the branches monotone where σ' is not constant; σ'' itself if left out.
    period : sympy.Expr, optional
        The period of |σ'|, where it has one.
    widest_point : WidestPoint, optional
        The place of the widest explosion, where it does not follow from the branches alone.
    log_odds : callable, optional
        The kernel of λ = log(σ/(1 - σ)), for ranges within (0, 1): cross entropy needs it.
    source : str or sympy.Expr, optional
        What `gradtheory.activation` makes it from, such as "elu(alpha=2)"; the name if left out.
    peers : mapping of str to str
        The same function in other libraries ("torch", "jax", "keras"), with the parameters that make it so.

    Examples
    --------
    >>> import gradtheory as gt
    >>> softsign = gt.activation("softsign")
    >>> softsign.slope_expr
    (Abs(z) + 1)**(-2)
    >>> softsign.slope([-1.0, 0.0, 3.0])
    array([0.25  , 1.    , 0.0625])

    """

    name: str
    symbol: str
    expr: sympy.Expr
    range: sympy.Set = field(compare=False)  # it follows from expr
    kernel: Kernel
    reference: str
    slope_expr: sympy.Expr = None
    branches: tuple[Branch, ...] | None = None
    sign_of_bend: SignOfBend | None = None
    period: sympy.Expr | None = None
    widest_point: WidestPoint | None = None
    log_odds: Kernel | None = field(default=None, compare=False)
    source: Any = None
    peers: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __hash__(self) -> int:  # caches ask often, and the branches take long
        return hash((self.name, self.expr))

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.slope_expr is None:
            object.__setattr__(self, "slope_expr", self.expr.diff(Z))
        if self.expr.free_symbols != {Z} or not self.slope_expr.free_symbols <= {Z}:
            raise InvalidArgument("expr, slope_expr", (self.expr, self.slope_expr), f"must be written in {Z!r} alone")
        if self.branches is not None:
            ends = [self.branches[0].left, *(branch.right for branch in self.branches)]
            starts = [*(branch.left for branch in self.branches), self.branches[-1].right]
            whole = -ends[0] == ends[-1] == sympy.oo if self.period is None else ends[-1] - ends[0] == self.period
            if ends != starts or not whole:
                raise InvalidArgument("branches", ends, "must cover the line, or a period, without gap or overlap")
        if self.is_within_unit_interval != (self.log_odds is not None):
            rule = "must be the kernel of log(σ/(1 - σ)) where the range lies within (0, 1), and None elsewhere"
            raise InvalidArgument("log_odds", self.log_odds, rule)

    def _check_kinds(self) -> None:
        """Refuse fields of other types, before anything is computed from them."""
        rules: tuple[tuple[str, bool, type, str], ...] = (
            ("name", False, str, "must be a text"),
            ("symbol", False, str, "must be LaTeX, such as r'\\sigma'"),
            ("expr", False, sympy.Expr, f"must be a SymPy expression in {Z!r}"),
            ("range", False, sympy.Set, "must be a SymPy set, such as Interval(0, 1)"),
            ("slope_expr", True, sympy.Expr, f"must be a SymPy expression in {Z!r}"),
            ("branches", True, tuple, "must be a tuple of Branch"),
            ("period", True, sympy.Expr, "must be a SymPy number"),
        )
        for name, optional, kind, rule in rules:
            value = getattr(self, name)
            if not (optional and value is None):
                read_kind(value, name, kind, rule)
        for name, kernel in (
            ("kernel", self.kernel),
            ("log_odds", self.kernel if self.log_odds is None else self.log_odds),
        ):
            read_function(kernel, name, "must be a function of three arrays")
        for branch in self.branches or ():
            read_kind(branch, "branches", Branch, "must be a tuple of Branch")

    def __repr__(self) -> str:
        return f"Activation({shorten(self.name)}: {shorten(self.expr, 120)})"

    def latex(self) -> str:
        r"""Return the formula of σ(z) as LaTeX.

        Examples
        --------
        >>> import gradtheory as gt
        >>> print(gt.activation("softsign").latex())
        \operatorname{softsign}(z) = \frac{z}{1 + \left|{z}\right|}

        """
        return f"{self.symbol}(z) = {latex(self.expr)}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        from gradtheory.activations import activation  # not at the top: the catalogue is made of records

        return activation, (self.source or self.name,)

    def value(self, z: ArrayLike) -> Any:
        """Return σ(z) in float64, for an array_like z of any shape; never a warning, nan only for nan."""
        return self.value_and_slope(z)[0]

    def slope(self, z: ArrayLike) -> Any:
        """Return σ'(z) in float64, for an array_like z of any shape; never a warning, nan only for nan."""
        return self.value_and_slope(z)[1]

    def value_and_slope(self, z: ArrayLike) -> tuple[Any, Any]:
        """Return σ(z) and σ'(z), computed together."""
        with np.errstate(all="ignore"):  # underflow to 0 and overflow to inf are the right answers
            array = np.array(read_array(z, "z"))  # a copy: kernels overwrite it
            value, slope = np.empty((2, array.size))
            self.kernel(array.reshape(-1), value, slope)
        return value.reshape(array.shape)[()], slope.reshape(array.shape)[()]

    def bend(self, z: ArrayLike) -> Any:
        """Return σ''(z) in float64, for an array_like z of any shape; at kinks, one of the one-sided values.

        It is computed as the product that proves its sign, or as SymPy differentiates the slope; far out, where factors
        overflow and it is less than 1e-100, it is 0.

        Examples
        --------
        >>> import gradtheory as gt
        >>> gt.activation("tanh").bend([-1.0, 1.0, 1000.0])
        array([ 0.63970001, -0.63970001, -0.        ])

        """
        array = read_array(z, "z")
        with np.errstate(all="ignore"):
            flat = array.reshape(-1)
            bend = np.array(np.broadcast_to(np.asarray(self._bend(flat), dtype=float), array.size))
            if self.bend_is_from_the_left:
                write_from_the_left(bend, self.bend_expr, flat)
        bend[np.isnan(bend) & ~np.isnan(flat)] = 0.0
        return bend.reshape(array.shape)[()]

    @cached_property
    def bend_expr(self) -> sympy.Expr:
        """σ''(z), written such that nothing cancels where it is small."""
        return without_cancelling(stable(self.slope_expr).diff(Z))

    @cached_property
    def bend_is_from_the_left(self) -> bool:
        """Whether σ'' at a kink is that from the left: else the formula itself is one of the one-sided values there."""
        return self.branches is None or self.bend_expr.has(sympy.sign)

    @cached_property
    def _bend(self) -> Numeric:
        """σ'' as the product that proves its sign, where that holds on the whole line: it takes a tenth of the time."""
        proof = self.sign_of_bend
        is_whole = proof is not None and not self.expr.has(sympy.Piecewise, sympy.Max, sympy.Min, sympy.Heaviside)
        return numeric(proof.positive * proof.rest if proof is not None and is_whole else self.bend_expr)

    @property
    def proven_range(self) -> sympy.Set:
        """The set of values, where that is known: `range` of an expression of one's own may be a set that holds it.

        Raises
        ------
        Undecided
            If it is not known.

        """
        return self.range

    @property
    def proven_ends(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The greatest number below all values and the least above, or ±oo; `Undecided` where they are not known."""
        return self.proven_range.inf, self.proven_range.sup

    @property
    def is_within_unit_interval(self) -> bool:
        """Whether every value lies strictly between 0 and 1, as cross entropy needs."""
        return bool(self.range.is_subset(sympy.Interval.open(0, 1)))

    @cached_property
    def profile(self) -> Profile:
        """The slope with its monotone branches: stated, or derived and proven complete."""
        if self.branches is None:
            with within():
                return self._found_profile()
        return Profile(self.name, stable(self.slope_expr), self.branches, self.sign_of_bend, self.period)

    def _found_profile(self) -> Profile:
        period = self.period
        jumps = jumps_of(self.expr) if period is None else periodic_jumps(self.expr, period)
        region = LINE if period is None else (-period / 2, period / 2)
        return Profile.of(self.name, self.provable_slope_expr, region, period, jumps)

    def profile_above(self, level: sympy.Expr) -> Profile:
        """Return a profile that is enough from this level on: a slope that oscillates and fades has one too."""
        try:
            return self.profile
        except Undecided as error:
            with contextlib.suppress(Undecided):
                return self._fading_profile(level)
            raise error

    def _fading_profile(self, level: sympy.Expr) -> Profile:
        with within():
            return Profile.above(self.name, self.provable_slope_expr, level, jumps_of(self.expr))

    def profile_on(self, region: Region) -> Profile:
        """Return a profile of a bounded region alone."""
        return Profile.of(self.name, self.provable_slope_expr, region, jumps=jumps_of(self.expr, region))

    @cached_property
    def provable_expr(self) -> sympy.Expr:
        """σ(z) of an expression of one's own as proofs take it: written such that nothing cancels."""
        return with_logistics(stable(self.expr))

    @cached_property
    def provable_slope_expr(self) -> sympy.Expr:
        """σ'(z), likewise."""
        return derivative(self.provable_expr, Z, 1)

    @property
    def kinks(self) -> tuple[sympy.Expr, ...]:
        """The points, of one period if there is one, where σ has no derivative: it jumps, or its slopes differ."""
        return self.profile.kinks

    def is_kink(self, place: sympy.Expr) -> bool:
        """Return whether σ has no derivative at a place.

        Raises
        ------
        Undecided
            If the place is too near to a kink to tell.

        Examples
        --------
        >>> import gradtheory as gt
        >>> wave = gt.activation(sympy.Abs(sympy.cos(Z)))
        >>> wave.is_kink(7 * sympy.pi / 2), wave.is_kink(sympy.S.One)
        (True, False)

        """
        return self.profile.is_kink(place)

    @cached_property
    def infinite_slopes(self) -> tuple[sympy.Expr, ...]:
        """The places beside which |σ'| grows without bound."""
        return self.profile.infinite_slopes

    @cached_property
    def limits(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The proven limits of σ at -oo and oo; nan where there is none, or none is proven."""
        first, last = self.profile.branches[0], self.profile.branches[-1]
        return self._limit(first, -sympy.oo, "+"), self._limit(last, sympy.oo, "-")

    def _limit(self, branch: Branch, end: sympy.Expr, side: str) -> sympy.Expr:
        try:
            return limit(stable(formula_near(self.expr, Z, branch.inside)), end, side)
        except Undecided:
            return sympy.nan

    def over(self, z: Interval, bits: int) -> Interval:
        """Return tight bounds of σ over an interval, from its values at the ends of the branches within."""
        return over_branches(self.profile.branches, stable(self.expr), z, bits, self.limits)

    @cached_property
    def steepest_slope(self) -> sympy.Expr:
        """Sup |σ'|, over all z that are no kinks; oo where the slope is unbounded."""
        try:
            profile = self.profile
        except Undecided:
            near = (pair for pair in features(self.expr) if max(map(abs, pair)) < _FAR)
            around = (float(place) + float(width) * np.linspace(*_WIDTHS) for place, width in near)
            _, attained = steepest_place(self.slope, np.concatenate([np.linspace(*_PLACES), *around]))
            if not 0.0 < attained < np.inf:
                raise
            profile = self._fading_profile(sympy.Rational(attained) / 2)
        steepest, *others = (branch.steepest for branch in profile.branches)
        for other in others:
            try:
                steepest = other if not is_infinite(steepest) and sign(other - steepest) > 0 else steepest
            except Undecided:  # they may be equal: which of them it is does not matter
                steepest = Largest((steepest, other))
        return steepest
