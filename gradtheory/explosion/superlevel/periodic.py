"""Sets that repeat: the superlevel sets of a periodic slope, as one SymPy Set."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy.logic.boolalg import as_Boolean
from sympy.sets.handlers.intersection import intersection_sets

from gradtheory.arithmetic.enclosure import as_rational, bounds, order, sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.superlevel.component import Component, as_set

_MOST_COPIES = 100_000


class Periodic(sympy.Set):  # type: ignore[misc]  # SymPy's classes are untyped
    r"""The union of base + k·period over all integers k.

    Parameters
    ----------
    base : sympy.Set
        A finite union of disjoint bounded intervals and points, less than one period long, and at least one point.
    period : sympy.Expr
        An exact positive number.

    Notes
    -----
    Each interval of the base begins in [-period/2, period/2), decided with proofs; so equal sets have equal bases where
    their ends are written alike.

    Examples
    --------
    >>> wave = Periodic(sympy.Interval.open(-1, 1), sympy.Integer(5))
    >>> 104 in wave, 103 in wave
    (False, False)
    >>> wave == Periodic(sympy.Interval.open(4, 6), sympy.Integer(5))
    True
    >>> wave.intersect(sympy.Interval(0, 7))
    Union(Interval.Ropen(0, 1), Interval.open(4, 6))

    """

    is_empty = False
    is_finite_set = False
    is_interval = False

    def __new__(cls, base: sympy.Set, period: sympy.Expr) -> "Periodic":  # noqa: D102  # the class's docstring
        moved = [_moved(each, -_cell(each.lower + period / 2, period) * period) for each in components_of(base)]
        moved.sort(key=functools.cmp_to_key(lambda left, right: sign(left.lower - right.lower)))
        return super().__new__(cls, as_set(moved), period)  # type: ignore[no-any-return]  # untyped

    @property
    def base(self) -> sympy.Set:
        """The part that repeats."""
        return self.args[0]

    @property
    def period(self) -> sympy.Expr:
        """The distance from one copy to the next."""
        return self.args[1]

    def within(self, domain: Component) -> Iterator[Component]:
        """Yield, in increasing order, the components of the part in a bounded domain.

        Raises
        ------
        InvalidArgument
            If there are more than 100,000 periods in it.

        """
        base, period = (_with_binary_values(each) for each in (self.base, self.period))
        first, last = _cell(domain.lower + period / 2, period) - 1, _cell(domain.upper + period / 2, period)
        if last - first > _MOST_COPIES:
            rule = f"must hold at most {_MOST_COPIES} periods"
            raise InvalidArgument("domain", f"[{domain.lower}, {domain.upper}]", rule)
        components, period = components_of(base), sympy.expand_mul(period)
        for k in range(int(first), int(last) + 1):
            copies = (_shifted(each, k * period) for each in components)
            if first + 2 <= k <= last - 2:  # whole periods lie between these and the ends
                yield from copies
            else:
                yield from (part for each in copies for part in each.within(domain))

    def _contains(self, other: Any) -> sympy.Basic | None:
        if not (isinstance(other, sympy.Expr) and other.is_number):
            return None
        if not (other.is_extended_real and other.is_finite):
            return sympy.false
        point = read_real(other, "x")
        return as_Boolean(any(self.within(Component(point, point, lower_open=False, upper_open=False))))

    @property
    def _measure(self) -> sympy.Expr:
        return sympy.S.Zero if isinstance(self.base, sympy.FiniteSet) else sympy.oo

    @property
    def _inf(self) -> sympy.Expr:
        return -sympy.oo

    @property
    def _sup(self) -> sympy.Expr:
        return sympy.oo

    @property
    def _boundary(self) -> sympy.Set:
        return Periodic(self.base.boundary, self.period)

    def _eval_evalf(self, bits: int) -> sympy.Set:
        return sympy.Set.__new__(Periodic, self.base._eval_evalf(bits), self.period._eval_evalf(bits))

    def _sympystr(self, printer: Any) -> str:
        return f"Periodic({printer._print(self.base)}, {printer._print(self.period)})"

    def _latex(self, printer: Any) -> str:
        base, period = printer._print(self.base), printer._print(self.period)
        return rf"\bigcup_{{k \in \mathbb{{Z}}}} \left({base} + {period}\, k\right)"


@intersection_sets.register(Periodic, sympy.Interval)  # type: ignore[untyped-decorator]  # SymPy is untyped
def _within(periodic: Periodic, interval: sympy.Interval) -> sympy.Set | None:
    if interval.start.is_infinite or interval.end.is_infinite:
        return None  # left as it is written
    start, end = read_real(interval.start, "start"), read_real(interval.end, "end")
    domain = Component(start, end, bool(interval.left_open), bool(interval.right_open))
    return as_set(list(periodic.within(domain)))


@intersection_sets.register(sympy.Interval, Periodic)  # type: ignore[untyped-decorator]  # the other order
def _interval_within(interval: sympy.Interval, periodic: Periodic) -> sympy.Set | None:
    return _within(periodic, interval)


def repeated(components: Sequence[Component], start: sympy.Expr, period: sympy.Expr, *, ends_belong: bool) -> sympy.Set:
    """Return the set whose part in the period from `start` on has these components.

    `ends_belong` says whether the point between two periods is in the set; then the components beside it are joined.
    """
    pieces = with_ends(components, start, period) if ends_belong else list(components)
    if not pieces:
        return sympy.S.EmptySet
    return sympy.S.Reals if pieces[0].lower.is_infinite else Periodic(as_set(pieces), period)


def with_ends(components: Sequence[Component], start: sympy.Expr, period: sympy.Expr) -> list[Component]:
    """Return components of one period from `start` on, with the point where the next begins: what it joins is one."""
    pieces, end = list(components), start + period
    if not pieces:
        return [Component(start, start, False, False)]
    begins, ends = order(pieces[0].lower, start) == 0, order(pieces[-1].upper, end) == 0
    if begins and ends:
        first, last = pieces[0], pieces.pop()
        if not pieces:
            return [Component(-sympy.oo, sympy.oo)]
        pieces[0] = Component(last.lower - period, first.upper, last.lower_open, first.upper_open)
    elif begins:
        pieces[0] = Component(start, pieces[0].upper, False, pieces[0].upper_open)
    elif ends:
        pieces[-1] = Component(pieces[-1].lower, end, pieces[-1].lower_open, False)
    else:
        pieces.insert(0, Component(start, start, False, False))
    return pieces


def components_of(base: sympy.Set) -> list[Component]:
    """Return the components of a finite union, in any order."""
    components: list[Component] = []
    if base is sympy.S.EmptySet:
        return components
    for part in base.args if isinstance(base, sympy.Union) else (base,):
        if isinstance(part, sympy.FiniteSet):
            components += [Component(point, point, False, False) for point in part]
        else:
            components.append(Component(part.start, part.end, bool(part.left_open), bool(part.right_open)))
    return components


def _cell(number: sympy.Expr, period: sympy.Expr) -> sympy.Integer:
    """Return floor(number/period), proven."""
    share = number / period
    if share.is_Rational:
        return sympy.floor(share)
    bits = 64
    around = bounds(share, share, bits)
    while not around.upper - around.lower < 1:
        bits *= 2
        around = bounds(share, share, bits)
    k = sympy.floor(as_rational(around.lower))
    return k + 1 if sign(number - (k + 1) * period) >= 0 else k


def _with_binary_values(numbers: sympy.Basic) -> sympy.Basic:
    """Return what numbers after `evalf` stand for."""
    return numbers.xreplace({each: sympy.Rational(each) for each in numbers.atoms(sympy.Float)})


def _moved(component: Component, by: sympy.Expr) -> Component:
    """Return a component further on, with ends multiplied out: neighbours that meet write where they do alike."""
    lower, upper = sympy.expand_mul(component.lower), sympy.expand_mul(component.upper)
    return _shifted(replace(component, lower=lower, upper=upper), sympy.expand_mul(by))


def _shifted(component: Component, by: sympy.Expr) -> Component:
    return replace(component, lower=component.lower + by, upper=component.upper + by)
