"""Audits of recurrent modules whose loss reads several time steps: what goes through time is told, held against torch.

A gradient that enters at every step is larger at an early one wherever the losses of later ones are smaller, as they
are in a fitted language model. The oracle is the Jacobian of the state that is read last.
"""

import math

import pytest

import gradtheory as gt
from gradtheory.audits.modules.recording import recorded

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn, functional = torch.nn, torch.nn.functional
WIDTH, STEPS, TOKENS = 24, 12, 10


class Reader(nn.Module):
    """Tokens, a recurrent module, and a head that reads all states, or the mean of all, the first few or the last."""

    def __init__(self, kind, reads, *, layers=1, batch_first=True, start=False):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 8)
        self.rnn = getattr(nn, kind)(8, WIDTH, layers, batch_first=batch_first)
        self.head, self.reads, self.kind = nn.Linear(WIDTH, TOKENS), reads, kind
        shape = (layers, 32, WIDTH)
        self.start = ((torch.randn(shape), torch.randn(shape)) if kind == "LSTM" else torch.randn(shape),) * start

    def read(self, states):
        states = states if self.rnn.batch_first else states.transpose(0, 1)
        if self.reads == "all":
            return self.head(states).transpose(1, 2)
        places = {"mean": slice(None), "early": slice(6), "late": slice(-3, None), "last": slice(-1, None)}[self.reads]
        return self.head(states[:, places].mean(1))

    def states(self, embedded):
        return self.rnn(embedded, *self.start)[0]

    def embedded(self, x):
        return self.embedding(x if self.rnn.batch_first else x.T)

    def forward(self, x):
        return self.read(self.states(self.embedded(x)))


def data(reads):
    x = torch.randint(0, TOKENS, (32, STEPS), generator=torch.Generator().manual_seed(0))
    return x, torch.roll(x, -1, 1) if reads == "all" else x[:, :4].sum(1) % 2


def fitted(module, x, y, steps):
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        functional.cross_entropy(module(x), y).backward()
        optimiser.step()
    return module


def at(states, axis, step):
    return states.select(axis, step)


def by_jacobian(module, x, y, last=STEPS - 1):
    """Return the gradient of the loss by each input, and that of what it reads at one step alone: their norms."""
    axis = 1 if module.rnn.batch_first else 0
    embedded = module.embedded(x).detach().requires_grad_()
    states = module.states(embedded)
    loss = functional.cross_entropy(module.read(states), y)
    whole, by_states = torch.autograd.grad(loss, (embedded, states))
    jacobian = torch.autograd.functional.jacobian(lambda e: at(module.states(e), axis, last), embedded)
    alone = torch.tensordot(at(by_states, axis, last), jacobian, dims=2)
    others = [k for k in range(3) if k != axis]
    return [[float(size) for size in each.double().norm(dim=others)] for each in (whole, alone)]


def rate(told):
    """Return the logarithm of the factor per time step of which a cause, or a remark, tells."""
    factor = told.partition("by a factor of ")[2].partition(" per time step")[0]
    return math.log(float(factor)) if factor else 0.0


def audited(module, x, y):
    """Return an audit, and what the row of the recurrent module says."""
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    return report, next(layer for layer in report.layers if layer.name == "rnn").cause


def followed(module, x, y):
    """Return what a recording tells of each recurrent module that was called."""
    with recorded(module) as record:
        functional.cross_entropy(module(x), y).backward()
        return [told for call in record.calls if (told := call.through_time) is not None]


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("reads", ["all", "mean"])
def test_fitted_losses_that_are_smaller_at_later_steps_are_no_growth(kind, reads):
    torch.manual_seed(1)
    x, y = data(reads)
    module = fitted(Reader(kind, reads), x, y, 200)
    whole, alone = by_jacobian(module, x, y)
    assert whole[0] / whole[-1] > 10.0  # by that it seemed to explode
    size = math.log(alone[0] / alone[-1])
    ((_, told, steps, by),) = followed(module, x, y)
    assert (told, steps, by) == (pytest.approx(size, abs=1e-3), STEPS - 1, "input")
    assert size < math.log(10.0)
    report, told = audited(module, x, y)
    assert report.verdict == "stable"
    assert rate(told) == pytest.approx(size / (STEPS - 1) if size < -math.log(10.0) else 0.0, rel=1e-3)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize(("kind", "reads"), [("RNN", "all"), ("GRU", "all"), ("GRU", "mean"), ("LSTM", "mean")])
