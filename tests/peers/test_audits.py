"""Audits and the monitor on torch modules: transformers, recurrent networks and convolutions too."""

import math
from itertools import pairwise

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits import Monitor
from gradtheory.audits.modules.attention import watched
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Attention(nn.Module):
    def __init__(self, width, heads=2):
        super().__init__()
        self.heads, self.all, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.all(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.shortcut = 1.0

    def forward(self, x):
        x = self.shortcut * x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, blocks=6, width=32):
        super().__init__()
        self.embed = nn.Linear(10, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.RNN(4, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def deep(depth, gain=1.0):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(32, 32), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight)
        layers[-2].weight.data *= gain
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers, nn.Linear(32, 3))


@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_layer_of_a_module_is_named(place):
    torch.manual_seed(place)
    module, x = deep(10), torch.randn(64, 32)
    assert gt.audit(module, x).verdict == "stable"
    module[2 * place].weight.data *= 5
    report = gt.audit(module, x, torch.randint(0, 3, (64,)))
    assert (report.verdict, report.start) == ("explodes", str(2 * place))
    assert not report.is_measured_only
    assert math.isfinite(report.loss)


def test_a_transformer_is_measured():
    torch.manual_seed(1)
    module, x = Transformer(), torch.randn(8, 12, 10)
    module.train()
    report = gt.audit(module, x, torch.randn(8, 12, 3), loss="mse")
    assert report.is_measured_only
    assert report.verdict == "stable"
    assert [layer.name for layer in report.layers] == ["embed", *(f"blocks.{k}" for k in range(6)), "norm", "head"]
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    output = module(x)
    gradients = torch.autograd.grad(nn.functional.mse_loss(output, torch.zeros_like(output)), module.head.weight)
    measured = gt.audit(module, x, torch.zeros(8, 12, 3)).layers[-1]
    assert measured.gradient_norm > 0.0
    assert gradients[0].shape == (3, 32)


@pytest.mark.parametrize("block", [1, 3, 5])
def test_a_doubled_shortcut_of_a_transformer_is_named(block):
    torch.manual_seed(block)
    module = Transformer(8)
    module.blocks[block].shortcut = 2.0
    assert gt.audit(module, torch.randn(8, 12, 10)).start == f"blocks.{block}"


