"""The claims on training: step size and momentum, overflow, weight decay, clipping."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_positive, read_real
from gradtheory.chains.chain import Chain
from gradtheory.derivation import Step, derive
from gradtheory.derivation.language import STEEPEST, Sigma, Slope
from gradtheory.formulas import latex
from gradtheory.pages.article.claim import Claim, ClaimVerdict, Finding, digits_of, step
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.training import train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import clip_by_global_norm, weight_decay_guarantee
from gradtheory.training.stability import largest_stable_step, stability_region
from gradtheory.training.stability.iteration import BETA, H

_STEPS = 50
_QUADRATIC = (Chain(1, "identity"), [1.0], [0.0], [1.0], [0.0])
_DEEP = (Chain(3, "identity"), [1.0], [0.0], [1.5] * 3, [0.0] * 3)
_X, _Y = (-1.0, 1.0), (0.0, 1.0)
_MOMENTUM = sympy.Rational(1, 2)


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
        ClaimVerdict.HOLDS if grown > 1.0 > fallen else ClaimVerdict.FAILS,
        tuple(steps),
        {
            "limit": f"{limit:.4g}",
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
        steps += [each for each in derive("stability", optimiser=name).steps if each.section == "region"]
        ratio = (stability_region(name).limit / plain.limit).subs({BETA: _MOMENTUM, H: 1})
        wider.append(sign(ratio - 1) > 0)
    verdict = ClaimVerdict.HOLDS if all(wider) else ClaimVerdict.CORRECTED if any(wider) else ClaimVerdict.FAILS
    best = {
        name: stability_region(name).optimal(1, 100).rate for name in ("gradient_descent", "heavy_ball", "nesterov")
    }
    return Finding(verdict, tuple(steps), {name: f"{float(rate):.3g}" for name, rate in best.items()})


def _overflow(*, weight: Any, diverges: bool) -> Finding:
    """Train a linear chain with factors above 1, and say at which depth its gradient leaves each float type."""
    size = read_real(weight, "weight")
    deep = Chain(10, "identity")
    run = train(deep, [1.0], [0.0], [float(size)] * 10, [0.0] * 10, optimiser=gradient_descent(1e-4), steps=_STEPS)
    depth = sympy.log(sympy.Rational(FLOAT_TYPES["float32"].overflow)) / sympy.log(size)
    numbers = {name: str(overflow_depth(size, name)) for name in FLOAT_TYPES}
    return Finding(
        ClaimVerdict.HOLDS if run.has_diverged == diverges else ClaimVerdict.FAILS,
        (digits_of(depth, "overflow_depth", digits=5),),
        {"weight": latex(size), "before": _latex(run.loss[0]), "after": _latex(run.loss[-1]), **numbers},
    )


def _weight_decay(*, penalty: str, share: Any) -> Finding:
    """Train a chain of sigmoids with a share of the weight decay that is proven to be enough."""
    chain = Chain(3)
    bound = weight_decay_guarantee(chain, _X, _Y, kind=penalty)
    decay = float(read_positive(share, "share")) * bound.weight_decay
    start, biases = bound.critical_weights, np.array([0.0, -2.0, -2.0])
    run = train(chain, _X, _Y, start, biases, optimiser=gradient_descent(1.0 / decay, weight_decay=decay), steps=_STEPS)
    place = sympy.log(2)
    largest = Sigma(place) * Slope(place)
    steps = (
        step(1 / STEEPEST, sympy.Integer(4), "one_over_supremum"),
        step(largest, sympy.Rational(4, 27), "largest_output_gradient"),
        step(2 * sympy.Rational(4, 27) * STEEPEST, sympy.Rational(2, 27), "decay_needed"),
    )
    holds = decay > bound.weight_decay and bool(run.factors.max() <= 1.0)
    return Finding(
        ClaimVerdict.HOLDS if holds else ClaimVerdict.FAILS, steps, {"largest": f"{float(np.abs(run.w[-1]).max()):.3g}"}
    )


def _clipping(*, max_norm: Any, stops: Sequence[str]) -> Finding:
    """Train a chain that overflows, with its gradient clipped: the run stays finite, its factors may stay above 1."""
    norm = float(read_positive(max_norm, "max_norm"))
    clip = functools.partial(clip_by_global_norm, max_norm=norm)
    chain = Chain(6, "identity"), [1.0], [0.0], [2.0] * 6, [0.0] * 6
    free = train(*chain, optimiser=gradient_descent(0.1), steps=_STEPS)
    kept = train(
        *chain, optimiser=gradient_descent(0.1), steps=_STEPS, clip=lambda gradients: clip(gradients).gradients
    )
    stopped = {
        "overflow": free.has_diverged and not kept.has_diverged,
        "factors": bool(kept.factors[:2].max() <= 1.0),
    }
    agreed = [stopped[each] for each in stops]
    c, p, q = (sympy.Symbol(name, positive=True) for name in ("c", "p", "q"))
    length = sympy.sqrt(p**2 + q**2)
    clipped = sympy.sqrt((c * p / length) ** 2 + (c * q / length) ** 2)
    return Finding(
        ClaimVerdict.HOLDS if all(agreed) else ClaimVerdict.CORRECTED if any(agreed) else ClaimVerdict.FAILS,
        (step(clipped, c, "clipped_length"),),
        {"free": str(free.steps), "kept": str(kept.steps), "loss": f"{kept.loss[-1]:.3g}"},
    )


STEP_SIZE: Claim = Claim("step_size", {"share": "1.1"}, _step_size)
MOMENTUM: Claim = Claim("momentum", {"optimisers": ("heavy_ball", "nesterov")}, _momentum)
OVERFLOW: Claim = Claim("overflow", {"weight": 2, "diverges": True}, _overflow)
WEIGHT_DECAY: Claim = Claim("weight_decay", {"penalty": "l2", "share": "1.01"}, _weight_decay)
CLIPPING: Claim = Claim("clipping", {"max_norm": 1, "stops": ("overflow",)}, _clipping)
