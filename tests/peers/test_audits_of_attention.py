"""Attention is judged by its queries and keys, not by the masks and biases that are added to their products."""

import math

import pytest

import gradtheory as gt
from gradtheory.audits.modules.attention import Logits, attention_fault, watched

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def distances(tokens):
    """Return ALiBi of four heads: per head a slope times how far back a key is."""
    back = (torch.arange(tokens) - torch.arange(tokens)[:, None]).clamp(max=0)
    return back * torch.tensor([0.5, 0.25, 0.125, 0.0625])[:, None, None]


# Of logits and a mask: (samples, heads, tokens, tokens), and (samples, 1, 1, tokens), of 1 where a key is let through.
IDIOMS = {
    "nothing": lambda a, mask: a,
    "BERT": lambda a, mask: a + (1.0 - mask) * -10000.0,
    "BERT, turned": lambda a, mask: -10000.0 * (1.0 - mask) + a,
    "Swin": lambda a, mask: (a.view(2, -1, *a.shape[1:]) + (1.0 - mask).view(2, -1, 1, 1, a.shape[-1]) * -100.0).view_as(a),
    "in place": lambda a, mask: a.add_((1.0 - mask) * -1000.0),
    "sub": lambda a, mask: a - 1000.0 * (1.0 - mask),
    "fill": lambda a, mask: a.masked_fill(mask == 0.0, -1000.0),
    "fill, in place": lambda a, mask: a.masked_fill_(mask == 0.0, -1000.0),
    "least float": lambda a, mask: a.masked_fill(mask == 0.0, torch.finfo(a.dtype).min),
    "inf": lambda a, mask: a.masked_fill(mask == 0.0, -math.inf),
    "where": lambda a, mask: torch.where(mask > 0.0, a, -1000.0),
    "where not": lambda a, mask: torch.where(mask == 0.0, torch.tensor(-1000.0), a),
    "ALiBi": lambda a, mask: a + 20.0 * distances(a.shape[-1]),
    "ALiBi, then a mask": lambda a, mask: (a + 20.0 * distances(a.shape[-1])).double() + (1.0 - mask) * -100.0,
    "by keys first": lambda a, mask: (a.transpose(-1, -2) + (1.0 - mask.transpose(-1, -2)) * -100.0).transpose(-1, -2),
}  # fmt: skip


class Attention(nn.Module):
    def __init__(self, width, idiom):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.idiom, self.times = idiom, 0.5 / math.sqrt(width)

    def forward(self, x, mask):
        q, k, v = (layer(x).view(*x.shape[:2], 4, -1).transpose(1, 2) for layer in (self.q, self.k, self.v))
        share = self.idiom(q @ k.transpose(-1, -2) * 4.0 * self.times, mask).softmax(-1).to(x.dtype)
        return self.out((share @ v).transpose(1, 2).reshape(x.shape))


class Encoder(nn.Module):
    def __init__(self, idiom, blocks=6, width=32):
        super().__init__()
        self.start, self.head = nn.Linear(8, width), nn.Linear(width, 3)
        self.blocks = nn.ModuleList([Attention(width, IDIOMS[idiom]) for _ in range(blocks)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(blocks)])

    def forward(self, x, mask):
        x = self.start(x)
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = norm(x + block(x, mask))
        return self.head(x.mean(1))


def data():
    mask = torch.ones(8, 1, 1, 12)
    mask[:4, ..., 7:] = 0.0
    return (torch.randn(8, 12, 8), mask), torch.arange(8) % 3


@pytest.mark.parametrize("idiom", IDIOMS)
def test_what_is_added_to_logits_is_no_saturation_and_queries_out_of_scale_are_named_beside_it(idiom):
    torch.manual_seed(0)
    module, (x, y) = Encoder(idiom), data()
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("stable", None), report.cause
    module.blocks[3].q.weight.data *= 40.0
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("saturates", "blocks.3"), report.cause


@pytest.mark.parametrize("idiom", IDIOMS)
def test_logits_deviate_as_what_is_let_through_does(idiom):
    torch.manual_seed(1)
    logits = {}
    for name in ("nothing", idiom):
        torch.manual_seed(2)
        module, ((x, mask), _) = Encoder(name, 1), data()
        with watched(lambda: "") as logits[name]:
            module(x, mask if idiom != "nothing" else torch.ones_like(mask))
    (plain,), (masked,) = logits.values() if idiom != "nothing" else 2 * list(logits.values())
    assert (masked.length, masked.factor) == (8, pytest.approx(2.0 / math.sqrt(32)))
    assert masked.deviation == pytest.approx(plain.deviation, rel=0.3)


class Bloom(nn.Module):
    """Attention as BLOOM's: what divides by √d is a factor of the product with biases."""

    def __init__(self, alpha):
        super().__init__()
        self.alpha, self.q, self.k, self.norm = alpha, nn.Linear(16, 16), nn.Linear(16, 16), nn.LayerNorm(16)

    def forward(self, x):
        q, k = self.q(x), self.k(x).transpose(1, 2)
        alibi = -torch.arange(x.shape[1], 0.0, -1.0).expand(len(x), 1, -1)
        return self.norm(x + 0.3 * alibi.baddbmm(q, k, beta=1.0, alpha=self.alpha).softmax(-1) @ x)


