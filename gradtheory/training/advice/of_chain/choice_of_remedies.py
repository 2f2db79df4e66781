"""Which remedies a chain is advised, by trying them: alone, together, and each of them left out.

A plan is a tuple of remedies, followed together. It must end lower than the chain as it is and than gradient descent
with η = 0.1, with no gradient out of range; each of its remedies must do no harm alone; and none is kept without which
the plan ends lower. Where nothing is found so, a learning rate is taken at which the loss falls to a lower end, even if
the run with η = 0.1 is ahead of it on the way.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.training.advice.of_chain.bench import USUAL, Bench, Plan, Step, followed, leaving_one_out
from gradtheory.training.advice.of_chain.prescription import Prescription
from gradtheory.training.advice.of_chain.reasons import (
    ADDS_NOTHING,
    AS_GOOD,
    fault,
    is_as_good,
    nothing,
    passed_over,
    range_of,
    saturates,
    warning,
    why_not,
)
from gradtheory.training.advice.of_chain.starts import biases, critical_weights, weight_limits
from gradtheory.training.advice.of_chain.trial_runs import Attempt

_RATES = (
    *(1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 3.2e-6, 1e-5, 3.2e-5, 1e-4, 3.2e-4),
    *(float(f"{10.0 ** (power / 4.0):.2g}") for power in range(-12, 5)),
    *(32.0, 100.0, 320.0, 1000.0),
)
_POLYAK = 0.01, 0.03, 0.1, 0.3, 1.0  # of loss/‖gradient‖², where no usual rate is small enough
_NORMS = 0.1, 1.0, 10.0
_DECAYS = 1e-3, 1e-2, 1e-1
_LARGEST = 1e3  # gradient, unless that at the start is larger
_MUCH = 0.9  # a loss below that share of another is worth one remedy more
_CONSIDERED = 16  # plans
_ROUNDS = 8
_STARTS = 6  # that are tried with several learning rates


def prescribe(
    chain: Chain, x: Array, y: Array, w: Array, b: Array, *, explodes: bool
) -> tuple[tuple[Prescription, ...], str]:
    """Return what is advised, with what was tried and is not, and why nothing is advised if nothing is.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : ndarray
        Samples.
    w, b : ndarray of shape (L,)
        Where it starts.
    explodes : bool
        Whether some factor exceeds 1: then remedies against that are tried too.

    """
    if not x.size:
        return (), "nothing is advised: there are no samples"
    gradients = chain.backprop(x, y, w, b)
    size = math.hypot(*gradients.w, *gradients.b)
    bench = Bench(chain, x, y, w, b, max(_LARGEST, size * (1.0 + 1e-9) if math.isfinite(size) else 0.0))
    with np.errstate(all="ignore"):
        polyak = np.array(_POLYAK) * np.divide(gradients.loss / max(size, 1e-300), size)
    rates = [*_RATES, *(float(rate) for rate in polyak if 0.0 < rate < min(_RATES))]
    singles: list[Plan] = [(("learning_rate", rate),) for rate in rates]
    singles += [(("clip_gradients", norm),) for norm in _NORMS]
    plan, refused = _chosen(bench, singles, explodes=explodes)
    while not bench.confirm(_told(plan, refused)):  # one ended as its twin did by chance
        plan, refused = _chosen(bench, singles, explodes=explodes)
    return _prescriptions(bench, plan, refused), "" if plan else nothing(bench)


def _told(plan: Plan, refused: Sequence[Step]) -> list[Plan]:
    """Return the plans of which ends are told, and the remedies alone."""
    alone = ((step,) for step in (*plan, *refused))
    return [plan, *leaving_one_out(plan), *alone, *((*plan, step) for step in refused)]


def _chosen(bench: Bench, singles: Sequence[Plan], *, explodes: bool) -> tuple[Plan, list[Step]]:
    """Return the plan that does best, and the remedies that were tried with it and are not in it."""
    bench.run([(), *singles])
    alone = [plan for plan in singles if bench.is_harmless(plan) and (bench.falls(plan) or not bench.outcome().starts)]
    is_sound = bench.outcome().is_steady and not bench.outcome().is_saturated
    plan = _best(bench, alone if is_sound else [*alone, *_with_other_starts(bench, alone)])
    plan = plan or _falling(bench, singles)
    may_have_more = explodes or not bench.outcome().converges
    plan, refused = _with_all(bench, plan) if may_have_more else (plan, [])
    if not plan and (plan := passed_over(bench)) and may_have_more:
        plan, refused = _with_all(bench, plan)
    return plan, refused


def _with_other_starts(bench: Bench, alone: Sequence[Plan]) -> Iterator[Plan]:
    """Yield plans that start with smaller weights, other biases or both, and go on with a remedy that is harmless."""
    starts: list[Plan] = []
    for limit in (None, *weight_limits(bench.chain, bench.w)):
        clipped = () if limit is None else (("clip_weights", limit),)
        weights = bench.w if limit is None else np.clip(bench.w, -limit, limit)
        starts += [clipped] if clipped else []
        starts += [(*clipped, ("biases", moved)) for moved in biases(bench.chain, bench.x, bench.y, weights)]
    bench.run([each for plan in starts for each in (plan, *((step,) for step in plan))])
    harmless = [plan for plan in starts if all(bench.is_harmless((step,)) for step in plan)]
    best = sorted(harmless, key=lambda plan: (bench.outcome(plan).is_saturated, bench.outcome(plan).last))[:_STARTS]
    rates = [plan for plan in alone if plan[0][0] == "learning_rate"]
    moderate = [plan for plan in rates if 1e-3 <= plan[0][1] <= 10.0][::3]
    norms = [plan for plan in alone if plan[0][0] == "clip_gradients"]
    for plan, more in itertools.product(best, [(), *(moderate or rates[-2:]), *norms]):
        yield (*plan, *more)


def _best(bench: Bench, plans: Sequence[Plan]) -> Plan:
    """Return the plan that ends lowest without a saturated layer, or one of fewer remedies that ends nearly as low."""
    bench.run(plans)
    gains = [plan for plan in plans if bench.is_gain(plan) and bench.keeps_promises(plan)]
    saturated = min((bench.outcome(plan).is_saturated for plan in gains), default=False)
    of_its_like = [plan for plan in gains if bench.outcome(plan).is_saturated == saturated]
    least = min((bench.outcome(plan).last for plan in of_its_like), default=math.inf)

    def order(plan: Plan) -> tuple[bool, bool, int, float]:
        outcome = bench.outcome(plan)
        return outcome.is_saturated, _MUCH * outcome.last > least, len(plan), outcome.last

    first = sorted(gains, key=order)[:_CONSIDERED]
    bench.run([other for plan in first for other in leaving_one_out(plan)])
    return next((plan for plan in first if bench.is_lean(plan)), ())


def _falling(bench: Bench, singles: Sequence[Plan]) -> Plan:
    """Return a learning rate at which the loss falls, and ends lower than that of the usual run, or nothing.

    On its way the usual run may dip below it, which is why it was not among the harmless ones.
    """
    usual = bench.outcome()
    best = min(usual.loss[0], usual.last)  # its twins may end anywhere
    if usual.is_steady and usual.last <= usual.loss[0]:  # so that what is hardly lower is no help
        best = (best - bench.zero) / AS_GOOD
    falling = [plan for plan in singles if "learning_rate" in dict(plan) and bench.outcome(plan).falls]
    lower = [plan for plan in falling if bench.is_in_range(plan) and bench.outcome(plan).last < best]
    return min(lower, key=lambda plan: bench.outcome(plan).last, default=())


def _with_all(bench: Bench, plan: Plan) -> tuple[Plan, list[Step]]:
    """Return a plan to which nothing is to be added, and those remedies that were tried with it and are not in it."""
    surplus: list[Step] = []
    for _ in range(_ROUNDS):
        shorter = _without_surplus(bench, _longer(bench, plan, _further(bench, plan, surplus)))
        if shorter is plan:
            break
        surplus += [step for step in plan if step[0] not in dict(shorter)]
        plan = shorter
    return plan, _further(bench, plan, surplus)


def _further(bench: Bench, plan: Plan, surplus: Sequence[Step]) -> list[Step]:
    """Return one remedy of each kind that a plan lacks, against explosion or once in it, that does best with it."""
    limits = critical_weights(bench.chain)
    tried: dict[str, list[Step]] = {}
    if limits.all() and np.any(np.abs(bench.w) > limits):
        tried["clip_weights"] = [("clip_weights", limits)]
    tried["weight_decay"] = [("weight_decay", decay) for decay in _DECAYS]
    tried["clip_gradients"] = [("clip_gradients", norm) for norm in _NORMS]
    for kind, value in surplus:
        tried.setdefault(kind, []).append((kind, value))
    new = [steps for kind, steps in tried.items() if kind not in dict(plan)]
    longer = [(*plan, step) for steps in new for step in steps]
    bench.run([each for plan in longer for each in (plan[-1:], plan, *leaving_one_out(plan))])
    return [
        min(steps, key=lambda step: (why_not(bench, plan, step) != "", bench.outcome((*plan, step)).last))
        for steps in new
    ]


def _longer(bench: Bench, plan: Plan, steps: Sequence[Step]) -> Plan:
    """Return a plan with as many steps as go with it, or one with a step in the place of another if it ends lower."""
    subsets = [each for size in range(len(steps), 0, -1) for each in itertools.combinations(steps, size)]
    longer = [(*plan, *each) for each in subsets]
    bench.run([other for each in longer for other in (each, *leaving_one_out(each))])
    chosen = next((each for each in longer if not why_not(bench, plan, *each[len(plan) :])), plan)
    before = bench.outcome(chosen)

    def is_worth_it(plan: Plan) -> bool:
        after = bench.outcome(plan)
        return AS_GOOD * after.last < before.last and not saturates(bench, chosen, plan) and not fault(bench, plan)

    swapped = [other for each in longer for other in leaving_one_out(each)[: len(plan)]]
    bench.run([other for each in swapped for other in leaving_one_out(each)])
    return min(filter(is_worth_it, swapped), key=lambda each: bench.outcome(each).last, default=chosen)


def _without_surplus(bench: Bench, plan: Plan) -> Plan:
    """Return a plan without the remedies that change nothing worth a remedy."""
    while len(plan) > 1:
        shorter = leaving_one_out(plan)
        bench.run(shorter)
        near = [each for each in shorter if is_as_good(bench.outcome(each), bench.outcome(plan))]
        bench.run([other for each in near for other in leaving_one_out(each)])
        enough = [each for each in near if _is_as_good(bench, each, plan)]
        if not enough:
            break
        plan = min(enough, key=lambda each: bench.outcome(each).last)
    return plan


def _is_as_good(bench: Bench, shorter: Plan, plan: Plan) -> bool:
    return (
        is_as_good(bench.outcome(shorter), bench.outcome(plan))
        and (bench.is_gain(shorter) or not bench.is_gain(plan))
        and bench.is_in_range(shorter)
        and bench.keeps_promises(shorter)
        and bench.is_harmless(shorter)
        and bench.is_lean(shorter)
    )


def _prescriptions(bench: Bench, plan: Plan, refused: Sequence[Step]) -> tuple[Prescription, ...]:
    whole = bench.outcome(plan)

    def eta(steps: Plan) -> float:
        return followed(Attempt(bench.w, bench.b, USUAL), steps).eta

    worse = f"on the way the loss is higher than with η = {USUAL} alone" if bench.is_higher(plan) else ""
    advised = [
        Prescription(kind, value, True, without.last, whole.last, eta(other), eta(plan), "; ".join(filter(None, told)))
        for (kind, value), other in zip(plan, leaving_one_out(plan), strict=True)
        for without in [bench.outcome(other)]
        for told in [
            (worse, warning(whole), f"without it rounding decides: {range_of(without)}" if without.is_chance else "")
        ]
    ]
    others = [
        Prescription(*step, False, whole.last, after.last, eta(plan), eta(longer), "; ".join(filter(None, told)))
        for step in refused
        for longer in [(*plan, step)]
        for after in [bench.outcome(longer)]
        for told in [(why_not(bench, plan, step) or ADDS_NOTHING, warning(after))]
    ]
    return (*advised, *others)
