"""Certified bounds of networks on boxes; ‖W‖ against NumPy's singular values, which prove nothing."""

import itertools

import numpy as np

import gradtheory as gt
from gradtheory.networks.bounds.spectral import spectral_bound


def _network(widths, activation, gain):
    rng = np.random.default_rng(0)
    w = [rng.normal(size=(b, a)) * gain / np.sqrt(a) for a, b in itertools.pairwise(widths)]
    b = [0.1 * rng.normal(size=len(each)) for each in w]
    return gt.Network(widths, [activation] * (len(w) - 1) + ["identity"], w=w, b=b)


def bench_spectral_bound(compare):
    w = np.random.default_rng(0).normal(size=(1024, 1024))
    assert 0 <= spectral_bound(w) / np.linalg.norm(w, 2) - 1 < 1e-8
    compare(
        "certified bound of ‖W‖, n = 1,024, slack below 1e-8",
        lambda: spectral_bound(w),
        "NumPy, `norm(w, 2)`, without a proof",
        lambda: np.linalg.norm(w, 2),
        longest=1.5,
    )


def bench_jacobian_bound(compare):
    network, x = _network((64,) * 21, "gelu", 2.2), np.random.default_rng(1).normal(size=64)
    inputs = x + np.random.default_rng(2).uniform(-1e-4, 1e-4, size=(100, 64))
    compare(
        "`jacobian_bound` on a box, 20 × 64 gelu",
        lambda: network.jacobian_bound((x - 1e-4, x + 1e-4)),
        "norms of the Jacobian at 100 inputs",
        lambda: np.linalg.norm(network.jacobian(inputs), 2, axis=(1, 2)),
        longest=4.0,
    )


def bench_explosion_region(compare):
    network = _network((2, 16, 16, 1), "tanh", 1.5)
    grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, 300)] * 2), -1).reshape(-1, 2)
    compare(
        "`explosion_region`, 2-16-16-1 tanh, 1 % undecided",
        lambda: gt.explosion_region(network, ([-2, -2], [2, 2])),
        "norms at 300 × 300 inputs, without a proof",
        lambda: np.linalg.norm(network.jacobian(grid), 2, axis=(1, 2)),
        longest=3.0,
    )
