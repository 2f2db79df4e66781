"""Monitors of modules that are copied, saved, traced, or called within `torch.func` meanwhile."""

import copy
import io
import math

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))


def _yours(_module, _inputs, _output):
    return None


def _hooks_of(module):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs")
    return [hook for part in module.modules() for kind in kinds for hook in getattr(part, kind).values()]


class Kept(nn.Module):
    """A module that pickles what it wants."""

    def __init__(self):
        super().__init__()
        self.inner, self.cache = mlp(), [1]

    def __getstate__(self):
        state = self.__dict__.copy()
        state["cache"] = []
        return state

    def forward(self, x):
        return self.inner(x)


def test_copies_that_are_made_while_a_module_is_monitored_have_no_hooks():
    module, x = Kept(), torch.randn(8, 16)
    module.inner[0].register_forward_hook(_yours)
    with gt.monitor(module), gt.monitor(module) as watch:
        copied, averaged = copy.deepcopy(module), torch.optim.swa_utils.AveragedModel(module)
        torch.save(module, file := io.BytesIO())
        shallow = copy.copy(module.inner[2])
        with torch.no_grad():
            copied.inner[0].weight.fill_(math.nan)
        copied(x).sum().backward()
        module(x).sum().backward()
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    assert copied.cache == loaded.cache == []
    for other in (module, copied, averaged.module, loaded):
        assert _hooks_of(other) == [_yours]  # and nothing else
        assert "__getstate__" not in vars(other)
        assert "__getstate__" not in vars(other.inner[0])
    assert _hooks_of(shallow) == []
    assert (watch.steps, watch.not_finite, watch.unseen) == ([1], None, "")
    assert len(watch.gradient_norms["inner.0"]) == 1


def test_a_traced_copy_of_a_monitored_module_is_not_watched():
    module = torch.fx.symbolic_trace(mlp())  # which copies itself by a method of its own
    with gt.monitor(module) as watch:
        copied = copy.deepcopy(module)
        with torch.no_grad():
            getattr(copied, "0").weight.fill_(math.nan)
        copied(torch.randn(8, 16))
    assert watch.not_finite is None


def test_a_monitor_ends_no_loop_whose_numbers_it_cannot_look_at():
    module, x = mlp(), torch.randn(4, 16)
    parameters = dict(module.named_parameters())

    def loss(values, sample):
        return torch.func.functional_call(module, values, (sample,)).square().sum()

    by_sample = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))
    expected = by_sample(parameters, x)
    with gt.monitor(module) as watch:
        given = by_sample(parameters, x)
    assert all(torch.equal(given[name], expected[name]) for name in expected)
    assert watch.unseen.startswith("RuntimeError: ")
    assert "some numbers were not looked at" in repr(watch)


def test_a_module_takes_what_holds_its_inputs_as_it_is_given():
    class Held(dict):
        @property
        def state(self):
            return self["state"]

    class Taking(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(16, 3)

        def forward(self, held, more):
            return self.inner(held.state + more.state)

    class Giving(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(16, 16), Taking()

        def forward(self, x):
            held = Held(state=self.first(x))
            return self.second(held, more=held)

    module = Giving()
    with gt.monitor(module) as watch:
        module(torch.randn(4, 16)).sum().backward()
    assert (watch.steps, watch.unseen) == ([1], "")
