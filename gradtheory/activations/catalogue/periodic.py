"""Activations with a periodic slope: what explodes does so again in every period."""

import functools
import math

import numpy as np
from sympy import Expr, Interval, Rational, S, atan, cos, floor, pi, sin, sqrt

from gradtheory.activations.catalogue.shared_kernels import stretch
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Branch, Kernel, SignOfBend, T, Z
from gradtheory.arithmetic.enclosure import as_rational, enclose
from gradtheory.arithmetic.inputs import read_positive


def _mean_at_infinity(kernel: Kernel, mean: float) -> Kernel:
    """Return a kernel that takes the mean over a period of the periodic part where z is infinite: there is no limit."""

    def total(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        infinite = np.isinf(z)
        if not infinite.any():
            kernel(z, value, slope)
            return
        kernel(np.where(infinite, 0.0, z), value, slope)
        value[infinite], slope[infinite] = (z[infinite] if mean else 0.0), mean

    return total


def _sine_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.sin(z, out=value)
    np.cos(z, out=slope)


_FAR = 2.0**50  # beyond, the digits of a product with its rounding error do not reach its fractions of a period
_KEPT, _ALL_BITS = 128, 2400  # of a fraction of a period; of a/π, so that float64's greatest numbers have them
_ARCCOS = atan(sqrt(1 / T**2 - 1))  # arccos(t), which keeps its digits near t = 1

sine = Activation(
    name="sine",
    symbol=r"\sin",
    expr=sin(Z),
    range=Interval(-1, 1),
    period=pi,  # of |cos|
    branches=(
        Branch(-pi / 2, S.Zero, S.Zero, S.One, inverse=-_ARCCOS),
        Branch(S.Zero, pi / 2, S.One, S.Zero, inverse=_ARCCOS),
    ),
    sign_of_bend=SignOfBend(S.One, -sin(Z)),
    kernel=_mean_at_infinity(_sine_kernel, 0.0),
    reference="Sitzmann, Martel, Bergman, Lindell & Wetzstein, NeurIPS (2020), eq. 1",
    peers={"torch": "torch.sin", "jax": "jax.numpy.sin", "keras": "keras.ops.sin"},
)


def _cosine_kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.cos(z, out=value)
    np.negative(np.sin(z), out=slope)


cosine = Activation(
    name="cosine",
    symbol=r"\cos",
    expr=cos(Z),
    range=Interval(-1, 1),
    period=pi,
    branches=(
        Branch(S.Zero, pi / 2, S.Zero, -S.One, inverse=pi / 2 - _ARCCOS),
        Branch(pi / 2, pi, -S.One, S.Zero, inverse=pi / 2 + _ARCCOS),
    ),
    sign_of_bend=SignOfBend(S.One, -cos(Z)),
    kernel=_mean_at_infinity(_cosine_kernel, 0.0),
    reference="Rahimi & Recht, NIPS (2007), section 3: random Fourier features",
    peers={"torch": "torch.cos", "jax": "jax.numpy.cos", "keras": "keras.ops.cos"},
)


def _beside_periods(a: Expr, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a·z and a·z + π/4, less the nearest multiples of π, in whole numbers (Payne & Hanek 1983)."""
    mantissas, exponents = np.frexp(z)
    bits = int(exponents.max()) + 2 * _KEPT
    turns = _turns(a, bits)
    whole, shifts = (mantissas * 2.0**53).astype(np.int64).tolist(), (bits + 53 - _KEPT - exponents).tolist()
    places = [number * turns >> shift for number, shift in zip(whole, shifts, strict=True)]
    half, every = 1 << (_KEPT - 1), (1 << _KEPT) - 1
    along, ahead = (
        np.array([math.ldexp((place + moved & every) - half, -_KEPT) for place in places])
        for moved in (half, half + half // 2)
    )
    return np.pi * along, np.pi * ahead


@functools.lru_cache(maxsize=64)
def _turns(a: Expr, bits: int) -> int:
    """Return a·2ᵇ/π, rounded down but for the last digit."""
    return int(floor(as_rational(enclose(a / pi, _ALL_BITS)) * S(2) ** bits))


@Family
def snake(a: Expr = S.One) -> Activation:
    """σ(z) = z + sin(a·z)²/a: increasing, with the slope 1 + sin(2a·z)."""
    a = read_positive(a, "a")
    scale, stretched = float(a), stretch(a)
    is_power_of_2 = np.frexp(scale)[0] == 0.5 and Rational(scale) == a
    furthest = np.inf if is_power_of_2 else _FAR  # a power of 2 multiplies exactly

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        y, rest = stretched(z)
        is_far = ~(np.abs(y) < furthest)  # or overflows
        y, rest = (np.where(is_far, 0.0, each) for each in (y, rest))
        (first, second), (along, across) = ((np.sin(each), np.cos(each)) for each in (y, rest))
        up, down = first * across + second * along, second * across - first * along  # of y + rest
        np.add(z, np.square(up) / scale, out=value)
        np.square(up + down, out=slope)  # 1 + sin(2y), which would cancel
        if is_far.any():
            along, ahead = _beside_periods(a, z[is_far])
            value[is_far] = z[is_far] + np.square(np.sin(along)) / scale
            slope[is_far] = 2.0 * np.square(np.sin(ahead))

    beside_peak = atan(sqrt(2 / T - 1))  # |a·z - π/4| where 2·cos² of it is t
    quarter = pi / 4
    return Activation(
        name=snake.name_with_parameters(a=a),
        symbol=r"\operatorname{snake}",
        expr=Z + sin(a * Z) ** 2 / a,
        slope_expr=2 * sin(a * Z + pi / 4) ** 2,  # 1 + sin(2az) would cancel
        range=S.Reals,
        period=pi / a,
        branches=(
            Branch(-quarter / a, quarter / a, S.Zero, S(2), inverse=(quarter - beside_peak) / a),
            Branch(quarter / a, 3 * quarter / a, S(2), S.Zero, inverse=(quarter + beside_peak) / a),
        ),
        sign_of_bend=SignOfBend(2 * a, cos(2 * a * Z)),
        kernel=_mean_at_infinity(kernel, 1.0),
        reference="Ziyin, Hartwig & Ueda, NeurIPS (2020), eq. 3",
    )
