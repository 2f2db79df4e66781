"""Files of networks: ONNX and safetensors, written by torch and onnx, and hostile ones, which are refused in one line."""

import json
import struct

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gradtheory.errors import InvalidArgument
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


def model(nodes, arrays, n_in=2):
    tensors = [numpy_helper.from_array(np.asarray(array, dtype=np.float32), name) for name, array in arrays.items()]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None]) for name in ("x", "y"))
    return helper.make_model(helper.make_graph(nodes, "net", [x], [y], tensors))


def save(tmp_path, made):
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


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


def test_the_usual_operators(tmp_path):
    rng = np.random.default_rng(1)
    w, b, gain = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=3)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Add", ["b", "h"], ["z"]),
        helper.make_node("Mul", ["z", "gain"], ["s"]),
        helper.make_node("Gelu", ["s"], ["a"], approximate="tanh"),
        helper.make_node("Add", ["a", "z"], ["y"]),
    ]
    network = Network.from_onnx(save(tmp_path, model(nodes, {"w": w, "b": b, "gain": gain})))
    x = rng.normal(size=(4, 2))
    w32, b32, gain32 = (each.astype(np.float32).astype(float) for each in (w, b, gain))
    z = x @ w32 + b32
    s = torch.from_numpy(z * gain32)
    expected = nn.functional.gelu(s, approximate="tanh").numpy() + z
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-12, atol=1e-14)


_DENSE = helper.make_node("MatMul", ["x", "w"], ["y"])


def external():
    made = model([_DENSE], {"w": np.ones((2, 2))})
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return made


def lying_shape(size):
    made = model([_DENSE], {"w": np.ones((2, 2))})
    made.graph.initializer[0].dims[:] = [size, size]
    return made


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (external(), "keeps 'w' in another file"),
        (lying_shape(2**40), "must have at most"),
        (lying_shape(1000), "does not hold what its shape says"),
        (
            model(
                [helper.make_node("Conv", ["x", "w"], ["h"], name="first"), helper.make_node("Loop", ["h"], ["y"])],
                {"w": [[1.0]]},
            ),
            "Conv at 'first'",
        ),
        (
            model([helper.make_node("Add", ["y", "x"], ["h"]), helper.make_node("Tanh", ["h"], ["y"])], {"w": [[1.0]]}),
            "operators = \"Add at 'h'\"",
        ),
        (model([helper.make_node("MatMul", ["x", "w"], ["h"])], {"w": np.ones((2, 2))}), "no operator computes"),
    ],
    ids=range(6),
)
def test_hostile_onnx_files_are_refused(made, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message) as refused:
        Network.from_onnx(save(tmp_path, made)).forward([[1.0, 2.0]])
    assert "\n" not in str(refused.value)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.raises(InvalidArgument, match="cannot be read"):
        Network.from_onnx(path)
    path.write_bytes(b"\xff\xff not a model")
    with pytest.raises(InvalidArgument, match=r"is no ONNX file|must have one input"):
        Network.from_onnx(path)
    with pytest.raises(InvalidArgument, match="must be the path"):
        Network.from_onnx(3)


def test_weights_by_name(tmp_path):
    module = nn.Sequential(*[layer for _ in range(11) for layer in (nn.Linear(3, 3), nn.Tanh())])
    path, x = tmp_path / "net.safetensors", torch.randn(5, 3)
    save_file(module.state_dict(), path)
    for weights in (path, str(path), module.state_dict()):
        network = Network.from_weights(weights, "tanh")
        assert [node.name for node in network.nodes][:20:2] == [str(2 * k) for k in range(10)]
        np.testing.assert_allclose(network.forward(x.numpy()), module(x).detach().numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(InvalidArgument, match=r"net.pt.: is a pickle, which may run code"):
        Network.from_weights(tmp_path / "net.pt", "tanh")
    with pytest.raises(InvalidArgument, match=r"must be named NAME\.weight"):
        Network.from_weights({"kernel": [[1.0]]}, "tanh")


_LYING = json.dumps({"a.weight": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4]}}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        struct.pack("<Q", 2**60),
        struct.pack("<Q", 10) + b"not json!!",
        struct.pack("<Q", len(_LYING)) + _LYING,
    ],
    ids=range(4),
)
def test_hostile_safetensors_are_refused(content, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidArgument, match="is no safetensors file"):
        Network.from_weights(path, "tanh")
    assert onnx.__version__
