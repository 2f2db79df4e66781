"""What advice says of random chains, held against `train`; `python -m tests.training.saying --chains 500` counts it.

Each promise, and each reason why a remedy is not advised, or why nothing is, must be true of runs of `train`, which
shares no code with the trials of `advise`; a sentence that is not known here is an error.
"""

import argparse
import collections
import math
import re
from types import SimpleNamespace

import numpy as np

import gradtheory as gt
from gradtheory.training.advice import STEPS
from tests.training.following import follow, last_loss

_RATES = [float(f"{10.0**power:.2g}") for power in np.arange(-12.0, 1.25, 0.25)]
_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"
_ZERO = 1e-12  # what ends lower may differ by rounding
_CHANCE = r"in \d+ runs from starts that hardly differ the loss ended (?:between|at) .*"  # see test_advice_by_chance.py


def _random_problem(seed):
    """Return a chain of one activation or of several, with whole weights or others, and few samples or many."""
    rng = np.random.default_rng(seed)
    names = [name for name in gt.activation_names() if name not in {"exponential", "quadratic"}]
    depth = int(rng.integers(1, 8))
    kinds = [str(rng.choice(names))] * depth if rng.random() < 0.5 else list(map(str, rng.choice(names, depth)))
    loss = str(rng.choice(["squared", "squared", "cross_entropy"]))
    kinds[-1] = "sigmoid" if loss == "cross_entropy" else kinds[-1]
    x = np.sort(rng.normal(0.0, rng.choice([1.0, 3.0]), rng.choice([1, 2, 5, 20])))
    y = (x > 0) * 1.0 if rng.random() < 0.6 else rng.uniform(0, 1, len(x))
    w = rng.integers(-5, 6, depth) * 1.0 if rng.random() < 0.6 else rng.normal(0, rng.choice([1, 2, 3]), depth)
    b = rng.integers(-3, 4, depth) * 1.0 if rng.random() < 0.5 else np.zeros(depth)
    return gt.Chain(depth, kinds, loss), x, y, w, b


class Runs:
    """The runs of `train` on one problem, each made once."""

    def __init__(self, problem, advice):
        """Take the advice too, of which the remedies that work are the plan."""
        self.problem = problem
        self.plan = [remedy for remedy in advice.remedies if remedy.works]
        self.start = problem[0].backprop(*problem[1:]).loss
        gradients = problem[0].backprop(*problem[1:])
        self.limit = max(1e3, math.hypot(*gradients.w, *gradients.b))
        self._made = {}

    def losses(self, *remedies):
        """Return the losses of all steps, inf from where the run diverged on."""
        run = self.run(*remedies)
        return np.append(run.loss, np.full(STEPS + 1 - len(run.loss), np.inf))

    def run(self, *remedies):
        key = tuple(sorted((each.kind, np.asarray(each.value).tobytes()) for each in remedies))
        if key not in self._made:
            self._made[key] = follow(self.problem, remedies, STEPS)
        return self._made[key]

    def rises(self, *remedies):
        return np.any(np.diff(self.losses(*remedies)) > 0.0)

    def end(self, *remedies):
        return last_loss(self.run(*remedies))

    def ends_nearby(self, *remedies):
        """Return the losses at the ends of runs from starts that hardly differ."""
        chain, x, y, w, b = self.problem
        starts = [w * (1.0 + nudge) + nudge * (w == 0.0) for nudge in (0.0, 1e-10, -1e-10, 7e-11)]
        return [last_loss(follow((chain, x, y, start, b), remedies, STEPS)) for start in starts]

    def is_in_range(self, *remedies):
        run = self.run(*remedies)
        return not run.has_diverged and run.gradient_norm.max(initial=0.0) <= self.limit * 1.001

    @property
    def best(self):
        """The better of the loss at the start and at the end of the usual run."""
        return min(self.start, self.end())


def _is_near(told, loss):
    return math.isclose(float(told), loss, rel_tol=2e-3, abs_tol=_ZERO)


