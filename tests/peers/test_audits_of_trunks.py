"""Audits of a trunk and a head, as most models are written: the trunk is one part of the module, and holds the layers."""

import copy

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional


def kept(module):
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            nn.init.zeros_(part.bias)
    return module


def convolutions(count, width=16):
    return nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(count)])


class Plain(nn.Module):
    """Convolutions with activations as functions, and the mean over all positions."""

    def __init__(self):
        super().__init__()
        self.stem, self.convs = nn.Conv2d(3, 16, 3, padding=1), convolutions(10)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        for conv in self.convs:
            x = functional.relu(conv(x))
        return x.mean((2, 3))


class UNet(nn.Module):
    """What goes down is given to what goes up."""

    def __init__(self):
        super().__init__()
        self.stem, self.down, self.middle = nn.Conv2d(3, 16, 3, padding=1), convolutions(3), convolutions(6)
        self.up = nn.ModuleList([nn.Conv2d(32, 16, 3, padding=1) for _ in range(3)])

    def forward(self, x):
        x, before = functional.relu(self.stem(x)), []
        for conv in self.down:
            before.append(x)
            x = functional.relu(conv(functional.max_pool2d(x, 2)))
        for conv in self.middle:
            x = functional.relu(conv(x))
        for conv in self.up:
            x = functional.relu(conv(torch.cat([functional.interpolate(x, scale_factor=2), before.pop()], 1)))
        return x.mean((2, 3))


class Stages(nn.Module):
    """What every stage gives is given to the heads."""

    def __init__(self):
        super().__init__()
        self.stem, self.stages = nn.Conv2d(3, 16, 3, padding=1), nn.ModuleList([convolutions(3) for _ in range(3)])

    def forward(self, x):
        x, given = functional.relu(self.stem(x)), []
        for stage in self.stages:
            x = functional.max_pool2d(x, 2)
            for conv in stage:
                x = functional.relu(conv(x))
            given.append(x)
        return given


class Headed(nn.Module):
    def __init__(self, trunk):
        super().__init__()
        self.backbone, self.head = trunk, nn.Linear(16, 10)

    def forward(self, x):
        given = self.backbone(x)
        return self.head(sum(each.mean((2, 3)) for each in given) if isinstance(given, list) else given)


def audited(module):
    return gt.audit(module, torch.randn(16, 3, 16, 16), torch.randint(0, 10, (16,)))


@pytest.mark.parametrize("trunk", [Plain, UNet, Stages])
@pytest.mark.parametrize("seed", range(3))
def test_a_trunk_is_judged_as_its_layers_are(trunk, seed):
    torch.manual_seed(seed)
    module = kept(Headed(trunk()))
    report = audited(module)
    assert (report.verdict, report.start) == ("stable", None)
    assert str(report).startswith("The network keeps gradients in range.")
    assert {layer.name.partition(".")[0] for layer in report.layers} <= {"backbone", "head", "before head"}
    for part in module.backbone.modules():
        if isinstance(part, nn.Conv2d):
            part.weight.data *= 5.0
    report = audited(module)
    assert report.verdict == "explodes"
    assert report.start.startswith("backbone.")


def test_a_trunk_that_fades_is_seen_and_the_mean_at_its_end_is_a_row_of_its_own():
    torch.manual_seed(0)
    module = kept(Headed(Plain()))
    for conv in module.backbone.convs:
        conv.weight.data *= 0.2
    report = audited(module)
    assert report.verdict == "vanishes"
    assert [layer.name for layer in report.layers[-3:]] == ["backbone.convs.9", "before head", "head"]
    assert report.layers[-2].kind == "mean of 256"
    assert report.layers[-2].gain == pytest.approx(1 / 16, rel=0.5)  # relu, before it, lets a half pass


class Block(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, turned):
        h = self.norm1(x)
        x = x + self.attention(h * turned, h * turned, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Turns(nn.Module):
    """A table of numbers that are not trained, which every block is given."""

    def forward(self, x):
        return torch.cos(torch.arange(x.shape[1]) * 0.1)[:, None]


class Model(nn.Module):
    """Embeddings that are added up, and blocks."""

    def __init__(self, depth=6, width=64):
        super().__init__()
        self.tokens, self.places, self.turns = nn.Embedding(50, width), nn.Embedding(12, width), Turns()
        self.layers, self.norm = nn.ModuleList([Block() for _ in range(depth)]), nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        turned = self.turns(x)
        for layer in self.layers:
            x = layer(x, turned)
        return self.norm(x)


class Causal(nn.Module):
    def __init__(self):
        super().__init__()
        self.model, self.lm_head = Model(), nn.Linear(64, 50, bias=False)

    def forward(self, tokens):
        return self.lm_head(self.model(tokens))


@pytest.mark.parametrize("seed", range(3))
def test_a_block_of_a_language_model_is_named(seed):
    torch.manual_seed(seed)
    module, tokens = Causal(), torch.randint(0, 50, (8, 12))
    report = gt.audit(module, tokens)
    names = ["tokens", "places", *(f"layers.{k}" for k in range(6)), "norm"]
    assert [layer.name for layer in report.layers] == [*(f"model.{name}" for name in names), "lm_head"]
    assert report.verdict == "stable"
    for layer in module.model.layers[3].mlp[::2]:
        layer.weight.data *= 5.0
    report = gt.audit(module, tokens)
    assert (report.verdict, report.start) == ("explodes", "model.layers.3")
    for layer in module.model.layers:
        for each in layer.mlp[::2]:
            each.weight.data *= 20.0
    assert gt.audit(module, tokens).verdict != "stable"


def test_of_a_first_part_that_stays_whole_it_is_said_that_nothing_is_seen_within():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True)
    report = gt.audit(nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), torch.randn(4, 6, 32))
    assert report.verdict == "stable"
    told = "Between its parts the network keeps gradients in range; what happens within layers.0 is not seen."
    assert str(report).startswith(told)


