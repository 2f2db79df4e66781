"""Audits of networks that have fitted a batch: the gradient lies along what norms give, which no norm lets pass."""

import pytest

import gradtheory as gt
from tests.peers.layers import Block

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def fitted(module, along):
    """Return data and targets by which the gradient at what a module gives lies along that, but for a little."""
    torch.manual_seed(2)
    x = torch.randn(32, 64)
    with torch.no_grad():
        given = module(x)
    return x, given + along * given + 0.01 * torch.randn_like(given)


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
def test_a_gradient_that_a_norm_projects_away_is_no_fault(norm):
    """Training to a batch leaves a gradient along the normalised stream."""
    torch.manual_seed(0)
    module = nn.Sequential(*[Block() for _ in range(6)], norm(64))
    x, y = fitted(module, 0.5)
    read, measured = gt.audit(module, x, y, loss="mse"), gt.audit(module, x, y, loss=nn.functional.mse_loss)
    assert [read.is_measured_only, measured.is_measured_only] == [False, True]
    assert {read.verdict, measured.verdict} == {"stable"}
    last = measured.layers[-1]
    assert last.gain < 0.05
    assert "lies along what a norm gives" in last.cause


@pytest.mark.parametrize("along", [0.0, 0.5])
def test_a_norm_with_a_small_gain_is_a_fault_whatever_the_gradient(along):
    torch.manual_seed(0)
    module = nn.Sequential(*[Block() for _ in range(6)], nn.LayerNorm(64), nn.Identity())
    module[6].weight.data.fill_(0.02)
    x, y = fitted(module, along)
    report = gt.audit(module, x, y, loss=nn.functional.mse_loss)
    assert (report.verdict, report.start) == ("vanishes", "6")


def test_a_norm_of_two_numbers_takes_no_more_of_a_gradient_than_of_a_random_one():
    """It lets nothing of any gradient pass, as each number is 1 or -1, whatever it was."""
    torch.manual_seed(0)
    narrow = nn.Sequential(nn.Linear(64, 2), nn.LayerNorm(2), nn.Linear(2, 64))
    module = nn.Sequential(*[Block() for _ in range(4)], *narrow, *[Block() for _ in range(2)])
    x, y = fitted(module, 0.0)
    for loss in ("mse", nn.functional.mse_loss):
        blocks = gt.audit(module, x, y, loss=loss).blocks
        assert next(block.lets_pass for block in blocks if block.name == "4") == 1.0


def test_a_norm_at_the_end_of_a_block_projects_likewise():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, dropout=0.0)
    module = nn.TransformerEncoder(layer, 4)
    torch.manual_seed(2)
    x = torch.randn(8, 6, 64)
    with torch.no_grad():
        y = 1.5 * module(x)
    report = gt.audit(module, x, y + 0.01 * torch.randn_like(y), loss=nn.functional.mse_loss)
    assert report.layers[-1].gain < 0.1
    assert report.verdict == "stable"


class OwnNorm(nn.Module):
    """Its bias is a flag, and its weight what the case gives it."""

    def __init__(self, weight):
        super().__init__()
        self.weight, self.bias = weight, True

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


@pytest.mark.parametrize("weight", [None, 1.0, "none", nn.Identity(), torch.ones(()), torch.ones(3), torch.ones(1, 64)])
def test_what_a_norm_of_your_own_calls_its_weight_may_be_anything(weight):
    torch.manual_seed(0)
    module = nn.Sequential(*[Block() for _ in range(6)], OwnNorm(weight))
    x, y = fitted(module, 0.5)
    assert gt.audit(module, x, y, loss=nn.functional.mse_loss).layers[-1].gain < 0.05


def test_a_norm_of_no_entries_is_left_alone():
    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense, self.norm, self.head = nn.Linear(64, 64), nn.LayerNorm(64), nn.Linear(64, 3)

        def forward(self, x):
            return self.head(self.dense(x)) + self.norm(x[:0]).sum()

    report = gt.audit(Empty(), torch.randn(8, 64), torch.randn(8, 3), loss=nn.functional.mse_loss)
    assert report.verdict == "stable"
