"""Audits of networks in which a norm is at fault: it is named, whether the module is read or only measured."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def normed():
    """Return dense layers with norms: '15' is dense, '16' its norm."""
    torch.manual_seed(0)
    parts = []
    for _ in range(11):
        dense = nn.Linear(64, 64)
        nn.init.kaiming_normal_(dense.weight)
        parts += [dense, nn.LayerNorm(64), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(64, 64))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64))

    def forward(self, x):
        return x + self.b(x)


def residual():
    torch.manual_seed(1)
    return nn.Sequential(*[Block() for _ in range(8)], nn.LayerNorm(64), nn.Linear(64, 10))


def audits(module):
    """Return the audit of what was read, and of what was measured, as with a function for the loss."""
    x = torch.randn(128, 64)
    return gt.audit(module, x), gt.audit(module, x, torch.zeros(128, module[-1].out_features), loss=nn.MSELoss())


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (lambda norm: norm.weight.data.mul_(0.0), "vanishes"),
        (lambda norm: norm.bias.data.sub_(5.0), "vanishes"),
        (lambda norm: norm.bias.data.sub_(50.0), "vanishes"),
        (lambda norm: norm.weight.data.mul_(0.01), "vanishes"),
        (lambda norm: norm.weight.data.mul_(5.0), "explodes"),
        (lambda norm: norm.weight.data.mul_(100.0), "explodes"),
    ],
    ids=["0", "bias - 5", "bias - 50", "0.01", "5", "100"],
)
def test_a_norm_of_another_gain_is_named_and_nothing_else_is_said_to_be_wrong(fault, verdict):
    module = normed()
    fault(module[16])
    for report in audits(module):
        assert (report.verdict, report.start) == (verdict, "16")
        assert "two things" not in report.cause
        assert "weights pass nothing on" not in report.cause


def test_healthy_norms_are_no_fault():
    for module in (normed(), residual()):
        for report in audits(module):
            assert report.verdict == "stable"


def test_a_norm_within_a_residual_block():
    module = residual()
    module[5].b[0].weight.data.mul_(0.0)
    for report in audits(module):
        assert (report.verdict, report.start) == ("vanishes", "5.b.0")
        assert "gradients pass beside it" in report.cause
    module = residual()
    module[5].b[0].weight.data.mul_(30.0)
    read, measured = audits(module)
    assert (read.verdict, read.start) == ("explodes", "5.b.0")
    assert "30 times as large as that of the other norms" in read.cause
    assert measured.start == "5"
    assert "b.0.weight is 30 times" in measured.cause
    module = residual()
    for block in module[:8]:
        block.b[0].weight.data.mul_(0.0)  # a way to initialise
    assert all(report.verdict == "stable" for report in audits(module))


def test_two_norms_at_fault_are_both_named():
    module = normed()
    module[10].weight.data.mul_(100.0)
    module[19].weight.data.mul_(30.0)
    read, _ = audits(module)
    assert (read.verdict, read.start) == ("explodes", "10")
    assert "of layer '19' its gain is 30 times as large as that of the other norms" in read.cause


def test_branches_that_start_with_nothing_are_a_way_to_initialise():
    for count in (1, 2, 4):
        torch.manual_seed(0)
        blocks = [Block() for _ in range(count)]
        for block in blocks:
            block.b.append(nn.LayerNorm(64))
            block.b[4].weight.data.zero_()
        module = nn.Sequential(nn.Linear(64, 64), *blocks, nn.Linear(64, 64))
        assert gt.audit(module, torch.randn(128, 64)).start is None


def test_first_weights_of_another_scheme_are_no_fault():
    for count in (2, 6):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(64, 64), *[Block() for _ in range(count)], nn.Linear(64, 64))
        nn.init.kaiming_normal_(module[0].weight)
        for block in module[1:-1]:
            block.b.append(nn.LayerNorm(64))
        assert gt.audit(module, torch.randn(128, 64)).start is None


def test_a_norm_and_a_layer_at_fault_are_both_told():
    module = normed()
    module[16].weight.data.mul_(100.0)
    module[24].weight.data.mul_(0.0)
    read, _ = audits(module)
    assert read.start == "24"
    assert "16" in read.cause
