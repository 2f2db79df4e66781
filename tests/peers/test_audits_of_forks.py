"""Parts that take the same, and parts that take what several give: each is judged by what it sends back itself."""

import math

import pytest

import gradtheory as gt
from gradtheory.audits.branches import joined, stream_of

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional

WIDTH = 32


def data(n=64, width=13, classes=3):
    x = torch.randn(n, width)
    return x, (x @ torch.randn(width, classes)).argmax(1)


def fitted(module, loss, x, y, steps):
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(module(x), y).backward()
        optimiser.step()
    return module


def gains(report):
    return {layer.name: layer.gain for layer in report.layers}


def own_gain(ends, starts, gradient):
    """Return the norm of what a gradient sends back to several tensors over its own."""
    sent = torch.autograd.grad(ends, starts, gradient, retain_graph=True)
    return math.hypot(*(float(each.norm()) for each in sent)) / float(gradient.norm())


class Heads(nn.Module):
    """Two heads on one trunk, called in one order or the other."""

    def __init__(self, first, depth=1):
        super().__init__()
        self.trunk = nn.Sequential(*(part for n in (13, WIDTH, WIDTH) for part in (nn.Linear(n, WIDTH), nn.ReLU())))
        several = lambda: [part for _ in range(depth - 1) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]  # noqa: E731
        self.a, self.b = (nn.Sequential(*several(), nn.Linear(WIDTH, n)) for n in (3, 1))
        self.first = first

    def forward(self, x):
        h = self.trunk(x)
        if self.first == "a":
            return {"a": self.a(h), "b": self.b(h)}
        return {"b": self.b(h), "a": self.a(h)}


def of_both(weight_a, weight_b):
    def loss(given, targets):
        by_a = functional.cross_entropy(given["a"], targets[0])
        return weight_a * by_a + weight_b * functional.mse_loss(given["b"], targets[1])

    return loss


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("weights", [(1.0, 1e-3), (1e-3, 1.0)])
@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("seed", range(2))
def test_of_two_heads_none_is_blamed_for_what_the_other_sends_back(seed, first, weights, depth):
    torch.manual_seed(seed)
    module, (x, y) = Heads(first, depth), data()
    report = gt.audit(module, x, (y, x[:, :1]), loss=of_both(*weights))
    assert (report.verdict, report.cause) == ("stable", "")
    for layer in report.layers:
        if layer.name in ("a.0", "b.0"):
            assert layer.gain <= 1.001 * torch.linalg.matrix_norm(module.get_submodule(layer.name).weight, 2)


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("which", ["a", "b"])
def test_a_head_that_explodes_is_named_beside_another(which, first):
    torch.manual_seed(0)
    module, (x, y) = Heads(first), data()
    module.get_submodule(which)[0].weight.data *= 100.0
    report = gt.audit(module, x, (y, x[:, :1]), loss=of_both(1.0, 1.0))
    assert (report.verdict, report.start) == ("explodes", f"{which}.0")


@pytest.mark.parametrize("first", ["a", "b"])
def test_layers_within_a_head_are_followed(first):
    torch.manual_seed(0)
    module, (x, y) = Heads(first, 4), data()
    for layer in (*module.a[:-1:2], *module.b[:-1:2]):
        nn.init.kaiming_normal_(layer.weight)
    assert gt.audit(module, x, (y, x[:, :1]), loss=of_both(1.0, 1.0)).verdict == "stable"
    for layer in module.a[:-1:2]:
        layer.weight.data *= 4.0
    report = gt.audit(module, x, (y, x[:, :1]), loss=of_both(1.0, 1.0))
    assert report.verdict == "explodes"
    assert report.start.startswith("a.")


