"""The claims of the source article, each with a verdict that is computed from what the article states.

A claim holds its numbers as data, so that a test can change one and see the verdict change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sympy

from gradtheory.activations import Z, activation
from gradtheory.chain import Chain
from gradtheory.derivation import GENERIC, Outcome, Step, derive
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import STEEPEST, Bend, Partial, Rounded, Sigma, Slope, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.enclosure import sign
from gradtheory.explosion import critical_weight, explosion_formula, explosion_set, explosion_width, widest_explosion
from gradtheory.initialisation import Initialisation, glorot, he, standard_normal
from gradtheory.inputs import exact_real
from gradtheory.lyapunov import largest_lyapunov_exponent, lyapunov_exponent
from gradtheory.meanfield import chi

_SIGMOID = activation("sigmoid")
_MEANING = Meaning(_SIGMOID)
_W = sympy.Symbol("w", positive=True)
_DIGITS = 10
_SMALL, _ROUNDING = 1e-9, 1e-8  # a variance, and what it leaves of χ₁ = 1


class Verdict(Enum):
    """What became of a claim; the value is the key of its words in the message catalogue."""

    HOLDS = "holds"
    CORRECTED = "corrected"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding:
    """What the computation says of a claim.

    Parameters
    ----------
    verdict : Verdict
    steps : tuple of Step
        The derivation.
    computed : mapping of str to str
        LaTeX of the numbers that the prose shows.

    """

    verdict: Verdict
    steps: tuple[Step, ...]
    computed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claim of the article.

    Parameters
    ----------
    name : str
        The key of its prose in the message catalogue.
    claimed : mapping
        What the article states, as data.
    judge : callable
        What is computed from it.

    Examples
    --------
    >>> claim = next(claim for claim in CLAIMS if claim.name == "maximum")
    >>> claim.finding().verdict, claim.finding(value="1/3").verdict
    (<Verdict.HOLDS: 'holds'>, <Verdict.FAILS: 'fails'>)

    """

    name: str
    claimed: Mapping[str, Any]
    judge: Callable[..., Finding]

    def finding(self, **changed: Any) -> Finding:
        """Judge the claim, or the claim with some of its numbers changed."""
        return self.judge(**{**self.claimed, **changed})


def _equation(left: sympy.Expr, right: sympy.Expr) -> sympy.Eq:
    return sympy.Eq(left, right, evaluate=False)


def _step(left: sympy.Expr, right: sympy.Expr, rule: str, **more: Any) -> Step:
    return Step(_equation(left, right), rule, _MEANING, **more)


def _digits(number: sympy.Expr, rule: str, digits: int = _DIGITS) -> Step:
    return Step(Rounded.of(number, _MEANING.at(number, {}), digits), rule, _MEANING)


def _depth(*, sufferer: str, growth: str) -> Finding:
    """Count the factors of each layer; show that equal factors r make r^(L-1)."""
    depth = 4
    chain = Chain(depth, GENERIC)
    rule = ChainRule(chain)
    w, b = chain.w, chain.b
    gradients = {parameter: chain.gradient(parameter) for parameter in (w[1], w[depth])}
    steps = [
        _step(Partial(chain.C, parameter), found, "chain_rule", chain_rule=rule)
        for parameter, found in gradients.items()
    ]
    ratio = sympy.Mul(*(w[layer + 1] * Slope(chain.z[layer]) for layer in range(1, depth)))
    errors = Partial(chain.C, b[1]), Partial(chain.C, b[depth])
    steps.append(_step(errors[0] / errors[1], ratio, "between_layers", chain_rule=rule))
    r = sympy.Symbol("r", positive=True)
    steps.append(_step(4 * r * Slope(sympy.S.Zero), r, "equal_factors"))
    factors = [chain.gradient(bias).count(lambda part: part.func == Slope) for bias in b]
    nearest = {"input": factors[0], "output": factors[-1]}[sufferer]
    at_rest = {Slope(chain.z[layer]): r / w[layer + 1] for layer in range(1, depth)}
    power = {"exponential": r ** (depth - 1), "linear": (depth - 1) * r}[growth]
    holds = nearest == max(factors) > min(factors) and ratio.xreplace(at_rest) == power and _all_true(steps)
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        tuple(steps),
        {"depth": str(depth), "most": str(max(factors)), "least": str(min(factors))},
    )


def _all_true(steps: Sequence[Step]) -> bool:
    return all(step.verdict.outcome is Outcome.TRUE for step in steps)


def _factor(*, weights: tuple[Any, ...], suffices: bool) -> Finding:
    """Show that a factor above 1 is necessary for a product above 1, and not sufficient."""
    exact = [exact_real(weight, "weights") for weight in weights]
    at_rest = Slope(sympy.S.Zero)
    factors = [_SIGMOID.derivative.subs(Z, 0) * weight for weight in exact]
    total = sympy.Mul(*factors)
    steps = (
        _step(sympy.Mul(exact[0], at_rest, evaluate=False), factors[0], "one_factor"),
        _step(
            sympy.Mul(*(part for weight in exact for part in (weight, at_rest)), evaluate=False), total, "total_factor"
        ),
    )
    explodes = sign(total - 1) > 0
    verdict = Verdict.HOLDS if explodes or not suffices else Verdict.CORRECTED
    return Finding(verdict, steps, {"factor": sympy.latex(factors[0]), "total": sympy.latex(total)})


