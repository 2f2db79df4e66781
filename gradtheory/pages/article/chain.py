"""The claims on the chain rule: depth, every gradient, layers between, any loss, wide layers, factors above 1."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Z, activation
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import LOSSES
from gradtheory.chains.symbols import A, equation
from gradtheory.derivation import GENERIC, Step, derive
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import ANY_LOSS, STEEPEST, Bend, Partial, Sigma, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.formulas import WrittenProduct, latex
from gradtheory.pages.article.claim import (
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    all_true,
    holds_if,
    place_of_steepest,
    step,
)

_ANY_DEPTH, _LAYER = sympy.symbols("L l", integer=True, positive=True)
SETTING = Chain(_ANY_DEPTH, GENERIC)


def _setting() -> tuple[Step, ...]:
    """Derive the gradients of a chain of any depth, which stand before the claims."""
    rule, last, own = ChainRule(SETTING), SETTING.delta[_ANY_DEPTH], SETTING.delta[_LAYER]
    by_weight, before = Partial(SETTING.C, SETTING.w[_LAYER]), SETTING.a[_LAYER - 1]
    shown = ("z", SETTING.z[_LAYER]), ("w", SETTING.w[_LAYER]), ("a", before)
    return (
        step(last, WrittenProduct(SETTING.loss_slope(), Slope(SETTING.z[_ANY_DEPTH])), "chain_rule", chain_rule=rule),
        step(
            own,
            WrittenProduct((SETTING.delta[_LAYER + 1], SETTING.w[_LAYER + 1], Slope(SETTING.z[_LAYER]))),
            "error_recursion",
            assumptions=(sympy.Lt(_LAYER, _ANY_DEPTH, evaluate=False),),
            chain_rule=rule,
        ),
        step(by_weight, WrittenProduct((own, before)), "by_w", shown=shown, chain_rule=rule),
        step(by_weight, SETTING.gradient(SETTING.w[_LAYER]), "product_in_one", chain_rule=rule),
        step(Partial(SETTING.C, SETTING.b[_LAYER]), own, "by_b", chain_rule=rule),
    )


SETTING_STEPS = _setting()
_DEPTH = 4
_CHAIN = Chain(_DEPTH, GENERIC)
_RULE = ChainRule(_CHAIN)
_AT_REST = Slope(sympy.S.Zero)


def _depth(*, sufferer: str, growth: str, weights: Sequence[Any]) -> Finding:
    """Count the factors of each layer; show what equal factors r multiply to, and try a chain with other factors."""
    w, b = _CHAIN.w, _CHAIN.b
    last = Partial(_CHAIN.C, b[_DEPTH])
    between = [(w[layer + 1], Slope(_CHAIN.z[layer])) for layer in range(_DEPTH - 1, 0, -1)]
    in_factors = [(Slope(_CHAIN.z[layer]), w[layer]) for layer in range(_DEPTH - 1, 0, -1)]
    exact = [read_real(weight, "weights") for weight in weights]
    by_bias = [sympy.Mul(*(weight / 4 for weight in exact[layer:])) for layer in range(1, _DEPTH + 1)]  # at z = 0
    r, same = sympy.symbols("r w", positive=True)
    steps = [
        *(
            step(Partial(_CHAIN.C, parameter), _CHAIN.gradient(parameter), "chain_rule", chain_rule=_RULE)
            for parameter in (w[1], w[4])
        ),
        step(Partial(_CHAIN.C, b[1]), WrittenProduct(last, *between), "between_layers", chain_rule=_RULE),
        step(
            Partial(_CHAIN.C, b[1]), WrittenProduct(last, w[_DEPTH] / w[1], *in_factors), "in_factors", chain_rule=_RULE
        ),
        step(WrittenProduct((4 * r, _AT_REST)), r, "equal_factors"),
        step(WrittenProduct(*((weight, _AT_REST) for weight in reversed(exact[1:]))), by_bias[0], "mixed_factors"),
    ]
    factors = [_CHAIN.gradient(bias).count(lambda part: part.func == Slope) for bias in b]
    nearest = {"input": factors[0], "output": factors[-1]}[sufferer]
    equal = {Slope(_CHAIN.z[layer]): r / same for layer in range(1, _DEPTH)} | dict.fromkeys(w, same)
    ratio = sympy.Mul(*(part for pair in between for part in pair))
    power = {"exponential": r ** (_DEPTH - 1), "linear": (_DEPTH - 1) * r}[growth]
    holds = nearest == max(factors) > min(factors) and ratio.xreplace(equal) == power and all_true(steps)
    always = by_bias[0] == max(by_bias)
    counts = {"depth": str(_DEPTH), "most": str(max(factors)), "least": str(min(factors))}
    counts |= {"weights": "$, $".join(map(latex, exact)), "ratios": "$, $".join(map(latex, by_bias))}
    verdict = ClaimVerdict.HOLDS if holds and always else ClaimVerdict.CORRECTED if holds else ClaimVerdict.FAILS
    return Finding(verdict, tuple(steps), counts)


def _gradients(*, weight: Any, factor: Any) -> Finding:
    """Derive ∂C/∂w_l and ∂C/∂b_l of every layer, and put numbers in where every factor is the same."""
    a, first = _CHAIN.a, Partial(_CHAIN.C, _CHAIN.w[1])
    links = [Partial(a[layer], a[layer - 1]) for layer in range(_DEPTH, 1, -1)]
    whole = WrittenProduct(Partial(_CHAIN.C, a[_DEPTH]), *links, Partial(a[1], _CHAIN.w[1]))
    steps = [step(first, whole, "chain_of_layers", chain_rule=_RULE)]
    steps += [
        step(Partial(_CHAIN.C, parameters[layer]), _CHAIN.gradient(parameters[layer]), "chain_rule", chain_rule=_RULE)
        for layer in range(_DEPTH, 0, -1)
        for parameters in (_CHAIN.b, _CHAIN.w)
    ]
    size, stated = read_real(weight, "weight"), read_real(factor, "factor")
    half = sympy.Rational(1, 2)  # σ(0): every layer stays there with the bias -w/2
    by_bias = [half * SIGMOID.steepest_slope * stated ** (_DEPTH - layer) for layer in range(1, _DEPTH + 1)]
    w = np.full(_DEPTH, float(size))
    backward = Chain(_DEPTH).backprop(x=0.5, y=0.0, w=w, b=-w / 2.0)
    agrees = np.allclose(backward.b, [float(each) for each in by_bias], rtol=1e-14, atol=0.0)
    rows = tuple(
        (str(layer), f"${latex(by_bias[layer - 1])}$", f"${latex(half * by_bias[layer - 1])}$")
        for layer in range(_DEPTH, 0, -1)
    )
    holds = bool(agrees) and all_true(steps)
    return Finding(
        holds_if(holds), tuple(steps), {"weight": latex(size), "bias": latex(-size / 2), "factor": latex(stated)}, rows
    )


def _between_layers(*, factors: Sequence[str]) -> Finding:
    """Derive ∂a_l/∂a_{l-1} for every layer, and their product over all layers."""
    z, a = _CHAIN.z, _CHAIN.a
    parts = {layer: {"slope": Slope(z[layer]), "weight": _CHAIN.w[layer]} for layer in range(_DEPTH, 1, -1)}
    stated = {layer: tuple(of_layer[name] for name in factors) for layer, of_layer in parts.items()}
    steps = [
        step(Partial(a[layer], a[layer - 1]), WrittenProduct(group), "layer_jacobian", chain_rule=_RULE)
        for layer, group in stated.items()
    ]
    several = Partial(a[_DEPTH], a[1])
    links = [Partial(a[layer], a[layer - 1]) for layer in stated]
    steps += [
        step(several, WrittenProduct(*links), "links", chain_rule=_RULE),
        step(several, WrittenProduct(*stated.values()), "put_together", chain_rule=_RULE),
    ]
    return Finding(holds_if(all_true(steps)), tuple(steps) if all_true(steps) else ())


def _loss(*, enters: int) -> Finding:
    """Derive the gradient for a loss f of which nothing is known, and count how often f enters it."""
    chain = Chain(_DEPTH, GENERIC, ANY_LOSS)
    rule = ChainRule(chain)
    output, first = Partial(chain.C, chain.a[_DEPTH]), chain.w[1]
    _, *others = chain.gradient(first).groups
    product = WrittenProduct(output, *others)
    steps = [
        step(output, chain.loss_slope(), "loss_slope", chain_rule=rule),
        step(Partial(chain.C, first), product, "any_loss", chain_rule=rule),
    ]
    for loss in LOSSES.values():
        slope = sympy.Derivative(loss.expr, A)
        named = {A: chain.a[_DEPTH]}
        steps.append(step(slope.xreplace(named), loss.slope_expr.xreplace(named), f"loss_{loss.name}"))
    cross_entropy = LOSSES["cross_entropy"].slope_expr.xreplace({A: Sigma(Z)})
    steps.append(
        step(
            WrittenProduct(cross_entropy, Slope(Z)),
            LOSSES["squared"].slope_expr.xreplace({A: Sigma(Z)}),
            "loss_cancels",
        )
    )
    holds = product.parts.count(output) == enters and all_true(steps)
    return Finding(holds_if(holds), tuple(steps))


def _wide(*, transposed: bool, neurons: int, weight: Any) -> Finding:
    """Check the recursion in matrices, and how a layer of equal weights multiplies equal errors."""
    size = read_real(weight, "weight")
    n, w, index = sympy.Symbol("n", integer=True, positive=True), sympy.Symbol("w", real=True), sympy.Symbol("j")
    steps = (
        *(each for each in derive("gradient", activation=SIGMOID, depth=1).steps if each.section == "wide"),
        step(sympy.Sum(WrittenProduct(w, STEEPEST), (index, 1, n)), WrittenProduct((n, w), STEEPEST), "equal_weights"),
    )
    is_transposed = any(
        isinstance(part, sympy.Transpose) for shown in steps[:2] for part in sympy.preorder_traversal(shown.statement)
    )
    grown = neurons * size * SIGMOID.steepest_slope
    single = size * SIGMOID.steepest_slope
    numbers = {"neurons": str(neurons), "weight": latex(size), "grown": latex(grown), "single": latex(single)}
    return Finding(holds_if(is_transposed == transposed and all_true(steps)), steps, numbers)


def _near_output(*, activation_name: str, weight: Any) -> Finding:
    """Show that slopes above 1 are not needed for a product above 1, nor enough for one."""
    record, size = activation(activation_name), read_real(weight, "weight")
    small = sympy.Rational(1, 2)
    silu = Meaning(activation("silu"))
    steps = (
        Step(equation(STEEPEST, record.steepest_slope), "slope_bound", Meaning(record)),
        step(WrittenProduct((size, _AT_REST)), size * SIGMOID.steepest_slope, "factor_without"),
        Step(equation(Bend(Z), (2 - Z * sympy.tanh(Z / 2)) / (4 * sympy.cosh(Z / 2) ** 2)), "bend_of_silu", silu),
        Step(Rounded.of(STEEPEST, silu.activation.steepest_slope, 5), "slope_above", silu),
        Step(Rounded.of(small * STEEPEST, small * silu.activation.steepest_slope, 5), "factor_below", silu),
    )
    never = sign(record.steepest_slope - 1) <= 0
    numbers = {"weight": latex(size), "factor": latex(size * SIGMOID.steepest_slope)}
    numbers |= {"above": f"{float(silu.activation.steepest_slope):.5g}"}
    numbers |= {"place": f"{float(place_of_steepest(silu.activation)):.5g}"}
    numbers |= {"below": f"{math.ceil(50 * float(silu.activation.steepest_slope)) / 100:g}"}
    return Finding(ClaimVerdict.FAILS if never else ClaimVerdict.CORRECTED, steps, numbers)


def _factor(*, weights: tuple[Any, ...], suffices: bool) -> Finding:
    """Show that a factor above 1 is necessary for a product above 1, and not sufficient."""
    exact = [read_real(weight, "weights") for weight in weights]
    factors = [SIGMOID.slope_expr.subs(Z, 0) * weight for weight in exact]
    total = sympy.Mul(*factors)
    first, second = factors[0], factors[-1]
    steps = (
        step(WrittenProduct((exact[0], _AT_REST)), first, "one_factor"),
        step(WrittenProduct((exact[-1], _AT_REST)), second, "other_factor"),
        step(WrittenProduct(*((weight, _AT_REST) for weight in reversed(exact))), total, "total_factor"),
    )
    explodes = sign(total - 1) > 0
    verdict = ClaimVerdict.HOLDS if explodes or not suffices else ClaimVerdict.CORRECTED
    numbers = {"factor": latex(first), "other": latex(second), "total": latex(total)}
    return Finding(verdict, steps, numbers | {"weight": latex(exact[0]), "small": latex(exact[-1])})


DEPTH: Claim = Claim(
    "depth",
    {"sufferer": "input", "growth": "exponential", "weights": ("1/2", "1/2", 8, 8)},  # on which it is tried
    _depth,
    (3, 4, 6, 19),
)
NEAR_OUTPUT: Claim = Claim("near_output", {"activation_name": "sigmoid", "weight": 8}, _near_output, (6,))
LOSS: Claim = Claim("loss", {"enters": 1}, _loss, (16, 17))
GRADIENTS: Claim = Claim("gradients", {"weight": 5, "factor": "5/4"}, _gradients, (17,))
BETWEEN_LAYERS: Claim = Claim("between_layers", {"factors": ("slope", "weight")}, _between_layers, (18,))
WIDE: Claim = Claim("wide", {"transposed": True, "neurons": 16, "weight": "1/2"}, _wide, (19,))
FACTOR: Claim = Claim("factor", {"weights": (6, "1/2"), "suffices": True}, _factor, (22,))
