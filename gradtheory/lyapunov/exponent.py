"""How fast the gradient product of a random chain grows: typically, and in mean square."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import gammaln

from gradtheory.activations import Activation, activation
from gradtheory.errors import InvalidArgument
from gradtheory.inputs import Array, nonnegative_array, positive_array
from gradtheory.lyapunov.slopes import far_growth, growth_at_zero, is_flat_somewhere, log_slope, tail_power
from gradtheory.lyapunov.stationary import COARSE, FINE, StationaryLaw, stationary_law

LOG_NORMAL = -(np.euler_gamma + math.log(2.0)) / 2.0  # E log|N(0, 1)|
_CUT = 12.0  # standard deviations
_EFOLDS = 36.0  # of probability that are followed
_LONGEST = 72.0  # of log s
_LOW = -20.0
_FAR = 1e12


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
        neighbouring factors depend on each other.

    """

    value: float
    error: float
    mean_square: float
    mean_square_rate: float

    @property
    def gap(self) -> float:
        """How much faster the root mean square grows than almost every single chain: rare chains carry the mean."""
        return self.mean_square_rate - self.value


def lyapunov_exponent(
    name: str | sympy.Expr | Activation, sigma_w: float = 1.0, sigma_b: float = 1.0
) -> LyapunovExponent:
    r"""Return the Lyapunov exponent of a chain of single neurons with independent Gaussian weights and biases.

    z = w·a + b with w ~ N(0, σ_w²), b ~ N(0, σ_b²) and a = σ(z) of the layer before. The stationary law of the chain
    comes from its transfer operator (see `gradtheory.lyapunov.stationary`).

    Parameters
    ----------
    name : str, sympy.Expr or Activation
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
    H. Furstenberg & H. Kesten, "Products of random matrices", Ann. Math. Stat. 31 (1960); for the product's moments,
    J. Tutubalin, "On limit theorems for products of random matrices" (1965).

    Examples
    --------
    >>> chain = lyapunov_exponent("sigmoid", sigma_w=1, sigma_b=1)
    >>> round(chain.value, 12), chain.error < 1e-12
    (-2.307584790925, True)
    >>> lyapunov_exponent("relu", sigma_w=2).value  # half of the neurons are off
    -inf

    """
    record = activation(name)
    weight, bias = (
        float_of(positive_array(sigma_w, "sigma_w"), "sigma_w"),
        float_of(nonnegative_array(sigma_b, "sigma_b"), "sigma_b"),
    )
    known = _without_law(record, weight, bias)
    if known is not None:
        return known
    has_mean = not (is_flat_somewhere(record) or _tail_is_too_heavy(record, weight))
    (coarse, _), (fine, error) = (_in_law(law, logs=has_mean) for law in law_of(record, weight, bias))
    value = math.log(weight) + LOG_NORMAL + float(fine[0])
    if not has_mean:
        value, spread = -math.inf, 0.0
    else:
        spread = 4.0 * abs(float(fine[0] - coarse[0])) + float(error[0]) + _lost(record, weight, bias)
    return LyapunovExponent(value, spread, _half_log(float(fine[1])), float(fine[2]))


def law_of(record: Activation, sigma_w: float, sigma_b: float) -> tuple[StationaryLaw, StationaryLaw]:
    """Return the stationary law in two resolutions, the finer one last."""
    ends = _ends(record, sigma_w, sigma_b)
    coarse, fine = (stationary_law(record, sigma_w, sigma_b, ends, each) for each in (COARSE, FINE))
    return coarse, fine


def no_stationary_law(record: Activation, sigma_w: float, sigma_b: float) -> None:
    """Refuse chains whose z falls to 0 or escapes."""
    if _without_law(record, sigma_w, sigma_b) is not None:
        raise InvalidArgument(
            "sigma_b", sigma_b, f"makes chains of {record.name} with sigma_w = {sigma_w} fall to 0 or escape; give z"
        )


def float_of(array: Any, name: str) -> float:
    """Return a 0-d array as a float, or refuse others."""
    if array.ndim:
        raise InvalidArgument(name, array, "must be one number, such as 1")
    return float(array)


