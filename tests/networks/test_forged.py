"""Forged files, a second set: names twice, what is no file, types, ranks and numbers that fit nothing, and too much of all."""

import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks.readers import files, onnx_file, weights
from tests.networks.test_hostile import onnx_file as written
from tests.networks.test_hostile import safetensors_file, stated

_EYE = numpy_helper.from_array(np.eye(4, dtype="f4"), "w")


def gemm(**options):
    return helper.make_node("Gemm", ["x", "w"], ["y"], transB=1, **options)


def filled(value, shape=(4, 4), name="w"):
    return numpy_helper.from_array(np.full(shape, value), name)


def relu(start, end):
    return helper.make_node("Relu", [start], [end])


def within(depth):
    """A graph within a graph, and so on."""
    graph = helper.make_graph([gemm()], "inner", [], [])
    for _ in range(depth):
        graph = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=graph)], "outer", [], [])
    return list(graph.node)


@pytest.mark.parametrize(
    ("nodes", "tensors", "message"),
    [
        ([gemm()], [_EYE, filled(1.0)], "has 2 values of the name 'w'"),
        ([relu("x", "y"), gemm()], [_EYE], "has 2 values of the name 'y'"),
        ([relu("x", "w"), gemm()], [_EYE], "has 2 values of the name 'w'"),
        ([relu("y", "x"), gemm()], [_EYE], "has 2 values of the name 'x'"),
        ([gemm()], [filled(1j)], "'w' must hold real numbers"),
        ([gemm()], [filled(True)], "'w' must hold real numbers"),
        ([gemm()], [filled("text")], "'w' must hold real numbers"),
        ([gemm()], [filled(1.0, ())], "Gemm at 'y'"),
        ([gemm()], [filled(1.0, (4,))], "Gemm at 'y'"),
        ([gemm()], [filled(1.0, (4, 4, 4))], "Gemm at 'y'"),
        ([gemm()], [], "an output that no operator computes"),
        (
            [gemm()],
            [TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[0, 2**62])],
            "does not hold what its shape",
        ),
        (
            [gemm()],
            [TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1] * 100)],
            "does not hold what its shape",
        ),
        ([gemm(alpha=float("nan"))], [_EYE], "Gemm at 'y'"),
        (
            [helper.make_node("LayerNormalization", ["x", "g"], ["y"], epsilon=-1.0)],
            [filled(1.0, (4,), "g")],
            "LayerNormalization at 'y'",
        ),
        (within(20), [_EYE], "If at 'y'"),
        (
            [helper.make_node("Constant", [], ["w"], value=TensorProto(name="c", data_type=77)), gemm()],
            [],
            "'c' does not",
        ),
    ],
)
def test_forged_onnx(tmp_path, nodes, tensors, message):
    with pytest.raises(InvalidArgument, match=message) as caught:
        gt.Network.from_onnx(written(tmp_path / "net.onnx", nodes, *tensors))
    assert "\n" not in str(caught.value)


def test_more_operators_than_any_network_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_MOST_OPERATORS", 3)
    nodes = [relu("x", "a1"), relu("a1", "a2"), helper.make_node("Gemm", ["a2", "w"], ["y"])]
    assert gt.Network.from_onnx(written(tmp_path / "net.onnx", nodes, _EYE)).depth == 1
    with pytest.raises(InvalidArgument, match="must have at most 3 operators"):
        gt.Network.from_onnx(written(tmp_path / "net.onnx", [relu("x", "a0"), *nodes], _EYE))


@pytest.mark.parametrize(
    ("header", "size", "message"),
    [
        (b'{"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
         b'"a.weight":{"dtype":"F32","shape":[4,1],"data_offsets":[0,16]}}', 16, "has 2 tensors of the name 'a.weight'"),
        (stated([2, 2], 16) | {"a_w": {"dtype": "F32", "shape": [3, 3], "data_offsets": [16, 52]}}, 52, "second array"),
        (stated([2, 2], 16) | {"b.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [8, 24]}}, 24, "invalid offset"),
        (stated([2, 2], 16, "X9"), 16, "unknown variant"),
        (b'{"\xff.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}', 16, "invalid UTF-8"),
        (b'{"__metadata__":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 0, "invalid type"),
        (stated([1] * 100, 4), 4, "100 axes"),
    ],
)  # fmt: skip
def test_forged_safetensors(tmp_path, header, size, message):
    with pytest.raises(InvalidArgument, match=message) as caught:
        gt.Network.from_weights(safetensors_file(tmp_path / "a.safetensors", header, bytes(size)), "tanh")
    assert "\n" not in str(caught.value)


def test_more_tensors_than_any_network_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_MOST_TENSORS", 0)
    with pytest.raises(InvalidArgument, match="must have at most 0 tensors"):
        gt.Network.from_weights(safetensors_file(tmp_path / "a.safetensors", stated([2, 2], 16), bytes(16)), "tanh")


def test_names_with_digits_of_all_kinds_are_sorted():
    assert weights._natural(["a10.w", "a9.w", "a2.w", "b.w"]) == ["a2.w", "a9.w", "a10.w", "b.w"]
    assert weights._natural(["1²2", "9" * 5000, "007"]) == ["1²2", "007", "9" * 5000]  # int() refuses two of these


@pytest.mark.parametrize("read", [gt.Network.from_onnx, lambda path: gt.Network.from_weights(path, "tanh")])
def test_what_is_no_regular_file_is_not_read(tmp_path, monkeypatch, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "large").write_bytes(bytes(2**20 + 1))
    monkeypatch.setattr(files, "MOST_BYTES", 2**20)
    for path, message in (
        (tmp_path / "pipe", "must be a regular file"),
        (tmp_path / "link", "must be a regular file"),
        (tmp_path / "large", "must be a file of at most 1048576 bytes"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "none", "cannot be read: No such file"),
        (tmp_path / "a\0b", "cannot be read: embedded null byte"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            read(path)
