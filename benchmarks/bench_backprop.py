"""Backpropagation in float64 against PyTorch's autograd, both on one thread."""

import numpy as np
import pytest
import torch

import gradtheory as gt

torch.set_num_threads(1)


@pytest.mark.parametrize("batch", [1, 100, 1000, 100_000])
@pytest.mark.parametrize("depth", [10, 100, 1000])
def bench_backprop(compare, depth, batch):
    rng = np.random.default_rng(0)
    x, y = rng.random(batch), rng.integers(0, 2, batch).astype(float)  # a - y does not cancel
    w = rng.uniform(3.9, 4.1, depth)
    b = -w / 2  # a = 1/2 is fixed and has slope w/4 there: gradients of any depth neither vanish nor explode
    chain = gt.Chain(depth=depth, activation="sigmoid")

    x_leaf, target = torch.tensor(x, requires_grad=True), torch.tensor(y)
    w_leaves, b_leaves = ([torch.tensor(each, requires_grad=True) for each in values] for values in (w, b))

    def ours():
        return chain.backprop(x, y, w, b)

    def peer():
        a = x_leaf
        for weight, bias in zip(w_leaves, b_leaves, strict=True):
            a = torch.sigmoid(weight * a + bias)
        (0.5 * ((a - target) ** 2).sum()).backward()

    def forget():
        for leaf in (x_leaf, *w_leaves, *b_leaves):
            leaf.grad = None

    peer()
    result = ours()
    np.testing.assert_allclose(result.x, x_leaf.grad.numpy(), rtol=1e-9)
    np.testing.assert_allclose(result.w, [leaf.grad.item() for leaf in w_leaves], rtol=1e-9)
    np.testing.assert_allclose(result.b, [leaf.grad.item() for leaf in b_leaves], rtol=1e-9)

    compare(
        f"`backprop`, L = {depth}, batch {batch}",
        ours,
        "PyTorch autograd",
        peer,
        before=forget,
        budget=15.0 if batch > 1000 else 6.0,
        largest_ratio=1.0 if batch > 1000 else 0.5,
    )