def test_recurrent_networks_and_convolutions_are_measured():
    torch.manual_seed(2)
    assert len(gt.audit(Recurrent(), torch.randn(5, 7, 4)).layers) == 2
    convolution = nn.Sequential(nn.Conv1d(3, 8, 3), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    report = gt.audit(convolution, torch.randn(6, 3, 10))
    assert report.is_measured_only
    assert [layer.kind for layer in report.layers] == ["Conv1d", "BatchNorm1d", "ReLU", "Flatten", "Linear"]
    with pytest.raises(InvalidArgument, match="Conv1d at '0'"):
        gt.audit(convolution, torch.randn(6, 3, 10), on_unknown="refuse")
    with pytest.raises(InvalidArgument, match="does not take this x and y"):
        gt.audit(convolution, torch.randn(6, 2, 10))


def test_the_gains_of_a_measured_module_are_those_of_the_network():
    torch.manual_seed(3)
    module, x = deep(4), torch.randn(16, 32)

    class Opaque(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(module)

        def forward(self, x):
            for part in self.parts:
                x = part(x)
            return x.abs()  # which the reader does not know; the gradient of its square is that of x

    y = torch.zeros(16, 3)
    measured, read = gt.audit(Opaque(), x, y), gt.audit(module, x, y)
    assert measured.is_measured_only
    assert not read.is_measured_only
    gains = {layer.name: layer.gain for layer in measured.layers}
    for place in (2, 4, 6):  # a module's gain reaches from the activation before it, a layer's to that after it
        ours = next(layer for layer in read.layers if layer.name == str(place))
        together = gains[f"parts.{place}"] * gains[f"parts.{place + 1}"]
        assert together == pytest.approx(ours.gain, rel=1e-5)


def train(module, watch_every=1, steps=6, break_at=None):
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-3)
    x, y = torch.randn(16, 32), torch.randn(16, 3)
    norms = []
    with gt.monitor(module, every=watch_every) as watch:
        for step in range(1, steps + 1):
            optimiser.zero_grad()
            if step == break_at:
                module[4].weight.data[0, 0] = math.nan
            nn.functional.mse_loss(module(x), y).backward()
            norms.append(float(module[0].weight.grad.norm() ** 2 + module[0].bias.grad.norm() ** 2) ** 0.5)
            optimiser.step()
    return watch, norms


def test_the_monitor_records_norms_and_leaves_nothing_behind():
    torch.manual_seed(4)
    module = deep(3)
    watch, norms = train(module)
    assert isinstance(watch, Monitor)
    assert watch.steps == [1, 2, 3, 4, 5, 6]
    assert watch.gradient_norms["0"] == pytest.approx(norms, rel=1e-5)
    assert watch.not_finite is None
    assert not any(part._forward_hooks or part._backward_hooks for part in module.modules())
    assert train(deep(3), watch_every=3)[0].steps == [1, 4]


def test_measured_parts_know_on_how_many_samples_the_gradient_grows():
    torch.manual_seed(0)
    module, x, y = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(50, 4), torch.randn(50, 3)
    module[2].weight.data *= 3.0
    report = gt.audit(module, x, y, loss=nn.MSELoss())
    outputs, value = [], x
    for part in module:
        value = part(value)
        value.retain_grad()
        outputs.append(value)
    nn.MSELoss()(value, y).backward()
    sizes = [each.grad.norm(dim=1) for each in outputs]
    shares = [float((before > after).double().mean()) for before, after in pairwise(sizes)]
    assert [layer.share_above_1 for layer in report.layers[1:]] == shares
    assert 0.0 < shares[1] < 1.0 or shares[0] < 1.0
    assert "> 1" in str(report)


def test_the_monitor_names_where_nan_starts():
    torch.manual_seed(5)
    watch, _ = train(deep(5), break_at=3)
    assert watch.not_finite == (3, "4", "forward")
    assert "'4' is not finite at step 3" in repr(watch)

    class Root(nn.Module):
        def forward(self, x):
            return torch.sqrt(x * 0.0)

    module = nn.Sequential(nn.Linear(4, 4), nn.Identity(), Root())
    with gt.monitor(module) as watch:
        module(torch.randn(3, 4)).sum().backward()
    assert watch.not_finite == (1, "2", "backward")


def test_the_monitor_counts_a_gradient_that_comes_in_parts_once():
    torch.manual_seed(4)
    module, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), torch.randn(5, 3)
    with gt.monitor(module) as watch:
        output = module(x)
        output[:, 0].sum().backward(retain_graph=True)
        output[:, 1].sum().backward()
    for name in ("0", "2"):
        gradients = [each.grad.ravel() for each in module[int(name)].parameters()]
        assert watch.gradient_norms[name] == pytest.approx([float(torch.cat(gradients).norm())], rel=1e-6)


def test_the_monitor_counts_parameters_that_are_no_longer_frozen():
    torch.manual_seed(4)
    module, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), torch.randn(5, 3)
    module[0].weight.requires_grad_(False)
    with gt.monitor(module) as watch:
        for _ in range(2):
            module.zero_grad()
            module(x).sum().backward()
            module[0].weight.requires_grad_(True)
    gradients = torch.cat([each.grad.ravel() for each in module[0].parameters()])
    assert watch.gradient_norms["0"][1] == pytest.approx(float(gradients.norm()), rel=1e-6)
    assert watch.gradient_norms["0"][0] < watch.gradient_norms["0"][1]


def test_the_monitor_names_a_part_that_writes_over_its_input():
    class Divided(nn.Module):
        def forward(self, x):
            return x.div_(0.0)

    module = nn.Sequential(nn.Linear(4, 4), Divided(), nn.Linear(4, 2))
    with gt.monitor(module) as watch:
        module(torch.randn(3, 4)).sum().backward()
    assert watch.not_finite == (1, "1", "forward")
    report = gt.audit(module, torch.randn(8, 4))
    assert (report.start, [layer.name for layer in report.layers]) == ("1", ["0", "1", "2"])


def test_hooks_are_removed_after_an_error():
    module = deep(2)
    with pytest.raises(RuntimeError), gt.monitor(module):
        module(torch.randn(3, 5))
    assert not any(part._forward_hooks for part in module.modules())


