"""Networks read from torch: outputs and gradients agree, and what is not understood is listed."""

import functools

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Block(nn.Module):
    def __init__(self, width, norm, activation):
        super().__init__()
        self.norm, self.activation = norm(width), activation
        self.up, self.down = nn.Linear(width, 7), nn.Linear(7, width, bias=False)
        self.drop = nn.Dropout(0.3)
        self.scale = nn.Parameter(torch.rand(width))

    def forward(self, x):
        branch = self.down(self.activation(self.up(self.norm(x))))
        return x + 0.5 * self.drop(branch) * self.scale - torch.tanh(x) / 3


_ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ELU(1.5), nn.SELU(), nn.CELU(0.7), nn.GELU(), nn.GELU("tanh"), nn.SiLU(),
    nn.Mish(), nn.Softplus(2.0), nn.Softsign(), nn.Tanh(), nn.Sigmoid(), nn.LogSigmoid(), nn.Hardtanh(-0.5, 0.8),
    nn.Hardswish(), nn.Hardsigmoid(), nn.Softshrink(0.3), nn.Hardshrink(0.2), nn.Tanhshrink(), nn.Threshold(0.1, 0.0),
    nn.PReLU(), nn.Identity(), nn.RReLU(0.1, 0.3),
]  # fmt: skip
_FUNCTIONS = [
    nn.functional.relu, torch.relu, torch.tanh, torch.sigmoid, torch.sin, torch.cos, torch.exp, torch.square, torch.erf,
    torch.atan, torch.asinh, lambda x: x.relu(), lambda x: x.tanh(), nn.functional.silu,
    lambda x: nn.functional.leaky_relu(x, 0.3), lambda x: nn.functional.elu(x, alpha=0.5),
    lambda x: nn.functional.gelu(x, approximate="tanh"), lambda x: nn.functional.hardtanh(x, -0.4, 0.9),
    lambda x: nn.functional.softplus(x, beta=3.0), lambda x: -x, lambda x: 2.0 * x.relu(),
]  # fmt: skip


def agree(module, n_inputs, seed=0):
    """Compare outputs and the gradients of a sum of squares, in float64."""
    torch.manual_seed(seed)
    x = torch.randn(5, n_inputs, dtype=torch.float64, requires_grad=True)
    network = Network.from_torch(module, "mse_sum")
    double = module.double().eval()
    output = double(x)
    y = torch.zeros_like(output)
    loss = ((output - y) ** 2).sum()
    loss.backward()
    ours = network.backprop(x.detach().numpy(), y.numpy())
    np.testing.assert_allclose(network.forward(x.detach().numpy()), output.detach().numpy(), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ours.x, x.grad.numpy(), rtol=1e-6, atol=1e-8)
    theirs = [layer for layer in double.modules() if isinstance(layer, nn.Linear)]
    assert len(ours.w) == len(theirs)
    for w, b, layer in zip(ours.w, ours.b, theirs, strict=True):
        np.testing.assert_allclose(w, layer.weight.grad.numpy(), rtol=1e-6, atol=1e-8)
        if layer.bias is not None:
            np.testing.assert_allclose(b, layer.bias.grad.numpy(), rtol=1e-6, atol=1e-8)
    return network


@pytest.mark.parametrize("activation", _ACTIVATIONS, ids=str)
def test_modules_are_read(activation):
    torch.manual_seed(1)
    network = agree(nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 2)), 3)
    assert network.widths == (3, 4, 2)
    assert network.nodes[0].name == "0"


@pytest.mark.parametrize("function", range(len(_FUNCTIONS)))
def test_functions_are_read(function):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(_FUNCTIONS[function](self.a(x)))

    agree(Net(), 3)


@pytest.mark.parametrize("norm", [nn.LayerNorm, functools.partial(nn.RMSNorm, eps=1e-5)], ids=["LayerNorm", "RMSNorm"])
def test_residual_blocks_are_read(norm):
    torch.manual_seed(2)
    module = nn.Sequential(Block(4, norm, nn.GELU()), Block(4, norm, nn.Tanh()), norm(4), nn.Linear(4, 3), nn.Sigmoid())
    network = agree(module, 4)
    assert "0.up" in {node.name for node in network.nodes}


def _mean_square(x, epsilon=1e-6):
    return x.pow(2).mean(-1, keepdim=True) + epsilon


def _llama(x, g):
    kind = x.dtype
    x = x.to(torch.float64)
    return g * (x * torch.rsqrt(_mean_square(x))).to(kind)


_BY_HAND = {
    "llama": _llama,
    "gain first": lambda x, g: g * x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6),
    "root": lambda x, g: x / torch.sqrt((x**2).mean(dim=-1, keepdim=True) + 1e-6) * g,
    "one over": lambda x, g: g * (x * (1 / torch.square(x).mean(1, keepdim=True).add(1e-6).sqrt())),
    "power": lambda x, g: x.float() * _mean_square(x) ** -0.5 * g,
    "centred": lambda x, g: (x - x.mean(-1, keepdim=True)) / torch.sqrt(_mean_square(x - x.mean(-1, True), 0.1)) * g,
}


