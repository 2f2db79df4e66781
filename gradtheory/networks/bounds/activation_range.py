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

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.jumps import jumps_of, value_at
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import GradTheoryError, Undecided
from gradtheory.networks.bounds.bends import Formulas
from gradtheory.networks.bounds.ranges import BITS, Range, floats_around, outer

_RELATIVE, _TINY = 2.0**-46, 1e-300  # the kernels state a relative 2**-50
_PIECES = 16  # of one interval, for bounds by σ''
_AROUND = 1e-12  # how far around an interval the ends of periodic branches are looked for


class End(NamedTuple):
    """An end of two branches: where it is, the values that σ has there, and σ and σ' tend to from either side.

    And whether σ jumps there.
    """

    place: tuple[float, float]
    values: tuple[float, float]
    slopes: tuple[float, float]
    is_jump: bool


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

    def is_continuous(self, lower: Array, upper: Array) -> Array:
        """Return whether σ is proven to be continuous over intervals."""
        jumps = [end.place for end in self.ends if end.is_jump]
        met = [(low <= upper) & (high >= lower) for low, high in jumps]
        return ~np.any(met, axis=0) if met else np.ones(np.shape(lower), dtype=bool)

    @cached_property
    def is_piecewise_linear(self) -> bool:
        """Whether σ' is constant on every branch."""
        return self._period is None and all(branch.is_flat for branch in self.activation.profile.branches)

    def excess(self, lower: Array, upper: Array, factor: Array) -> Range:
        """Return bounds of σ(z) - factor·z over intervals, of several factors if they stand along a first axis.

        Between two points a function f leaves its chord by at most sup f''·w²/8 to below, and sup -f''·w²/8 to above.
        """
        if self.is_piecewise_linear:
            return self._excess_at_ends(lower, upper, factor)
        edges = _cut(lower, upper, _PIECES)
        value, product = self.at(edges)[0], factor[..., None, :, :] * edges
        room = _rounding(value, product)
        low, high = value.lower - product - room, value.upper - product + room
        bends, widths = self.formulas.bends(edges[:-1], edges[1:]), np.diff(edges, axis=0) * (1.0 + 2.0**-50)
        below, above = (
            np.maximum(bend, 0.0) * widths**2 / 8.0 * (1.0 + 2.0**-50) for bend in (bends.upper, -bends.lower)
        )
        least = np.minimum(low[..., :-1, :, :], low[..., 1:, :, :]) - below
        most = np.maximum(high[..., :-1, :, :], high[..., 1:, :, :]) + above
        return Range(*_without_nan(np.min(least, axis=-3), np.max(most, axis=-3)))

    def excess_of_slope(self, lower: Array, upper: Array, factor: Array, *, in_pieces: bool) -> Range:
        """Return bounds of σ'(z) - factor·z over intervals, by the mean value theorem, on pieces of each if asked."""
        edges = _cut(lower, upper, _PIECES if in_pieces else 1)
        middle = edges[:-1] + np.diff(edges, axis=0) / 2.0
        slope, product = self.at(middle)[1], factor * middle
        bends, reach = self.formulas.bends(edges[:-1], edges[1:]), np.diff(edges, axis=0) * (0.5 + 2.0**-50)
        rate = np.maximum(bends.upper - factor, factor - bends.lower) * (1.0 + 2.0**-50)
        room = rate * (reach + 2.0**-52 * np.abs(middle)) + _rounding(slope, product)
        least, most = slope.lower - product - room, slope.upper - product + room
        return Range(*_without_nan(np.min(least, axis=0), np.max(most, axis=0)))

    def _excess_at_ends(self, lower: Array, upper: Array, factor: Array) -> Range:
        parts = []
        for z in (lower, upper):
            value = self.at(z)[0]
            room = 4.0 * 2.0**-53 * (np.abs(factor * z) + np.abs(value.lower) + np.abs(value.upper)) + _TINY
            parts.append((value.lower - factor * z - room, value.upper - factor * z + room))
        for end in self.ends:
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
    def formulas(self) -> Formulas:
        """Its formulas between switches, and the ranges of σ''."""
        return Formulas(self.activation)

    @cached_property
    def _period(self) -> float | None:
        return None if self.activation.profile.period is None else float(self.activation.profile.period)

    @cached_property
    def _span(self) -> tuple[float, float]:
        """Bounds of σ on the whole line."""
        values = self.activation.range
        return outer(values.inf)[0], outer(values.sup)[1]

    @cached_property
    def ends(self) -> tuple[End, ...]:
        """The ends of branches within the line, or within a period."""
        profile = self.activation.profile
        value = stable(self.activation.expr)
        pairs = list(itertools.pairwise(profile.branches))
        if profile.period is not None:
            pairs.append((profile.branches[-1], profile.branches[0]))
        jumps = profile.jumps or (jumps_of(self.activation.expr) if profile.period is None else ())
        ends = []
        for here, there in pairs:
            slopes = (*outer(here.slope_right), *outer(there.slope_left))
            place = outer(here.right)
            if profile.period is None:
                ball = enclose(here.right, BITS)
                near = (formula_near(value, Z, branch.inside) for branch in (here, there))
                values = [end for each in near for end in floats_around(enclose(each, BITS, {Z: ball}))]
                if here.right in jumps and (own := value_at(self.activation.expr, here.right)) is not None:
                    values += floats_around(enclose(own, BITS))
            else:
                values = [-np.inf, np.inf]
                slopes = (*slopes, *(() if profile.keeps_its_sign else (-slope for slope in slopes)))
            ends.append(End(place, (min(values), max(values)), (min(slopes), max(slopes)), here.right in jumps))
        return tuple(ends)

    def _with_ends(self, lower: Array, upper: Array, least: Array, most: Array, what: str) -> tuple[Array, Array]:
        """Return a hull with what σ or σ' tends to at the ends of branches in the intervals."""
        for end in self.ends:
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
            return self.formulas.at(z)
        value, slope = (np.asarray(each) for each in self.activation.value_and_slope(z))
        of_slope = np.abs(slope) * _RELATIVE + self._slope_room + _TINY
        if self._period is not None:
            of_slope = of_slope + np.abs(z) * self.formulas.steepest_bend * _RELATIVE
        of_value = np.abs(value) * _RELATIVE + _TINY
        with np.errstate(invalid="ignore"):
            return (
                Range(*_without_nan(value - of_value, value + of_value)),
                Range(*_without_nan(slope - of_slope, slope + of_slope)),
            )


