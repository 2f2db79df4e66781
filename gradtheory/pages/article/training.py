"""The claims on training: step size and momentum, overflow, and losses that jump."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_positive, read_real
from gradtheory.chains.chain import Chain
from gradtheory.derivation import Step, derive
from gradtheory.derivation.language import Slope
from gradtheory.formulas import WrittenProduct, WrittenSum, latex
from gradtheory.pages.article.claim import Claim, Finding, digits_of, holds_if, share_that_holds, step
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.training import Training, train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.stability import largest_stable_step, stability_region
from gradtheory.training.stability.iteration import BETA, H

_STEPS = 50
_WEIGHT = sympy.Integer(5)  # of the chain of sigmoids, whose every factor is 5/4 at the start
_QUADRATIC = (Chain(1, "identity"), [1.0], [0.0], [1.0], [0.0])
_DEEP = (Chain(3, "identity"), [1.0], [0.0], [1.5] * 3, [0.0] * 3)
_FOUR_SIGMOIDS = (Chain(4), [-0.2, 0.2], [0.0, 1.0], [float(_WEIGHT)] * 4, [0.0, *[-float(_WEIGHT) / 2.0] * 3])
_TEN_LAYERS = (Chain(10, "identity"), [1.0], [0.0], [2.0] * 10, [0.0] * 10)
_ONE_LAYER, _BEYOND = (Chain(1, "identity"), [1.0], [0.0], [0.5], [0.0]), 1.3  # its 2/h is 1
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
        },
    )


def _latex(number: float) -> str:
    return str(latex(sympy.Float(number, 3)))


def _momentum(*, optimisers: Sequence[str]) -> Finding:
    """Compare the limits of the learning rate with and without momentum, and the best rates."""
    plain = stability_region("gradient_descent")
    steps: list[Step] = []
    wider = []
    for name in optimisers:
        steps += [each for each in derive("stability", optimiser=name).steps if each.rule in _OF_MOMENTUM]
        ratio = (stability_region(name).limit / plain.limit).subs({BETA: _MOMENTUM, H: 1})
        wider.append(sign(ratio - 1) > 0)
    best = {
        name: stability_region(name).optimal(1, 100).rate for name in ("gradient_descent", "heavy_ball", "nesterov")
    }
    return Finding(share_that_holds(wider), tuple(steps), {name: f"{float(rate):.3g}" for name, rate in best.items()})


def _overflow(*, weight: Any, diverges: bool) -> Finding:
    """Train a linear chain with factors above 1, and say at which depth its gradient leaves each float type."""
    size = read_real(weight, "weight")
    chain, x, y, _, b = _TEN_LAYERS
    run = train(chain, x, y, [float(size)] * 10, b, optimiser=gradient_descent(1e-4), steps=_STEPS)
    kind = FLOAT_TYPES["float32"]
    last = sympy.Pow(2, -kind.bits, evaluate=False)
    largest = sympy.log(WrittenSum(sympy.Integer(2), -last), evaluate=False)
    exponent = kind.largest * (sympy.log(2) / sympy.log(size))  # 127, as is read for a factor of 2
    depth = WrittenSum(exponent, largest / sympy.log(size))
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
        },
    )


def run_with_jumps(rate: float) -> Training:
    """Train a chain of four sigmoids with equal weights, whose factors are w/4 where z = 0."""
    run: Training = train(*_FOUR_SIGMOIDS, optimiser=gradient_descent(rate), steps=_STEPS)
    return run


def _jumps(*, rate: Any, calm: Any, tiny: Any) -> Finding:
    """Train at a large learning rate and a smaller one; large factors with a tiny rate, and a small one with none."""
    large, small, least = (float(read_positive(each, "rate")) for each in (rate, calm, tiny))
    wild, steady, ruined = map(run_with_jumps, (large, small, 4.0 * large))
    limit = largest_stable_step(*_FOUR_SIGMOIDS, optimiser=gradient_descent(1.0))
    ratios = wild.loss[1:] / wild.loss[:-1]
    factors = sympy.Pow(WrittenProduct((_WEIGHT, Slope(sympy.S.Zero))), 4, evaluate=False)
    steps = (step(factors, (_WEIGHT / 4) ** 4, "product_of_factors"),)
    exploding = train(*_TEN_LAYERS, optimiser=gradient_descent(least), steps=_STEPS)
    flat = train(*_ONE_LAYER, optimiser=gradient_descent(_BEYOND), steps=2)
    is_unstable = bool(wild.jumps) and not wild.has_diverged and not steady.jumps
    numbers = {"limit": limit, "ratio": float(ratios.max()), "norm": float(wild.gradient_norm.max())}
    numbers |= {"factor_first": float(wild.factors[0].max()), "factor_greatest": float(wild.factors.max())}
    numbers |= {"end": wild.loss[-1], "steady": steady.loss[-1], "ruined": ruined.loss[-1], "start": wild.loss[0]}
    numbers |= {"growth": flat.loss[1] / flat.loss[0], "beyond": _BEYOND}
    told = {name: f"{number:.3g}" for name, number in numbers.items()}
    told |= {"jumps": str(len(wild.jumps)), "large": f"{large:g}", "small": f"{small:g}", "ruin": f"{4.0 * large:g}"}
    told |= {"tiny": f"10^{{{round(math.log10(least))}}}", "steps": str(exploding.steps)}
    of_exploding = {"explodes": exploding.gradient_norm[0], "before": exploding.loss[0], "after": exploding.loss[-1]}
    return Finding(holds_if(is_unstable), steps, told | {name: _latex(number) for name, number in of_exploding.items()})


STEP_SIZE: Claim = Claim("step_size", {"share": "1.1"}, _step_size, (9, 34))
MOMENTUM: Claim = Claim("momentum", {"optimisers": ("heavy_ball", "nesterov")}, _momentum, (34,))
OVERFLOW: Claim = Claim("overflow", {"weight": 2, "diverges": True}, _overflow, (1, 27))
JUMPS: Claim = Claim("jumps", {"rate": 10, "calm": 1, "tiny": "1e-8"}, _jumps, (1, 27))