def _maximum(*, value: Any) -> Finding:
    """Sup σ' = 1/4, at z = 0."""
    steps = derive("slope_maximum", activation=_SIGMOID).steps
    holds = sign(_SIGMOID.steepest_slope - exact_real(value, "value")) == 0
    return Finding(Verdict.HOLDS if holds else Verdict.FAILS, steps, {"maximum": sympy.latex(_SIGMOID.steepest_slope)})


def _saturation(*, margin: Any, reaches: Any) -> Finding:
    """Bound σ' where σ is within a margin of a limit."""
    near = exact_real(margin, "margin")
    edge = sympy.log(1 / near - 1)  # σ(edge) = 1 - margin
    largest = near * (1 - near)
    steps = (
        _step(Sigma(edge), 1 - near, "saturated_from"),
        _step(Slope(edge), largest, "slope_there"),
        Step(sympy.Lt(Bend(Z), 0, evaluate=False), "decreasing", _MEANING, (sympy.Gt(Z, 0, evaluate=False),)),
        _step(sympy.Limit(Slope(Z), Z, sympy.oo, "-"), sympy.S.Zero, "limit"),
    )
    holds = sign(largest - exact_real(reaches, "reaches")) >= 0
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        steps,
        {"edge": sympy.latex(edge), "largest": sympy.latex(largest), "margin": sympy.latex(near)},
    )


def _weights(*, below: Any, share: Any, factor: Any) -> Finding:
    """Compute P(|w| < 1) for w ~ N(0, 1): most weights, not all, so the bound on the factor is usual only."""
    size, largest_factor = exact_real(below, "below"), exact_real(factor, "factor")
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    probability = sympy.erf(size / sympy.sqrt(2))
    beyond = sympy.erfc(critical_weight("sigmoid") / sympy.sqrt(2))
    steps = (
        _step(sympy.Integral(density, (u, -size, size)), probability, "normal_integral"),
        _digits(probability, "probability_in_numbers"),
        _digits(beyond, "beyond_critical", digits=3),
    )
    is_usual = sign(probability - exact_real(share, "share")) > 0
    is_bounded = sign(_SIGMOID.steepest_slope * size - largest_factor) <= 0
    certain = sign(1 - probability) <= 0
    verdict = Verdict.HOLDS if certain else Verdict.CORRECTED
    return Finding(
        verdict if is_usual and is_bounded else Verdict.FAILS,
        steps,
        {"probability": str(probability.n(6)), "beyond": sympy.latex(beyond.n(3))},
    )


def _critical(*, weight: Any) -> Finding:
    """Show that |w| > 4 is necessary, and sharp."""
    stated, critical = exact_real(weight, "weight"), critical_weight("sigmoid")
    steps = (
        _step(1 / STEEPEST, critical, "one_over_supremum"),
        _step(Width(critical, 1), sympy.S.Zero, "empty_at_critical"),
        _digits(Width(critical + sympy.Rational(1, 10**6), 1), "open_above"),
    )
    holds = explosion_set("sigmoid", stated) is sympy.S.EmptySet and sign(stated - critical) == 0
    return Finding(Verdict.HOLDS if holds else Verdict.FAILS, steps, {"critical": sympy.latex(critical)})


def _mean_square(scale: sympy.Expr) -> sympy.Expr:
    """Return E[w²] for a normal weight of this standard deviation, as an integral."""
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / (2 * scale**2)) / (scale * sympy.sqrt(2 * sympy.pi))
    return sympy.Integral(u**2 * density, (u, -sympy.oo, sympy.oo))


def _large_initialisation(*, scale: Any, explodes: Sequence[str]) -> Finding:
    """Compare chains of sigmoids, by their Lyapunov exponents, with wide layers of relu, by χ₁."""
    size = exact_real(scale, "scale")
    s = sympy.Symbol("s", positive=True)
    beyond = sympy.erfc(critical_weight("sigmoid") / (size * sympy.sqrt(2)))
    steps = (
        _step(_mean_square(s) / 2, s**2 / 2, "relu_mean_square"),
        _digits(beyond, "beyond_critical", digits=3),
    )
    chain, best = lyapunov_exponent("sigmoid", float(size)), largest_lyapunov_exponent("sigmoid")
    growth = chi("relu", 1, float(size))
    grows = {"sigmoid": best.value > 0.0, "relu": bool(growth > 1.0)}
    agreed = [grows[each] for each in explodes]
    verdict = Verdict.HOLDS if all(agreed) else Verdict.CORRECTED if any(agreed) else Verdict.FAILS
    numbers = {"chain": chain.value, "best": best.value, "place": best.sigma_w, "growth": growth}
    return Finding(
        verdict,
        steps,
        {name: f"{number:.5g}" for name, number in numbers.items()} | {"scale": sympy.latex(size)},
    )


