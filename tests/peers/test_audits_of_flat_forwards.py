"""Audits of modules whose forward does by itself what others have modules for: loops, branches, convolutions, masks."""

import math

import pytest

import gradtheory as gt
from tests.peers.layers import linear

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Loop(nn.Module):
    def __init__(self, is_state_first):
        super().__init__()
        self.state, self.given, self.head = nn.Linear(32, 32), nn.Linear(8, 32), nn.Linear(32, 3)
        self.is_state_first = is_state_first

    def forward(self, x):
        h = torch.zeros(len(x), 32)
        for step in x.unbind(1):
            if self.is_state_first:
                h = torch.tanh(self.state(h) + self.given(step))
            else:
                h = torch.tanh(self.given(step) + self.state(h))
        return self.head(h)


class Fed(nn.Module):
    """Layers to which the data are added each time."""

    def __init__(self, gain, is_layer_first, depth=12):
        super().__init__()
        self.first, self.head, self.is_layer_first = linear(8, 32), linear(32, 3), is_layer_first
        self.layers = nn.ModuleList(linear(32, 32, gain / math.sqrt(2.0)) for _ in range(depth))
        self.fed = nn.ModuleList(linear(8, 32) for _ in range(depth))

    def forward(self, x):
        h = torch.relu(self.first(x))
        for layer, fed in zip(self.layers, self.fed, strict=True):
            h = torch.relu(layer(h) + fed(x)) if self.is_layer_first else torch.relu(fed(x) + layer(h))
        return self.head(h)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_order_of_summands_does_not_matter(is_first):
    torch.manual_seed(0)
    loss = nn.CrossEntropyLoss()
    report = gt.audit(Loop(is_first), torch.randn(16, 40, 8), torch.randint(0, 3, (16,)), loss=loss)
    assert (report.verdict, report.start) == ("vanishes", "state")
    x, y = torch.randn(64, 8), torch.randint(0, 3, (64,))
    for gain, verdict in ((2.6, "explodes"), (math.sqrt(2.0), "stable"), (0.7, "vanishes")):
        assert gt.audit(Fed(gain, is_first), x, y, loss=loss).verdict == verdict


class Scaled(nn.Module):
    """Residual branches, each with a factor that is learned."""

    def __init__(self, factor, depth=8):
        super().__init__()
        self.first, self.head = linear(16, 32), linear(32, 3)
        self.branches = nn.ModuleList(nn.Sequential(linear(32, 32), nn.ReLU(), linear(32, 32)) for _ in range(depth))
        self.factors = nn.ParameterList(nn.Parameter(torch.full((1,), factor)) for _ in range(depth))

    def forward(self, x):
        h = self.first(x)
        for branch, factor in zip(self.branches, self.factors, strict=True):
            h = h + factor * branch(h)
        return self.head(h)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factor", [0.0, 1e-6, 0.3])
def test_branches_that_are_multiplied_by_little_are_a_way_to_initialise(factor, seed):
    torch.manual_seed(seed)
    module, x, y = Scaled(factor), torch.randn(64, 16), torch.randint(0, 3, (64,))
    assert gt.audit(module, x, y, loss=nn.CrossEntropyLoss()).verdict == "stable"
    module = Scaled(0.5)
    for branch in module.branches:
        nn.init.zeros_(branch[2].weight)
    assert gt.audit(module, x, y, loss=nn.CrossEntropyLoss()).verdict == "stable"


