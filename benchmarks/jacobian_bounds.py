"""Certified bounds of ‖J‖ on boxes, beside those from auto_LiRPA's bounds of the entries of J, on 72 dense networks.

    PYTHONPATH=PATH_OF_AUTO_LIRPA python benchmarks/jacobian_bounds.py

auto_LiRPA 0.7 is not on PyPI for current PyTorch: its repository is https://github.com/Verified-Intelligence/auto_LiRPA.
Its bounds are float32 without directed rounding; of bounds of all entries, the norm of their sizes bounds ‖J‖.
"""

import itertools
import time

import numpy as np
import torch
from auto_LiRPA import BoundedModule, BoundedTensor
from auto_LiRPA.jacobian import JacobianOP
from auto_LiRPA.perturbations import PerturbationLpNorm
from torch import nn

import gradtheory as gt

_ACTIVATIONS = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}
_WIDTHS = ([2, 16, 16, 1], [3, 20, 20, 20, 2], [10, 50, 50, 5], [16, 64, 64, 64, 10])
_ROUNDING = 1e-5  # of float32 through a few layers
_GAINS, _RADII = (1.0, 2.0), (0.001, 0.05, 0.5)


class _Jacobian(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return JacobianOP.apply(self.network(x), x)


def _network(activation, widths, gain):
    torch.manual_seed(1)
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        dense = nn.Linear(n_in, n_out)
        nn.init.normal_(dense.weight, std=gain / n_in**0.5)
        nn.init.normal_(dense.bias, std=0.1)
        layers += [dense, _ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1]), torch.randn(1, widths[0])


def _theirs(network, x, radius):
    box = BoundedTensor(x, PerturbationLpNorm(norm=np.inf, eps=radius))
    ends = BoundedModule(_Jacobian(network), x, device="cpu").compute_jacobian_bounds(box)
    lower, upper = (end.detach().numpy().reshape(-1, x.shape[1]) for end in ends)
    return np.linalg.norm(np.maximum(abs(lower), abs(upper)), 2)


def _ours(network, x, radius):
    centre = x.numpy()[0].astype(float)
    return gt.Network.from_torch(network).jacobian_bound((centre - radius, centre + radius)).bound


def main():
    """Print a row for each network and box."""
    torch.set_num_threads(1)
    tighter = 0
    cases = list(itertools.product(_ACTIVATIONS, _WIDTHS, _GAINS, _RADII))
    for activation, widths, gain, radius in cases:
        network, x = _network(activation, widths, gain)
        bounds, seconds = [], []
        for bound_of in (_ours, _theirs):
            start = time.perf_counter()
            bounds.append(float(bound_of(network, x, radius)))
            seconds.append(time.perf_counter() - start)
        tighter += bounds[0] <= bounds[1] * (1 + _ROUNDING)
        print(activation, widths, gain, radius, *(f"{bound:.5g}" for bound in bounds), *(f"{s:.2f} s" for s in seconds))
    print(f"ours is as tight or tighter on {tighter} of {len(cases)}")


if __name__ == "__main__":
    main()
