"""Which remedies a chain is advised, by trying them: alone, together, and each of them left out.

A plan is a tuple of remedies, followed together. It must end lower than the chain as it is and than gradient descent
with η = 0.1, with no gradient out of range; each of its remedies must do no harm alone; and none is kept without which
the plan ends lower.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from gradtheory.arithmetic.brief import upward
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.training.advice.of_chain.bench import USUAL, Bench, Plan, Step, followed, leaving_one_out
from gradtheory.training.advice.of_chain.prescription import Prescription
from gradtheory.training.advice.of_chain.starts import biases, critical_weights, weight_limits
from gradtheory.training.advice.of_chain.trial_runs import Attempt, Outcome
from gradtheory.training.remedies.activation_choice import VANISHED

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
_AS_GOOD = 1.001  # times a loss is no other loss
_CONSIDERED = 16  # plans
_ADDS_NOTHING = "it adds nothing to the others"
_NO_BETTER = "and nothing that was tried does better with gradients in range"
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
    return _prescriptions(bench, plan, refused), "" if plan else _nothing(bench)


def _told(plan: Plan, refused: Sequence[tuple[Step, str]]) -> list[Plan]:
    """Return the plans of which ends are told, and the remedies alone."""
    alone = ((step,) for step in plan)
    return [plan, *leaving_one_out(plan), *alone, *((*plan, step) for step, _ in refused)]


def _chosen(bench: Bench, singles: Sequence[Plan], *, explodes: bool) -> tuple[Plan, list[tuple[Step, str]]]:
    """Return the plan that does best, and which remedies are not in it, with why."""
    bench.run([(), *singles])
    alone = [plan for plan in singles if bench.is_harmless(plan) and (bench.falls(plan) or not bench.outcome().starts)]
    is_sound = bench.outcome().is_steady and not bench.outcome().is_saturated
    plan = _best(bench, alone if is_sound else [*alone, *_with_other_starts(bench, alone)])
    plan = plan or _falling(bench, singles)
    refused: list[tuple[Step, str]] = []
    if explodes or not bench.outcome().converges:
        plan, refused = _with_further(bench, plan)
        plan, surplus = _without_surplus(bench, plan)
        refused = _again(bench, plan, [step for step, _ in refused]) if surplus else refused
        refused += [(step, _ADDS_NOTHING) for step in surplus]
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
    gains = [plan for plan in plans if bench.is_gain(plan) and bench.falls(plan)]
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
    """Return a learning rate at which the loss falls where that of the usual run may end above its start, or nothing.

    On its way the usual run may dip below it, which is why it was not among the harmless ones.
    """
    usual = bench.outcome()
    if usual.is_steady and usual.last <= usual.loss[0]:
        return ()
    falling = [plan for plan in singles if "learning_rate" in dict(plan) and bench.outcome(plan).falls]
    best = min(usual.loss[0], usual.last)  # its twins may end anywhere
    lower = [plan for plan in falling if bench.is_in_range(plan) and bench.outcome(plan).last < best]
    return min(lower, key=lambda plan: bench.outcome(plan).last, default=())


def _with_further(bench: Bench, plan: Plan) -> tuple[Plan, list[tuple[Step, str]]]:
    """Return a plan with those remedies against explosion that go with it, and the others with why they do not."""
    kinds, limits = dict(plan), critical_weights(bench.chain)
    tried: list[list[Step]] = []
    if "clip_weights" not in kinds and limits.all() and np.any(np.abs(bench.w) > limits):
        tried.append([("clip_weights", limits)])
    tried += [[("weight_decay", decay) for decay in _DECAYS]]
    tried += [[("clip_gradients", norm) for norm in _NORMS]] if "clip_gradients" not in kinds else []
    bench.run([each for steps in tried for step in steps for each in ((step,), (*plan, step))])
    best = [min(steps, key=lambda step: bench.outcome((*plan, step)).last) for steps in tried]
    subsets = [each for size in range(len(best), 0, -1) for each in itertools.combinations(best, size)]
    longer = [(*plan, *each) for each in subsets]
    bench.run([other for each in longer for other in (each, *leaving_one_out(each))])
    chosen = next((each for each in longer if not _why_not(bench, plan, *each[len(plan) :])), plan)
    refused = [step for step in best if step[0] not in dict(chosen)]
    return chosen, _again(bench, chosen, refused)


def _again(bench: Bench, plan: Plan, steps: Sequence[Step]) -> list[tuple[Step, str]]:
    """Return steps with why each is not added to a plan."""
    return [(step, _why_not(bench, plan, step) or _ADDS_NOTHING) for step in steps]


def _without_surplus(bench: Bench, plan: Plan) -> tuple[Plan, list[Step]]:
    """Return a plan without the remedies that change nothing worth a remedy, and these."""
    surplus: list[Step] = []
    while len(plan) > 1:
        shorter = leaving_one_out(plan)
        bench.run(shorter)
        last = _AS_GOOD * bench.outcome(plan).last
        near = [each for each in shorter if bench.outcome(each).last <= last]
        bench.run([other for each in near for other in leaving_one_out(each)])
        enough = [each for each in near if _is_as_good(bench, each, plan)]
        if not enough:
            break
        best = min(enough, key=lambda each: bench.outcome(each).last)
        surplus += [step for step in plan if step[0] not in dict(best)]
        plan = best
    return plan, surplus


def _is_as_good(bench: Bench, shorter: Plan, plan: Plan) -> bool:
    now, before = bench.outcome(shorter), bench.outcome(plan)
    return (
        now.is_saturated <= before.is_saturated
        and now.total_factor <= max(1.0, before.total_factor)
        and (bench.is_gain(shorter) or not bench.is_gain(plan))
        and bench.is_in_range(shorter)
        and bench.falls(shorter)
        and bench.is_harmless(shorter)
        and bench.is_lean(shorter)
    )


def _why_not(bench: Bench, plan: Plan, *steps: Step) -> str:
    """Return why remedies are not added to a plan, or nothing."""
    longer = (*plan, *steps)
    before, after = bench.outcome(plan), bench.outcome(longer)
    if not bench.is_in_range(longer):
        chance = f"with it rounding decides: {_range(after)}" if after.is_chance else ""
        return chance or "gradients leave their range with it"
    if after.last > before.last:
        return f"it costs: the loss ends {_higher(before.last, after.last)}"
    if after.is_saturated and not before.is_saturated:
        return "it costs: a layer saturates"
    if not bench.falls(longer):
        return "the loss rises on the way with it"
    for step in steps:
        if not bench.is_harmless((step,)):
            return f"alone, with η = {USUAL}, {_harm(bench, step)}"
    gain = bool(plan) or bench.is_gain(longer)
    return "" if gain and bench.is_harmless(longer) and bench.is_lean(longer) else _ADDS_NOTHING


def _higher(before: float, after: float) -> str:
    """Return in words how much higher a loss ends than another."""
    if before == 0.0:
        return f"at {after:.4g}, not at 0"
    ratio = f"{after / before:.3g}"
    return f"{ratio} times as high" if ratio != "1" else "slightly higher"


def _harm(bench: Bench, step: Step) -> str:
    """Return what is worse with one remedy alone than for the better of the chain as it is and the usual run."""
    usual, alone = bench.outcome(), bench.outcome((step,))
    best = min(usual.loss[0], usual.last)
    if not bench.is_in_range((step,)):
        return f"rounding decides: {_range(alone)}" if alone.is_chance else "gradients leave their range"
    if alone.last <= best:
        return "the loss is higher on the way"
    return f"the loss ends at {alone.last:.4g}, and at {best:.4g} without {'it' if usual.last <= best else 'training'}"


def _prescriptions(bench: Bench, plan: Plan, refused: Sequence[tuple[Step, str]]) -> tuple[Prescription, ...]:
    whole = bench.outcome(plan)

    def eta(steps: Plan) -> float:
        return followed(Attempt(bench.w, bench.b, USUAL), steps).eta

    advised = [
        Prescription(kind, value, True, without.last, whole.last, eta(other), eta(plan), "; ".join(filter(None, told)))
        for (kind, value), other in zip(plan, leaving_one_out(plan), strict=True)
        for without in [bench.outcome(other)]
        for told in [(_warning(whole), f"without it rounding decides: {_range(without)}" if without.is_chance else "")]
    ]
    others = [
        Prescription(*step, False, whole.last, after.last, eta(plan), eta(longer), "; ".join(filter(None, told)))
        for step, why in refused
        for longer in [(*plan, step)]
        for after in [bench.outcome(longer)]
        for told in [(why, _warning(after))]
    ]
    return (*advised, *others)


def _range(outcome: Outcome) -> str:
    """Return between which losses runs ended that hardly differ at their start."""
    ends = outcome.ends[np.isfinite(outcome.ends)]
    low, high = (f"{end:.4g}" for end in (min(ends), max(ends)))
    between = f"ended between {low} and {high}" if low != high else f"ended at {low}"
    lost = f", or diverged in {len(outcome.ends) - len(ends)}" if len(ends) < len(outcome.ends) else ""
    return f"in {len(outcome.ends)} runs from starts 1e-9 apart the loss {between}{lost}"


def _warning(outcome: Outcome) -> str:
    """Return what is still wrong at the end of a run."""
    if not outcome.converges:
        return ""
    if outcome.is_saturated:
        return "at the end a layer is saturated"
    if outcome.total_factor < VANISHED:
        return f"at the end the gradient vanishes: |da_L/dx| is at most {upward(outcome.total_factor, 3)}"
    return ""


def _nothing(bench: Bench) -> str:
    usual = bench.outcome()
    if not usual.starts:
        return "nothing is advised: the loss is not finite, and no remedy that was tried makes it so"
    if usual.largest_gradient == 0.0:
        return "nothing is advised: the gradient is 0, and no remedy that was tried changes that without a higher loss"
    if usual.is_chance:
        return f"nothing is advised: with the learning rate {USUAL} rounding decides: {_range(usual)}, {_NO_BETTER}"
    to = f"goes from {usual.loss[0]:.4g} to {usual.last:.4g}" if math.isfinite(usual.last) else "diverges"
    return f"nothing is advised: with the learning rate {USUAL} the loss {to}, {_NO_BETTER}"
