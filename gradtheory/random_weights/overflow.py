"""How deep a network may be before its gradient leaves the range of a float type."""

import math

import numpy.typing as npt
import sympy
from scipy.special import ndtr

from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.enclosure import MOST_BITS, doubling, enclose, precision, sign
from gradtheory.arithmetic.inputs import read_depth, read_positive_float, read_real
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.floats import FLOAT_TYPES, FloatType, read_float_type, running_depth
from gradtheory.random_weights.lyapunov import LyapunovExponent
from gradtheory.random_weights.lyapunov.result import LINGERS, SPLIT
from gradtheory.typing import NumberLike

__all__ = ["FLOAT_TYPES", "FloatType", "overflow_depth"]

_ARITHMETIC = ("power", "product", "flush")
_UNTOLD = "is λ of this chain, which does not tell when half of its gradients are lost: simulate it"
_MOST_EQUAL = 100_000  # layers up to which growth^L may be one of the limits itself


def overflow_depth(
    growth: NumberLike | LyapunovExponent,
    dtype: npt.DTypeLike = "float32",
    *,
    arithmetic: str = "power",
    probability: float | None = None,
) -> int | float:
    r"""Return the least number of layers L after which growth^L is inf, or 0, in a float type.

    As a "power" growth^L is rounded to nearest, once: the least L with growth^L ≥ (2 - 2^-p)·2^e_max where growth > 1,
    and with growth^L ≤ half the least positive (subnormal) number where growth < 1. As a "product" growth is rounded to
    the type, and the product after every layer, as in backpropagation: it may stay at a subnormal number for ever.
    With "flush" the product is 0 as soon as it is subnormal, as on processors that do not hold such numbers.

    For a random chain the logarithm of the product after L layers is about N(λL, vL) with v the asymptotic variance, so
    that λ alone says when half of the chains are beyond that end of the range to which it leads. With a probability, L
    is the least number of layers after which so many are inf or 0: where λ is near 0, many leave at the other end.

    Where λ = -inf it says nothing of half of the chains. If slopes are 0, a share s^L of the gradients is not, with s
    the chain's `survival`: half of them are 0 after log(1/2)/log(s) layers, rounded up, in every float type and
    arithmetic, which holds as far as the first layers are like later ones and the others are not lost before. It does
    not for chains that survive by staying far out, or near 0.

    Parameters
    ----------
    growth : number or LyapunovExponent
        The factor per layer, not negative. A float is taken at its exact value. A random chain, from
        `lyapunov_exponent`, stands for exp(λ).
    dtype : {"float16", "bfloat16", "float32", "float64"} or NumPy dtype
        The float type.
    arithmetic : {"power", "product", "flush"}
        How the product is rounded.
    probability : float, optional
        The share of random chains that is to be lost, at either end of the range, between 0 and 1, by the central limit
        theorem; it asks for a `LyapunovExponent` and the arithmetic "power".

    Returns
    -------
    int or math.inf
        Proven, except with a probability and where λ = -inf; inf if that never happens.

    Raises
    ------
    InvalidArgument
        If growth is negative or not finite, dtype is none of the four, or a probability is asked for without a random
        chain of finite λ and v; or if λ = -inf, and half of the chains are not lost by slopes of 0.
    Undecided
        If a power of growth is closer to the limit than can be told apart, or a running product takes more than
        5,000,000 layers.

    References
    ----------
    IEEE 754-2019, sections 3.3 and 4.3.1; bfloat16 as in oneDNN and PyTorch, with subnormal numbers.

    Examples
    --------
    >>> overflow_depth(2), overflow_depth("1/4"), overflow_depth("1/4", "bfloat16")
    (128, 75, 67)
    >>> overflow_depth(1)
    inf
    >>> [overflow_depth(0.9, arithmetic=each) for each in ("power", "product", "flush")]
    [987, inf, 829]
    >>> import gradtheory as gt
    >>> chain = gt.lyapunov_exponent("sigmoid", sigma_w=4)
    >>> overflow_depth(chain), overflow_depth(chain, probability=0.99)  # half of the chains, and 99 % of them
    (63, 81)

    """
    limits = read_float_type(dtype, FLOAT_TYPES)
    kind = one_of(arithmetic, "arithmetic", _ARITHMETIC)
    if isinstance(growth, LyapunovExponent) and any(each in growth.reason for each in (SPLIT, LINGERS)):
        raise InvalidArgument("growth", growth.value, f"must be of chains that fare alike: simulate; {growth.reason}")
    if probability is not None:
        return _by_probability(growth, limits, kind, probability)
    if isinstance(growth, LyapunovExponent) and isinstance(growth.value, float) and growth.value == -math.inf:
        return _until_half_are_0(growth, limits)
    rate = read_real(growth.growth if isinstance(growth, LyapunovExponent) else growth, "growth")
    if sign(rate) < 0:
        raise InvalidArgument("growth", growth, "must not be negative: it is the size of a factor, such as 1.5")
    if kind != "power":
        return running_depth(rate, limits, flush=kind == "flush")
    side = sign(rate - 1)
    limit = sympy.Rational(limits.overflow if side > 0 else limits.underflow)
    if side == 0 or sign(rate) == 0 or side * sign(rate - limit) >= 0:
        return 1 if side else math.inf
    depth = sympy.log(limit) / sympy.log(rate)
    for bits in doubling(MOST_BITS):
        with precision(bits):
            ball = enclose(depth, bits)
            least = ball.ceil().unique_fmpz() if ball.is_finite() else None
            nearest = round(float(ball.mid())) if ball < _MOST_EQUAL else None
        if least is not None:
            return int(least)
        if nearest is not None and sign(rate**nearest - limit) == 0:
            return nearest
    raise Undecided(
        f"growth = {str(growth)[:40]}: when its powers leave {dtype} is not decided within {MOST_BITS} bits"
    )


