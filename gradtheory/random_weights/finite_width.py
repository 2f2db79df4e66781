r"""How much gradients of networks of finite width differ from one network to the next.

The squared norm of a derivative is multiplied in each layer by S = σ_w²/n_in·Σ g_i²·σ'(z_i)², a sum over the n_out
neurons with normal g_i. Rows of weights are as likely as their negatives, so that where |σ'| has one value on either
side of 0 the signs of z are independent of the g_i², and the law of S is exact: log S is the logarithm of a χ²
variable, of a binomial number of degrees of freedom for relu. Otherwise, with φ(t) = E[exp(-t·g²σ'²)] and an
independent E ~ Exp(1), log E - log Σ g_i²σ'_i² exceeds x with probability φ(e^x)^n: its mean and variance, less -γ and
π²/6, those of log E, are those of the logarithm of the sum.
"""

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, expit, logsumexp, ndtri, polygamma, zeta
from scipy.stats import binom

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import Array, read_fan, read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.kinds import read_items
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.gaussian.pieces import cuts
from gradtheory.random_weights.gaussian.places import places_and_period
from gradtheory.random_weights.gaussian.quadrature import Gaussians, fixed_rule
from gradtheory.random_weights.lyapunov.slopes import log_slope
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.typing import ActivationLike, NumberLike

_RULE = "must be the widths n_0, …, n_L of a network, such as (784, 256, 256, 10)"
_STEP, _FINER = 0.2, 0.8  # of x = log t; exp(-π²/step) is left of what is analytic in a strip of half width π/2
_FAR = 90.0  # in x: below -90 exp(-t·S) is 1; and how far each step goes on, until φ^n has no weight left
_NOTHING_LEFT, _MOST_STEPS = 1e-20, 64
_DEEPEST = -round(_FAR * (_MOST_STEPS - 2) / 2)  # log|σ'| that these steps reach
_REACH = 13.0  # standard deviations
_FEW_SIGMAS = 12.0
_EPSILON = 2.0**-52
_OF_THEORY = ", at the variances of infinitely wide layers"


class Factor(NamedTuple):
    """The law of log S of a layer: its first cumulants, log E[S], the share of networks with S > 0; errors of these."""

    mean: float
    variance: float
    third: float
    log_mean: float
    survival: float
    errors: tuple[float, ...] = (0.0,) * 5


_OF_THEORY = ", at the variances of infinitely wide layers"


@dataclass(frozen=True, repr=False)
class LogJacobian(ShownAsTable):
    """The law of log‖Ju‖² for a unit vector u at a right angle to the input, over networks with random weights.

    Attributes
    ----------
    mean, variance : Estimate
        Of log‖Ju‖², among networks in which it is not 0: typical networks have exp(mean).
    skewness : Estimate
        Of log‖Ju‖²: it is less than 0, and tends to 0 with the number of layers.
    log_mean : Estimate
        log E‖Ju‖², over all networks: the mean is carried by few of them, and exceeds what is typical.
    survival : Estimate
        The share of networks in which it is not 0.
    is_of_theory : bool
        Whether pre-activations have the variance of infinitely wide layers in every network: the errors then do not
        hold what finite layers change.

    """

    mean: Estimate
    variance: Estimate
    skewness: Estimate
    log_mean: Estimate
    survival: Estimate
    is_of_theory: bool = False

    def quantile(self, share: float) -> float:
        """Return what log‖Ju‖² stays below in this share of the networks that survive.

        By the normal law, which is the limit for many layers (Hanin & Nica 2018), with the skewness as the next term
        (Cornish & Fisher 1938).

        Raises
        ------
        InvalidArgument
            If the share is not between 0 and 1.

        """
        p = read_positive_float(share, "share")
        if p >= 1.0:
            raise InvalidArgument("share", share, "must lie between 0 and 1, such as 0.95")
        z = float(ndtri(p))
        return float(self.mean) + math.sqrt(self.variance) * (z + (z * z - 1.0) * float(self.skewness) / 6.0)

    def __repr__(self) -> str:
        return (
            f"log of the squared norm: mean {self.mean:.6g}, variance {self.variance:.6g}, log of the mean "
            f"{self.log_mean:.6g} ({self.mean.guarantee.value}{_OF_THEORY if self.is_of_theory else ''})"
        )