def _in_law(law: StationaryLaw, *, logs: bool) -> tuple[Array, Array]:
    """Return E log|σ'(z)| (0 if it is not wanted), E[(σ'(z)·w)²] and the rate of the mean square; errors of the first."""
    own = np.square(law.sigma_b / law.scale)

    def integrand(z: Array, xi: Array, owner: np.ndarray) -> Array:
        slope = law.record.slope(z)
        log_of_slope = log_slope(law.record, z, slope) if logs else np.zeros_like(z)
        mean_square_weight = own[owner] + (1.0 - own[owner]) * xi * xi  # E[w² | z]/σ_w²
        return np.stack([log_of_slope, np.square(law.sigma_w * slope) * mean_square_weight])

    value, error = law.expected(integrand)
    return np.append(value, law.mean_square_rate), error


def _half_log(mean_square: float) -> float:
    return 0.5 * math.log(mean_square) if mean_square > 0.0 else -math.inf


def _without_law(record: Activation, sigma_w: float, sigma_b: float) -> LyapunovExponent | None:
    """Return the exponents where z has no stationary law but 0 or none at all; None where it has one."""
    if record.steepest_slope.is_infinite:
        raise InvalidArgument(
            "activation", record.name, "has an unbounded slope: log|σ'| has no mean in its chain; take a bounded slope"
        )
    if not sigma_b and record.value(0.0) != 0.0 and record.slope(0.0) == 0.0 and record.limits == (0, 0):
        raise InvalidArgument(
            "sigma_b", sigma_b, f"must be positive for {record.name}: without biases its z sinks to 0"
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
    if escapes:
        scale = 50.0 * float(record.period) if record.period is not None else _FAR
        law = StationaryLaw(record, sigma_w, 0.0, np.array([scale]), np.ones(1), 0.0)
        (mean_log, square, _), (error, _) = _in_law(law, logs=not is_flat_somewhere(record))
        found = math.log(sigma_w) + LOG_NORMAL + float(mean_log)
        half = _half_log(float(square))
        return LyapunovExponent(found, float(error) + 1.0 / scale, half, half)
    return None


def _product(sigma_w: float, mean_log: float, mean_square: float) -> LyapunovExponent:
    """Return the exponents where the factors are independent."""
    half = _half_log(sigma_w**2 * mean_square)
    value = math.log(sigma_w) + LOG_NORMAL + mean_log
    return LyapunovExponent(value, 4e-16 * max(1.0, abs(value)) if math.isfinite(value) else 0.0, half, half)


def _drift(sigma_w: float, growth: tuple[float, float]) -> float:
    """Return the mean growth of log|z| where σ is two half-lines of these slopes."""
    return math.log(sigma_w) + LOG_NORMAL + float(np.mean(_log(np.array(growth))))


def _log(numbers: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(numbers))


def _ends(record: Activation, sigma_w: float, sigma_b: float) -> tuple[float, float]:
    """Return between which ends log s stays, or which part of it matters."""
    if record.range.inf.is_finite and record.range.sup.is_finite:
        upper = math.log(math.hypot(sigma_w * max(abs(float(record.range.inf)), abs(float(record.range.sup))), sigma_b))
    else:
        upper = _upper(record, sigma_w, sigma_b)
    lower = math.log(sigma_b) if sigma_b else -math.inf
    if record.value(0.0) != 0.0:
        lower = max(lower, _LOW)
    if lower == -math.inf:
        lower = upper - min(_LONGEST, _EFOLDS / _power_at_zero(record, sigma_w))
    return min(lower, upper - 1e-6), upper


def _upper(record: Activation, sigma_w: float, sigma_b: float) -> float:
    """Return the log of an s that is practically never exceeded."""
    scale = max(sigma_b, 1.0)
    for _ in range(200):
        reach = np.max(np.abs(record.value(np.array([-_CUT, _CUT]) * scale)))
        scale = max(1.0, math.hypot(sigma_w * float(reach), sigma_b))
        if scale > _FAR:
            power = _power_far_out(record, sigma_w) - tail_power(record)
            return math.log(max(sigma_b, sigma_w, 1.0)) + min(_LONGEST, 4.0 + _EFOLDS / max(power, 1e-3))
    return math.log(scale)


def _lost(record: Activation, sigma_w: float, sigma_b: float) -> float:
    """Return about how much probability the ends leave out."""
    lower, upper = _ends(record, sigma_w, sigma_b)
    powers = []
    if sigma_b == 0.0 and record.value(0.0) == 0.0:
        powers.append(_power_at_zero(record, sigma_w))
    if not (record.range.inf.is_finite and record.range.sup.is_finite) and max(far_growth(record)) > 0.0:
        powers.append(_power_far_out(record, sigma_w) - tail_power(record))
    return sum(math.exp(-power * (upper - lower)) * max(1.0, 1.0 / power) for power in powers if power > 0.0)


def _power_far_out(record: Activation, sigma_w: float) -> float:
    """Return α with P(s > x) ~ x^-α: E(σ_w·|ξ|·slope)^α = 1 (H. Kesten, Acta Math. 131, 1973)."""
    return _kesten(sigma_w, far_growth(record), 1.0)


def _power_at_zero(record: Activation, sigma_w: float) -> float:
    """Return κ with P(s < x) ~ x^κ near 0, without biases."""
    near = growth_at_zero(record)
    return 1.0 if near is None else -_kesten(sigma_w, near, -1.0)


def _kesten(sigma_w: float, growth: tuple[float, float], side: float) -> float:
    slopes = [each for each in growth if each > 0.0]
    if not slopes:
        return math.inf

    def log_moment(power: float) -> float:
        absolute = power / 2 * math.log(2.0) + gammaln((power + 1) / 2) - math.log(math.pi) / 2
        return float(power * math.log(sigma_w) + absolute + math.log(sum(each**power for each in slopes) / 2))

    if side < 0.0:
        return float(brentq(log_moment, -1.0 + 1e-9, -1e-9)) if log_moment(-1e-9) < 0.0 else -1e-9
    if log_moment(1e-9) >= 0.0:
        return 1e-9
    last = 1.0
    while log_moment(last) < 0.0 and last < 1e6:
        last *= 2.0
    return float(brentq(log_moment, 1e-9, last)) if last < 1e6 else math.inf


def _tail_is_too_heavy(record: Activation, sigma_w: float) -> bool:
    """Return whether log|σ'(z)| falls so fast, and z is large so often, that its mean is -inf."""
    power = tail_power(record)
    return power > 0.0 and max(far_growth(record)) > 0.0 and _power_far_out(record, sigma_w) <= power


@dataclass(frozen=True)
class LargestExponent:
    """The supremum of the Lyapunov exponent over all standard deviations of weights and biases.

    Attributes
    ----------
    value : float
        sup λ. Where it is negative, no choice makes the gradient of almost every chain grow.
    sigma_w, sigma_b : float
        Where it is reached.

    """

    value: float
    sigma_w: float
    sigma_b: float


def largest_lyapunov_exponent(name: str | sympy.Expr | Activation) -> LargestExponent:
    """Return the largest Lyapunov exponent over σ_w in [1e-2, 1e3] and σ_b in [0, 1e2], found by search in float64.

    Parameters
    ----------
    name : str, sympy.Expr or Activation
        The activation, of bounded range.

    Raises
    ------
    InvalidArgument
        If the range is unbounded: then λ grows with σ_w without bound, or is -inf.

    Examples
    --------
    >>> found = largest_lyapunov_exponent("sigmoid")  # it cannot explode
    >>> round(found.value, 6), round(found.sigma_w, 4), found.sigma_b
    (-1.43, 3.3, 0.0)

    """
    record = activation(name)
    if not (record.range.inf.is_finite and record.range.sup.is_finite):
        raise InvalidArgument("activation", record.name, "must have a bounded range, such as sigmoid or tanh")

    def negative(log_w: float, sigma_b: float) -> float:
        return -lyapunov_exponent(record, math.exp(log_w), sigma_b).value

    starts = [
        (value, log_w, bias)
        for log_w in np.linspace(-3.0, 5.0, 17)
        for bias in (0.0, 0.3, 1.0, 3.0)
        if math.isfinite(value := negative(log_w, bias))
    ]
    _, log_w, bias = min(starts)
    line = minimize_scalar(lambda each: negative(each, 0.0), bracket=(log_w - 0.5, log_w, log_w + 0.5), tol=1e-10)
    plane = minimize(
        lambda each: negative(each[0], abs(each[1])),
        (log_w, bias + 0.1),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12},
    )
    if plane.fun < line.fun - 1e-9:
        return LargestExponent(-float(plane.fun), math.exp(plane.x[0]), abs(float(plane.x[1])))
    return LargestExponent(-float(line.fun), math.exp(line.x), 0.0)
