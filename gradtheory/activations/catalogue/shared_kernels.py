"""Float64 kernels that several records share: no overflow, no cancellation, and ±inf is a number.

A kernel writes σ(z) and σ'(z) into two arrays that it is passed, and may overwrite z: a pass through a thousand layers
then allocates nothing.
"""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import functools
from collections.abc import Callable

import mpmath
import sympy

from gradtheory.arithmetic.later import np
from gradtheory.arithmetic.pairs import Pair, pair_of, two_product

_LARGEST_EXPONENT = 700.0  # exp does not overflow up to here


def linear(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    """Write z and 1."""
    value[...], slope[...] = z, 1.0


def logistic(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    """Write 1/(1 + exp(-z)) and its slope; both keep their relative accuracy in both tails."""
    if z.size and not z[z.argmax()] <= _LARGEST_EXPONENT:  # argmax finds a nan first
        _moderate_logistic(np.minimum(z, _LARGEST_EXPONENT), value, slope)
        slope *= np.exp(_LARGEST_EXPONENT - np.maximum(z, _LARGEST_EXPONENT))
        return
    _moderate_logistic(z, value, slope)


@functools.cache
def _one() -> np.ndarray:
    """Return 1 as NumPy takes it in half the time of a Python float; it takes `out` by position sooner, too."""
    return np.array(1.0)


def _moderate_logistic(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    np.exp(z, value)
    np.add(value, _one(), z)
    np.divide(_one(), z, slope)  # 1 - σ(z)
    np.multiply(value, slope, value)
    np.multiply(value, slope, slope)


def ratio(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return p = min(|z|, 1) and q = 1/max(|z|, 1), so that |z| = p/q and 1 + |z| = (q + p)/q never overflow."""
    size = np.abs(z)
    return np.minimum(size, 1.0), 1.0 / np.maximum(size, 1.0)


def exceeds(z: np.ndarray, edge: Pair) -> np.ndarray:
    """Return where z exceeds a number, which need not be a float64."""
    compare = np.greater if edge[1] >= 0.0 else np.greater_equal
    return np.asarray(compare(z, edge[0]))


def is_less(z: np.ndarray, edge: Pair) -> np.ndarray:
    """Return where z is less than a number, which need not be a float64."""
    compare = np.less if edge[1] <= 0.0 else np.less_equal
    return np.asarray(compare(z, edge[0]))


def exp_minus_square(z: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Return exp(-scale·z²) to the last few bits, for a power of two as scale.

    The rounding error of z² is computed exactly and put back: without it the relative error grows as z².
    """
    z = np.clip(z, -40.0, 40.0)  # exp(-1600) is 0 in float64
    square, error = two_product(z, z)
    return np.asarray(np.exp(-scale * square) * (1.0 - scale * error))


def stretch(factor: sympy.Expr) -> Callable[[np.ndarray], Pair]:
    """Return the map from z to factor·z and its rounding error, for any z and a factor that need not be a float64.

    Without that error the relative error of exp(factor·z) grows as |factor·z|.
    """
    high, low = pair_of(factor)

    def stretched(z: np.ndarray) -> Pair:
        if high == 1.0 and low == 0.0:
            return z.copy(), np.zeros_like(z)
        error = two_product(z, high)[1] + low * z
        return z * high, np.where(np.isfinite(error), error, 0.0)  # nan far out, where it does not matter

    return stretched


_CELLS = 64  # of a table of exp: one a length of z


@functools.cache
def _table_of_exp() -> np.ndarray:
    with mpmath.workdps(40):
        exact = [mpmath.exp(mpmath.mpf(k) / _CELLS) for k in range(-_CELLS, 8 * _CELLS)]
        return np.array([[float(each), float(each - float(each))] for each in exact]).T


def doubled_exp(z: np.ndarray) -> Pair:
    """Return exp(z) and its rounding error for -1 <= z < 7; below, exp(z) and 0.

    For exp(-exp(z)), which makes an ulp of exp(z) exp(z) ulp of its own.
    """
    cell = np.round(np.nan_to_num(np.clip(z, -1.0, 7.0)) * _CELLS)
    high, low = _table_of_exp()[:, cell.astype(int) + _CELLS]
    b = z - cell / _CELLS  # exact; at most 1/128 where the table is used
    curved = b * b * (1 / 2 + b * (1 / 6 + b * (1 / 24 + b * (1 / 120 + b * (1 / 720 + b / 5040)))))
    linear_part, error = two_product(high, b)
    rounded = high + linear_part
    rest = (linear_part - (rounded - high)) + error + high * curved + low * (1.0 + b)
    total = rounded + rest
    return np.where(z < -1.0, np.exp(z), total), np.where(z < -1.0, 0.0, rest - (total - rounded))


def log_odds_of(kernel: Callable[[np.ndarray, np.ndarray, np.ndarray], None]) -> Callable[..., None]:
    """Return the kernel of log(σ/(1 - σ)) for a σ that stays away from 0 and 1."""

    def log_odds(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        kernel(z, value, slope)
        slope /= value * (1.0 - value)
        value[...] = np.log(value) - np.log1p(-value)

    return log_odds
