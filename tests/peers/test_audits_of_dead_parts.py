"""A dead part within a block is named although the gradient passes beside it, and what only looks dead is not."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
from tests.peers.test_audits_of_transformers import Transformer, audited  # noqa: E402


class Residual(nn.Module):
    """A residual block of convolutions, as in vision, or of linear layers."""

    def __init__(self, width, *, is_image):
        super().__init__()
        first, last = (nn.Conv2d(width, width, 3, padding=1) if is_image else nn.Linear(width, width) for _ in range(2))
        norm = nn.BatchNorm2d(width) if is_image else nn.BatchNorm1d(width)
        self.first, self.norm, self.act, self.last = first, norm, nn.ReLU(inplace=True), last

    def forward(self, x):
        return x + self.last(self.act(self.norm(self.first(x))))


class Residuals(nn.Module):
    def __init__(self, *, is_image, width=16, blocks=4):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1) if is_image else nn.Linear(3, width)
        self.blocks = nn.ModuleList([Residual(width, is_image=is_image) for _ in range(blocks)])
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)) if x.ndim == 4 else x)


@pytest.mark.parametrize("is_pre", [True, False])
@pytest.mark.parametrize("act", [nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid])
def test_a_feed_forward_that_is_off_is_named(act, is_pre):
    torch.manual_seed(0)
    module = Transformer(is_pre, act)
    before = audited(module)
    assert before.verdict == "stable"
    module.blocks[3].up.bias.data.fill_(-50.0)
    report = audited(module)
    assert (report.verdict, report.start) == ("vanishes", "blocks.3.up")
    cause = "what follows it makes each of its 128 units constant on these data; gradients pass beside it"
    assert str(report).startswith(f"No gradient passes through blocks.3.up. Cause: {cause}.")
    assert "At that rate" not in str(report)
    assert "It is one jump" not in str(report)


@pytest.mark.parametrize(("of_shape", "is_image"), [((8, 3, 6, 6), True), ((64, 3), False)])
@pytest.mark.parametrize("which", ["first", "norm", "last"])
def test_a_dead_part_of_a_residual_block_is_named(which, of_shape, is_image):
    torch.manual_seed(1)
    module, x, y = Residuals(is_image=is_image), torch.randn(of_shape), torch.randint(0, 4, of_shape[:1])
    assert gt.audit(module, x, y).verdict == "stable"
    part = module.blocks[2].get_submodule(which)
    if which == "norm":
        part.bias.data.fill_(-50.0)
    else:
        part.weight.data.zero_()
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", f"blocks.2.{which}")
    assert ("its weights are 0" in report.cause) is (which != "norm")


class Beside(nn.Module):
    """A residual block that can be read as part of a network."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.first, self.last = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        return x + self.last(nn.functional.relu(self.first(self.norm(x))))


def test_a_single_branch_that_starts_with_0_is_a_way_to_initialise():
    torch.manual_seed(2)
    block, x = Beside(16), torch.randn(64, 3)
    module = nn.Sequential(nn.Linear(3, 16), block, nn.Linear(16, 4))
    block.last.weight.data.zero_()
    report = gt.audit(module, x)
    assert not report.layers[0].is_measured_only
    assert report.verdict == "stable"
    block.first.bias.data.fill_(-100.0)
    assert gt.audit(module, x).verdict == "vanishes"  # no gradient comes to the weights that are 0


@pytest.mark.parametrize("blocks", [1, 4])
def test_all_branches_that_start_with_0_are_a_way_to_initialise(blocks):
    torch.manual_seed(2)
    module, x, y = Residuals(is_image=True, blocks=blocks), torch.randn(8, 3, 6, 6), torch.randint(0, 4, (8,))
    for block in module.blocks:
        block.last.weight.data.zero_()
        block.last.bias.data.zero_()
    assert gt.audit(module, x, y).verdict == "stable"


def test_few_units_may_all_be_off_by_chance():
    torch.manual_seed(3)
    module, x, y = Residuals(is_image=True, width=4), torch.randn(8, 3, 6, 6), torch.randint(0, 4, (8,))
    module.blocks[2].norm.bias.data.fill_(-50.0)
    assert gt.audit(module, x, y).verdict == "stable"


