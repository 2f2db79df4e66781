"""An activation between its switches: its smooth formulas, their values in balls, and a table of the ranges of σ''."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import breaks, formula_near
from gradtheory.arithmetic.effort import size
from gradtheory.arithmetic.enclosure import Interval, bounds, derivative, enclose, exactly, range_over
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.ranges import BITS, Range, floats_around, outer

# Cells of length 1/128 up to 8, or of 1/64 where the formula is long; then longer ones.
_FINE, _STEPS, _LONG, _COARSE = 8.0, 2048, 60, (9.0, 10.0, 12.0, 16.0, 24.0, 32.0, 64.0, 256.0)


@dataclass(frozen=True)
class Formulas:
    """The formulas of an activation and of its slope between the places at which they change.

    Parameters
    ----------
    activation : Activation
        Its record.

    """

    activation: Activation

    @cached_property
    def _between(self) -> tuple[list[tuple[float, float]], list[tuple[sympy.Expr, sympy.Expr]]]:
        """The places at which σ changes its formula, and its formulas and those of its slope between them."""
        value, slope = stable(self.activation.expr), self.activation.profile.function
        corners = sorted({*breaks(value, Z, -sympy.oo, sympy.oo), *breaks(slope, Z, -sympy.oo, sympy.oo)}, key=float)
        points = [inner_point(*pair) for pair in itertools.pairwise((-sympy.oo, *corners, sympy.oo))]
        formulas = [(formula_near(value, Z, point), formula_near(slope, Z, point)) for point in points]
        return [outer(each) for each in corners], formulas

    def at(self, z: Array) -> tuple[Range, Range]:
        """Return bounds of σ and σ' at floats, in ball arithmetic; at a switch, of the formulas on both sides."""
        corners, formulas = self._between
        table = np.empty((np.size(z), 4))
        for row, point in zip(table, np.ravel(z).tolist(), strict=True):
            place = sum(low <= point for low, _ in corners)  # of the break that is met, the formulas on either side
            before = sum(high < point for _, high in corners)
            pairs = [
                tuple(floats_around(enclose(each, BITS, {Z: exactly(point)})) for each in formula)
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
    def _period(self) -> float | None:
        period = self.activation.profile.period
        return None if period is None else float(period)

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

    @property
    def steepest_bend(self) -> float:
        """Sup|σ''|, from above."""
        _, least, most = self._cells
        return float(max(-least[0].min(), most[0].max()))

    @cached_property
    def _cells(self) -> tuple[Array, Array, Array]:
        """Edges, and in row k the least and the greatest σ'' of 2ᵏ neighbouring cells; the outer ones are unbounded."""
        corners, formulas = self._between
        bends = [derivative(slope, Z, 1) for _, slope in formulas]
        if self._period is not None:
            edges = np.linspace(-1.01, 1.01, 257) * self._period
        else:
            coarse = np.array(_COARSE)
            steps = _STEPS if max(map(size, bends)) <= _LONG else _STEPS // 2
            edges = np.concatenate([-coarse[::-1], np.linspace(-_FINE, _FINE, steps + 1), coarse])
        kinks = [outer(kink) for kink in self.activation.kinks]
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
    left, right = (sympy.Rational(each) if np.isfinite(each) else each * sympy.oo for each in (low, high))
    values: Interval = range_over(expr, Z, bounds(left, right, BITS), BITS)
    return floats_around(values.lower)[0], floats_around(values.upper)[1]