def test_the_gain_of_a_branch_with_a_factor_is_that_of_the_stream():
    torch.manual_seed(0)
    module, x, y = Scaled(0.3), torch.randn(64, 16), torch.randint(0, 3, (64,))
    report = gt.audit(module, x, y, loss=nn.CrossEntropyLoss())
    stream = [module.first(x)]
    for branch, factor in zip(module.branches, module.factors, strict=True):
        stream.append(stream[-1] + factor * branch(stream[-1]))
    gradients = torch.autograd.grad(nn.functional.cross_entropy(module.head(stream[-1]), y), stream)
    gains = {layer.name: layer.gain for layer in report.layers}
    for k in range(8):
        product = math.prod(gains[f"branches.{k}.{place}"] for place in range(3))
        assert product == pytest.approx(float(gradients[k].norm() / gradients[k + 1].norm()), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_a_branch_ends_behind_dropout_that_does_nothing(seed):
    class Dropped(Scaled):
        def __init__(self):
            super().__init__(1.0)
            self.norms, self.dropout = nn.ModuleList(nn.LayerNorm(32) for _ in self.branches), nn.Dropout(0.1)

        def forward(self, x):
            h = self.first(x)
            for norm, branch in zip(self.norms, self.branches, strict=True):
                h = h + 0.5 * self.dropout(branch(norm(h)))
            return self.head(h)

    torch.manual_seed(seed)
    module, x, y = Dropped(), torch.randn(96, 16), torch.randint(0, 3, (96,))
    assert gt.audit(module, x, y, loss=nn.CrossEntropyLoss()).verdict == "stable"
    module.branches[4][2].weight.data *= 20.0
    report = gt.audit(module, x, y, loss=nn.CrossEntropyLoss())
    assert (report.verdict, report.start) == ("explodes", "branches.4.2")


def test_norms_in_a_list_that_all_start_with_0_are_a_way_to_initialise():
    class Lists(nn.Module):
        def __init__(self, depth=6):
            super().__init__()
            self.first, self.head = linear(16, 32), linear(32, 3)
            self.d1, self.d2 = (nn.ModuleList(linear(32, 32) for _ in range(depth)) for _ in range(2))
            self.n1, self.n2 = (nn.ModuleList(nn.BatchNorm1d(32) for _ in range(depth)) for _ in range(2))

        def forward(self, x):
            h = self.first(x)
            for d1, n1, d2, n2 in zip(self.d1, self.n1, self.d2, self.n2, strict=True):
                h = torch.relu(h + n2(d2(torch.relu(n1(d1(h))))))
            return self.head(h)

    torch.manual_seed(0)
    module, x, y = Lists(), torch.randn(64, 16), torch.randint(0, 3, (64,))
    for norm in module.n2:
        nn.init.zeros_(norm.weight)
    assert gt.audit(module, x, y).verdict == "stable"
    nn.init.ones_(module.n2[4].weight)
    assert "No gradient passes" in str(gt.audit(module, x, y))


def test_layers_whose_weights_a_forward_uses_by_itself_are_told_apart_by_their_activations():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(part for _ in range(7) for part in (linear(32, 32), nn.ReLU()))
            self.head = linear(32, 3)

        def forward(self, x):
            for part in self.layers:
                x = part(x) if isinstance(part, nn.ReLU) else torch.einsum("bi,oi->bo", x, part.weight)
            return self.head(x)

    torch.manual_seed(0)
    module, x, y = Functional(), torch.randn(64, 32), torch.randint(0, 3, (64,))
    assert gt.audit(module, x, y).verdict == "stable"
    module.layers[6].weight.data *= 1000.0
    report = gt.audit(module, x, y)
    assert (report.verdict, report.start) == ("explodes", "layers.7")


def test_of_a_module_without_parts_it_is_said_that_nothing_is_seen_within():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.ParameterList(nn.Parameter(torch.randn(16, 16) / 4.0) for _ in range(4))

        def forward(self, x):
            for weight in self.weights:
                x = torch.relu(torch.einsum("bi,oi->bo", x, weight))
            return x

    report = gt.audit(Whole(), torch.randn(32, 16), torch.randn(32, 16))
    assert "what the gradient does within a part is not seen" in str(report)


class Masked(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return x.masked_fill(torch.arange(5) > 2, self.value)


def test_a_mask_of_minus_infinity_is_no_fault_if_nothing_else_becomes_infinite():
    torch.manual_seed(0)
    x, y = torch.randn(16, 8), torch.randint(0, 3, (16,))
    masked = nn.Sequential(nn.Linear(8, 5), Masked(-math.inf))
    assert gt.audit(masked, x, y).verdict == "stable"
    for module, targets in ((masked, y + 2), (nn.Sequential(nn.Linear(8, 5), Masked(math.inf)), y)):
        report = gt.audit(module, x, targets)
        assert (report.verdict, report.start) == ("explodes", "1")


SUMS = {
    "minus": lambda x, branch: x - 0.1 * branch,
    "from": lambda x, branch: torch.rsub(x, 0.1 * branch),
    "lerp": lambda x, branch: x.lerp(x + branch, 0.1),
    "addcmul": lambda x, branch: torch.addcmul(x, branch, torch.full((32,), 0.1)),
    "index_add": lambda x, branch: x.index_add(0, torch.arange(len(x)), 0.1 * branch),
}


class _Steps(nn.Module):
    """Residual branches, of one module or of several, with a layer before them or none, and nothing after."""

    def __init__(self, how, *, is_shared, has_stem):
        super().__init__()
        branches = [
            nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 32)) for _ in range(1 if is_shared else 8)
        ]
        self.branches, self.times, self.how = nn.ModuleList(branches), 8 if is_shared else 1, how
        self.stem = nn.Linear(32, 32) if has_stem else None

    def forward(self, x):
        x = x if self.stem is None else self.stem(x)
        for branch in [*self.branches] * self.times:
            x = SUMS[self.how](x, branch(x))
        return x