def test_what_the_data_or_the_weights_alone_make_is_not_dead():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.of_query = nn.Parameter(torch.randn(1, 16)), nn.Linear(16, 16)
            self.kinds, self.of_kinds, self.of_x = nn.Embedding(2, 16), nn.Linear(16, 16), nn.Linear(16, 16)
            self.head = nn.Linear(16, 3)

        def forward(self, x):
            told = self.of_query(self.query.expand(len(x), -1)) + self.of_kinds(self.kinds(torch.zeros(len(x)).long()))
            return self.head(torch.tanh(self.of_x(x) + told))

    torch.manual_seed(4)
    assert gt.audit(Odd(), torch.randn(32, 16), torch.randint(0, 3, (32,))).verdict == "stable"
    module = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.Linear(16, 3)).eval()
    assert gt.audit(module, torch.ones(8, 16), torch.randint(0, 3, (8,))).verdict == "stable"


class Asked(nn.Module):
    """A part that first takes what is the same for all samples, and then what a body makes of them."""

    def __init__(self, part, query):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh())
        self.part, self.query, self.head = part, query, nn.Linear(32, 3)

    def forward(self, x):
        h, query = self.body(x), self.query(torch.arange(2)) if isinstance(self.query, nn.Module) else self.query
        query = query[0].expand(len(x), -1)
        if isinstance(self.part, nn.MultiheadAttention):
            return self.head(self.part(query[:, None], h, h)[0][:, 0])
        if isinstance(self.part, nn.LSTMCell):
            return self.head(self.part(query, (h, h))[0])
        return self.head(self.part(query, h))


_ASKED = {
    "attention": (lambda: nn.MultiheadAttention(32, 4, batch_first=True), lambda: nn.Parameter(torch.randn(1, 32))),
    "bilinear": (lambda: nn.Bilinear(32, 32, 32), lambda: nn.Parameter(torch.randn(1, 32))),
    "cell that starts with zeros": (lambda: nn.GRUCell(8, 32), lambda: torch.zeros(1, 8)),
    "cell of a step's embedding": (lambda: nn.LSTMCell(8, 32), lambda: nn.Embedding(2, 8)),
}


@pytest.mark.parametrize("which", _ASKED)
def test_what_is_asked_by_the_same_query_for_all_samples_is_not_dead(which):
    part, query = _ASKED[which]
    for seed in range(3):
        torch.manual_seed(seed)
        x = torch.randn(64, 10, 8) if which == "attention" else torch.randn(64, 8)
        report = gt.audit(Asked(part(), query()), x, torch.randint(0, 3, (64,)))
        assert "No gradient passes" not in str(report)
        assert which == "cell of a step's embedding" or report.verdict == "stable"


def test_a_query_of_the_data_that_is_switched_off_is_dead():
    torch.manual_seed(0)

    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.asks, self.told, self.head = nn.Linear(8, 32), nn.Linear(8, 32), nn.Linear(32, 3)
            self.both = nn.Bilinear(32, 32, 32)

        def forward(self, x):
            return self.head(self.both(torch.relu(self.asks(x) - 50.0) + 1.0, self.told(x)))

    report = gt.audit(Crossed(), torch.randn(64, 8), torch.randint(0, 3, (64,)))
    cause = "no gradient passes through asks: what follows it makes each of its 32 units constant on these data"
    assert cause in str(report)


def test_the_share_of_dead_units_of_measured_parts_is_told():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 10), nn.ReLU())
    with torch.no_grad():
        module[0].bias[:4] = -50.0
        module[3].bias[:5] = -50.0
    x = torch.randn(32, 3, 8, 8)
    report = gt.audit(module, x, torch.randint(0, 10, (32,)))
    shares = {layer.name: layer.dead for layer in report.layers}
    last = module(x).detach()
    by_hand = float((last.amax(0) == last.amin(0)).double().mean())
    assert by_hand >= 0.5
    assert (shares["0"], shares["1"], shares["4"]) == (0.0, 0.25, by_hand)
    assert report.layers[1].mean_square_a == pytest.approx(
        float((module[1](module[0](x)).detach() ** 2).mean()), rel=1e-6
    )
    header, *rows = (line.split() for line in str(report).splitlines() if line[:5] in ("layer", "1    "))
    assert "dead" in header
    assert "25%" in rows[0]


class Root(nn.Module):
    """Its slope at 0 is infinite, but only by its own parameter."""

    def __init__(self, width):
        super().__init__()
        self.share = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return x * (1 + torch.sqrt(self.share))


