"""Faults of many kinds, planted in modules of many kinds: the audit names the module, and leaves the same module alone without."""

import itertools
import math

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional


def kept(module):
    """Give dense and convolutional layers weights that keep the mean square of gradients through relu."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv1d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            nn.init.zeros_(part.bias)
    return module


class Functional(nn.Module):
    """Layers in a list, activations as functions, and an if that keeps the module from being read."""

    def __init__(self):
        super().__init__()
        self.first, self.hidden = nn.Linear(20, 48), nn.ModuleList(nn.Linear(48, 48) for _ in range(8))
        self.out = nn.Linear(48, 5)

    def forward(self, x):
        h = functional.relu(self.first(x if bool(x.isfinite().all()) else 0.0 * x))
        for layer in self.hidden:
            h = functional.relu_(layer(h))
        return self.out(h), h.detach().mean()


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        parts = [nn.Conv1d(3, 16, 3, padding=1)]
        for _ in range(6):
            parts += [nn.GroupNorm(4, 16), nn.ReLU(), nn.Conv1d(16, 16, 3, padding=1)]
        self.features, self.head = nn.Sequential(*parts, nn.ReLU()), nn.Linear(16, 5)

    def forward(self, x):
        return self.head(self.features(x).mean(-1))


def stack(n_in, depth=4, width=32):
    widths = [n_in] + [width] * depth
    return nn.Sequential(*(part for n, m in itertools.pairwise(widths) for part in (nn.Linear(n, m), nn.ReLU())))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = stack(10), stack(12), nn.Linear(64, 3)

    def forward(self, a, b):
        return self.head(torch.cat([self.left(a), self.right(b)], dim=-1))


class Twins(nn.Module):
    """One encoder for two inputs."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = stack(10, 5), nn.Linear(32, 3)

    def forward(self, a, b):
        return self.head(self.encoder(a) - self.encoder(b))


class Shared(nn.Module):
    """One layer, called six times."""

    def __init__(self):
        super().__init__()
        self.first, self.block, self.head = nn.Linear(10, 32), nn.Linear(32, 32), nn.Linear(32, 3)

    def forward(self, x):
        x = functional.relu(self.first(x))
        for _ in range(6):
            x = functional.relu(self.block(x))
        return self.head(x)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [10] + [32] * 6
        self.parts = nn.ModuleList(
            nn.Sequential(nn.Linear(n, m), nn.LayerNorm(m), nn.Tanh()) for n, m in itertools.pairwise(widths)
        )
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return self.head(x)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
        self.embed, self.blocks = nn.Embedding(40, 32), nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 40)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.embed(tokens))))


def times(factor):
    return lambda weights: weights.mul_(factor)


def to(number):
    return lambda weights: weights.fill_(number)


def vectors(*widths):
    drawn = tuple(torch.randn(32, n) for n in widths)
    return drawn if len(drawn) > 1 else drawn[0]


