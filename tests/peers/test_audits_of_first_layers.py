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
