"""Audits of a transformer with one fault in one block: the block is named, and the first sentence says what it is."""

import math
import re

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Block(nn.Module):
    def __init__(self, width, is_pre, act):
        super().__init__()
        self.is_pre, self.act, self.times = is_pre, act(), 1.0
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attention(self, x):
        batch, length, width = x.shape
        q, k, v = (layer(x).view(batch, length, 4, -1).transpose(1, 2) for layer in (self.q, self.k, self.v))
        mixed = (self.times * (q @ k.transpose(-1, -2)) / math.sqrt(width / 4)).softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        if self.is_pre:
            x = x + self.attention(self.norm1(x))
            return x + self.down(self.act(self.up(self.norm2(x))))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.down(self.act(self.up(x))))


class Transformer(nn.Module):
    def __init__(self, is_pre=True, act=nn.GELU):
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.blocks = nn.ModuleList([Block(32, is_pre, act) for _ in range(6)])
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 50)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def audited(module):
    tokens = torch.randint(0, 50, (8, 16), generator=torch.Generator().manual_seed(1))
    return gt.audit(module, tokens, tokens.roll(1, 1), loss="softmax_cross_entropy")


@pytest.mark.parametrize("layers", [["up"], ["up", "down"]])
def test_a_norm_that_divides_what_one_block_made_large_is_no_second_fault(layers):
    torch.manual_seed(0)
    module = Transformer()
    for name in layers:
        getattr(module.blocks[3], name).weight.data *= 50.0
    report = audited(module)
    assert (report.verdict, report.start) == ("explodes", "blocks.3")
    assert str(report).startswith("The gradient grows in blocks.3. Cause: its gain is ")
    assert "at norm, after it, a norm divides the gradient by " in report.cause
    assert "At that rate" not in str(report)


@pytest.mark.parametrize("is_pre", [True, False])
def test_attention_that_saturates_is_no_rate_of_the_gradient(is_pre):
    torch.manual_seed(0)
    module = Transformer(is_pre)
    module.blocks[3].times = 16.0
    report = audited(module)
    assert (report.verdict, report.start) == ("saturates", "blocks.3")
    assert str(report).startswith(
        "Attention saturates in blocks.3, while gradients stay in range. Cause: its attention"
    )
    assert not re.search("At that rate|back\\.", str(report))


def test_a_gradient_that_grows_is_said_before_attention():
    torch.manual_seed(0)
    module = Transformer()
    module.blocks[3].times = 16.0
    module.blocks[1].up.weight.data *= 50.0
    report = audited(module)
    assert (report.verdict, report.start) == ("explodes", "blocks.1")
    assert str(report).startswith("The gradient grows in blocks.1. Cause: ")
    assert "; and in blocks.3 the attention logits " in report.cause


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("where", ["blocks.3.up", "blocks.2.norm2", "embed"])
def test_weights_that_are_not_finite_are_named_before_anything_is_run(where, value):
    torch.manual_seed(0)
    module = Transformer()
    module.get_submodule(where).weight.data.view(-1)[5] = value
    report = audited(module)
    size = module.get_submodule(where).weight.numel()
    assert (report.verdict, report.start) == ("explodes", where)
    assert report.cause == f"its weight holds {value} before anything is run, in 1 of {size} entries"
    assert str(report).startswith(f"The weights of {where} are not finite. Cause: ")
    assert "no gradient comes back" not in str(report)


def test_weights_that_are_not_finite_and_not_used_are_remarked_upon():
    torch.manual_seed(0)
    module = Transformer()
    module.blocks[2].spare = nn.Linear(3, 3)
    module.blocks[2].spare.bias.data.fill_(math.nan)
    module.register_buffer("mask", torch.full((4, 4), -math.inf))
    report = audited(module)
    told = "in blocks.2.spare, its bias holds nan before anything is run, in 3 of 3 entries"
    assert (report.verdict, [layer.cause for layer in report.layers if layer.cause]) == ("stable", [told])


class Language(nn.Module):
    """As GPT-2: small embeddings of tokens and of places, blocks with their norms before the branches, tied weights."""

    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(50, 32), nn.Embedding(16, 32)
        self.blocks = nn.ModuleList([Block(32, True, nn.GELU) for _ in range(6)])
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 50, bias=False)
        for embedding in (self.tokens, self.places):
            nn.init.normal_(embedding.weight, 0.0, 0.02)
        self.head.weight = self.tokens.weight

    def forward(self, x):
        x = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 20), marks=pytest.mark.slow)])
def test_small_embeddings_are_no_explosion(seeds):
    for seed in seeds:
        torch.manual_seed(seed)
        module = Language()
        report = audited(module)
        assert (report.verdict, report.start) == ("stable", None), seed
        told = {layer.name: layer.cause for layer in report.layers if layer.cause}
        assert list(told) == ["blocks.0"]
        assert re.match(
            r"its gain is \d.*, as its input is small, 0\.0\d+, and its norm divides by that", told["blocks.0"]
        )
        module.blocks[seed % 5 + 1].down.weight.data *= 10.0
        assert audited(module).start == f"blocks.{seed % 5 + 1}"


class Stock(nn.Module):
    """The encoder of torch behind embeddings and positions of GPT-2's scale."""

    def __init__(self, blocks, width, is_pre):
        super().__init__()
        self.embed, self.place = nn.Embedding(50, width), nn.Parameter(0.02 * torch.randn(12, width))
        self.embed.weight.data *= 0.02
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=is_pre)
        self.blocks = nn.TransformerEncoder(layer, blocks, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 50)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.embed(x) + self.place)))


def stock(seed, fault=None, blocks=12):
    torch.manual_seed(seed)
    module = Stock(blocks, 64, fault != "post")
    if fault == "second":
        for name in ("linear1", "linear2"):
            getattr(module.blocks.layers[1], name).weight.data *= 5.0
    x, y = torch.randint(0, 50, (2, 8, 12))
    return gt.audit(module, x, y, loss=lambda o, y: nn.functional.cross_entropy(o.flatten(0, 1), y.flatten()))


@pytest.mark.parametrize("kind", ["pre", "post"])
@pytest.mark.parametrize("blocks", [6, 12])
@pytest.mark.parametrize("seed", range(2))
def test_a_stream_that_gets_used_to_its_scale_over_several_blocks_is_healthy(kind, blocks, seed):
    assert stock(seed, kind, blocks).verdict == "stable"


@pytest.mark.parametrize("seed", range(2))
def test_and_a_block_at_fault_among_them_is_named(seed):
    report = stock(seed, "second")
    assert (report.verdict, report.start) == ("explodes", "blocks.layers.1")
