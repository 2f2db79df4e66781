"""Modules whose forward calls parallel parts itself: what stands side by side is not multiplied as if it stood in a row."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional


def kept(module):
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            nn.init.zeros_(part.bias)
    return module


class Jumps(nn.Module):
    """The outputs of all layers are added up for the head."""

    def __init__(self, depth=8, width=32):
        super().__init__()
        self.layers, self.skips = (nn.ModuleList([nn.Linear(width, width) for _ in range(depth)]) for _ in range(2))
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        total = 0
        for layer, skip in zip(self.layers, self.skips, strict=True):
            x = functional.relu(layer(x))
            total = total + skip(x)
        return self.head(total)


class Flat(nn.Module):
    """A transformer without modules for its blocks."""

    def __init__(self, depth=6, width=64, std=None):
        super().__init__()
        several = lambda make: nn.ModuleList([make() for _ in range(depth)])  # noqa: E731 - as short as its use
        self.embed, self.place = nn.Embedding(50, width), nn.Parameter(torch.randn(12, width) * 0.02)
        self.norms, self.norms2 = several(lambda: nn.LayerNorm(width)), several(lambda: nn.LayerNorm(width))
        self.attentions = several(lambda: nn.MultiheadAttention(width, 4, batch_first=True))
        self.first, self.last = (
            several(lambda: nn.Linear(width, 4 * width)),
            several(lambda: nn.Linear(4 * width, width)),
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 50)
        for part in self.modules():
            if std and isinstance(part, nn.Linear | nn.Embedding):
                nn.init.normal_(part.weight, 0, std)

    def forward(self, x):
        x = self.embed(x) + self.place
        parts = zip(self.norms, self.attentions, self.norms2, self.first, self.last, strict=True)
        for norm, attention, norm2, first, last in parts:
            h = norm(x)
            x = x + attention(h, h, h, need_weights=False)[0]
            x = x + last(functional.gelu(first(norm2(x))))
        return self.head(self.norm(x))


class Small(nn.Module):
    """A residual stream of which every branch is small, or starts with 0."""

    def __init__(self, factor, depth=12, width=32):
        super().__init__()
        several = lambda make: nn.ModuleList([make() for _ in range(depth)])  # noqa: E731 - as short as its use
        self.factor, self.start, self.head = factor, nn.Linear(8, width), nn.Linear(width, 5)
        self.norms = several(lambda: nn.LayerNorm(width))
        self.first, self.last = (
            several(lambda: nn.Linear(width, 2 * width)),
            several(lambda: nn.Linear(2 * width, width)),
        )
        for layer in self.last:
            layer.weight.data *= factor > 0
            layer.bias.data *= factor > 0

    def forward(self, x):
        x = self.start(x) if len(x) else x
        for norm, first, last in zip(self.norms, self.first, self.last, strict=True):
            x = x + (self.factor or 1) * last(torch.tanh(first(norm(x))))
        return self.head(x)


class Leaky(nn.Module):
    """Each layer changes a tenth of the stream."""

    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.ModuleList([nn.Linear(32, 32) for _ in range(20)]), nn.Linear(32, 5)
        for layer in self.layers:
            nn.init.orthogonal_(layer.weight)

    def forward(self, x):
        for layer in self.layers if len(x) else ():
            x = 0.9 * x + 0.1 * torch.tanh(layer(x))
        return self.head(x)


class Latents(nn.Module):
    """A few small latent tokens take from the data, all behind one norm, as in a Perceiver."""

    def __init__(self, width=64, depth=3):
        super().__init__()
        layer = lambda: nn.TransformerEncoderLayer(width, 4, 128, 0.0, batch_first=True, norm_first=True)  # noqa: E731
        self.latents = nn.Parameter(torch.randn(16, width) * 0.02)
        self.start, self.norm, self.norm_x = nn.Linear(8, width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.crosses = nn.ModuleList([nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(depth)])
        self.layers = nn.ModuleList([layer() for _ in range(depth)])
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        x, z = self.norm_x(self.start(x)), self.latents.expand(len(x), -1, -1)
        for cross, layer in zip(self.crosses, self.layers, strict=True):
            z = layer(z + cross(self.norm(z), x, x)[0])
        return self.head(z.mean(1))


class Modulated(nn.Module):
    """A branch is multiplied by what a condition makes of it, which starts with 0, as in a diffusion transformer."""

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.norm, self.dense, self.gate = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)

        def forward(self, x, condition):
            return x + self.gate(condition) * self.dense(self.norm(x))

    def __init__(self, width=32):
        super().__init__()
        self.start, self.condition = nn.Linear(8, width), nn.Sequential(nn.Linear(4, width), nn.SiLU())
        self.blocks = nn.ModuleList([self.Block(width) for _ in range(5)])
        self.head = nn.Linear(width, 5)

    def forward(self, x, condition):
        x, condition = self.start(x), self.condition(condition)
        for block in self.blocks:
            x = block(x, condition)
        return self.head(x)


class Attending(nn.Module):
    """A loop over a cell, whose attention goes back to what was encoded in each step."""

    def __init__(self, width=32):
        super().__init__()
        self.encoder, self.ask = nn.GRU(8, width, batch_first=True), nn.Linear(width, width)
        self.cell, self.out = nn.GRUCell(width + 5, width), nn.Linear(2 * width, 5)

    def forward(self, x):
        memory, _ = self.encoder(x)
        h, given, outputs = memory.new_zeros(len(x), memory.shape[-1]), memory.mean(1), []
        for _ in range(6):
            h = self.cell(torch.cat([outputs[-1] if outputs else h[:, :5], given], -1), h)
            share = torch.softmax((memory * self.ask(h)[:, None]).sum(-1) / 6, -1)
            given = (share[..., None] * memory).sum(1)
            outputs.append(self.out(torch.cat([h, given], -1)))
        return torch.stack(outputs, 1)


def tokens():
    return torch.randint(0, 50, (16, 12))


HEALTHY = {
    "jumps": lambda: (kept(Jumps()), torch.randn(64, 32)),
    "flat": lambda: (Flat(), tokens()),
    "flat, GPT-2's scale": lambda: (Flat(std=0.02), tokens()),
    "flat, 12 deep": lambda: (Flat(12), tokens()),
    "leaky": lambda: (Leaky(), torch.randn(64, 32)),
    "small branches": lambda: (Small(0.1), torch.randn(64, 8)),
    "branches that start with 0": lambda: (Small(0), torch.randn(64, 8)),
    "latents": lambda: (Latents(), torch.randn(16, 50, 8)),
    "modulated": lambda: (Modulated(), (torch.randn(64, 8), torch.randn(64, 4))),
    "attending": lambda: (Attending(), torch.randn(16, 10, 8)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("which", HEALTHY)
def test_healthy_modules_are_left_alone(which, seed):
    torch.manual_seed(seed)
    module, x = HEALTHY[which]()
    report = gt.audit(module, x)
    assert report.layers[0].is_measured_only
    assert (report.verdict, report.cause) == ("stable", "")


def test_what_is_beside_a_condition_is_measured():
    torch.manual_seed(0)
    module, x = HEALTHY["modulated"]()
    gains = {layer.name: layer.gain for layer in gt.audit(module, x).layers}
    assert gains["blocks.0"] == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("which", ["first.2", "last.3", "attentions.4"])
def test_a_layer_of_a_flat_transformer_is_named(which, seed):
    torch.manual_seed(seed)
    module = Flat(8)
    for weight in module.get_submodule(which).parameters():
        weight.data *= 8.0
    report = gt.audit(module, tokens())
    assert (report.verdict, report.start) == ("saturates" if "attention" in which else "explodes", which)


def test_of_branches_that_start_with_0_the_odd_one_is_named():
    torch.manual_seed(0)
    module = Small(1.0)
    for parameter in module.last[3].parameters():
        parameter.data.zero_()
    report = gt.audit(module, torch.randn(64, 8))
    assert (report.verdict, report.start) == ("vanishes", "last.3")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gain", [0.4, 2.5])
def test_growth_along_layers_that_all_give_to_the_head_is_seen(gain, seed):
    torch.manual_seed(seed)
    module = kept(Jumps(16))
    for layer in module.layers:
        layer.weight.data *= gain
    report = gt.audit(module, torch.randn(64, 32))
    assert report.verdict == ("explodes" if gain > 1 else "stable")  # the first layers give to the head past the others


class Messages(nn.Module):
    """Residual layers on a graph, each with operations after it that no module does, all in one forward."""

    def __init__(self, layers=6, width=48):
        super().__init__()
        self.first, self.last = nn.Linear(16, width), nn.Linear(width, 3)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        for layer in (self.first, self.last, *self.layers):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, x, neighbours):
        x = self.first(x)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + torch.relu(neighbours @ layer(norm(x)))
        return self.last(x)


@pytest.mark.parametrize("seed", range(3))
def test_a_layer_whose_output_is_changed_before_it_is_added_is_named(seed):
    torch.manual_seed(seed)
    module, links = Messages(), torch.rand(60, 60) < 0.08
    links = (links | links.T | torch.eye(60, dtype=torch.bool)).double()
    scale = links.sum(1) ** -0.5
    given = (torch.randn(60, 16), (links * scale * scale[:, None]).float())
    targets = torch.randint(0, 3, (60,))
    assert gt.audit(module, given, targets).verdict == "stable"
    module.layers[3].weight.data *= 20.0
    report = gt.audit(module, given, targets)
    assert (report.verdict, report.start) == ("explodes", "layers.3")
