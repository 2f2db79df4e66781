"""Gradient clipping: how each kind bounds a step, and what it keeps of the direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable, shapes_and_ranges
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array, read_array, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.training.norms import NORMAL, scaled_norm, shrink, toward_zero
from gradtheory.typing import ArrayLike

CLIP_EPSILON = 1e-6  # torch.nn.utils.clip_grad_norm_ divides by the norm plus this
_KINDS = ("norm", "value", "adaptive")
_LARGE = 2.0**1000


@dataclass(frozen=True)
class Clipping(ShownAsTable):
    """A way to clip the gradients of every step of `gradtheory.train`; made by `clipping`.

    Attributes
    ----------
    kind : {"norm", "value", "adaptive"}
    limit : float
        The common norm, the size of an entry, or the share of the weights' norm, that is not exceeded.

    """

    kind: str
    limit: float

    def clipped(self, gradients: Sequence[Array], parameters: Sequence[Array]) -> list[Array]:
        """Return the gradients for the optimiser."""
        match self.kind:
            case "norm":
                return clip_by_global_norm(gradients, self.limit).gradients
            case "value":
                return [clip_by_value(each, self.limit) for each in gradients]
        return [adaptive_clip(*pair, self.limit) for pair in zip(gradients, parameters, strict=True)]


def clipping(kind: str, limit: float) -> Clipping:
    """Return what clips the gradients of every step of `gradtheory.train`.

    Parameters
    ----------
    kind : {"norm", "value", "adaptive"}
        As `clip_by_global_norm`, over all parameters together, as `clip_by_value`, or as `adaptive_clip`, of which
        each row of a matrix is a unit, and each vector.
    limit : float
        Positive: their max_norm, limit or ratio.

    Raises
    ------
    InvalidArgument
        If there is no such kind, or the limit is not positive.

    Examples
    --------
    >>> clipping("norm", 1.0)
    Clipping(kind='norm', limit=1.0)

    """
    return Clipping(one_of(kind, "kind", _KINDS), read_positive_float(limit, "limit"))


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
    """Return one gradient scaled down to a Euclidean norm of at most max_norm, rounding included; its direction stays.

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

    The factor is min(1, max_norm/(norm + 1e-6)), PyTorch's, and for norms so great that 1e-6 is lost a little less, so
    that rounding does not lift the norm above max_norm. A step of gradient descent is then at most η·max_norm long, T
    steps travel at most η·max_norm·T, and the direction is that of the gradient.

    Parameters
    ----------
    gradients : sequence of array_like
        With an infinite entry the norm is inf and the factor 0: finite entries become 0 and infinite ones nan, as in
        PyTorch; with a nan all become nan. Finite entries are scaled correctly even if their squares, or their norm,
        overflow or underflow.
    max_norm : float
        Not negative.

    Returns
    -------
    Clipped
        `.gradients`, a list of new arrays, and `.norm`, before clipping: inf if that exceeds the greatest float64.

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
    together = np.concatenate([each.ravel() for each in arrays]) if arrays else np.zeros(0)
    scale, scaled = (each[0] for each in scaled_norm(together))  # NumPy's numbers, which divide by 0
    with np.errstate(all="ignore"):
        size = np.multiply(scale, scaled)
        if not np.isfinite(scaled):  # an entry is inf or nan
            return Clipped([each * (limit / scaled) for each in arrays], float(size))
        strict = shrink(together.size)
        if size + CLIP_EPSILON <= limit and size <= limit * strict:
            return Clipped([np.array(each) for each in arrays], float(size))
        target = np.minimum(limit / (scaled + np.divide(CLIP_EPSILON, scale)), limit * strict / scaled)
        return Clipped([_scaled(each, scale, np.nan_to_num(target)) for each in arrays], float(size))


def adaptive_clip(
    gradient: ArrayLike,
    parameter: ArrayLike,
    ratio: float = 0.01,
    *,
    epsilon: float = 1e-3,
    axis: int | tuple[int, ...] | None = None,
) -> Array:
    """Return a gradient of which each unit's norm is at most ratio times the norm of that unit's weights.

    A step of gradient descent then changes a unit by at most η·ratio·max(‖w‖, ε): after T steps
    ‖w_T‖ ≤ (1 + η·ratio)ᵀ·max(‖w_0‖, ε).

    Parameters
    ----------
    gradient, parameter : array_like
        Of one shape.
    ratio : float
        λ of the paper, positive.
    epsilon : float
        Replaces the norm of weights that are smaller, positive.
    axis : int or tuple of int, optional
        The axes along which the entries make one unit. Unless given, as in the reference's code: a scalar or a vector
        is one unit, and otherwise each index of the first axis, such as a row of a matrix, is one; arrays that have
        the outputs on the last axis, as in JAX, need ``axis=0``. With ``axis=()`` each entry is one.

    Returns
    -------
    ndarray
        Of the gradient's shape. Rounding does not lift a norm above its bound, nor do squares overflow or underflow.

    Raises
    ------
    InvalidArgument
        If shapes differ, a number is not positive, or there is no such axis.

    References
    ----------
    A. Brock et al., "High-performance large-scale image recognition without normalization" (2021), equation 3, and
    `unitwise_norm` in its code, in optax and in timm.

    Examples
    --------
    >>> adaptive_clip([[5.0, 0.0], [0.001, 0.0]], [[2.0, 0.0], [0.0, 1.0]])
    array([[0.02 , 0.   ],
           [0.001, 0.   ]])

    """
    gradients, weights = read_array(gradient, "gradient"), read_array(parameter, "parameter")
    if gradients.shape != weights.shape:
        raise InvalidArgument("gradient.shape", gradients.shape, f"must be that of the parameter, {weights.shape}")
    share, least = read_positive_float(ratio, "ratio"), read_positive_float(epsilon, "epsilon")
    axes = _unit_axes(gradients.ndim) if axis is None else axis
    try:
        (scale, scaled), (size, scaled_size) = (scaled_norm(each, axes) for each in (gradients, weights))
    except (TypeError, ValueError, OverflowError):  # numpy.exceptions.AxisError is a ValueError
        raise InvalidArgument("axis", axis, f"must be axes of an array of {gradients.ndim} dimensions") from None

    def bound(unit: Array | float) -> Array:
        return toward_zero(np.maximum(share * unit * size * scaled_size, share * unit * least) * shrink(gradients.size))

    with np.errstate(all="ignore"):
        # Norms that both overflow are compared in units of 2¹⁰⁰.
        unit = np.where(np.minimum(scale * scaled, bound(1.0)) > _LARGE, 2.0**-100, 1.0)
        most = bound(unit)
        clipped = _scaled(gradients, scale, most / scaled) / unit
        return np.where(scale * unit * scaled > most, clipped, gradients)


def _scaled(array: Array, scale: Array, target: Array) -> Array:
    """Return an array times target/scale, which may overflow or underflow where the products do not."""
    factor = target / scale
    usual = (factor >= NORMAL) & np.isfinite(factor)
    return toward_zero(np.where(usual, array * factor, array / scale * target))


def _unit_axes(dimensions: int) -> tuple[int, ...] | None:
    """Return the axes of one unit: all of a scalar or a vector, all but the first of other arrays."""
    return tuple(range(1, dimensions)) if dimensions > 1 else None