class Cell(nn.Module):
    """A recurrent cell, whose state goes around its layer."""

    def __init__(self):
        super().__init__()
        self.gates = nn.Linear(8 + 16, 64)

    def forward(self, x, h, c):
        i, f, o, g = self.gates(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = Cell(), nn.Linear(16, 10)

    def forward(self, x):
        h = c = x.new_zeros(len(x), 16)
        for now in x.unbind(1):
            h, c = self.cell(now, h, c)
        return self.head(h)


class NormAct(nn.BatchNorm1d):
    """A norm that holds the activation after it."""

    def __init__(self, width):
        super().__init__(width)
        self.drop, self.act = nn.Identity(), nn.ReLU()

    def forward(self, x):
        return self.act(self.drop(super().forward(x)))


def test_a_module_with_weights_beside_its_parts_stays_whole():
    torch.manual_seed(0)
    parts = [nn.Sequential(nn.Linear(16, 16), NormAct(16)) for _ in range(3)]
    module = nn.Sequential(nn.Linear(8, 16), *parts, nn.Linear(16, 10))
    report = gt.audit(module, torch.randn(16, 8), torch.randint(0, 10, (16,)))
    rows = [name for k in range(1, 4) for name in (f"{k}.0", f"{k}.1")]
    assert [layer.name for layer in report.layers] == ["0", *rows, "4"]


def test_the_steps_of_a_loop_stay_whole():
    torch.manual_seed(0)
    report = gt.audit(Loop(), torch.randn(16, 5, 8), torch.randint(0, 10, (16,)))
    assert [layer.name for layer in report.layers] == ["cell", *(f"cell#{k}" for k in range(2, 6)), "head"]


class Projection(nn.Module):
    """One layer, with something done to what it gives, so that it stays whole."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 16)

    def forward(self, x):
        return 2.0 * torch.tanh(self.layer(x.flatten(1)))


def test_a_mean_before_a_part_is_not_counted_as_one_within_it():
    torch.manual_seed(0)
    module = kept(nn.Sequential(Plain(), Projection(), nn.Linear(16, 10)))
    report = audited(module)
    (mean,) = (layer for layer in report.layers if layer.kind == "mean of 256")
    part = next(layer for layer in report.layers if layer.name == "1")
    assert mean.name == "before 1"
    assert next(block.gain for block in report.blocks if block.name == "1") == pytest.approx(part.gain)


class Encoder(nn.Module):
    """Learned places are added within it, as in torchvision."""

    def __init__(self, width):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, batch_first=True, norm_first=True)
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        self.layers = nn.ModuleList([copy.deepcopy(layer) for _ in range(6)])
        self.drop, self.norm = nn.Dropout(), nn.LayerNorm(width)

    def forward(self, x):
        x = self.drop(x + self.places)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Vision(nn.Module):
    """A token for the class, small at first, is joined to those of the image, and alone goes to the head."""

    def __init__(self, width=64):
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, width, 4, stride=4), nn.Parameter(torch.zeros(1, 1, width))
        self.encoder, self.head = Encoder(width), nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).mT
        return self.head(self.encoder(torch.cat([self.token.expand(len(x), -1, -1), x], 1))[:, 0])


@pytest.mark.parametrize("seed", range(3))
def test_a_small_token_for_the_class_is_no_fault(seed):
    torch.manual_seed(seed)
    module = Vision()
    report = audited(module)
    causes = {layer.name: layer.cause for layer in report.layers if layer.cause}
    assert (report.verdict, list(causes)) == ("stable", ["encoder.drop", "encoder.layers.0"])
    assert (
        "as the gradient goes to what is joined to its input, too: the verdict does not count it"
        in causes["encoder.drop"]
    )
    assert "as its input is small, 0.02" in causes["encoder.layers.0"]
    for layer in (module.encoder.layers[3].linear1, module.encoder.layers[3].linear2):
        layer.weight.data *= 5.0
    report = audited(module)
    assert (report.verdict, report.start) == ("explodes", "encoder.layers.3")


class Placed(Vision):
    """Places are added where the token is joined, outside of any module."""

    def forward(self, x):
        x = self.patches(x).flatten(2).mT
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.encoder.places
        for layer in self.encoder.layers:
            x = layer(x)
        return self.head(self.encoder.norm(x)[:, 0])


def test_the_gain_of_patches_does_not_count_the_gradient_by_the_token_that_is_joined_to_them():
    torch.manual_seed(0)
    module = Placed().eval()
    x, y = torch.randn(8, 3, 16, 16, requires_grad=True), torch.arange(8) % 10
    given = []
    hook = module.patches.register_forward_hook(lambda *call: given.append(call[2]) or call[2].retain_grad())
    nn.functional.cross_entropy(module(x), y).backward()
    hook.remove()
    report = gt.audit(module, x.detach(), y)
    assert report.verdict == "stable"
    assert (report.layers[0].name, report.layers[1].name) == ("patches", "encoder.layers.0")
    assert report.layers[0].gain == pytest.approx(float(x.grad.norm() / given[0].grad.norm()), rel=1e-3)
