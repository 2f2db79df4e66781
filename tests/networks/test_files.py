"""Files of networks, hostile ones among them, which are refused in one line; weights by name."""

import json
import struct

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from scipy.special import erf

from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network


def model(nodes, arrays, n_in=2):
    tensors = [numpy_helper.from_array(np.asarray(array, dtype=np.float32), name) for name, array in arrays.items()]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None]) for name in ("x", "y"))
    return helper.make_model(helper.make_graph(nodes, "net", [x], [y], tensors))


def save(tmp_path, made):
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


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
    s = z * gain32
    expected = s / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (s + 0.044715 * s**3))) + z
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
            "an output that no operator computes",
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


def test_a_gelu_written_in_operators(tmp_path):
    """As exporters write it before opset 20, with a residual sum and a norm around it."""
    rng = np.random.default_rng(2)
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gain", "shift"], ["n"], epsilon=1e-3),
        helper.make_node("Gemm", ["n", "w", "b"], ["z"], transB=1, alpha=2.0, beta=0.5),
        helper.make_node("Constant", [], ["root"], value=numpy_helper.from_array(np.float32(2**0.5))),
        helper.make_node("Constant", [], ["one"], value_float=1.0),
        helper.make_node("Constant", [], ["half"], value_float=0.5),
        helper.make_node("Div", ["z", "root"], ["d"]),
        helper.make_node("Erf", ["d"], ["e"]),
        helper.make_node("Add", ["e", "one"], ["p"]),
        helper.make_node("Mul", ["z", "p"], ["m"]),
        helper.make_node("Mul", ["m", "half"], ["g"]),
        helper.make_node("Identity", ["g"], ["i"]),
        helper.make_node("Add", ["i", "x"], ["y"]),
    ]
    arrays = {"w": rng.normal(size=(2, 2)), "b": rng.normal(size=2), "gain": [1.5, 0.5], "shift": [0.1, -0.2]}
    network = Network.from_onnx(save(tmp_path, model(nodes, arrays)))
    x = rng.normal(size=(5, 2))
    exact = {name: np.asarray(array, dtype=np.float32).astype(float) for name, array in arrays.items()}
    centred = x - x.mean(axis=1, keepdims=True)
    epsilon = float(str(np.float32(1e-3)))
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + epsilon) * exact["gain"] + exact["shift"]
    z = normed @ (2.0 * exact["w"]).T + 0.5 * exact["b"]
    np.testing.assert_allclose(network.forward(x), z * (1 + erf(z / 2**0.5)) / 2 + x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kind", "options", "function"),
    [
        ("Relu", {}, lambda z: np.maximum(z, 0)),
        ("LeakyRelu", {"alpha": 0.25}, lambda z: np.where(z > 0, z, z / 4)),
        ("Elu", {}, lambda z: np.where(z > 0, z, np.expm1(z))),
        ("Selu", {}, lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z))),
        ("HardSigmoid", {"alpha": 0.2}, lambda z: np.clip(0.2 * z + 0.5, 0, 1)),
        ("Gelu", {}, lambda z: z * (1 + erf(z / 2**0.5)) / 2),
        ("Dropout", {}, lambda z: z),
        ("Softsign", {}, lambda z: z / (1 + abs(z))),
    ],
)
def test_activations_of_onnx(kind, options, function, tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(kind, ["h"], ["y"], **options)]
    network = Network.from_onnx(save(tmp_path, model(nodes, {"w": np.eye(2)})))
    z = np.random.default_rng(3).normal(size=(9, 2))
    np.testing.assert_allclose(network.forward(z), function(z), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("node", "what"),
    [
        (helper.make_node("HardSigmoid", ["h"], ["y"], beta=0.3), "HardSigmoid"),
        (helper.make_node("Softmax", ["h"], ["y"]), "Softmax"),
        (helper.make_node("Mul", ["h", "h"], ["y"]), "Mul"),
        (helper.make_node("Add", ["h", "w"], ["y"]), "Add"),
        (helper.make_node("Div", ["w", "h"], ["y"]), "Div"),
        (helper.make_node("Gemm", ["h", "w"], ["y"], transA=1), "Gemm"),
    ],
)
def test_what_is_not_understood_is_named(node, what, tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["g"]), helper.make_node("Tanh", ["g"], ["h"]), node]
    with pytest.raises(InvalidArgument, match=f"is not understood: {what}.* at 'y'"):
        Network.from_onnx(save(tmp_path, model(nodes, {"w": np.eye(2)})))


