"""The monotone branches of |σ'|, their proof, and the place on a branch where |σ'| takes a value."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import sympy

from gradtheory.activations.slopes.pieces import inner_point, piece_at, root_between
from gradtheory.arithmetic import enclosure
from gradtheory.arithmetic.enclosure import MOST_BITS, Ball, Balls, Univariate, sign, sign_at, sign_on
from gradtheory.arithmetic.pairs import Pair
from gradtheory.arithmetic.root import Root
from gradtheory.errors import Undecided

Z = sympy.Symbol("z", real=True)  # the pre-activation, in which every record is written
T = sympy.Symbol("t", positive=True)  # the level of a superlevel set, t = c/|w|


Distance: TypeAlias = Callable[[Any, Pair], Pair]


@dataclass(frozen=True)
class Branch:
    r"""An open interval of pre-activations on which |σ'| is monotone and σ' keeps its sign.

    Parameters
    ----------
    left, right : sympy.Expr
        The ends of the interval in z; ±oo at the ends of the line.
    slope_left, slope_right : sympy.Expr
        The one-sided limits of σ' (with its sign) at these ends; σ' is constant on the branch where they are equal.
    inverse : sympy.Expr, optional
        The z of the branch at which |σ'(z)| = t, in the symbol `T`, where it has a closed form.
    distance : callable, optional
        (xp, e): how far that z lies from the steep end of the branch, or from the other where the steep one is
        infinite, or z itself where both are; for arrays of the relative excess e = (sup - t)/(t - inf), with
        sup and inf of |σ'| on the branch (e = t for an infinite sup), in the array namespace xp. Both are pairs: a
        float64 number and what it lacks.

    """

    left: sympy.Expr
    right: sympy.Expr
    slope_left: sympy.Expr
    slope_right: sympy.Expr
    inverse: sympy.Expr | None = None
    distance: Distance | None = field(default=None, compare=False)

    @cached_property
    def is_flat(self) -> bool:
        """Whether σ' is constant on the branch."""
        return bool(self.slope_left == self.slope_right)

    @cached_property
    def rises(self) -> bool:
        """Whether |σ'| increases on the branch."""
        return sign(abs(self.slope_right) - abs(self.slope_left)) > 0

    @cached_property
    def direction(self) -> int:
        """The sign of σ' on the branch, 0 where σ is constant."""
        return sign(self.slope_left) or sign(self.slope_right)

    @cached_property
    def shallowest(self) -> sympy.Expr:
        """The infimum of |σ'| on the branch."""
        return abs(self.slope_left if self.rises else self.slope_right)

    @cached_property
    def steepest(self) -> sympy.Expr:
        """The supremum of |σ'| on the branch."""
        return abs(self.slope_right if self.rises else self.slope_left)

    @cached_property
    def inside(self) -> sympy.Rational:
        """A rational point of the branch."""
        return inner_point(self.left, self.right)


@dataclass(frozen=True)
class SignOfBend:
    r"""σ'' = positive · shape, in `Z`: what proves that |σ'| is monotone between its turning points.

    Parameters
    ----------
    positive : sympy.Expr
        An expression that is evidently positive, such as exp(-z²).
    shape : sympy.Expr
        The rest, written so that interval arithmetic finds its sign also on unbounded intervals.

    """

    positive: sympy.Expr
    shape: sympy.Expr


@functools.lru_cache(maxsize=1024)
def size_on(branch: Branch, derivative: sympy.Expr) -> sympy.Expr:
    """Return |σ'| on a branch as one smooth formula."""
    return branch.direction * piece_at(derivative, Z, branch.inside)


