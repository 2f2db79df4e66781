r"""The superlevel set {z : |f(z)| > t} at one level, from the places where f is t or -t.

It asks for less than a profile does: where |f| stays above t, or below it, nothing need be known of its turning points,
which may lie as close together as 1e-100000 where a slope has all but faded.
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.branch import LINE, Region
from gradtheory.activations.slopes.exact_zeros import exact_zeros, inner_point
from gradtheory.activations.slopes.limits import limit
from gradtheory.activations.slopes.switches import INCREASING, breaks, formula_near
from gradtheory.arithmetic.enclosure import is_finite, order, sign, sign_at
from gradtheory.explosion.superlevel.component import Component, joined

_MOST_CELLS = 600  # in which a crossing is sought: where f touches the level, no number of them would do


@dataclass(frozen=True)
class OneLevel:
    """The set {z : |f(z)| > t} in an open region, proven complete there.

    Parameters
    ----------
    function : sympy.Expr
        f, an expression in `Z`.
    t : sympy.Expr
        An exact positive number.
    region : pair of sympy.Expr
        The ends of the region, the whole line by default.
    jumps : tuple of sympy.Expr
        Places in it where f is the derivative of nothing.
    strict : bool
        False for |f(z)| >= t.

    """

    function: sympy.Expr
    t: sympy.Expr
    region: Region = LINE
    jumps: tuple[sympy.Expr, ...] = ()
    strict: bool = True

    def components(self) -> tuple[Component, ...]:
        """Return the components in increasing order.

        Raises
        ------
        Undecided
            If a proof does not succeed, as where |f| touches the level, or oscillates about it for ever.

        Examples
        --------
        >>> [(part.lower, part.upper) for part in OneLevel(Z**3 - Z, sympy.Integer(6)).components()]
        [(-oo, -2), (2, oo)]

        """
        return _components(self)

    def parts(self) -> Iterator[Component]:
        """Yield the parts between neighbouring switches and crossings, and the switches that belong to the set."""
        cuts = sorted({*breaks(self.function, Z, *self.region), *self.jumps}, key=INCREASING)
        ends = (self.region[0], *cuts, self.region[1])
        formulas = [formula_near(self.function, Z, inner_point(*pair)) for pair in itertools.pairwise(ends)]
        pieces = [self._in_piece(*each) for each in zip(formulas, ends, ends[1:], strict=False)]
        for place, piece in enumerate(pieces):
            yield from piece
            if place < len(cuts):
                here, there = piece[-1:], pieces[place + 1][:1]
                is_between = bool(here and there) and here[0].upper == cuts[place] == there[0].lower
                if (is_between or not self.strict) and self._holds_at(cuts[place], *formulas[place : place + 2]):
                    yield Component(cuts[place], cuts[place], lower_open=False, upper_open=False)

    def _in_piece(self, formula: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> list[Component]:
        """Return the parts on an open interval where f is one smooth formula."""
        if not formula.free_symbols:
            return [Component(left, right)] if self._is_above(abs(formula)) else []
        crossings = [
            zero
            for level in (self.t, -self.t)
            for zero in exact_zeros(formula - level, Z, left, right, most_cells=_MOST_CELLS)
        ]
        parts: list[Component] = []
        for low, high in itertools.pairwise((left, *sorted(crossings, key=INCREASING), right)):
            if self._exceeds(formula, inner_point(low, high)):
                parts.append(Component(low, high))
            if high != right and not self.strict:
                parts.append(Component(high, high, lower_open=False, upper_open=False))
        return parts

    def _exceeds(self, formula: sympy.Expr, point: sympy.Rational) -> bool:
        """Return whether |f| > t at a point that is no crossing."""
        return sign_at(formula - self.t, Z, point) > 0 or sign_at(formula + self.t, Z, point) < 0

    def _holds_at(self, cut: sympy.Expr, before: sympy.Expr, after: sympy.Expr) -> bool:
        """Return whether a switch belongs to the set: f is continuous there, and large enough."""
        if cut in self.jumps:
            return False
        left, right = limit(before, cut, "-"), limit(after, cut, "+")
        return is_finite(left) and is_finite(right) and order(left, right) == 0 and self._is_above(abs(left))

    def _is_above(self, size: sympy.Expr) -> bool:
        return sign(size - self.t) > (0 if self.strict else -1)


@functools.lru_cache(maxsize=256)  # set, width and components are often asked for in turn
def _components(superlevel: OneLevel) -> tuple[Component, ...]:
    return joined(superlevel.parts())
