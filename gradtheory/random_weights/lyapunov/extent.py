"""How far the stationary law reaches: the range of log s that its discretisation has to cover."""

import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln

from gradtheory.activations import Activation
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian.places import places_and_period
from gradtheory.random_weights.gaussian.second_moments import tends_to_0
from gradtheory.random_weights.lyapunov.fate import LOG_NORMAL
from gradtheory.random_weights.lyapunov.slopes import far_growth, flat_around_zero, growth_at_zero, tail_power
from gradtheory.random_weights.lyapunov.stationary import COARSE, FINE, StationaryLaw, stationary_law

_CUT = 12.0  # standard deviations
_EFOLDS = 36.0  # of probability that are followed
_LONGEST = 72.0  # of log s, on either side
_LOW = -20.0
_NEAREST = 1e-300
_FAR = 1e12
_PLACES = np.concatenate([-(0.5 ** np.arange(40)), 0.5 ** np.arange(40)])
_MOST_PERIODS = 200
_MOST_LOST = 0.5


def law_of(record: Activation, sigma_w: float, sigma_b: float) -> tuple[StationaryLaw, StationaryLaw]:
    """Return the stationary law in two resolutions, the finer one last."""
    ends = ends_of(record, sigma_w, sigma_b)
    if record.period is not None and math.exp(ends[1]) > _MOST_PERIODS * record.period:
        raise InvalidArgument(
            "sigma_w", sigma_w, f"spreads z over more than {_MOST_PERIODS} periods of {record.name}; take a smaller one"
        )
    _refuse_near_standstill(record, sigma_w, sigma_b)
    coarse, fine = (stationary_law(record, sigma_w, sigma_b, ends, each) for each in (COARSE, FINE))
    return coarse, fine


def _refuse_near_standstill(record: Activation, sigma_w: float, sigma_b: float) -> None:
    lost = left_out(record, sigma_w, sigma_b)
    if lost > _MOST_LOST:
        raise InvalidArgument(
            "sigma_w",
            sigma_w,
            f"is so near to where chains of {record.name} fall to 0, or escape, that their law is too wide to be "
            "found; take another",
        )


def left_out(record: Activation, sigma_w: float, sigma_b: float) -> float:
    """Return about how much probability the ends leave out."""
    lower, upper = ends_of(record, sigma_w, sigma_b)
    middle = math.log(max(sigma_b, sigma_w))
    tails = []
    if sigma_b == 0.0 and tends_to_0(record):
        tails.append((_power_at_zero(record, sigma_w), middle - lower))
    if not (record.range.inf.is_finite and record.range.sup.is_finite) and max(far_growth(record)) > 0.0:
        tails.append((_power_far_out(record, sigma_w) - tail_power(record), upper - middle))
    return sum(math.exp(-power * length) * max(1.0, 1.0 / power) for power, length in tails if power > 0.0)


def ends_of(record: Activation, sigma_w: float, sigma_b: float) -> tuple[float, float]:
    """Return between which ends log s stays, or which part of it matters."""
    if record.range.inf.is_finite and record.range.sup.is_finite:
        upper = math.log(math.hypot(sigma_w * max(abs(float(record.range.inf)), abs(float(record.range.sup))), sigma_b))
    else:
        upper = _upper(record, sigma_w, sigma_b)
    lower = math.log(sigma_b) if sigma_b else -math.inf
    beside_0 = float(np.max(np.abs(record.value(np.array([-_NEAREST, _NEAREST])))))
    if not tends_to_0(record) and beside_0 > _NEAREST:  # else σ is another at 0 alone
        start = min(0.0, math.log(sigma_w * beside_0))  # where z ≈ 0 goes to, which may be tiny itself
        lower = max(lower, start + (_LOW if record.slope(0.0) else -_EFOLDS))
    if lower == -math.inf and (flat := min(flat_around_zero(record))) > 0.0:
        lower = min(upper, math.log(flat / _CUT))  # below, no gradient is left
    elif lower == -math.inf:
        lower = min(upper, math.log(sigma_w)) - min(_LONGEST, _EFOLDS / _power_at_zero(record, sigma_w))
    return min(lower, upper - 1e-6), upper


