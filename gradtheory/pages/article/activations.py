"""The claims on the choice of activation: avoid steep ones, relu helps, and what its variants do."""

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from gradtheory.activations import Activation, Z, activation
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_real
from gradtheory.chains.symbols import equation
from gradtheory.derivation import Step, derive
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.facts import ALPHA, SCALE
from gradtheory.derivation.language import STEEPEST, Sigma, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.explosion import critical_weight, total_variation, widest_explosion
from gradtheory.explosion.depth import depth_bound
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made, latex
from gradtheory.formulas.decimals import digits
from gradtheory.pages.article.claim import (
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    place_of_steepest,
    share_that_holds,
    step,
)

_BOUNDED = ("softsign", "arctan", "isru", "sigmoid", "tanh", "erf", "hard_tanh", "relu6")
_VARIANTS = ("relu", "leaky_relu", "elu", "selu", "relu6", "softplus", "mish", "silu", "gelu", "hard_swish")
_STEEP_BEYOND_0 = ("mish", "silu", "gelu", "hard_swish")
_DIGITS = 5
_LONG = 100  # the denominator of a fraction that is written as a decimal


def _steep(*, criterion: str) -> Finding:
    """Rank bounded activations by what weights cannot make up for; show that the greatest slope is not such a thing."""
    tanh = activation("tanh")
    steps = [
        step(2 * Sigma(2 * Z) - 1, sympy.tanh(Z), "same_networks"),
        step(STEEPEST, SIGMOID.steepest_slope, "slope_bound"),
        Step(equation(STEEPEST, tanh.steepest_slope), "slope_of_tanh", Meaning(tanh)),
    ]
    steps += [each for each in derive("weak_norm", activation=SIGMOID).steps if each.section == "scaling"]
    steps.append(_scaled_pair())
    share = {name: _share(activation(name)) for name in _BOUNDED}
    steepest = {name: activation(name).steepest_slope for name in _BOUNDED}
    deep = {name: _at_depth(activation(name)) for name in _BOUNDED}
    sizes = {"steepest_slope": steepest, "share": share, "deep_share": deep}[criterion]
    ranked = sorted(_BOUNDED, key=lambda name: (float(share[name]), _BOUNDED.index(name)))
    rows = tuple(
        (
            name,
            f"${_number(steepest[name])}$",
            f"${_number(widest_explosion(name).width)}$",
            f"${_number(total_variation(activation(name)))}$",
            f"${_number(share[name])}$",
            f"${_number(deep[name])}$",
        )
        for name in ranked
    )
    is_invariant = abs(float(sizes["sigmoid"]) - float(sizes["tanh"])) < 10**-_DIGITS  # one and the same network
    return Finding(ClaimVerdict.HOLDS if is_invariant else ClaimVerdict.CORRECTED, tuple(steps), {}, rows)