def _holds(told, rules):
    """Whether what is told is one of the patterns, and its rule, a function of the groups, true of it."""
    matches = ((re.fullmatch(pattern, told), rule) for pattern, rule in rules.items())
    return next((bool(rule(*match.groups())) for match, rule in matches if match), False)


def _harms(runs, remedies):
    """Return what may be told of a run in comparison with the start and the usual run."""

    def ends(with_it, without, which):
        other = runs.end() if which == "it" else runs.start
        return _is_near(with_it, runs.end(*remedies)) and _is_near(without, other) and float(with_it) > float(without)

    return {
        f"the loss ends at {_NUMBER}, and at {_NUMBER} without (it|training)": ends,
        "gradients leave their range": lambda: not runs.is_in_range(*remedies),
        "the loss is higher on the way": lambda: np.any(runs.losses(*remedies) > np.minimum(runs.start, runs.losses())),
        f"rounding decides(?: whether the loss is higher on the way|: {_CHANCE})": lambda: True,
    }


def _no_gains(runs, remedies):
    return {
        "the loss is hardly lower": lambda: runs.end(*remedies) >= 0.998 * runs.end() - _ZERO,
        "the loss ends hardly lower than it starts": lambda: runs.end(*remedies) >= 0.998 * runs.start,
        f"without it rounding decides: {_CHANCE}": lambda: True,
    }


def _faults(runs, remedies):
    """Return what may be told of a plan that ends lower, and is not advised."""

    def alone(kind, harm):
        return _holds(harm, _harms(runs, [each for each in remedies if each.kind == kind]))

    def lower_without(kind, end):
        less = [each for each in remedies if each.kind != kind]
        return len(less) < len(remedies) and _is_near(end, runs.end(*less)) and runs.end(*less) < runs.end(*remedies)

    return {
        "the loss rises on the way": lambda: runs.rises(*remedies),
        r"alone (\w+) does harm, with η = 0.1: (.*)": alone,
        rf"without (\w+) it ends lower still, at {_NUMBER}": lower_without,
        "a layer saturates|a layer carries hardly any gradient at the start": lambda: True,
        **_harms(runs, remedies),
        **_no_gains(runs, remedies),
    }


def _is_true_of_remedy(told, runs, remedy):
    """Whether the reason is true why one remedy is not added to the plan."""
    plan, longer = runs.plan, [*runs.plan, remedy]
    before, after = runs.end(*plan), runs.end(*longer)

    def lower_without(kind, end, fault):
        less = [each for each in longer if each.kind != kind]
        is_lower = runs.end(*less) < after and _is_near(end, runs.end(*less))
        return is_lower and _holds(fault, _faults(runs, less))

    rules = {
        "it changes nothing": lambda: np.array_equal(runs.losses(*plan), runs.losses(*longer)),
        "it adds nothing to the others": lambda: plan and after >= 0.998 * before - _ZERO,
        "it costs: the loss ends .*": lambda: after > before,
        "it costs: a layer saturates|with it a layer carries hardly any gradient at the start": lambda: True,
        "the loss rises on the way with it": lambda: runs.rises(*longer),
        "gradients leave their range with it": lambda: not runs.is_in_range(*longer),
        f"with it rounding decides: {_CHANCE}": lambda: True,
        "alone, with η = 0.1, (.*)": lambda harm: _holds(harm, _harms(runs, [remedy])),
        "together with the others, (.*)": lambda harm: _holds(harm, _harms(runs, longer)),
        rf"with it and without (\w+) the loss ends lower still, at {_NUMBER}, but (.*)": lower_without,
        **_no_gains(runs, [remedy]),
    }
    return _holds(told, rules)


def _tried(text, advice):
    """Return the remedies that a reason names, by their kinds and constants."""
    values = re.findall(r"(\w+) = (\[[^]]*\]|[^ ,]+)", text)
    arrays = {each.kind: each.value for each in advice.remedies}
    read = [(kind, arrays.get(kind) if value[0] == "[" else float(value)) for kind, value in values]
    assert read
    return [SimpleNamespace(kind=kind, value=value) for kind, value in read]


