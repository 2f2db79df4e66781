"""The claims on one sigmoid: its slope, saturation, the critical weight, the interval, the widest, and any depth."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Activation, Z, activation
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.chains.symbols import equation
from gradtheory.derivation import Step, derive
from gradtheory.derivation.depth_language import ChainSlope, LastInput, LayerRatiosBefore
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.facts import OTHER_X, X
from gradtheory.derivation.language import STEEPEST, Bend, Sigma, Slope
from gradtheory.explosion import critical_weight, explosion_formula, explosion_set, widest_explosion
from gradtheory.explosion.depth import depth_bound
from gradtheory.explosion.depth.logistic import squared_beta
from gradtheory.formulas import WrittenProduct, WrittenSum, latex
from gradtheory.pages.article.claim import (
    MEANING,
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    digits_of,
    holds_if,
    step,
)

_END_DIGITS = 8
_W = sympy.Symbol("w", real=True)
_ABOVE = sympy.Gt(abs(WrittenProduct((Slope(sympy.S.Zero), _W))), 1, evaluate=False)
_NOT_ABOVE = sympy.Le(abs(WrittenProduct((Slope(Z), _W))), 1, evaluate=False)
_LAYERS = 6  # of the chain whose gradient by its first bias is large on a long interval
_OF_INTERVAL = ("solve_level", "superlevel_solved", "pull_back", "exponential")
_OF_DEPTH = (
    *("schwarzian", "class_n_smooth", "layer_identity", "ratio_below_one", "two_point_identity", "even", "log_concave"),
    *("two_inputs", "depth", "one_interval"),
)


@functools.cache
def slope_steps() -> tuple[Step, ...]:
    """Return the steps on the sigmoid's slope, up to its supremum, on which most claims rest."""
    return derive("slope_maximum", activation=SIGMOID).steps


def _maximum(*, value: Any) -> Finding:
    """Sup σ' = 1/4, at z = 0."""
    holds = sign(SIGMOID.steepest_slope - read_real(value, "value")) == 0
    return Finding(holds_if(holds), slope_steps()[-1:], {"maximum": latex(SIGMOID.steepest_slope)})


def _tails(*, reaches: Any) -> Finding:
    """Show that the slope fades on both sides, and by which factor per unit."""
    stated = read_real(reaches, "reaches")
    far = sympy.Integer(10)
    steps = (
        step(sympy.Limit(Slope(Z), Z, -sympy.oo, "+"), stated, "fades"),
        step(sympy.Limit(Slope(Z), Z, sympy.oo, "-"), stated, "fades"),
        step(sympy.Limit(Slope(Z) * sympy.exp(Z), Z, sympy.oo, "-"), sympy.S.One, "fades_like"),
        digits_of(Slope(far), "slope_far_out", digits=4),
    )
    needed = int(MEANING.value(1 / Slope(far), {}))
    holds = all(each.verdict.is_true for each in steps[:2])
    verdict = ClaimVerdict.CORRECTED if holds else ClaimVerdict.FAILS
    return Finding(verdict, steps if holds else (), {"far": latex(far), "needed": str(needed)})


def _saturation(*, margin: Any, reaches: Any) -> Finding:
    """Bound σ' where σ is within a margin of a limit."""
    near = read_real(margin, "margin")
    edge = sympy.log(1 / near - 1)  # σ(edge) = 1 - margin
    largest = near * (1 - near)
    steps = (
        step(Sigma(edge), 1 - near, "saturated_from"),
        step(Slope(edge), largest, "slope_there"),
        step(Slope(-Z), Slope(Z), "symmetric"),
        Step(sympy.Lt(Bend(Z), 0, evaluate=False), "decreasing", MEANING, (sympy.Gt(Z, 0, evaluate=False),)),
    )
    holds = sign(largest - read_real(reaches, "reaches")) >= 0
    return Finding(holds_if(holds), steps, {"edge": latex(edge), "largest": latex(largest), "margin": latex(near)})


def _critical(*, weight: Any) -> Finding:
    """Show that |w| > 4 is necessary, and sharp."""
    stated, critical = read_real(weight, "weight"), critical_weight("sigmoid")
    steps = (
        step(1 / STEEPEST, critical, "one_over_supremum"),
        Step(_NOT_ABOVE, "empty_at_critical", MEANING, (sympy.Le(abs(_W), 1 / STEEPEST, evaluate=False),)),
        Step(_ABOVE, "above_critical", MEANING, (sympy.Gt(abs(_W), critical, evaluate=False),)),
    )
    holds = explosion_set("sigmoid", stated) is sympy.S.EmptySet and sign(stated - critical) == 0
    return Finding(holds_if(holds), steps, {"critical": latex(critical)})


def _ends_in_numbers(weight: Any, bias: Any, rule: str) -> list[Step]:
    """Return the steps of the ends of the explosion set of one neuron, in numbers."""
    formula = explosion_formula("sigmoid")
    values = {formula.w: read_real(weight, "weight"), formula.b: read_real(bias, "bias"), formula.c: sympy.S.One}
    ends = [end.subs(formula.c, 1) for end in formula.regimes[0].intervals[0]]
    names = sympy.symbols("x_1 x_2", real=True)
    return [
        Step(InNumbers.of(name, end, values, MEANING.value(end, values), _END_DIGITS), rule, MEANING)
        for name, end in zip(names, ends, strict=True)
    ]


def _textbook_logarithm(size: sympy.Expr) -> sympy.Expr:
    return sympy.log(_inside_of_logarithm(size))


def _inside_of_logarithm(size: sympy.Expr) -> sympy.Expr:
    root = WrittenSum(sympy.S.One, sympy.sqrt(1 - 4 / size))
    return WrittenSum(WrittenProduct((size / 2, root)), -sympy.S.One)


