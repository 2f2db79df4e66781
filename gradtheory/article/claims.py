"""The claims of the source article, each with a verdict that is computed from what the article states.

A claim holds its numbers as data, so that a test can change one and see the verdict change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sympy

from gradtheory.activations import Z, activation
from gradtheory.chain import Chain
from gradtheory.derivation import GENERIC, Check, Step, UnprovenStep, compared, equal
from gradtheory.enclosure import sign
from gradtheory.explosion import (
    critical_weight,
    explosion_formula,
    explosion_set,
    explosion_width,
    widest_explosion,
)
from gradtheory.inputs import exact_real

_SIGMOID = activation("sigmoid")
_W = sympy.Symbol("w", positive=True)


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


def _depth(*, sufferer: str, growth: str) -> Finding:
    """Count the factors of each layer; show that equal factors r make r^(L-1)."""
    depth = 4
    generic, chain = Chain(depth=depth, activation=GENERIC), Chain(depth=depth, activation="sigmoid")
    loss = generic.substitute(generic.forward()[-1].rhs)
    steps = [
        equal(
            generic.substitute(generic.gradient(generic.w[layer])),
            loss.diff(generic.w[layer]),
            "chain_rule",
            latex=rf"\frac{{\partial C}}{{\partial w_{{{layer}}}}} = {sympy.latex(generic.gradient(generic.w[layer]))}",
        )
        for layer in (1, depth)
    ]
    factors = [generic.gradient(b).count(lambda part: part.func == GENERIC.derivative.func) for b in generic.b]
    nearest = {"input": factors[0], "output": factors[-1]}[sufferer]
    ratio = sympy.Symbol("r", positive=True)
    weights, biases = [4 * ratio] * depth, [-2 * ratio] * depth  # z_l = 0 in every layer
    start = {
        chain.x: sympy.Rational(1, 2),
        **dict(zip(chain.w, weights, strict=True)),
        **dict(zip(chain.b, biases, strict=True)),
    }
    first, last = (chain.substitute(chain.gradient(chain.b[layer])).subs(start) for layer in (1, depth))
    power = {"exponential": ratio ** (depth - 1), "linear": (depth - 1) * ratio}[growth]
    grows_so = sympy.simplify(first / last - power) == 0
    steps.append(
        equal(
            sympy.simplify(first / last),
            ratio ** (depth - 1),
            "equal_factors",
            latex=rf"\frac{{\partial C/\partial b_1}}{{\partial C/\partial b_{{{depth}}}}} = r^{{{depth - 1}}}",
        )
    )
    holds = nearest == max(factors) > min(factors) and grows_so
    return Finding(
        Verdict.HOLDS if holds else Verdict.FAILS,
        tuple(steps),
        {"depth": str(depth), "most": str(max(factors)), "least": str(min(factors))},
    )


def _factor(*, weights: tuple[Any, ...], suffices: bool) -> Finding:
    """Show that a factor above 1 is necessary for a product above 1, and not sufficient."""
    chain = Chain(depth=len(weights), activation="sigmoid")
    exact = [exact_real(weight, "weights") for weight in weights]
    at_rest = {chain.z[layer]: 0 for layer in range(1, len(weights) + 1)} | dict(zip(chain.w, exact, strict=True))
    factors = [chain.layer_jacobian(layer).subs(at_rest) for layer in range(1, len(weights) + 1)]
    total = sympy.Mul(*factors)
    steps = [
        compared(sympy.Gt(factors[0], 1, evaluate=False), "one_factor"),
        equal(sympy.Mul(*factors, evaluate=False), total, "total_factor"),
        compared(sympy.Le(total, max(factors) ** len(factors), evaluate=False), "bound_by_largest"),
    ]
    explodes = sign(total - 1) > 0
    verdict = Verdict.HOLDS if explodes or not suffices else Verdict.CORRECTED
    return Finding(verdict, tuple(steps), {"factor": sympy.latex(factors[0]), "total": sympy.latex(total)})


def _maximum(*, value: Any) -> Finding:
    """Sup σ' = 1/4, at z = 0."""
    sigma, slope = _SIGMOID.expr, _SIGMOID.derivative
    steps = (
        equal(
            sigma.diff(Z),
            sigma * (1 - sigma),
            "logistic_equation",
            latex=r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z))",
        ),
        equal(
            sigma * (1 - sigma),
            slope.rewrite(sympy.exp),
            "hyperbolic",
            latex=rf"\sigma'(z) = {sympy.latex(slope)}",
        ),
        equal(
            slope.diff(Z),
            -slope * sympy.tanh(Z / 2),
            "second_derivative",
            latex=r"\sigma''(z) = -\sigma'(z)\,\tanh\left(\frac{z}{2}\right)",
        ),
        equal(slope.subs(Z, 0), _SIGMOID.steepest_slope, "at_zero", latex=r"\sigma'(0) = \frac{1}{4}"),
    )
    holds = sign(_SIGMOID.steepest_slope - exact_real(value, "value")) == 0
    return Finding(Verdict.HOLDS if holds else Verdict.FAILS, steps, {"maximum": sympy.latex(_SIGMOID.steepest_slope)})