def test_float16_overflow_is_named():
    torch.manual_seed(6)
    module = deep(6, gain=30.0).half()
    x = np.full((4, 32), 60.0, dtype=np.float16)

    class Opaque(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = module

        def forward(self, x):
            return self.parts(x).abs()

    report = gt.audit(Opaque(), x)  # measured in float16
    values, first = torch.from_numpy(x), None
    for name, part in module.named_children():
        values = part(values)
        first = first or (None if values.isfinite().all() else f"parts.{name}")
    assert (report.verdict, report.start) == ("explodes", first)


def unscaled(attention):
    """Take the division by √d out of an attention."""

    def forward(x):
        batch, length, width = x.shape
        q, k, v = attention.all(x).view(batch, length, 3, attention.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v
        return attention.out(mixed.transpose(1, 2).reshape(batch, length, width))

    attention.forward = forward


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 100), marks=pytest.mark.slow)], ids=str)
def test_a_missing_root_of_d_is_named_and_healthy_transformers_are_left_alone(seeds):
    alarms = 0
    for seed in seeds:
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        blocks = int(rng.integers(2, 7))
        module, x = Transformer(blocks, int(rng.choice([32, 64]))), torch.randn(4, 9, 10)
        alarms += gt.audit(module, x).verdict != "stable"
        block = int(rng.integers(0, blocks))
        unscaled(module.blocks[block].attention)
        report = gt.audit(module, x)
        assert (report.verdict, report.start) == ("saturates", f"blocks.{block}.attention"), seed
        assert "not divided by √d" in report.cause
    assert alarms <= len(seeds) / 100


def test_attention_is_seen_in_torchs_own_modules():
    torch.manual_seed(7)
    layer = nn.TransformerEncoderLayer(32, 4, batch_first=True)
    with watched(lambda: "here") as seen:
        layer(torch.randn(4, 7, 32))
        nn.functional.scaled_dot_product_attention(*torch.randn(3, 2, 5, 16), scale=1.0)
        nn.functional.softmax(torch.zeros(3, 4), dim=-1)
    assert [(each.length, each.factor) for each in seen] == [(8, pytest.approx(8**-0.5)), (16, 1.0), (0, 1.0)]
    assert [each.is_scaled for each in seen] == [True, False, False]
    assert [each.is_unscaled for each in seen] == [False, True, False]
    assert seen[1].deviation > 2.0
    assert seen[2].deviation == 0.0


def test_a_network_that_overflows_in_float16_alone_is_named():
    torch.manual_seed(8)
    module = deep(6)
    module[4].weight.data *= 3000.0
    x, y = torch.randn(8, 32), torch.randn(8, 3)
    assert gt.audit(module, x).verdict == "explodes"
    report = gt.audit(module.half(), (100 * x).half(), y.half())
    assert (report.verdict, report.start) == ("explodes", "4")
    assert report.cause == "its numbers overflow float16"
    assert not report.is_measured_only
    assert gt.audit(deep(6).half(), x.half()).verdict == "stable"


def test_remedies_are_tried_on_what_can_be_read():
    torch.manual_seed(9)
    module, x, y = deep(6, gain=4.0), torch.randn(30, 32), torch.randint(0, 3, (30,))
    report = gt.audit(module, x, y)
    assert report.advice.advised.loss_with <= report.advice.advised.loss_without
    attention = Transformer(3)
    unscaled(attention.blocks[1].attention)
    told = gt.audit(attention, torch.randn(8, 12, 10), torch.randn(8, 12, 3), loss="mse")
    assert told.remedies == ()
    assert told.reason == "no remedy is tried: the module could not be read as a network"


def test_a_healthy_branch_is_not_blamed_for_its_neighbour():
    class Root(nn.Module):
        def forward(self, x):
            return torch.sqrt(x * 0.0)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.healthy, self.root = nn.Linear(4, 4), nn.Linear(4, 4), Root()

        def forward(self, x):
            h = self.first(x)
            return self.healthy(h) + self.root(h)

    module = Two()
    with gt.monitor(module) as watch:
        module(torch.randn(3, 4)).sum().backward()
    assert watch.not_finite == (1, "root", "backward")


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # people have such modules
def test_a_module_of_torchscript_is_refused_and_left_as_it_was():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), torch.jit.script(nn.Linear(4, 3))

    module = Mixed()
    for argument, ask in (
        ("module", lambda: gt.monitor(module)),
        ("network", lambda: gt.audit(module, torch.ones(2, 3))),
    ):
        with pytest.raises(InvalidArgument, match=rf"^{argument} = 'b': is of TorchScript, which takes no hooks: give"):
            ask()
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in (module, module.a))
    assert not any(parameter._post_accumulate_grad_hooks for parameter in module.a.parameters())
