"""Audits of loops that call one module several times in each step, or hand a state around the parts they call.

What the parts of one step give are terms of the next state: only a whole step does something to the gradient by it.
"""

import math
import re

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn, functional = torch.nn, torch.nn.functional
WIDTH = 48
METHODS = ["Euler", "minus", "midpoint", "Heun", "Runge-Kutta", "leapfrog"]


class Field(nn.Module):
    """What a state changes by, less a share of the state itself."""

    def __init__(self, rate):
        super().__init__()
        self.net, self.rate = nn.Sequential(nn.Linear(WIDTH, 32), nn.Tanh(), nn.Linear(32, WIDTH)), rate

    def forward(self, x):
        return self.net(x) - self.rate * x


class Dynamics(nn.Module):
    """Steps along a field, and at the end, or at each step, a head."""

    def __init__(self, method, steps=20, times=1.0, rate=0.0, is_read=False):
        super().__init__()
        self.method, self.steps, self.h, self.is_read = method, steps, times / steps, is_read
        width = 2 * WIDTH if method == "leapfrog" else WIDTH
        self.first, self.f, self.head = nn.Linear(6, width), Field(rate), nn.Linear(width, 3)
        self.g = Field(rate) if method == "leapfrog" else None

    def step(self, x, *p):
        h, f = self.h, self.f
        if self.method == "leapfrog":
            after = p[0] - h * f(x)
            return x + h * self.g(after), after
        if self.method == "Euler":
            return (x + h * f(x),)
        if self.method == "minus":
            return (x - -h * f(x),)
        if self.method == "midpoint":
            return (x + h * f(x + h / 2 * f(x)),)
        first = f(x)
        if self.method == "Heun":
            return (x + h / 2 * (first + f(x + h * first)),)
        second = f(x + h / 2 * first)
        third = f(x + h / 2 * second)
        return (x + h / 6 * (first + 2 * second + 2 * third + f(x + h * third)),)

    def read(self, state):
        return self.head(torch.cat(state, 1))

    def forward(self, x):
        self.states = [self.first(x).chunk(2 if self.g else 1, 1)]
        for _ in range(self.steps):
            self.states.append(self.step(*self.states[-1]))
        if self.is_read:
            return torch.stack([self.read(state) for state in self.states[1:]], 2)
        return self.read(self.states[-1])


def audited(seed, *args, **kwargs):
    """Return an audit, and by which factors the gradient by the last state grows to the first, and to that after it."""
    torch.manual_seed(seed)
    module, x = Dynamics(*args, **kwargs), torch.randn(64, 6)
    y = torch.randint(0, 3, (64, module.steps) if module.is_read else (64,))
    given = module(x)
    given, targets = (given[..., -1], y[:, -1]) if module.is_read else (given, y)
    ends = [module.states[k] for k in (0, 1, -1)]
    back = torch.autograd.grad(functional.cross_entropy(given, targets), [each for end in ends for each in end])
    rows = [back[k : k + len(back) // 3] for k in range(0, len(back), len(back) // 3)]
    sizes = [math.hypot(*(float(each.norm()) for each in row)) for row in rows]
    module.states = []
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    return report, sizes[0] / sizes[2], sizes[1] / sizes[2]


def logarithm(report, *names):
    """Return the logarithm of the product of gains of the blocks that hold calls of these modules, and their number."""
    gains = [block.gain for block in report.blocks if block.name.partition("#")[0] in names]
    return math.fsum(map(math.log, gains)), len(gains)


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("seed", "steps"), [(0, 8), (1, 40)])
def test_a_gradient_that_all_steps_keep_is_in_range(method, seed, steps, is_read):
    report, whole, _ = audited(seed, method, steps, is_read=is_read)
    assert (report.verdict, report.cause) == ("stable", "")
    assert abs(math.log(whole)) < 0.2
    assert "time step" not in str(report)
    if method != "leapfrog" and not is_read:  # of which all steps are one with the head
        size, number = logarithm(report, "f")
        assert number == steps
        assert size == pytest.approx(math.log(whole), abs=1e-3)


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_steps_that_go_too_far_are_found(method, is_read):
    report, whole, _ = audited(0, method, times=300.0, is_read=is_read)
    assert whole > 300.0
    assert (report.verdict, report.start) == ("explodes", "g" if method == "leapfrog" else "f")


@pytest.mark.parametrize("method", METHODS[:-1])
def test_a_field_along_which_all_states_meet_is_found(method):
    report, whole, _ = audited(0, method, rate=18.0)
    assert whole < 1e-2
    assert (report.verdict, report.start) == ("vanishes", "f")


@pytest.mark.parametrize("method", METHODS[:-1])
def test_what_enters_last_is_followed_from_state_to_state(method):
    report, _, from_first = audited(0, method, rate=5.0, is_read=True)
    assert report.verdict == "stable"  # as early states are read, too
    pattern = r"Yet of f: the gradient fades by a factor of (\S+) per time step, (\S+) over (\d+) of them"
    factor, whole, steps = map(float, re.search(pattern, str(report)).groups())
    assert steps == 19
    assert [math.log(whole), -steps * math.log(factor)] == pytest.approx([-math.log(from_first)] * 2, abs=0.02)