@functools.lru_cache(maxsize=1024)
def prove(branch: Branch, derivative: sympy.Expr, bend: SignOfBend | None) -> None:
    """Prove that a branch is as stated: σ' has its limits at finite ends, and is monotone between.

    Raises
    ------
    Undecided
        If the proof does not succeed.

    """
    smooth = piece_at(derivative, Z, branch.inside)
    for end, stated in ((branch.left, branch.slope_left), (branch.right, branch.slope_right)):
        if end.is_finite and stated.is_finite and not _takes(smooth, end, stated):
            raise Undecided(f"the slope {smooth} at {end} is not {stated}, as the branch states")
    if branch.is_flat:
        if smooth != branch.slope_left:
            raise Undecided(f"the slope {smooth} is not constant, as the branch states")
        return
    shape = enclosure.derivative(smooth, Z, 1) if bend is None else piece_at(bend.shape, Z, branch.inside)
    if sign_on(Univariate(shape, Z), branch.left, branch.right) != sign(branch.slope_right - branch.slope_left):
        raise Undecided(f"the slope {smooth} does not run from {branch.slope_left} to {branch.slope_right}")


def _takes(expr: sympy.Expr, point: sympy.Expr, value: sympy.Expr) -> bool:
    """Return whether an expression in Z has this value at a point, which may be a `Root` of the expression itself."""
    if isinstance(point, Root) and value == 0 and point.function.expr in (expr, -expr):
        return True
    return sign(expr.subs(Z, point) - value) == 0


def crossing_on(branch: Branch, derivative: sympy.Expr, level: sympy.Expr, most_bits: int = MOST_BITS) -> sympy.Expr:
    """Return the z of a branch at which |σ'(z)| = level, a number between its limits there."""
    size = size_on(branch, derivative)
    steepness = enclosure.derivative(size, Z, 1)
    if not steepness.free_symbols:
        return (level - size.subs(Z, 0)) / steepness
    return root_between(size, Z, branch.left, branch.right, rises=branch.rises, level=level, most_bits=most_bits)


class SlopeInverse(sympy.Function):  # type: ignore[misc]  # SymPy's classes are untyped
    """The z of a monotone branch at which |σ'(z)| = t, as a function of t; its digits are proven.

    Its arguments are t, the Lambda of |σ'| on the branch, and the ends of the branch.
    """

    nargs = 4
    is_real = True

    @classmethod
    def on(cls, branch: Branch, derivative: sympy.Expr, t: sympy.Expr) -> "SlopeInverse":
        """Return the inverse of |σ'| on a branch, at t."""
        return cls(t, sympy.Lambda(Z, size_on(branch, derivative)), branch.left, branch.right)

    def enclosure(self, bits: int, at: Balls) -> Ball:
        """Return a ball around the value; the inverse being monotone, a wide t needs only its ends."""
        level, size, left, right = self.args
        ball = enclosure.evaluate(level, bits, at)
        ends = (enclosure.as_rational(each) for each in (ball.lower(), ball.upper()))
        low, high = (self._at(each, size.expr, left, right, bits) for each in ends)
        return low.union(high)

    @staticmethod
    @functools.lru_cache(maxsize=1024)
    def _at(level: sympy.Rational, size: sympy.Expr, left: sympy.Expr, right: sympy.Expr, bits: int) -> Ball:
        rises = sign_at(enclosure.derivative(size, Z, 1), Z, inner_point(left, right)) > 0
        found = root_between(size, Z, left, right, rises=rises, level=level, most_bits=4 * bits)
        return enclosure.enclose(found, bits)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative by t, 1/|σ'|'(z)."""
        if argindex != 1:
            raise sympy.ArgumentIndexError(self, argindex)
        return 1 / enclosure.derivative(self.args[1].expr, Z, 1).subs(Z, self)

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _sympystr(self, printer: Any) -> str:
        level, size, left, right = (printer._print(each) for each in (self.args[0], self.args[1].expr, *self.args[2:]))
        return f"inverse({size}, {left} < z < {right})({level})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        level, size, left, right = (printer._print(each) for each in (self.args[0], self.args[1].expr, *self.args[2:]))
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left[{size}\right]^{{-1}}_{{{left} < z < {right}}}\left({level}\right){power}"
