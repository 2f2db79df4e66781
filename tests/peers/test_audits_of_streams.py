"""Audits of modules whose parts are nested, recur or take lists, and of losses of sequences."""

import json
import math
import re
import warnings

import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def convolutions(blocks=6):
    layers = [nn.Conv1d(4, 16, 3, padding=1)]
    for _ in range(blocks):
        layers += [nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 16, 3, padding=1)]
        nn.init.kaiming_normal_(layers[-1].weight)
    return nn.Sequential(*layers)


class Classifier(nn.Module):
    """As in vision: a backbone of stages, and a head."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(convolutions(), nn.Sequential(nn.Conv1d(16, 16, 1), nn.ReLU()))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.backbone(x).mean(dim=-1))


def test_parts_that_hand_a_tensor_on_are_unfolded():
    torch.manual_seed(0)
    module, x = Classifier(), torch.randn(16, 4, 12)
    names = [layer.name for layer in gt.audit(module, x).layers]
    assert names == [*(f"backbone.0.{k}" for k in range(19)), "backbone.1.0", "backbone.1.1", "before head", "head"]
    module.backbone[0][9].weight.data *= 6.0
    report = gt.audit(module, x)
    assert (report.verdict, report.start) == ("stable", None)  # where it trains, the batch norm after it divides by 6
    report = gt.audit(module.eval(), x)
    assert (report.verdict, report.start) == ("explodes", "backbone.0.9")
    encoder = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    stack = nn.Sequential(nn.Linear(4, 16), nn.TransformerEncoder(encoder, 3, enable_nested_tensor=False))
    named = [layer.name for layer in gt.audit(stack, torch.randn(2, 5, 4)).layers]
    assert named == ["0", "1.layers.0", "1.layers.1", "1.layers.2"]  # blocks with shortcuts stay whole


class Recurrent(nn.Module):
    def __init__(self, kind, scale, *, batch_first=True, bidirectional=False):
        super().__init__()
        self.cell = getattr(nn, kind)(3, 24, batch_first=batch_first, bidirectional=bidirectional)
        nn.init.orthogonal_(self.cell.weight_hh_l0)
        self.cell.weight_hh_l0.data *= scale
        self.head, self.last = nn.Linear(48 if bidirectional else 24, 2), -1

    def forward(self, x):
        states = self.cell(x)[0]
        return self.head(states[:, self.last] if self.cell.batch_first else states[self.last])


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("scale", "verdict"), [(1.4, "explodes"), (1.0, "stable"), (0.5, "vanishes")])
def test_the_gradient_is_followed_through_time(scale, verdict, batch_first):
    torch.manual_seed(1)
    x = 1e-6 * torch.randn(8, 30, 3)
    module = Recurrent("RNN", scale, batch_first=batch_first)
    for bias in (module.cell.bias_ih_l0, module.cell.bias_hh_l0):
        nn.init.zeros_(bias)
    report = gt.audit(module, x if batch_first else x.transpose(0, 1), torch.randint(0, 2, (8,)))
    assert report.verdict == verdict
    if verdict != "stable":
        assert report.start == "cell"
        factor = float(report.cause.partition("by a factor of ")[2].partition(" per time step")[0])
        assert factor == pytest.approx(scale, rel=0.02)
        assert "over 29 of them" in report.cause


@pytest.mark.parametrize(("kind", "gate"), [("LSTM", "forget"), ("GRU", "update")])
def test_a_gate_that_keeps_nothing_is_named(kind, gate):
    torch.manual_seed(3)
    module = Recurrent(kind, 0.5)
    module.cell.bias_ih_l0.data[24:48], module.cell.bias_hh_l0.data[24:48] = -8.0, 0.0
    cause = gt.audit(module, torch.randn(8, 12, 3), torch.randint(0, 2, (8,))).cause
    kept = 1.0 / (1.0 + math.exp(8.0))
    assert f"with its biases, -8 on average, the {gate} gate keeps {kept:.3g} of the state per time step" in cause
    module.cell = getattr(nn, kind)(3, 24, batch_first=True, bias=False)
    cause = gt.audit(module, torch.randn(8, 12, 3), torch.randint(0, 2, (8,))).cause
    assert f"its {gate} gate has no bias: at 0 it keeps half of the state per time step" in cause
    # a recurrence that ignores its input by the gates' biases hands on what the gate keeps
    module.cell = nn.LSTM(3, 24, batch_first=True)
    for weight in (module.cell.weight_ih_l0, module.cell.weight_hh_l0):
        weight.data *= 1e-3
    module.cell.bias_ih_l0.data.zero_()
    module.cell.bias_hh_l0.data.zero_()
    module.cell.bias_ih_l0.data[24:48] = -2.0
    cause = gt.audit(module, torch.randn(8, 12, 3), torch.randint(0, 2, (8,))).cause
    kept = 1.0 / (1.0 + math.exp(2.0))
    assert float(cause.partition("fades by a factor of ")[2].partition(" per")[0]) == pytest.approx(kept, rel=0.02)
    assert f"the forget gate keeps {kept:.3g} of the state" in cause


def test_a_recurrent_part_that_fades_at_all_times_says_what_time_has_to_do_with_it():
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(3, 3), Recurrent("GRU", 0.5))
    module[1].last = slice(None)
    module[1].cell.weight_ih_l0.data *= 0.01
    report = gt.audit(module, torch.randn(8, 12, 3), torch.randn(8, 12, 2))
    assert (report.verdict, report.start) == ("vanishes", "1.cell")
    assert "its input at the first of 12 time steps has " in report.cause
    weights = module[1].cell.weight_ih_l0.detach()
    sigma = math.sqrt(3 * float((weights**2).mean()))
    assert f"; weight_ih_l0 has σ_w = {sigma:.3g}; weight_hh_l0 has" in report.cause


def test_what_has_no_time_is_left_alone():
    torch.manual_seed(2)
    assert gt.audit(Recurrent("GRU", 0.1, bidirectional=True), torch.randn(4, 40, 3)).verdict == "stable"
    assert gt.audit(Recurrent("LSTM", 0.1), torch.randn(4, 1, 3)).verdict == "stable"  # one step


class Takes(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(5, 8)

    def forward(self, parts):
        rest = parts["rest"] if isinstance(parts, dict) else parts[1]
        first = parts["first"] if isinstance(parts, dict) else parts[0]
        return self.a(first) + self.b(rest)


def test_lists_and_dicts_of_tensors_are_arguments():
    torch.manual_seed(3)
    module, first, rest = Takes(), torch.randn(6, 4), torch.randn(6, 5)
    expected = [layer.gain for layer in gt.audit(module, ([first, rest],)).layers]
    assert all(gain > 0.0 for gain in expected)
    for given in ([first, rest], ((first, rest),), ({"first": first, "rest": rest},)):
        assert [layer.gain for layer in gt.audit(module, given).layers] == expected
    assert gt.audit(nn.Linear(2, 1), [[1.0, 2.0]]).layers[0].kind == "dense 2 → 1"


def test_losses_of_sequences_and_of_pictures():
    torch.manual_seed(4)
    tokens, x = nn.Linear(8, 5), torch.randn(3, 7, 8)
    classes = torch.randint(0, 5, (3, 7))
    expected = nn.functional.cross_entropy(tokens(x).flatten(0, 1), classes.flatten())
    assert gt.audit(tokens, x, classes).loss == pytest.approx(expected.item())
    pictures = nn.Conv1d(8, 5, 1)
    expected = nn.functional.cross_entropy(pictures(x.mT), classes)
    assert gt.audit(pictures, x.mT, classes).loss == pytest.approx(expected.item())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (None, "mse_sum"):
            with pytest.raises(InvalidArgument, match=r"y\.shape = \(3, 7\): must be \(3, 7, 5\), as the output's"):
                gt.audit(tokens, x, torch.randn(3, 7), loss=loss)


def test_one_sample_without_a_batch_is_one_sample():
    torch.manual_seed(5)
    module = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    report = gt.audit(module, torch.randn(16))
    assert report.verdict == "stable"
    assert report.layers[2].spread < 0.3  # that of 64 neurons, not of one


def test_weights_that_are_not_finite_get_no_advice():
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    module[2].weight.data[0, 0] = math.nan
    report = gt.audit(module, torch.randn(5, 4), torch.randint(0, 2, (5,)))
    assert (report.start, report.remedies) == ("2", ())
    assert report.reason == "no remedy is tried: nothing mends weights that are not finite but other weights"
    assert math.isnan(report.layers[0].share_above_1)


def test_a_bare_module_is_monitored_by_its_class():
    module = nn.Linear(3, 1)
    with gt.monitor(module) as watch:
        module(torch.ones(2, 3)).sum().backward()
    assert list(watch.gradient_norms) == ["Linear"]
    assert repr(watch) == "Monitor(1 step recorded, 1 module)"
    module.weight.data.fill_(math.inf)
    with gt.monitor(module) as watch:
        module(torch.ones(2, 3)).sum().backward()
    assert watch.not_finite == (1, "Linear", "forward")


class Block(nn.Module):
    """A residual block; the factor is that of its shortcut."""

    def __init__(self, width, *, is_post):
        super().__init__()
        self.norm, self.conv, self.factor, self.is_post = nn.LayerNorm(width), nn.Conv1d(3, 3, 1), 1.0, is_post
        self.mix = nn.Linear(width, width)

    def forward(self, x):
        if self.is_post:
            return self.norm(self.factor * x + self.mix(self.conv(x)))
        return self.factor * x + self.mix(self.conv(self.norm(x)))


class Stack(nn.Module):
    def __init__(self, width, blocks, *, is_post):
        super().__init__()
        self.embed, self.head = nn.Linear(5, width), nn.Linear(width, 2)
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(Block(width, is_post=is_post) for _ in range(blocks))})

    def forward(self, x):
        x = self.embed(x)
        for block in self.encoder["layers"]:
            x = block(x)
        return self.head(x)


@pytest.mark.parametrize("is_post", [False, True])
@pytest.mark.parametrize(("width", "blocks"), [(8, 4), (48, 7)])
@pytest.mark.parametrize("factor", [2.0, 0.5, -2.0])
def test_a_residual_connection_with_a_factor_is_named_where_modules_are_measured(is_post, width, blocks, factor):
    torch.manual_seed(0)
    module, x = Stack(width, blocks, is_post=is_post), torch.randn(8, 3, 5)
    assert gt.audit(module, x).verdict == "stable"
    module.encoder["layers"][2].factor = factor
    report = gt.audit(module, x)
    assert report.is_measured_only
    if abs(factor) > 1.0:
        assert report.start == "encoder.layers.2"
        assert report.cause == f"its residual connection multiplies by {factor:g}, where 1 is usual in this network"


def test_a_factor_that_all_residual_connections_have_is_a_scheme():
    torch.manual_seed(0)
    module, x = Stack(16, 5, is_post=True), torch.randn(8, 3, 5)
    for block in module.encoder["layers"]:
        block.factor = 1.8
    assert gt.audit(module, x).verdict == "stable"


def test_an_activation_that_lets_nothing_through_is_no_layer():
    torch.manual_seed(0)
    relu, convs = nn.ReLU(), [nn.Conv2d(4, 4, 3, padding=1) for _ in range(6)]
    torch.nn.init.constant_(convs[3].bias, -1e4)
    report = gt.audit(nn.Sequential(*(part for conv in convs for part in (conv, relu))), torch.randn(4, 4, 6, 6))
    assert (report.verdict, report.start) == ("vanishes", "6")


class Cells(nn.Module):
    """A cell that is called once a step, and begins with a tensor that nothing has made."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.RNNCell(3, 8), nn.Linear(8, 2)

    def forward(self, x):
        h = x.new_zeros(len(x), 8)
        for step in x.unbind(1):
            h = self.cell(step, h)
        return self.head(h)


