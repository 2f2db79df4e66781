"""Numbers that are -inf on purpose, as those by which a softmax lets nothing pass, are no overflow."""

import math

import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Masked(nn.Module):
    def __init__(self, value=-math.inf):
        super().__init__()
        self.value = value

    def forward(self, a):
        return torch.cat([a[:, :3], torch.full_like(a[:, 3:], self.value)], dim=1)


class Log(nn.Module):
    def forward(self, a):
        return torch.log(torch.relu(a))


class Attention(nn.Module):
    """With a mask that is given to it, or that is of its own; a whole row of it may be masked."""

    def __init__(self, row=None):
        super().__init__()
        self.start, self.end, self.mask, self.row = nn.Linear(8, 16), nn.Linear(16, 3), nn.Identity(), row

    def forward(self, x, mask):
        h = self.start(x)
        logits = self.mask(h @ h.transpose(1, 2) / 4.0 + mask)
        if self.row is not None:
            logits = logits.index_fill(1, torch.tensor([self.row]), -math.inf)
        return self.end((nn.functional.softmax(logits, -1) @ h).mean(dim=1))


X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(16) % 3


def after(*parts):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 5), *parts)


@pytest.mark.parametrize("y", [Y, None])
def test_what_a_mask_lets_not_pass_is_no_overflow(y):
    module = after(Masked())
    report = gt.audit(module, X, y)
    assert (report.verdict, report.start) == ("stable", None)
    assert {layer.verdict for layer in report.layers} == {"steady"}
    with gt.monitor(module) as watched:
        nn.functional.cross_entropy(module(X), Y).backward()
    assert watched.not_finite is None


@pytest.mark.parametrize(
    ("parts", "y", "start"),
    [
        ([Masked(math.inf)], Y, "1"),
        ([Masked(math.nan)], Y, "1"),
        ([Masked()], Y + 2, "1"),  # a target that is masked: the loss is inf
        ([Log()], Y, "1"),
    ],
)
def test_what_makes_the_loss_infinite_is_an_overflow(parts, y, start):
    report = gt.audit(after(*parts), X, y)
    assert (report.verdict, report.start) == ("explodes", start)
    assert math.isnan(report.growth)


def test_a_mask_may_be_given_beside_the_data():
    x, mask = torch.randn(16, 6, 8), nn.Transformer.generate_square_subsequent_mask(6)
    torch.manual_seed(0)
    assert gt.audit(Attention(), (x, mask), Y).verdict == "stable"
    assert gt.audit(Attention(), {"x": x, "mask": mask}, Y).verdict == "stable"
    broken = gt.audit(Attention(row=2), (x, mask), Y)
    assert broken.verdict == "explodes"
    for wrong in (x.log(), -math.inf * x.abs(), x / 0.0):  # of nan, or of other numbers than 0 and -inf
        with pytest.raises(InvalidArgument, match="all of finite numbers"):
            gt.audit(Attention(), (torch.cat([x[:8], wrong[:8]]), mask), Y)
    with pytest.raises(InvalidArgument, match="finite"):  # no mask beside data
        gt.audit(after(Masked()), torch.zeros(16, 8).log(), Y)