class Detector(nn.Module):
    """A trunk in which the gradient fades somewhat, with a head of one layer, and another in which it fades as well."""

    def __init__(self, first):
        super().__init__()
        self.trunk, self.classes, self.first = self.row(0.5, 13, 128, 128, 128), nn.Linear(128, 3), first
        self.boxes = nn.Sequential(*self.row(0.8, 128, 128), *self.row(1.0, 128)[:1], nn.Sigmoid())

    @staticmethod
    def row(times, *widths):
        layers = [nn.Linear(n, 128) for n in widths]
        for layer in layers:
            nn.init.normal_(layer.weight, std=times * math.sqrt(2.0 / layer.in_features))
        return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))

    def forward(self, x):
        h = self.trunk(x)
        if self.first == "classes":
            return self.classes(h), self.boxes(h)
        boxes = self.boxes(h)
        return self.classes(h), boxes


@pytest.mark.parametrize("first", ["classes", "boxes"])
@pytest.mark.parametrize("weight", [1e-3, 0.1])
def test_fading_in_a_head_is_not_that_of_the_trunk_whichever_is_called_last(first, weight):
    torch.manual_seed(0)
    module, (x, y) = Detector(first), data()
    loss = lambda given, y: functional.cross_entropy(given[0], y) + weight * given[1].pow(2).mean()  # noqa: E731
    report = gt.audit(module, x, y, loss=loss)
    assert (report.verdict, report.cause) == ("stable", "")
    path = [name for block in stream_of(report.blocks) for name in (block.members or [block.name])]
    assert path[-1] == "classes"
    assert not any(name.startswith("boxes") for name in path)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_head_that_starts_with_0_beside_another_is_no_fault(first):
    torch.manual_seed(0)
    module, (x, y) = Heads(first), data()
    nn.init.zeros_(module.a[0].weight)
    nn.init.orthogonal_(module.b[0].weight, 0.01)
    assert gt.audit(module, x, (y, x[:, :1]), loss=of_both(1.0, 1.0)).verdict == "stable"


class Exits(nn.Module):
    """A head after every block."""

    def __init__(self, depth=6):
        super().__init__()
        self.first = nn.Linear(13, WIDTH)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(depth))
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 3) for _ in range(depth))

    def forward(self, x):
        h, given = functional.relu(self.first(x)), []
        for block, head in zip(self.blocks, self.heads, strict=True):
            h = block(h)
            given.append(head(h))
        return given


def of_all(given, y):
    return sum(functional.cross_entropy(each, y) for each in given)


@pytest.mark.parametrize("steps", [0, 200])
@pytest.mark.parametrize("seed", range(2))
def test_losses_behind_every_block_are_no_growth(seed, steps):
    torch.manual_seed(seed)
    x, y = data()
    module = fitted(Exits(), of_all, x, y, steps)
    report = gt.audit(module, x, y, loss=of_all)
    assert (report.verdict, report.cause) == ("stable", "")


def test_blocks_that_explode_are_seen_though_each_has_a_head():
    torch.manual_seed(0)
    module, (x, y) = Exits(), data()
    for block in module.blocks:
        block[0].weight.data *= 6.0
    report = gt.audit(module, x, y, loss=of_all)
    assert report.verdict == "explodes"
    assert report.start.startswith("blocks.")


class Stream(nn.Module):
    """A residual stream, each state of which has a head, or goes to the loss as it is."""

    def __init__(self, has_heads, depth=8):
        super().__init__()
        branch = lambda: [nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 64), nn.GELU(), nn.Linear(64, WIDTH)]  # noqa: E731
        self.first, self.branches = nn.Linear(13, WIDTH), nn.ModuleList(nn.Sequential(*branch()) for _ in range(depth))
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 3) for _ in range(depth if has_heads else 1))

    def forward(self, x):
        h, given = self.first(x), []
        for branch in self.branches:
            h = h + branch(h)
            given.append(h)
        if len(self.heads) == 1:
            return [self.heads[0](h), *given]
        return [head(each) for head, each in zip(self.heads, given, strict=True)]


