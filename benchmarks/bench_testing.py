"""Proven gradients against mpmath's of as many digits, unproven; a hundred checks against torch's gradcheck."""

import mpmath
import numpy as np
import torch

import gradtheory as gt
from gradtheory import testing

torch.set_num_threads(1)

_DEPTH, _DIGITS, _CASES = 20, 50, 100


def _problem(depth):
    rng = np.random.default_rng(0)
    return 0.3, 0.7, rng.normal(0, 2, depth), rng.normal(0, 1, depth)


def bench_reference_gradients(compare):
    chain = gt.Chain(_DEPTH)
    x, y, w, b = _problem(_DEPTH)

    def ours():
        return testing.reference_gradients(chain, x, y, w, b, digits=_DIGITS)

    def peer():
        with mpmath.workdps(_DIGITS):
            entering, slopes = [mpmath.mpf(x)], []
            for weight, bias in zip(w, b, strict=True):
                a = 1 / (1 + mpmath.exp(-(weight * entering[-1] + bias)))
                entering.append(a)
                slopes.append(a * (1 - a))
            by_a, by_w = entering[-1] - y, []
            for weight, before, slope in zip(w[::-1], entering[-2::-1], slopes[::-1], strict=True):
                by_a *= slope
                by_w.append(by_a * before)
                by_a *= weight
            return by_w[::-1]

    for one, other in zip(ours().w, peer(), strict=True):
        np.testing.assert_allclose(float(one), float(other), rtol=1e-14)
    compare(
        f"`testing.reference_gradients`, L = {_DEPTH}, {_DIGITS} digits, proven",
        ours,
        "mpmath, no proof",
        peer,
        longest=5e-3,
    )


def bench_assert_gradients(compare):
    def gradients(x, y, w, b):
        result = gt.Chain(len(w)).backprop(x, y, w, b)
        return {"loss": result.loss, "w": result.w, "b": result.b, "x": result.x}

    def ours():
        testing.assert_gradients(gradients, activation="sigmoid", cases=_CASES)

    def loss(x, y, w, b):
        for weight, bias in zip(w, b, strict=True):
            x = torch.sigmoid(weight * x + bias)
        return 0.5 * ((x - y) ** 2).sum()

    def peer():
        rng = np.random.default_rng(0)
        for _ in range(_CASES):
            depth = rng.integers(1, 7)
            x, y = (torch.tensor(rng.normal(size=2)) for _ in range(2))
            w, b = (torch.tensor(rng.normal(size=depth), requires_grad=True) for _ in range(2))
            assert torch.autograd.gradcheck(loss, (x, y, w, b))

    compare(
        f"`testing.assert_gradients`, {_CASES} cases", ours, f"torch `gradcheck`, {_CASES} chains", peer, longest=3.0
    )
