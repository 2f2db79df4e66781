"""Jets: a value and its first three derivatives, by Taylor arithmetic over intervals or over terms.

Over intervals they enclose σ, σ', σ'' and σ''' on a whole interval; over terms they are the derivatives themselves.
The Taylor coefficients of the functions are written down once, for both.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import factorial
from typing import Protocol, Self, TypeVar

from gradtheory.checker.terms import Term

HIGHEST = 3


class Scalar(Protocol):
    """What jets are made of: `Interval` and `Term`."""

    def like(self, value: Fraction) -> Self:
        """Return a number as a scalar of this kind."""

    def pi(self) -> Self:
        """Return π as a scalar of this kind."""

    def __add__(self, other: Self) -> Self: ...

    def __mul__(self, other: Self) -> Self: ...

    def power(self, exponent: Fraction) -> Self:
        """Return a rational power."""

    def apply(self, name: str) -> Self:
        """Return a function of the scalar."""


S = TypeVar("S", bound=Scalar)


def derivatives(term: Term, place: S, order: int = HIGHEST) -> list[S]:
    """Return the term's value at z = `place` and its derivatives up to `order`.

    Parameters
    ----------
    term : Term
        A term without switches.
    place : Interval or Term
        Where; with ``place=z`` the derivatives are terms in z.
    order : int
        At most 3.

    Examples
    --------
    >>> from gradtheory.checker.reading import read
    >>> from gradtheory.checker.terms import z
    >>> derivatives(read("exp(2*z)*z"), z, 1) == [read("exp(2*z)*z"), read("2*z*exp(2*z) + exp(2*z)")]
    True

    """
    value, *others = _taylor(term, place, order)
    return [value, *others[:1], *(each * each.like(Fraction(factorial(k))) for k, each in enumerate(others[1:], 2))]


def _taylor(term: Term, place: S, order: int) -> list[S]:
    zeros = [place.like(Fraction(0))] * order
    match term.head:
        case "number":
            return [place.like(term.value), *zeros]
        case "z":
            return [place, place.like(Fraction(1)), *zeros][: order + 1]
        case "pi":
            return [place.pi(), *zeros]
    parts = [_taylor(each, place, order) for each in term.args]
    match term.head:
        case "+" | "*":
            total, *others = parts
            for other in others:
                total = _sum(total, other) if term.head == "+" else _product(total, other)
            return total
        case "^":
            return _composed(_power_series(parts[0][0], term.value), parts[0])
        case name:
            return _composed(series(name, parts[0][0]), parts[0])


def _sum(left: Sequence[S], right: Sequence[S]) -> list[S]:
    return [x + y for x, y in zip(left, right, strict=True)]


def _product(left: Sequence[S], right: Sequence[S]) -> list[S]:
    result = []
    for k in range(len(left)):
        total = left[0] * right[k]
        for i in range(1, k + 1):
            total = total + left[i] * right[k - i]
        result.append(total)
    return result


def _composed(outer: Iterator[S], inner: Sequence[S]) -> list[S]:
    """Return F(f + f1·h + f2·h² + f3·h³) from the Taylor coefficients of F at f; those not needed are not computed."""
    F = list(islice(outer, len(inner)))
    result = F[:1]
    if len(inner) > 1:
        result.append(F[1] * inner[1])
    if len(inner) > 2:
        result.append(F[1] * inner[2] + F[2] * inner[1].power(Fraction(2)))
    if len(inner) > 3:
        cross = F[2] * inner[1] * inner[2]
        result.append(F[1] * inner[3] + cross + cross + F[3] * inner[1].power(Fraction(3)))
    return result


def _power_series(x: S, exponent: Fraction) -> Iterator[S]:
    """Yield the binomial coefficients times the falling powers."""
    coefficient = Fraction(1)
    for k in range(HIGHEST + 1):
        if coefficient == 0:
            yield x.like(Fraction(0))
        else:
            yield x.like(coefficient) * x.power(exponent - k) if exponent != k else x.like(coefficient)
        coefficient = coefficient * (exponent - k) / (k + 1)


def series(name: str, x: S) -> Iterator[S]:
    """Yield F(x), F'(x), F''(x)/2 and F'''(x)/6."""

    def c(top: int, bottom: int = 1) -> S:
        return x.like(Fraction(top, bottom))

    def squared(scalar: S) -> S:
        return scalar.power(Fraction(2))

    f = x.apply(name)
    yield f
    match name:
        case "exp":
            yield from (f, f * c(1, 2), f * c(1, 6))
        case "log":
            r = x.power(Fraction(-1))
            yield from (r, squared(r) * c(-1, 2), r.power(Fraction(3)) * c(1, 3))
        case "sin" | "cos":
            g = x.apply("cos" if name == "sin" else "sin") * c(1 if name == "sin" else -1)
            yield from (g, f * c(-1, 2), g * c(-1, 6))
        case "sinh" | "cosh":
            g = x.apply("cosh" if name == "sinh" else "sinh")
            yield from (g, f * c(1, 2), g * c(1, 6))
        case "tan":
            u = c(1) + squared(f)
            yield from (u, f * u, u * (c(1) + squared(f) * c(3)) * c(1, 3))
        case "tanh":
            u = squared(x.apply("sech"))
            yield from (u, f * u * c(-1), u * (squared(f) * c(3) + c(-1)) * c(1, 3))
        case "sech":
            t = x.apply("tanh")
            yield from (f * t * c(-1), f * (squared(t) * c(2) + c(-1)) * c(1, 2))
            yield f * t * (c(5) + squared(t) * c(-6)) * c(1, 6)
        case "coth":
            u = x.apply("sinh").power(Fraction(-2))
            yield from (u * c(-1), f * u, u * (u + squared(f) * c(2)) * c(-1, 3))
        case "atan":
            r = (c(1) + squared(x)).power(Fraction(-1))
            yield from (r, x * squared(r) * c(-1), (squared(x) * c(3) + c(-1)) * r.power(Fraction(3)) * c(1, 3))
        case "atanh":
            r = (c(1) + squared(x) * c(-1)).power(Fraction(-1))
            yield from (r, x * squared(r), (squared(x) * c(3) + c(1)) * r.power(Fraction(3)) * c(1, 3))
        case "asinh" | "acosh":
            square, turn = squared(x), c(1 if name == "asinh" else -1)
            r = (square + turn).power(Fraction(-1, 2))
            yield from (r, x * r.power(Fraction(3)) * c(-1, 2))
            yield (square * c(2) + turn * c(-1)) * r.power(Fraction(5)) * c(1, 6)
        case "erf" | "erfc":
            g = (squared(x) * c(-1)).apply("exp") * x.pi().power(Fraction(-1, 2)) * c(2 if name == "erf" else -2)
            yield from (g, x * g * c(-1), g * (squared(x) * c(2) + c(-1)) * c(1, 3))