def _is_true_of_all(reason, runs, advice):
    """Whether the reason is true why nothing is advised."""

    def nothing_lower():
        others = [[SimpleNamespace(kind="learning_rate", value=rate)] for rate in _RATES]
        others += [[each] for each in advice.remedies]
        lower = [each for each in others if runs.end(*each) < 0.99 * runs.best - _ZERO and runs.is_in_range(*each)]
        return not any(max(runs.ends_nearby(*each)) < 0.99 * runs.best for each in lower)

    def one_lower(what, end, fault):
        remedies = _tried(what, advice)
        if any(each.value is None for each in remedies):  # arrays are told by their first digits
            return True
        ends = max(runs.ends_nearby(*remedies))
        is_lower = runs.is_in_range(*remedies) and ends < runs.best and ends < 1.5 * float(end) + _ZERO
        return is_lower and _holds(fault, _faults(runs, remedies))

    head = f"nothing is advised: (?:with the learning rate 0.1 (?:the loss .*|rounding decides: {_CHANCE})|the .*)"
    rules = {
        f"{head}, which is 0 up to rounding": lambda: max(runs.ends_nearby()) < _ZERO,
        f"{head}, and nothing that was tried does better with gradients in range": nothing_lower,
        f"{head}; (.*) ends lower, at {_NUMBER}, with gradients in range, but (.*)": one_lower,
    }
    return _holds(reason, rules)


def keeps(runs, remedy):
    """Whether a run that follows all that is advised does what is promised of one remedy."""
    run, values = runs.run(*runs.plan), {each.kind: each.value for each in runs.plan}
    match remedy.kind:
        case "learning_rate":
            return np.all(np.diff(run.loss) <= 1e-9 * run.loss[:-1])
        case "clip_gradients":
            eta, decay = values.get("learning_rate", 0.1), values.get("weight_decay", 0.0)
            steps = [np.diff(each, axis=0) + eta * decay * each[:-1] for each in (run.w, run.b)]
            longest = np.sqrt(sum((step**2).sum(axis=1) for step in steps)).max()
            return longest <= eta * remedy.value + 1e-9 * np.abs([run.w, run.b]).max()
        case "biases":
            a, carried = runs.problem[1], []
            for layer, record in enumerate(runs.problem[0].layer_activations):
                a, slope = record.value_and_slope(run.w[0, layer] * a + run.b[0, layer])
                carried.append(np.any(slope != 0.0))
            return all(carried)
    return True


def check(seeds):
    """Hold what is said of random chains against `train`; return how often each sentence was said."""
    said = collections.Counter()
    for seed in seeds:
        problem = _random_problem(seed)
        advice = gt.advise(*problem)
        runs = Runs(problem, advice)
        if advice.reason:
            said[re.sub(_NUMBER, "7", advice.reason.split("; ")[-1])] += 1
            assert _is_true_of_all(advice.reason, runs, advice), (seed, advice.reason)
        for remedy in advice.remedies:
            told = [each for each in remedy.cost.split("; ") if each and not each.startswith("at the end")]
            said.update(re.sub(_NUMBER, "7", each) for each in told)
            if not remedy.works:
                assert len(told) == 1, (seed, remedy)
                assert _is_true_of_remedy(told[0], runs, remedy), (seed, str(remedy))
                continue
            assert keeps(runs, remedy), (seed, str(remedy))
            if "on the way the loss is higher than with η = 0.1 alone" in told:
                assert np.any(runs.losses(*runs.plan) > runs.losses())
    return said


def main():
    """Print each sentence with how often it was said; one that is false ends in its assertion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first")
    arguments = parser.parse_args()
    for told, times in check(range(arguments.first, arguments.first + arguments.chains)).most_common():
        print(times, told)


if __name__ == "__main__":
    main()