def _saturation(*, margin: Any, reaches: Any) -> Finding:
    """Bound σ' where σ is within a margin of a limit."""
    near, slope = exact_real(margin, "margin"), _SIGMOID.derivative
    edge = sympy.log(1 / near - 1)  # σ(edge) = 1 - margin
    largest = near * (1 - near)
    steps = (
        equal(
            _SIGMOID.expr.subs(Z, edge),
            1 - near,
            "saturated_from",
            latex=rf"\sigma\left({sympy.latex(edge)}\right) = 1 - {sympy.latex(near)}",
        ),
        equal(
            slope.subs(Z, edge).rewrite(sympy.exp),
            largest,
            "slope_there",
            latex=rf"\sigma'\left({sympy.latex(edge)}\right) = {sympy.latex(largest)}",
        ),
        equal(
            slope.diff(Z),
            -slope * sympy.tanh(Z / 2),
            "decreasing",
            latex=r"\sigma''(z) = -\sigma'(z)\,\tanh\left(\frac{z}{2}\right) < 0 \quad (z > 0)",
        ),
        equal(
            sympy.limit(slope, Z, sympy.oo),
            sympy.S.Zero,
            "fades",
            latex=r"\lim_{z\to\pm\infty} \sigma'(z) = 0",
        ),
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
        equal(
            sympy.integrate(density, (u, -size, size)),
            probability,
            "normal_integral",
            latex=rf"P(\left|w\right| < {sympy.latex(size)}) = \int_{{-{sympy.latex(size)}}}^{{{sympy.latex(size)}}}"
            rf" \frac{{e^{{-u^2/2}}}}{{\sqrt{{2\pi}}}}\,du = {sympy.latex(probability)}",
        ),
        compared(sympy.Gt(probability, exact_real(share, "share"), evaluate=False), "more_than_share"),
        compared(
            sympy.Le(_SIGMOID.steepest_slope * size, largest_factor, evaluate=False),
            "factor_bound",
            latex=rf"\left|w\right| < {sympy.latex(size)}"
            rf" \implies \left|\sigma'(z)\,w\right| < {sympy.latex(largest_factor)}",
        ),
        compared(
            sympy.Gt(beyond, 0, evaluate=False),
            "not_all",
            latex=rf"P(\left|w\right| > 4) = {sympy.latex(beyond)} > 0",
        ),
    )
    certain = sign(1 - probability) <= 0
    return Finding(
        Verdict.HOLDS if certain else Verdict.CORRECTED,
        steps,
        {"probability": str(probability.n(6)), "beyond": sympy.latex(beyond.n(3))},
    )