def _by_probability(
    growth: NumberLike | LyapunovExponent, limits: FloatType, arithmetic: str, probability: float
) -> int | float:
    """Return the depth at which a normal law of log|product| has this probability beyond the limits.

    That rises with the depth. At the end that λ leads away from some come back, fewer than go at the other, as neither
    limit is 3 times as far as the other.
    """
    if arithmetic != "power":
        raise InvalidArgument("arithmetic", arithmetic, "must be 'power' with a probability")
    if not (isinstance(growth, LyapunovExponent) and isinstance(growth.value, float) and _has_law(growth)):
        raise InvalidArgument(
            "growth", growth, "must be a random chain of finite λ and variance with a probability: lyapunov_exponent(…)"
        )
    share = read_positive_float(probability, "probability")
    if share >= 1.0:
        raise InvalidArgument("probability", probability, "must lie between 0 and 1, such as 0.99")
    drift, spread = float(growth.value), math.sqrt(growth.variance)
    least, most = (float(sympy.log(sympy.Rational(each)).n(20)) for each in (limits.underflow, limits.overflow))
    if spread == 0.0:
        return math.ceil((most if drift > 0.0 else least) / drift) if drift else math.inf

    def is_enough(depth: int) -> bool:
        mean, deviation = drift * depth, spread * math.sqrt(depth)
        return bool(ndtr((least - mean) / deviation) + ndtr((mean - most) / deviation) >= share)

    few, enough = 0, 1
    while not is_enough(enough):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if is_enough(middle) else (middle, enough)
    return enough


def _until_half_are_0(chain: LyapunovExponent, limits: FloatType) -> int:
    """Return the depth at which half of the gradients are exactly 0, where λ = -inf."""
    share = max(0.0, float(chain.survival) - chain.survival.error)
    if share <= 0.5:
        return 1
    if not chain.surviving_value:  # who is left wanders far out or near 0: the first layers are not like later ones
        raise InvalidArgument("growth", -math.inf, _UNTOLD)
    depth = math.ceil(math.log(0.5) / math.log(share)) if share < 1.0 else math.inf
    reached = depth * float(chain.surviving_value)  # log|gradient| of the chains that are left
    least, most = (float(sympy.log(sympy.Rational(each)).n(20)) for each in (limits.underflow, limits.overflow))
    if least < reached < most:
        return int(depth)
    raise InvalidArgument("growth", -math.inf, _UNTOLD)


def _has_law(growth: LyapunovExponent) -> bool:
    """Return whether log|product| is normal in the limit."""
    return math.isfinite(growth.value + growth.variance)


def overflow_growth(depth: int, dtype: npt.DTypeLike = "float32") -> sympy.Expr:
    r"""Return the least factor per layer with which the gradient is inf after L layers, exactly.

    ((2 - 2^-p)·2^e_max)^(1/L); weights reach it where |w|·sup|σ'| does.

    Parameters
    ----------
    depth : int
        The number of layers L.
    dtype : {"float16", "bfloat16", "float32", "float64"} or NumPy dtype
        The float type.

    Returns
    -------
    sympy.Expr
        The factor, exact.

    Raises
    ------
    InvalidArgument
        If the depth or the float type breaks a rule.

    Examples
    --------
    >>> overflow_growth(50).n(10)  # a sigmoid chain of 50 layers overflows float32 if |w| = 23.6 in each, at most slope
    5.897076866

    """
    layer_count = read_depth(depth)
    limits = read_float_type(dtype, FLOAT_TYPES)
    return sympy.Rational(limits.overflow) ** sympy.Rational(1, layer_count)
