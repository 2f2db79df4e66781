"""The claims on remedies: weight decay with the L2 and the L1 norm, and clipping."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Z
from gradtheory.arithmetic.inputs import Array, read_positive
from gradtheory.chains.chain import Chain
from gradtheory.derivation import Step, derive
from gradtheory.derivation.language import STEEPEST, Sigma, Slope
from gradtheory.formulas import WrittenProduct, WrittenSum, latex
from gradtheory.pages.article.claim import (
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    share_that_holds,
    step,
)
from gradtheory.training import ChainTraining, train
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import clip_by_global_norm, soft_threshold, weight_decay_guarantee

_STEPS = 200
_EARLY, _SOME = 50, 10  # steps in which a clipped run has not settled, and how many of them are looked at
_X, _Y = (-1.0, 1.0), (0.0, 1.0)
_NOTHING = 1e-3  # weights below it make a network whose output hardly depends on the input
_BIASES = np.array([0.0, -2.0, -2.0])


def _weight_decay(*, share: Any, leaves: str) -> Finding:
    """Train with the L2 penalty that is proven to be enough, and with a tenth of it; derive what is enough."""
    place, most = sympy.log(2), sympy.Rational(4, 27)
    output = WrittenProduct((Sigma(Z), Slope(Z)))
    steps = (
        step(sympy.Derivative(output, Z), WrittenProduct((Sigma(Z), Slope(Z), 2 - 3 * Sigma(Z))), "output_gradient"),
        step(Sigma(place), sympy.Rational(2, 3), "output_gradient_zero"),
        step(WrittenProduct((Sigma(place), Slope(place))), most, "largest_output_gradient"),
        step(1 / STEEPEST, sympy.Integer(4), "one_over_supremum"),
        step(WrittenProduct(sympy.Integer(2), most, STEEPEST), sympy.Rational(2, 27), "decay_needed"),
    )
    return _judged("l2", share, leaves, steps)


def _lasso(*, share: Any, leaves: str) -> Finding:
    """Train with the L1 penalty that is proven to be enough, and with a tenth of it; derive what is enough."""
    derived = derive("weight_decay", activation=SIGMOID).steps
    return _judged("l1", share, leaves, tuple(each for each in derived if each.section == "lasso"))


def _judged(kind: str, share: Any, leaves: str, steps: tuple[Step, ...]) -> Finding:
    """Judge a penalty by what a run leaves of the weights: small ones, and a network that is of use."""
    bound = weight_decay_guarantee(Chain(3), _X, _Y, kind=kind)
    penalty = float(read_positive(share, "share")) * bound.weight_decay
    (loss, sizes), (_, weaker) = (_penalised(kind, bound.critical_weights, each) for each in (penalty, penalty / 10.0))
    is_small, is_empty = bool(sizes.max() <= float(bound.critical_weights.max())), bool(sizes[-1] < _NOTHING)
    agreed = {"small": is_small, "useful": is_small and not is_empty}[leaves]
    verdict = ClaimVerdict.HOLDS if agreed else ClaimVerdict.CORRECTED if is_small else ClaimVerdict.FAILS
    numbers = {
        "penalty": f"{penalty:.4f}",
        "empty": str(int(np.flatnonzero(sizes < _NOTHING)[0]) if is_empty else _STEPS),
        "start": f"{loss[0]:.3g}",
        "loss": f"{loss[-1]:.3g}",
        "largest": f"{weaker[-1]:.3g}",
        "steps": str(_STEPS),
    }
    return Finding(verdict, steps, numbers)


def _penalised(kind: str, start: Array, penalty: float) -> tuple[Array, Array]:
    """Return losses and greatest weights of gradient descent with η = 1, whose weights, not biases, are penalised.

    For L2 a step is that of the loss with the penalty, for L1 it is proximal.
    """
    w, b, losses, sizes = start, _BIASES, [], []
    for _ in range(_STEPS + 1):
        gradients = Chain(3).backprop(_X, _Y, w, b)
        losses.append(float(gradients.loss))
        sizes.append(float(np.abs(w).max()))
        moved = w - gradients.w
        w, b = (moved - penalty * w if kind == "l2" else soft_threshold(moved, penalty)), b - gradients.b
    return np.array(losses), np.array(sizes)


def _clipping(*, max_norm: Any, stops: Sequence[str]) -> Finding:
    """Train a chain that overflows, with its gradient clipped, and one whose first gradient is infinite already."""
    clip = functools.partial(clip_by_global_norm, max_norm=float(read_positive(max_norm, "max_norm")))
    free, kept = (_linear(clip=each) for each in (None, lambda gradients: clip(gradients).gradients))
    infinite = _linear([0.0] + [1e62] * 5, target=1.0, clip=lambda gradients: clip(gradients).gradients)
    early = kept.loss[1 : _EARLY + 1][-_SOME:]
    stopped = {
        "long_steps": free.has_diverged and not kept.has_diverged,
        "infinite_gradients": not infinite.has_diverged,
        "factors": bool(kept.factors[:2].max() <= 1.0),
    }
    most, (by_weights, by_biases) = sympy.Symbol("M", positive=True), sympy.symbols("g_1 g_2", real=True)
    length = sympy.sqrt(by_weights**2 + by_biases**2)
    clipped = sympy.sqrt(WrittenSum(*((most * each / length) ** 2 for each in (by_weights, by_biases))))
    return Finding(
        share_that_holds(stopped[each] for each in stops),
        (step(clipped, most, "clipped_length"),),
        {"free": str(free.steps), "early": str(_EARLY), "some": str(_SOME), "steps": str(kept.steps)}
        | {"start": f"{kept.loss[0]:.4g}", "end": str(latex(sympy.Float(kept.loss[-1], 2)))}
        | {name: f"{float(loss):.2g}" for name, loss in (("low", early.min()), ("high", early.max()))},
    )


def _linear(weights: Sequence[float] = (2.0,) * 6, *, target: float = 0.0, clip: Any) -> ChainTraining:
    """Train a linear chain of six layers with the input 1, without biases at the start, with η = 0.1."""
    optimiser = gradient_descent(0.1)
    return train(
        Chain(6, "identity"), [1.0], [target], weights, [0.0] * 6, optimiser=optimiser, steps=_STEPS, clip=clip
    )


WEIGHT_DECAY: Claim = Claim("weight_decay", {"share": "1.01", "leaves": "small"}, _weight_decay, (30,))
LASSO: Claim = Claim("lasso", {"share": "1.01", "leaves": "small"}, _lasso, (30,))
CLIPPING: Claim = Claim("clipping", {"max_norm": 1, "stops": ("long_steps",)}, _clipping, (31,))
