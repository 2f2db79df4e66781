r"""The greatest value of t·m(t), where no record states it, proven by branch and bound.

m(t), the length of {|σ'| > t} or of its longest component, does not increase with t, so t·m(t) <= q·m(p) for
p <= t <= q. Intervals whose bound lies below a value attained are discarded; what is left shrinks to one interval, on
which m + t·m' is proven to have a single zero. Below some t₀ the bound is t·m(t) <= t₀·m(t₀) + V(t₀), with V the
variation of σ over {|σ'| <= t₀}: there t·(m(t) - m(t₀)) is at most the integral of |σ'|. At a limit of |σ'|, where
components join or branches are flat, m may jump: then what is left shrinks to that level, below which t·m(t) is proven
to grow towards it.
"""

# Above 300 lines: one search, whose bounds are of no use apart.

import functools
import itertools
from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.activations import Activation, Branch, T, Z
from gradtheory.activations.slopes.analysis import symmetry
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import (
    Ball,
    Interval,
    as_rational,
    bounds,
    derivative,
    enclose,
    has_one_zero,
    is_finite,
    order,
    range_over,
    sign,
)
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import SuperlevelSet, total_length

_BITS = 96
_GRID = 32  # levels tried at first
_OFF = sympy.Rational(1, 1009)  # keeps the grid off levels that are limits of |σ'|, where comparisons are harder
_PROVEN = functools.cmp_to_key(order)
_MOST_ROUNDS = 30  # of halving what is left
_MOST_HALVINGS = 60  # of the level below which the bound of the tail is tried


@dataclass(frozen=True)
class Greatest:
    """The supremum of t·m(t).

    Parameters
    ----------
    level : sympy.Expr
        Where it is.
    value : sympy.Expr
        t·m(t) in `T` if it is stationary there, else the supremum.
    is_stationary : bool
        Whether the rate of t·m(t) is 0 there; else the level is a limit of |σ'|.
    is_attained : bool
        Whether it is taken at the level itself, not only approached from below.

    """

    level: sympy.Expr
    value: sympy.Expr
    is_stationary: bool = True
    is_attained: bool = True


