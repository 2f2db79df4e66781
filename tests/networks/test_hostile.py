"""Files that lie: each is refused with one line, and nothing in it is run, followed or allocated."""

import json
import struct

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import gradtheory as gt
from gradtheory.cli import main
from gradtheory.errors import InvalidArgument

_LAYER = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)


def onnx_file(path, nodes, *tensors):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], tensors)
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def tensor(dims, kind=TensorProto.FLOAT, location=None):
    made = TensorProto(name="w", data_type=kind, raw_data=bytes(64))
    made.dims.extend(dims)
    if location is not None:
        made.ClearField("raw_data")
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value=location)
    return made


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (tensor([4, 4], location="/etc/passwd"), "keeps 'w' in another file"),
        (tensor([4, 4], location="../../secret"), "keeps 'w' in another file"),
        (tensor([2**31, 2**31]), "must have at most"),
        (tensor([2**10, 2**10]), "does not hold what its shape says"),
        (tensor([-4, -4]), "does not hold what its shape says"),
        (tensor([4, 4], kind=99), "does not hold what its shape says"),
        (tensor([0, 4]), "does not hold what its shape says"),
    ],
)
def test_lying_onnx_weights(tmp_path, weights, message):
    with pytest.raises(InvalidArgument, match=message):
        gt.Network.from_onnx(onnx_file(tmp_path / "net.onnx", [_LAYER], weights))


def test_loops_are_not_walked(tmp_path):
    circle = [helper.make_node("Relu", [a], [b]) for a, b in ("ba", "ab")]
    eye = numpy_helper.from_array(np.eye(4, dtype="f4"), "w")
    path = onnx_file(tmp_path / "net.onnx", [*circle, helper.make_node("Add", ["x", "b"], ["y"])])
    with pytest.raises(InvalidArgument, match="an output that no operator computes"):
        gt.Network.from_onnx(path)
    doubled = [helper.make_node("Add", [f"a{k}", f"a{k}"], [f"a{k + 1}"]) for k in range(60)]
    doubled[0].input[:] = ["x", "x"]
    path = onnx_file(tmp_path / "net.onnx", [*doubled, helper.make_node("Gemm", ["a60", "w"], ["y"])], eye)
    assert gt.Network.from_onnx(path).forward(np.ones((1, 4)))[0, 0] == 2.0**60  # a walk over paths would not end
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidArgument, match="is no ONNX file"):
        gt.Network.from_onnx(path)


def safetensors_file(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def stated(shape, size, dtype="F32"):
    return {"a.weight": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}


@pytest.mark.parametrize(
    ("header", "size", "length", "message"),
    [
        (stated([1000, 1000], 64), 64, None, "is no safetensors file"),
        (stated([4, 4], 6400), 64, None, "is no safetensors file"),
        (stated([2**33, 2**33], 64), 64, None, "is no safetensors file"),
        (b"{}", 0, 2**62, "header too large"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 0, None, "recursion limit"),
        ({}, 0, None, "holds no weights"),
        (stated([0, 4], 0), 0, None, r"must be \(n, 4\)"),
        (stated([4, 4], 16, "F8_E4M3"), 16, None, "convert it to float32"),
    ],
)
def test_lying_safetensors(tmp_path, header, size, length, message):
    with pytest.raises(InvalidArgument, match=message):
        gt.Network.from_weights(safetensors_file(tmp_path / "a.safetensors", header, bytes(size), length), "tanh")


def test_bfloat16_weights_are_exact(tmp_path):
    values = np.array([[1.0, -0.5], [3.140625, 2.0**-126]], dtype="<f4")
    data = (values.view("<u4") >> 16).astype("<u2").tobytes()
    network = gt.Network.from_weights(
        safetensors_file(tmp_path / "a.safetensors", stated([2, 2], 8, "BF16"), data), "tanh"
    )
    np.testing.assert_array_equal(network.w[0], values)


def test_a_shape_beyond_all_bounds_in_a_npy_file(tmp_path, capsys):
    network = onnx_file(tmp_path / "net.onnx", [_LAYER], numpy_helper.from_array(np.eye(4, dtype="f4"), "w"))
    for header in ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000000), }", "__import__('os')"):
        text = header.encode().ljust(117) + b"\n"
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
        assert main(["audit", str(network), "--data", str(tmp_path / "x.npy")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
