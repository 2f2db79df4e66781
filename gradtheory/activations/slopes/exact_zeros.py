"""The zeros of smooth expressions, exact where that is easily seen, and where such zeros may be."""

import functools
import itertools
from collections.abc import Iterator
from fractions import Fraction

import sympy

from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import (
    FIRST_BITS,
    MOST_BITS,
    MOST_CELLS,
    Enclosable,
    Univariate,
    as_rational,
    bounds,
    crossing,
    derivative,
    doubling,
    enclose,
    is_finite,
    is_infinite,
    order,
    precision,
    sign,
    sign_at,
    sign_beyond,
    zeros,
)
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, Undecided

_BITS_OF_ROOTS = 512
_DOUBLINGS = (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100, 128)  # of the distance tried
_WIDTHS = 16  # from a feature, beyond which it has about settled
_LARGEST_DENOMINATOR = 1_000  # of a root that is looked at for being rational


def inner_point(lower: sympy.Expr, upper: sympy.Expr) -> sympy.Rational:
    """Return a rational strictly between two exact numbers, either of which may be infinite.

    Raises
    ------
    Undecided
        If the numbers are not told apart.

    """
    if is_infinite(lower) and is_infinite(upper):
        return sympy.S.One
    if is_infinite(lower) or is_infinite(upper):
        if is_infinite(upper):
            return sympy.Integer(int(as_rational(enclose(lower, FIRST_BITS).upper()))) + 2
        return sympy.Integer(int(as_rational(enclose(upper, FIRST_BITS).lower()))) - 2
    if lower.is_Rational and upper.is_Rational:
        return (lower + upper) / 2
    for bits in doubling(MOST_BITS):
        low, high = enclose(lower, bits), enclose(upper, bits)
        with precision(bits):
            middle = ((low + high) / 2).mid()
            if low < middle < high:
                return as_rational(middle)
    raise Undecided(f"{shorten(lower)} and {shorten(upper)} are not told apart")


def exact_zeros(
    expr: sympy.Expr, variable: sympy.Symbol, lower: sympy.Expr, upper: sympy.Expr, most_cells: int = MOST_CELLS
) -> tuple[sympy.Expr, ...]:
    """Return the zeros of a smooth expression in the open interval (lower, upper): as rationals where easily seen.

    Proven complete; the others are `Root`s. An expression that is zero everywhere has none of its own.
    """
    slope = derivative(expr, variable, 1)
    if slope.is_zero:
        return ()
    if not slope.free_symbols:
        zero = -expr.subs(variable, 0) / slope
        return (zero,) if sign(zero - lower) > 0 > sign(zero - upper) else ()
    function = Univariate(expr, variable)
    first, last = _where_zeros_are(function, lower, upper)
    ends = (first, *_evident_zeros(expr, variable, first, last), last)
    brackets = [pair for ends in itertools.pairwise(ends) for pair in zeros(function, *ends, most_cells)]
    roots = [root_between(expr, variable, *each, rises=sign_at(expr, variable, each[1]) > 0) for each in brackets]
    inside = (
        (order(first, low) <= 0 or order(first, root) < 0) and (order(high, last) <= 0 or order(root, last) < 0)
        for (low, high), root in zip(brackets, roots, strict=True)  # brackets may reach beyond an irrational end
    )
    return (*ends[1:-1], *itertools.compress(roots, inside))


def _evident_zeros(
    expr: sympy.Expr, variable: sympy.Symbol, lower: sympy.Expr, upper: sympy.Expr
) -> list[sympy.Rational]:
    """Return which of the places where something may happen are zeros, in order: no bisection finds a triple one."""
    places = sorted({place for place, _ in features(expr)})
    return [
        place
        for place in places
        if sign(place - lower) > 0 > sign(place - upper)
        and enclose(expr, FIRST_BITS, {variable: enclose(place, FIRST_BITS)}).contains(0)
        and sympy.expand(expr.subs(variable, place)) == 0  # nothing else decides the signs of slopes there
    ]


