r"""Upper bounds of spectral norms that hold in spite of rounding: one Gram matrix and one Cholesky factorisation.

If floating-point Cholesky runs to its end on A = s²·I - WᵀW - ρ·I, then s²·I - WᵀW is positive definite and ‖W‖ < s,
where ρ outweighs the rounding errors of the product and of the factorisation (S. M. Rump, "Verification of positive
definiteness", BIT 46 (2006), theorem 2.3).
"""

import numpy as np
import scipy.linalg

from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.errors import InvalidArgument
from gradtheory.networks.bounds.rounding import TINY, UNIT, gamma, norm_up, up

_FIRST_SLACK, _MOST_TRIALS = 4.0, 60
_SMALLEST = 2.0**-480


def spectral_bound(matrix: Array) -> float:
    r"""Return an upper bound of the largest singular value of a matrix; its slack is a few n²·2⁻⁵³.

    Parameters
    ----------
    matrix : array_like of shape (m, n)
        Finite, of any size: it is scaled by a power of two.

    Raises
    ------
    InvalidArgument
        If it is not a finite real matrix.

    References
    ----------
    S. M. Rump, "Verification of positive definiteness", BIT 46 (2006).

    Examples
    --------
    >>> bound = spectral_bound(np.array([[3.0, 0.0], [4.0, 5.0]]))
    >>> 0 <= bound / 45**0.5 - 1 < 1e-13
    True

    """
    matrix = read_finite_array(matrix, "matrix")
    if matrix.ndim != 2:
        raise InvalidArgument("matrix.shape", matrix.shape, "must be (m, n): one matrix")
    largest = float(np.max(np.abs(matrix), initial=0.0))
    if largest == 0.0 or matrix.size == 1:
        return largest
    exponent = int(np.frexp(largest)[1])
    with np.errstate(all="ignore"):
        # Entries 2**-480 as small as the largest are set to 0, and counted: their squares would underflow.
        small = (np.abs(matrix) < np.ldexp(_SMALLEST, exponent)) & (matrix != 0.0)
        scaled = np.where(small, 0.0, np.ldexp(matrix, -exponent))
        rest = float(np.sum(small)) * _SMALLEST
        bound = _scaled_bound(scaled if scaled.shape[0] >= scaled.shape[1] else scaled.T) + rest
        return float(np.nextafter(np.ldexp(bound * (1.0 + 4.0 * UNIT), exponent), np.inf))


def _scaled_bound(matrix: Array) -> float:
    """Return the bound of a matrix of at most as many columns as rows, whose largest entry is between 1/2 and 1."""
    rows, n = matrix.shape
    gram = matrix.T @ matrix
    columns = up(np.sqrt(np.diagonal(gram)), 3.0) * (1.0 + gamma(rows + 4.0))  # ‖W e_j‖, from above
    # ‖ |W|ᵀ|W| ‖ ≤ ‖W‖_F²; a Frobenius norm bounds the spectral one.
    of_product = gamma(rows + 2.0) * float(np.sum(columns**2)) * (1.0 + gamma(n + 4.0)) + rows * n * TINY
    largest = _numeric_square(gram)
    slack = _FIRST_SLACK
    for _ in range(_MOST_TRIALS):
        square = largest * (1.0 + slack * n * UNIT) + 2.0 * of_product
        if _is_positive_definite(square, gram, of_product):
            return float(np.sqrt(square) * (1.0 + 2.0 * UNIT))
        slack *= 4.0
    return float(norm_up(columns))


def _numeric_square(gram: Array) -> float:
    """Return the largest eigenvalue of a Gram matrix in float64, without a proof."""
    n = len(gram)
    if n < 256:
        return float(np.linalg.eigvalsh(gram)[-1])
    return float(scipy.linalg.eigh(gram, eigvals_only=True, subset_by_index=[n - 1, n - 1], check_finite=False)[0])


def _is_positive_definite(square: float, gram: Array, of_product: float) -> bool:
    """Return whether square·I - WᵀW is proven positive definite, WᵀW being within `of_product` of the Gram matrix."""
    n = len(gram)
    shifted = -gram
    diagonal = square - np.diagonal(gram)
    if not np.all(diagonal > 0.0):
        return False
    # Rump's c: γ_{n+2}/(1 - γ_{n+2})·Σ a_ii for the factorisation; then the rounding of the diagonal itself, twice.
    share = gamma(n + 2.0)
    of_cholesky = share / (1.0 - share) * float(diagonal.sum()) * (1.0 + gamma(n + 4.0)) + 4.0 * n * (2 * n + 2) * TINY
    of_diagonal = 4.0 * UNIT * (square + float(np.max(np.diagonal(gram))))
    np.fill_diagonal(shifted, diagonal - (of_product + of_cholesky + of_diagonal) * (1.0 + 8.0 * UNIT))
    try:
        scipy.linalg.cholesky(shifted, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return False
    return True


def spectral_bounds(matrices: Array) -> Array:
    r"""Return upper bounds of the spectral norms of a stack of matrices, of which one side is short.

    ‖M‖² is the largest eigenvalue of the Gram matrix G of the shorter side. With the numeric eigenvectors V of G,
    which need not be right, it is at most ‖Vᵀ G V‖_∞/(1 - ‖I - VᵀV‖_∞).

    Parameters
    ----------
    matrices : ndarray of shape (..., m, n)
        The stack.

    Returns
    -------
    ndarray of shape (...)

    """
    with np.errstate(all="ignore"):  # what is not finite is bounded by infinity
        return _bounds_of_finite(matrices)


def _bounds_of_finite(matrices: Array) -> Array:
    wide = matrices.shape[-2] < matrices.shape[-1]
    a = matrices if wide else np.swapaxes(matrices, -1, -2)
    k, n = a.shape[-2:]
    frobenius = norm_up(a.reshape(*a.shape[:-2], k * n))
    scale = np.where((frobenius > 0.0) & np.isfinite(frobenius), frobenius, 1.0)
    exact_scale = np.ldexp(1.0, np.frexp(scale)[1])
    a = a / exact_scale[..., None, None]
    bound = frobenius
    if k > 1:
        gram = a @ np.swapaxes(a, -1, -2)
        usable = np.asarray(np.isfinite(gram).all(axis=(-1, -2)))
        vectors = np.linalg.eigh(np.where(usable[..., None, None], gram, 0.0))[1]
        transposed = np.swapaxes(vectors, -1, -2)
        room = gamma(2.0 * n + 8.0 * k) * 8.0 * k  # of entries at most 1, in ‖·‖_∞ of a k × k matrix
        off = np.abs(np.eye(k) - transposed @ vectors).sum(axis=-1).max(axis=-1) + room
        rows = np.abs(transposed @ gram @ vectors).sum(axis=-1).max(axis=-1) + room * k
        root = up(np.sqrt(up(rows / np.maximum(1.0 - off, 0.5), 4.0)), 4.0) * exact_scale
        bound = np.where(usable & (off < 0.25), np.minimum(root, frobenius), frobenius)
    return np.where(np.isnan(bound), np.inf, bound)
