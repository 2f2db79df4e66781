"""How fast the gradient product of a random chain grows: typically, and in mean square."""

import math
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import Array, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.extent import is_bounded, law_of, left_out, tail_is_too_heavy
from gradtheory.random_weights.lyapunov.slopes import (
    fades,
    far_growth,
    growth_at_zero,
    is_flat_somewhere,
    log_slope,
    vanishes_somewhere,
)
from gradtheory.random_weights.lyapunov.stationary import StationaryLaw
from gradtheory.typing import ActivationLike, NumberLike

LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|
_EPSILON = 4e-16
_FAR = 1e12
_MOST = 1e100
_WIDEST = 1e50


@dataclass(frozen=True)
class LyapunovExponent:
    """The growth of the gradient product Π σ'(z_l)·w_l per layer, as logarithms.

    Attributes
    ----------
    value : float
        λ = E log|σ'(z)·w| in the stationary law: almost every chain's gradient goes like exp(λL). -inf where the slope
        is 0 with positive probability.
    error : float
        A bound of the numerical error of `value`, estimated from two discretisations.
    mean_square : float
        ½·log E[(σ'(z)·w)²], of one factor; never less than `value`.
    mean_square_rate : float
        The rate at which the root mean square of the whole product grows; it differs from `mean_square`, since
        neighbouring factors depend on each other. nan where z may come arbitrarily close to 0 or to infinity, for
        then it depends on where the chain starts.

    """

    value: float
    error: float
    mean_square: float
    mean_square_rate: float

    @property
    def growth(self) -> float:
        """exp(λ), the typical factor per layer; `overflow_depth` takes it."""
        return math.exp(self.value)

    @property
    def gap(self) -> float:
        """`mean_square` - `value`: how far averages mislead, since a few chains carry the mean; never negative."""
        return self.mean_square - self.value


def lyapunov_exponent(activation: ActivationLike, sigma_w: float = 1.0, sigma_b: float = 1.0) -> LyapunovExponent:
    r"""Return the Lyapunov exponent of a chain of single neurons with independent Gaussian weights and biases.

    z = w·a + b with w ~ N(0, σ_w²), b ~ N(0, σ_b²) and a = σ(z) of the layer before. The stationary law of the chain
    comes from its transfer operator (see `gradtheory.lyapunov.stationary`).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : float
        Standard deviations; σ_w positive, σ_b not negative.

    Returns
    -------
    LyapunovExponent

    Raises
    ------
    InvalidArgument
        If a standard deviation is out of range, σ' is unbounded, or two different limits are possible.

    References
    ----------
    S. Meyn & R. Tweedie, "Markov Chains and Stochastic Stability" (2009), theorem 17.0.1: the law of large numbers.

    Examples
    --------
    >>> chain = lyapunov_exponent("sigmoid", sigma_w=1, sigma_b=1)
    >>> round(chain.value, 12), chain.error < 1e-12
    (-2.307584790925, True)
    >>> lyapunov_exponent("relu", sigma_w=2).value  # half of the neurons are off
    -inf

    """
    record = as_activation(activation)
    weight, bias = standard_deviations(sigma_w, sigma_b)
    known = _without_law(record, weight, bias)
    if known is not None:
        return known
    has_mean = not (is_flat_somewhere(record) or tail_is_too_heavy(record, weight))
    (coarse, _), (fine, error) = (_in_law(law, logs=has_mean) for law in law_of(record, weight, bias))
    value = math.log(weight) + LOG_NORMAL + float(fine[0])
    if not has_mean:
        value, spread = -math.inf, 0.0
    else:
        spread = 4.0 * abs(float(fine[0] - coarse[0])) + float(error[0]) + left_out(record, weight, bias)
        spread += _EPSILON * max(1.0, abs(value))
        if value < -_MOST:
            raise InvalidArgument(
                "sigma_w", sigma_w, f"makes E log|σ'| of {record.name} exceed float64; take a smaller one"
            )
    rate = float(fine[2]) if is_bounded(record, bias) else math.nan
    return LyapunovExponent(value, spread, max(_half_log(float(fine[1])), value), rate)


def standard_deviations(sigma_w: NumberLike, sigma_b: NumberLike) -> tuple[float, float]:
    """Return both standard deviations, or refuse those whose squares leave float64."""
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    for number, name in ((weight, "sigma_w"), (bias, "sigma_b")):
        if number > _WIDEST or 0.0 < number < 1.0 / _WIDEST:
            raise InvalidArgument(name, number, f"must lie between {1 / _WIDEST:g} and {_WIDEST:g}, such as 1")
    return weight, bias