def _critical(*, weight: Any) -> Finding:
    """Show that |w| > 4 is necessary, and sharp."""
    stated, critical = exact_real(weight, "weight"), critical_weight("sigmoid")
    above = critical + sympy.Rational(1, 10**12)
    steps = (
        equal(
            1 / _SIGMOID.steepest_slope,
            critical,
            "one_over_supremum",
            latex=r"\left|w\right| > \frac{1}{\sup\sigma'} = 4",
        ),
        equal(
            explosion_width("sigmoid", critical),
            sympy.S.Zero,
            "empty_at_critical",
            latex=r"\left|X_4\right| = 0",
        ),
        compared(
            sympy.Gt(explosion_width("sigmoid", above), 0, evaluate=False),
            "open_above",
            latex=r"\left|X_{4 + 10^{-12}}\right| > 0",
        ),
    )
    holds = explosion_set("sigmoid", stated) is sympy.S.EmptySet and sign(stated - critical) == 0
    return Finding(Verdict.HOLDS if holds else Verdict.FAILS, steps, {"critical": sympy.latex(critical)})


def _textbook_half_width(w: sympy.Expr) -> sympy.Expr:
    return sympy.log(w * (1 + sympy.sqrt(1 - 4 / w)) / 2 - 1) / w


def _interval(*, half_width: Callable[[sympy.Expr], sympy.Expr]) -> Finding:
    """Compare the textbook logarithm with the arsinh form."""
    u = sympy.Symbol("u", positive=True)
    ours = explosion_formula("sigmoid")
    above = 4 * (1 + u**2)  # every w > 4, once
    zeta = 2 * sympy.asinh(sympy.sqrt(_W - 4) / 2)
    level = _SIGMOID.derivative.subs(Z, zeta).subs(_W, above)
    steps = [
        equal(
            level.rewrite(sympy.exp),
            1 / above,
            "solves",
            latex=rf"\sigma'(\zeta) = \frac{{1}}{{w}}, \qquad \zeta = {sympy.latex(zeta)}",
        )
    ]
    try:
        steps.append(
            equal(
                sympy.exp(_W * half_width(_W)).subs(_W, above),
                (u + sympy.sqrt(u**2 + 1)) ** 2,
                "same_exponential",
                latex=r"e^{\zeta} = \left(\tfrac12\sqrt{w-4} + \tfrac12\sqrt{w}\right)^2"
                r" = \tfrac12 w\left(1 + \sqrt{1 - 4/w}\right) - 1",
            )
        )
        verdict = Verdict.HOLDS
    except UnprovenStep:
        verdict = Verdict.FAILS
    return Finding(verdict, tuple(steps), {"formula": ours.latex(), "textbook": sympy.latex(half_width(_W))})


def _widest(*, width: str, weight: str) -> Finding:
    """Compare the widest interval and its weight with the digits that are stated."""
    widest = widest_explosion("sigmoid")
    s = widest.width.function.variables[0]
    measured = 4 * s / (4 * sympy.cosh(s) ** 2)
    lower, upper = widest.width.lower, widest.width.upper
    steps = (
        equal(
            measured.diff(s),
            (1 - 2 * s * sympy.tanh(s)) / sympy.cosh(s) ** 2,
            "stationary",
            latex=r"\frac{d}{ds}\,\frac{s}{\cosh^2(s)} = \frac{1 - 2 s\tanh(s)}{\cosh^2(s)}",
        ),
        equal(
            (s * sympy.tanh(s)).diff(s),
            sympy.tanh(s) + s / sympy.cosh(s) ** 2,
            "one_maximum",
            latex=r"\frac{d}{ds}\,s\tanh(s) = \tanh(s) + \frac{s}{\cosh^2(s)} > 0 \quad (s > 0)",
        ),
        Step(
            rf"{sympy.latex(widest.equation)}, \qquad s \in \left[{sympy.latex(lower)}, {sympy.latex(upper)}\right]",
            "isolated",
            Check.CERTIFIED,
        ),
        Step(
            rf"\max_w \left|X_w\right| = {sympy.latex(widest.width)} = {widest.width.n(30)}",
            "width_digits",
            Check.CERTIFIED,
        ),
        Step(
            rf"\left|w\right| = {sympy.latex(widest.weight)} = {widest.weight.n(30)}",
            "weight_digits",
            Check.CERTIFIED,
        ),
    )
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
    Claim("critical", {"weight": 4}, _critical),
    Claim("interval", {"half_width": _textbook_half_width}, _interval),
    Claim("widest", {"width": "0.45", "weight": "6.9"}, _widest),
)
