"""One interval of a set on the real line, and the SymPy set that a sequence of them makes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy
from sympy.logic.boolalg import as_Boolean

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import enclose, is_infinite, order
from gradtheory.arithmetic.proven import Proven, ProvenNumber
from gradtheory.errors import Undecided

_BITS = 300  # of the 100 digits to which SymPy compares numbers


@dataclass(frozen=True)
class Component:
    """An interval with exact ends; one with equal, closed ends is a point.

    Parameters
    ----------
    lower, upper : sympy.Expr
        The ends, lower <= upper, possibly infinite.
    lower_open, upper_open : bool
        Whether each end is left out; infinite ends always are.

    """

    lower: sympy.Expr
    upper: sympy.Expr
    lower_open: bool = True
    upper_open: bool = True

    def __post_init__(self) -> None:
        if self.lower.has(sympy.zoo, sympy.nan) or self.upper.has(sympy.zoo, sympy.nan):
            raise Undecided(f"an interval from {shorten(self.lower)} to {shorten(self.upper)} is none of real numbers")

    @property
    def is_point(self) -> bool:
        """Whether the component is a single point."""
        return bool(self.lower == self.upper)

    @property
    def length(self) -> sympy.Expr:
        """The length upper - lower; oo where an end is infinite, also beside a symbolic one."""
        if is_infinite(self.lower) or is_infinite(self.upper):
            return sympy.oo
        return self.upper - self.lower

    def touches(self, following: "Component") -> bool:
        """Whether the union with a component to the right of this one is a single interval."""
        here, there = self.upper, following.lower
        if self.upper_open and following.lower_open:
            return False
        return bool(here == there) or (_is_narrow(here, there) and order(here, there) == 0)

    def joined(self, following: "Component") -> "Component":
        """Return the union with a component that this one touches."""
        return Component(self.lower, following.upper, self.lower_open, following.upper_open)

    def within(self, domain: "Component") -> tuple["Component", ...]:
        """Return the part in a domain, empty or one component; ends are compared with proofs."""
        lower, lower_open = self.lower, self.lower_open
        upper, upper_open = self.upper, self.upper_open
        if (side := order(domain.lower, lower)) >= 0:
            lower, lower_open = domain.lower, domain.lower_open or (side == 0 and lower_open)
        if (side := order(domain.upper, upper)) <= 0:
            upper, upper_open = domain.upper, domain.upper_open or (side == 0 and upper_open)
        length = order(upper, lower)
        if length < 0 or (length == 0 and (lower_open or upper_open)):
            return ()
        return (Component(lower, upper, lower_open, upper_open),)

    def affine(self, scale: sympy.Expr, shift: sympy.Expr, *, mirrored: bool) -> "Component":
        """Return {(z - shift)/scale : z in the component}; `mirrored` says that scale is negative."""
        factor = sympy.S.One / scale  # once, and fast for rationals
        lower, upper = (self.lower - shift) * factor, (self.upper - shift) * factor
        if mirrored:
            return Component(upper, lower, self.upper_open, self.lower_open)
        return Component(lower, upper, self.lower_open, self.upper_open)


def joined(parts: Iterable[Component]) -> tuple[Component, ...]:
    """Return disjoint components in increasing order, with those that touch as one."""
    together: list[Component] = []
    for part in parts:
        if together and together[-1].touches(part):
            together[-1] = together[-1].joined(part)
        else:
            together.append(part)
    return tuple(together)


def total_length(components: Sequence[Component]) -> sympy.Expr:
    """Return the measure of the union of disjoint components; oo if one is unbounded."""
    return sympy.Add(*(component.length for component in components))


def as_set(components: Sequence[Component]) -> sympy.Set:
    """Return the SymPy set of disjoint components given in increasing order."""
    if len(components) > 1:
        components = _told_apart(components)
    points = [component.lower for component in components if component.is_point]
    pieces = [_as_interval(component) for component in components if not component.is_point]
    if points:
        pieces.append(sympy.FiniteSet(*points))
    if len(pieces) == 1:
        return pieces[0]
    return _union(pieces) if pieces else sympy.S.EmptySet


def _told_apart(components: Sequence[Component]) -> Sequence[Component]:
    """Return components with ends that SymPy can compare, by proofs where its digits do not tell two apart."""
    if not any(_is_narrow(one.upper, other.lower) for one, other in pairwise(components)):
        return components
    return [replace(part, lower=_proven(part.lower), upper=_proven(part.upper)) for part in components]


def _is_narrow(lower: sympy.Expr, upper: sympy.Expr) -> bool:
    """Whether a gap between two parts may be too narrow for SymPy; one without length is none."""
    if lower == upper or (lower.is_Rational and upper.is_Rational):
        return False
    return bool(enclose(lower, _BITS).overlaps(enclose(upper, _BITS)))


def _proven(end: sympy.Expr) -> sympy.Expr:
    return end if end.is_Rational or is_infinite(end) or end.has(ProvenNumber) else Proven(end)


def _union(pieces: list[sympy.Set]) -> sympy.Set:
    if any(isinstance(piece, sympy.FiniteSet) for piece in pieces):
        return sympy.Union(*pieces, evaluate=False)
    # Union(...) would order by numerical values what is known to be ordered, for a third of the time of the answer.
    return sympy.Basic.__new__(sympy.Union, *pieces)


def _as_interval(component: Component) -> sympy.Set:
    lower, upper = component.lower, component.upper
    if lower is -sympy.oo and upper is sympy.oo:
        return sympy.S.Reals
    # Interval(...) would compare ends that are known to be ordered, for half the time of the whole answer.
    return sympy.Basic.__new__(
        sympy.Interval, lower, upper, as_Boolean(component.lower_open), as_Boolean(component.upper_open)
    )
