"""Audits of networks in which a norm is at fault: it is named, whether the module is read or only measured."""

import math

import numpy as np
import pytest

import gradtheory as gt
from tests.peers.layers import Block

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def normed():
    """Return dense layers with norms: '15' is dense, '16' its norm."""
    torch.manual_seed(0)
    parts = []
    for _ in range(11):
        dense = nn.Linear(64, 64)
        nn.init.kaiming_normal_(dense.weight)
        parts += [dense, nn.LayerNorm(64), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(64, 64))


def residual():
    torch.manual_seed(1)
    return nn.Sequential(*[Block() for _ in range(8)], nn.LayerNorm(64), nn.Linear(64, 10))


def audits(module):
    """Return the audit of what was read, and of what was measured, as with a function for the loss."""
    x = torch.randn(128, 64)
    return gt.audit(module, x), gt.audit(module, x, torch.zeros(128, module[-1].out_features), loss=nn.MSELoss())


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (lambda norm: norm.weight.data.mul_(0.0), "vanishes"),
        (lambda norm: norm.bias.data.sub_(5.0), "vanishes"),
        (lambda norm: norm.bias.data.sub_(50.0), "vanishes"),
        (lambda norm: norm.weight.data.mul_(0.01), "vanishes"),
        (lambda norm: norm.weight.data.mul_(5.0), "explodes"),
        (lambda norm: norm.weight.data.mul_(100.0), "explodes"),
    ],
    ids=["0", "bias - 5", "bias - 50", "0.01", "5", "100"],
)
def test_a_norm_of_another_gain_is_named_and_nothing_else_is_said_to_be_wrong(fault, verdict):
    module = normed()
    fault(module[16])
    for report in audits(module):
        assert (report.verdict, report.start) == (verdict, "16")
        assert "two things" not in report.cause
        assert "weights pass nothing on" not in report.cause


def test_healthy_norms_are_no_fault():
    for module in (normed(), residual()):
        for report in audits(module):
            assert report.verdict == "stable"


def test_a_norm_within_a_residual_block():
    module = residual()
    module[5].b[0].weight.data.mul_(0.0)
    for report in audits(module):
        assert (report.verdict, report.start) == ("vanishes", "5.b.0")
        assert "gradients pass beside it" in report.cause
    module = residual()
    module[5].b[0].weight.data.mul_(30.0)
    read, measured = audits(module)
    assert (read.verdict, read.start) == ("explodes", "5.b.0")
    assert "30 times as large as that of the other norms" in read.cause
    assert measured.start == "5"
    assert "b.0.weight is 30 times" in measured.cause
    module = residual()
    for block in module[:8]:
        block.b[0].weight.data.mul_(0.0)  # a way to initialise
    assert all(report.verdict == "stable" for report in audits(module))


def test_two_norms_at_fault_are_both_named():
    module = normed()
    module[10].weight.data.mul_(100.0)
    module[19].weight.data.mul_(30.0)
    read, _ = audits(module)
    assert (read.verdict, read.start) == ("explodes", "10")
    assert "of layer '19' its gain is 30 times as large as that of the other norms" in read.cause


def test_branches_that_start_with_nothing_are_a_way_to_initialise():
    for count in (1, 2, 4):
        torch.manual_seed(0)
        blocks = [Block() for _ in range(count)]
        for block in blocks:
            block.b.append(nn.LayerNorm(64))
            block.b[4].weight.data.zero_()
        module = nn.Sequential(nn.Linear(64, 64), *blocks, nn.Linear(64, 64))
        assert gt.audit(module, torch.randn(128, 64)).start is None


def test_first_weights_of_another_scheme_are_no_fault():
    for count in (2, 6):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(64, 64), *[Block() for _ in range(count)], nn.Linear(64, 64))
        nn.init.kaiming_normal_(module[0].weight)
        for block in module[1:-1]:
            block.b.append(nn.LayerNorm(64))
        assert gt.audit(module, torch.randn(128, 64)).start is None


def test_a_norm_and_a_layer_at_fault_are_both_told():
    module = normed()
    module[16].weight.data.mul_(100.0)
    module[24].weight.data.mul_(0.0)
    read, _ = audits(module)
    assert read.start == "24"
    assert "16" in read.cause


