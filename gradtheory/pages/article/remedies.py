"""The claims on remedies: weight decay with the L2 and the L1 norm, and clipping."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.inputs import Array, read_positive
from gradtheory.chains.chain import Chain
from gradtheory.derivation import derive
from gradtheory.derivation.language import STEEPEST, Sigma, Slope
from gradtheory.formulas import WrittenProduct
from gradtheory.pages.article.claim import (
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    holds_if,
    share_that_holds,
    step,
)
from gradtheory.training import ChainTraining, train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import clip_by_global_norm, soft_threshold, weight_decay_guarantee

_STEPS = 50
_X, _Y = (-1.0, 1.0), (0.0, 1.0)
_BIASES = np.array([0.0, -2.0, -2.0])


def _weight_decay(*, penalty: str, share: Any) -> Finding:
    """Train a chain of sigmoids with a share of the weight decay that is proven to be enough."""
    chain = Chain(3)
    bound = weight_decay_guarantee(chain, _X, _Y, kind=penalty)
    decay = float(read_positive(share, "share")) * bound.weight_decay
    optimiser = gradient_descent(1.0 / decay, weight_decay=decay)
    run = train(chain, _X, _Y, bound.critical_weights, _BIASES, optimiser=optimiser, steps=_STEPS)
    place, most = sympy.log(2), sympy.Rational(4, 27)
    output = WrittenProduct((Sigma(Z), Slope(Z)))
    steps = (
        step(1 / STEEPEST, sympy.Integer(4), "one_over_supremum"),
        step(sympy.Derivative(output, Z), WrittenProduct((Sigma(Z), Slope(Z), 2 - 3 * Sigma(Z))), "output_gradient"),
        step(Sigma(place), sympy.Rational(2, 3), "output_gradient_zero"),
        step(WrittenProduct((Sigma(place), Slope(place))), most, "largest_output_gradient"),
        step(WrittenProduct(sympy.Integer(2), most, STEEPEST), sympy.Rational(2, 27), "decay_needed"),
    )
    holds = decay > bound.weight_decay and bool(run.factors.max() <= 1.0)
    return Finding(holds_if(holds), steps, {"largest": f"{float(np.abs(run.w[-1]).max()):.3g}"})


def _lasso(*, share: Any, leaves: str) -> Finding:
    """Train with the L1 penalty that is proven to be enough, which ends with no weights, and with a tenth of it."""
    bound = weight_decay_guarantee(Chain(3), _X, _Y, kind="l1")
    penalty = float(read_positive(share, "share")) * bound.weight_decay
    proven, weaker = (_train_with_l1(bound.critical_weights, each) for each in (penalty, penalty / 10.0))
    derived = derive("weight_decay", activation=SIGMOID).steps
    steps = tuple(each for each in derived if each.section == "lasso")
    is_small, is_empty = bool(np.abs(proven.w[-1]).max() <= 4.0), not proven.w[-1].any()
    agreed = {"small": is_small, "useful": is_small and not is_empty}[leaves]
    numbers = {"bound": bound.weight_decay, "largest": float(np.abs(weaker.w[-1]).max()), "loss": proven.loss[-1]}
    verdict = ClaimVerdict.HOLDS if agreed else ClaimVerdict.CORRECTED if is_small else ClaimVerdict.FAILS
    first_empty = int(np.flatnonzero(~proven.w.any(axis=1))[0]) if is_empty else proven.steps
    return Finding(
        verdict, steps, {name: f"{each:.3g}" for name, each in numbers.items()} | {"empty": str(first_empty)}
    )


def _train_with_l1(start: Array, penalty: float) -> ChainTraining:
    """Run proximal gradient descent with the learning rate 1."""
    return train(
        Chain(3),
        _X,
        _Y,
        start,
        _BIASES,
        optimiser=gradient_descent(1.0),
        steps=4 * _STEPS,
        proximal=functools.partial(soft_threshold, amount=penalty),
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
    c, p, q = (sympy.Symbol(name, positive=True) for name in ("c", "p", "q"))
    length = sympy.sqrt(p**2 + q**2)
    clipped = sympy.sqrt((c * p / length) ** 2 + (c * q / length) ** 2)
    return Finding(
        share_that_holds(stopped[each] for each in stops),
        (step(clipped, c, "clipped_length"),),
        {"free": str(free.steps), "kept": str(kept.steps), "loss": f"{kept.loss[-1]:.3g}"},
    )


WEIGHT_DECAY: Claim = Claim("weight_decay", {"penalty": "l2", "share": "1.01"}, _weight_decay, (30,))
LASSO: Claim = Claim("lasso", {"share": "1.01", "leaves": "useful"}, _lasso, (30,))
CLIPPING: Claim = Claim("clipping", {"max_norm": 1, "stops": ("overflow",)}, _clipping, (31,))
