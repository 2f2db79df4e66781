"""Audits of loops that a forward writes itself, and whose loss reads several steps, held against torch's Jacobians.

A gradient that enters at every step is larger at an early one wherever the losses of later ones are smaller.
"""

import math

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn, functional = torch.nn, torch.nn.functional
WIDTH, STEPS, TOKENS, SAMPLES = 32, 12, 20, 64


class Loop(nn.Module):
    """A cell of torch, or a recurrence of one's own, of which all states are read, or the mean of all or the last."""

    def __init__(self, kind, reads):
        super().__init__()
        self.embedding, self.kind, self.reads = nn.Embedding(TOKENS, 16), kind, reads
        if kind == "Linear":
            self.cell, self.into = nn.Linear(WIDTH, WIDTH), nn.Linear(16, WIDTH)
        elif kind == "Gates":
            self.cell = nn.Linear(16 + WIDTH, 4 * WIDTH)
        else:
            self.cell = getattr(nn, kind)(16, WIDTH)
        self.head = nn.Linear(WIDTH, TOKENS)

    def step(self, x, state):
        if self.kind == "Linear":
            return (torch.tanh(self.cell(state[0]) + self.into(x)),)
        if self.kind == "Gates":
            i, f, g, o = self.cell(torch.cat([x, state[0]], 1)).chunk(4, 1)
            memory = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
            return o.sigmoid() * memory.tanh(), memory
        after = self.cell(x, state if self.kind == "LSTMCell" else state[0])
        return after if self.kind == "LSTMCell" else (after,)

    def begin(self):
        return (torch.zeros(SAMPLES, WIDTH),) * (2 if self.kind in ("LSTMCell", "Gates") else 1)

    def read(self, states):
        if self.reads == "each":
            return torch.stack([self.head(state) for state in states], 2)
        if self.reads == "all":
            return self.head(torch.stack(states, 1)).transpose(1, 2)
        return self.head(torch.stack(states[{"mean": 0, "late": -3, "last": -1}[self.reads] :], 1).mean(1))

    def forward(self, tokens):
        state, states = self.begin(), []
        for x in self.embedding(tokens).unbind(1):
            state = self.step(x, state)
            states.append(state[0])
        return self.read(states)


def data(reads):
    x = torch.randint(0, TOKENS, (SAMPLES, STEPS), generator=torch.Generator().manual_seed(0))
    return x, torch.roll(x, -1, 1) if reads in ("all", "each") else x[:, :4].sum(1) % 2


def fitted(module, x, y, steps):
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        functional.cross_entropy(module(x), y).backward()
        optimiser.step()
    return module


def by_jacobian(module, x, y):
    """Return by which logarithm the gradient that enters at the last state grows on its way to the first."""
    with torch.no_grad():
        embedded, state, states = module.embedding(x), module.begin(), []
        for each in embedded.unbind(1):
            state = module.step(each, state)
            states.append(state)
    read = [state[0].clone().requires_grad_() for state in states]
    functional.cross_entropy(module.read(read), y).backward()

    def go_on(*state):
        for each in embedded[:, 1:].unbind(1):
            state = module.step(each, state)
        return state[0]

    _, back = torch.autograd.functional.vjp(go_on, states[0], read[-1].grad)
    squares = [float((each.double() ** 2).sum()) for each in (*back, read[-1].grad)]
    return 0.5 * math.log(sum(squares[:-1]) / squares[-1])


def audited(module, x, y):
    """Return an audit, and by which logarithm the gradient grows over the calls of the cell, by their gains."""
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    gains = [layer.gain for layer in report.layers if layer.name.partition("#")[0] == "cell"]
    assert len(gains) == STEPS
    return report, math.fsum(map(math.log, gains[1:]))


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
@pytest.mark.parametrize(("reads", "steps"), [("all", 0), ("each", 60), ("mean", 60), ("last", 0)])
def test_gains_of_cells_are_those_of_what_enters_last(kind, reads, steps):
    torch.manual_seed(0)
    x, y = data(reads)
    module = fitted(Loop(kind, reads), x, y, steps)
    assert audited(module, x, y)[1] == pytest.approx(by_jacobian(module, x, y), abs=1e-3)


@pytest.mark.parametrize("kind", ["Linear", "Gates"])
@pytest.mark.parametrize("reads", ["all", "each", "mean"])
def test_recurrences_of_ones_own_fade_as_their_states_do(kind, reads):
    torch.manual_seed(1)
    x, y = data(reads)
    module = Loop(kind, reads)
    size = by_jacobian(module, x, y)  # by the states, and not by what a module gives
    report, told = audited(module, x, y)
    assert told == pytest.approx(size, abs=1.2)
    assert report.verdict == "stable"  # as early steps are read, too
    remark = next(layer.cause for layer in report.layers if layer.name == "cell")
    factor = float(remark.partition("the gradient fades by a factor of ")[2].partition(" per time step")[0])
    assert math.log(factor) * (STEPS - 1) == pytest.approx(told, abs=0.01)
    assert f"Yet of cell: {remark}." in str(report)


