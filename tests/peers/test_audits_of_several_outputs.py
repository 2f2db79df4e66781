"""Audits of parts that give several tensors, and of gradients that are nan on their way back alone."""

import itertools
import math

import pytest

import gradtheory as gt
from tests.peers.layers import linear

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Reversible(nn.Module):
    """Each half is changed by the other: what it gives second is made of what it gives first."""

    def __init__(self, width=32):
        super().__init__()
        self.f, self.g = (
            nn.Sequential(nn.LayerNorm(width), linear(width, width), nn.ReLU(), linear(width, width, 0.35))
            for _ in range(2)
        )

    def forward(self, halves):
        first, second = halves
        first = first + self.f(second)
        return first, second + self.g(first)


class Reversibles(nn.Module):
    def __init__(self, blocks=6):
        super().__init__()
        self.first, self.last = linear(16, 64), linear(64, 3)
        self.blocks = nn.ModuleList(Reversible() for _ in range(blocks))

    def forward(self, x):
        halves = self.first(x).chunk(2, 1)
        for block in self.blocks:
            halves = block(halves)
        return self.last(torch.cat(halves, 1))


class Beside(nn.Module):
    """A residual block that gives something else first."""

    def __init__(self, what, width=32):
        super().__init__()
        self.what, self.norm = what, nn.LayerNorm(width)
        self.inner, self.outer = linear(width, width), linear(width, width, 0.35)

    def forward(self, x):
        y = self.norm(x)
        given = x + self.outer(torch.relu(self.inner(y)))
        if self.what == "number":
            return torch.ones(1), given
        if self.what == "weights":
            return torch.softmax(y, -1), given
        return {"aux": (y**2).mean().reshape(1), "x": given}


class Blocks(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.first, self.last = linear(16, 32), linear(32, 3)
        self.blocks = nn.ModuleList(Beside(what) for _ in range(6))

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            given = block(x)
            x = given["x"] if isinstance(given, dict) else given[1]
        return self.last(x)


def data(*shape):
    return torch.randn(*shape), torch.randint(0, 3, shape[:1])


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_by_all_that_a_block_gives_is_followed(seed):
    torch.manual_seed(seed)
    module, (x, y) = Reversibles(), data(128, 16)
    assert gt.audit(module, x, y).verdict == "stable"
    module.blocks[2].g[3].weight.data *= 100.0
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("explodes", "blocks.2")
    halves, given = module.first(x).chunk(2, 1), []
    for block in module.blocks:
        halves = [half.view_as(half) for half in block(halves)]  # what comes back to a view comes from outside
        given.append(halves)
        for half in halves:
            half.retain_grad()
    nn.functional.cross_entropy(module.last(torch.cat(halves, 1)), y).backward()
    sizes = [math.hypot(*(float(half.grad.norm()) for half in each)) for each in given]
    gains = [layer.gain for layer in report.layers if layer.name.startswith("blocks.")]
    assert gains[1:] == pytest.approx([before / after for before, after in itertools.pairwise(sizes)], rel=1e-4)


@pytest.mark.parametrize("what", ["number", "weights", "dict"])
def test_what_is_given_first_and_leads_to_no_loss_is_passed_over(what):
    torch.manual_seed(0)
    module, (x, y) = Blocks(what), data(64, 16)
    assert gt.audit(module, x, y, loss=nn.CrossEntropyLoss()).verdict == "stable"
    module.blocks[3].outer.weight.data *= 20.0
    report = gt.audit(module, x, y, loss=nn.CrossEntropyLoss())
    assert [layer.name for layer in report.layers][1:-1] == [f"blocks.{k}" for k in range(6)]
    assert (report.verdict, report.start) == ("explodes", "blocks.3")


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_recurrent_part_of_which_the_last_state_alone_is_taken_is_reached(kind):
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = kind(8, 16, batch_first=True), nn.Linear(16, 3)

        def forward(self, x):
            _, state = self.body(x)
            return self.head((state[0] if isinstance(state, tuple) else state)[-1])

    torch.manual_seed(0)
    module, (x, y) = Last(), data(32, 3, 8)
    report = gt.audit(module, x, y)
    nn.functional.cross_entropy(module(x), y).backward()
    norm = math.hypot(*(float(each.grad.norm()) for each in module.body.parameters()))
    assert "no gradient" not in report.unread
    assert report.layers[0].name == "body"
    assert report.layers[0].gradient_norm == pytest.approx(norm, rel=1e-4)


class Root(nn.Module):
    def forward(self, x):
        return torch.where(x > 0.0, torch.sqrt(x), torch.zeros_like(x))  # 0 times inf, on the way back


@pytest.mark.parametrize("before", [0, 2])
def test_a_part_in_which_the_gradient_becomes_nan_is_named(before):
    torch.manual_seed(0)
    hidden = [part for _ in range(before) for part in (linear(8, 8), nn.ReLU())]
    module, (x, y) = nn.Sequential(*hidden, nn.Linear(8, 8), Root(), nn.Linear(8, 3)), data(16, 8)
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("explodes", str(2 * before + 1))
    assert "stops being finite" in str(report)
    assert "no gradient comes back" not in str(report)


class _Heads(nn.Module):
    def __init__(self, *, is_first_bad):
        super().__init__()
        self.body, self.a, self.b = nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, 1), nn.Linear(8, 1)
        self.is_first_bad = is_first_bad

    def forward(self, x):
        h = self.body(x)
        return (self.a(h), self.b(h)) if self.is_first_bad else (self.b(h), self.a(h))


@pytest.mark.parametrize("is_first_bad", [True, False])
def test_a_loss_without_a_finite_gradient_is_not_laid_to_a_layer(is_first_bad):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = torch.randn(16, 8), torch.randint(0, 3, (16,))
    told = "The loss has no finite gradient. Cause: it is not finite by what the network gives"

    def distance(given, _):
        return ((given[0] - given[0].detach()) ** 2).sum(1).sqrt().mean() + (given[1] ** 2).mean()

    def of_no_sample(given, classes):
        mask = (classes == 7).float()
        return (nn.functional.cross_entropy(given, classes, reduction="none") * mask).sum() / mask.sum()

    for report in (
        gt.audit(module, x, y, loss=of_no_sample),
        gt.audit(_Heads(is_first_bad=is_first_bad), x, torch.zeros(16, 1), loss=distance),
    ):
        assert (report.verdict, report.start) == ("explodes", None)
        assert str(report).startswith(told)
