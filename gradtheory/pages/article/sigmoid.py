"""The claims on the chain of sigmoids: depth, factors, the slope, the critical weight, the widest interval, relu."""

from collections.abc import Callable
from typing import Any

import sympy

from gradtheory.activations import Z, activation
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.chains.chain import Chain
from gradtheory.chains.symbols import equation
from gradtheory.derivation import GENERIC, Step, derive
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import STEEPEST, Bend, Partial, Sigma, Slope, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.explosion import critical_weight, explosion_formula, explosion_set, explosion_width, widest_explosion
from gradtheory.explosion.depth import depth_bound
from gradtheory.formulas import latex
from gradtheory.pages.article.claim import (
    MEANING,
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    all_true,
    digits_of,
    step,
)

_W = sympy.Symbol("w", positive=True)
_OF_DEPTH = ("layer_identity", "two_point_identity", "two_inputs", "depth", "never_widens", "one_interval")


def _depth(*, sufferer: str, growth: str) -> Finding:
    """Count the factors of each layer; show that equal factors r make r^(L-1)."""
    depth = 4
    chain = Chain(depth, GENERIC)
    rule = ChainRule(chain)
    w, b = chain.w, chain.b
    gradients = {parameter: chain.gradient(parameter) for parameter in (w[1], w[depth])}
    steps = [
        step(Partial(chain.C, parameter), gradient, "chain_rule", chain_rule=rule)
        for parameter, gradient in gradients.items()
    ]
    ratio = sympy.Mul(*(w[layer + 1] * Slope(chain.z[layer]) for layer in range(1, depth)))
    errors = Partial(chain.C, b[1]), Partial(chain.C, b[depth])
    steps.append(step(errors[0] / errors[1], ratio, "between_layers", chain_rule=rule))
    r = sympy.Symbol("r", positive=True)
    steps.append(step(4 * r * Slope(sympy.S.Zero), r, "equal_factors"))
    factors = [chain.gradient(bias).count(lambda part: part.func == Slope) for bias in b]
    nearest = {"input": factors[0], "output": factors[-1]}[sufferer]
    at_rest = {Slope(chain.z[layer]): r / w[layer + 1] for layer in range(1, depth)}
    power = {"exponential": r ** (depth - 1), "linear": (depth - 1) * r}[growth]
    holds = nearest == max(factors) > min(factors) and ratio.xreplace(at_rest) == power and all_true(steps)
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS,
        tuple(steps),
        {"depth": str(depth), "most": str(max(factors)), "least": str(min(factors))},
    )


def _factor(*, weights: tuple[Any, ...], suffices: bool) -> Finding:
    """Show that a factor above 1 is necessary for a product above 1, and not sufficient."""
    exact = [read_real(weight, "weights") for weight in weights]
    at_rest = Slope(sympy.S.Zero)
    factors = [SIGMOID.slope_expr.subs(Z, 0) * weight for weight in exact]
    total = sympy.Mul(*factors)
    steps = (
        step(sympy.Mul(exact[0], at_rest, evaluate=False), factors[0], "one_factor"),
        step(
            sympy.Mul(*(part for weight in exact for part in (weight, at_rest)), evaluate=False), total, "total_factor"
        ),
    )
    explodes = sign(total - 1) > 0
    verdict = ClaimVerdict.HOLDS if explodes or not suffices else ClaimVerdict.CORRECTED
    return Finding(verdict, steps, {"factor": latex(factors[0]), "total": latex(total)})


def _maximum(*, value: Any) -> Finding:
    """Sup σ' = 1/4, at z = 0."""
    steps = derive("slope_maximum", activation=SIGMOID).steps
    holds = sign(SIGMOID.steepest_slope - read_real(value, "value")) == 0
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS, steps, {"maximum": latex(SIGMOID.steepest_slope)}
    )


def _saturation(*, margin: Any, reaches: Any) -> Finding:
    """Bound σ' where σ is within a margin of a limit."""
    near = read_real(margin, "margin")
    edge = sympy.log(1 / near - 1)  # σ(edge) = 1 - margin
    largest = near * (1 - near)
    steps = (
        step(Sigma(edge), 1 - near, "saturated_from"),
        step(Slope(edge), largest, "slope_there"),
        Step(sympy.Lt(Bend(Z), 0, evaluate=False), "decreasing", MEANING, (sympy.Gt(Z, 0, evaluate=False),)),
        step(sympy.Limit(Slope(Z), Z, sympy.oo, "-"), sympy.S.Zero, "limit"),
    )
    holds = sign(largest - read_real(reaches, "reaches")) >= 0
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS,
        steps,
        {"edge": latex(edge), "largest": latex(largest), "margin": latex(near)},
    )


def _critical(*, weight: Any) -> Finding:
    """Show that |w| > 4 is necessary, and sharp."""
    stated, critical = read_real(weight, "weight"), critical_weight("sigmoid")
    steps = (
        step(1 / STEEPEST, critical, "one_over_supremum"),
        step(Width(critical, 1), sympy.S.Zero, "empty_at_critical"),
        digits_of(Width(critical + sympy.Rational(1, 10**6), 1), "open_above"),
    )
    holds = explosion_set("sigmoid", stated) is sympy.S.EmptySet and sign(stated - critical) == 0
    return Finding(ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS, steps, {"critical": latex(critical)})