@pytest.mark.parametrize("kind", ["RNNCell", "Linear", "LSTMCell", "Gates"])
def test_a_loop_that_fades_as_a_whole_vanishes(kind):
    torch.manual_seed(1)
    x, y = data("late")
    report, _ = audited(Loop(kind, "late"), x, y)
    assert (report.verdict, report.start) == ("vanishes", "cell")


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_a_loop_whose_early_losses_are_larger_does_not_explode(seed):
    """Nor does what takes the data at each step, of which the last has the least gradient."""
    torch.manual_seed(seed)
    x, y = data("mean")
    module = fitted(Loop("Linear", "mean"), x, y, 200)
    assert by_jacobian(module, x, y) < 0.0
    report, told = audited(module, x, y)
    assert told < 0.0
    assert report.verdict == "stable"


@pytest.mark.parametrize("kind", ["RNNCell", "Linear"])
@pytest.mark.parametrize("reads", ["all", "each", "mean"])
def test_growth_from_step_to_step_is_found_whatever_is_read(kind, reads):
    torch.manual_seed(2)
    x, y = data(reads)
    module = Loop(kind, reads)
    nn.init.orthogonal_(module.cell.weight_hh if kind == "RNNCell" else module.cell.weight).data.mul_(2.0)
    for name, parameter in module.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
    module.embedding.weight.data *= 1e-9
    report, told = audited(module, x, y)
    assert told == pytest.approx((STEPS - 1) * math.log(2.0), rel=0.02)
    assert (report.verdict, report.start) == ("explodes", "cell")


@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("steps", [12, 40])
def test_a_mean_over_many_steps_is_no_fading(steps, is_frozen):
    class Long(Loop):
        def begin(self):
            return (torch.zeros(8, WIDTH),)

    torch.manual_seed(3)
    module = Long("RNNCell", "mean")
    nn.init.orthogonal_(module.cell.weight_hh)
    nn.init.zeros_(module.cell.bias_hh)
    nn.init.zeros_(module.cell.bias_ih)
    module.embedding.weight.data *= 1e-9
    module.requires_grad_(not is_frozen)
    report = gt.audit(module, torch.randint(0, TOKENS, (8, steps)), torch.zeros(8).long())
    head = next(layer for layer in report.layers if layer.name == "head")
    assert 0.2 < head.gain < 1.0  # that of its weights alone
    assert report.verdict == "stable"


def test_a_checkpoint_is_gone_through_again():
    class Checked(Loop):
        def step(self, x, state):
            run = torch.utils.checkpoint.checkpoint
            return run(super().step, x, state, use_reentrant=False)

    torch.manual_seed(0)
    x, y = data("mean")
    module = Checked("GRUCell", "mean")
    size = by_jacobian(module, x, y)
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    gains = [layer.gain for layer in report.layers if layer.name.partition("#")[0] == "cell"][1:STEPS]
    assert math.fsum(map(math.log, gains)) == pytest.approx(size, abs=1e-3)


class _Decoder(nn.Module):
    """A state that an encoder gives, then a cell, whose state is read at every step."""

    def __init__(self, kind):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(10, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH))
        self.cell, self.head = getattr(nn, kind)(4, WIDTH), nn.Linear(WIDTH, 4)

    def forward(self, x, steps):
        state, read = torch.tanh(self.encoder(x)), []
        memory = torch.zeros_like(state)
        for step in steps.unbind(1):
            if isinstance(self.cell, nn.LSTMCell):
                state, memory = self.cell(step, (state, memory))
            else:
                state = self.cell(step, state)
            read.append(self.head(state))
        return torch.stack(read, 1)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell"])
@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "stable"), (1 / 64, "vanishes")])
def test_what_starves_the_part_before_a_loop_is_told(kind, scale, verdict):
    torch.manual_seed(1)
    module = _Decoder(kind)
    with torch.no_grad():
        for weight in module.cell.parameters():
            weight.mul_(scale if weight.ndim > 1 else 1.0)
    x, steps, targets = torch.randn(64, 10), torch.randn(64, 10, 4), torch.randn(64, 10, 4)
    report = gt.audit(module, (x, steps), targets, loss=functional.mse_loss)
    assert report.verdict == verdict
    assert (report.start == "cell") == (verdict == "vanishes")