def test_a_cell_that_begins_with_zeros_is_audited():
    torch.manual_seed(0)
    report = gt.audit(Cells(), torch.randn(4, 6, 3))
    assert len(report.layers) == 7


class Pooled(nn.Module):
    """Convolutions, a reduction over all positions, and a linear layer."""

    def __init__(self, reduced):
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(3 if k == 0 else 8, 8, 3, padding=1) for k in range(6)])
        self.reduced, self.pool, self.fc = reduced, nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4)
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")

    def forward(self, x):
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        return self.fc(self.reduced(x))


@pytest.mark.parametrize(
    ("reduced", "kind", "factor"),
    [
        (lambda x: x.mean((2, 3)), "mean of 900", 1 / 30),
        (lambda x: x.flatten(2).mean(-1), "mean of 900", 1 / 30),
        (lambda x: nn.functional.adaptive_avg_pool2d(x, 1).flatten(1), "mean of 900", 1 / 30),
        (lambda x: nn.functional.avg_pool2d(x, 30).flatten(1), "AvgPool2D", 1 / 30),
        (lambda x: x.sum((-1, -2)) / 10.0, "sum of 900", 3.0),
    ],
)
def test_a_reduction_over_positions_is_a_row_of_its_own_and_nobodys_fault(reduced, kind, factor):
    torch.manual_seed(0)
    module, x, y = Pooled(reduced), torch.randn(6, 3, 30, 30), torch.randint(0, 4, (6,))
    report = gt.audit(module, x, y)
    row, fc = report.layers[-2:]
    assert (report.verdict, row.name, row.kind, fc.name) == ("stable", "before fc", kind, "fc")
    assert 0.5 * factor < row.gain <= 1.001 * factor  # relu, before it, lets a half pass
    assert 0.2 < fc.gain < 2.0
    assert "is not counted in the verdict" in str(report)
    module.fc.weight.data *= 1e-4
    assert gt.audit(module, x, y).start == "fc"


