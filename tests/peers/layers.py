"""Layers of torch that several tests make."""

import pytest

nn = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this").nn


def linear(n_in, n_out, times=1.0):
    """Return a layer with He's weights times a factor, and no biases."""
    layer = nn.Linear(n_in, n_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    layer.weight.data *= times
    return layer


class Block(nn.Module):
    """A residual block of two layers behind a norm, 64 wide."""

    def __init__(self):
        super().__init__()
        self.b = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64))

    def forward(self, x):
        return x + self.b(x)
