"""Advice on a network: every change is tried by training, with it and without it, from the same start.

A change works if its run keeps the gradient in range, and ends with a loss at least as good as without it: lower by a
twentieth or more, unless without it the gradient leaves the range: then it may mend that alone, and says so. Where runs
amplify rounding, that decides how they end: so those compared are made twice, from starts that hardly differ.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array
from gradtheory.networks import Network
from gradtheory.networks.losses import Ending, ending
from gradtheory.networks.passes import dense_places, forward
from gradtheory.random_weights.simulation.measured import Progress, shown
from gradtheory.training.advice.of_chain.bench import USUAL
from gradtheory.training.advice.of_network.changes import KINDS, Change, changes
from gradtheory.training.advice.of_network.trial import Trial, with_twins
from gradtheory.training.batches import Batches
from gradtheory.training.engine import Ways
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.train import NetworkTraining, train_network

_LARGEST = 1e3  # gradient, for losses that are means; or times that by the outputs at the start, as of large targets
_SUMS = ("squared", "cross_entropy", "mse_sum")
_LEAST_SHARE = 1e-4  # of the largest gradient norm of a layer, for that of any other
_SOLVED = 1e-3  # of the loss at the start: no gradient has to be left
_BETTER = 0.95  # of the loss without
_CHANCE = "rounding decides how these runs end"

_WHAT = {
    "layer_scale": "multiply the weights of {layer} by {value:.3g}",
    "learning_rate": "train with the learning rate {value:.3g}",
    "clip_gradients": "clip the gradient to the norm {value:.3g}",
    "initialisation": "multiply the initial weights by {value}",
    "normalisation": "add a {value}",
    "residual_connections": "add a residual connection {value}",
}


@dataclass(frozen=True, eq=False)
class NetworkPrescription(ShownAsTable):
    """A remedy with its constant, and the two runs that judge it, from the same start and for as many steps.

    Attributes
    ----------
    kind : str
        "layer_scale", "learning_rate", "clip_gradients", "initialisation", "normalisation" or "residual_connections".
    value : float, ndarray or str
        The factor of one layer's weights; η; the norm for `gradtheory.remedies.clipping`; the factor of each layer's
        weights; what is added, and where.
    works : bool
        Whether with it the gradient stays in range and the loss ends at least as good.
    loss_without, loss_with : float
        At the ends of both runs, on all samples; inf if a run diverged.
    growth_without, growth_with : float
        By which the gradient grows per layer on its way back at the start: what the remedy is predicted to change; nan
        where it is not finite.
    curve_without, curve_with : ndarray
        The losses of the steps, each on its batch.
    network : Network
        As it is at the start of the run with the remedy.
    cost : str
        Why it is not advised; empty if it is.
    layer : str
        Whose weights are changed; empty where it is not one layer.
    optimiser : Optimiser
        That of the run without the remedy; another learning rate is the remedy's value.
    steps : int
        Of both runs, at most: one that diverges ends early.

    """

    kind: str
    value: Any
    works: bool
    loss_without: float
    loss_with: float
    growth_without: float
    growth_with: float
    curve_without: Array = field(repr=False)
    curve_with: Array = field(repr=False)
    network: Network = field(repr=False)
    cost: str
    layer: str
    optimiser: Optimiser
    steps: int

    def __str__(self) -> str:
        lines = [self._headline(), f"    {self._losses()}: {self._verdict()}"]
        now, before = (f"{growth:.3g}" for growth in (self.growth_with, self.growth_without))
        if "nan" not in (now, before) and now != before:
            lines.append(f"    per layer the gradient is multiplied by {now} instead of {before}")
        return "\n".join([*lines, *([f"    {self.cost}"] if self.cost else [])])

    def __repr__(self) -> str:
        return f"NetworkPrescription({self._headline()}; {self._losses()}: {self._verdict()})"

    @property
    def improvement(self) -> float:
        """The share of the loss that the remedy saves; nan if a run diverged."""
        is_known = math.isfinite(self.loss_with) and 0.0 < self.loss_without < math.inf
        return 1.0 - self.loss_with / self.loss_without if is_known else math.nan

    def _losses(self) -> str:
        runs = f"loss after {self.steps} steps of {self.optimiser.name}, η = {self.optimiser.eta:g}"
        share = self.improvement
        percent = f"{100.0 * abs(share):.3g}"
        percent = ">99.9" if percent == "100" and 0.0 < share < 1.0 else percent  # and something is left
        change = "" if math.isnan(share) else f", {percent}% {'lower' if share >= 0.0 else 'higher'}"
        return f"{runs}: {_number(self.loss_without)} without it, {_number(self.loss_with)} with it{change}"

    def _verdict(self) -> str:
        if not self.works:
            return "NOT advised"
        return "mends the gradient, and hardly the loss" if self.improvement < 1.0 - _BETTER else "works"

    def _headline(self) -> str:
        value = self.value
        if isinstance(value, np.ndarray):
            value = f"{value[0]:.3g}" if np.ptp(value) < 1e-3 * abs(value[0]) else _list(value)
        if self.kind == "layer_scale" and value < 1.0:
            return f"divide the weights of {self.layer} by {1.0 / value:.3g}"
        return _WHAT[self.kind].format(value=value, layer=self.layer)


@dataclass(frozen=True)
class NetworkAdvice(ShownAsTable):
    """What helps a network to train, by trial; `print` shows it.

    Attributes
    ----------
    remedies : tuple of NetworkPrescription
        From the smallest change to the largest: of each kind the best constant. The first that works is the advice.
    reason : str
        Why nothing is advised; empty if something is.
    run : NetworkTraining
        The run without a remedy.

    """

    remedies: tuple[NetworkPrescription, ...]
    reason: str
    run: NetworkTraining = field(repr=False)

    @property
    def advised(self) -> NetworkPrescription | None:
        """The smallest change that works."""
        return next((each for each in self.remedies if each.works), None)

    def __str__(self) -> str:
        lines = [f"without a remedy: {self.run!r}"]
        return "\n".join([*lines, *filter(None, [self.reason]), *map(str, self.remedies)])

    def __repr__(self) -> str:
        advised = self.advised
        return f"NetworkAdvice({self.reason if advised is None else repr(advised)})"


def advise_network(
    network: Network, x: Array, y: Array, optimiser: Optimiser, *, steps: int, batch_size: int | None, seed: int,
    layer: tuple[str, float] | None = None, progress: Progress | None = None,
) -> NetworkAdvice:  # fmt: skip
    """Return what helps a network; the arguments are checked.

    If one layer stands out, it may be named, with the factor that mends its weights.
    """

    def run(change: Change, explains: bool = False) -> tuple[NetworkTraining, float]:
        ways = Ways(None if change.clip is None else change.clip.clipped)
        made = train_network(
            change.network, x, y, change.optimiser, steps, Batches(len(x), batch_size, seed), ways,
            explains=explains,
        )  # fmt: skip
        return made, math.inf if made.has_diverged else _loss(made.network, x, y)

    def tried(change: Change) -> Trial:
        made, loss = run(change, explains=not change.kind)  # that of the run without is told
        wrong = _wrong(made, change.network, x, y)
        return Trial(change, made, _loss(change.network, x, y), loss, _growth(change.network, x, y), wrong)

    def beside(trial: Trial) -> Trial:
        return with_twins(trial, lambda change: run(change)[1])

    usual, remedies = None, list[NetworkPrescription]()
    for kind in shown(("", *KINDS), progress):
        if usual is None:
            usual = beside(tried(Change(kind, None, network, optimiser)))
        elif (best := _best(kind, usual, tried, beside, x, layer, steps)) is not None:
            remedies.append(best)
    assert usual is not None  # noqa: S101  # there is a first kind
    reason = "" if any(each.works for each in remedies) else _nothing(usual)
    return NetworkAdvice(tuple(remedies), reason, usual.run)


def _best(
    kind: str, usual: Trial, tried: Callable[[Change], Trial], beside: Callable[[Trial], Trial], x: Array,
    layer: tuple[str, float] | None, steps: int,
) -> NetworkPrescription | None:  # fmt: skip
    """Return the best change of one kind, whether it works or not; None where there is none to try."""
    trials = [tried(change) for change in changes(kind, usual.change, usual.run, x, layer)]
    if not trials:
        return None
    trials.sort(key=lambda trial: (bool(_why_not(usual, trial)), trial.loss))
    better = [trial for trial in trials if not _why_not(usual, trial)]
    working = next((trial for trial in better if not _why_not(usual, beside(trial))), None)
    best = working or trials[0]
    why = "" if working else _why_not(usual, best) or _CHANCE
    return NetworkPrescription(
        kind, best.change.value, not why, usual.loss, best.loss, usual.growth, best.growth, usual.run.loss,
        best.run.loss, best.change.network, why, best.change.layer, usual.change.optimiser, steps,
    )  # fmt: skip


def _why_not(usual: Trial, trial: Trial) -> str:
    """Return why a change is not advised; nothing if it is."""
    if trial.wrong:
        return trial.wrong
    if not trial.loss <= usual.loss:
        return "the loss ends higher"
    if not trial.loss <= usual.start:
        return "the loss ends higher than it starts"
    if not max(trial.ends) <= min(usual.start, *usual.ends):
        return _CHANCE
    if usual.wrong:
        return ""
    return "" if trial.loss <= _BETTER * usual.loss else "the loss is hardly lower"


def _wrong(run: NetworkTraining, network: Network, x: Array, y: Array) -> str:
    """Return what is wrong with the gradients of a run."""
    if run.has_diverged:
        return f"the run diverges at step {run.events[-1].step}"
    by_outputs = float(np.linalg.norm(_ending(network, x, y).gradient))
    largest = float(run.gradient_norm.max())
    if largest > _LARGEST * max(y.size if network.loss in _SUMS else 1.0, by_outputs):
        return f"the gradient's norm reaches {largest:.3g}"
    start, end = (_still(each, x, y) for each in (network, run.network))
    for when, at in (("start", start), ("end", end)):
        if at.has_diverged:
            return f"the gradient by all samples is not finite at the {when}"
        norms = at.layer_norms[0]
        if at.loss[0] > _SOLVED * start.loss[0] and norms.min() < _LEAST_SHARE * norms.max():
            share, weakest = norms.min() / norms.max(), dense_places(network.nodes)[int(np.argmin(norms))]
            name = network.nodes[weakest].name
            return f"the gradient vanishes: at the {when} {name} has {share:.2g} of the largest"
    return ""


def _still(network: Network, x: Array, y: Array) -> NetworkTraining:
    """Return a run of no steps, with the loss and the gradients on all samples: those of batches cannot be compared."""
    return train_network(network, x, y, gradient_descent(USUAL), 0, Batches(len(x)), Ways(), explains=False)


def _ending(network: Network, x: Array, y: Array) -> Ending:
    with np.errstate(all="ignore"):
        return ending(network.loss, forward(network.nodes, x), y)


def _loss(network: Network, x: Array, y: Array) -> float:
    value = _ending(network, x, y).loss
    return value if math.isfinite(value) else math.inf


def _growth(network: Network, x: Array, y: Array) -> float:
    """Return the factor per layer by which the gradient by pre-activations grows from the last layer to the first."""
    dense = dense_places(network.nodes)
    with np.errstate(all="ignore"):
        passed = forward(network.nodes, x)
        end = ending(network.loss, passed, y)
        back = passed.back(end.gradient, end.place)
        first, last = (float(np.linalg.norm(back.at(place, passed))) for place in (dense[0], dense[-1]))
        return float(np.power(np.divide(first, last), 1.0 / max(len(dense) - 1, 1)))


def _nothing(usual: Trial) -> str:
    to = "diverges" if math.isinf(usual.loss) else f"goes from {_number(usual.start)} to {_number(usual.loss)}"
    ends = f"the loss {to}"
    if usual.wrong:
        return f"nothing is advised: {usual.wrong}, {ends}, and nothing that was tried mends that"
    return f"nothing is advised: gradients stay in range, {ends}, and nothing that was tried does much better"


def _list(values: Array) -> str:
    shown = ", ".join(f"{value:.3g}" for value in values[:4])
    return f"({shown}, …), from {values.min():.3g} to {values.max():.3g}" if len(values) > 4 else f"({shown})"


def _number(loss: float) -> str:
    return f"{loss:.4g}" if math.isfinite(loss) else "diverged"