def require_stationary_law(record: Activation, sigma_w: float, sigma_b: float) -> None:
    """Refuse chains whose z falls to 0 or escapes."""
    if _without_law(record, sigma_w, sigma_b) is not None:
        raise InvalidArgument(
            "sigma_b", sigma_b, f"makes chains of {record.name} with sigma_w = {sigma_w} fall to 0 or escape; give z"
        )


def _in_law(law: StationaryLaw, *, logs: bool) -> tuple[Array, Array]:
    """Return E log|σ'(z)| (0 unless wanted), E[(σ'(z)·w)²] and the rate of the mean square; errors of the first two."""
    own = np.square(law.sigma_b / law.scale)

    def integrand(z: Array, xi: Array, owner: np.ndarray) -> Array:
        slope = law.record.slope(z)
        log_of_slope = log_slope(law.record, z, slope) if logs else np.zeros_like(z)
        mean_square_weight = own[owner] + (1.0 - own[owner]) * xi * xi  # E[w² | z]/σ_w²
        return np.stack([log_of_slope, np.square(law.sigma_w * slope) * mean_square_weight])

    value, error = law.expected(integrand, floor=(1.0, 1e-3))  # a logarithm near 0 has an absolute rounding error
    return np.append(value, law.mean_square_rate), error


def _half_log(mean_square: float) -> float:
    return 0.5 * math.log(mean_square) if mean_square > 0.0 else -math.inf


def _without_law(record: Activation, sigma_w: float, sigma_b: float) -> LyapunovExponent | None:
    """Return the exponents where z has no stationary law but 0 or none at all; None where it has one."""
    if record.steepest_slope.is_infinite:
        raise InvalidArgument(
            "activation", record.name, "has an unbounded slope: log|σ'| has no mean in its chain; take a bounded slope"
        )
    far = far_growth(record)
    escapes = min(far) > 0.0 and _drift(sigma_w, far) > 0.0
    near = growth_at_zero(record) if sigma_b == 0.0 else None
    dies_out = near is not None and _drift(sigma_w, near) <= 0.0
    if escapes and dies_out and not near == far:
        raise InvalidArgument(
            "sigma_w",
            sigma_w,
            f"makes chains of {record.name} fall to 0 or escape, as chance will: there is no one limit",
        )
    if dies_out and near is not None:
        slopes = np.array(near)
        return _product(sigma_w, float(np.mean(_log(slopes))), float(np.mean(slopes**2)))
    if not sigma_b and not escapes and vanishes_somewhere(record):
        at_rest = np.abs(record.slope(np.zeros(1)))  # once z is 0 it stays there
        return _product(sigma_w, float(_log(at_rest)[0]), float(at_rest[0] ** 2))
    if not sigma_b and fades(record):
        raise InvalidArgument(
            "sigma_b",
            sigma_b,
            f"must be positive for {record.name} with sigma_w = {sigma_w}: without biases z sinks to 0 deeper than can "
            "be followed",
        )
    if escapes:
        scale = 50.0 * float(record.period) if record.period is not None else _FAR
        law = StationaryLaw(record, sigma_w, 0.0, np.array([scale]), np.ones(1), 0.0)
        (mean_log, square, _), (error, _) = _in_law(law, logs=not is_flat_somewhere(record))
        found = math.log(sigma_w) + LOG_NORMAL + float(mean_log)
        half = _half_log(float(square))
        from_limit = 0.0 if record.period is not None else 1.0 / scale  # an average over periods is soon exact
        return LyapunovExponent(found, float(error) + from_limit, half, half)
    return None


def _product(sigma_w: float, mean_log: float, mean_square: float) -> LyapunovExponent:
    """Return the exponents where the factors are independent."""
    half = _half_log(sigma_w**2 * mean_square)
    value = math.log(sigma_w) + LOG_NORMAL + mean_log
    return LyapunovExponent(value, _EPSILON * max(1.0, abs(value)) if math.isfinite(value) else 0.0, half, half)


def _drift(sigma_w: float, growth: tuple[float, float]) -> float:
    """Return the mean growth of log|z| where σ is two half-lines of these slopes."""
    return math.log(sigma_w) + LOG_NORMAL + float(np.mean(_log(np.array(growth))))


def _log(numbers: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(numbers))