@pytest.mark.parametrize("steps", [0, 100])
@pytest.mark.parametrize("has_heads", [True, False])
def test_losses_behind_every_block_of_a_residual_stream_are_no_fault(has_heads, steps):
    def loss(given, y):
        if has_heads:
            return of_all(given, y)
        return functional.cross_entropy(given[0], y) + sum((each**2).mean() for each in given[1:])

    torch.manual_seed(0)
    x, y = data()
    module = fitted(Stream(has_heads), loss, x, y, steps)
    report = gt.audit(module, x, y, loss=loss)
    assert (report.verdict, report.cause) == ("stable", "")


class Coder(nn.Module):
    """A variational autoencoder that samples."""

    def __init__(self, is_mean_first):
        super().__init__()
        self.e = nn.Sequential(nn.Linear(13, WIDTH), nn.ReLU())
        self.mean, self.log = nn.Linear(WIDTH, 4), nn.Linear(WIDTH, 4)
        self.d = nn.Sequential(nn.Linear(4, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 13))
        self.is_mean_first = is_mean_first

    def code(self, x):
        h = self.e(x)
        if self.is_mean_first:
            mean, log = self.mean(h), self.log(h)
        else:
            log, mean = self.log(h), self.mean(h)
        return mean, log, mean + torch.randn_like(mean) * (log / 2).exp()

    def forward(self, x):
        mean, log, z = self.code(x)
        return self.d(z), mean, log


def of_code(given, x):
    output, mean, log = given
    divergence = -0.5 * (1 + log - mean**2 - log.exp()).sum(1).mean()
    return functional.mse_loss(output, x, reduction="sum") / len(x) + 1e-3 * divergence


@pytest.mark.parametrize("is_mean_first", [True, False])
def test_what_takes_a_sample_is_judged_by_what_it_sends_to_mean_and_variance(is_mean_first):
    torch.manual_seed(0)
    x = torch.tanh(torch.randn(64, 4) @ torch.randn(4, 13))
    module = fitted(Coder(is_mean_first), of_code, x, x, 500)
    torch.manual_seed(1)
    report = gt.audit(module, x, x, loss=of_code)
    assert (report.verdict, report.cause) == ("stable", "")
    torch.manual_seed(1)
    mean, log, z = module.code(x)
    given = module.d[0](z)
    (gradient,) = torch.autograd.grad(
        of_code((module.d[2](module.d[1](given)), mean, log), x), given, retain_graph=True
    )
    assert gains(report)["d.0"] == pytest.approx(own_gain(given, [mean, log], gradient), rel=1e-3)


class Attention(nn.Module):
    """Attention that is written by hand, its projections called in any order."""

    def __init__(self, order):
        super().__init__()
        self.order, self.e = order, nn.Linear(8, WIDTH)
        self.parts = nn.ModuleDict({name: nn.Linear(WIDTH, WIDTH) for name in "kqvp"})
        self.o = nn.Linear(WIDTH, 3)

    def forward(self, x):
        h = self.e(x)
        given = {name: self.parts[name](h) for name in self.order}
        shares = torch.softmax(given["q"] @ given["k"].mT / WIDTH**0.5, -1)
        return self.o(torch.relu(self.parts["p"](shares @ given["v"])).mean(1))