def _interval(*, logarithm: Callable[[sympy.Expr], sympy.Expr], example: tuple[Any, Any]) -> Finding:
    """Compare the textbook's interval, in |w|, ln and b, with the one that is derived, for weights of both signs."""
    derived = derive("explosion", activation=SIGMOID).steps
    steps = [each for each in derived if each.rule in _OF_INTERVAL]
    formula = explosion_formula("sigmoid")
    size = abs(formula.w)
    half_width = WrittenProduct(1 / size, logarithm(size))
    derived_width = formula.regimes[0].width.subs(formula.c, 1)
    beyond = (sympy.Gt(size, 4, evaluate=False),)
    claimed = step(half_width, derived_width / 2, "claimed_half_width", assumptions=beyond)
    holds = bool(claimed.verdict.is_true)
    weight, bias = example
    signs = (weight, "end_of_positive"), (-weight, "end_of_negative")
    numbers = [each for signed, rule in signs for each in _ends_in_numbers(signed, bias, rule)]
    root = WrittenSum(sympy.sqrt(size - 4) / 2, sympy.sqrt(size) / 2)
    inside = step(root**2, _inside_of_logarithm(size), "textbook_argument", assumptions=beyond)
    return Finding(
        holds_if(holds),
        (*steps, *([inside, claimed] if holds else []), *numbers),
        {"textbook": latex(half_width), "weight": latex(weight), "bias": latex(bias)},
    )


def _widest(*, width: str, weight: str) -> Finding:
    """Compare the widest interval and its weight with the digits that are stated."""
    widest = widest_explosion("sigmoid")
    steps = tuple(step for step in derive("widest", activation=SIGMOID).steps if step.fact is None)
    holds = _rounds_to(widest.width, width) and _rounds_to(widest.weight, weight)
    numbers = {"width": str(widest.width.n(10)), "weight": str(widest.weight.n(10))}
    return Finding(holds_if(holds), steps, numbers)


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
    steps = list(_for_two_inputs(record)) if bound.is_in_class_n else []
    wider = ("widens", "linear_piece", "linear_limit")
    for each in _steps_on_depth("softsign"):
        if each.rule in wider:
            steps.append(replace(each, rule="widens_of_softsign") if each.rule == "widens" else each)
    norm = latex(widest_explosion("softsign").width)
    computed = {"bound": str(bound.value and bound.value.n(10)), "factor": str(other.factor), "other": str(other.value)}
    left, right = _ends_by_first_bias()
    computed |= {"norm": f"${norm}$", "layers": str(_LAYERS), "left": f"{left:.1f}", "right": f"{right:.1f}"}
    return Finding(verdict, tuple(steps), computed)


def _for_two_inputs(record: Activation) -> Iterator[Step]:
    """Yield the steps on depth of a neuron's own activation, and why the last layer alone decides."""
    square = squared_beta(record)
    for each in _steps_on_depth(record.name):
        if each.rule == "two_inputs" and square:
            last = LastInput(X), LastInput(OTHER_X)
            apart = WrittenSum(last[0], -last[1]) ** 2
            right = WrittenProduct((*map(Slope, last), apart), LayerRatiosBefore(X, OTHER_X, sympy.sqrt(square)) ** 2)
            left = ChainSlope(X) * ChainSlope(OTHER_X) * (X - OTHER_X) ** 2
            decides = equation(left, right)
            yield Step(decides, "last_layer_decides", each.meaning, (sympy.Ne(X, OTHER_X),))
            yield from (step for step in _steps_on_depth(record.name) if step.rule == "two_point")
        if each.rule in _OF_DEPTH:
            yield each
        elif each.rule == "pair":
            yield replace(each, rule="pair_of_sigmoid")
            yield from (step for step in _steps_on_depth(record.name) if step.rule == "never_widens")


def _ends_by_first_bias() -> tuple[float, float]:
    """Return the ends of the inputs with |∂C/∂b_1| > 1 in the chain of the text, with w_1 = 1/1000: one interval."""
    z = np.linspace(-1.0, 1.0, 200_001)
    a, gradient = SIGMOID.value_and_slope(z)
    for _ in range(1, _LAYERS):
        a, slope = SIGMOID.value_and_slope(6.9 * a - 3.45)
        gradient = gradient * 6.9 * slope
    x = 1000.0 * z[np.abs(a * gradient) > 1.0]
    return float(x.min()), float(x.max())


def _steps_on_depth(activation_name: str) -> tuple[Step, ...]:
    return derive("depth", activation=activation_name).steps


def _rounds_to(number: sympy.Expr, stated: str) -> bool:
    """Whether a number, rounded to the decimals of the text, gives the text."""
    half_unit = sympy.Rational(1, 2 * 10 ** len(stated.partition(".")[2]))
    return sign(half_unit - abs(number - read_real(stated, "stated"))) > 0


MAXIMUM: Claim = Claim("maximum", {"value": "1/4"}, _maximum, (20, 22, 24))
TAILS: Claim = Claim("tails", {"reaches": 0}, _tails, (7,))
SATURATION: Claim = Claim("saturation", {"margin": "1/100", "reaches": 1}, _saturation, (7,))
CRITICAL: Claim = Claim("critical", {"weight": 4}, _critical, (24,))
INTERVAL: Claim = Claim("interval", {"logarithm": _textbook_logarithm, "example": (7, 1)}, _interval, (24,))
WIDEST: Claim = Claim("widest", {"width": "0.45", "weight": "6.9"}, _widest, (25,))
NARROW: Claim = Claim("narrow", {"activation_name": "sigmoid", "width": "0.45"}, _narrow, (24, 25))
