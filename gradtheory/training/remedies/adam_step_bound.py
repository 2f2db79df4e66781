r"""How long a step of Adam can be, in float64, whatever the gradients.

By Cauchy and Schwarz \|m\| ≤ (1 - β)·√(Σ (β²/β₂)ⁱ)·√(Σ β₂ⁱ·g²), so that after t steps \|m̂\|/√ŝ is at most

    (1 - β)·√(1 - β₂ᵗ)·√(Σ_{i<t} (β²/β₂)ⁱ)/((1 - βᵗ)·√(1 - β₂)).

In float64 each step multiplies m and s by a few roundings more, as slightly other β and β₂ would. Where a square, or
its share 1 - β₂, underflows, s is too small by at most 2⁻¹⁰⁷³ in each step, by 2⁻¹⁰⁷³/(1 - β₂) in all. The least ε is
the root of that, divided by that of the bias correction: as part of the divisor it outweighs what is lost.
"""

import math

import numpy as np

from gradtheory.arithmetic.brief import upward
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser

_ROUNDING = 2.0**-53
_LOST = 2.0**-536  # the root of what underflows in a step of s, rounded up
_MOST_STEPS = 1e6


def least_epsilon(optimiser: Optimiser) -> float:
    """Return the ε from which on the underflow of squared gradients does not lengthen a step."""
    return _LOST / (1.0 - optimiser.beta2)


def adam_step_bound(optimiser: Optimiser) -> float:
    r"""Return a bound of every entry of a step of Adam, in units of η, in float64 and rounded up.

    It is (1 - β)·√(1 - β₂ᵗ)·√(Σ_{i<t} (β²/β₂)ⁱ)/((1 - βᵗ)·√(1 - β₂)) at the t at which that is greatest, for a run
    that begins with `Optimiser.start` and gradients that are finite, such as tiny ones whose squares underflow. The
    decay of `adamw` is not in it, and adds η·λ·|w|.

    Parameters
    ----------
    optimiser : Optimiser
        An `adam` or `adamw` with β² < β₂, and ε ≥ 2⁻⁵³⁶/(1 - β₂), about 4e-159 for β₂ = 0.999.

    Raises
    ------
    InvalidArgument
        If β² ≥ β₂, also by rounding alone, where steps have no bound; if ε is so small that steps have none in float64;
        or if the optimiser is none of the two.

    References
    ----------
    D. Kingma & J. Ba, "Adam" (2015), section 2.1, who state the limits for one gradient and for steady ones.

    Examples
    --------
    >>> from gradtheory.training.optimisers import adamw
    >>> round(adam_step_bound(adamw(beta=0.9, beta2=0.999)), 6)
    7.270292

    """
    if not read_optimiser(optimiser).rule.is_bias_corrected:
        raise InvalidArgument("optimiser", optimiser, "must be an adam(...) or adamw(...)")
    least = least_epsilon(optimiser)
    if not optimiser.epsilon >= least:
        enough = upward(least, 3)
        rule = f"must have epsilon of at least {enough}; else squares underflow in float64 and steps have no bound"
        raise InvalidArgument("optimiser", optimiser, rule)
    beta, beta2 = optimiser.beta * (1.0 + 4.0 * _ROUNDING), optimiser.beta2 * (1.0 - 4.0 * _ROUNDING)
    rounding = _ROUNDING * (64.0 + 4.0 / (1.0 - optimiser.beta) + 4.0 / (1.0 - optimiser.beta2))  # of corrections
    if not beta * beta < beta2 or rounding > 1e-3:
        raise InvalidArgument("optimiser", optimiser, "must have beta² < beta2; else Adam's steps have no bound")
    ratio = beta * beta / beta2
    last = min(_MOST_STEPS, math.ceil(40.0 / -math.log(max(beta2, beta, 0.5))))
    steps = np.arange(1.0, 1.0 + last)
    sums = (1.0 - ratio**steps) / (1.0 - ratio)
    sizes = np.sqrt((1.0 - optimiser.beta2**steps) * sums) / (1.0 - optimiser.beta**steps)
    later = 1.0 / (math.sqrt(1.0 - ratio) * (1.0 - optimiser.beta**last))
    largest = max(float(sizes.max()), later) * (1.0 - optimiser.beta) / math.sqrt(1.0 - optimiser.beta2)
    return float(largest * (1.0 + rounding + 16.0 * _ROUNDING / (1.0 - ratio)))
