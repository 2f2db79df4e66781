"""Advice followed on random chains of all kinds; `python -m tests.training.following --chains 500` prints a line.

Following it, all of it or one remedy alone, never ends with a loss above the better of the chain as it is and of
gradient descent with η = 0.1 by more than 10 %, and it mends most of what diverges or saturates without it.
"""

import argparse
import functools
import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.activations import activation_names
from gradtheory.training import train
from gradtheory.training.advice import STEPS, advise
from gradtheory.training.optimisers import gradient_descent
from gradtheory.training.remedies import clip_by_global_norm


def follow(problem, remedies, steps):
    """Return a run of `train`, which shares no code with the trials of `advise`, that follows remedies together."""
    chain, x, y, w, b = problem
    w, b, eta, decay, clip = np.array(w), np.array(b), 0.1, 0.0, None
    for remedy in remedies:
        match remedy.kind:
            case "learning_rate":
                eta = remedy.value
            case "clip_gradients":
                clip = lambda gradients, most=remedy.value: clip_by_global_norm(gradients, most).gradients  # noqa: E731
            case "clip_weights":
                w = np.clip(w, -remedy.value, remedy.value)
            case "biases":
                b = remedy.value
            case "weight_decay":
                decay = remedy.value
    return train(chain, x, y, w, b, optimiser=gradient_descent(eta, weight_decay=decay), steps=steps, clip=clip)


def _once_followed(runs, problem, *remedies):
    """Return a run from those that were made before, or make it."""
    kinds = frozenset(remedy.kind for remedy in remedies)
    if kinds not in runs:
        runs[kinds] = follow(problem, remedies, STEPS)
    return runs[kinds]


def last_loss(run):
    return float(run.loss[-1]) if run.loss.size and not run.has_diverged else math.inf


@functools.cache
def _steepest_slope(record):
    return float(record.steepest_slope)


def _saturates(problem, run):
    steepest = np.array([_steepest_slope(each) for each in problem[0].layer_activations])
    with np.errstate(all="ignore"):
        slopes = run.factors[-1] / np.abs(run.w[-1])
    return bool(np.any((slopes < 0.01 * steepest) & np.isfinite(steepest)))


def _random_problem(seed):
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 7))
    x = np.linspace(-1, 1, 11)
    y = ((x > 0) * 1.0, np.sin(3 * x), rng.uniform(0, 1, 11))[rng.integers(3)]
    w = rng.normal(0, rng.choice([0.3, 1, 3, 9]), depth)
    b = rng.normal(0, 1, depth) * rng.choice([0, 1, 3])
    return gt.Chain(depth, str(rng.choice(activation_names()))), x, y, w, b


def check(seeds):
    """Hold the advice for random chains against what it promises; return how many failed before, and were mended."""
    failing, mended = 0, 0
    for seed in seeds:
        problem = _random_problem(seed)
        followed = functools.partial(_once_followed, {}, problem)
        advice = advise(*problem)
        offered = [remedy for remedy in advice.remedies if remedy.works]
        assert bool(offered) == (not advice.reason)
        usual, together = followed(), followed(*offered)
        first = problem[0].backprop(*problem[1:]).loss
        better = min(first, last_loss(usual))
        if math.isfinite(better):
            for run in (together, *map(followed, offered)):
                assert last_loss(run) <= 1.1 * better, (seed, advice)
        for remedy in offered:
            assert remedy.loss_with <= remedy.loss_without
        for remedy in offered if seed % 5 == 0 else ():  # the trials of `advise` against `train`
            without = followed(*(each for each in offered if each is not remedy))
            for loss, run in ((remedy.loss_with, together), (remedy.loss_without, without)):
                if np.all(np.diff(run.loss) <= 0):  # others amplify rounding
                    assert loss == pytest.approx(last_loss(run), rel=1e-6, abs=1e-12)
        if usual.has_diverged or not usual.loss.size or last_loss(usual) > first or _saturates(problem, usual):
            failing += 1
            mended += math.isfinite(last_loss(together)) and not _saturates(problem, together)
    return failing, mended


def main():
    """Print how many chains were mended; a promise that is broken ends in its assertion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first")
    arguments = parser.parse_args()
    failing, mended = check(range(arguments.first, arguments.first + arguments.chains))
    print(f"{arguments.chains} chains: {failing} fail with the usual learning rate, advice mends {mended} of them")


if __name__ == "__main__":
    main()
