"""Audits of recurrent loops that a forward writes itself: the gradient is followed from call to call of a module."""

import pytest

import gradtheory as gt
from gradtheory.audits.modules.recording import recorded
from gradtheory.audits.verdict.judge import DEAD

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
WIDTH = 32


class Loop(nn.Module):
    """A recurrent network, with the two summands in either order, or an activation that is a module."""

    def __init__(self, how):
        super().__init__()
        self.w, self.u, self.act, self.o = nn.Linear(WIDTH, WIDTH), nn.Linear(8, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 3)
        self.how = how

    def forward(self, x):
        h = torch.zeros(len(x), WIDTH)
        for now in x.unbind(1):
            if self.how == "state first":
                h = torch.tanh(self.w(h) + self.u(now))
            elif self.how == "input first":
                h = torch.tanh(self.u(now) + self.w(h))
            else:
                h = self.act(self.w(h) + self.u(now))
        return self.o(h)


class Stacked(Loop):
    """Two such layers, one upon the other."""

    def __init__(self, how):
        super().__init__(how)
        self.w2, self.u2 = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        h = k = torch.zeros(len(x), WIDTH)
        for now in x.unbind(1):
            h = torch.tanh(self.w(h) + self.u(now))
            k = torch.tanh(self.w2(k) + self.u2(h))
        return self.o(k)


class OfCells(nn.Module):
    """A cell of torch, of which the first input is made of the data alone."""

    def __init__(self, kind):
        super().__init__()
        self.u, self.cell, self.o = nn.Linear(8, WIDTH), kind(WIDTH, WIDTH), nn.Linear(WIDTH, 3)

    def forward(self, x):
        h = torch.zeros(len(x), WIDTH)
        for now in x.unbind(1):
            h = self.cell(self.u(now), h)
        return self.o(h)


class Gated(nn.Module):
    """A GRU written by hand: what the reset gate gives is multiplied by zeros at first."""

    def __init__(self):
        super().__init__()
        for name in "zrn":
            setattr(self, f"w{name}", nn.Linear(WIDTH, WIDTH))
            setattr(self, f"u{name}", nn.Linear(8, WIDTH))
        self.o = nn.Linear(WIDTH, 3)

    def forward(self, x):
        h = torch.zeros(len(x), WIDTH)
        for now in x.unbind(1):
            z, r = torch.sigmoid(self.wz(h) + self.uz(now)), torch.sigmoid(self.wr(h) + self.ur(now))
            h = (1 - z) * torch.tanh(self.un(now) + self.wn(r * h)) + z * h
        return self.o(h)


def audited(module, steps=30):
    return gt.audit(module, 1e-3 * torch.randn(16, steps, 8), torch.randint(0, 3, (16,)))


def orthogonal(layer, scale):
    nn.init.orthogonal_(layer.weight).data.mul_(scale)
    nn.init.zeros_(layer.bias)


@pytest.mark.parametrize("how", ["state first", "input first", "module"])
@pytest.mark.parametrize(("scale", "verdict"), [(1.3, "explodes"), (1.0, "stable"), (0.6, "vanishes")])
def test_a_loop_is_followed_whatever_is_called_between(how, scale, verdict):
    torch.manual_seed(0)
    module = Loop(how)
    orthogonal(module.w, scale)
    nn.init.zeros_(module.u.bias)
    module.u.weight.data *= 0.01
    report = audited(module)
    assert (report.verdict, report.start) == (verdict, None if verdict == "stable" else "w")
    assert "its gain is" not in report.cause  # one call's gain is not what makes the whole


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell])
def test_a_cell_that_takes_what_a_layer_gives_is_followed(kind):
    torch.manual_seed(0)
    report = audited(OfCells(kind))
    assert (report.verdict, report.start) == ("vanishes", "cell")


def test_each_of_two_loops_is_followed():
    torch.manual_seed(0)
    module = Stacked("state first")
    orthogonal(module.w, 1.0)
    orthogonal(module.w2, 1.0)
    assert audited(module).verdict == "stable"
    orthogonal(module.w2, 0.6)
    report = audited(module)
    assert (report.verdict, report.start) == ("vanishes", "w2")
    orthogonal(module.w, 0.6)
    assert audited(module).verdict == "vanishes"


class Fed(nn.Module):
    """Layers in a row, each of which is given the data, too."""

    def __init__(self, scale):
        super().__init__()
        several = lambda n: nn.ModuleList([nn.Linear(n, WIDTH) for _ in range(12)])  # noqa: E731 - as short as its use
        self.a, self.c, self.o = several(WIDTH), several(8), nn.Linear(WIDTH, 3)
        for layer in self.a:
            nn.init.normal_(layer.weight, 0.0, scale / WIDTH**0.5)

    def forward(self, x):
        h = torch.zeros(len(x), WIDTH)
        for a, c in zip(self.a, self.c, strict=True):
            h = torch.relu(a(h) + c(x))
        return self.o(h)


@pytest.mark.parametrize(("scale", "verdict"), [(2.6, "explodes"), (0.7, "vanishes")])
def test_layers_that_are_given_the_data_are_followed(scale, verdict):
    torch.manual_seed(0)
    assert gt.audit(Fed(scale), torch.randn(32, 8), torch.randint(0, 3, (32,))).verdict == verdict


def test_a_call_on_a_start_of_zeros_is_not_dead():
    torch.manual_seed(0)
    report = audited(Gated(), steps=6)
    assert "dead" not in {layer.verdict for layer in report.layers}
    assert report.headline != DEAD


def test_rows_of_packed_sequences_are_no_time_steps():
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory, self.head = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 2)

        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([12, 10, 9, 7, 5, 3]), batch_first=True)
            return self.head(self.memory(packed)[1][0][-1])

    torch.manual_seed(0)
    with recorded(module := Module()) as record:
        module(torch.randn(6, 12, 4, requires_grad=True)).sum().backward()
    assert not any(call.by_time for call in record.calls)
