"""What happens at small variances, where an activation is a line, or two half-lines."""

import math
from dataclasses import dataclass

import numpy as np
import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import enclose, precision
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import Undecided
from gradtheory.random_weights.gaussian.second_moments import tends_to_0
from gradtheory.random_weights.meanfield.tables import GRID, moment_table, moments_at

_BESIDE, _BITS = sympy.Rational(1, 10**60), 8192
_DENOMINATOR, _LARGEST_POWER, _BEYOND = 12, 32, 1e6
_CLEAR = 1e-11  # a relative difference that rounding does not make


@dataclass(frozen=True)
class Origin:
    """The variance map near q = 0, for σ_b = 0.

    Attributes
    ----------
    is_zero : bool
        Whether σ(z) → 0 as z → 0, so that q = 0 is a fixed point, which small variances may come near.
    is_fixed : bool
        Whether, moreover, χ₁ can be 1 there: some slope at 0.
    is_homogeneous : bool
        Whether the variance map is a line, so that at χ₁ = 1 every q is a fixed point: σ(αz) = α·σ(z) for α > 0.
    mean_square_slope : float
        (σ'(0-)² + σ'(0+)²)/2, the limit of E[σ'²] as q falls to 0; inf where the slope at 0 is infinite.
    is_stable : bool
        Whether at χ₁ = 1 variances near 0 shrink.

    """

    is_zero: bool
    is_fixed: bool
    is_homogeneous: bool
    mean_square_slope: float
    is_stable: bool

    @classmethod
    def of(cls, record: Activation) -> "Origin":
        """Return what an activation does near 0."""
        slopes = record.slope(np.array([[-1e-300, 1e-300], [-1e-200, 1e-200]]))
        with np.errstate(over="ignore"):  # where the slope at 0 is infinite
            nearer, farther = np.mean(np.square(slopes), axis=1).tolist()
        square = nearer if abs(farther - nearer) <= _CLEAR * nearer else 0.0  # that of a power above the first
        square = square if np.isfinite(record.slope(0.0)) else np.inf
        is_zero = tends_to_0(record)
        is_fixed = is_zero and 0.0 < square < np.inf
        ends = {branch.right for branch in record.profile.branches if branch.is_flat}
        is_homogeneous = is_fixed and len(ends) == len(record.profile.branches) and ends <= {0, sympy.oo}
        growth = moment_table(record).value / (GRID * square) - 1.0 if is_fixed else np.zeros(1)
        clear = growth[np.abs(growth) > _CLEAR]
        return cls(is_zero, is_fixed, is_homogeneous, square, not clear.size or bool(clear[0] < 0.0))

    def extended(self, record: Activation, q: Array) -> tuple[Array, np.ndarray]:
        """Return σ_w with χ₁ = 1, and whether the fixed point is stable, for each q, 0 and nan included."""
        sigma_w, stable = np.full(len(q), np.nan), np.zeros(len(q), dtype=bool)
        inner = q > 0.0
        if inner.any():
            moments = moments_at(record, q[inner])
            with np.errstate(divide="ignore"):  # where slopes are 0 as far as float64 tells
                sigma_w[inner] = 1.0 / np.sqrt(moments.slope)
            stable[inner] = moments.growth <= moments.slope * (1.0 + _CLEAR)
        sigma_w[q == 0.0], stable[q == 0.0] = self.mean_square_slope**-0.5 if self.is_fixed else np.nan, self.is_stable
        return sigma_w, stable


def leading_power(record: Activation) -> sympy.Expr | None:
    """Return what σ(z) is like as z → 0, a multiple of a power of z on either side; None if less than every power."""
    powers, factors = zip(*(_beside_0(record, side) for side in (-1, 1)), strict=True)
    least = min(powers)
    if least > _LARGEST_POWER:
        return None
    below, above = (
        factor * (side * Z) ** least if power == least else sympy.S.Zero
        for side, power, factor in zip((-1, 1), powers, factors, strict=True)
    )
    return sympy.Piecewise((below, Z < 0), (above, True))


def _beside_0(record: Activation, side: int) -> tuple[sympy.Expr, sympy.Expr]:
    """Return p, which may be oo, and f with σ(z) near f·|z|ᵖ on one side of 0, by balls of σ and σ' at ±1e-60."""
    place = side * _BESIDE
    with precision(_BITS):
        value, slope = (enclose(each.subs(Z, place), _BITS) for each in (record.expr, record.slope_expr))
        power = math.nan if value.contains(0) else float((enclose(place, _BITS) * slope / value).mid())
        if value == 0 or power > _BEYOND:
            return sympy.oo, sympy.S.Zero
        if math.isnan(power):  # as where 1 - exp(-z⁶⁰) cancels
            raise Undecided(f"correlations of {record.name} at q = 0 are not decided: it is not told from 0 beside 0")
        exact = sympy.Rational(power).limit_denominator(_DENOMINATOR)
        if not abs(power - exact) < _CLEAR or exact > _LARGEST_POWER:
            rule = f"it is like no power of z up to the {_LARGEST_POWER}nd there"
            raise Undecided(f"correlations of {record.name} at q = 0 are not decided: {rule}")
        return exact, sympy.Rational(float((value / enclose(_BESIDE**exact, _BITS)).mid()))
