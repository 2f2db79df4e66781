r"""Ranges of an activation over many intervals at once, in float64 and from outside: of σ, of σ' and of σ''.

Where |σ'| is monotone and σ' keeps its sign is what the record's branches say, with a proof. So the range of σ' over
[l, u] is the hull of its values at l and u and of its one-sided limits at the ends of branches between, and that of σ
likewise.

Values at floats come from the record's kernel, widened by sixteen times its stated error; of an activation that is not
in the catalogue, whose kernel states none, from ball arithmetic. σ'' is bounded cell by cell in ball arithmetic, once.
"""

import functools
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.switches import breaks, formula_near, inner_point
from gradtheory.arithmetic.enclosure import (
    Ball,
    Interval,
    bounds,
    derivative,
    enclose,
    exactly,
    is_finite,
    range_over,
)
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import GradTheoryError, Undecided

_BITS = 96
_RELATIVE, _TINY = 2.0**-46, 1e-300  # the kernels state a relative 2**-50
_FINE, _STEPS, _COARSE = 8.0, 2048, (9.0, 10.0, 12.0, 16.0, 24.0, 32.0, 64.0, 256.0)  # the cells of σ''
_AROUND = 1e-12  # how far around an interval the ends of periodic branches are looked for


class Range(NamedTuple):
    """Lower and upper bounds, entry by entry."""

    lower: Array
    upper: Array

    @property
    def size(self) -> Array:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))


class _End(NamedTuple):
    """An end of two branches: where it is, and the values that σ and σ' tend to there from either side."""

    place: tuple[float, float]
    values: tuple[float, float]
    slopes: tuple[float, float]


