"""Audits of modules that are only measured, whose first layer takes data, or gives outputs, of an unusual scale."""

import re

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def layers(seed, *, norm=False, activation=nn.ReLU, width=64):
    torch.manual_seed(seed)
    parts = []
    for _ in range(12):
        dense = nn.Linear(width, width)
        nn.init.kaiming_normal_(dense.weight)
        parts += [dense, *([nn.LayerNorm(width)] if norm else []), activation()]
    return nn.Sequential(*parts)


class Tokens(nn.Module):
    def __init__(self, size, body):
        super().__init__()
        self.embed, self.body = nn.Embedding(50, 64), body
        self.embed.weight.data *= size

    def forward(self, tokens):
        return self.body(self.embed(tokens))


def measured(module, x):
    """Return the audit with a function as the loss, which no network can be read with."""
    return gt.audit(module, x, torch.randint(0, 64, (len(x),)), loss=nn.CrossEntropyLoss())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("times", [20.0, 100.0])
def test_a_first_layer_with_weights_out_of_scale_is_named(times, activation):
    module = layers(0, activation=activation)
    module[0].weight.data *= times
    report = measured(module, torch.randn(128, 64))
    assert (report.verdict, report.start) == ("explodes", "0")
    assert gt.audit(module, torch.randn(128, 64)).start == "0"  # which reads it


@pytest.mark.parametrize("scale", [1e-2, 1.0, 100.0, 1e4])
def test_behind_a_norm_neither_the_scale_of_data_nor_that_of_the_first_weights_is_a_fault(scale):
    x = torch.randn(128, 64)
    report = measured(layers(1, norm=True), scale * x)
    assert (report.verdict, report.start) == ("stable", None)
    module = layers(1, norm=True)
    module[0].weight.data *= scale
    assert measured(module, x).verdict == "stable"


@pytest.mark.parametrize(("size", "how"), [(0.02, "small"), (1.0, ""), (100.0, "large")])
def test_embeddings_of_any_scale_are_no_fault_of_the_layer_behind_them_that_has_a_norm(size, how):
    report = measured(Tokens(size, layers(2, norm=True)), torch.randint(0, 50, (128,)))
    assert (report.verdict, report.start) == ("stable", None)
    told = next(layer.cause for layer in report.layers if layer.name == "body.0")
    assert bool(how) == bool(re.search(f"as its input is {how}, .*, and its norm divides by that", told))


class Tokens16(nn.Module):
    """Layers over 16 tokens, whose mean a last layer takes."""

    def __init__(self, body):
        super().__init__()
        self.body, self.last = body, nn.Linear(64, 64)

    def forward(self, x):
        return self.last(self.body(x).mean(1))


def convolutions():
    torch.manual_seed(0)
    parts = []
    for k in range(11):
        convolution = nn.Conv2d(3 if k == 0 else 16, 16, 3, padding=1)
        nn.init.kaiming_normal_(convolution.weight)
        parts += [convolution, nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


@pytest.mark.parametrize("times", [1.0, 30.0, 1000.0])
def test_a_mean_over_positions_hides_no_first_layer_out_of_scale(times):
    module = convolutions()
    module[0].weight.data *= times
    report = gt.audit(module, torch.randn(32, 3, 16, 16), torch.randint(0, 10, (32,)))
    assert report.start == (None if times == 1.0 else "0")
    module = Tokens16(layers(3))
    module.body[0].weight.data *= times
    assert measured(module, torch.randn(64, 16, 64)).start == (None if times == 1.0 else "body.0")


class Sine(nn.Module):
    """A layer of SIREN: its first weights are large, and made so on purpose."""

    def __init__(self, n_in, width, *, is_first):
        super().__init__()
        self.dense = nn.Linear(n_in, width)
        most = 1 / n_in if is_first else (6 / n_in) ** 0.5 / 30
        nn.init.uniform_(self.dense.weight, -most, most)

    def forward(self, x):
        return torch.sin(30 * self.dense(x))


@pytest.mark.parametrize("seed", range(3))
def test_large_first_weights_for_small_data_are_no_fault(seed):
    torch.manual_seed(seed)
    siren = nn.Sequential(*[Sine(64 if k else 2, 64, is_first=not k) for k in range(5)], nn.Linear(64, 1))
    nn.init.uniform_(siren[-1].weight, -((6 / 64) ** 0.5) / 30, (6 / 64) ** 0.5 / 30)
    report = gt.audit(siren, torch.rand(500, 2) * 2 - 1, torch.rand(500, 1))
    assert not report.layers[0].is_measured_only
    assert report.verdict == "stable"
    layers = [nn.Linear(50, 64), *(nn.Linear(64, 64) for _ in range(5)), nn.Linear(64, 5)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.normal_(layers[0].weight)  # as of an embedding
    module = nn.Sequential(*[part for layer in layers[:-1] for part in (layer, nn.ReLU())], layers[-1])
    chosen = torch.eye(50)[torch.randint(0, 50, (64,))]
    assert gt.audit(module, chosen, torch.randint(0, 5, (64,))).verdict == "stable"
    large = gt.audit(module, 7.0 * chosen, torch.randint(0, 5, (64,)))
    assert (large.verdict, large.start) == ("explodes", "0")
