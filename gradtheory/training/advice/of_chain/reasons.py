"""Why a remedy is not in the advice on a chain, and why nothing is advised, in words that the trials bear out."""

import math
from collections.abc import Iterator

import numpy as np

from gradtheory.arithmetic.brief import upward
from gradtheory.training.advice.of_chain.bench import USUAL, Bench, Plan, Step, leaving_one_out
from gradtheory.training.advice.of_chain.trial_runs import Outcome
from gradtheory.training.remedies.activation_choice import VANISHED

AS_GOOD = 1.001  # times a loss is no other loss
_FAR = 1e-3  # of a loss: what ends there may saturate, unless the other has come as far
ADDS_NOTHING = "it adds nothing to the others"
NO_BETTER = "and nothing that was tried does better with gradients in range"


def why_not(bench: Bench, plan: Plan, *steps: Step) -> str:
    """Return why remedies are not added to a plan, or nothing."""
    return next(_against(bench, plan, steps), "")


def _against(bench: Bench, plan: Plan, steps: Plan) -> Iterator[str]:
    longer = (*plan, *steps)
    before, after = bench.outcome(plan), bench.outcome(longer)
    if after.converges and np.array_equal(before.loss, after.loss):
        yield "it changes nothing"
    if not bench.is_in_range(longer):
        yield (
            f"with it rounding decides: {range_of(after)}" if after.is_chance else "gradients leave their range with it"
        )
    if after.last > max(before.last, bench.zero):
        yield f"it costs: the loss ends {_higher(before.last, after.last)}"
    if saturates(bench, plan, longer):
        yield "it costs: a layer saturates"
    if not bench.falls(longer):
        yield "the loss rises on the way with it"
    if not bench.carries(longer):
        yield "with it a layer carries hardly any gradient at the start"
    if harmful := bench.harms_alone(steps):
        yield f"alone, with η = {USUAL}, {_harm(bench, (harmful,))}"
    if not plan and not bench.is_gain(longer):
        yield _no_gain(bench, longer)
    if is_as_good(before, after):
        yield ADDS_NOTHING
    if bench.is_harmless(plan) and not bench.is_harmless(longer):
        yield f"together with the others, {_harm(bench, longer)}"
    if lower := _ends_lower_without(bench, longer):
        kind, less = lower
        bench.confirm([less])
        why = fault(bench, less) or ("a layer saturates" if bench.outcome(less).is_saturated else ADDS_NOTHING)
        yield f"with it and without {kind} the loss ends lower still, at {_end(bench, less)}, but {why}"


def is_as_good(shorter: Outcome, longer: Outcome) -> bool:
    """Whether a run ends as low as one with one remedy more, no more saturated, and no steeper."""
    return (
        shorter.last <= AS_GOOD * longer.last + longer.zero
        and shorter.is_saturated <= longer.is_saturated
        and shorter.total_factor <= max(1.0, longer.total_factor)
    )


def saturates(bench: Bench, plan: Plan, other: Plan) -> bool:
    """Whether a layer is saturated at the end of another plan, not at that of a plan, and the loss is not worth it."""
    before, after = bench.outcome(plan), bench.outcome(other)
    is_worth_it = after.last <= _FAR * before.last and before.last > _FAR * bench.outcome().loss[0]
    return after.is_saturated and not before.is_saturated and not is_worth_it


def fault(bench: Bench, plan: Plan) -> str:
    """Return why a plan is not advised that ends lower than the start and the usual run; nothing if it may be."""
    return next(_faults(bench, plan), "")


def _faults(bench: Bench, plan: Plan) -> Iterator[str]:
    outcome = bench.outcome(plan)
    if not bench.is_in_range(plan):
        yield f"rounding decides: {range_of(outcome)}" if outcome.is_chance else "gradients leave their range"
    if not bench.falls(plan):
        yield "the loss rises on the way"
    if not bench.carries(plan):
        yield "a layer carries hardly any gradient at the start"
    if len(plan) > 1 and (harmful := bench.harms_alone(plan)):
        yield f"alone {harmful[0]} does harm, with η = {USUAL}: {_harm(bench, (harmful,))}"
    if not bench.is_harmless(plan):
        yield _harm(bench, plan)
    if not bench.is_gain(plan):
        yield _no_gain(bench, plan)
    if lower := _ends_lower_without(bench, plan):
        yield f"without {lower[0]} it ends lower still, at {_end(bench, lower[1])}"


def _no_gain(bench: Bench, plan: Plan) -> str:
    usual, outcome = bench.outcome(), bench.outcome(plan)
    if AS_GOOD * outcome.last >= usual.loss[0]:
        return "the loss ends hardly lower than it starts"
    return f"without it rounding decides: {range_of(usual)}" if usual.is_chance else "the loss is hardly lower"


