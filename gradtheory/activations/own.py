"""Your own activation, from a SymPy expression: its record, with a float64 kernel made of NumPy functions."""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sympy
from sympy.logic.boolalg import BooleanFunction

from gradtheory.activations.record import Activation, Kernel, Z
from gradtheory.activations.slopes.analysis import period_of
from gradtheory.activations.slopes.domain import check_defined
from gradtheory.activations.slopes.jumps import may_jump
from gradtheory.activations.slopes.mending import mend
from gradtheory.activations.slopes.numeric import Numeric, numeric, without_cancelling
from gradtheory.activations.slopes.one_sided import at_switches, write_at_jumps, write_from_the_left, write_limits
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.values import ends_of, values_of
from gradtheory.arithmetic.effort import charge_places, within
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import read_array
from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.logistic import with_logistics
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.formulas import latex

if TYPE_CHECKING:
    from gradtheory.typing import ArrayLike

_Values = TypeVar("_Values")
_MOST_OPERATIONS = 1_000
_FAR_FROM_ENDS = 1e-3  # of (0, 1): nearer 1 - σ would lose three digits
_EXAMPLE = "such as z*tanh(log(1 + exp(z))) with z = Symbol('z', real=True)"


@cache
def own_activation(expr: sympy.Basic) -> Activation:
    """Return the record of an activation given by an expression in one real symbol.

    Its range is found with a proof when it is asked for; where none is found it is all real numbers. Its float64 kernel
    computes the value as the expression is written, and the slope as SymPy differentiates it, except log(1 + exp(u)),
    1/(1 + exp(u)), 1 + erf, 1 + tanh and 1 - tanh², which would cancel. Where that gives nan, as where log(cosh(z))
    leaves float64 on the way, ball arithmetic gives the number; inf is left as an overflow. At a kink the slope is that
    from the left, however the expression is written.

    Raises
    ------
    InvalidArgument
        If the expression has not exactly one symbol, is not proven finite and real everywhere, or holds a function
        without proven bounds.

    """
    if not isinstance(expr, sympy.Expr) or len(expr.free_symbols) != 1:
        raise InvalidArgument("activation", expr, f"must be an expression in exactly one symbol, {_EXAMPLE}")
    (symbol,) = expr.free_symbols
    if symbol.is_real is not True:
        raise InvalidArgument("activation", expr, f"must be written in a real symbol, {_EXAMPLE}")
    if symbol.assumptions0 != Z.assumptions0:
        raise InvalidArgument("activation", expr, f"must be written in a symbol for any real number, {_EXAMPLE}")
    if expr.has(sympy.atan2, sympy.arg, sympy.re, sympy.im):  # SymPy's words for a part that it takes for complex
        raise InvalidArgument("activation", expr, f"must be finite and real for every {symbol}, {_EXAMPLE}")
    if any(part.is_Pow and part.base.is_negative and part.exp.has(symbol) for part in sympy.preorder_traversal(expr)):
        raise InvalidArgument("activation", expr, f"must not hold powers of negative numbers, {_EXAMPLE}")
    if expr.has(sympy.I):
        raise InvalidArgument("activation", expr, f"must be written in real numbers, without I, {_EXAMPLE}")
    if expr.has(sympy.DiracDelta):
        raise InvalidArgument("activation", expr, f"must be finite for every {symbol}, without DiracDelta, {_EXAMPLE}")
    if expr.count_ops() > _MOST_OPERATIONS:
        raise InvalidArgument("activation", expr, f"must have at most {_MOST_OPERATIONS} operations")
    in_z = expr.xreplace({symbol: Z}).replace(lambda part: part.is_Float, sympy.Rational)
    in_z = in_z.replace(_is_power_of_number, lambda part: sympy.exp(part.exp * sympy.log(part.base)))
    in_z = in_z.replace(lambda part: isinstance(part, BooleanFunction), lambda part: part.to_nnf())  # & and | alone
    if not in_z.has(Z):  # it has cancelled
        raise InvalidArgument("activation", expr, f"must depend on {symbol}, {_EXAMPLE}")
    with within():
        check_defined(in_z)
    slope_expr = in_z.diff(Z)
    value_of, slope_of = _functions(in_z)
    with within():
        check_defined(slope_expr)
        period = period_of(in_z, slope_expr)

    def write_value(z: np.ndarray, value: np.ndarray) -> None:
        charge_places(in_z, len(z))
        value[...] = value_of(z)
        mend(value, in_z, z)
        write_limits(value, in_z, z)
        if may_jump(in_z):
            write_at_jumps(value, in_z, z)

    def write_slope(z: np.ndarray, slope: np.ndarray) -> None:
        charge_places(slope_expr, len(z))
        slope[...] = slope_of(z)
        mend(slope, slope_expr, z)
        write_limits(slope, slope_expr, z)
        for place in write_from_the_left(slope, slope_expr, z):
            if np.isnan(slope[place]):  # it is infinite
                slope[place] = np.copysign(np.inf, slope_of(np.nextafter(z[place : place + 1], -np.inf))[0])

    return _Own(
        name=str(in_z),
        symbol=rf"\left({latex(in_z)}\right)",
        expr=in_z,
        slope_expr=slope_expr,
        range=sympy.S.Reals,
        period=period,
        kernel=_Kernel(write_value, write_slope),
        reference="given by its expression",
        source=in_z,
    )