def test_weights_by_name(tmp_path):
    rng = np.random.default_rng(4)
    weights = {f"layer{k}.weight": rng.normal(size=(3, 3)) for k in range(11)}
    weights |= {f"layer{k}.bias": rng.normal(size=3) for k in range(11)}
    path = tmp_path / "net.safetensors"
    save_file(weights, path)
    x = rng.normal(size=(5, 3))
    a = x
    for k in range(11):
        a = np.tanh(a @ weights[f"layer{k}.weight"].T + weights[f"layer{k}.bias"])
    for source in (path, str(path), weights):
        network = Network.from_weights(source, "tanh")
        assert [node.name for node in network.nodes][::2] == [f"layer{k}" for k in range(11)]
        np.testing.assert_allclose(network.forward(x), a, rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("net.pt", r"net.pt.: is a pickle, which may run code"),
        ("none.safetensors", "cannot be read"),
        ({"kernel": [[1.0]]}, r"must be named NAME\.weight"),
        ({"a.weight": [1.0]}, "must have a matrix of weights"),
        ({"a.bias": [1.0]}, "must have a matrix of weights"),
        ({}, "must be a mapping"),
        (3, "must be a mapping of names to arrays, or the path"),
        ({"a.weight": [[np.nan]]}, "must be finite"),
    ],
)
def test_weights_that_are_none(weights, message):
    with pytest.raises(InvalidArgument, match=message):
        Network.from_weights(weights, "tanh")


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


def _shared_product():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["z"]),
        helper.make_node("Add", ["z", "m"], ["y"]),
    ]
    return model(nodes, {"w": np.eye(2), "b": [10.0, 10.0]})


def _row_of_the_batch():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    return model(nodes, {"w": np.eye(2), "b": [[1.0], [2.0]]})


