"""The claims on initial weights: most are small, too large ones explode, He's and Glorot's scales help."""

from collections.abc import Sequence
from typing import Any

import sympy

from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.explosion import critical_weight
from gradtheory.formulas import latex
from gradtheory.pages.article.claim import SIGMOID, Claim, ClaimVerdict, Finding, digits_of, step
from gradtheory.random_weights.initialisation import Initialisation, glorot, he, standard_normal
from gradtheory.random_weights.lyapunov import largest_lyapunov_exponent, lyapunov_exponent
from gradtheory.random_weights.meanfield import chi

_SMALL, _ROUNDING = 1e-9, 1e-8  # a variance, and what it leaves of χ₁ = 1


def _weights(*, below: Any, share: Any, factor: Any) -> Finding:
    """Compute P(|w| < 1) for w ~ N(0, 1): most weights, not all, so the bound on the factor is usual only."""
    size, largest_factor = read_real(below, "below"), read_real(factor, "factor")
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    probability = sympy.erf(size / sympy.sqrt(2))
    beyond = sympy.erfc(critical_weight("sigmoid") / sympy.sqrt(2))
    steps = (
        step(sympy.Integral(density, (u, -size, size)), probability, "normal_integral"),
        digits_of(probability, "probability_in_numbers"),
        digits_of(beyond, "beyond_critical", digits=3),
    )
    is_usual = sign(probability - read_real(share, "share")) > 0
    is_bounded = sign(SIGMOID.steepest_slope * size - largest_factor) <= 0
    certain = sign(1 - probability) <= 0
    verdict = ClaimVerdict.HOLDS if certain else ClaimVerdict.CORRECTED
    return Finding(
        verdict if is_usual and is_bounded else ClaimVerdict.FAILS,
        steps,
        {"probability": str(probability.n(6)), "beyond": latex(beyond.n(3))},
    )


def _mean_square(scale: sympy.Expr) -> sympy.Expr:
    """Return E[w²] for a normal weight of this standard deviation, as an integral."""
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / (2 * scale**2)) / (scale * sympy.sqrt(2 * sympy.pi))
    return sympy.Integral(u**2 * density, (u, -sympy.oo, sympy.oo))


def _large_initialisation(*, scale: Any, explodes: Sequence[str]) -> Finding:
    """Compare chains of sigmoids, by their Lyapunov exponents, with wide layers of relu, by χ₁."""
    size = read_real(scale, "scale")
    s = sympy.Symbol("s", positive=True)
    beyond = sympy.erfc(critical_weight("sigmoid") / (size * sympy.sqrt(2)))
    steps = (
        step(_mean_square(s) / 2, s**2 / 2, "relu_mean_square"),
        digits_of(beyond, "beyond_critical", digits=3),
    )
    chain, best = lyapunov_exponent("sigmoid", float(size)), largest_lyapunov_exponent("sigmoid")
    growth = chi("relu", 1, float(size))
    grows = {"sigmoid": best.value > 0.0, "relu": bool(growth > 1.0)}
    agreed = [grows[each] for each in explodes]
    verdict = ClaimVerdict.HOLDS if all(agreed) else ClaimVerdict.CORRECTED if any(agreed) else ClaimVerdict.FAILS
    numbers = {"chain": chain.value, "best": best.value, "place": best.sigma_w, "growth": growth}
    return Finding(
        verdict,
        steps,
        {name: f"{number:.5g}" for name, number in numbers.items()} | {"scale": latex(size)},
    )


def _schemes(*, fan_in: int, reduces: Sequence[str]) -> Finding:
    """Compare χ₁ under He's and Glorot's scales with that of standard normal weights."""
    laws = {"he": ("relu", he(fan_in)), "glorot": ("tanh", glorot(fan_in))}
    n = sympy.Symbol("n", positive=True)
    steps = (
        step(n * _mean_square(sympy.sqrt(2 / n)) / 2, sympy.S.One, "he_keeps"),
        step(n * _mean_square(1 / sympy.sqrt(n)), sympy.S.One, "glorot_keeps"),
        step(n * _mean_square(sympy.S.One) / 2, n / 2, "standard_grows"),
    )
    standard = standard_normal(fan_in)
    before = {name: _chi_at_rest(record, standard) for name, (record, _) in laws.items()}
    after = {name: _chi_at_rest(record, law) for name, (record, law) in laws.items()}
    holds = all(after[name] <= 1.0 + _ROUNDING < before[name] for name in reduces)
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS,
        steps,
        {"fan": str(fan_in), "growth": f"{before['he']:.5g}"},
    )


def _chi_at_rest(record: str, law: Initialisation) -> float:
    """Return χ₁ at a small variance, where tanh is a line."""
    return float(chi(record, _SMALL, float(law.sigma_w)))


WEIGHTS: Claim = Claim("weights", {"below": 1, "share": "1/2", "factor": "1/4"}, _weights)
LARGE_INITIALISATION: Claim = Claim(
    "large_initialisation", {"scale": 10, "explodes": ("sigmoid", "relu")}, _large_initialisation
)
SCHEMES: Claim = Claim("schemes", {"fan_in": 256, "reduces": ("he", "glorot")}, _schemes)
