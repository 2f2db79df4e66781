"""Widths over whole arrays against the textbook's one line, and against one pass of one NumPy or SciPy function."""

import numpy as np
import pytest
import scipy.special

import gradtheory as gt

_WEIGHTS = np.random.default_rng(0).uniform(4.001, 100.0, 10**7)


def _textbook():
    size = np.abs(_WEIGHTS)
    return (2 / size) * np.log(size * (1 + np.sqrt(1 - 4 / size)) / 2 - 1)


_PEERS = {
    "the textbook's formula in NumPy": (_textbook, 1.0),
    "one `np.arcsinh`": (lambda: np.arcsinh(_WEIGHTS), 1.8),
}


@pytest.mark.parametrize("peer_name", _PEERS)
def bench_sigmoid_widths(compare, peer_name):
    def ours():
        return gt.arrays.explosion_width("sigmoid", _WEIGHTS)

    np.testing.assert_allclose(ours(), _textbook(), rtol=1e-9)
    peer, limit = _PEERS[peer_name]
    compare("`arrays.explosion_width`, sigmoid, 1e7 weights", ours, peer_name, peer, largest_ratio=limit)


def bench_gelu_widths(compare):
    weights = np.random.default_rng(0).uniform(0.887, 0.9999, 10**6)  # where the width is neither 0 nor infinite
    gt.arrays.explosion_width("gelu", weights)
    compare(
        "`arrays.explosion_width`, gelu, 1e6 weights",
        lambda: gt.arrays.explosion_width("gelu", weights),
        "one `scipy.special.erf`",
        lambda: scipy.special.erf(weights),
        largest_ratio=25.0,
    )
