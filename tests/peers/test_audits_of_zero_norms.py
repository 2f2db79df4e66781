"""Norms that start with 0 where they end a branch are a way to initialise, whatever stands before them is called."""

from collections import OrderedDict

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
from tests.peers.test_audits_of_dead_parts import BatchNormAct  # noqa: E402


class Dark(nn.Module):
    """A residual block as Darknet's: two parts of the same name but for a number, of which the last starts with 0."""

    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Sequential(OrderedDict(conv=nn.Conv2d(width, width, 3, padding=1), bn=BatchNormAct(width, nn.SiLU)))
            for _ in range(2)
        )
        self.conv2.bn.weight.data.zero_()

    def forward(self, x):
        return x + self.conv2(self.conv1(x))


def test_the_first_norms_of_branches_are_no_peers_of_those_that_end_them():
    torch.manual_seed(0)
    tail = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
    module = nn.Sequential(nn.Conv2d(3, 16, 3), *(Dark(16) for _ in range(4)), *tail)
    x, y = torch.randn(8, 3, 8, 8), torch.arange(8) % 4
    assert gt.audit(module, x, y).verdict == "stable"
    for block in module[1:4]:
        block.conv2.bn.weight.data.fill_(1.0)
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", "4.conv2.bn")
