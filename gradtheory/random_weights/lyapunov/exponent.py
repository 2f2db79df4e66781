"""How fast the gradient product of a random chain grows: typically, and in mean square."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import Array, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.lyapunov.extent import has_heavy_tail, is_bounded, law_of, left_out
from gradtheory.random_weights.lyapunov.fate import LOG_NORMAL, Fate, log_of
from gradtheory.random_weights.lyapunov.slopes import is_flat_somewhere, log_slope
from gradtheory.random_weights.lyapunov.stationary import StationaryLaw
from gradtheory.typing import ActivationLike, NumberLike

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


def lyapunov_exponent(
    activation: ActivationLike, sigma_w: NumberLike = 1.0, sigma_b: NumberLike = 1.0
) -> LyapunovExponent:
    r"""Return the Lyapunov exponent of a chain of single neurons with independent Gaussian weights and biases.

    z = w·a + b with w ~ N(0, σ_w²), b ~ N(0, σ_b²) and a = σ(z) of the layer before. The stationary law of the chain
    comes from its transfer operator (see `gradtheory.lyapunov.stationary`).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : number
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
    has_mean = not (is_flat_somewhere(record) or has_heavy_tail(record, weight))
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
    """Raise InvalidArgument where z has no stationary law: where it falls to 0 or escapes."""
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


def _refused(argument: str, rule: str) -> Callable[[Fate], LyapunovExponent]:
    """Return the answer that refuses a chain: one line on an argument, with the chain's numbers in it."""

    def refuse(fate: Fate) -> LyapunovExponent:
        name = fate.record.name
        values = {"activation": name, "sigma_w": fate.sigma_w, "sigma_b": fate.sigma_b}
        raise InvalidArgument(argument, values[argument], rule.format(name=name, sigma_w=fate.sigma_w))

    return refuse


def _at_zero(fate: Fate) -> LyapunovExponent:
    """Return the exponents where σ is two half-lines: each factor is one of their slopes, whatever came before."""
    slopes = np.array(fate.near)
    return _independent(fate.sigma_w, float(np.mean(log_of(slopes))), float(np.mean(slopes**2)))


def _at_rest(fate: Fate) -> LyapunovExponent:
    """Return the exponents of a chain that stays at z = 0."""
    slope = np.abs(fate.record.slope(np.zeros(1)))
    return _independent(fate.sigma_w, float(log_of(slope)[0]), float(slope[0] ** 2))


def _far_out(fate: Fate) -> LyapunovExponent:
    """Return the exponents where |z| tends to infinity: expectations at one great scale of z."""
    record, sigma_w = fate.record, fate.sigma_w
    scale = 50.0 * float(record.period) if record.period is not None else _FAR
    law = StationaryLaw(record, sigma_w, 0.0, np.array([scale]), np.ones(1), 0.0)
    (mean_log, square, _), (error, _) = _in_law(law, logs=not is_flat_somewhere(record))
    value = math.log(sigma_w) + LOG_NORMAL + float(mean_log)
    half = _half_log(float(square))
    from_limit = 0.0 if record.period is not None else 1.0 / scale  # averages over many periods have converged
    return LyapunovExponent(value, float(error) + from_limit, half, half)


# What becomes of chains without a stationary law, and the answer; the first case that holds counts.
_CASES: tuple[tuple[Callable[[Fate], bool], Callable[[Fate], LyapunovExponent]], ...] = (
    (
        Fate.has_unbounded_slope,
        _refused("activation", "has an unbounded slope: log|σ'| has no mean in its chain; take a bounded slope"),
    ),
    (
        Fate.depends_on_the_draw,
        _refused(
            "sigma_w",
            "makes chains of {name} either die out or diverge, depending on the draw, so that no single exponent "
            "exists; take another",
        ),
    ),
    (Fate.dies_out, _at_zero),
    (Fate.comes_to_rest, _at_rest),
    (
        Fate.sinks,
        _refused(
            "sigma_b",
            "must be positive for {name} with sigma_w = {sigma_w}: without biases z comes closer to 0 than floats can "
            "follow",
        ),
    ),
    (Fate.escapes, _far_out),
)


def _without_law(record: Activation, sigma_w: float, sigma_b: float) -> LyapunovExponent | None:
    """Return the exponents where z has no stationary law, or none but 0; None where it has one."""
    fate = Fate(record, sigma_w, sigma_b)
    return next((answer(fate) for holds, answer in _CASES if holds(fate)), None)


def _independent(sigma_w: float, mean_log: float, mean_square: float) -> LyapunovExponent:
    """Return the exponents of independent factors."""
    half = _half_log(sigma_w**2 * mean_square)
    value = math.log(sigma_w) + LOG_NORMAL + mean_log
    return LyapunovExponent(value, _EPSILON * max(1.0, abs(value)) if math.isfinite(value) else 0.0, half, half)