@dataclass(frozen=True)
class ActivationRange:
    """The ranges of one activation.

    Parameters
    ----------
    activation : Activation

    Examples
    --------
    >>> slopes = range_of(as_activation("tanh")).slopes(np.array([-1.0, 1.0]), np.array([2.0, 2.0]))
    >>> np.round(slopes.lower, 3), np.round(slopes.upper, 3)
    (array([0.071, 0.071]), array([1.  , 0.42]))

    """

    activation: Activation

    def over(self, lower: Array, upper: Array) -> tuple[Range, Range]:
        """Return bounds of σ, and of σ' at kinks from either side, over intervals."""
        low, high = self.at(lower), self.at(upper)
        (least, most), (shallowest, steepest) = (
            (np.minimum(left.lower, right.lower), np.maximum(left.upper, right.upper))
            for left, right in zip(low, high, strict=True)
        )
        slopes = Range(*self._with_ends(lower, upper, shallowest, steepest, "slopes"))
        if self._period is not None:  # by the mean value theorem, as the values at ends differ from period to period
            change = up_product(slopes.size, upper - lower)
            least, most = np.minimum(low[0].lower - change, least), np.maximum(low[0].upper + change, most)
        else:
            least, most = self._with_ends(lower, upper, least, most, "values")
        return Range(np.maximum(least, self._span[0]), np.minimum(most, self._span[1])), slopes

    def values(self, lower: Array, upper: Array) -> Range:
        """Return bounds of σ over intervals."""
        return self.over(lower, upper)[0]

    def slopes(self, lower: Array, upper: Array) -> Range:
        """Return bounds of σ' over intervals, at kinks from either side."""
        return self.over(lower, upper)[1]

    def bends(self, lower: Array, upper: Array) -> Range:
        """Return bounds of σ'' over intervals: infinite ones where σ' jumps, or where none are known."""
        edges, least, most = self._cells
        if self._period is not None:
            return Range(np.full_like(lower, least[0].min()), np.full_like(upper, most[0].max()))
        first = np.searchsorted(edges, lower, side="left")  # the cells before and behind an edge both hold it
        last = np.searchsorted(edges, upper, side="right")
        level = np.frexp(np.maximum(last - first + 1, 1))[1] - 1
        behind = last + 1 - (1 << level)
        with np.errstate(invalid="ignore"):
            bad = np.isnan(lower) | np.isnan(upper)
        return Range(
            np.where(bad, -np.inf, np.minimum(least[level, first], least[level, behind])),
            np.where(bad, np.inf, np.maximum(most[level, first], most[level, behind])),
        )

    def is_continuous(self, lower: Array, upper: Array) -> Array:
        """Return whether σ is proven to be continuous over intervals."""
        jumps = [end.place for end in self._ends if end.values[1] - end.values[0] > 1e-9 * (1.0 + abs(end.values[0]))]
        met = [(low <= upper) & (high >= lower) for low, high in jumps]
        return ~np.any(met, axis=0) if met else np.ones(np.shape(lower), dtype=bool)

    @cached_property
    def is_piecewise_linear(self) -> bool:
        """Whether σ' is constant on every branch."""
        return self._period is None and all(branch.is_flat for branch in self.activation.profile.branches)

    def excess(self, lower: Array, upper: Array, factor: Array) -> Range:
        """Return bounds of σ(z) - factor·z over intervals, for a piecewise linear σ."""
        parts = []
        for z in (lower, upper):
            value = self.at(z)[0]
            room = 4.0 * 2.0**-53 * (np.abs(factor * z) + np.abs(value.lower) + np.abs(value.upper)) + _TINY
            parts.append((value.lower - factor * z - room, value.upper - factor * z + room))
        for end in self._ends:
            (left, right), (least, most) = end.place, end.values
            met = (left <= upper) & (right >= lower)
            products = factor * left, factor * right
            room = 4.0 * 2.0**-53 * (np.abs(products[0]) + np.abs(products[1]) + abs(least) + abs(most)) + _TINY
            parts.append(
                (
                    np.where(met, least - np.maximum(*products) - room, np.inf),
                    np.where(met, most - np.minimum(*products) + room, -np.inf),
                )
            )
        return Range(np.min([low for low, _ in parts], axis=0), np.max([high for _, high in parts], axis=0))

    @cached_property
    def _period(self) -> float | None:
        return None if self.activation.profile.period is None else float(self.activation.profile.period)

    @cached_property
    def _span(self) -> tuple[float, float]:
        """Bounds of σ on the whole line."""
        values = self.activation.range
        return _outer(values.inf)[0], _outer(values.sup)[1]

    @cached_property
    def _ends(self) -> tuple[_End, ...]:
        profile = self.activation.profile
        value = stable(self.activation.expr)
        pairs = list(itertools.pairwise(profile.branches))
        if profile.period is not None:
            pairs.append((profile.branches[-1], profile.branches[0]))
        ends = []
        for here, there in pairs:
            slopes = (*_outer(here.slope_right), *_outer(there.slope_left))
            place = _outer(here.right)
            if profile.period is None:
                ball = enclose(here.right, _BITS)
                near = (formula_near(value, Z, branch.inside) for branch in (here, there))
                values = [end for each in near for end in _floats(enclose(each, _BITS, {Z: ball}))]
            else:
                values = [-np.inf, np.inf]
                slopes = (*slopes, *(() if profile.keeps_its_sign else (-slope for slope in slopes)))
            ends.append(_End(place, (min(values), max(values)), (min(slopes), max(slopes))))
        return tuple(ends)

    def _with_ends(self, lower: Array, upper: Array, least: Array, most: Array, what: str) -> tuple[Array, Array]:
        """Return a hull with what σ or σ' tends to at the ends of branches in the intervals."""
        for end in self._ends:
            left, right = end.place
            if self._period is None:
                met = (left <= upper) & (right >= lower)
            else:
                first = (lower - right - _AROUND * (1.0 + np.abs(lower))) / self._period
                last = (upper - left + _AROUND * (1.0 + np.abs(upper))) / self._period
                met = ~(np.ceil(first) > np.floor(last))
            low, high = getattr(end, what)
            least = np.where(met, np.minimum(least, low), least)
            most = np.where(met, np.maximum(most, high), most)
        return least, most

    @cached_property
    def _has_stated_kernel(self) -> bool:
        """Whether the kernel is one of the catalogue's, whose errors are stated."""
        record = self.activation
        if not isinstance(record.source or record.name, str):
            return False
        try:
            return as_activation(record.source or record.name).kernel is record.kernel
        except GradTheoryError:
            return False

    @cached_property
    def _slope_room(self) -> float:
        """By how much a slope may be wrong near one of its zeros: as a relative 2⁻⁵² of z makes it change.

        |z·σ''| is at most 2 for every gated activation.
        """
        signs = {branch.direction for branch in self.activation.profile.branches} - {0}
        return 2.0 * _RELATIVE if len(signs) > 1 else 0.0

    def at(self, z: Array) -> tuple[Range, Range]:
        """Return bounds of σ and σ' at floats; at an end of branches of one of the limits of σ'."""
        if not self._has_stated_kernel:
            return self._by_balls(z)
        value, slope = (np.asarray(each) for each in self.activation.value_and_slope(z))
        of_slope = np.abs(slope) * _RELATIVE + self._slope_room + _TINY
        if self._period is not None:
            _, least, most = self._cells
            steepest = max(-least[0].min(), most[0].max())
            of_slope = of_slope + np.abs(z) * steepest * _RELATIVE
        of_value = np.abs(value) * _RELATIVE + _TINY
        with np.errstate(invalid="ignore"):
            return (
                Range(*_without_nan(value - of_value, value + of_value)),
                Range(*_without_nan(slope - of_slope, slope + of_slope)),
            )

    def _by_balls(self, z: Array) -> tuple[Range, Range]:
        corners, formulas = self._formulas
        table = np.empty((np.size(z), 4))
        for row, point in zip(table, np.ravel(z).tolist(), strict=True):
            place = sum(low <= point for low, _ in corners)  # of the break that is met, the formulas on either side
            before = sum(high < point for _, high in corners)
            pairs = [
                tuple(_floats(enclose(each, _BITS, {Z: exactly(point)})) for each in formula)
                for formula in formulas[before : place + 1]
            ]
            row[:] = (
                min(value[0] for value, _ in pairs),
                max(value[1] for value, _ in pairs),
                min(slope[0] for _, slope in pairs),
                max(slope[1] for _, slope in pairs),
            )
        columns = [column.reshape(np.shape(z)) for column in table.T]
        return Range(columns[0], columns[1]), Range(columns[2], columns[3])

    @cached_property
    def _formulas(self) -> tuple[list[tuple[float, float]], list[tuple[sympy.Expr, sympy.Expr]]]:
        """The places at which σ changes its formula, and its formulas and those of its slope between them."""
        value, slope = stable(self.activation.expr), self.activation.profile.function
        corners = sorted({*breaks(value, Z, -sympy.oo, sympy.oo), *breaks(slope, Z, -sympy.oo, sympy.oo)}, key=float)
        points = [inner_point(*pair) for pair in itertools.pairwise((-sympy.oo, *corners, sympy.oo))]
        formulas = [(formula_near(value, Z, point), formula_near(slope, Z, point)) for point in points]
        return [_outer(each) for each in corners], formulas

    @cached_property
    def _cells(self) -> tuple[Array, Array, Array]:
        """Edges, and in row k the least and the greatest σ'' of 2ᵏ neighbouring cells; the outer ones are unbounded."""
        if self._period is not None:
            edges = np.linspace(-1.01, 1.01, 257) * self._period
        else:
            coarse = np.array(_COARSE)
            edges = np.concatenate([-coarse[::-1], np.linspace(-_FINE, _FINE, _STEPS + 1), coarse])
        corners, formulas = self._formulas
        kinks = [_outer(kink) for kink in self.activation.kinks]
        bends = [derivative(slope, Z, 1) for _, slope in formulas]
        limits = [-np.inf, *edges.tolist(), np.inf]
        pairs = list(itertools.pairwise(limits))[1:-1] if self._period is not None else itertools.pairwise(limits)
        least, most = [], []
        for low, high in pairs:
            if any(left <= high and right >= low for left, right in kinks):
                least.append(-np.inf)
                most.append(np.inf)
                continue
            before = sum(right < low for _, right in corners)
            behind = sum(left <= high for left, _ in corners)
            ranges = [_bounds_of(bend, low, high) for bend in bends[before : behind + 1]]
            least.append(min(low for low, _ in ranges))
            most.append(max(high for _, high in ranges))
        return edges, _doubled(np.array(least), np.minimum), _doubled(np.array(most), np.maximum)


