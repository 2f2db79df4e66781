"""Audits of modules with batch norms: what is at fault is named, not what the statistics of a batch make of it."""

import itertools
import math

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def stacked(depth, width=128):
    """Return dense layers with batch norms: '9' is dense, '10' its norm."""
    torch.manual_seed(0)
    widths = [32] + [width] * depth
    parts = [part for a, b in itertools.pairwise(widths) for part in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def audited(module, seed=1):
    torch.manual_seed(seed)
    return gt.audit(module, torch.randn(64, 32), torch.randint(0, 10, (64,)))


@pytest.mark.parametrize("before", [0.0, math.nan])
@pytest.mark.parametrize("fault", ["3", "4"])
def test_an_overflow_before_a_batch_norm_in_training_is_none_of_its_running_statistics(fault, before):
    module = stacked(4, 32)
    module.get_submodule(fault).weight.data.fill_(60000.0)
    module[4].running_mean.fill_(before)
    module[7].running_mean.fill_(before)
    report = audited(module.half())
    assert (report.verdict, report.start) == ("explodes", fault)
    assert report.cause.startswith("its numbers overflow")
    assert "before anything is run" not in "".join(layer.cause for layer in report.layers)


def test_running_statistics_that_are_not_finite_are_named_where_they_are_taken():
    module = stacked(4, 32)
    module[4].running_mean.fill_(math.nan)
    assert audited(module).verdict == "stable"
    report = audited(module.eval())
    assert (report.verdict, report.start) == ("explodes", "4")
    assert report.cause == "its running_mean holds nan before anything is run, in 32 of 32 entries"


@pytest.mark.parametrize(
    ("times", "verdict"), [(5.0, "explodes"), (10.0, "explodes"), (0.2, "vanishes"), (0.1, "vanishes")]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_norm_of_another_weight_is_named_and_not_the_layer_that_its_output_goes_to(times, verdict, seed):
    module = stacked(8)
    module[10].weight.data.mul_(times)
    report = audited(module, seed)
    assert (report.verdict, report.start) == (verdict, "10")
    assert report.cause == f"its weight is {times:.3g} times as large as that of the other norms"
    assert [layer.name for layer in report.layers if layer.verdict != "steady"] == ["10"]
    assert module[10].weight.unique().tolist() == pytest.approx([times])  # it is left as it is


class Block(nn.Module):
    """Two convolutions with their batch norms, and what goes around them."""

    def __init__(self, wide):
        super().__init__()
        self.first, self.norm1 = nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        self.last, self.norm2 = nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)

    def forward(self, x):
        return torch.relu(x + self.norm2(self.last(torch.relu(self.norm1(self.first(x))))))


class Residual(nn.Module):
    """A stem with a norm, and blocks: the norm of the stem is alone of its kind among the parts."""

    def __init__(self, wide=32):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        self.blocks = nn.Sequential(*[Block(wide) for _ in range(6)])
        self.head = nn.Linear(wide, 10)

    def forward(self, x):
        return self.head(self.blocks(torch.relu(self.norm(self.stem(x)))).mean((2, 3)))


@pytest.mark.parametrize(
    ("fault", "times", "told"),
    [
        ("norm", 0.05, ("vanishes", "norm", "its weight is 0.05")),
        ("blocks.2.norm2", 20.0, ("explodes", "blocks.2", "its norm2.weight is 20")),
    ],
)
def test_a_norm_of_a_residual_network_is_named(fault, times, told):
    torch.manual_seed(0)
    module = Residual()
    images, classes = torch.randn(8, 3, 16, 16), torch.randint(0, 10, (8,))
    assert gt.audit(module, images, classes).verdict == "stable"
    module.get_submodule(fault).weight.data.mul_(times)
    report = gt.audit(module, images, classes)
    assert (report.verdict, report.start) == told[:2]
    assert f"{told[2]} times as large as that of the other norms" in report.cause
    assert [layer.name for layer in report.layers if layer.verdict != "steady"] == [report.start]


def test_what_else_is_wrong_is_told_beside_a_norm():
    module = stacked(8)
    module[10].weight.data.mul_(10.0)
    module[24].weight.data.fill_(math.nan)
    assert audited(module).start == "24"
    module = stacked(8).eval()  # then nothing divides the weights away
    module[10].weight.data.mul_(10.0)
    module[18].weight.data.mul_(300.0)
    report = audited(module)
    assert report.start == "18"
    assert report.layers[10].cause.startswith("its weight is 10 times as large as that of its peers")
