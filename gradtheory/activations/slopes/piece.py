"""|f| on one monotone branch: its formula, its proof, and the place where it takes a value."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy

from gradtheory.activations.slopes.branch import Branch, Z
from gradtheory.activations.slopes.exact_zeros import inner_point, root_between
from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import (
    MOST_BITS,
    Ball,
    Balls,
    Univariate,
    is_finite,
    is_infinite,
    limit_at,
    order,
    sign,
    sign_at,
    sign_on,
)
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided


@dataclass(frozen=True)
class Piece:
    """A function f on one of its monotone branches, where it is one smooth formula.

    Parameters
    ----------
    branch : Branch
        The branch, which states the limits of f at its ends.
    formula : sympy.Expr
        f in `Z`, with its sign.
    sign_of_bend : sympy.Expr, optional
        An expression with the sign of f' on the branch, where one is stated that is simpler than f'.
    is_proven : bool
        Whether the branch was proven when it was made.

    """

    branch: Branch
    formula: sympy.Expr
    sign_of_bend: sympy.Expr | None = None
    is_proven: bool = False

    def __repr__(self) -> str:
        return f"Piece({shorten(self.formula)} on {shorten(self.branch.left)} < z < {shorten(self.branch.right)})"

    @cached_property
    def size(self) -> sympy.Expr:
        """|f| as one smooth formula."""
        return self.branch.direction * self.formula

    def prove(self) -> None:
        """Prove that the branch is as stated: f has the limits stated at finite ends, and is monotone between.

        Raises
        ------
        Undecided
            If the proof does not succeed.

        """
        if not self.is_proven:
            _prove(self)

    def crossing(self, t: sympy.Expr, most_bits: int = MOST_BITS) -> sympy.Expr:
        """Return the z of the branch at which |f(z)| = t, a number between the limits of |f| there."""
        steepness = enclosure.derivative(self.size, Z, 1)
        if not steepness.free_symbols:
            return (t - self.size.subs(Z, 0)) / steepness
        left, right = self.branch.left, self.branch.right
        return root_between(self.size, Z, left, right, rises=self.branch.rises, level=t, most_bits=most_bits)

    def inverse(self, t: sympy.Expr) -> "SlopeInverse":
        """Return that z as a function of a t that may hold symbols."""
        return SlopeInverse(t, sympy.Lambda(Z, self.size), self.branch.left, self.branch.right)

    def cut(self) -> tuple["Piece", "Piece"]:
        """Return the piece in two, on the left and on the right of a point inside."""
        point = self.branch.inside
        slope = self.formula.subs(Z, point)
        left = replace(self.branch, right=point, slope_right=slope)
        right = replace(self.branch, left=point, slope_left=slope)
        return replace(self, branch=left), replace(self, branch=right)


@functools.lru_cache(maxsize=1024)  # equal pieces of different profiles are proven once
def _prove(piece: Piece) -> None:
    branch, formula = piece.branch, piece.formula
    for end, stated in ((branch.left, branch.slope_left), (branch.right, branch.slope_right)):
        if is_finite(end) and is_finite(stated) and not _takes(formula, end, stated):
            raise Undecided(f"the slope {shorten(formula)} at {shorten(end)} is not {stated}, as the branch states")
    if branch.is_flat:
        if formula != branch.slope_left:
            raise Undecided(f"the slope {shorten(formula)} is not constant, as the branch states")
        return
    bend = enclosure.derivative(formula, Z, 1) if piece.sign_of_bend is None else piece.sign_of_bend
    if sign_on(Univariate(bend, Z), branch.left, branch.right) != sign(branch.slope_right - branch.slope_left):
        raise Undecided(
            f"the slope {shorten(formula)} does not run from {shorten(branch.slope_left)} to "
            f"{shorten(branch.slope_right)}"
        )


def _takes(expr: sympy.Expr, point: sympy.Expr, value: sympy.Expr) -> bool:
    """Return whether an expression in `Z` has this value at a point, which may be a `Root` of the expression itself."""
    if isinstance(point, Root) and value == 0 and point.function.expr in (expr, -expr):
        return True
    return sign(expr.subs(Z, point) - value) == 0


class SlopeInverse(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The z of a monotone branch at which |σ'(z)| = t, as a function of t; its digits are proven.

    Its arguments are t, the Lambda of |σ'| on the branch, and the ends of the branch.
    """

    nargs = 4
    is_real = True

    @classmethod
    def eval(cls, t: sympy.Expr, size: sympy.Lambda, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr | None:
        """Return 0 where that is the place, which needs no digits, and ±oo where t is only approached."""
        if t.is_Rational and left < 0 and right > 0 and size.expr.subs(Z, 0) == t:
            return sympy.S.Zero
        ends = (end for end in (left, right) if is_infinite(end)) if t.is_number else ()
        return next((end for end in ends if _tends_to(size.expr, end, t)), None)

    def enclosure(self, bits: int, at: Balls) -> Ball:
        """Return a ball around the value; the inverse being monotone, a wide t needs only its ends."""
        t, size, left, right = self.args
        ball = enclosure.evaluate(t, bits, at)
        ends = (enclosure.as_rational(end) for end in (ball.lower(), ball.upper()))
        low, high = (_crossing(end, size.expr, left, right, bits) for end in ends)
        return low.union(high)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative by t, 1/|σ'|'(z)."""
        if argindex != 1:
            raise sympy.ArgumentIndexError(self, argindex)
        return 1 / enclosure.derivative(self.args[1].expr, Z, 1).subs(Z, self)

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _printed(self, printer: Any) -> Iterator[str]:
        t, size, left, right = self.args
        return (printer._print(part) for part in (t, size.expr, left, right))

    def _sympystr(self, printer: Any) -> str:
        t, size, left, right = self._printed(printer)
        return f"inverse({size}, {left} < z < {right})({t})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        t, size, left, right = self._printed(printer)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left[{size}\right]^{{-1}}_{{{left} < z < {right}}}\left({t}\right){power}"


@functools.lru_cache(maxsize=1024)
def _tends_to(size: sympy.Expr, end: sympy.Expr, t: sympy.Expr) -> bool:
    """Return whether a formula is proven to tend to a number at ±oo."""
    try:
        return order(limit_at(size, Z, end), t) == 0
    except Undecided:
        return False


@functools.lru_cache(maxsize=1024)
def _crossing(t: sympy.Rational, size: sympy.Expr, left: sympy.Expr, right: sympy.Expr, bits: int) -> Ball:
    rises = sign_at(enclosure.derivative(size, Z, 1), Z, inner_point(left, right)) > 0
    root = root_between(size, Z, left, right, rises=rises, level=t, most_bits=4 * bits)
    return enclosure.enclose(root, bits)