def test_pooling_modules_are_not_counted_either_and_norms_by_hand_are_no_pooling():
    torch.manual_seed(0)
    module = Pooled(lambda x: x)
    module.reduced = lambda x: module.pool(x).flatten(1)
    report = gt.audit(module, torch.randn(6, 3, 40, 40), torch.randint(0, 4, (6,)))
    assert (report.verdict, report.start, report.layers[-2].name) == ("stable", None, "pool")
    module.reduced = lambda x: x[..., 0, 0] - x[..., 0, 0].mean(-1, keepdim=True)
    assert "before fc" not in [layer.name for layer in gt.audit(module, torch.randn(6, 3, 8, 8)).layers]


def test_the_mean_over_tokens_divides_by_the_root_of_their_number():
    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.TransformerEncoderLayer(16, 2, 32, batch_first=True) for _ in range(2)])
            self.head = nn.Linear(16, 3)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.head(x.mean(1))

    torch.manual_seed(0)
    row = gt.audit(Transformer(), torch.randn(4, 400, 16), torch.randint(0, 3, (4,))).layers[-2]
    assert (row.kind, row.gain) == ("mean of 400", pytest.approx(0.05, rel=1e-3))


class Normed(nn.Module):
    """Convolutions, each with a batch norm after it."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(3 if k == 0 else 12, 12, 3, padding=1) for k in range(8)])
        self.norms, self.head = nn.ModuleList([nn.BatchNorm2d(12) for _ in range(8)]), nn.Linear(12, 3)

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.relu(norm(convolution(x)))
        return self.head(x.mean((2, 3)))


def test_large_weights_that_a_norm_divides_away_are_remarked_upon():
    torch.manual_seed(7)
    module, x, y = Normed(), torch.randn(8, 3, 8, 8), torch.randint(0, 3, (8,))
    before = gt.audit(module, x, y)
    assert not any(layer.cause for layer in before.layers)
    assert "Yet of" not in str(before)
    module.convolutions[4].weight.data *= 5.0
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("stable", None)
    assert [layer.name for layer in report.layers if layer.cause] == ["convolutions.4"]
    cause = next(layer.cause for layer in report.layers if layer.cause)
    assert f"Yet of convolutions.4: {cause}." in str(report)
    assert json.loads(report.to_json())["layers"][4 * 2]["cause"] == cause
    times, less = re.match(
        r"its weight is (\S+) times as large as that of its peers, and a step of gradient descent changes it "
        r"(\S+) times less, relative to its size$",
        cause,
    ).groups()
    assert float(times) == pytest.approx(5.0, rel=0.1)
    assert 12.0 < float(less) < 50.0  # 25 beside the same layer with a fifth of its weights


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("is_whole", [False, True])
def test_a_mean_within_a_part_is_not_its_fault_unless_something_goes_around_it(around, is_whole):
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(16, elementwise_affine=not is_whole)
            self.fc, self.gate = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, x):
            h = x * self.gate(x).sigmoid() if is_whole else x  # what goes around the gate keeps the part whole
            pooled = self.fc(self.norm(h).mean(1, keepdim=True))
            return x * pooled.sigmoid() if around else pooled[:, 0]

    torch.manual_seed(0)
    module = nn.Sequential(*[nn.Linear(16, 16) for _ in range(4)], Head())
    for layer in [*module[:4], module[4].fc]:
        nn.init.orthogonal_(layer.weight)
    report = gt.audit(module, torch.randn(4, 2500, 16))
    head, block = report.layers[-1], report.blocks[-1]
    assert (report.verdict, report.start) == ("stable", None)
    if around or is_whole:
        assert head.name == "4"
        assert block.gain == pytest.approx(head.gain * (1.0 if around else 50.0))
    else:
        assert [(layer.name, layer.kind) for layer in report.layers[-2:]] == [
            ("before 4.fc", "mean of 2500"), ("4.fc", "Linear"),
        ]  # fmt: skip
        assert report.layers[-2].gain < 0.03
    if not around:
        assert not is_whole or head.gain < 0.03
        module[4].fc.weight.data *= 1e-3
        assert gt.audit(module, torch.randn(4, 2500, 16)).start == ("4" if is_whole else "4.fc")


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_and_what_is_measured_fade_alike(seed):
    torch.manual_seed(seed)
    layers = [nn.Linear(128, 128) for _ in range(23)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=0.8 / 128**0.5)
        nn.init.zeros_(layer.bias)
    module = nn.Sequential(*(part for layer in layers for part in (layer, nn.Tanh())), nn.Linear(128, 10))
    x, y = torch.randn(32, 128), torch.randn(32, 10)
    read = gt.audit(module, x, y)
    module.register_forward_hook(lambda *_: None)  # then it may do anything
    measured = gt.audit(module, x, y)
    assert measured.is_measured_only
    assert read.verdict == measured.verdict == "vanishes"
