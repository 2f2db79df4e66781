"""Files of networks that torch writes: ONNX and safetensors."""

import numpy as np
import pytest

from gradtheory.networks import Network

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
save_file = pytest.importorskip("safetensors.torch").save_file


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(4), nn.Linear(4, 9), nn.Linear(9, 4, bias=False)

    def forward(self, x):
        return x + 0.5 * self.down(nn.functional.gelu(self.up(self.norm(x))))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter that needs no other package
@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.2), nn.Linear(5, 3), nn.Sigmoid()),
        nn.Sequential(nn.Linear(4, 5), nn.ELU(0.7), nn.Dropout(0.5), nn.Linear(5, 3, bias=False), nn.Softplus()),
        nn.Sequential(Residual(), Residual(), nn.LayerNorm(4), nn.Linear(4, 2), nn.Hardswish()),
    ],
    ids=str,
)
def test_what_torch_exports_is_read(module, tmp_path):
    torch.manual_seed(0)
    path, x = tmp_path / "net.onnx", torch.randn(6, 4)
    with torch.no_grad():
        torch.onnx.export(module.eval(), (x,), path, dynamo=False, opset_version=17)
    network = Network.from_onnx(path)
    np.testing.assert_allclose(network.forward(x.numpy()), module(x).detach().numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("opset", [11, 17, 20])
def test_what_is_written_in_several_operators_is_read(opset, tmp_path):
    torch.manual_seed(1)
    layers = [nn.Linear(4, 6), nn.SiLU(), nn.LayerNorm(6), nn.Sequential(nn.Linear(6, 6), nn.GELU()), nn.LayerNorm(6)]
    module = nn.Sequential(nn.Flatten(), *layers, nn.Linear(6, 2)).eval()
    for norm in (module[3], module[5]):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    path, x = tmp_path / "net.onnx", torch.randn(6, 4)
    with torch.no_grad():
        torch.onnx.export(module, (x,), path, dynamo=False, opset_version=opset)
    network = Network.from_onnx(path)
    np.testing.assert_allclose(network.forward(x.numpy()), module(x).detach().numpy(), rtol=2e-5, atol=2e-6)
    assert sum(type(node.operation).__name__ == "LayerNorm" for node in network.nodes) == 2


def test_weights_by_name(tmp_path):
    module = nn.Sequential(*[layer for _ in range(11) for layer in (nn.Linear(3, 3), nn.Tanh())])
    path, x = tmp_path / "net.safetensors", torch.randn(5, 3)
    save_file(module.state_dict(), path)
    for weights in (path, str(path), module.state_dict()):
        network = Network.from_weights(weights, "tanh")
        assert [node.name for node in network.nodes][:20:2] == [str(2 * k) for k in range(10)]
        np.testing.assert_allclose(network.forward(x.numpy()), module(x).detach().numpy(), rtol=1e-4, atol=1e-6)


class Residual(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.a, self.b, self.c, self.activation = nn.Linear(5, 9), nn.Linear(9, 9), nn.Linear(9, 3), activation

    def forward(self, x):
        x = self.a(x)
        return self.c(self.activation(x + self.b(self.activation(x))))


class Halved(nn.Module):
    """gelu as older transformers write it: the half comes first."""

    def forward(self, z):
        return 0.5 * z * (1.0 + torch.tanh((2.0 / torch.pi) ** 0.5 * (z + 0.044715 * torch.pow(z, 3.0))))


_WRITTEN = (
    nn.GELU("tanh"), nn.GELU(), nn.Mish(), nn.Softsign(), nn.Hardswish(), nn.Hardtanh(), nn.ReLU6(), nn.LogSigmoid(),
    nn.Tanhshrink(), nn.SiLU(), Halved(),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("activation", _WRITTEN, ids=lambda each: type(each).__name__)
def test_activations_written_in_several_operators_are_read(activation, opset, tmp_path):
    torch.manual_seed(0)
    module, x, path = Residual(activation), torch.randn(6, 5), tmp_path / "module.onnx"
    torch.onnx.export(module, (x,), str(path), opset_version=opset, dynamo=False)
    ours = Network.from_onnx(path).forward(x.numpy())
    np.testing.assert_allclose(ours, module(x).detach().numpy(), rtol=1e-4, atol=1e-5)