def test_gradients_by_parameters_that_are_not_finite_are_told():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), Root(16), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    report = gt.audit(module, torch.randn(32, 8), torch.randn(32, 3))
    assert (report.verdict, report.start) == ("explodes", "2")
    assert report.cause == "the gradient by its parameters is not finite"


class OfClass(nn.Module):
    """Attention that asks with one learned token alone, taken from what a norm gave of it and of the data."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))

    def forward(self, token, x):
        h = self.norm(torch.cat([token, x], 1))
        asked = nn.functional.scaled_dot_product_attention(self.q(h[:, :1]), self.k(h), self.v(h))
        return token + self.out(asked)


class Asking(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed, self.token = nn.Linear(12, width), nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.attention, self.head = OfClass(width), nn.Linear(width, 5)

    def forward(self, x):
        return self.head(self.attention(self.token.expand(len(x), -1, -1), self.embed(x))[:, 0])


@pytest.mark.parametrize("seed", range(3))
def test_a_norm_of_which_one_token_alone_is_still_is_not_dead(seed):
    torch.manual_seed(seed)
    report = gt.audit(Asking(), torch.randn(8, 16, 12), torch.randint(0, 5, (8,)))
    assert (report.verdict, report.cause) == ("stable", "")


class BatchNormAct(nn.BatchNorm2d):
    """As timm's: the activation is a part of the norm, and comes after what the norm does itself."""

    def __init__(self, width, act):
        super().__init__(width)
        self.drop, self.act = nn.Identity(), act()

    def forward(self, x):
        return self.act(self.drop(super().forward(x)))


class Scaled(nn.Conv2d):
    """A convolution with weights of norm 1 and a gain, as in networks without norms."""

    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(n_out, 1, 1, 1))

    def forward(self, x):
        weight = self.gain * self.weight / self.weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        return nn.functional.conv2d(x, weight, self.bias, padding=1)


class Mouth(nn.Module):
    """A block with two layers; around them goes what it takes, unless the width changes."""

    def __init__(self, n_in, n_out, *, is_scaled):
        super().__init__()
        layer = Scaled if is_scaled else lambda n, m: nn.Conv2d(n, m, 3, padding=1, bias=False)
        self.conv1, self.conv2, self.has_shortcut = layer(n_in, n_out), layer(n_out, n_out), n_in == n_out
        norms = (
            [nn.Identity(), nn.Identity()]
            if is_scaled
            else [BatchNormAct(n_out, nn.SiLU), BatchNormAct(n_out, nn.Identity)]
        )
        self.norm1, self.norm2 = norms
        if self.has_shortcut:
            start = self.conv2.gain if is_scaled else self.norm2.weight
            start.data.zero_()
            if is_scaled:
                self.conv2.bias.data.zero_()

    def forward(self, x):
        h = self.norm2(self.conv2(nn.functional.silu(self.norm1(self.conv1(x)))))
        return x + h if self.has_shortcut else h


def of_mouths(*, is_scaled):
    torch.manual_seed(0)
    widths = [(8, 8), (8, 16), (16, 16), (16, 24), (24, 24), (24, 24)]
    blocks = [Mouth(n_in, n_out, is_scaled=is_scaled) for n_in, n_out in widths]
    module = nn.Sequential(nn.Conv2d(3, 8, 3), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4))
    return module, torch.randn(8, 3, 8, 8), torch.arange(8) % 4


@pytest.mark.parametrize("is_scaled", [False, True])
def test_where_something_goes_around_all_branches_may_start_with_0_and_elsewhere_not(is_scaled):
    module, x, y = of_mouths(is_scaled=is_scaled)
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("stable", None), report.cause
    for block in module[1:7]:
        block.get_parameter("conv2.gain" if is_scaled else "norm2.weight").data.fill_(1.0)
    zero = module.get_parameter("5.conv2.gain" if is_scaled else "5.norm2.weight")
    zero.data.zero_()
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", "5.conv2" if is_scaled else "5.norm2")
    assert report.cause.startswith("its weights are 0, so that nothing of its input comes through")


def test_a_norm_that_turns_its_own_activation_off_is_named_and_not_the_layer_before():
    module, x, y = of_mouths(is_scaled=False)
    module[5].norm1.bias.data.fill_(-60.0)
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", "5.norm1")
    assert report.cause == "each of its 24 units is constant on these data; gradients pass beside it"