def log_jacobian(
    widths: Sequence[int],
    activation: ActivationLike = "relu",
    sigma_w: NumberLike = 1,
    sigma_b: NumberLike = 0,
    *,
    q: NumberLike = 1,
) -> LogJacobian:
    r"""Return mean and variance of log‖Ju‖² over networks of these widths, for a direction u at a right angle to x.

    J = D_L·W_L ⋯ D_1·W_1 with W_l ~ N(0, σ_w²/n_{l-1}) and D_l = diag σ'(z_l). A random u is nearly at a right angle to
    the input x. Along x the law is another, at any width, unless σ is a line on either side of 0: there σ'(z_l) and the
    change of z_l are not independent. Gradients of a random direction of the outputs have the same law, layer by layer
    from the last. Each layer adds log S_l. For linear layers S_l is
    σ_w²/n_{l-1} times χ² with n_l degrees of freedom, so that E[log S] = log(2σ_w²/n_{l-1}) + ψ(n_l/2) and
    Var[log S] = ψ'(n_l/2); for relu and its like the degrees of freedom are binomial. For wide layers the variance is
    Σ (3κ - 1)/n_l with κ the kurtosis of σ', 5/n_l for relu, and the mean lies half of it below log E. Other
    activations take z ~ N(0, q_l) with q_{l+1} = σ_w²·E[σ²] + σ_b², the limit of wide layers: how q varies between
    networks is left out. That is a term of the order of 1/n, as the variance is: for tanh at σ_w = 1.5, σ_b = 0.3 and
    n = 32, 20 layers have 2.50 where simulation says 3.08 ± 0.09. `is_of_theory` is True there, and no error has it.

    Parameters
    ----------
    widths : sequence of int
        n_0, …, n_L.
    activation : str, sympy.Expr or Activation
        Of every layer.
    sigma_w, sigma_b : number
        As for `gradtheory.blocks.dense`.
    q : number
        The mean square of the inputs.

    Returns
    -------
    LogJacobian
        Exact up to rounding for linear activations and for relu, with biases too; else numeric, with errors.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, E[σ'²] is 0 or infinite, or slopes below e^-2790 matter.

    References
    ----------
    B. Hanin & M. Nica, "Products of many large random matrices and gradients in deep neural networks" (2018), theorem 1

    Examples
    --------
    >>> hundred = log_jacobian([4] * 101, "identity", sigma_w=2)  # 4 × 4 matrices of N(0, 1)
    >>> hundred
    log of the squared norm: mean 111.593, variance 64.4934, log of the mean 138.629 (exact)
    >>> log_jacobian([256] * 51, "relu", sigma_w=2**0.5).variance  # close to 50·5/256
    0.9909354454899264 ± 1.8e-13 (exact)

    """
    sizes = [read_fan(each, "widths") for each in read_items(widths, "widths", _RULE)]
    if len(sizes) < 2:
        raise InvalidArgument("widths", widths, _RULE)
    record, weight = as_activation(activation), read_positive_float(sigma_w, "sigma_w")
    bias, spread = read_nonnegative_float(sigma_b, "sigma_b"), read_positive_float(q, "q")
    parts = factors(record, sizes, weight, bias, spread)
    survival = math.exp(sum(math.log(each.survival) if each.survival else -math.inf for each in parts))
    kind = Guarantee.NUMERIC if any(map(any, (each.errors for each in parts))) else Guarantee.EXACT
    rounding = 16.0 * _EPSILON * len(parts)
    cancels = math.log(max(sizes)), 1.0, 1.0, math.log(max(sizes))  # what ψ(n/2) and log n have in common

    def summed(place: int) -> Estimate:
        terms = [each[:4][place] for each in parts]
        error = sum(each.errors[place] for each in parts) + rounding * max(1.0, cancels[place], *map(abs, terms))
        return Estimate(math.fsum(terms), error, kind)

    mean, variance, third, log_mean = map(summed, range(4))
    size = float(variance) ** 1.5
    skewness = Estimate(third / size, (third.error + 2.0 * abs(third) * variance.error / variance) / size, kind)
    is_of_theory = not Origin.of(record).is_homogeneous
    return LogJacobian(mean, variance, skewness, log_mean, Estimate(survival, rounding, kind), is_of_theory)


def factors(record: Activation, sizes: Sequence[int], sigma_w: float, sigma_b: float, q: float) -> list[Factor]:
    """Return the laws of the layers, for inputs of mean square q."""
    square, parts, is_homogeneous = q, [], Origin.of(record).is_homogeneous
    for n_in, n_out in itertools.pairwise(sizes):
        variance = sigma_w * sigma_w * square + sigma_b * sigma_b
        if not math.isfinite(variance):
            raise InvalidArgument("sigma_w", sigma_w, "makes, with sigma_b and q, variances beyond float64")
        if not is_homogeneous:
            square = float(moment(record, variance, of="value"))
            if not moment(record, variance, of="slope"):
                raise InvalidArgument("activation", record.name, "must have a slope that is not 0 almost everywhere")
        law = _factor(record, 1.0 if is_homogeneous else variance, n_out)
        if math.isnan(law.mean):
            raise InvalidArgument(
                "sigma_w", sigma_w, f"makes slopes of {record.name} below e^{_DEEPEST} matter; take a smaller one"
            )
        shift = 2.0 * math.log(sigma_w) - math.log(n_in)
        parts.append(law._replace(mean=law.mean + shift, log_mean=law.log_mean + shift))
    return parts


