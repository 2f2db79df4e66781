"""The claims on training: step size and momentum, overflow, and losses that jump."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import Array, read_positive, read_real
from gradtheory.chains.chain import Chain
from gradtheory.derivation import Step, derive
from gradtheory.derivation.functions import BinaryLogarithm
from gradtheory.derivation.language import Slope
from gradtheory.formulas import WrittenProduct, WrittenSum, latex
from gradtheory.pages.article.claim import Claim, Finding, digits_of, holds_if, share_that_holds, step
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.training import Training, train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.stability import largest_stable_step, stability_region
from gradtheory.training.stability.iteration import BETA, H

_STEPS, _BASE = 50, 2  # of all floating-point numbers
_WEIGHT, _CRITICAL = sympy.Integer(8), 4  # of chains of sigmoids, whose factors are w/4 where z = 0
_QUADRATIC = (Chain(1, "identity"), [1.0], [0.0], [1.0], [0.0])
_DEEP = (Chain(3, "identity"), [1.0], [0.0], [1.5] * 3, [0.0] * 3)
_TEN_LAYERS = (Chain(10, "identity"), [1.0], [0.0], [2.0] * 10, [0.0] * 10)
_ONE_LAYER, _BEYOND = (Chain(1, "identity"), [1.0], [0.0], [0.5], [0.0]), 1.3  # its 2/h is 1
_LARGE = 1  # the learning rate that brings jumps
_SMALL = 1e-3  # numbers below it, or above its inverse, are written with powers of 10
_MOMENTUM = sympy.Rational(1, 2)
_OF_MOMENTUM = ("characteristic", "schur_cohn", "at_one", "at_minus_one", "solve_for_eta", "region")


def _step_size(*, share: Any) -> Finding:
    """Train one linear layer, whose loss is a quadratic, with a share of the largest stable step; and a deep chain."""
    times = float(read_positive(share, "share"))
    limit = largest_stable_step(*_QUADRATIC, optimiser=gradient_descent(1.0))
    large, small = (train(*_QUADRATIC, optimiser=gradient_descent(each * limit), steps=_STEPS) for each in (times, 0.9))
    deep = largest_stable_step(*_DEEP, optimiser=gradient_descent(1.0))
    far = train(*_DEEP, optimiser=gradient_descent(8.0 * deep), steps=_STEPS)
    steps = [each for each in derive("stability", optimiser="gradient_descent").steps if each.section != "optimum"]
    bounded = run_with_jumps(_LARGE).gradient_norm
    grown, fallen = (run.loss[-1] / run.loss[0] for run in (large, small))
    return Finding(
        holds_if(grown > 1.0 > fallen),
        tuple(steps),
        {
            "limit": f"{limit:.4g}",
            "rate": f"{times * limit:.4g}",
            "deep_rate": f"{8.0 * deep:.3g}",
            "share": f"{times:g}",
            "grown": _latex(grown),
            "deep": f"{deep:.3g}",
            "end": str(far.steps),
            "norm_before": _short(bounded[3]),
            "norm_after": _short(bounded[4]),
        },
    )


def _latex(number: float) -> str:
    """Return a number with three digits, trailing zeros too."""
    mantissa, *power = str(latex(sympy.Float(number, 3))).split(" ", 1)
    return " ".join([_digits(float(mantissa)), *power])


def _momentum(*, optimisers: Sequence[str]) -> Finding:
    """Compare the limits of the learning rate with and without momentum, and the best rates."""
    plain = stability_region("gradient_descent")
    steps = _of_noise()
    wider = []
    for name in optimisers:
        first, *others = [each for each in derive("stability", optimiser=name).steps if each.rule in _OF_MOMENTUM]
        steps += [replace(first, rule=f"characteristic_of_{name}"), *others]
        ratio = (stability_region(name).limit / plain.limit).subs({BETA: _MOMENTUM, H: 1})
        wider.append(sign(ratio - 1) > 0)
    best = {
        name: stability_region(name).optimal(1, 100).rate for name in ("gradient_descent", "heavy_ball", "nesterov")
    }
    return Finding(share_that_holds(wider), tuple(steps), {name: _digits(float(rate)) for name, rate in best.items()})


def _of_noise() -> list[Step]:
    """Return what the heavy ball makes of gradients with independent noise: of their mean, and of their variance."""
    index, below = sympy.Symbol("k", integer=True, nonnegative=True), (sympy.Ge(BETA, 0), sympy.Lt(BETA, 1))
    of_mean, of_variance = 1 / (1 - BETA), 1 / (1 - BETA**2)
    return [
        step(sympy.Sum(BETA**index, (index, 0, sympy.oo)), of_mean, "of_mean", assumptions=below),
        step(sympy.Sum(BETA ** (2 * index), (index, 0, sympy.oo)), of_variance, "of_variance", assumptions=below),
        step(of_variance / of_mean**2, (1 - BETA) / (1 + BETA), "relative_variance", assumptions=below),
    ]


def _overflow(*, weight: Any, diverges: bool) -> Finding:
    """Train a linear chain with factors above 1, and say at which depth its gradient leaves each float type."""
    size = read_real(weight, "weight")
    chain, x, y, _, b = _TEN_LAYERS
    run = train(chain, x, y, [float(size)] * 10, b, optimiser=gradient_descent(1e-4), steps=_STEPS)
    kind = FLOAT_TYPES["float32"]
    last = sympy.Pow(2, -kind.bits, evaluate=False)
    limit = WrittenSum(sympy.Integer(kind.largest), BinaryLogarithm(WrittenSum(sympy.Integer(2), -last)))
    depth = limit if size == _BASE else limit / BinaryLogarithm(size)
    numbers = {name: str(overflow_depth(size, name)) for name in FLOAT_TYPES}
    return Finding(
        holds_if(run.has_diverged == diverges),
        (digits_of(depth, "overflow_depth", digits=11),),
        {
            "weight": latex(size),
            "before": _latex(run.loss[0]),
            "after": _latex(run.loss[-1]),
            "largest": _latex(float(np.abs(run.w[-1]).max())),
            "steps": str(run.steps),
            **numbers,
            **{f"from_{name}": _rounded_to_infinity(name) for name in FLOAT_TYPES},
        },
    )


def _rounded_to_infinity(name: str) -> str:
    """Return the least number that a float type rounds to infinity."""
    kind = FLOAT_TYPES[name]
    return rf"(2 - 2^{{-{kind.bits}}}) \cdot 2^{{{kind.largest}}}"


def _above(numbers: Array) -> float:
    """Return what none of them exceeds, in hundredths."""
    return math.ceil(100.0 * float(numbers.max())) / 100.0


def four_sigmoids(weight: float) -> tuple[Any, ...]:
    """Return a chain of four sigmoids with two inputs beside the one at which z = 0 in every layer."""
    return Chain(4), [-0.02, 0.02], [0.0, 1.0], [weight] * 4, [0.0, *[-weight / 2.0] * 3]


def run_with_jumps(rate: float) -> Training:
    """Train that chain, with weights of 8."""
    run: Training = train(*four_sigmoids(float(_WEIGHT)), optimiser=gradient_descent(rate), steps=_STEPS)
    return run


def _jumps(*, rate: Any, calm: Any, tiny: Any) -> Finding:
    """Train chains with and without exploding gradients at a large rate, and with them at small ones."""
    large, small, least = (float(read_positive(each, "rate")) for each in (rate, calm, tiny))
    steep, mild = four_sigmoids(float(_WEIGHT)), four_sigmoids(_CRITICAL)
    settings = (steep, large), (steep, small), (mild, large), (_TEN_LAYERS, least), (_ONE_LAYER, _BEYOND)
    runs = [train(*chain, optimiser=gradient_descent(each), steps=_STEPS) for chain, each in settings]
    wild, steady, without, exploding, flat = runs
    factors = sympy.Pow(WrittenProduct((_WEIGHT, Slope(sympy.S.Zero))), 4, evaluate=False)
    steps = (step(factors, (_WEIGHT / 4) ** 4, "product_of_factors"),)
    explodes = wild.factors[0].min() > 1.0
    is_unstable = explodes and bool(wild.jumps) and not (wild.has_diverged or steady.jumps or without.jumps)
    numbers = {"ratio": _above(wild.loss[1:] / wild.loss[:-1]), "norm": _above(wild.gradient_norm)}
    numbers |= {"factor_least": -_above(-wild.factors[0]), "factor_greatest": _above(wild.factors[0])}
    numbers |= {"factor_without": _above(without.factors), "beyond": _BEYOND}
    numbers |= {"growth": flat.loss[1] / flat.loss[0]}
    told = {name: f"{number:.3g}" for name, number in numbers.items()}
    told |= {"large": f"{large:g}", "small": f"{small:g}", "tiny": _power(least), "steps": str(_STEPS)}
    told["explodes"] = _latex(exploding.gradient_norm[0])
    rows = tuple(_row(*setting, run) for setting, run in zip(settings, runs, strict=True))
    return Finding(holds_if(is_unstable), steps, told, rows)


def _row(setting: tuple[Any, ...], rate: float, run: Training) -> tuple[str, ...]:
    """Return a run as a row of a table: its chain, its rate and the largest stable one, its jumps and its losses."""
    chain, _, _, weights, _ = setting
    limit = largest_stable_step(*setting, optimiser=gradient_descent(1.0))
    numbers = (
        *(str(chain.depth), f"{weights[0]:g}", f"{rate:g}" if rate > _SMALL else _power(rate), _short(limit)),
        *(_short(run.factors[0].max()), str(len(run.jumps)), _short(run.loss[0]), _short(run.loss[-1])),
    )
    return chain.activation, *(f"${number}$" for number in numbers)


def _short(number: float) -> str:
    return _digits(number) if _SMALL < number < 1.0 / _SMALL else _latex(number)


def _digits(number: float) -> str:
    return f"{number:#.3g}".removesuffix(".")


def _power(number: float) -> str:
    return f"10^{{{round(math.log10(number))}}}"


STEP_SIZE: Claim = Claim("step_size", {"share": "1.1"}, _step_size, (9, 34))
MOMENTUM: Claim = Claim("momentum", {"optimisers": ("heavy_ball", "nesterov")}, _momentum, (34,))
OVERFLOW: Claim = Claim("overflow", {"weight": 2, "diverges": True}, _overflow, (1, 27))
JUMPS: Claim = Claim("jumps", {"rate": _LARGE, "calm": "0.2", "tiny": "1e-8"}, _jumps, (1, 27))