def test_fading_is_found_whatever_is_read(kind, reads, start, batch_first):
    torch.manual_seed(1)
    x, y = data(reads)
    module = Reader(kind, reads, batch_first=batch_first, start=start)
    whole, alone = by_jacobian(module, x, y)
    assert 0.1 < whole[0] / whole[-1] < 10.0  # by that it seemed not to fade
    report, told = audited(module, x, y)
    assert report.verdict == "stable"  # as early steps are read, too
    assert rate(told) == pytest.approx(math.log(alone[0] / alone[-1]) / (STEPS - 1), rel=2e-3)
    assert f"Yet of rnn: {told}." in str(report)
    assert "the gradient that enters at the last step, though it enters at others, too" in told


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("layers", [1, 2])
def test_what_fades_as_a_whole_vanishes(kind, layers):
    torch.manual_seed(1)
    x, y = data("late")
    module = Reader(kind, "late", layers=layers)
    whole, alone = by_jacobian(module, x, y)
    report, told = audited(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", "rnn")
    if layers == 1:  # else the inputs of the last steps have fewer ways
        assert math.log(alone[0] / alone[-1]) < math.log(whole[0] / whole[-1]) < -math.log(10.0)
        assert rate(told) == pytest.approx(math.log(alone[0] / alone[-1]) / (STEPS - 1), rel=2e-3)


@pytest.mark.parametrize("reads", ["all", "mean", "last"])
@pytest.mark.parametrize("layers", [1, 2])
def test_growth_through_time_is_found_whatever_is_read(reads, layers):
    torch.manual_seed(2)
    x, y = data(reads)
    module = Reader("RNN", reads, layers=layers)
    for name, weight in module.rnn.named_parameters():
        if "weight_hh" in name:
            nn.init.orthogonal_(weight).data.mul_(1.5)
        elif "weight_ih" in name:
            weight.data *= 0.2 if "l0" in name else 0.05  # each layer by itself, nearly
        elif "bias" in name:
            nn.init.zeros_(weight)
    module.embedding.weight.data *= 1e-9
    report, told = audited(module, x, y)
    assert (report.verdict, report.start) == ("explodes", "rnn")
    assert rate(told) == pytest.approx(math.log(1.5), rel=0.05)
    assert ("though it enters at others, too" in report.cause) is (reads != "last")


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("steps", [0, 60])
def test_states_of_all_layers_are_followed_from_the_last_step(kind, steps):
    torch.manual_seed(3)
    x, y = data("all")
    module = fitted(Reader(kind, "all", layers=2), x, y, steps)
    embedded, several = module.embedded(x).detach(), kind == "LSTM"
    states = module.states(embedded).detach().requires_grad_()
    (by_states,) = torch.autograd.grad(functional.cross_entropy(module.read(states), y), states)
    sizes = []
    for step in (0, STEPS - 1):
        state = module.rnn(embedded[:, :step])[1] if step else torch.zeros(2, 32, WIDTH)
        state = state if several and step else (state,) * (2 if several else 1)
        _, back = torch.autograd.functional.vjp(
            lambda *hx, step=step: module.rnn(embedded[:, step:], hx if several else hx[0])[0][:, -1],
            state,
            by_states[:, -1],
        )
        sizes.append(math.sqrt(sum(float((each.double() ** 2).sum()) for each in back)))
    ((_, told, over, by),) = followed(module, x, y)
    assert (told, over, by) == (pytest.approx(math.log(sizes[0] / sizes[1]), abs=1e-3), STEPS - 1, "state")


@pytest.mark.parametrize("layers", [1, 2])
def test_steps_behind_the_last_that_is_read_are_left_out(layers):
    torch.manual_seed(4)
    x, y = data("early")
    module = Reader("GRU", "early", layers=layers)
    ((_, size, steps, _),) = followed(module, x, y)
    assert steps == 5
    assert size < -math.log(10.0) or layers > 1
    if layers == 1:
        _, alone = by_jacobian(module, x, y, last=5)
        assert size == pytest.approx(math.log(alone[0] / alone[5]), abs=1e-3)


def test_of_padded_sequences_the_longest_are_followed():
    """Each is read at its own end: more of them reach the first step than the last."""

    class Padded(Reader):
        def read(self, states):
            ends = torch.tensor([11] + [0] * 31)
            return self.head(states[torch.arange(32), ends])

    torch.manual_seed(5)
    x, y = data("mean")
    module = Padded("GRU", "mean")
    whole, alone = by_jacobian(module, x, y)
    size = math.log(alone[0] / alone[-1])
    assert size < -math.log(10.0) < 0.0 < math.log(whole[0] / whole[-1])
    assert rate(audited(module, x, y)[1]) == pytest.approx(size / (STEPS - 1), rel=2e-3)


def test_what_goes_around_a_recurrent_module_is_not_followed():
    class Residual(Reader):
        def __init__(self):
            super().__init__("GRU", "last")
            self.project = nn.Linear(8, WIDTH)

        def forward(self, x):
            embedded = self.embedded(x)
            return self.read(self.states(embedded) + 30.0 * self.project(embedded).mean(1, keepdim=True))

    torch.manual_seed(6)
    x, y = data("last")
    module = Residual()
    _, alone = by_jacobian(module, x, y)
    ((_, told, _, _),) = followed(module, x, y)
    assert told == pytest.approx(math.log(alone[0] / alone[-1]), abs=0.3)
    assert told < -math.log(10.0)


def test_what_a_subclass_gives_is_not_known():
    class Own(nn.GRU):
        def forward(self, x):
            return super().forward(x)[0].mean(1)

    torch.manual_seed(7)
    module = nn.Sequential(Own(8, WIDTH, batch_first=True), nn.Linear(WIDTH, 2))
    assert followed(module, torch.randn(32, STEPS, 8, requires_grad=True), torch.zeros(32).long()) == []