@pytest.mark.parametrize(
    "made",
    [
        _shared_product(),
        _row_of_the_batch(),
        model([helper.make_node("Gemm", ["x", "w", "x"], ["y"])], {"w": np.eye(2)}),
        model(
            [helper.make_node("Gemm", ["x", "w", "q"], ["y"]), helper.make_node("Relu", ["y"], ["q"])], {"w": np.eye(2)}
        ),
        model(
            [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"], domain="else")],
            {"w": np.eye(2)},
        ),
        model(
            [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Cast", ["m"], ["y"], to=7)],
            {"w": np.eye(2)},
        ),
    ],
    ids=["shared", "by row", "third input", "cycle", "domain", "cast"],
)
def test_what_would_be_read_wrongly_is_refused(made, tmp_path):
    with pytest.raises(InvalidArgument):
        Network.from_onnx(save(tmp_path, made))


def norm_nodes(*, centred, axes, square=True, reciprocal=False, epsilon="epsilon"):
    """As exporters write a norm before opset 17, with its gain and bias, after a dense layer."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"])]
    if centred:
        nodes += [helper.make_node("ReduceMean", ["h"], ["m"], axes=axes), helper.make_node("Sub", ["h", "m"], ["c"])]
    c = "c" if centred else "h"
    nodes += [helper.make_node("Pow" if square else "Mul", [c, "two" if square else c], ["s"])]
    nodes += [helper.make_node("ReduceMean", ["s"], ["v"], axes=axes), helper.make_node("Add", ["v", epsilon], ["p"])]
    nodes += [helper.make_node("Sqrt", ["p"], ["r"])]
    if reciprocal:
        nodes += [helper.make_node("Reciprocal", ["r"], ["i"]), helper.make_node("Mul", ["i", c], ["n"])]
    else:
        nodes += [helper.make_node("Div", [c, "r"], ["n"])]
    return [*nodes, helper.make_node("Mul", ["n", "gain"], ["g"]), helper.make_node("Add", ["g", "shift"], ["y"])]


_NORM = {"w": np.eye(2) + 0.5, "two": 2.0, "epsilon": 1e-5, "gain": [1.5, 0.5], "shift": [0.25, -0.5]}


@pytest.mark.parametrize(
    ("centred", "square", "reciprocal"), [(True, True, False), (False, True, False), (False, False, True)]
)
def test_norms_written_in_operators(centred, square, reciprocal, tmp_path):
    nodes = norm_nodes(centred=centred, axes=[-1], square=square, reciprocal=reciprocal)
    network = Network.from_onnx(save(tmp_path, model(nodes, _NORM)))
    assert [repr(node.operation).partition("(")[0] for node in network.nodes] == [
        "Dense",
        "LayerNorm" if centred else "RMSNorm",
    ]
    x = np.random.default_rng(4).normal(size=(6, 2))
    h = x @ _NORM["w"]
    h = h - h.mean(axis=1, keepdims=True) if centred else h
    expected = h / np.sqrt(np.mean(h**2, axis=1, keepdims=True) + 1e-5) * [1.5, 0.5] + [0.25, -0.5]
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("way", ["one over the root", "gain first", "power", "root as a power", "gain of one number"])
def test_rms_norms_as_people_write_them(way, tmp_path):
    node = helper.make_node
    square = [node("MatMul", ["x", "w"], ["h"]), node("Pow", ["h", "two"], ["s"])]
    square += [node("ReduceMean", ["s"], ["v"], axes=[-1]), node("Add", ["v", "epsilon"], ["p"])]
    match way:
        case "one over the root":
            rest = [node("Sqrt", ["p"], ["r"]), node("Div", ["one", "r"], ["i"]), node("Mul", ["h", "i"], ["n"])]
            rest += [node("Mul", ["n", "gain"], ["y"])]
        case "gain first":
            rest = [node("Sqrt", ["p"], ["r"]), node("Reciprocal", ["r"], ["i"]), node("Mul", ["gain", "h"], ["g"])]
            rest += [node("Mul", ["g", "i"], ["y"])]
        case "power":
            rest = [node("Pow", ["p", "minus_half"], ["i"]), node("Mul", ["h", "i"], ["n"])]
            rest += [node("Mul", ["n", "gain"], ["y"])]
        case "root as a power":
            rest = [
                node("Pow", ["p", "half"], ["r"]),
                node("Div", ["h", "r"], ["n"]),
                node("Mul", ["gain", "n"], ["y"]),
            ]
        case _:
            value = numpy_helper.from_array(np.array([1.5], dtype=np.float32))
            square = square[:1]
            rest = [node("ConstantOfShape", ["shape"], ["ones"], value=value)]
            rest += [node("RMSNormalization", ["h", "ones"], ["y"], epsilon=1e-5)]
    numbers = {"one": 1.0, "half": 0.5, "minus_half": -0.5, "shape": [6, 2]}
    network = Network.from_onnx(save(tmp_path, model(square + rest, _NORM | numbers)))
    assert [repr(each.operation).partition("(")[0] for each in network.nodes] == ["Dense", "RMSNorm"]
    x = np.random.default_rng(6).normal(size=(6, 2))
    h = x @ _NORM["w"]
    gain = [1.5, 1.5] if way == "gain of one number" else _NORM["gain"]
    expected = h / np.sqrt(np.mean(h**2, axis=1, keepdims=True) + 1e-5) * gain
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("sizes", [[2**40, 2], [-1, 2], [3, 3, 3]])
def test_arrays_of_one_number_are_bounded(sizes, tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("ConstantOfShape", ["shape"], ["ones"])]
    nodes += [helper.make_node("RMSNormalization", ["h", "ones"], ["y"])]
    with pytest.raises(InvalidArgument):
        Network.from_onnx(save(tmp_path, model(nodes, {"w": np.eye(2), "shape": sizes})))


@pytest.mark.parametrize(
    ("changed", "options"), [({}, {"axes": [0]}), ({"two": 3.0}, {}), ({"epsilon": [1e-5, 1.0]}, {})]
)
def test_what_is_like_a_norm_is_none(changed, options, tmp_path):
    nodes = norm_nodes(**{"centred": True, "axes": [-1], **options})
    with pytest.raises(InvalidArgument, match="is not understood"):
        Network.from_onnx(save(tmp_path, model(nodes, _NORM | changed)))


def test_a_silu_written_in_operators(tmp_path):
    silu = [helper.make_node("Sigmoid", ["h"], ["s"]), helper.make_node("Mul", ["s", "h"], ["y"])]
    first = helper.make_node("MatMul", ["x", "w"], ["h"])
    network = Network.from_onnx(save(tmp_path, model([first, *silu], {"w": np.eye(2)})))
    x = np.random.default_rng(5).normal(size=(6, 2))
    np.testing.assert_allclose(network.forward(x), x / (1.0 + np.exp(-x)), rtol=1e-12)
    gate = [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["s", "h"], ["y"])]
    with pytest.raises(InvalidArgument, match="Mul at"):
        Network.from_onnx(save(tmp_path, model([first, *gate], {"w": np.eye(2)})))


@pytest.mark.parametrize("kind", ["gate", "alpha", "clip", "cube", "sign"])
def test_what_is_like_an_activation_is_none(kind, tmp_path):
    """One number, or one input, is another."""
    node, first = helper.make_node, helper.make_node("MatMul", ["x", "w"], ["h"])
    arrays = {
        "w": np.eye(2),
        "low": -1.0,
        "high": 2.0,
        "one": 1.0,
        "half": 0.5,
        "k": 0.044715,
        "root": 0.7978845608,
        "3": 3.0,
    }
    parts = {
        "gate": [node("Softplus", ["x"], ["s"]), node("Tanh", ["s"], ["t"]), node("Mul", ["h", "t"], ["y"])],
        "alpha": [node("HardSigmoid", ["h"], ["s"], alpha=0.2), node("Mul", ["h", "s"], ["y"])],
        "clip": [node("Clip", ["h", "low", "high"], ["y"])],
        "cube": [
            node("Pow", ["x", "3"], ["p"]), node("Mul", ["p", "k"], ["q"]), node("Add", ["h", "q"], ["r"]),
            node("Mul", ["r", "root"], ["s"]), node("Tanh", ["s"], ["t"]), node("Add", ["t", "one"], ["u"]),
            node("Mul", ["h", "u"], ["v"]), node("Mul", ["v", "half"], ["y"]),
        ],
        "sign": [node("Abs", ["x"], ["s"]), node("Add", ["s", "one"], ["t"]), node("Div", ["h", "t"], ["y"])],
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match="what is not understood"):
        Network.from_onnx(save(tmp_path, model([first, *parts[kind]], arrays)))


def _square(*names):
    return {f"{name}.weight": np.eye(3) for name in names}


def test_the_order_of_the_alphabet_is_not_that_of_layers():
    names = [f"layers.{k}" for k in range(12)]
    with pytest.raises(InvalidArgument, match=r"'layers.10' stands before 'layers.2', as in the alphabet"):
        Network.from_weights(_square(*sorted(names)), "tanh")
    assert Network.from_weights(_square(*names), "tanh").depth == 12


def test_a_file_without_numbers_in_its_names_tells_no_order_of_layers_alike(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(_square("inp", "hidden", "out"), path)
    with pytest.raises(InvalidArgument, match=r"does not tell the order of 'hidden' and 'inp'"):
        Network.from_weights(path, "tanh")
    assert Network.from_weights(_square("inp", "hidden", "out"), "tanh").depth == 3
    save_file({"a.weight": np.ones((4, 3)), "b.weight": np.ones((2, 4))}, path)
    assert Network.from_weights(path, "tanh").widths == (3, 4, 2)