@pytest.mark.parametrize("how", SUMS)
@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("has_stem", [True, False])
def test_branches_may_be_subtracted_or_added_otherwise(how, is_shared, has_stem):
    torch.manual_seed(0)
    module = _Steps(how, is_shared=is_shared, has_stem=has_stem)
    x, y = torch.randn(64, 32), torch.randn(64, 32)
    assert gt.audit(module, x, y, loss=nn.functional.mse_loss).verdict == "stable"
    if not is_shared and has_stem:
        with torch.no_grad():
            module.branches[3][2].weight.mul_(100.0)
        report = gt.audit(module, x, y, loss=nn.functional.mse_loss)
        assert (report.verdict, report.start) == ("explodes", "branches.3.2")


class _Blended(nn.Module):
    def __init__(self, blend=lambda x, branch: torch.lerp(x, x + branch, 0.5)):
        super().__init__()
        self.blend = blend
        self.stem, self.head = nn.Linear(16, 32), nn.Linear(32, 3)
        self.norms = nn.ModuleList(nn.LayerNorm(32) for _ in range(6))
        self.layers = nn.ModuleList(nn.Linear(32, 32) for _ in range(6))

    def forward(self, x):
        x = self.stem(x)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = self.blend(x, torch.tanh(layer(norm(x))))
        return self.head(x)


@pytest.mark.parametrize("seed", range(3))
def test_a_gain_below_the_usual_one_is_no_cause_of_growth(seed):
    torch.manual_seed(seed)
    module, x, y = _Blended(), torch.randn(64, 16), torch.randint(0, 3, (64,))
    with torch.no_grad():
        module.layers[3].weight.mul_(30.0)
    report = gt.audit(module, x, y, loss=nn.functional.cross_entropy)
    assert (report.verdict, report.start) == ("explodes", "layers.3")


@pytest.mark.parametrize("share", [0.1, 0.2])
@pytest.mark.parametrize("seed", range(2))
def test_within_a_branch_a_gain_above_that_of_peers_is_growth(share, seed):
    torch.manual_seed(seed)
    module = _Blended(lambda x, branch: torch.lerp(x, branch, share))
    x, y = torch.randn(64, 16), torch.randint(0, 3, (64,))
    with torch.no_grad():
        module.layers[3].weight.mul_(30.0)
    report = gt.audit(module, x, y, loss=nn.functional.cross_entropy)
    assert (report.start, "grows in layers.3 alone" in str(report)) == ("layers.3", True)
