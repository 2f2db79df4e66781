"""Audits of modules as engineers have them: half precision, hooks, several inputs, frozen weights, dicts that come back."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))


class Named(nn.Module):
    """As language models: tokens and a mask by keyword, tied embeddings, a dict of logits."""

    def __init__(self):
        super().__init__()
        self.embed, self.inner, self.head = nn.Embedding(20, 8), nn.Linear(8, 8), nn.Linear(8, 20, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, input_ids, attention_mask=None):
        hidden = torch.tanh(self.inner(self.embed(input_ids)))
        hidden = hidden if attention_mask is None else hidden * attention_mask[..., None]
        return {"logits": self.head(hidden), "past": None}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_data_take_the_type_of_the_module(dtype):
    report = gt.audit(mlp().to(dtype), torch.randn(8, 16))
    assert (report.verdict, report.is_measured_only) == ("stable", False)


@pytest.mark.parametrize("where", ["", "1", "1.0"])
@pytest.mark.parametrize("which", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_hooks_on_gradients_are_not_passed_over(where, which):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.Tanh()), nn.Linear(4, 2))
    getattr(module.get_submodule(where), which)(lambda *given: tuple(100.0 * each for each in given[1]))
    with pytest.raises(InvalidArgument, match="has hooks on gradients" + (f" at '{where}'" if where else "")):
        gt.Network.from_torch(module)
    report = gt.audit(module, torch.randn(8, 4))
    assert report.is_measured_only
    assert "has hooks on gradients" in report.unread
    if where:
        assert max(layer.gain for layer in report.layers) > 10.0


def test_hooks_are_not_passed_over():
    module, x = mlp(), torch.randn(8, 16)
    before = gt.audit(module, x)
    module[2].register_forward_hook(lambda _module, _inputs, output: 100.0 * output)
    with pytest.raises(InvalidArgument, match="Linear with hooks at '2'"):
        gt.Network.from_torch(module)
    report = gt.audit(module, x)
    assert report.is_measured_only
    assert "Linear with hooks at '2'" in report.unread
    assert "Linear with hooks at '2'" in str(report)
    assert all("measured only" in line for line in str(report).splitlines() if line[:2].strip().isdigit())
    gains = {layer.name: layer.gain for layer in report.layers}
    inner = next(layer.gain for layer in before.layers if layer.name == "2")
    assert gains["2"] * gains["3"] == pytest.approx(100.0 * inner, rel=0.2)  # random gradients start 100 times as large
    outer = mlp()
    outer.register_forward_hook(lambda _module, _inputs, output: 100.0 * output)
    with pytest.raises(InvalidArgument, match="has hooks"):
        gt.Network.from_torch(outer)


def test_several_inputs_and_dicts():
    torch.manual_seed(1)
    module, tokens, mask = Named(), torch.randint(0, 20, (4, 9)), torch.ones(4, 9)
    by_keyword = gt.audit(module, {"input_ids": tokens, "attention_mask": mask})
    in_order = gt.audit(module, (tokens, mask))
    assert [layer.name for layer in by_keyword.layers] == ["embed", "inner", "head"]
    assert [layer.gain for layer in by_keyword.layers[1:]] == [layer.gain for layer in in_order.layers[1:]]

    def loss(returned, y):
        return nn.functional.cross_entropy(returned["logits"].flatten(0, 1), y.flatten())

    assert gt.audit(module, tokens, tokens, loss=loss).loss == pytest.approx(loss(module(tokens), tokens).item())
    told = gt.audit(mlp(), torch.randn(8, 16), torch.randn(8, 3), loss=nn.MSELoss())
    assert told.unread == "the loss is a function of yours"
    with pytest.raises(InvalidArgument, match="no attribute"):
        gt.audit(module, tokens, tokens, loss=lambda returned, _: returned.flatten())


def test_the_first_part_has_a_gain_and_repeated_calls_have_names():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(16, 16, bias=False)

        def forward(self, x):
            for _ in range(3):
                x = self.inner(x) if x.sum() < math.inf else x
            return x

    torch.manual_seed(2)
    module = Loop()
    module.inner.weight.data = 2.0 * torch.eye(16)
    report = gt.audit(module, torch.randn(8, 16))
    assert [layer.name for layer in report.layers] == ["inner", "inner#2", "inner#3"]
    assert [layer.gain for layer in report.layers] == pytest.approx([2.0] * 3)
    recurrent = gt.audit(nn.LSTM(4, 8), torch.randn(5, 7, 4))
    assert repr(recurrent) == "Audit(stable; 1 layer)"
    assert recurrent.layers[0].name == "LSTM"


def test_frozen_modules_and_what_cannot_be_measured():
    module = nn.Sequential(nn.Conv1d(16, 8, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8, 2))
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    assert all(layer.gain > 0.0 for layer in gt.audit(module, torch.randn(4, 16, 1)).layers)
    for x in (torch.randn(0, 16, 1), torch.full((4, 16, 1), math.nan)):
        with pytest.raises(InvalidArgument, match="must have a sample or more"):
            gt.audit(module, x)
    with pytest.raises(InvalidArgument, match=r"^loss = 'hinge'"):
        gt.audit(module, torch.randn(4, 16, 1), torch.randn(4, 2), loss="hinge")
    with pytest.raises(InvalidArgument, match="must return a tensor of floats"):
        gt.audit(nn.Sequential(nn.Conv1d(16, 8, 1), Nothing()), torch.randn(4, 16, 1))
    module = mlp()
    module[0].weight.data.fill_(math.nan)
    report = gt.audit(module, np.ones((4, 16), dtype=np.float32))
    assert (report.start, report.cause) == (
        "0",
        "its weight holds nan before anything is run, in 512 of 512 entries",
    )
    assert math.isnan(report.growth)


class Nothing(nn.Module):
    def forward(self, x):
        return x.argmax()


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("times", [0.2, 1.0, 6.0])
def test_what_a_norm_after_a_layer_divides_away_is_no_fault(norm, is_read, times):
    torch.manual_seed(1)
    parts = [part for _ in range(7) for part in (nn.Linear(32, 32), norm(32), nn.ReLU())]
    module = nn.Sequential(nn.Linear(16, 32), *parts, nn.Linear(32, 4))
    module[10].weight.data *= times
    module[10].bias.data *= times
    if not is_read:
        module[10].register_forward_hook(lambda *_: None)
    report = gt.audit(module, torch.randn(64, 16), torch.randint(0, 4, (64,)))
    assert (report.verdict, report.is_measured_only) == ("stable", not is_read)
    assert [layer.name for layer in report.layers if layer.cause] == (["10"] if times > 1.0 else [])
    if times > 1.0:
        assert "Yet of layer '10': its weight" in report.table


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.RMSNorm])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_norm_that_takes_a_sum_divides_no_layer_away(norm, is_read):
    class Streams(nn.Module):
        def __init__(self):
            super().__init__()
            self.norms = nn.ModuleList([norm(16) for _ in range(6)])
            self.layers = nn.ModuleList([nn.Linear(16, 16) for _ in range(6)])
            self.head = nn.Linear(16, 3)

        def forward(self, x):
            for normed, layer in zip(self.norms, self.layers, strict=True):
                x = x + layer(normed(x))
            return self.head(x)

    torch.manual_seed(3)
    module = Streams()
    module.layers[3].weight.data *= 8.0
    if not is_read:
        module.head.register_forward_hook(lambda *_: None)
    report = gt.audit(module, torch.randn(64, 16), torch.randint(0, 3, (64,)))
    assert (report.start, report.is_measured_only) == ("layers.3", not is_read)


@pytest.mark.parametrize(("scale", "start"), [(0.02, None), (5.0, "9")])
def test_a_last_layer_out_of_scale_before_a_tanh_of_its_own_kind_is_named(scale, start):
    """No other layer of a generator has a tanh behind it; the tanh is flat on nearly all that these weights give."""
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for n_in, n_out, stride, padding in ((32, 64, 1, 0), (64, 32, 2, 1), (32, 16, 2, 1)):
        convolution = nn.ConvTranspose2d(n_in, n_out, 4, stride, padding, bias=False)
        parts += [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
    module = nn.Sequential(*parts, nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh())
    for convolution in module[:9:3]:
        nn.init.normal_(convolution.weight, 0.0, 0.02)
    nn.init.normal_(module[9].weight, 0.0, scale)
    report = gt.audit(module, torch.randn(16, 32, 1, 1), torch.rand(16, 3, 32, 32) * 2.0 - 1.0)
    assert report.start == start
    if start is not None:
        assert (report.verdict, report.is_alone) == ("explodes", True)
        assert "as large as that of its peers" in report.cause