# The module, its data, the parameter, what is done to it, and the name that the audit must give, with its verdict.
CASES = {
    "a list, one layer / 20": (Functional, lambda: vectors(20), "hidden.3.weight", times(1 / 20), "hidden.3", "vanishes"),
    "a list, one layer of zeros": (Functional, lambda: vectors(20), "hidden.3.weight", to(0.0), "hidden.3", "vanishes"),
    "a list, all units off": (Functional, lambda: vectors(20), "hidden.3.bias", to(-1e3), "hidden.3", "vanishes"),
    "a norm of convolutions × 30": (
        Convolutions, lambda: torch.randn(8, 3, 12), "features.7.weight", times(30.0), "features.7", None,
    ),
    "one branch / 30": (Branches, lambda: vectors(10, 12), "right.2.weight", times(1 / 30), "right.2", "vanishes"),
    "one branch of zeros": (Branches, lambda: vectors(10, 12), "right.2.weight", to(0.0), "right.2", "vanishes"),
    "twins × 10": (Twins, lambda: vectors(10, 10), "encoder.4.weight", times(10.0), "encoder.4", "explodes"),
    "a shared layer × 3": (Shared, lambda: vectors(10), "block.weight", times(3.0), "block", "explodes"),
    "a norm × 30": (Normed, lambda: vectors(10), "parts.3.1.weight", times(30.0), "parts.3.1", "explodes"),
    "a norm of zeros": (Normed, lambda: vectors(10), "parts.3.1.weight", to(0.0), "parts.3.1", "vanishes"),
    "giant embeddings": (Tokens, lambda: torch.randint(0, 40, (6, 9)), "embed.weight", times(1e3), "embed", "vanishes"),
    "a projection of attention × 30": (
        Tokens, lambda: torch.randint(0, 40, (6, 9)), "blocks.layers.3.norm1.weight", times(30.0),
        "blocks.layers.3.self_attn", "saturates",
    ),
    "the second layer of a block × 30": (
        Tokens, lambda: torch.randint(0, 40, (6, 9)), "blocks.layers.3.linear2.weight", times(30.0), "blocks.layers.3", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_planted_fault_is_named_and_nothing_without_it(case):
    build, data, path, change, name, verdict = CASES[case]
    torch.manual_seed(0)
    module, x = build(), data()
    module = module if isinstance(module, Tokens | Normed) else kept(module)
    assert gt.audit(module, x).verdict == "stable"
    with torch.no_grad():
        change(module.get_parameter(path))
    report = gt.audit(module, x)
    assert report.start == name, report.cause
    assert report.verdict == verdict or (verdict is None and report.verdict != "stable")


def test_the_cause_names_weights_before_a_norm_and_before_attention():
    torch.manual_seed(1)
    module, tokens = Tokens(), torch.randint(0, 40, (6, 9))
    with torch.no_grad():
        module.embed.weight.mul_(1e3)
    assert "large, by which norm divides the gradient" in gt.audit(module, tokens).cause
    post = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 6, enable_nested_tensor=False)
    with torch.no_grad():
        post.layers[3].norm2.weight.mul_(30.0)
    report = gt.audit(post, torch.randn(6, 9, 32))
    assert (report.verdict, report.start) == ("saturates", "layers.3")
    assert "its norm2.weight is 30 times as large" in report.cause
    assert "so in layers.4.self_attn, after it, the attention logits deviate" in report.cause


def test_logits_of_a_lone_attention_that_make_a_single_1():
    class Lone(nn.Module):
        def __init__(self):
            super().__init__()
            self.mixing, self.head = nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 2)

        def forward(self, x):
            return self.head(self.mixing(x, x, x, need_weights=False)[0])

    torch.manual_seed(3)
    module, x = Lone(), torch.randn(4, 5, 16)
    assert gt.audit(module, x).verdict == "stable"
    module.mixing.in_proj_weight.data *= 40.0
    report = gt.audit(module, x)
    assert (report.verdict, report.start) == ("saturates", "mixing")
    assert report.cause.endswith("within a row, of which a softmax makes a single 1")


def test_a_layer_without_units_is_no_error():
    class Ragged(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.none, self.out = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 2)
            self.none.weight, self.none.bias = (nn.Parameter(torch.empty(*shape)) for shape in ((0, 4), (0,)))

        def forward(self, x):
            h = self.first(x if bool(x.isfinite().all()) else -x)
            return self.out(torch.cat([h, self.none(h)], dim=-1))

    assert gt.audit(Ragged(), torch.randn(8, 4)).verdict == "stable"


def test_one_sample_that_nothing_is_left_of():
    torch.manual_seed(4)
    module = kept(Convolutions())
    nn.init.zeros_(module.features[3].weight)
    parts = [part for part in module.features if not isinstance(part, nn.GroupNorm)]
    report = gt.audit(nn.Sequential(*parts), torch.randn(1, 3, 12))
    assert (report.verdict, report.start) == ("vanishes", "2")


def test_words_on_what_cannot_be_read_and_on_loops():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return {"output": self.layer(x)}

    torch.manual_seed(2)
    assert "a forward that returns a dict in place of one tensor" in gt.audit(Named(), torch.randn(4, 3)).unread
    lone = gt.audit(nn.LSTM(8, 16), torch.randn(10, 4, 8))
    assert (lone.verdict, lone.layers[0].verdict) == ("stable", "steady")
    assert "is a torch.nn.LSTM, which is not understood" in lone.unread
    assert "per part" not in str(lone)
    looped = nn.RNN(3, 24, batch_first=True)
    nn.init.orthogonal_(looped.weight_hh_l0)
    looped.weight_hh_l0.data *= 1.5
    for bias in (looped.bias_ih_l0, looped.bias_hh_l0):
        nn.init.zeros_(bias)

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = looped

        def forward(self, x):
            return self.cell(x)[0][:, -1]

    report = gt.audit(Last(), 1e-6 * torch.randn(4, 30, 3), torch.randn(4, 24))
    assert (report.verdict, report.start, report.layers[0].verdict) == ("explodes", "cell", "grows")
    sigma = math.sqrt(float((looped.weight_hh_l0.detach() ** 2).sum()) / 24)
    assert report.cause.endswith(f"; weight_hh_l0 has σ_w = {sigma:.3g}")
    assert "; weight_ih_l0 has σ_w = " in report.cause
    assert report.reason.endswith(
        "; the usual remedy is to clip the gradient and to start with orthogonal recurrent weights"
    )