def _ends_lower_without(bench: Bench, plan: Plan) -> tuple[str, Plan] | None:
    """Return the kind of the remedy without which a plan ends lowest, if lower than with it, and the plan without."""
    less = zip((kind for kind, _ in plan), leaving_one_out(plan), strict=True)
    kind, shorter = min(less, key=lambda each: bench.outcome(each[1]).last)
    return (kind, shorter) if bench.outcome(shorter).last < bench.outcome(plan).last else None


def _end(bench: Bench, plan: Plan) -> str:
    return f"{bench.outcome(plan).last:.4g}"


def _higher(before: float, after: float) -> str:
    """Return in words how much higher a loss ends than another."""
    if before == 0.0:
        return f"at {after:.4g}, not at 0"
    ratio = f"{after / before:.3g}"
    return f"{ratio} times as high" if ratio != "1" else "slightly higher"


def _harm(bench: Bench, plan: Plan) -> str:
    """Return what is worse with a plan than for the better of the chain as it is and the usual run."""
    usual, outcome = bench.outcome(), bench.outcome(plan)
    if not bench.is_in_range(plan):
        return f"rounding decides: {range_of(outcome)}" if outcome.is_chance else "gradients leave their range"
    best = min(usual.loss[0], usual.last)
    if bench.is_higher(plan, at_the_end=True):
        without = "it" if usual.last <= best else "training"
        return f"the loss ends at {outcome.last:.4g}, and at {best:.4g} without {without}"
    if bench.is_higher(plan):
        return "the loss is higher on the way"
    return "rounding decides whether the loss is higher on the way"


def range_of(outcome: Outcome) -> str:
    """Return between which losses runs ended that hardly differ at their start."""
    ends = outcome.ends[np.isfinite(outcome.ends)]
    low, high = (f"{end:.4g}" for end in (min(ends), max(ends)))
    between = f"ended between {low} and {high}" if low != high else f"ended at {low}"
    lost = f", or diverged in {len(outcome.ends) - len(ends)}" if len(ends) < len(outcome.ends) else ""
    return f"in {len(outcome.ends)} runs from starts that hardly differ the loss {between}{lost}"


def warning(outcome: Outcome) -> str:
    """Return what is still wrong at the end of a run."""
    if not outcome.converges:
        return ""
    if outcome.is_saturated:
        return "at the end a layer is saturated"
    if outcome.total_factor < VANISHED:
        return f"at the end the gradient vanishes: |da_L/dx| is at most {upward(outcome.total_factor, 3)}"
    return ""


def nothing(bench: Bench) -> str:
    """Return why nothing is advised, with a plan that ends lower if one was tried, and what is wrong with it."""
    usual = bench.outcome()
    told = f"nothing is advised: {_how_it_goes(usual)}"
    if usual.starts and usual.loss[0] > 0.0 and usual.highest[-1] <= bench.zero:
        return f"{told}, which is 0 up to rounding"
    for plan in _lower(bench):
        if why := fault(bench, plan):
            lower = f"{named(plan)} ends lower, at {_end(bench, plan)}"
            return f"{told}; {lower}, with gradients in range, but {why}"
    return f"{told}, {NO_BETTER}"


def passed_over(bench: Bench) -> Plan:
    """Return the best of what was tried, also as a part of something else, if it may be advised."""
    return next((plan for plan in _lower(bench) if not fault(bench, plan)), ())


def _lower(bench: Bench) -> Iterator[Plan]:
    """Yield what was tried and ends lower than the start and the usual run, the best first."""

    def order(plan: Plan) -> tuple[bool, bool, float]:
        outcome = bench.outcome(plan)
        return not outcome.is_steady, outcome.is_saturated, outcome.last

    for plan in sorted(bench.lower(), key=order):
        bench.confirm([*leaving_one_out(plan), *((step,) for step in plan)])
        yield plan


def _how_it_goes(usual: Outcome) -> str:
    if not usual.starts:
        return "the loss is not finite"
    if usual.largest_gradient == 0.0:
        return "the gradient is 0"
    if usual.is_chance:
        return f"with the learning rate {USUAL} rounding decides: {range_of(usual)}"
    to = f"goes from {usual.loss[0]:.4g} to {usual.last:.4g}" if math.isfinite(usual.last) else "diverges"
    return f"with the learning rate {USUAL} the loss {to}"


def named(plan: Plan) -> str:
    """Return the remedies of a plan, each with its constant."""
    with np.printoptions(precision=4, threshold=8):
        return ", ".join(f"{kind} = {' '.join(str(value).split())}" for kind, value in plan)
