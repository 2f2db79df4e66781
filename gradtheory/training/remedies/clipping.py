"""Gradient clipping: how each kind bounds a step, and what it keeps of the direction."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gradtheory.arithmetic.brief import shapes_and_ranges
from gradtheory.arithmetic.inputs import Array, read_array, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.training.norms import norm
from gradtheory.typing import ArrayLike

_TORCH_EPSILON = 1e-6  # torch.nn.utils.clip_grad_norm_ divides by the norm plus this


class Clipped(NamedTuple):
    """Gradients clipped together, and the norm that they had before.

    Attributes
    ----------
    gradients : list of ndarray
    norm : float

    """

    gradients: list[Array]
    norm: float

    def __repr__(self) -> str:
        return f"Clipped(gradients: {shapes_and_ranges(self.gradients)}; norm {self.norm:g} before)"


def clip_by_value(gradient: ArrayLike, limit: float) -> Array:
    r"""Return a gradient with every entry cut to [-limit, limit].

    Each entry of a step of gradient descent is then at most η·limit. The direction may change: in n dimensions the
    cosine of the angle between the gradients before and after is at least 1/√n, and no larger bound holds.

    Parameters
    ----------
    gradient : array_like
        nan stays nan; ±inf become ±limit.
    limit : float
        Positive.

    Returns
    -------
    ndarray
        Of the gradient's shape.

    Raises
    ------
    InvalidArgument
        If the gradient is not an array of real numbers, or the limit is not positive.

    References
    ----------
    ``torch.nn.utils.clip_grad_value_``.

    Examples
    --------
    >>> clip_by_value([0.5, -3.0], 1.0)
    array([ 0.5, -1. ])

    """
    bound = read_positive_float(limit, "limit")
    return np.clip(read_array(gradient, "gradient"), -bound, bound)


def clip_by_norm(gradient: ArrayLike, max_norm: float) -> Array:
    """Return one gradient scaled down to a Euclidean norm of at most max_norm, its direction unchanged.

    Parameters
    ----------
    gradient : array_like
        As for `clip_by_global_norm`.
    max_norm : float
        Not negative.

    Returns
    -------
    ndarray
        Of the gradient's shape.

    Raises
    ------
    InvalidArgument
        If the gradient is not an array of real numbers, or max_norm is negative.

    References
    ----------
    R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013), algorithm 1.

    Examples
    --------
    >>> clip_by_norm([3.0, 4.0], 1.0)
    array([0.59999988, 0.79999984])

    """
    return clip_by_global_norm([gradient], max_norm).gradients[0]


def clip_by_global_norm(gradients: Sequence[ArrayLike], max_norm: float) -> Clipped:
    """Return gradients scaled by one factor, so that their common Euclidean norm is at most max_norm.

    The factor is min(1, max_norm/(norm + 1e-6)), PyTorch's. A step of gradient descent is then at most η·max_norm
    long, T steps travel at most η·max_norm·T, and the direction is that of the gradient.

    Parameters
    ----------
    gradients : sequence of array_like
        With an infinite entry the norm is inf and the factor 0: finite entries become 0 and infinite ones nan, as in
        PyTorch; with a nan all become nan. Finite entries are scaled correctly even if their squares overflow.
    max_norm : float
        Not negative.

    Returns
    -------
    Clipped
        `.gradients`, a list of new arrays, and `.norm`, before clipping.

    Raises
    ------
    InvalidArgument
        If the gradients are no sequence of arrays of real numbers, or max_norm is negative.

    References
    ----------
    ``torch.nn.utils.clip_grad_norm_``.

    Examples
    --------
    >>> clipped = clip_by_global_norm([[3.0], [4.0, 0.0]], 10.0)
    >>> clipped.norm, clipped.gradients
    (5.0, [array([3.]), array([4., 0.])])

    """
    limit = read_nonnegative_float(max_norm, "max_norm")
    if isinstance(gradients, np.ndarray) or not isinstance(gradients, Sequence):
        raise InvalidArgument("gradients", gradients, "must be a sequence of arrays; clip_by_norm takes one")
    arrays = [read_array(each, "gradients") for each in gradients]
    size = norm(np.concatenate([each.ravel() for each in arrays])).item() if arrays else 0.0
    with np.errstate(all="ignore"):
        factor = np.minimum(1.0, limit / (size + _TORCH_EPSILON))  # nan stays nan
        return Clipped([each * factor for each in arrays], size)


def adaptive_clip(gradient: ArrayLike, parameter: ArrayLike, ratio: float = 0.01, *, epsilon: float = 1e-3) -> Array:
    """Return a gradient of which each unit's norm is at most ratio times the norm of that unit's weights.

    A unit is a row of a matrix, and a single number of a vector. A step of gradient descent then changes a unit by at
    most η·ratio·max(‖w‖, ε): after T steps ‖w_T‖ ≤ (1 + η·ratio)ᵀ·max(‖w_0‖, ε).

    Parameters
    ----------
    gradient, parameter : array_like
        Of one shape.
    ratio : float
        λ of the paper, positive.
    epsilon : float
        Replaces the norm of weights that are smaller, positive.

    Raises
    ------
    InvalidArgument
        If shapes differ, or a number is not positive.

    References
    ----------
    A. Brock et al., "High-performance large-scale image recognition without normalization" (2021), equation 3.

    Examples
    --------
    >>> adaptive_clip([5.0, 0.001], [2.0, 1.0])
    array([0.02 , 0.001])

    """
    gradients, weights = read_array(gradient, "gradient"), read_array(parameter, "parameter")
    if gradients.shape != weights.shape:
        raise InvalidArgument("gradient.shape", gradients.shape, f"must be that of the parameter, {weights.shape}")
    share, least = read_positive_float(ratio, "ratio"), read_positive_float(epsilon, "epsilon")
    axes = tuple(range(1, gradients.ndim)) if gradients.ndim > 1 else None
    norms, sizes = (np.abs(each) if axes is None else norm(each, axes) for each in (gradients, weights))
    most = share * np.maximum(sizes, least)
    with np.errstate(all="ignore"):
        return np.where(norms > most, gradients * (most / norms), gradients)