def _relu(*, activation_name: str, slope: Any) -> Finding:
    """Show that the slope stays 1 on the positive side, and that the explosion set is then a half-line."""
    record = activation(activation_name)
    meaning = Meaning(record)
    stated = read_real(slope, "slope")
    derived = derive("explosion", activation=record)
    sets = [step for step in derived.steps if step.rule in ("superlevel", "pull_back", "length")]
    far = equation(sympy.Limit(Slope(Z), Z, sympy.oo, "-"), stated)
    keeps = Step(far, "slope_stays", meaning)
    holds = keeps.verdict.is_true
    unbounded = bool(explosion_width(record, 2).is_infinite)
    verdict = ClaimVerdict.FAILS if not holds else ClaimVerdict.CORRECTED if unbounded else ClaimVerdict.HOLDS
    return Finding(verdict, ((keeps,) if holds else ()) + tuple(sets), {"name": record.name})


def _textbook_half_width(w: sympy.Expr) -> sympy.Expr:
    return sympy.log(w * (1 + sympy.sqrt(1 - 4 / w)) / 2 - 1) / w


def _interval(*, half_width: Callable[[sympy.Expr], sympy.Expr]) -> Finding:
    """Compare the textbook logarithm with the arsinh form."""
    derived = derive("explosion", activation=SIGMOID)
    steps = [step for step in derived.steps if step.rule in ("solves", "exponential", "textbook_argument")]
    formula = explosion_formula("sigmoid")
    width = formula.width.subs({formula.w: _W, formula.c: 1})
    claimed = step(2 * half_width(_W), width, "claimed_width", assumptions=(sympy.Gt(_W, 4, evaluate=False),))
    holds = claimed.verdict.is_true
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS,
        (*steps, *([claimed] if holds else [])),
        {"formula": explosion_formula("sigmoid").latex(), "textbook": latex(half_width(_W))},
    )


def _widest(*, width: str, weight: str) -> Finding:
    """Compare the widest interval and its weight with the digits that are stated."""
    widest = widest_explosion("sigmoid")
    steps = tuple(step for step in derive("widest", activation=SIGMOID).steps if step.fact is None)
    holds = _rounds_to(widest.width, width) and _rounds_to(widest.weight, weight)
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS,
        steps,
        {"width": str(widest.width.n(10)), "weight": str(widest.weight.n(10))},
    )


def _narrow(*, activation_name: str, width: str) -> Finding:
    """Bound the explosion set of a chain of any depth, and show an activation for which depth widens it."""
    record, other = activation(activation_name), depth_bound("softsign")
    bound, stated = depth_bound(record), read_real(width, "width")
    if bound.value is None or bound.value.is_infinite:
        verdict = ClaimVerdict.FAILS
    elif _rounds_to(bound.value, width) or sign(stated - bound.value) >= 0:
        verdict = ClaimVerdict.EVERY_DEPTH
    else:
        verdict = ClaimVerdict.CORRECTED if sign(stated - widest_explosion(record).width) >= 0 else ClaimVerdict.FAILS
    steps = [step for step in _steps_on_depth(record.name) if step.rule in _OF_DEPTH] if bound.is_in_class_n else []
    wider = ("widens", "linear_piece", "linear_limit")
    steps += [step for step in _steps_on_depth("softsign") if step.rule in wider]
    computed = {"bound": str(bound.value and bound.value.n(10)), "factor": str(other.factor), "other": str(other.value)}
    return Finding(verdict, tuple(steps), computed)


def _steps_on_depth(activation_name: str) -> tuple[Step, ...]:
    return derive("depth", activation=activation_name).steps


def _rounds_to(number: sympy.Expr, stated: str) -> bool:
    """Whether a number, rounded to the decimals of the text, gives the text."""
    half_unit = sympy.Rational(1, 2 * 10 ** len(stated.partition(".")[2]))
    return sign(half_unit - abs(number - read_real(stated, "stated"))) > 0


DEPTH: Claim = Claim("depth", {"sufferer": "input", "growth": "exponential"}, _depth)
FACTOR: Claim = Claim("factor", {"weights": (6, 1), "suffices": True}, _factor)
MAXIMUM: Claim = Claim("maximum", {"value": "1/4"}, _maximum)
SATURATION: Claim = Claim("saturation", {"margin": "1/100", "reaches": 1}, _saturation)
CRITICAL: Claim = Claim("critical", {"weight": 4}, _critical)
INTERVAL: Claim = Claim("interval", {"half_width": _textbook_half_width}, _interval)
WIDEST: Claim = Claim("widest", {"width": "0.45", "weight": "6.9"}, _widest)
NARROW: Claim = Claim("narrow", {"activation_name": "sigmoid", "width": "0.45"}, _narrow)
RELU: Claim = Claim("relu", {"activation_name": "relu", "slope": 1}, _relu)
