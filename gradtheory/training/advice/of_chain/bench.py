"""The bench on which plans of remedies are tried: the chain, its data, and the runs with which others are compared."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.training.advice.of_chain.starts import carries
from gradtheory.training.advice.of_chain.trial_runs import APART, STEPS, Attempt, Outcome, tried
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies.clipping import clipping
from gradtheory.training.train import train

USUAL = 0.1  # the learning rate unless a plan has another
_LOOKED_AT = slice(STEPS // 8, None, STEPS // 40)  # steps at which a loss must not be higher than without a remedy
_LEEWAY = 1.05  # than which it may be so many times higher
_ZERO = 1e-24  # of a first loss of at most 1: what ends lower ends at 0 up to rounding
_TWINS = 8  # of the usual run, and of others of which ends are told
_LOWER = 1.0 - APART  # of a loss: what is less is no rounding

Step: TypeAlias = tuple[str, Any]  # the kind of a remedy, and its constant, a float or an array
Plan: TypeAlias = tuple[Step, ...]


def followed(attempt: Attempt, plan: Plan) -> Attempt:
    """Return an attempt with the remedies of a plan."""
    for kind, value in plan:
        match kind:
            case "learning_rate":
                attempt = replace(attempt, eta=value)
            case "clip_gradients":
                attempt = replace(attempt, max_norm=value)
            case "weight_decay":
                attempt = replace(attempt, decay=value)
            case "clip_weights":
                attempt = replace(attempt, w=np.clip(attempt.w, -value, value))
            case "biases":
                attempt = replace(attempt, b=value)
            case _:
                raise AssertionError(kind)
    return attempt


@dataclass
class Bench:
    """A chain on its data, and what came of every plan that was tried.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : ndarray
        Samples.
    w, b : ndarray of shape (L,)
        Where it starts.
    largest_gradient : float
        Up to which a gradient is in range.

    """

    chain: Chain
    x: Array
    y: Array
    w: Array
    b: Array
    largest_gradient: float
    _plans: dict[tuple[Any, ...], Plan] = field(default_factory=dict)
    _outcomes: dict[tuple[Any, ...], Outcome] = field(default_factory=dict)
    _confirmed: set[tuple[Any, ...]] = field(default_factory=set)

    @functools.cached_property
    def zero(self) -> float:
        """A loss that is as good as 0, up to rounding."""
        with np.errstate(all="ignore"):
            return _ZERO * min(1.0, float(self.chain.backprop(self.x, self.y, self.w, self.b).loss))

    def run(self, plans: Iterable[Plan]) -> list[Outcome]:
        """Return the outcomes of plans; those that are new are run at the same time."""
        wanted = {_key(plan): plan for plan in plans}
        new = {key: plan for key, plan in wanted.items() if key not in self._outcomes}
        start = Attempt(self.w, self.b, USUAL)
        outcomes = tried(self.chain, self.x, self.y, [followed(start, plan) for plan in new.values()], self.zero)
        self._plans.update(new)
        self._outcomes.update(zip(new, outcomes, strict=True))
        if () in new.values():
            self.confirm([()])
        return [self._outcomes[key] for key in wanted]

    def confirm(self, plans: Iterable[Plan]) -> bool:
        """Run plans of which ends are told again, with twins; return whether rounding decides none that is new."""
        new = {_key(plan): plan for plan in plans if _key(plan) not in self._confirmed}
        starts = [followed(Attempt(self.w, self.b, USUAL), plan) for plan in new.values()]
        outcomes = tried(self.chain, self.x, self.y, starts, self.zero, _TWINS)
        self._confirmed.update(new)
        self._plans.update(new)
        self._outcomes.update(zip(new, map(self._as_trained, starts, outcomes), strict=True))
        return all(self._outcomes[key].is_steady for key in new)

    def _as_trained(self, start: Attempt, outcome: Outcome) -> Outcome:
        """Return an outcome as that of `gradtheory.train`, where rounding decides how it ends.

        Where gradients are far out of range, that may hang on the order in which samples are added up, while twins end
        alike.
        """
        if outcome.is_steady and outcome.largest_gradient <= self.largest_gradient:
            return outcome
        made = train(
            self.chain, self.x, self.y, start.w, start.b, steps=STEPS,
            optimiser=gradient_descent(start.eta, weight_decay=start.decay),
            clip=clipping("norm", start.max_norm) if np.isfinite(start.max_norm) else None,
        )  # fmt: skip
        loss = np.full(STEPS + 1, np.inf)
        loss[: len(made.loss)] = np.where(np.isfinite(made.loss), made.loss, np.inf)
        trained = replace(outcome, loss=loss, twins=np.vstack([outcome.loss, outcome.twins]))
        return outcome if trained.is_steady else trained

    def outcome(self, plan: Plan = ()) -> Outcome:
        """Return the outcome of one plan; of none, that of the usual run, gradient descent with η = 0.1."""
        return self.run([plan])[0]

    def is_in_range(self, plan: Plan) -> bool:
        """Whether a run stays finite, with no gradient out of range, and does not hang on rounding."""
        outcome = self.outcome(plan)
        return outcome.is_steady and outcome.largest_gradient <= self.largest_gradient

    def is_harmless(self, plan: Plan) -> bool:
        """Whether a run, and its twins, are nowhere worse than the better of the chain as it is and the usual run."""
        usual = self.outcome()
        if not usual.starts:  # nothing is worse
            return True
        better = np.minimum(usual.loss[0], usual.lowest)[_LOOKED_AT]
        outcome = self.outcome(plan)
        is_bounded = outcome.largest_gradient <= self.largest_gradient
        return is_bounded and bool(np.all(outcome.highest[_LOOKED_AT] <= _LEEWAY * better + self.zero))

    def harms_alone(self, plan: Plan) -> Step | None:
        """Return the first remedy of a plan that does harm alone."""
        return next((step for step in plan if not self.is_harmless((step,))), None)

    def is_higher(self, plan: Plan, *, at_the_end: bool = False) -> bool:
        """Whether the loss of a run, not of its twins, is somewhere worse than the better of both."""
        usual = self.outcome()
        better = np.minimum(usual.loss[0], usual.loss)
        where = slice(-1, None) if at_the_end else _LOOKED_AT
        return bool(np.any(self.outcome(plan).loss[where] > _LEEWAY * better[where] + self.zero))

    def is_gain(self, plan: Plan) -> bool:
        """Whether a run also ends lower than both, or as low and not saturated as the usual one is."""
        usual, outcome = self.outcome(), self.outcome(plan)
        best = min(usual.loss[0], usual.lowest[-1])
        freed = usual.is_saturated and not outcome.is_saturated and outcome.last <= best
        is_lower = max(outcome.last, self.zero) < _LOWER * best
        return self.is_harmless(plan) and self.is_in_range(plan) and (is_lower or freed)

    def is_lower(self, plan: Plan) -> bool:
        """Whether a run and its twins end lower than the chain as it is and the usual run, with gradients in range."""
        usual, outcome = self.outcome(), self.outcome(plan)
        best = min(usual.loss[0], usual.last)  # whose twins may end anywhere
        is_bounded = outcome.largest_gradient <= self.largest_gradient
        return is_bounded and bool(max(outcome.highest[-1], self.zero) < _LOWER * best)

    @property
    def plans(self) -> list[Plan]:
        """What was tried."""
        return list(self._plans.values())

    def lower(self) -> list[Plan]:
        """Return what was tried and ends lower, also with more twins."""
        lower = list(filter(self.is_lower, self.plans))
        self.confirm(lower)
        return list(filter(self.is_lower, lower))

    def is_lean(self, plan: Plan) -> bool:
        """Whether a run ends no higher than it does without any one of the remedies."""
        return all(self.outcome(other).last >= self.outcome(plan).last for other in leaving_one_out(plan))

    def falls(self, plan: Plan) -> bool:
        """Whether the loss falls all along a run that has a learning rate of its own; others need not."""
        return self.outcome(plan).falls or "learning_rate" not in dict(plan)

    def carries(self, plan: Plan) -> bool:
        """Whether with biases of its own a plan puts samples where each layer has a slope; others need not."""
        if "biases" not in dict(plan):
            return True
        start = followed(Attempt(self.w, self.b, USUAL), plan)
        return carries(self.chain, self.x, start.w, start.b)

    def keeps_promises(self, plan: Plan) -> bool:
        """Whether a run does what is promised of its learning rate and its biases."""
        return self.falls(plan) and self.carries(plan)


def leaving_one_out(plan: Plan) -> list[Plan]:
    """Return the plans that lack one remedy of a plan."""
    return [(*plan[:place], *plan[place + 1 :]) for place in range(len(plan))]


def _key(plan: Plan) -> tuple[Any, ...]:
    return tuple(sorted((kind, np.asarray(value).tobytes()) for kind, value in plan))