@dataclass(frozen=True)
class Supremum:
    """The search for the supremum of t·m(t) over all levels t.

    Parameters
    ----------
    activation : Activation
        One whose slope fades at both ends of the line.
    longest : bool
        Whether m is the length of the longest component, in place of the total.

    """

    activation: Activation
    longest: bool = False

    def greatest(self) -> Greatest:
        """Return the supremum of t·m(t) and its level, proven.

        Raises
        ------
        Undecided
            If the proof does not succeed: the supremum may be approached as t tends to 0, or be taken at two levels.

        """
        if self.activation.infinite_slopes:
            place = self.activation.infinite_slopes[0]
            raise Undecided(
                f"the widest explosion of {self.activation.name} is not decided: its slope is infinite at {place}; "
                "ask for its explosion_width at weights of your choice"
            )
        steepest = _rational_below(self.activation.steepest_slope)
        grid = [steepest * (sympy.Rational(k, _GRID) - _OFF) for k in range(1, _GRID)]
        best = max((self._attained(t) for t in grid), key=lambda ball: float(ball.mid()))
        lowest = self._tail_start(steepest / _GRID, best)
        cuts = [lowest, *(t for t in grid if t > lowest), _rational_above(self.activation.steepest_slope)]
        pending = list(itertools.pairwise(cuts))
        for _ in range(_MOST_ROUNDS):
            pending = [part for part in pending if not self._is_settled(*part, best)]
            if not pending:
                break
            low, high = pending[0][0], pending[-1][1]
            supremum = self._stationary(low, high, best) or self._at_a_limit(low, high)
            if supremum is not None:
                return supremum
            middles = [(low + high) / 2 for low, high in pending]
            best = max((best, *map(self._attained, middles)), key=lambda ball: float(ball.mid()))
            pending = [half for (low, high), m in zip(pending, middles, strict=True) for half in ((low, m), (m, high))]
        raise Undecided(
            f"the widest explosion of {self.activation.name} is not decided: it may be taken at two weights, or only "
            "approached"
        )

    def _is_settled(self, low: sympy.Rational, high: sympy.Rational, best: Ball) -> bool:
        """Return whether the supremum is proven not to be taken inside an interval of levels."""
        if enclose(high, _BITS) * self._measure_at(low).upper() < best.lower():
            return True
        return not self._has_limits(low, high) and not self._unsettled(low, high, best)

    def _unsettled(self, low: sympy.Rational, high: sympy.Rational, best: Ball) -> list[sympy.Expr]:
        """Return the t·m(t) that are neither proven to be monotone nor to stay below the best value."""
        levels = {T: _hull(low, high)}
        rates = {product: enclose(derivative(product, T, 1), _BITS, levels) for product in self._products(low, high)}
        return [
            product
            for product, rate in rates.items()
            if not (rate > 0 or rate < 0 or enclose(product, _BITS, levels) < best.lower())
        ]

    def _measures(self, superlevel: SuperlevelSet) -> list[sympy.Expr]:
        """Return the total length of a superlevel set, or the lengths of its components; mirror images count once."""
        components = superlevel.components()
        if not self.longest:
            return [total_length(components)]
        lengths: list[sympy.Expr] = []
        first, last = self.activation.profile.branches[0], self.activation.profile.branches[-1]
        wraps = self.activation.period is not None and len(components) > 1 and superlevel.has_ends_of_periods
        if wraps and components[0].lower == first.left and components[-1].upper == last.right:
            lengths.append(components[0].length + components[-1].length)
            components = components[1:-1]
        if self._centre is not None:
            at = {T: enclose(superlevel.t, _BITS)}
            components = tuple(part for part in components if enclose(part.upper - self._centre, _BITS, at) > 0)
        return [*lengths, *(part.length for part in components)]

    @cached_property
    def _centre(self) -> sympy.Expr | None:
        """The place about which |σ'| is seen to be even, if it is, and no jump makes one side another."""
        profile = self.activation.profile
        centre, parity = symmetry(profile.function, (profile.branches[0].left, profile.branches[-1].right))
        return centre if parity and not profile.jumps else None

    def _measure_at(self, level: sympy.Rational) -> Ball:
        lengths = self._measures(SuperlevelSet(self.activation.profile, level))
        return max((enclose(length, _BITS) for length in lengths), key=lambda ball: float(ball.upper()))

    def _attained(self, level: sympy.Rational) -> Ball:
        return enclose(level, _BITS) * self._measure_at(level)

    def _tail_start(self, level: sympy.Rational, best: Ball) -> sympy.Rational:
        """Return a level below which t·m(t) is proven to stay below the best value."""
        for _ in range(_MOST_HALVINGS):
            if self._bound_below(level) < best.lower():
                return level
            level /= 2
        raise Undecided(
            f"the widest explosion of {self.activation.name} is not decided: "
            "t·m(t) is not proven to fade as t tends to 0"
        )

    def _bound_below(self, level: sympy.Rational) -> Ball:
        """Return a bound of t·m(t) for all t below a level; the total bounds the longest too."""
        if self.activation.period is not None:  # a component reaches over less than two periods
            return enclose(2 * level * self.activation.period, _BITS)
        components = SuperlevelSet(self.activation.profile, level).components()
        return enclose(level * total_length(components), _BITS) + self._variation_below(level)

    def _variation_below(self, level: sympy.Rational) -> Ball:
        """Return the variation of σ over {|σ'| <= level}."""
        crossings = SuperlevelSet(self.activation.profile, level).crossings()
        variation = enclose(sympy.S.Zero, _BITS)
        for branch in self.activation.profile.branches:
            ends = branch.left, branch.right
            if branch in crossings:
                ends = crossings[branch], branch.left if branch.rises else branch.right
            if branch in crossings or sign(branch.steepest - level) <= 0:
                first, last = (self._value(branch, end) for end in ends)
                variation += abs(enclose(last - first, _BITS))
        return variation

    def _value(self, branch: Branch, z: sympy.Expr) -> sympy.Expr:
        formula = formula_near(self.activation.expr, Z, branch.inside)
        if isinstance(z, Root):
            return z.map(sympy.Lambda(Z, formula))
        value = formula.subs(Z, z) if is_finite(z) else limit(formula, z, "+" if z is -sympy.oo else "-")
        if not is_finite(value):
            name = self.activation.name
            raise Undecided(f"the limits of {name} are infinite, or not found: its variation does not bound the widths")
        return value

    @cached_property
    def _limits(self) -> tuple[sympy.Expr, ...]:
        """The limits of |σ'| at the ends of branches: some may be equal, or differ by less than any digits show."""
        ends = ((branch.shallowest, branch.steepest) for branch in self.activation.profile.branches)
        return tuple(dict.fromkeys(itertools.chain.from_iterable(ends)))

    def _has_limits(self, low: sympy.Rational, high: sympy.Rational) -> bool:
        return any(sign(limit - low) >= 0 >= sign(limit - high) for limit in self._limits)

    def _products(self, low: sympy.Expr, high: sympy.Expr) -> list[sympy.Expr]:
        """Return t·m(t) in `T`, or those of the components, on a (low, high) without limits of |σ'|."""
        formulas = SuperlevelSet(self.activation.profile, inner_point(low, high), in_terms_of=T)
        return [T * length for length in dict.fromkeys(self._measures(formulas))]

    def _stationary(self, low: sympy.Rational, high: sympy.Rational, best: Ball) -> Greatest | None:
        """Return the greatest of the stationary levels in [low, high], if proven to be the place of the supremum.

        Each component has one at most; where they are nearly equal, proven digits say which is greater.
        """
        if self._has_limits(low, high):
            return None
        tops: dict[sympy.Expr, Greatest] = {}
        for product in self._unsettled(low, high, best):
            rate, bend = sympy.Lambda(T, derivative(product, T, 1)), derivative(product, T, 2)
            if not has_one_zero(rate, bend, low, high):
                return None
            level = Root(rate, low, high, slope=bend)
            tops[level.map(sympy.Lambda(T, product))] = Greatest(level, product)
        try:
            value = max(tops, key=_PROVEN, default=None)
        except Undecided:
            raise Undecided(
                f"the widest explosion of {self.activation.name} is not decided: two intervals are equally wide to all "
                "digits tried, as mirror images are; component='total' need not know which is wider"
            ) from None
        return None if value is None or enclose(value, _BITS).upper() < best.lower() else tops[value]

    def _at_a_limit(self, low: sympy.Rational, high: sympy.Rational) -> Greatest | None:
        """Return the only limit of |σ'| in (low, high), if t·m(t) is proven to be less beside it than just below it."""
        inside = [limit for limit in self._limits if sign(limit - low) > 0 >= sign(limit - high)]
        if not inside or not _are_equal(inside):
            return None
        limit = inside[0]
        from_below, there = (
            self._longest(SuperlevelSet(self.activation.profile, limit, strict=s)) for s in (False, True)
        )
        if from_below is None or there is None:
            return None
        value = limit * from_below
        ball = enclose(value, _BITS)
        falls = enclose(high * there, _BITS) < ball or self._is_monotone(limit, high, ball, rises=False)
        if not (falls and self._is_monotone(low, limit, ball, rises=True)):
            return None
        return Greatest(limit, value, is_stationary=False, is_attained=from_below == there)

    def _longest(self, superlevel: SuperlevelSet) -> sympy.Expr | None:
        """Return m at a level, 0 for no component, or None where two lengths are not told apart."""
        lengths = {length: enclose(length, _BITS) for length in self._measures(superlevel)}
        if not lengths:
            return sympy.S.Zero
        longest = max(lengths, key=lambda length: float(lengths[length].mid()))
        others = [ball for length, ball in lengths.items() if length != longest]
        return longest if all(ball < lengths[longest] for ball in others) else None

    def _is_monotone(self, low: sympy.Expr, high: sympy.Expr, greatest: Ball, *, rises: bool) -> bool:
        """Return whether t·m(t) is proven to rise or fall between two levels, or to stay below the greatest value.

        Of the longest component, for each. The formulas in t are not evaluated: beside a limit of |σ'|, a ball around
        the levels reaches beyond it. An end moves by 1/|σ''|, which makes a component shorter.
        """
        superlevel = SuperlevelSet(self.activation.profile, inner_point(low, high))
        branches = {crossing: branch for branch, crossing in superlevel.crossings().items()}
        motions = []
        for part in superlevel.components():
            left, right = (
                [self._place(branches.get(end, end), level) for level in (low, high)]
                for end in (part.lower, part.upper)
            )
            lengths = [enclose(there - here, _BITS) for here, there in zip(left, right, strict=True)]
            rates = [self._rate(branches[end], low, high) for end in (part.lower, part.upper) if end in branches]
            motions.append((*lengths, sum(rate.lower for rate in rates), sum(rate.upper for rate in rates)))
        if not self.longest and motions:
            motions = [tuple(map(sum, zip(*motions, strict=True)))]
        lowest, highest = enclose(low, _BITS), enclose(high, _BITS)
        return all(
            (last - highest * fastest > 0 if rises else first - lowest * slowest < 0) or highest * first < greatest
            for first, last, slowest, fastest in motions
        )

    def _place(self, end: Branch | sympy.Expr, level: sympy.Expr) -> sympy.Expr:
        """Return where |σ'| takes a level on a branch, or its end; what is no branch stays where it is."""
        if not isinstance(end, Branch):
            return end
        crossings = SuperlevelSet(self.activation.profile, level).crossings()
        is_right = end.rises == (sign(level - end.steepest) >= 0)
        return crossings.get(end, end.right if is_right else end.left)

    def _rate(self, branch: Branch, low: sympy.Expr, high: sympy.Expr) -> Interval:
        """Return bounds of 1/|σ''| where |σ'| lies between two levels on a branch."""
        first, last = (self._place(branch, level) for level in ((low, high) if branch.rises else (high, low)))
        bend = derivative(formula_near(self.activation.profile.function, Z, branch.inside), Z, 1)
        bends = range_over(bend, Z, bounds(first, last, _BITS), _BITS)
        sizes = [abs(bend) for bend in bends]
        least = sizes[0].min(sizes[1]) if bends.sign else enclose(sympy.S.Zero, _BITS)
        return Interval(1 / sizes[0].max(sizes[1]), 1 / least)


def _are_equal(numbers: list[sympy.Expr]) -> bool:
    """Return whether numbers are proven to be equal."""
    try:
        return all(order(numbers[0], other) == 0 for other in numbers[1:])
    except Undecided:
        return False


def _rational_below(number: sympy.Expr) -> sympy.Rational:
    return as_rational(enclose(number, _BITS).lower())


def _rational_above(number: sympy.Expr) -> sympy.Rational:
    return as_rational(enclose(number, _BITS).upper())


def _hull(low: sympy.Expr, high: sympy.Expr) -> Ball:
    return enclose(low, _BITS).union(enclose(high, _BITS))