@functools.lru_cache(maxsize=256)
def range_of(activation: Activation) -> ActivationRange:
    """Return the ranges of an activation, which keep what they have computed.

    Raises
    ------
    Undecided
        If the monotone branches of its slope are not proven.

    """
    ranges = ActivationRange(activation)
    if any(not np.isfinite(end.place).all() for end in ranges.ends):
        raise Undecided(f"the monotone branches of {activation.name} are not known")
    return ranges


def up_product(a: Array, b: Array) -> Array:
    """Return an upper bound of the product of two nonnegative arrays; 0·∞ is ∞."""
    with np.errstate(all="ignore"):
        product = a * b * (1.0 + 2.0**-50) + _TINY
    return np.where(np.isnan(product), np.inf, product)


def _cut(lower: Array, upper: Array, pieces: int) -> Array:
    """Return the ends of pieces of intervals."""
    edges = lower + (upper - lower) * np.linspace(0.0, 1.0, pieces + 1)[:, None, None]
    edges[0], edges[-1] = lower, upper
    return np.asarray(edges)


def _rounding(value: Range, product: Array) -> Array:
    """Return how far the difference of a value and a product may be off."""
    return np.asarray(4.0 * 2.0**-53 * (np.abs(product) + value.size) + _TINY)


def _without_nan(lower: Array, upper: Array) -> tuple[Array, Array]:
    return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)
