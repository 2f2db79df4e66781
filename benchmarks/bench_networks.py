"""Networks: backpropagation beside the bare matrix products, and monitored training beside training alone."""

import numpy as np
import pytest
import torch

import gradtheory as gt

torch.set_num_threads(1)

_DEPTH = 10


def _network(width, batch, which):
    """Return a network with random weights, inputs, and as many numbers for its outputs."""
    rng = np.random.default_rng(0)
    w = [rng.normal(0, width**-0.5, (width, width)) for _ in range(_DEPTH)]
    network = gt.Network((width,) * (_DEPTH + 1), which, "mse", w=w, b=[np.zeros(width)] * _DEPTH)
    return network, *rng.normal(size=(2, batch, width))


@pytest.mark.parametrize(
    ("width", "batch", "which"), [(256, 256, "relu"), (256, 256, "tanh"), (256, 256, "gelu"), (1024, 256, "gelu")]
)
def bench_backprop_of_networks(compare, width, batch, which):
    network, x, y = _network(width, batch, which)

    def products():
        """Three products a layer: forward, by the weights, and by the inputs."""
        a = x
        for matrix in network.w:
            forward = a @ matrix.T
            forward.T @ a
            a = forward @ matrix

    compare(
        f"`Network.backprop`, {which}, {_DEPTH} layers of {width}, batch {batch}",
        lambda: network.backprop(x, y),
        "the bare matrix products",
        products,
        largest_ratio=1.5,
    )


@pytest.mark.parametrize("which", ["tanh", "gelu"])
@pytest.mark.parametrize("method", ["jvp", "vjp"])
def bench_products_with_jacobians(compare, method, which):
    network, x, direction = _network(256, 256, which)

    def products():
        """Two products a layer: forward, and by the inputs."""
        a = x
        for matrix in network.w:
            a = (a @ matrix.T) @ matrix

    compare(
        f"`Network.{method}`, {which}, {_DEPTH} layers of 256, batch 256",
        lambda: getattr(network, method)(x, direction),
        "the bare matrix products",
        products,
        largest_ratio=1.5,
    )


def _step():
    """Return a module and a step of its training."""
    torch.manual_seed(0)
    layers = [part for _ in range(8) for part in (torch.nn.Linear(512, 512), torch.nn.ReLU())]
    module = torch.nn.Sequential(*layers)
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-4)
    x, y = torch.randn(2, 256, 512)

    def step():
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(module(x), y).backward()
        optimiser.step()

    return module, step


@pytest.mark.parametrize(("every", "limit"), [(1, 2.0), (20, 1.05)])
def bench_monitor(compare, every, limit):
    module, step = _step()

    def run(steps=20):
        for _ in range(steps):
            step()

    def monitored():
        with gt.monitor(module, every=every):
            run()

    compare(
        f"`monitor`, every {'step' if every == 1 else f'{every}th step'}, 20 steps of 8 layers of 512, batch 256",
        monitored,
        "the steps alone",
        run,
        budget=15.0,
        largest_ratio=limit,
    )
