"""Audits of recurrent loops that a forward writes itself: the gradient is followed from call to call of a module."""

import math

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
    assert not any(call.unrolled for call in record.calls)


class Deep(nn.Module):
    """Several layers of torch's own recurrent modules, and a head for the last output."""

    def __init__(self, kind, layers, *, recommended=False, batch_first=True, start=None):
        super().__init__()
        self.rnn, self.head = getattr(nn, kind)(8, WIDTH, layers, batch_first=batch_first), nn.Linear(WIDTH, 4)
        self.start = start
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
        for name, parameter in self.rnn.named_parameters() if recommended else ():
            if "weight_hh" in name:
                for gate in parameter.data.chunk(gates):
                    nn.init.orthogonal_(gate)
            elif "bias" in name:
                nn.init.zeros_(parameter)
                if "bias_ih" in name and gates > 1:
                    parameter.data[WIDTH : 2 * WIDTH] = 5.0 - gates  # the forget gate of LSTM, the update gate of GRU

    def forward(self, x):
        output = self.rnn(x, self.start)[0]
        return self.head(output[:, -1] if self.rnn.batch_first else output[-1])


def by_states(module, x, y):
    """Return the size of the gradient by each state: torch's own module goes on from that state."""
    sizes = []
    for step in range(x.shape[1]):
        with torch.no_grad():
            state = module.rnn(x[:, :step], module.start)[1] if step else module.start
        several = isinstance(module.rnn, nn.LSTM)
        states = [each.detach().requires_grad_() for each in (state if several else (state,))]
        output = module.rnn(x[:, step:], tuple(states) if several else states[0])[0][:, -1]
        back = torch.autograd.grad(nn.functional.cross_entropy(module.head(output), y), states)
        sizes.append(math.sqrt(sum(float((each.double() ** 2).sum()) for each in back)))
    return sizes


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_states_of_all_layers_are_followed_as_by_going_on_from_each(kind):
    torch.manual_seed(0)
    start = 0.5 * torch.randn(3, 16, WIDTH)
    start = (start, torch.randn(3, 16, WIDTH)) if kind == "LSTM" else start
    module, x, y = Deep(kind, 3, start=start), torch.randn(16, 9, 8), torch.randint(0, 4, (16,))
    with recorded(module) as record:
        nn.functional.cross_entropy(module(x.clone().requires_grad_()), y).backward()
        call = next(call for call in record.calls if call.unrolled)
        told = [math.sqrt(square) for square in call.unrolled.squares()]
    own = by_states(module, x, y)
    assert told == pytest.approx(own, rel=1e-4)
    assert call.through_time == ("rnn", pytest.approx(math.log(own[0] / own[-1]), rel=1e-4), 8, "state")


@pytest.mark.parametrize("layers", [3, 4])
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_gated_units_of_several_layers_that_start_as_recommended_are_stable(kind, layers):
    torch.manual_seed(0)
    module = Deep(kind, layers, recommended=True)
    assert gt.audit(module, torch.randn(32, 20, 8), torch.randint(0, 4, (32,))).verdict == "stable"


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_gated_units_of_three_layers_with_the_weights_of_torch_fade(kind, batch_first):
    torch.manual_seed(0)
    module, x = Deep(kind, 3, batch_first=batch_first), torch.randn(32, 10, 8)
    report = gt.audit(module, x if batch_first else x.transpose(0, 1), torch.randint(0, 4, (32,)))
    assert (report.verdict, report.start) == ("vanishes", "rnn")
    assert "over 9 of them" in report.cause


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_recurrent_net_of_large_weights_explodes_with_any_number_of_layers(layers):
    torch.manual_seed(0)
    module, x = Deep("RNN", layers, recommended=True), 1e-9 * torch.randn(16, 30, 8)
    for k in range(layers):
        getattr(module.rnn, f"weight_hh_l{k}").data *= 1.5
        getattr(module.rnn, f"weight_ih_l{k}").data *= 0.05  # each layer by itself, nearly
    report = gt.audit(module, x, torch.randint(0, 4, (16,)))
    assert (report.verdict, report.start) == ("explodes", "rnn")
    assert rate(report.cause) == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("layers", [1, 2])
def test_what_fades_to_nothing_has_the_rate_of_the_steps_before(layers):
    torch.manual_seed(0)
    module, x, y = Deep("LSTM", layers), torch.randn(4, 400, 8), torch.randint(0, 4, (4,))
    short = gt.audit(module, x, y)  # the gradient of float32 is 0 after some 200 steps
    assert (short.verdict, short.start) == ("vanishes", "rnn")
    assert rate(short.cause) == pytest.approx(rate(gt.audit(module.double(), x.double(), y).cause), rel=0.02)


def rate(cause):
    return float(cause.partition("by a factor of ")[2].partition(" per time step")[0])


def test_a_leaky_loop_takes_time_by_its_steps():
    class Leaky(nn.Module):
        def __init__(self):
            super().__init__()
            self.state, self.take, self.head = nn.Linear(16, 16), nn.Linear(4, 16), nn.Linear(16, 3)

        def forward(self, x):
            state = torch.zeros(len(x), 16)
            for step in x.unbind(1):
                state = state + 0.1 * (torch.tanh(self.state(state) + self.take(step)) - state)
            return self.head(state)

    torch.manual_seed(0)  # the state goes on twice in each step, so that there are 2⁶⁰ ways
    assert gt.audit(Leaky(), torch.randn(8, 60, 4), torch.randint(0, 3, (8,))).verdict == "stable"