class Paths(nn.Module):
    """Two paths whose outputs, side by side, are divided by the spread of the batch."""

    def __init__(self, wide=16):
        super().__init__()
        self.short, self.norm = nn.Conv2d(wide, wide // 2, 1), nn.BatchNorm2d(wide)
        self.long = nn.Sequential(nn.Conv2d(wide, 4, 1), nn.ReLU(), nn.Conv2d(4, wide // 2, 3, padding=1))

    def forward(self, x):
        return torch.relu(self.norm(torch.cat([self.short(x), self.long(x)], 1)))


@pytest.mark.parametrize("times", [5.0, 20.0])
def test_weights_that_a_norm_divides_away_are_no_fault_whatever_their_gain_is_besides(times):
    for seed in range(3):
        torch.manual_seed(seed)
        linear, of_paths = (lambda n: [nn.Linear(n, 48), nn.BatchNorm1d(48)]), [Paths() for _ in range(6)]
        hidden = [*linear(16), nn.ReLU(), *linear(48), nn.ReLU(), *linear(48), *linear(48), nn.ReLU()]
        dense, x, y = nn.Sequential(*hidden, nn.Linear(48, 48)), torch.randn(128, 16), torch.randn(128, 48)
        for part in dense:
            if isinstance(part, nn.Linear):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        dense[8].weight.data *= times
        report = gt.audit(dense, x, y)
        assert report.verdict == "stable"
        assert "times as large" in report.layers[8].cause
        module = nn.Sequential(nn.Conv2d(3, 16, 3), *of_paths, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))
        module[5].long[0].weight.data *= times
        module[5].long[0].bias.data *= times
        assert gt.audit(module, torch.randn(16, 3, 10, 10), torch.randint(0, 5, (16,))).verdict == "stable"
        module.eval()  # then nothing divides
        module[5].short.weight.data *= 20.0 * times
        assert gt.audit(module, torch.randn(16, 3, 10, 10), torch.randint(0, 5, (16,))).start == "5"


@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")  # people have such modules
def test_a_fresh_spectral_norm_is_audited_as_it_is_trained():
    torch.manual_seed(0)
    layers = [torch.nn.utils.spectral_norm(nn.Conv2d(3 if k == 0 else 16, 16, 3, padding=1)) for k in range(6)]
    hidden = [part for layer in layers for part in (layer, nn.LeakyReLU(0.2))]
    module, x = nn.Sequential(*hidden, nn.Flatten(), nn.Linear(16 * 64, 1)), torch.randn(16, 3, 8, 8)
    kept = [layer.weight_u.clone() for layer in layers]
    report = gt.audit(module, x, torch.zeros(16, 1))
    assert report.verdict != "explodes"
    assert all(torch.equal(layer.weight_u, u) for layer, u in zip(layers, kept, strict=True))
    given = [x]
    for part in module:
        given.append(part(given[-1]))  # each takes the same step
    first, last = given[1], given[11]
    gradients = torch.autograd.grad(given[-1].square().mean(), [first, last])
    gains = [layer.gain for layer in report.layers[1:11]]
    assert math.prod(gains) == pytest.approx(float(gradients[0].norm() / gradients[1].norm()), rel=1e-3)


class Bottleneck(nn.Module):
    """It widens, convolves each channel by itself, and narrows."""

    def __init__(self, width, times):
        super().__init__()
        wide = width * times
        convolutions = (
            nn.Conv2d(width, wide, 1, bias=False),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
            nn.Conv2d(wide, width, 1, bias=False),
        )
        self.block = nn.Sequential(*(nn.Sequential(each, nn.BatchNorm2d(each.out_channels)) for each in convolutions))

    def forward(self, x):
        return self.block(x)


def bottlenecks():
    parts = [Bottleneck(16, times) for times in (1, 6, 6, 8, 8)]
    module = nn.Sequential(nn.Conv2d(3, 16, 3), *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out")
    return module


@pytest.mark.parametrize("seed", range(3))
def test_a_scheme_that_goes_by_the_outputs_is_no_fault(seed):
    torch.manual_seed(seed)
    module = bottlenecks()
    report = gt.audit(module, torch.randn(8, 3, 12, 12), torch.randint(0, 10, (8,)))
    assert not any("times as large as that of its peers" in layer.cause for layer in report.layers)
    module[3].block[2][0].weight.data *= 20.0
    report = gt.audit(module, torch.randn(8, 3, 12, 12), torch.randint(0, 10, (8,)))
    assert [layer.name for layer in report.layers if "times as large as" in layer.cause] == ["3.block.2.0"]


BETWEEN = {
    "nothing": lambda: (),
    "identity": lambda: (nn.Identity(),),
    "dropout": lambda: (nn.Dropout(), nn.Identity()),
    "shapes": lambda: (nn.Unflatten(1, (32, 2)), nn.Flatten()),
}


class Measured(nn.Module):
    """What cannot be read as a network."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, x):
        return self.parts(x if x.sum() < 1e9 else -x)


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize(
    ("fault", "times", "verdict"), [("", 1, "stable"), ("dense", 0.01, "stable"), ("norm", 20, "explodes")]
)
def test_what_hands_on_its_input_stands_not_between_a_layer_and_its_norm(between, fault, times, verdict):
    torch.manual_seed(0)
    blocks = [(nn.Linear(64, 64), *BETWEEN[between](), nn.LayerNorm(64), nn.Tanh()) for _ in range(6)]
    dense, *_, norm, _ = blocks[3]
    for parameter in (dense if fault == "dense" else norm if fault == "norm" else nn.Identity()).parameters():
        parameter.data *= times
    module = Measured(nn.Linear(8, 64), *(part for block in blocks for part in block), nn.Linear(64, 4))
    report = gt.audit(module, torch.randn(64, 8), torch.arange(64) % 4)
    assert report.verdict == verdict, report.cause
    assert report.start is None or module.get_submodule(report.start) is norm


@pytest.mark.parametrize("between", [nn.Identity, nn.Flatten, nn.Dropout])
def test_a_norm_behind_a_mean_is_told_of_and_not_what_hands_the_mean_on(between):
    torch.manual_seed(0)
    convolutions = [part for _ in range(6) for part in (nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())]
    tail = (nn.AdaptiveAvgPool2d(1), between(), nn.Flatten(), nn.LayerNorm(16), nn.Linear(16, 4))
    module = nn.Sequential(nn.Conv2d(3, 16, 3), *convolutions, *tail)
    report = gt.audit(module, torch.randn(8, 3, 12, 12), torch.arange(8) % 4)
    assert (report.verdict, report.start) == ("stable", None)
    told = {layer.kind: layer.cause for layer in report.layers if layer.cause}
    assert list(told) == ["LayerNorm"]
    assert "as its input is small" in told["LayerNorm"]


def test_a_relu_in_place_does_not_hand_on_what_it_takes():
    verdicts = []
    for in_place in (False, True):
        torch.manual_seed(0)
        parts = [part for _ in range(4) for part in (nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(in_place))]
        module = Measured(nn.Conv2d(3, 16, 3), *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
        report = gt.audit(module, torch.randn(8, 3, 16, 16), torch.arange(8) % 4)
        verdicts.append((report.verdict, report.growth, [layer.block_gain for layer in report.layers]))
    np.testing.assert_equal(verdicts[1], verdicts[0])


@pytest.mark.parametrize("loss", ["mse", nn.functional.mse_loss], ids=["read", "measured"])
@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d])
def test_a_layer_that_lacks_a_norm_is_named_and_not_the_next_that_divides_by_what_it_gives(norm, loss):
    torch.manual_seed(0)
    parts = [part for _ in range(8) for part in (nn.Linear(128, 128), norm(128), nn.GELU())]
    parts[13] = nn.Identity()
    module = nn.Sequential(*parts, nn.Linear(128, 8))
    report = gt.audit(module, torch.randn(64, 128), torch.randn(64, 8), loss=loss)
    assert (report.verdict, report.start, report.is_alone) == ("vanishes", "12", True)
    assert report.cause.startswith("it has no norm, as others do: its gain is 0.3")
    assert "and that of '15', whose norm divides by what it gives" in report.cause