def test_a_factor_of_a_product_with_biases_is_seen():
    torch.manual_seed(0)
    module, x = (
        nn.Sequential(nn.Linear(5, 16), *[Bloom(0.25) for _ in range(5)], nn.Linear(16, 3)),
        torch.randn(4, 64, 5),
    )
    assert gt.audit(module, x).verdict == "stable"
    module[3].alpha = 1.0
    report = gt.audit(module, x)
    assert (report.verdict, report.start) == ("saturates", "3")
    assert report.cause.startswith("its attention logits are not divided by √d = 4: they deviate by ")


class Routed(nn.Module):
    """A layer without biases before a softmax, beside attention that is divided by √d."""

    def __init__(self):
        super().__init__()
        self.attention = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        self.router, self.experts = nn.Linear(16, 4, bias=False), nn.ModuleList([nn.Linear(16, 16) for _ in range(4)])
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        x = self.attention(x)
        share = self.router(x).softmax(-1)
        x = x + sum(share[..., k : k + 1] * expert(x) for k, expert in enumerate(self.experts))
        return self.head(x.mean(1))


def test_a_layer_before_a_softmax_is_not_to_be_divided_by_the_root_of_d():
    torch.manual_seed(0)
    assert gt.audit(Routed(), torch.randn(8, 6, 16), torch.arange(8) % 3).verdict == "stable"


def test_a_softmax_over_another_dimension_is_judged_along_that():
    logits = torch.linspace(0.0, 50.0, 6)[:, None] + torch.zeros(6, 4)
    with watched(lambda: "") as seen:
        logits.softmax(0)
        logits.softmax(1)
    assert [each.deviation for each in seen] == [pytest.approx(float(logits[:, 0].std(correction=0))), 0.0]


def test_odd_tensors_are_passed_over():
    """Empty ones, views as complex numbers, sparse ones and halves give no error."""
    torch.manual_seed(0)
    with watched(lambda: "") as seen:
        product = torch.randn(4, 6) @ torch.randn(6, 8) + torch.randn(8)
        (torch.view_as_complex(product.view(4, 4, 2)) * 2.0).add(1.0)
        torch.view_as_real(torch.view_as_complex(product.view(4, 4, 2)).mul(1j)).softmax(-1)
        (torch.randn(0, 3) @ torch.randn(3, 2) + 1.0).softmax(-1)
        (torch.randn(2, 3) @ torch.randn(3, 0)).add(torch.zeros(0))
        torch.eye(3).to_sparse() @ torch.ones(3, 3)
        torch.eye(3).to_sparse().mul(2.0)
        half = (torch.randn(2, 3).half() @ torch.randn(3, 4).half() + torch.zeros(4).half()) + torch.full((4,), -6e4)
        half.masked_fill(torch.tensor([True, False, False, False]), -1e9).softmax(-1)
        product[1:].add_(torch.ones(8))
        product[:, 2:].softmax(-1)
        torch.randn(2, 3, 3).softmax(0)
    assert all(math.isfinite(each.deviation) for each in seen)


def test_a_softmax_in_the_forward_of_the_module_itself_is_named_by_its_class():
    class Routed(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.head = nn.Linear(16, 10), nn.Linear(10, 4)

        def forward(self, x):
            return self.head(torch.softmax(100.0 * self.encoder(x), -1))

    torch.manual_seed(0)
    report = gt.audit(Routed(), torch.randn(32, 16), torch.randint(0, 4, (32,)))
    assert (report.verdict, report.start) == ("saturates", "Routed")


def usual(deviation, module="one", length=16, factor=0.25):
    return Logits(module, length, factor, deviation)


def test_logits_that_deviate_somewhat_more_than_others_do_not_saturate():
    """T5 divides by nothing, and starts with queries so small that its logits deviate by 1; training may double that."""
    assert attention_fault([usual(1.1, str(k), length=4, factor=1.0) for k in range(6)]) is None
    others = [usual(0.66, str(k)) for k in range(6)]
    assert attention_fault([*others, usual(1.42)]) is None
    assert attention_fault([*others, usual(2.9)])[0] == "one"
    assert attention_fault([usual(1.6, str(k), factor=1.0) for k in range(6)])[0] == "0"


@pytest.mark.parametrize(("weight", "times"), [("norm1.weight", 15.0), ("self_attn.in_proj_weight", 8.0)])
def test_weights_of_the_layer_that_holds_saturated_attention_are_named(weight, times):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 64, 0.0, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    module = nn.Sequential(nn.Linear(8, 64), encoder, nn.Linear(64, 3))
    encoder.layers[2].get_parameter(weight).data *= times
    report = gt.audit(module, torch.randn(8, 12, 8))
    assert (report.verdict, report.start) == ("saturates", "1.layers.2.self_attn")
    told = f"and of 1.layers.2 its {weight} is {times:.3g} times as large as that of its peers"
    assert told in report.cause