@functools.lru_cache(maxsize=1024)
def _factor(record: Activation, variance: float, n: int) -> Factor:
    """Return the law of log Σ g_i²·σ'(z_i)² over n neurons."""
    if Origin.of(record).is_homogeneous:
        sides = np.abs(record.slope(np.array([-1.0, 1.0])))
        log_size = 2.0 * math.log(sides.max())
        if sides[0] == sides[1]:
            return _chi_square(np.array([n]), np.ones(1), log_size)
        if not sides.all():
            middle, far = n // 2, math.ceil(_FEW_SIGMAS * math.sqrt(n)) + 1
            k = np.arange(max(1, middle - far), min(n, middle + far) + 1).astype(float)
            return _chi_square(k, binom.pmf(k, n, 0.5), log_size)._replace(
                log_mean=math.log(n / 2.0) + log_size, survival=1.0 - 0.5**n
            )
        return _by_laplace(2.0 * np.log(sides), np.array([0.5, 0.5]), n)
    breaks, period = places_and_period(record)
    ends = cuts(record, math.ceil(math.log2(_REACH * math.sqrt(variance) + 1.0))) if not period else np.array(breaks)
    rough, fine = (
        _by_laplace(2.0 * log_slope(record, x, record.slope(x)), weights, n)
        for _, x, weights in (
            fixed_rule(
                Gaussians.centred(np.array([variance])), tuple(np.unique([*ends, *breaks])), period, coarse=coarse
            )
            for coarse in (True, False)
        )
    )
    apart = (abs(one - other) for one, other in zip(fine[:5], rough[:5], strict=True))
    return fine._replace(errors=tuple(map(operator.add, fine.errors, apart)))


def _chi_square(k: Array, shares: Array, log_size: float) -> Factor:
    """Return the law of log(size) + log χ² with k degrees of freedom, in shares that need not sum to 1."""
    shares = shares / shares.sum()
    means = digamma(k / 2.0)
    mean, spreads = float(shares @ means), polygamma(1, k / 2.0)
    apart = means - mean
    variance = float(shares @ (spreads + apart**2))
    third = float(shares @ (polygamma(2, k / 2.0) + 3.0 * apart * spreads + apart**3))
    return Factor(mean + math.log(2.0) + log_size, variance, third, math.log(float(shares @ k)) + log_size, 1.0)


def _by_laplace(logs: Array, weights: Array, n: int) -> Factor:
    """Return the law of log Σ g_i²·s_i², with log s_i² in these shares: -inf where a slope is 0."""
    is_alive = logs > -np.inf
    flat = float(weights[~is_alive].sum())
    logs, weights = logs[is_alive], weights[is_alive]
    log_size = float(logsumexp(logs, b=weights))
    results = []
    for step in (_STEP, _STEP * _FINER):
        x, density = _density(logs - log_size, weights, flat, n, step)
        density /= density.sum()
        mean = float(density @ x)
        results.append(np.array([mean, *(float(density @ (x - mean) ** k) for k in (2, 3))]))
    coarse, (mean, variance, third) = results
    return Factor(
        log_size - np.euler_gamma - mean,
        variance - math.pi**2 / 6.0,
        -2.0 * float(zeta(3.0)) - third,
        math.log(n) + log_size,
        1.0 - flat**n,
        (*(np.abs(coarse - results[1]) + 64.0 * _EPSILON).tolist(), 64.0 * _EPSILON, 0.0),
    )


def _density(logs: Array, weights: Array, flat: float, n: int, step: float) -> tuple[Array, Array]:
    """Return places x and how fast φ(e^x)^n falls there, as far out as it does; nan if that is too far."""
    places, densities = [], []
    block = np.arange(0.0, _FAR, step)
    for number in range(_MOST_STEPS):
        x = number * len(block) * step - _FAR - math.log(n) + block
        log_ts = math.log(2.0) + x[:, np.newaxis] + logs  # of 2t·s²
        root = np.sqrt(expit(-log_ts))  # 1/√(1 + 2t·s²)
        alive = root @ weights
        density = n * (flat + alive) ** (n - 1)
        places.append(x)
        densities.append(density * (0.5 * (root * expit(log_ts)) @ weights))
        if density[-1] * alive[-1] < _NOTHING_LEFT:
            return np.concatenate(places), np.concatenate(densities)
    return np.concatenate(places), np.full(len(block) * _MOST_STEPS, np.nan)