def _is_power_of_number(part: sympy.Basic) -> bool:
    """Return whether an expression is a power such as 2**z."""
    return isinstance(part, sympy.Pow) and part.base.is_number and part.base.is_positive is True and part.exp.has(Z)


def _functions(expr: sympy.Expr) -> tuple[Numeric, Numeric]:
    """Return an expression and its derivative as functions of arrays, written such that nothing cancels."""
    rewritten = with_logistics(stable(expr))
    slope = without_cancelling(rewritten.diff(Z))
    return numeric(rewritten, is_mended=True), numeric(slope, is_mended=True)


@dataclass(frozen=True)
class _Kernel:
    """The value and the slope have nothing in common that would be computed once: each is written alone, too."""

    value: Callable[[np.ndarray, np.ndarray], None]
    slope: Callable[[np.ndarray, np.ndarray], None]

    def __call__(self, z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        self.slope(z, slope)
        self.value(z, value)


class _Own(Activation):
    """A record whose range, and with it the kernel of log(σ/(1 - σ)), is found when it is asked for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        del self.__dict__["range"], self.__dict__["log_odds"]

    def value(self, z: ArrayLike) -> Any:
        """Return σ(z) in float64."""
        return _written(cast("_Kernel", self.kernel).value, z)

    def slope(self, z: ArrayLike) -> Any:
        """Return σ'(z) in float64."""
        return _written(cast("_Kernel", self.kernel).slope, z)

    @cached_property
    def range(self) -> sympy.Set:
        try:
            return self.proven_range
        except Undecided:
            return sympy.S.Reals

    @cached_property
    def proven_range(self) -> sympy.Set:
        return self._found(values_of)

    @cached_property
    def proven_ends(self) -> tuple[sympy.Expr, sympy.Expr]:
        return self._found(ends_of)

    def _found(self, find: Callable[[sympy.Expr, Profile], _Values]) -> _Values:
        try:
            with within():
                return find(self.expr, self.profile)
        except Undecided as error:
            raise Undecided(f"between which numbers {self.name} lies: {error}") from None

    @cached_property
    def log_odds(self) -> Kernel | None:
        return _log_odds_of(self) if self.is_within_unit_interval else None


def _written(write: Callable[[np.ndarray, np.ndarray], None], z: ArrayLike) -> Any:
    with np.errstate(all="ignore"):  # underflow to 0 and overflow to inf are the right answers
        array = read_array(z, "z")
        numbers = np.empty(array.size)
        write(array.reshape(-1), numbers)
    return numbers.reshape(array.shape)[()]


def _log_odds_of(own: _Own) -> Kernel:
    """Return the kernel of λ = log(σ/(1 - σ)); in ball arithmetic where σ is so near to 0 or 1 that float64 cancels."""
    rest = without_cancelling(sympy.together(1 - own.expr))
    odds, odds_slope = sympy.log(own.expr / rest), own.slope_expr / (own.expr * rest)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        sigma, steepness = np.empty((2, len(z)))
        own.kernel(z, sigma, steepness)
        is_near = ~(np.minimum(sigma, 1.0 - sigma) > _FAR_FROM_ENDS)
        slope[...] = np.where(is_near, np.nan, steepness / (sigma * (1.0 - sigma)))
        value[...] = np.where(is_near, np.nan, np.log(sigma) - np.log1p(-sigma))
        mend(slope, odds_slope, z)
        mend(value, odds, z)
        if may_jump(own.expr):
            write_at_jumps(value, odds, z)
        for place in at_switches(own.slope_expr, z):  # σ' from the left, and σ there
            one_by_product = 2.0 + 2.0 * np.cosh(value[place])
            slope[place] = steepness[place] * one_by_product if np.isfinite(one_by_product) else slope[place]

    return kernel
