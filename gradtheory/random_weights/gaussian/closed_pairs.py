r"""Expectations over two correlated Gaussian pre-activations in closed form: identity, gelu, lines with waves.

With x₁, x₂ of variance q and covariance p, φ and Φ the normal density and distribution, Price's theorem and Stein's
identity give G = E[φ(x₁)φ(x₂)] = 1/(2π·√((1 + q)² - p²)), F = E[Φ(x₁)Φ(x₂)] = 1/4 + asin(p/(1 + q))/(2π) and

    E[x₁Φ(x₁)·x₂Φ(x₂)] = G·(q² + p²·(1 - q)/(1 + q)) + p·F

(R. Tsuchida et al., "Avoiding kernel fixed points: computing with ELU and GELU infinite networks", 2021).
The mean product of slopes is its derivative by p.
"""

import math

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.random_weights.gaussian.trigonometric_pairs import waves_of

__all__ = ["closed_pair"]

_EPSILON = 2.0**-52
_ROUNDINGS = 8.0  # of each term, in units of the last place
_SHARP = 1e-13  # relative to c = 1; where a sum cancels more, quadrature is better


def closed_pair(record: Activation, c: float, q: float, kind: str) -> Estimate | None:
    """Return E[σ(x₁)σ(x₂)], or of "slope" E[σ'(x₁)σ'(x₂)], with a bound of the rounding; None where none is known."""
    if record == as_activation("identity"):
        terms: tuple[float, ...] = (q * c,) if kind == "value" else (1.0,)
    elif record == as_activation("gelu"):
        terms = _gelu(c, q, kind)
    elif (waves := waves_of(record.expr)) is not None:
        function = waves if kind == "value" else waves.slope
        mean = function.mean_product(c, q)
        return mean if mean.error <= _SHARP * function.mean_product(1.0, q) else None
    else:
        return None
    return Estimate(math.fsum(terms), _ROUNDINGS * _EPSILON * math.fsum(map(abs, terms)))


def _gelu(c: float, q: float, kind: str) -> tuple[float, ...]:
    """Return the terms of the sum; no term is a difference of close numbers, nor overflows where the sum does not."""
    apart, both = 1.0 + q * (1.0 - c), 1.0 + q * (1.0 + c)  # 1 + q - p and 1 + q + p
    root = math.sqrt(apart) * math.sqrt(both)
    distribution = math.atan2(root, -q * c) / (2.0 * math.pi)
    share, density = q / (1.0 + q), 1.0 / (2.0 * math.pi * root)
    square = share * ((1.0 - c) * (1.0 + c) * q + 1.0 + c * c)  # (q² + p²·(1 - q)/(1 + q))/q
    if kind == "value":
        return q * density * square, q * c * distribution
    return (
        q / apart * (q / both) * c * density * square,
        2.0 * c * share * density,
        -2.0 * c * share * q * density,
        distribution,
        q * c * density,
    )
