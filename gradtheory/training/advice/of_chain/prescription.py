"""A remedy with its constant, and what came of it when it was tried on the chain."""

import math
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.training.advice.of_chain.trial_runs import STEPS

_WHAT = {
    "learning_rate": "train with the learning rate",
    "clip_gradients": "clip the gradient to the norm",
    "clip_weights": "start with the weights clipped to",
    "biases": "start with the biases",
    "weight_decay": "train with the weight decay",
}
_PROMISE = {
    "learning_rate": "the loss falls at every step that was tried (numeric)",
    "clip_gradients": "the gradient moves weights and biases by at most η times that norm in a step (clipping)",
    "clip_weights": "at the start |σ'(z)·w| is at most sup|σ'| times that, at every input (critical weight)",
    "biases": "in every layer they put samples where the slope carries gradients (numeric)",
    "weight_decay": "weights are drawn to 0; `weight_decay_guarantee` tells when that keeps factors below 1",
}


@dataclass(frozen=True, eq=False)
class Prescription:
    """A remedy with its constant, and the ends of two runs of gradient descent: without it and with it.

    Attributes
    ----------
    kind : str
        "learning_rate", "clip_gradients", "clip_weights", "biases" or "weight_decay".
    value : float or ndarray
        Its constant: η; the norm for `gradtheory.remedies.clip_by_global_norm`; for each layer the limit of |w| or the
        bias; λ of the L2 penalty.
    works : bool
        Whether it is part of the advice: with it the loss ends no higher and gradients stay in range, beside the other
        remedies that work as well as alone at the learning rate 0.1.
    loss_without, loss_with : float
        The last losses of the run with all other remedies that work, and of the one with this one too; inf if it
        diverged.
    eta_without, eta : float
        The learning rates of these runs, which differ where the remedy is one.
    cost : str
        What it costs, or why it is not offered; empty if nothing is to be said.

    """

    kind: str
    value: float | Array
    works: bool
    loss_without: float
    loss_with: float
    eta_without: float
    eta: float
    cost: str

    @property
    def promise(self) -> str:
        """What it does, with the theorem behind it if there is one."""
        return _PROMISE[self.kind]

    def _headline(self) -> str:
        if isinstance(self.value, float):
            return f"{_WHAT[self.kind]} {self.value:.6g}"
        with np.printoptions(precision=4, threshold=8):
            return f"{_WHAT[self.kind]} {' '.join(str(self.value).split())}"

    def _outcome(self) -> str:
        verdict = "works" if self.works else "NOT advised"
        without, with_it = _number(self.loss_without), _number(self.loss_with)
        if self.kind == "learning_rate":
            ends = f"{without} with η = {self.eta_without:.4g}, {with_it} with η = {self.eta:.4g}"
            return f"loss after {STEPS} steps: {ends}: {verdict}"
        return f"loss after {STEPS} steps with η = {self.eta:.4g}: {without} without it, {with_it} with it: {verdict}"

    def __str__(self) -> str:
        cost = f"\n    {self.cost}" if self.cost else ""
        return f"{self._headline()}\n    {self.promise}\n    {self._outcome()}{cost}"

    def __repr__(self) -> str:
        return f"Prescription({self._headline()}; {self._outcome()})"


def _number(loss: float) -> str:
    return f"{loss:.4g}" if math.isfinite(loss) else "diverged"
