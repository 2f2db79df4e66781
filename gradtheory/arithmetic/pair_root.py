"""A SymPy number defined by two equations in two unknowns near a point, with as many proven digits as asked for."""

import functools

import flint
import sympy

from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.enclosure import Ball
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.errors import InvalidArgument, Undecided

_GUARD = 24  # bits beyond those that are asked for
_MOST_TRIES = 6


class PairRoot(ProvenNumber):
    r"""The number v(p, q), where (p, q) is the common zero of two functions that lies near a given point.

    That there is exactly one in a small square X around an approximation x is proven by Krawczyk's operator: with the
    Jacobian matrix J over X, and Y near J(x)⁻¹, x - Y·F(x) + (1 - Y·J(X))·(X - x) lies inside X.

    Parameters
    ----------
    functions : tuple of two sympy.Expr
        F, twice continuously differentiable, in two symbols.
    unknowns : tuple of two sympy.Symbol
        p and q.
    start : tuple of two floats
        Near the zero.
    value : sympy.Expr, optional
        v, in the same symbols; p if left out.

    Raises
    ------
    InvalidArgument
        If the proof fails.

    References
    ----------
    R. Krawczyk, "Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken", Computing 4 (1969).

    Examples
    --------
    >>> import sympy
    >>> p, q = sympy.symbols("p q")
    >>> PairRoot((p**2 + q**2 - 1, p - q), (p, q), (0.7, 0.7)).n(30)
    0.707106781186547524400844362105

    """

    parts = ("functions", "unknowns", "start", "value")
    functions: tuple[sympy.Expr, sympy.Expr]
    unknowns: tuple[sympy.Symbol, sympy.Symbol]
    start: tuple[float, float]
    value: sympy.Expr

    def __new__(  # noqa: D102  # the class's docstring
        cls,
        functions: tuple[sympy.Expr, sympy.Expr],
        unknowns: tuple[sympy.Symbol, sympy.Symbol],
        start: tuple[float, float],
        value: sympy.Expr | None = None,
    ) -> "PairRoot":
        try:
            _zero(functions, unknowns, start, enclosure.FIRST_BITS)
        except Undecided:
            rule = f"must be proven to have one common zero near {start}"
            raise InvalidArgument("functions", functions, rule) from None
        return super().__new__(cls, functions, unknowns, start, unknowns[0] if value is None else value)

    def enclosure(self, bits: int, at: enclosure.Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        square = _zero(self.functions, self.unknowns, self.start, bits)
        return enclosure.enclose(self.value, bits, dict(zip(self.unknowns, square, strict=True)))


@functools.lru_cache(maxsize=256)
def _zero(
    functions: tuple[sympy.Expr, sympy.Expr],
    unknowns: tuple[sympy.Symbol, sympy.Symbol],
    start: tuple[float, float],
    bits: int,
) -> tuple[Ball, Ball]:
    """Return balls around both coordinates of the zero, with about so many bits."""
    jacobian = tuple(f.diff(unknown) for f in functions for unknown in unknowns)
    working = bits + _GUARD
    middle = tuple(map(sympy.Rational, start))
    for _ in range(_MOST_TRIES + bits.bit_length()):
        middle, step = _newton(functions, unknowns, jacobian, middle, working)
        radius = step.max(flint.arb(2) ** -bits)
        if radius < flint.arb(2) ** (-bits // 2) and (
            square := _krawczyk(functions, unknowns, jacobian, middle, radius, working)
        ):
            return square
    raise Undecided(f"no common zero of {functions} is proven near {start}")


def _newton(
    functions: tuple[sympy.Expr, sympy.Expr],
    unknowns: tuple[sympy.Symbol, sympy.Symbol],
    jacobian: tuple[sympy.Expr, ...],
    point: tuple[sympy.Rational, ...],
    bits: int,
) -> tuple[tuple[sympy.Rational, ...], Ball]:
    """Return the next point of Newton's method, and how far it is."""
    at = {unknown: enclosure.enclose(each, bits) for unknown, each in zip(unknowns, point, strict=True)}
    with enclosure.precision(bits):
        f, g = (enclosure.evaluate(each, bits, at).mid() for each in functions)
        a, b, c, d = (enclosure.evaluate(each, bits, at).mid() for each in jacobian)
        det = a * d - b * c
        if not (f.is_finite() and g.is_finite() and det.is_finite()) or det.contains(0):
            raise Undecided(f"Newton's method fails near {point}")
        steps = ((d * f - b * g) / det).mid(), ((a * g - c * f) / det).mid()
        moved = tuple(enclosure.as_rational((at[u] - step).mid()) for u, step in zip(unknowns, steps, strict=True))
        return moved, abs(steps[0]).max(abs(steps[1])).mid()


def _krawczyk(
    functions: tuple[sympy.Expr, sympy.Expr],
    unknowns: tuple[sympy.Symbol, sympy.Symbol],
    jacobian: tuple[sympy.Expr, ...],
    middle: tuple[sympy.Rational, ...],
    radius: Ball,
    bits: int,
) -> tuple[Ball, Ball] | None:
    """Return the square around a point if it is proven to hold exactly one zero."""
    centre = [enclosure.enclose(each, bits) for each in middle]
    with enclosure.precision(bits):
        away = flint.arb(0, radius)
        square = [each + away for each in centre]
        f, g = (enclosure.evaluate(each, bits, dict(zip(unknowns, centre, strict=True))) for each in functions)
        over = dict(zip(unknowns, square, strict=True))
        a, b, c, d = (enclosure.evaluate(each, bits, over) for each in jacobian)
        p, q, r, s = (each.mid() for each in (a, b, c, d))
        det = p * s - q * r
        inverse = [(each / det).mid() for each in (s, -q, -r, p)]
        image = []
        for row, (own, y1, y2) in enumerate(((centre[0], *inverse[:2]), (centre[1], *inverse[2:]))):
            first = (1 if row == 0 else 0) - (y1 * a + y2 * c)
            second = (1 if row == 1 else 0) - (y1 * b + y2 * d)
            image.append(own - (y1 * f + y2 * g) + first * away + second * away)
        inside = all(each.contains_interior(part) for each, part in zip(square, image, strict=True))
        return (image[0], image[1]) if inside else None
