r"""The distance of a crossing from an end of its branch, in float64, where no closed form is stated.

With the relative excess e = (sup - t)/(t - inf) of the level t on the branch, and m the order to which the slope is
flat at the anchor, the distance is q·P(q), q = ln(1 + e)^(1/m), with a smooth P: a square root at a turning point and
the logarithm of a tail are both in q. P is a polynomial on each cell of q; its nodes are proven crossings.
"""

import functools
import math
import threading
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import sympy

from gradtheory.activations import Branch, Z
from gradtheory.activations.slopes.piece import Piece
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import Univariate, as_rational, crossing, derivative, enclose, evaluate, precision
from gradtheory.errors import Undecided

_DEGREE = 13
_SPLITS = 16  # cells to each doubling of 1 + q
_BITS = 256
_LARGEST, _FARTHEST = 75.0, 709.8  # of ln(1 + e), made of floats next to inf > 0, and where inf = 0
_NEGLIGIBLE = 2.0**-48, 2.0**-55  # of the last two coefficients
_MOST_FLAT = 6
_PLACES_OF_ONE = 4.0 * _SPLITS * 2.0 ** -np.arange(16.0)  # how far a step of 1 in q leads in a cell, by its doubling
_CONTEXT = mpmath.MPContext()
_CONTEXT.prec = 128


class CrossingTable:
    """The distance |z - anchor| of the crossing on a branch with a finite end, by relative excess.

    Parameters
    ----------
    piece : Piece
        σ' on a branch that is not flat, proven.

    """

    def __init__(self, piece: Piece) -> None:
        self.branch = branch = piece.branch
        self.size = piece.size
        if branch.steepest.is_infinite:
            raise Undecided(
                f"{shorten(self.size)} between {shorten(branch.left)} and {shorten(branch.right)} is unbounded, and "
                "the places where it takes a value are not tabulated: use gradtheory.explosion_set for each weight"
            )
        self.anchor, self.inverted = anchor_of(branch)
        self.far = branch.left if self.anchor == branch.right else branch.right
        self.order = self._flatness()
        fades = branch.shallowest == 0 and not self.far.is_finite
        self.largest = (_FARTHEST if fades else _LARGEST) ** (1 / self.order)
        rows = math.ceil((math.log2(1.0 + self.largest) + 1) * _SPLITS)
        self.coefficients = np.zeros((_DEGREE + 2, rows))  # of the cells asked for so far; last, what the first lacks
        self._known = np.zeros(rows, dtype=bool)
        self._lock = threading.Lock()

    def __call__(self, excess: np.ndarray) -> np.ndarray:
        """Return the distance for an array of relative excesses."""
        q = np.log1p(excess) if not self.inverted else np.log1p(1.0 / excess)
        if self.order > 1:
            q = np.sqrt(q) if self.order == 2 else q ** (1.0 / self.order)
        q = np.minimum(q, self.largest)  # beyond, the crossing is at the far end
        shifted = 1.0 + q
        mantissa, exponent = np.frexp(shifted)
        place = (2.0 * mantissa - 1.0) * _SPLITS
        part = np.floor(place)
        row = ((exponent - 1.0) * _SPLITS + part).astype(np.intp)
        x = 2.0 * (place - part) - 1.0
        x += (q - (shifted - 1.0)) * _PLACES_OF_ONE.take(exponent)  # what 1 + q has lost
        row[np.isnan(q)] = 0
        if not self._known.take(row).all():
            self._build(np.unique(row))
        value: np.ndarray = self.coefficients[_DEGREE].take(row)
        for coefficients in self.coefficients[_DEGREE - 1 : 0 : -1]:
            value *= x
            value += coefficients.take(row)
        value *= x
        value += self.coefficients[-1].take(row)
        value += self.coefficients[0].take(row)
        value *= q
        return value

    def _build(self, rows: np.ndarray) -> None:
        with self._lock:
            for row in rows[~self._known[rows]].tolist():
                self.coefficients[:, row] = self._cell(row)
                self._known[row] = True

    def _flatness(self) -> int:
        """Return the order of the first derivative of |σ'| that does not vanish at the anchor."""
        for order in range(1, _MOST_FLAT):
            with precision(_BITS):
                at = evaluate(self.anchor, _BITS, {})
                ball = evaluate(derivative(self.size, Z, order), _BITS, {Z: at})
            if ball.is_finite() and not ball.contains(0):
                return order
        raise Undecided(f"{self.size} is too flat, or not smooth, at {self.anchor} to be tabulated")

    def _cell(self, row: int) -> list[float]:
        """Return the coefficients of P on one cell, in x from -1 to 1."""
        doubling, part = divmod(row, _SPLITS)
        values = []
        for x in _nodes():
            q = _CONTEXT.ldexp(1 + (part + (1 + x) / 2) / _SPLITS, doubling) - 1
            values.append(self._distance(q) / q)
        chebyshev = [_CONTEXT.fdot(row, values) for row in _transform()]
        if any(abs(each) > most * chebyshev[0] for each, most in zip(chebyshev[-2:], _NEGLIGIBLE, strict=True)):
            raise Undecided(
                f"{self.size} between {self.branch.left} and {self.branch.right} is not tabulated accurately"
            )
        powers = _powers(chebyshev)
        return [*map(float, powers), float(powers[0] - float(powers[0]))]

    def _distance(self, q: Any) -> Any:
        """Return the proven distance of the crossing whose excess has this q."""
        ends = crossing(
            self._excess,
            as_exact(_CONTEXT.log(_CONTEXT.expm1(q**self.order))),
            self.branch.left,
            self.branch.right,
            rises=self.far == self.branch.right,
            least_bits=_BITS,
            most_bits=4 * _BITS,
        )
        away = abs((as_rational(ends[0]) + as_rational(ends[1])) / 2 - self._anchor)
        return _CONTEXT.mpf(int(away.p)) / int(away.q)

    @cached_property
    def _anchor(self) -> sympy.Rational:
        return as_rational(enclose(self.anchor, 2 * _BITS))

    @cached_property
    def _excess(self) -> Univariate:
        """The logarithm of the excess as a function of z, on which Newton's steps lead far: tails are nearly lines.

        The limits of the slope stand in it to 512 bits.
        """
        steep, shallow = (
            as_rational(enclose(limit, 2 * _BITS)) for limit in (self.branch.steepest, self.branch.shallowest)
        )
        above, below = steep - self.size, self.size - shallow
        return Univariate(sympy.log(below / above if self.inverted else above / below), Z)