def _where_zeros_are(function: Univariate, lower: sympy.Expr, upper: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Return a bounded part of an interval outside of which the function is proven to keep its sign."""
    first = lower if is_finite(lower) else _sign_is_kept_from(function, upper, -1)
    return first, upper if is_finite(upper) else _sign_is_kept_from(function, lower, 1)


def _sign_is_kept_from(function: Univariate, other_end: sympy.Expr, side: int) -> sympy.Rational:
    near = (
        inner_point(*((other_end, sympy.oo) if side > 0 else (-sympy.oo, other_end)))
        if is_finite(other_end)
        else sympy.S.Zero
    )
    beyond = max(4, *(side * (place - near) + _WIDTHS * width for place, width in features(function.expr)))
    for doublings in _DOUBLINGS:
        start = near + side * sympy.ceiling(beyond) * 2**doublings
        ends = (start, sympy.oo) if side > 0 else (-sympy.oo, start)
        if function.over(bounds(*ends, FIRST_BITS), FIRST_BITS).sign or sign_beyond(
            function.expr, function.variable, enclose(start, FIRST_BITS), rightwards=side > 0
        ):
            return start
    raise Undecided(
        f"{shorten(function.expr)} is not proven to keep its sign as {function.variable} tends to "
        f"{'' if side > 0 else '-'}oo: it may oscillate for ever; where the call takes domain=, ask on a "
        "bounded one, such as (-50, 50)"
    )


@functools.lru_cache(maxsize=256)
def features(expr: sympy.Expr) -> tuple[tuple[sympy.Rational, sympy.Rational], ...]:
    """Return the zero of each affine argument a·z + b of a function or power in an expression, and 1/|a|: a guess.

    There, and so far around, something may happen.
    """
    features = {(sympy.S.Zero, sympy.S.Zero)}
    for part in expr.atoms(sympy.Function, sympy.Pow):
        lines = sympy.preorder_traversal(part.args[0])
        for line in lines:
            if line.is_Add and len(line.args) == 2:
                constant, rest = line.as_coeff_Add()
                factor, variable = rest.as_coeff_Mul()
                if variable.is_Symbol and factor.is_Rational and constant.is_Rational:
                    features.add((-constant / factor, 1 / abs(factor)))
                    lines.skip()  # a·z is no feature of a·z + b
            elif line.is_Mul and len(line.args) == 2 and line.args[0].is_Rational and line.args[1].is_Symbol:
                features.add((sympy.S.Zero, 1 / abs(line.args[0])))
    return tuple(features)


def root_between(
    expr: sympy.Expr,
    variable: sympy.Symbol,
    lower: sympy.Expr,
    upper: sympy.Expr,
    *,
    rises: bool,
    level: sympy.Expr = sympy.S.Zero,
    most_bits: int = MOST_BITS,
) -> sympy.Expr:
    """Return the place in (lower, upper) where a strictly monotone expression takes a value between its limits.

    It is a `Root`, or a rational number of small denominator if it is one, or such a multiple of pi.
    """
    function, most_bits = Univariate(expr, variable), max(FIRST_BITS, most_bits)
    for bits in doubling(most_bits):
        below, above = crossing(function, level, lower, upper, rises=rises, least_bits=bits, most_bits=most_bits)
        low, high = as_rational(below), as_rational(above)
        for simple in _simplest(low, high, expr):
            if _is_root(expr - level, variable, simple):
                return simple
        try:
            return Root(sympy.Lambda(variable, expr - level), low, high, slope=derivative(expr, variable, 1))
        except InvalidArgument:  # the slope is not bounded away from 0 on so wide a bracket
            continue
    raise Undecided(
        f"the place where {shorten(expr)} takes the value {shorten(level)} is not isolated at {most_bits} bits"
    )


def _is_root(expr: sympy.Expr, variable: sympy.Symbol, point: sympy.Rational) -> bool:
    """Return whether an expression is easily seen to be 0 at a point; where it is not, a bracket is proven."""
    value = expr.subs(variable, point)
    if sympy.expand(value) == 0:
        return True
    if not enclose(value, _BITS_OF_ROOTS).contains(0):
        return False
    written_out = value.replace(lambda part: isinstance(part, Enclosable), sympy.simplify)
    return bool(sympy.expand(written_out) == 0)


def _simplest(low: sympy.Rational, high: sympy.Rational, expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield the rational of small denominator in [low, high], of sines such a multiple of pi, and zeros of a·z + b."""
    for unit in (sympy.S.One, sympy.pi) if expr.has(sympy.sin, sympy.cos) else (sympy.S.One,):
        middle = as_rational(enclose((low + high) / 2 / unit, 4 * FIRST_BITS))
        near = sympy.Rational(Fraction(int(middle.p), int(middle.q)).limit_denominator(_LARGEST_DENOMINATOR)) * unit
        if sign(near - low) >= 0 >= sign(near - high):
            yield near
    yield from (place for place in _irrational_features(expr) if sign(place - low) >= 0 >= sign(place - high))


@functools.lru_cache(maxsize=256)
def _irrational_features(expr: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return the irrational zeros of affine parts a·z + b of an expression."""
    zeros = set()
    for line in expr.atoms(sympy.Add):
        constant, rest = line.as_independent(*line.free_symbols, as_Add=True)
        factor, variable = rest.as_independent(*line.free_symbols, as_Add=False)
        if variable.is_Symbol and not (constant / factor).is_Rational:
            zeros.add(-constant / factor)
    return tuple(sorted(zeros, key=str))