def _upper(record: Activation, sigma_w: float, sigma_b: float) -> float:
    """Return the log of an s that is practically never exceeded."""
    scale, turns = max(sigma_b, 1.0), np.array(places_and_period(record)[0])
    for _ in range(200):
        reach = np.max(np.abs(record.value(np.concatenate([_CUT * scale * _PLACES, turns]))))
        scale = max(1.0, math.hypot(sigma_w * float(reach), sigma_b))
        if scale > _FAR:
            power = _power_far_out(record, sigma_w) - tail_power(record)
            return math.log(max(sigma_b, sigma_w, 1.0)) + min(_LONGEST, 4.0 + _EFOLDS / max(power, 1e-3))
    return math.log(scale)


def _power_far_out(record: Activation, sigma_w: float) -> float:
    """Return α with P(s > x) ~ x^-α: E(σ_w·|ξ|·slope)^α = 1 (H. Kesten, Acta Math. 131, 1973)."""
    return _kesten(sigma_w, far_growth(record), 1.0)


def _power_at_zero(record: Activation, sigma_w: float) -> float:
    """Return κ with P(s < x) ~ x^κ near 0, without biases."""
    near = growth_at_zero(record)
    return 1.0 if near is None else -_kesten(sigma_w, near, -1.0)


def _kesten(sigma_w: float, growth: tuple[float, float], side: float) -> float:
    if max(growth) == 0.0:
        return math.inf

    def log_moment(power: float) -> float:
        return _log_moment(power, sigma_w, growth)

    if side < 0.0:
        return float(brentq(log_moment, -1.0 + 1e-9, -1e-9)) if log_moment(-1e-9) < 0.0 else -1e-9
    if log_moment(1e-9) >= 0.0:
        return 1e-9
    last = 1.0
    while log_moment(last) < 0.0 and last < 1e6:
        last *= 2.0
    return float(brentq(log_moment, 1e-9, last)) if last < 1e6 else math.inf


def _log_moment(power: float, sigma_w: float, growth: tuple[float, float]) -> float:
    """Return log E[(σ_w·|ξ|·slope)^power] over the slopes that are not 0, each with probability 1/2."""
    absolute = power / 2 * math.log(2.0) + gammaln((power + 1) / 2) - math.log(math.pi) / 2
    logs = power * np.log([each for each in growth if each > 0.0])  # the powers may underflow
    return float(power * math.log(sigma_w) + absolute + np.logaddexp.reduce(logs) - math.log(2.0))


def lingering(sigma_w: float, growth: tuple[float, float], side: float) -> tuple[float, float]:
    """Return how slowly chains of two half-lines leave a side (1: far out, -1: near 0) or meet a flat half-line.

    A share ρ^L is left after L layers, ρ = min over θ of E[(σ_w·|ξ|·slope)^θ] (H. Cramér), θ >= 0 on the far side and
    θ <= 0 near 0; and log|z|, with it the log of the gradient, grows by the derivative of log E at that θ per layer.
    """
    if max(growth) == 0.0:
        return 0.0, 0.0
    alive = [each for each in growth if each > 0.0]
    drift = math.log(sigma_w) + LOG_NORMAL + sum(map(math.log, alive)) / len(alive)
    if side * drift >= 0.0:
        return len(alive) / 2.0, drift
    limits = (0.0, 50.0) if side > 0.0 else (-1.0 + 1e-9, 0.0)
    least = minimize_scalar(lambda power: _log_moment(power, sigma_w, growth), bounds=limits, method="bounded")
    return math.exp(least.fun), 0.0


def lingering_at_zero(record: Activation, sigma_w: float) -> tuple[float, float]:
    """Return the same near 0, without biases, where a σ like z² falls to 0 ever faster."""
    near, flat = growth_at_zero(record) or (0.0, 0.0), flat_around_zero(record)
    if any(not slope and not width for slope, width in zip(near, flat, strict=True)):
        return flat.count(0.0) / 2.0, -math.inf
    return lingering(sigma_w, near, -1.0)


def has_heavy_tail(record: Activation, sigma_w: float, moment: int = 1) -> bool:
    """Return whether log|σ'(z)| falls so fast, and z is large so often, that the mean of this power is infinite."""
    power = moment * tail_power(record)
    return power > 0.0 and max(far_growth(record)) > 0.0 and _power_far_out(record, sigma_w) <= power