@pytest.mark.parametrize("order", ["qkv", "vqk"])
def test_growth_over_attention_by_hand_is_told_of_all_its_parts(order):
    torch.manual_seed(0)
    module, x, y = Attention(order), torch.randn(32, 6, 8), torch.randint(0, 3, (32,))
    given = {}
    for name in ("parts.p", "e", "parts.q", "parts.k", "parts.v"):
        hook = lambda _, __, output, name=name: given.update({name: output})  # noqa: E731 - as short as its use
        module.get_submodule(name).register_forward_hook(hook)
    assert gt.audit(module, x, y, loss=functional.cross_entropy).verdict == "stable"
    for name in "qkv":
        module.parts[name].weight.data *= 4.0
    module.parts["p"].weight.data *= 8.0
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    loss = functional.cross_entropy(module(x), y)
    gradients = dict(zip(given, torch.autograd.grad(loss, list(given.values()), retain_graph=True), strict=True))
    taken = [given[f"parts.{name}"] for name in "qkv"]
    own = own_gain(given["parts.p"], taken, gradients["parts.p"])
    assert gains(report)["parts.p"] == pytest.approx(own, rel=1e-3)
    whole = float(gradients["e"].norm() / gradients["parts.p"].norm())
    assert any(block.gain == pytest.approx(whole, rel=1e-3) for block in joined(report.blocks))
    assert whole > 10.0
    assert report.verdict == "explodes"
    assert f"and parts.p, with what is beside them, is {whole:.3g}" in report.cause
    assert "alone" not in str(report).partition("\n")[0]


class Gate(nn.Module):
    """What one layer gives is multiplied by what another gives."""

    def __init__(self):
        super().__init__()
        self.i, self.w, self.o = nn.Linear(13, WIDTH), nn.Linear(13, WIDTH), nn.Linear(WIDTH, 3)

    def forward(self, x):
        return self.o(torch.tanh(self.i(x)) * torch.tanh(0.01 * self.w(x) + 1.0))


@pytest.mark.parametrize("seed", range(2))
def test_what_takes_a_product_is_judged_by_what_it_sends_to_both(seed):
    torch.manual_seed(seed)
    module, (x, y) = Gate(), data()
    report = gt.audit(module, x, y, loss=functional.cross_entropy)
    assert (report.verdict, report.cause) == ("stable", "")
    i, w = module.i(x), module.w(x)
    given = module.o(torch.tanh(i) * torch.tanh(0.01 * w + 1.0))
    (gradient,) = torch.autograd.grad(functional.cross_entropy(given, y), given, retain_graph=True)
    assert gains(report)["o"] == pytest.approx(own_gain(given, [i, w], gradient), rel=1e-3)


class Beside(nn.Module):
    """An autoencoder that gives a term of the loss beside what it decodes."""

    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Linear(13, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 8))
        self.d = nn.Sequential(nn.Linear(8, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 13))

    def forward(self, x):
        z = self.e(x)
        return self.d(z), (z**2).mean()


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_term_of_the_loss_that_is_given_beside_is_no_summand_of_a_part(reduction):
    torch.manual_seed(0)
    module, (x, _) = Beside(), data()

    def loss(given, targets):
        return (functional.mse_loss(given[0], targets, reduction=reduction) + given[1]).mean()

    report = gt.audit(module, x, x, loss=loss)
    assert (report.verdict, report.cause) == ("stable", "")
    hidden = module.d[1](module.d[0](module.e(x)))
    given = module.d[2](hidden)
    (gradient,) = torch.autograd.grad(functional.mse_loss(given, x), given, retain_graph=True)
    assert gains(report)["d.2"] == pytest.approx(own_gain(given, [hidden], gradient), rel=1e-3)


class Masked(nn.Module):
    """What an encoder gives is written between tokens that are learned."""

    def __init__(self):
        super().__init__()
        self.first, self.e = nn.Linear(8, WIDTH), nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.token, self.d, self.o = nn.Parameter(torch.randn(WIDTH)), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 8)

    def forward(self, x):
        h = self.first(x[:, :1])
        for layer in self.e:
            h = h + torch.tanh(layer(h))
        z = self.token.expand(len(h), 400, -1).clone()
        z[:, :1] = h
        return self.o(z + torch.tanh(self.d(z)))


def test_what_is_written_into_tokens_has_its_own_gradient():
    torch.manual_seed(0)
    module, x = Masked(), torch.randn(4, 400, 8)
    report = gt.audit(module, x, x)
    assert (report.verdict, report.cause) == ("stable", "")
