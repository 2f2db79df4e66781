"""Gradients of wide networks, layer by layer, and the singular values of the whole Jacobian."""

import math
from dataclasses import dataclass

import numpy as np
import sympy
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, one_of, read_depth, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.floats import FLOAT_TYPES
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import GRID, moment_table, moments_at
from gradtheory.typing import ActivationLike, NumberLike

_FIRST_LAYERS, _STEPS, _SLOWEST = 300, 20_001, 1e-15
_SMALLEST = 1e-200  # variances below are 0


def gradients(activation: ActivationLike, depth: int, sigma_w: NumberLike, sigma_b: NumberLike = 0.0) -> Array:
    r"""Return the mean square of the gradient ∂C/∂z_l in every layer of a wide network, for inputs of mean square 1.

    q_1 = σ_w² + σ_b² and q_{l+1} from the variance map; E[σ'(√q_L z)²] in the last layer, where ∂C/∂a is drawn from
    N(0, 1), and times χ₁(q_l) in every layer before.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth : int
        The number of layers L.
    sigma_w, sigma_b : number
        As for `fixed_points`.

    Returns
    -------
    ndarray of shape (L,)

    Raises
    ------
    InvalidArgument
        If the variance leaves the range of float64 on the way, or the slope has no second moment.

    References
    ----------
    Schoenholz et al. (2017), equation 13.

    Examples
    --------
    >>> gradients("relu", 3, sigma_w=2**0.5)
    array([0.5, 0.5, 0.5])

    """
    record = as_activation(activation)
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    slopes = np.zeros(read_depth(depth))
    q = weight**2 + bias**2
    for layer in range(len(slopes)):
        if q < _SMALLEST:
            slopes[layer:] = Origin.of(record).mean_square_slope
            break
        moments = moments_at(record, np.array([q]))
        if not math.isfinite(moments.value[0]):
            raise InvalidArgument(
                "depth", depth, f"the variance leaves float64 in layer {layer + 1}; take fewer layers"
            )
        if not math.isfinite(moments.slope[0]):
            raise InvalidArgument("activation", record.name, f"has no finite E[σ'²] in layer {layer + 1}")
        slopes[layer] = moments.slope[0]
        q = float(weight**2 * moments.value[0] + bias**2)
    factors = np.concatenate([slopes[-1:], weight**2 * slopes[-2::-1]])
    return np.asarray(np.cumprod(factors)[::-1])


def lasting_depth(activation: ActivationLike, sigma_w: NumberLike, dtype: str = "float32") -> int | float:
    r"""Return after how many layers a gradient's root mean square leaves a float type, where χ₁ → 1 without biases.

    For inputs of mean square 1; inf if it never does on the way to q = 1e12 or 1e-12. The first layers are taken one by
    one; then the variance changes so little in each that layers are ∫ dt/h, with h the excess log(V(q)/q) over t =
    log q, and the logarithm of the gradient's mean square is ∫ log χ₁·dt/h.

    Examples
    --------
    >>> round(lasting_depth("elu", 2**0.5), -2)  # a power of the number of layers
    48100

    """
    record, weight = as_activation(activation), read_positive_float(sigma_w, "sigma_w")
    floats = FLOAT_TYPES[one_of(dtype, "dtype", tuple(FLOAT_TYPES))]
    least, most = (2.0 * float(sympy.log(sympy.Rational(end)).n(20)) for end in (floats.underflow, floats.overflow))
    q, total = weight**2, 0.0
    for layer in range(_FIRST_LAYERS):
        at = moments_at(record, np.array([q]))
        total += math.log(weight**2 * at.slope[0])
        if not least < total < most:
            return layer + 1
        q = float(weight**2 * at.value[0])
    nodes, table = np.log(GRID), moment_table(record)
    with np.errstate(all="ignore"):
        excess, grows = np.log(weight**2 * table.value) - nodes, np.log(weight**2 * table.slope)
    side = 1.0 if math.log(q) < nodes[-1] and np.interp(math.log(q), nodes, excess) > 0.0 else -1.0
    ahead = np.linspace(math.log(q), side * nodes[-1], _STEPS)
    rate = side * np.exp(-CubicSpline(nodes, np.log(np.maximum(side * excess, _SLOWEST)))(ahead))
    layers = cumulative_trapezoid(rate, ahead, initial=0)
    logs = total + cumulative_trapezoid(CubicSpline(nodes, grows)(ahead) * rate, ahead, initial=0)
    left = np.flatnonzero((logs <= least) | (logs >= most))
    return _FIRST_LAYERS + round(float(layers[left[0]])) if left.size else math.inf


@dataclass(frozen=True)
class JacobianMoments(ShownAsTable):
    """The squared singular values of the Jacobian from the first pre-activations to the last, averaged.

    Attributes
    ----------
    mean : float
        χ₁^L.
    variance : float
        Their spread; with it grow the largest ones, while the mean stays.

    """

    mean: float
    variance: float


def jacobian_moments(
    activation: ActivationLike, depth: int, q: NumberLike, sigma_w: NumberLike, *, weights: str = "gaussian"
) -> JacobianMoments:
    r"""Return mean and variance of the squared singular values of a wide network's input-output Jacobian.

    χ₁^L and χ₁^(2L)·L·(μ₂/μ₁² - 1 - s₁), where μ_k = E[σ'(√q z)^(2k)], and s₁ is -1 for Gaussian weights and 0 for
    orthogonal ones.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    depth : int
        The number of layers L.
    q : number
        The variance of the pre-activations, the same in every layer: a fixed point.
    sigma_w : number
        The standard deviation of the weights, times √fan_in.
    weights : {"gaussian", "orthogonal"}
        How each layer's weights are drawn.

    Returns
    -------
    JacobianMoments
        The mean and the variance, as floats.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, or another argument breaks a rule.

    References
    ----------
    Pennington, Schoenholz & Ganguli, "Resurrecting the sigmoid in deep learning through dynamical isometry" (2017),
    equations 17 and 22, and "The emergence of spectral universality in deep networks" (2018).

    Examples
    --------
    >>> round(jacobian_moments("identity", 10, q=1, sigma_w=1).variance, 10)
    10.0
    >>> abs(jacobian_moments("identity", 10, q=1, sigma_w=1, weights="orthogonal").variance) < 1e-13
    True

    """
    many = read_depth(depth)
    free = -1.0 if one_of(weights, "weights", ("gaussian", "orthogonal")) == "gaussian" else 0.0
    variance = read_positive_float(q, "q")
    first, second = (float(moment(activation, variance, of=kind)) for kind in ("slope", "fourth"))
    chi = read_positive_float(sigma_w, "sigma_w") ** 2 * first
    return JacobianMoments(chi**many, chi ** (2 * many) * many * (second / first**2 - 1.0 - free))