def _schemes(*, fan_in: int, reduces: Sequence[str]) -> Finding:
    """Compare χ₁ under He's and Glorot's scales with that of standard normal weights."""
    laws = {"he": ("relu", he(fan_in)), "glorot": ("tanh", glorot(fan_in))}
    n = sympy.Symbol("n", positive=True)
    steps = (
        _step(n * _mean_square(sympy.sqrt(2 / n)) / 2, sympy.S.One, "he_keeps"),
        _step(n * _mean_square(1 / sympy.sqrt(n)), sympy.S.One, "glorot_keeps"),
        _step(n * _mean_square(sympy.S.One) / 2, n / 2, "standard_grows"),
    )
    standard = standard_normal(fan_in)
    before = {name: _chi_at_rest(record, standard) for name, (record, _) in laws.items()}
    after = {name: _chi_at_rest(record, law) for name, (record, law) in laws.items()}
    holds = all(after[name] <= 1.0 + _ROUNDING < before[name] for name in reduces)
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        steps,
        {"fan": str(fan_in), "growth": f"{before['he']:.5g}"},
    )


def _chi_at_rest(record: str, law: Initialisation) -> float:
    """Return χ₁ at a small variance, where tanh is a line."""
    return float(chi(record, _SMALL, float(law.sigma_w)))


def _relu(*, activation_name: str, slope: Any) -> Finding:
    """Show that the slope stays 1 on the positive side, and that the explosion set is then a half-line."""
    record = activation(activation_name)
    meaning = Meaning(record)
    stated = exact_real(slope, "slope")
    derived = derive("explosion", activation=record)
    sets = [step for step in derived.steps if step.rule in ("superlevel", "pull_back", "length")]
    far = _equation(sympy.Limit(Slope(Z), Z, sympy.oo, "-"), stated)
    keeps = Step(far, "slope_stays", meaning)
    holds = keeps.verdict.outcome is Outcome.TRUE
    unbounded = bool(explosion_width(record, 2).is_infinite)
    verdict = Verdict.FAILS if not holds else Verdict.CORRECTED if unbounded else Verdict.HOLDS
    return Finding(verdict, ((keeps,) if holds else ()) + tuple(sets), {"name": record.name})


def _textbook_half_width(w: sympy.Expr) -> sympy.Expr:
    return sympy.log(w * (1 + sympy.sqrt(1 - 4 / w)) / 2 - 1) / w


def _interval(*, half_width: Callable[[sympy.Expr], sympy.Expr]) -> Finding:
    """Compare the textbook logarithm with the arsinh form."""
    derived = derive("explosion", activation=_SIGMOID)
    steps = [step for step in derived.steps if step.rule in ("solves", "exponential", "textbook_argument")]
    formula = explosion_formula("sigmoid")
    width = formula.width.subs({formula.w: _W, formula.c: 1})
    claimed = _step(2 * half_width(_W), width, "claimed_width", assumptions=(sympy.Gt(_W, 4, evaluate=False),))
    holds = claimed.verdict.outcome is Outcome.TRUE
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        (*steps, *([claimed] if holds else [])),
        {"formula": explosion_formula("sigmoid").latex(), "textbook": sympy.latex(half_width(_W))},
    )


def _widest(*, width: str, weight: str) -> Finding:
    """Compare the widest interval and its weight with the digits that are stated."""
    widest = widest_explosion("sigmoid")
    steps = tuple(step for step in derive("widest", activation=_SIGMOID).steps if step.fact is None)
    holds = _rounds_to(widest.width, width) and _rounds_to(widest.weight, weight)
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        steps,
        {"width": str(widest.width.n(10)), "weight": str(widest.weight.n(10))},
    )


def _rounds_to(number: sympy.Expr, stated: str) -> bool:
    """Whether a number, rounded to the decimals of the text, gives the text."""
    half_unit = sympy.Rational(1, 2 * 10 ** len(stated.partition(".")[2]))
    return sign(half_unit - abs(number - exact_real(stated, "stated"))) > 0


CLAIMS = (
    Claim("depth", {"sufferer": "input", "growth": "exponential"}, _depth),
    Claim("factor", {"weights": (6, 1), "suffices": True}, _factor),
    Claim("maximum", {"value": "1/4"}, _maximum),
    Claim("saturation", {"margin": "1/100", "reaches": 1}, _saturation),
    Claim("weights", {"below": 1, "share": "1/2", "factor": "1/4"}, _weights),
    Claim("large_initialisation", {"scale": 10, "explodes": ("sigmoid", "relu")}, _large_initialisation),
    Claim("schemes", {"fan_in": 256, "reduces": ("he", "glorot")}, _schemes),
    Claim("critical", {"weight": 4}, _critical),
    Claim("interval", {"half_width": _textbook_half_width}, _interval),
    Claim("widest", {"width": "0.45", "weight": "6.9"}, _widest),
    Claim("relu", {"activation_name": "relu", "slope": 1}, _relu),
)