@functools.lru_cache(maxsize=256)
def range_of(activation: Activation) -> ActivationRange:
    """Return the ranges of an activation, which keep what they have computed.

    Raises
    ------
    Undecided
        If the monotone branches of its slope are not proven.

    """
    ranges = ActivationRange(activation)
    if any(not np.isfinite(end.place).all() for end in ranges._ends):  # noqa: SLF001  # of its own file
        raise Undecided(f"the monotone branches of {activation.name} are not known")
    return ranges


def up_product(a: Array, b: Array) -> Array:
    """Return an upper bound of the product of two nonnegative arrays; 0·∞ is ∞."""
    with np.errstate(all="ignore"):
        product = a * b * (1.0 + 2.0**-50) + _TINY
    return np.where(np.isnan(product), np.inf, product)


def _without_nan(lower: Array, upper: Array) -> tuple[Array, Array]:
    return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)


def _doubled(row: Array, choose: np.ufunc) -> Array:
    """Return the sparse table of a row: entry (k, i) chooses among the 2ᵏ entries from i on."""
    rows = [row]
    step = 1
    while 2 * step <= len(row):
        last = rows[-1]
        rows.append(np.concatenate([choose(last[:-step], last[step:]), last[-step:]]))
        step *= 2
    return np.array(rows)


def _bounds_of(expr: sympy.Expr, low: float, high: float) -> tuple[float, float]:
    """Return bounds of a smooth formula over an interval between floats."""
    ends = (sympy.Rational(each) if np.isfinite(each) else each * sympy.oo for each in (low, high))
    found: Interval = range_over(expr, Z, bounds(*ends, _BITS), _BITS)
    lower, upper = _floats(found.lower)[0], _floats(found.upper)[1]
    return lower, upper


def _outer(number: sympy.Expr) -> tuple[float, float]:
    """Return floats around an exact number; an infinite one is two infinities."""
    if not is_finite(number):
        return (float(number),) * 2
    return _floats(enclose(number, _BITS))


def _floats(ball: Ball) -> tuple[float, float]:
    """Return floats around a ball; around 0 and small whole numbers, those themselves."""
    if ball.is_exact() and float(ball) == ball:
        return (float(ball),) * 2
    low, high = float(ball.lower()), float(ball.upper())
    low, high = (-np.inf if np.isnan(low) else low), (np.inf if np.isnan(high) else high)
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