class ByHand(nn.Module):
    def __init__(self, normed):
        super().__init__()
        self.first, self.g, self.last = nn.Linear(3, 5), nn.Parameter(1.0 + 0.3 * torch.randn(5)), nn.Linear(5, 2)
        self.normed = normed

    def forward(self, x):
        return self.last(torch.tanh(self.normed(self.first(x), self.g)))


@pytest.mark.parametrize("way", [way for way in _BY_HAND if way != "centred"])
def test_norms_written_by_hand_are_read_with_a_gain_that_trains(way):
    torch.manual_seed(5)
    network = agree(ByHand(_BY_HAND[way]), 3)
    assert [repr(node.operation).partition("(")[0] for node in network.nodes if node.name != "tanh"] == [
        "Dense", "RMSNorm", "Dense",
    ]  # fmt: skip
    assert network.nodes[1].operation.gain.shape == (5,)


@pytest.mark.parametrize(
    "normed",
    [
        lambda x, g: x * torch.rsqrt(x.pow(2).mean(-1) + 1e-6)[:, None] * g,  # what keeps no axis is indexed
        lambda x, g: x * torch.rsqrt(x.pow(2).mean(0, keepdim=True) + 1e-6) * g,  # over the batch
        lambda x, g: x * torch.rsqrt(x.pow(3).mean(-1, keepdim=True) + 1e-6) * g,
        lambda x, g: x * (s := torch.rsqrt(_mean_square(x))) * g + s,  # another takes what is within
        lambda x, g: (x * torch.rsqrt(_mean_square(x))).to(torch.float16).float() * g,  # rounded on purpose
    ],
)
def test_what_is_like_a_norm_by_hand_is_none(normed):
    with pytest.raises(InvalidArgument, match="not understood"):
        Network.from_torch(ByHand(normed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_are_taken_exactly(dtype):
    module = nn.Linear(3, 2).to(dtype)
    network = Network.from_torch(module)
    assert network.w[0].dtype == np.float64
    assert (torch.from_numpy(network.w[0]).to(dtype) == module.weight).all()
    assert (network.w[0] == module.weight.detach().double().numpy()).all()


def test_what_is_not_understood_is_listed():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2), nn.Softmax(dim=1))
    with pytest.raises(InvalidArgument, match=r"BatchNorm1d at '1'.*gradtheory.audit measures any torch module"):
        Network.from_torch(module)
    with pytest.raises(InvalidArgument, match="LSTM at"):
        Network.from_torch(nn.Sequential(nn.LSTM(3, 4)))
    with pytest.raises(InvalidArgument, match=r"must be a torch.nn.Module"):
        Network.from_torch("model.pt")
    with pytest.raises(InvalidArgument, match="no dense layer, from which the width"):
        Network.from_torch(nn.Tanh())

    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(InvalidArgument, match="cannot be traced"):
        Network.from_torch(Branching())
    assert gt.Network is Network


class Overwriting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.relu = nn.Linear(2, 2), nn.ReLU(inplace=True)

    def forward(self, x):
        z = self.layer(x)
        return self.relu(z) + z


@pytest.mark.parametrize(
    "module",
    [
        Overwriting(),
        nn.Sequential(nn.Linear(2, 2), nn.Softplus(threshold=0.5)),
        nn.Sequential(nn.Linear(2, 2), nn.Flatten(0)),
    ],
    ids=["in place", "threshold", "flatten"],
)
def test_what_would_be_read_wrongly_is_refused(module):
    with pytest.raises(InvalidArgument, match="is not understood"):
        Network.from_torch(module)


def test_a_part_that_cannot_be_traced_is_not_laid_on_what_holds_it():
    class Asking(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(InvalidArgument, match=r"cannot be traced \(an if or a loop in its forward depends"):
        Network.from_torch(nn.Sequential(nn.Linear(4, 4), Asking()))
    with pytest.raises(InvalidArgument, match=r"is a torch.nn.LSTM, which is not understood"):
        Network.from_torch(nn.LSTM(4, 4))


def test_reading_leaves_modes_as_they_are():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 1))
    module[1].eval()
    Network.from_torch(module)
    gt.audit(module, torch.randn(3, 2))
    gt.audit(nn.Sequential(module, nn.BatchNorm1d(1)), torch.randn(3, 2))
    assert [part.training for part in module.modules()] == [True, True, False, True]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_least_epsilon_of_a_norm_is_that_of_the_float_type(dtype):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 6, bias=False), nn.RMSNorm(6), nn.Linear(6, 4)).to(dtype)
    module[0].weight.data *= 1e-6
    x = torch.randn(3, 6, dtype=dtype)
    theirs = module(x).detach().double().numpy()
    np.testing.assert_allclose(gt.Network.from_torch(module).forward(x.double().numpy()), theirs, atol=1e-6)