def _scaled_pair() -> Step:
    """Return what (q - p)√(σ'(p)σ'(q)), whose supremum is H, becomes when σ becomes α·σ(kz + u) + d."""
    shift, p, q = sympy.symbols("u p q", real=True)
    slopes = [Slope(WrittenSum(SCALE * place, shift)) for place in (p, q)]
    scaled = WrittenProduct(*((ALPHA, SCALE, slope) for slope in slopes))
    before, after = WrittenSum(q, -p), WrittenSum(SCALE * q, -SCALE * p)

    def size(apart: sympy.Expr, product: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        root = as_made(sympy.Pow, as_made(sympy.Abs, product), sympy.S.Half)
        return as_made(sympy.Abs, apart), root

    of_sigma = WrittenProduct(abs(ALPHA), size(after, WrittenProduct(tuple(slopes))))
    return step(WrittenProduct(size(before, scaled)), of_sigma, "scaled_pair")


def _at_depth(record: Activation) -> sympy.Expr:
    """Return H/V, which is for chains of any depth what K/V is for one neuron: all activations asked are of class N."""
    return depth_bound(record).value / total_variation(record)


def _share(record: Activation) -> sympy.Expr:
    """Return K/V, which stays as it is when σ becomes α·σ(kz + u) + d."""
    return widest_explosion(record).width / total_variation(record)


def as_written(name: str) -> sympy.Expr:
    """Return the formula of an activation: selu's with each of its constants once."""
    expr: sympy.Expr = activation(name).expr
    if name != "selu":
        return expr
    steep, low = -expr.subs(Z, -sympy.oo), sympy.exp(sympy.Min(0, Z))
    return WrittenSum(expr + steep * (1 - low), WrittenProduct((digits(steep), WrittenSum(low, -sympy.S.One))))


def _number(number: sympy.Expr) -> str:
    return str(latex(number)) if _is_short(number) else f"{float(number):.{_DIGITS - 1}f}"


def _is_short(number: sympy.Expr) -> bool:
    return bool(number.is_Rational and number.q < _LONG)


def _relu(*, activation_name: str, slope: Any, against: Sequence[str]) -> Finding:
    """Show that the slope is 1 on the positive side, and that the explosion set is then a half-line.

    Explosions are mitigated against another activation if it takes a larger weight to explode.
    """
    record = activation(activation_name)
    meaning = Meaning(record)
    stated = read_real(slope, "slope")
    derived = derive("explosion", activation=record)
    rules = "superlevel", "pull_back", "length", "no_length"
    sets = [step for step in derived.steps if step.rule in rules and step.section != "example"]
    keeps = Step(equation(Slope(Z), stated), "constant_slope", meaning, (sympy.Gt(Z, 0, evaluate=False),))
    holds = bool(keeps.verdict.is_true)
    weights = {name: critical_weight(name) for name in against}
    critical = critical_weight(record)
    helps = share_that_holds(sign(critical - weight) > 0 for weight in weights.values())
    numbers = {"name": record.name, "critical": _number(critical)}
    numbers |= {f"of_{name}": _number(weight) for name, weight in weights.items()}
    numbers |= {"widest": f"{float(widest_explosion('sigmoid').width):.2f}"}
    numbers |= {"of_erf": f"{float(widest_explosion('erf').width):.3g}"}
    verdict = helps if holds else ClaimVerdict.FAILS
    return Finding(verdict, ((keeps,) if holds else ()) + tuple(sets), numbers)


def _variants(*, names: Sequence[str]) -> Finding:
    """Say of each variant whether its slope is constant for positive inputs, and how far it exceeds its limit."""
    records = [activation(name) for name in names]
    constant = {record.name: _slope_on_the_right(record) for record in records}
    steps = [each for record in records for each in _on_the_right(record, constant[record.name])]
    rows = tuple(
        (
            record.name,
            "–" if constant[record.name] is None else f"${_number(constant[record.name])}$",
            f"${_number(1 / record.steepest_slope)}$",
            f"${_number(record.steepest_slope)}$",
            f"${_number(_limit(record))}$",
        )
        for record in records
    )
    keeps = [value is not None for value in constant.values()]
    unbounded = [sign(_limit(record)) != 0 for record in records]  # so that K = ∞
    numbers = {"constant": str(sum(keeps)), "count": str(len(keeps)), "unbounded": str(sum(unbounded))}
    numbers |= {f"of_{name}": f"{float(place_of_steepest(activation(name))):.5g}" for name in _STEEP_BEYOND_0}
    finite = [record for record in records if sign(_limit(record)) == 0]
    critical = max(1 / record.steepest_slope for record in records)
    numbers |= {"critical": _number(critical), "of_sigmoid": _number(critical_weight(SIGMOID))}
    numbers |= {
        "finite": ", ".join(record.name for record in finite),
        "widest": _number(widest_explosion(SIGMOID).width),
    }
    numbers["narrowest"] = _number(min((widest_explosion(record).width for record in finite), default=sympy.oo))
    return Finding(share_that_holds(keeps), tuple(steps), numbers, rows)


def _slope_on_the_right(record: Activation) -> sympy.Expr | None:
    """Return σ' for z > 0 where it is one number, else None."""
    slopes = {
        slope
        for branch in record.profile.branches
        if branch.right.is_infinite or branch.right.is_positive
        for slope in (branch.slope_left, branch.slope_right)
    }
    return slopes.pop() if len(slopes) == 1 else None


def _limit(record: Activation) -> sympy.Expr:
    return record.profile.branches[-1].slope_right


def _on_the_right(record: Activation, constant: sympy.Expr | None) -> Iterator[Step]:
    """Yield the steps that the slope is one number for positive inputs, and how large it is at most if that is more."""
    meaning, positive = Meaning(record), (sympy.Gt(Z, 0, evaluate=False),)
    if constant is not None and constant.is_Integer:
        yield Step(equation(Slope(Z), constant), "constant_slope", meaning, positive)
        return
    if constant is not None:
        yield Step(equation(Slope(Z), Slope(sympy.S.One)), "constant_slope", meaning, positive)
        yield Step(Rounded.of(Slope(sympy.S.One), constant, _DIGITS), "constant_in_numbers", meaning)
    rule = "no_constant_slope" if constant is None else "steep_on_the_left"
    if _is_short(record.steepest_slope):
        yield Step(equation(STEEPEST, record.steepest_slope), rule, meaning)
    else:
        yield Step(Rounded.of(STEEPEST, record.steepest_slope, _DIGITS), rule, meaning)


STEEP: Claim = Claim("steep", {"criterion": "steepest_slope"}, _steep, (32,))
RELU: Claim = Claim(
    "relu", {"activation_name": "relu", "slope": 1, "against": ("selu", "hard_swish", "gelu", "sigmoid")}, _relu, (32,)
)
VARIANTS: Claim = Claim("variants", {"names": _VARIANTS}, _variants, (32,))
