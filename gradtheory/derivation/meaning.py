"""What the words of statements mean for one activation: as formulas, and at points as exact numbers."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy.core.relational import Relational

from gradtheory.activations import Activation, Z, activation
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.activations.slopes.switches import breaks, formula_left_of, formula_near, switches
from gradtheory.arithmetic.enclosure import as_rational, enclose, order
from gradtheory.chains.chain import Chain
from gradtheory.derivation.depth_language import ChainSlope, ChainValue, LastInput, LayerRatios, Third
from gradtheory.derivation.functions import BinaryLogarithm, Logistic, Mean, NormalDensity, NormalDistribution
from gradtheory.derivation.language import (
    DEPTH_BOUND,
    LARGEST,
    LEFT_LIMIT,
    RIGHT_LIMIT,
    STEEPEST,
    VARIATION,
    WEAK_NORM,
    WIDEST_AT,
    AffineMeasure,
    Bend,
    ChainMeasure,
    Constant,
    Measure,
    Sigma,
    Slope,
    SpectralRadius,
    Width,
)
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion import explosion_width, largest_value, total_variation, widest_explosion
from gradtheory.explosion.depth import depth_bound
from gradtheory.explosion.superlevel import SuperlevelSet, total_length
from gradtheory.explosion.whole_chain import total_explosion_set

_BITS = 128  # to choose a smooth piece
_TOWER_BITS = 2**16  # SymPy takes milliseconds up to here
_BIAS = sympy.Rational(1, 3)  # of every layer: the origin may be a kink
_ORDERS: dict[type, int] = {Sigma: 0, Slope: 1, Bend: 2, Third: 3}
_WRITTEN = (  # in other words
    *(ChainSlope, ChainValue, LastInput, LayerRatios),
    *(BinaryLogarithm, Logistic, Mean, NormalDensity, NormalDistribution),
)
Point = Mapping[sympy.Symbol, sympy.Rational]


@dataclass(frozen=True)
class Meaning:
    """An activation in place of σ, its slopes, sets and constants.

    Parameters
    ----------
    activation : Activation

    """

    activation: Activation

    @cached_property
    def constants(self) -> Mapping[Constant, Callable[[], sympy.Expr]]:
        """How the constants are computed."""
        record = self.activation
        return {
            LARGEST: lambda: largest_value(record),
            STEEPEST: lambda: record.steepest_slope,
            WEAK_NORM: lambda: widest_explosion(record).width,
            WIDEST_AT: lambda: widest_explosion(record).weight,
            DEPTH_BOUND: lambda: _depth_bound(record),
            VARIATION: lambda: total_variation(record),
            LEFT_LIMIT: lambda: record.limits[0],
            RIGHT_LIMIT: lambda: record.limits[1],
        }

    @cached_property
    def breaks(self) -> tuple[sympy.Expr, ...]:
        """The points between which σ is one smooth formula."""
        return breaks(self.activation.expr, Z, -sympy.oo, sympy.oo)

    def formula(self, expr: sympy.Basic, near: sympy.Expr | None = None) -> sympy.Basic:
        """Return an expression with formulas for σ, its slopes and constants.

        Parameters
        ----------
        expr : sympy.Basic
            In the words of `gradtheory.derivation.language`.
        near : sympy.Expr, optional
            A pre-activation: the formula is that of the smooth piece of σ there; without it, that of the whole σ.

        """
        sigma = self.activation.expr if near is None else formula_near(self.activation.expr, Z, near)

        def plain(part: sympy.Expr) -> sympy.Expr:
            return sigma.diff(Z, _ORDERS[part.func]).xreplace({Z: part.args[0]})

        in_sigma = self._with_constants(expr).replace(
            lambda part: isinstance(part, _WRITTEN), lambda part: part.written()
        )
        return in_sigma.replace(lambda part: part.func in _ORDERS, plain)

    def formulas(self, expr: sympy.Expr, near: sympy.Expr | None = None) -> Iterator[sympy.Expr]:
        """Yield an expression as a formula, and with σ' as the record writes it: SymPy may see through one of them."""
        yield self.formula(expr, near)
        slope = self.activation.slope_expr
        written = slope if near is None else formula_near(slope, Z, near)
        yield self.formula(expr.replace(Slope, lambda z: written.xreplace({Z: z})), near)

    def value(self, expr: sympy.Basic, point: Point) -> sympy.Basic:
        """Return an expression at a point, as an exact number, or a statement about exact numbers."""
        if isinstance(expr, Relational | sympy.And | sympy.Or):  # decided with a proof, not by SymPy's rounding
            return expr.func(*(self.value(each, point) for each in expr.args), evaluate=False)
        return self._evaluated(self._with_constants(expr), point)

    def _with_constants(self, expr: sympy.Basic) -> sympy.Basic:
        return expr.xreplace({constant: self.constants[constant]() for constant in expr.atoms(Constant)})

    def _evaluated(self, part: sympy.Basic, point: Point) -> sympy.Basic:  # noqa: PLR0911, PLR0912  # one for each word
        if part in point:
            return point[part]
        if not part.args:
            return part
        if isinstance(part, sympy.Limit):
            return self._limit(*part.args)
        if isinstance(part, SlopeInverse):  # its other arguments speak of a z of their own
            return SlopeInverse(self._evaluated(part.args[0], point), *part.args[1:])
        args = [self._evaluated(each, point) for each in part.args]
        if isinstance(part, _WRITTEN):
            return self._evaluated(part.func(*args).written(), {})
        if part.func in _ORDERS:
            return self._evaluated(self._smooth(args[0]).diff(Z, _ORDERS[part.func]), {Z: args[0]})
        if isinstance(part, sympy.Abs):  # by a proof of its own: SymPy's own search for the sign may take minutes
            return args[0] if order(args[0], sympy.S.Zero, ask_sympy=False) >= 0 else -args[0]
        if isinstance(part, sympy.Min):  # likewise
            return functools.reduce(lambda least, other: other if order(other, least) < 0 else least, args)
        if isinstance(part, SpectralRadius):
            return SpectralRadius.of(*args)
        if isinstance(part, Measure):
            return self._measure(args[0])
        if isinstance(part, Width):
            return explosion_width(self.activation, args[0], threshold=args[1])
        if isinstance(part, AffineMeasure):
            scaled = activation(args[0] * self.activation.expr.xreplace({Z: args[1] * Z}))
            return Meaning(scaled)._measure(args[2])
        if isinstance(part, ChainMeasure):
            return self._chain_measure(*args)
        _refuse_towers(part, args)
        return part.func(*args)

    def _limit(self, expr: sympy.Expr, variable: sympy.Symbol, end: sympy.Expr, side: sympy.Symbol) -> sympy.Expr:
        """Return the one-sided limit of σ or a slope, from its formula on that side."""
        cuts = (-sympy.oo, *self.breaks, sympy.oo)
        inside = next(
            inner_point(left, right)
            for left, right in itertools.pairwise(cuts)
            if (
                order(left, end) < 0 <= order(right, end)
                if str(side) == "-"
                else order(left, end) <= 0 < order(right, end)
            )
        )
        return limit(self.formula(expr, near=inside), end, str(side))

    def _smooth(self, z: sympy.Expr) -> sympy.Expr:
        if not switches(self.activation.expr):
            return self.activation.expr
        if z.is_Rational:  # of a wave there may be switches without end
            return formula_left_of(self.activation.expr, Z, z)
        if z in self.breaks:  # both pieces meet there, or no statement speaks of it
            cuts = (-sympy.oo, *self.breaks)
            near = inner_point(cuts[cuts.index(z) - 1], z)
        else:
            near = as_rational(enclose(z, _BITS))
        return formula_near(self.activation.expr, Z, near)

    def _measure(self, level: sympy.Expr) -> sympy.Expr:
        if self.activation.period is not None:
            return sympy.oo if order(self.activation.steepest_slope, level) > 0 else sympy.S.Zero
        return total_length(SuperlevelSet(self.activation.profile, level).components())

    def _chain_measure(self, threshold: sympy.Expr, *weights: sympy.Expr) -> sympy.Expr:
        chain = Chain(len(weights), self.activation)
        return total_explosion_set(chain, w=list(weights), b=[_BIAS] * len(weights), threshold=threshold).measure

    def pieces(self) -> tuple[sympy.Rational | None, ...]:
        """Return a point of each smooth piece of σ; None where there is only one."""
        if not self.breaks:
            return (None,)
        ends = (-sympy.oo, *self.breaks, sympy.oo)
        return tuple(inner_point(left, right) for left, right in itertools.pairwise(ends))


def _refuse_towers(part: sympy.Basic, args: list[sympy.Basic]) -> None:
    """Refuse exp(exp(exp(9))) and the like: SymPy evaluates them to whole digits, which does not end."""
    if isinstance(part, sympy.Pow):
        args = args[1:]
    elif not isinstance(part, sympy.Function) or isinstance(part, sympy.log):
        return
    for each in args:
        if each.is_number and not abs(enclose(each, _BITS)) < 2**_TOWER_BITS:
            raise Undecided(f"{part.func.__name__} of a number beyond 2**{_TOWER_BITS} is not evaluated")


@functools.lru_cache(maxsize=256)
def _depth_bound(record: Activation) -> sympy.Expr:
    """Return H.

    Raises
    ------
    InvalidArgument
        Outside class N, where no theorem speaks of H.

    """
    bound = depth_bound(record)
    if bound.value is None:
        raise InvalidArgument("activation", record.name, f"must be in class N, where alone H is known: {bound.reason}")
    return bound.value
