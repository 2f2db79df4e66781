"""Training steps in float64 against PyTorch eager, both on one thread; the Hessian of a deep chain."""

import numpy as np
import torch

import gradtheory as gt
from gradtheory.chains.curvature import hessian
from gradtheory.training.optimisers import heavy_ball

torch.set_num_threads(1)

_DEPTH, _BATCH, _STEPS = 100, 1000, 10


def _problem():
    rng = np.random.default_rng(0)
    x, y = rng.random(_BATCH), rng.integers(0, 2, _BATCH).astype(float)
    w = rng.uniform(3.9, 4.1, _DEPTH)
    return gt.Chain(depth=_DEPTH), x, y, w, -w / 2


def bench_training(compare):
    chain, x, y, w, b = _problem()
    optimiser = heavy_ball(1e-6, 0.9)

    def ours():
        return gt.train(chain, x, y, w, b, optimiser=optimiser, steps=_STEPS)

    inputs, targets = torch.tensor(x), torch.tensor(y)

    def peer():
        leaves = [torch.nn.Parameter(torch.tensor(each)) for values in (w, b) for each in values]
        steps = torch.optim.SGD(leaves, lr=1e-6, momentum=0.9)
        for _ in range(_STEPS):
            a = inputs
            for weight, bias in zip(leaves[:_DEPTH], leaves[_DEPTH:], strict=True):
                a = torch.sigmoid(weight * a + bias)
            steps.zero_grad()
            (0.5 * ((a - targets) ** 2).sum()).backward()
            steps.step()
        return [leaf.item() for leaf in leaves]

    np.testing.assert_allclose(np.concatenate([ours().w[-1], ours().b[-1]]), peer(), rtol=1e-12)
    compare(
        f"`train`, {_STEPS} steps, L = {_DEPTH}, batch {_BATCH}, factors and events recorded",
        ours,
        "PyTorch eager, SGD with momentum",
        peer,
        budget=10.0,
        largest_ratio=0.5,
    )


def bench_hessian(compare):
    chain, x, y, w, b = _problem()

    def ours():
        return hessian(chain, x[:1], y[:1], w, b)

    def gradient():
        return chain.backprop(x[:1], y[:1], w, b)

    ours()
    compare(f"`curvature.hessian`, L = {_DEPTH}", ours, "its gradient, `backprop`", gradient, longest=20e-3)