def anchor_of(branch: Branch) -> tuple[sympy.Expr, bool]:
    """Return the end of a branch that distances are measured from, and whether it is the shallow end.

    It is the steep end where that is finite, else the shallow end; 0 where both are infinite.
    """
    steep, shallow = (branch.right, branch.left) if branch.rises else (branch.left, branch.right)
    if steep.is_finite:
        return steep, False
    return (shallow, True) if shallow.is_finite else (sympy.S.Zero, False)


def as_exact(number: Any) -> sympy.Rational:
    """Return an mpf as the rational that it is."""
    sign, mantissa, exponent, _ = number._mpf_
    return sympy.Integer((-1) ** sign * int(mantissa)) * sympy.Integer(2) ** exponent


@functools.cache
def _nodes() -> tuple[Any, ...]:
    """Return the zeros of the Chebyshev polynomial of the degree after the last."""
    return tuple(_CONTEXT.cos(_CONTEXT.pi * (2 * k + 1) / (2 * _DEGREE + 2)) for k in range(_DEGREE + 1))


@functools.cache
def _transform() -> tuple[tuple[Any, ...], ...]:
    """Return the matrix that makes Chebyshev coefficients of values at the nodes."""
    count = _DEGREE + 1
    angles = [_CONTEXT.pi * (2 * k + 1) / (2 * count) for k in range(count)]
    return tuple(tuple((2 if k else 1) * _CONTEXT.cos(k * angle) / count for angle in angles) for k in range(count))


def _powers(chebyshev: list[Any]) -> list[Any]:
    """Return the coefficients of powers of x, from those of Chebyshev polynomials."""
    last, this = [_CONTEXT.mpf(1)], [_CONTEXT.mpf(0), _CONTEXT.mpf(1)]
    total = [_CONTEXT.mpf(0)] * len(chebyshev)
    for k, coefficient in enumerate(chebyshev):
        polynomial = last if k == 0 else this
        for power, factor in enumerate(polynomial):
            total[power] += coefficient * factor
        if k:
            doubled = [_CONTEXT.mpf(0), *(2 * each for each in this)]
            last, this = this, [a - b for a, b in zip(doubled, [*last, *[0] * (len(doubled) - len(last))], strict=True)]
    return total
