"""Audits of modules that make the weights they multiply by: by a parametrization, an older hook, or another network."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional
parametrize = nn.utils.parametrize
made = nn.utils.parametrizations


class _Rounded(nn.Module):
    def forward(self, weight):
        return weight + ((16.0 * weight).round() / 16.0 - weight).detach()


class _Corrected(nn.Module):
    """A matrix of low rank is added to weights, made by a part with weights of its own."""

    def __init__(self):
        super().__init__()
        self.give, self.take = nn.Linear(4, 32, bias=False), nn.Parameter(0.1 * torch.randn(4, 32))

    def forward(self, weight):
        return weight + self.give(self.take.T).T


def _registered(part, parametrization):
    parametrize.register_parametrization(part, "weight", parametrization)
    return part


WAYS = {
    "weight_norm": made.weight_norm,
    "spectral_norm": made.spectral_norm,
    "rounded": lambda part: _registered(part, _Rounded()),
    "corrected": lambda part: _registered(part, _Corrected()) if isinstance(part, nn.Linear) else part,
    "twice": lambda part: _registered(_registered(part, _Rounded()), _Rounded()),
    "weight_norm with hooks": nn.utils.weight_norm,
}


class _Flat(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers, self.out = nn.ModuleList(layers), nn.Linear(32, 3)

    def forward(self, x):
        for layer in self.layers:
            x = functional.relu(layer(x))
        return self.out(x)


def _dense(way):
    return _Flat([way(nn.Linear(32, 32)) for _ in range(6)])


def _in_a_row(way):
    return nn.Sequential(*(each for _ in range(6) for each in (way(nn.Linear(32, 32)), nn.ReLU())), nn.Linear(32, 3))


def _convolutions(way):
    layers = (each for _ in range(6) for each in (way(nn.Conv2d(8, 8, 3, padding=1)), nn.ReLU()))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 36, 3))


NETWORKS = {_dense: (64, 32), _in_a_row: (64, 32), _convolutions: (16, 8, 6, 6)}


def _data(shape):
    return torch.randn(shape), torch.randint(0, 3, shape[:1])


def _audit(module, x, y):
    return gt.audit(module, x, y, loss=functional.cross_entropy)


def _layers(module):
    """Return the layers, but not those that make weights."""
    dense_or_not = (part for part in module.modules() if isinstance(part, nn.Linear | nn.Conv2d))
    return [part for part in dense_or_not if part.bias is not None]


def _with_weights_as_they_are(network, module):
    plain = network(lambda part: part)
    for own, layer in zip(_layers(plain), _layers(module), strict=True):
        own.weight.data, own.bias.data = layer.weight.detach().clone(), layer.bias.detach().clone()
    return plain


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("times", [0.1, 8.0])
def test_a_layer_that_makes_its_weights_is_one_with_these_weights(way, network, times):
    torch.manual_seed(0)
    module, (x, y) = network(WAYS[way]).eval(), _data(NETWORKS[network])
    layer = _layers(module)[2]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(times)
    module(x)  # hooks make the weights of the next call
    plain = _with_weights_as_they_are(network, module)
    own, usual = _audit(module, x, y), _audit(plain, x, y)
    assert (own.verdict, own.start) == (usual.verdict, usual.start)
    assert [layer.name for layer in own.layers] == [layer.name for layer in usual.layers]
    assert [layer.kind for layer in own.layers] == [layer.kind for layer in usual.layers]
    assert [layer.gain for layer in own.layers] == pytest.approx(
        [layer.gain for layer in usual.layers], rel=1e-3, nan_ok=True
    )
    assert [layer.verdict for layer in own.layers] == [layer.verdict for layer in usual.layers]
    assert ("not seen" in str(own)) == ("not seen" in str(usual))


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("way", [made.weight_norm, nn.utils.weight_norm])
@pytest.mark.parametrize("last", [False, True])
def test_directions_of_any_length_are_no_fault(way, last):
    torch.manual_seed(0)
    layers = [way(nn.Linear(32, width)) for width in (*[32] * 7, 3)]
    module = nn.Sequential(*(each for layer in layers for each in (layer, nn.Tanh())))
    x, y = torch.randn(64, 32), torch.rand(64, 3)
    before = gt.audit(module, x, y)
    layer = layers[-1 if last else 3]
    direction = layer.weight_v if hasattr(layer, "weight_v") else layer.parametrizations.weight.original1
    direction.data.mul_(50.0)
    after = gt.audit(module, x, y)
    assert (after.verdict, after.start, after.cause) == (before.verdict, before.start, before.cause)


@pytest.mark.parametrize("zero", ["original0", "original1"])
def test_a_dead_layer_is_told_whatever_makes_its_weights(zero):
    torch.manual_seed(0)
    module, (x, y) = _in_a_row(WAYS["rounded"] if zero == "original1" else WAYS["weight_norm"]), _data((64, 32))
    for parameter in module[4].parametrizations.parameters():
        if zero == "original1" or parameter.shape[1] == 1:
            parameter.data.zero_()
    report = _audit(module, x, y)
    assert (report.verdict, report.start) == ("vanishes", "4")


def test_a_parametrized_layer_that_gets_no_gradient_is_named():
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = made.weight_norm(nn.Linear(32, 32, bias=False)), nn.Linear(32, 3)

        def forward(self, x):
            return self.last(self.first(x).detach())

    assert "no gradient comes back to first" in str(_audit(Detached(), *_data((64, 32))))


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("way", [lambda part: part, made.weight_norm, made.orthogonal, nn.utils.weight_norm])
def test_a_softmax_over_what_a_layer_gives_is_no_attention_without_a_scale(way):
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(32, 32), nn.GELU())
            self.head = way(nn.Linear(32, 64, bias=False))

        def forward(self, x):
            return (20.0 * self.head(self.body(x))).softmax(-1)

    torch.manual_seed(0)
    assert "√d" not in str(gt.audit(Classifier(), torch.randn(64, 32), torch.rand(64, 64)))


def test_a_parametrized_weight_of_the_module_itself_is_named():
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.randn(32, 32) / 6.0) for _ in range(2))
            self.last = nn.Linear(32, 3)

        def forward(self, x):
            return self.last(torch.tanh(torch.tanh(x @ self.a) @ self.b))

    module = ByHand()
    parametrize.register_parametrization(module, "a", _Rounded())
    assert "what happens within the weights b, a is not seen" in str(_audit(module, *_data((64, 32))))


class _Generated(nn.Module):
    """A layer whose weights another network makes, from a vector of its own or from the mean of the batch."""

    def __init__(self, *, of_the_data):
        super().__init__()
        self.start = None if of_the_data else nn.Parameter(torch.randn(32))
        self.make = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 32 * 32))

    def forward(self, x):
        weights = self.make(x.mean(0) if self.start is None else self.start)
        return functional.linear(x, 0.5 * weights.view(32, 32))


class _Gated(nn.Module):
    """Squeeze and excitation, with the mean over positions as a function."""

    def __init__(self, width=8):
        super().__init__()
        self.down, self.up = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        return 2.0 * x * self.up(functional.relu(self.down(x.mean((2, 3))))).sigmoid()[:, :, None, None]


def _measured_gain(parts, number, x, y):
    """Return the gain of one part of several in a row, by autograd alone."""
    for part in parts[:number]:
        x = part(x)
    before = x.detach().requires_grad_()
    after = parts[number](before)
    rest = after
    for part in parts[number + 1 :]:
        rest = part(rest)
    by_before, by_after = torch.autograd.grad(functional.cross_entropy(rest, y), [before, after])
    return float(by_before.norm() / by_after.norm())


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize("of_the_data", [False, True])
def test_a_layer_with_generated_weights_is_one_part(number, of_the_data):
    torch.manual_seed(0)
    layers = (each for _ in range(number) for each in (_Generated(of_the_data=of_the_data), nn.Tanh()))
    module, (x, y) = nn.Sequential(nn.Linear(32, 32), nn.Tanh(), *layers, nn.Linear(32, 3)), _data((64, 32))
    report = _audit(module, x, y)
    assert [layer.name for layer in report.layers] == [str(k) for k in range(len(module))]
    gains = [_measured_gain(module, k, x, y) for k in range(1, len(module))]
    assert [layer.gain for layer in report.layers[1:]] == pytest.approx(gains, rel=1e-4)


@pytest.mark.parametrize("number", [1, 3])
def test_a_gate_on_the_stream_is_one_part(number):
    torch.manual_seed(0)
    blocks = (each for _ in range(number) for each in (nn.Conv2d(8, 8, 3, padding=1), _Gated(), nn.ReLU()))
    module, (x, y) = nn.Sequential(nn.Conv2d(3, 8, 1), *blocks, nn.Flatten(), nn.Linear(512, 3)), _data((32, 3, 8, 8))
    report = _audit(module, x, y)
    assert report.verdict == "stable"
    gains = [_measured_gain(module, k, x, y) for k in range(1, len(module))]
    assert [layer.gain for layer in report.layers[1:]] == pytest.approx(gains, rel=1e-4)
