"""Pieces of float64 kernels that several records share: no overflow, no cancellation, and ±inf is a number.

A kernel writes σ(z) and σ'(z) into two given arrays and may use z as scratch: a pass through a thousand layers then
allocates nothing.
"""

import numpy as np

_LARGEST_EXPONENT = 700.0  # exp does not overflow up to here
_ONE = np.array(1.0)  # NumPy takes a 0-d array in half the time of a Python float, and `out` by position sooner


def linear(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    """Write z and 1."""
    value[...], slope[...] = z, 1.0


def logistic(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
    """Write 1/(1 + exp(-z)) and its slope; both keep their relative accuracy in both tails."""
    if z.size and z[z.argmax()] > _LARGEST_EXPONENT:
        logistic(np.minimum(z, _LARGEST_EXPONENT), value, slope)
        slope *= np.exp(_LARGEST_EXPONENT - np.maximum(z, _LARGEST_EXPONENT))
        return
    np.exp(z, value)
    np.add(value, _ONE, z)
    np.divide(_ONE, z, slope)  # 1 - σ(z)
    np.multiply(value, slope, value)
    np.multiply(value, slope, slope)


def ratio(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return p = min(|z|, 1) and q = 1/max(|z|, 1), so that |z| = p/q and 1 + |z| = (q + p)/q never overflow."""
    size = np.abs(z)
    return np.minimum(size, 1.0), 1.0 / np.maximum(size, 1.0)


def exp_minus_square(z: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Return exp(-scale·z²) to the last few bits, for a power of two as scale.

    The rounding error of z², found exactly, is put back.

    Without it the relative error grows as z² (T. J. Dekker, "A floating-point technique for extending the available
    precision", Numer. Math. 18, 1971).
    """
    z = np.clip(z, -40.0, 40.0)  # exp(-1600) is 0 in float64
    square = z * z
    scaled = 134217729.0 * z  # 2**27 + 1 splits z into two halves
    high = scaled - (scaled - z)
    low = z - high
    error = ((high * high - square) + 2.0 * high * low) + low * low
    return np.asarray(np.exp(-scale * square) * (1.0 - scale * error))
