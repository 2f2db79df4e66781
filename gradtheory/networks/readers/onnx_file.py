# Above 300 lines: one walk over the operators of a file, with what each becomes
"""ONNX files as nodes: Gemm, MatMul and Add, activations, norms and residual sums; nothing in a file is ever run.

A file is bounded in size, and weights that it keeps in other files are refused, so that no path of its own is followed.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import GradTheoryError, InvalidArgument, extra
from gradtheory.networks.nodes import Dense, LayerNorm, Node, Operation, Scale, Sum
from gradtheory.networks.readers.building import Builder, exact
from gradtheory.networks.readers.files import bytes_of
from gradtheory.networks.readers.onnx_patterns import Pattern, patterns

_MOST_OPERATORS = 30_000
_MOST_ENTRIES = 2**28
_MOST_AXES = 8
_ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, tuple[str, float]]]] = {
    "Relu": ("relu", {}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Erf": ("erf", {}),
    "Sin": ("sine", {}),
    "Cos": ("cosine", {}),
    "Exp": ("exponential", {}),
    "Atan": ("arctan", {}),
    "Asinh": ("arsinh", {}),
    "Mish": ("mish", {}),
    "HardSwish": ("hard_swish", {}),
    "Elu": ("elu", {"alpha": ("alpha", 1.0)}),
    "Celu": ("celu", {"alpha": ("alpha", 1.0)}),
    "LeakyRelu": ("leaky_relu", {"slope": ("alpha", 0.01)}),
}
_CLIPPED: Mapping[tuple[Any, ...], str] = {(-1.0, 1.0): "hard_tanh", (0.0, 6.0): "relu6"}
_NOTHING = ("Identity", "Dropout", "Flatten")
_EXACT_TYPES = (1, 11)  # float32 and float64, which round nothing that matters here


def nodes_of_file(path: Path) -> tuple[tuple[Node, ...], int]:
    """Return the nodes of an ONNX file, and the width of its input.

    Raises
    ------
    MissingDependency
        If the extra "networks" is not installed.
    InvalidArgument
        If it is no such file, or holds what is not understood: then the message lists all of it.

    """
    with extra("networks"):
        import onnx
        from google.protobuf.message import DecodeError
    try:
        model = onnx.load_model_from_string(bytes_of(path, "path"))
    except DecodeError:
        raise InvalidArgument("path", str(path), "is no ONNX file") from None
    if not model.graph.node:
        raise InvalidArgument("path", str(path), "is no ONNX file, or one without operators")
    if len(model.graph.node) > _MOST_OPERATORS:
        raise InvalidArgument("path", str(path), f"must have at most {_MOST_OPERATORS} operators")
    return _Reader(model.graph, path, onnx.numpy_helper.to_array).read()


class _Reader:
    """A walk over a graph, whose nodes stand in the order of the forward pass."""

    def __init__(self, graph: Any, path: Path, to_array: Callable[[Any], Any]) -> None:
        self._graph, self._path, self._to_array = graph, path, to_array
        self._builder = Builder("path", str(path))
        self._arrays: dict[str, Array] = {}
        self._patterns: dict[str, Pattern] = {}
        self._within: set[str] = set()  # what is a step of these
        self._takers = Counter(name for node in graph.node for name in node.input)

    def read(self) -> tuple[tuple[Node, ...], int]:
        """Return the nodes and the width of the input."""
        for tensor in self._graph.initializer:
            self._arrays[tensor.name] = self._array(tensor)
        self._only_one_of_each_name()
        inputs = [value.name for value in self._graph.input if value.name not in self._arrays]
        outputs = [value.name for value in self._graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            rule = "must have one input and one output"
            raise InvalidArgument("path", str(self._path), f"{rule}, not {len(inputs)} and {len(outputs)}")
        self._builder.places[inputs[0]] = -1
        for node in self._graph.node:
            self._constant(node)
        self._patterns = patterns(self._graph.node, self._arrays)
        self._within = {name for pattern in self._patterns.values() for name in pattern.within}
        for node in self._graph.node:
            self._step(node)
        if not self._builder.knows(outputs[0]) and not self._builder.problems:
            self._builder.refuse(outputs[0], "an output that no operator computes", outputs[0])
        return self._builder.finish(outputs[0])

    def _only_one_of_each_name(self) -> None:
        """Refuse values that are computed or stored twice: which is meant would depend on the reader."""
        names = Counter(tensor.name for tensor in self._graph.initializer)
        names.update(name for node in self._graph.node for name in node.output if name)
        names.update({value.name for value in self._graph.input} - self._arrays.keys())
        name, times = max(names.items(), key=lambda item: item[1], default=("", 0))
        if times > 1:
            raise InvalidArgument("path", str(self._path), f"has {times} values of the name {name[:40]!r}")

    def _array(self, tensor: Any) -> Array:
        """Return weights, if they stand in the file and are as many as it says."""
        entries = int(np.prod([int(size) for size in tensor.dims], dtype=object)) if tensor.dims else 1
        if tensor.data_location == 1 or tensor.external_data:
            rule = "store it in this one, as torch.onnx.export(…, external_data=False) does"
            raise InvalidArgument("path", str(self._path), f"keeps {tensor.name!r} in another file: {rule}")
        if not 0 <= entries <= _MOST_ENTRIES:
            raise InvalidArgument("path", str(self._path), f"{tensor.name!r} must have at most {_MOST_ENTRIES} entries")
        try:
            array = self._to_array(tensor)
            weights = None if array.dtype.kind in "cSUOb" else exact(array)
        except (ValueError, TypeError, KeyError) as error:  # KeyError: an unknown type
            rule = f"{tensor.name!r} does not hold what its shape says: {' '.join(str(error).split())[:100]}"
            raise InvalidArgument("path", str(self._path), rule) from None
        if weights is None:
            raise InvalidArgument("path", str(self._path), f"{tensor.name!r} must hold real numbers")
        return weights

    def _constant(self, node: Any) -> None:
        """Keep what a constant holds."""
        if node.op_type == "Identity" and len(node.input) == 1 and node.input[0] in self._arrays:
            self._arrays[node.output[0]] = self._arrays[node.input[0]]
        if node.op_type == "ConstantOfShape" and len(node.output) == 1 and node.input[0] in self._arrays:
            self._filled(node)
        if node.op_type == "Constant" and len(node.output) == 1:
            for attribute in node.attribute:
                if attribute.name == "value":
                    self._arrays[node.output[0]] = self._array(attribute.t)
                elif attribute.name == "value_float":
                    self._arrays[node.output[0]] = np.asarray(float(attribute.f))

    def _filled(self, node: Any) -> None:
        """Keep an array of one number."""
        shape = [int(size) for size in self._arrays[node.input[0]].ravel()[:_MOST_AXES]]
        number = next((self._array(each.t) for each in node.attribute if each.name == "value"), np.zeros(1))
        if 0 <= math.prod(shape) <= _MOST_ENTRIES and min(shape, default=0) >= 0 and number.size == 1:
            self._arrays[node.output[0]] = np.full(shape, number.item())

    def _step(self, node: Any) -> None:
        """Add what one operator does."""
        where, result = node.name or (node.output[0] if node.output else "?"), node.output[0] if node.output else None
        pattern = None if result is None or result in self._within else self._patterns.get(result)
        if pattern is not None and self._builder.knows(pattern.source):
            if isinstance(pattern.operation, str):
                self._builder.element(result, where, pattern.source, pattern.operation)
            else:
                self._builder.add(result, where, pattern.operation, pattern.source)
            return
        if result in self._arrays or result in self._within:
            return  # a constant, or a step of what is written in operators
        known = [name for name in node.input if name in self._builder.places]
        if any(name and name not in self._arrays and name not in self._builder.places for name in node.input):
            return  # follows something that is not understood, or itself
        try:
            is_onnx = node.domain in ("", "ai.onnx")
            done = is_onnx and result is not None and bool(known) and self._operator(node, result, where, known)
        except (GradTheoryError, ValueError, TypeError, IndexError, KeyError):
            done = False
        if not done:
            self._builder.refuse(result, node.op_type, where)

    def _operator(self, node: Any, result: str, where: str, known: list[str]) -> bool:
        """Add an operator; return whether it is understood."""
        options = {each.name: _option(each) for each in node.attribute}
        constants = [self._arrays[name] for name in node.input if name in self._arrays]
        if node.op_type == "Clip" and list(node.input[:1]) == known:
            given: list[Any] = [each.item() for each in constants] or [options.get("min"), options.get("max")]
            which = _CLIPPED.get(tuple(given)) if len(node.input) in (1, 3) else None
            if which is not None:
                self._builder.element(result, where, known[0], which)
            return which is not None
        if constants or len(known) > 1:
            return self._with_weights(node, result, where, known, constants, options)
        return self._without_weights(node.op_type, result, where, known[0], options)

    def _with_weights(
        self, node: Any, result: str, where: str, known: list[str], constants: list[Array], options: dict[str, Any]
    ) -> bool:
        """Add a dense layer, a norm, a sum or a factor."""
        kind, add, source = node.op_type, self._builder.add, known[0]
        comes_first = node.input[0] == source and len(known) == 1
        match kind:
            case "Gemm" if comes_first and constants[0].ndim == 2 and not options.get("transA"):
                w = constants[0] if options.get("transB") else np.ascontiguousarray(constants[0].T)
                b = _spread(constants[1], len(w)) * options.get("beta", 1.0) if len(constants) > 1 else None
                add(result, where, Dense(w * options.get("alpha", 1.0), b), source)
            case "MatMul" if comes_first and constants[0].ndim == 2:
                add(result, where, Dense(np.ascontiguousarray(constants[0].T)), source)
            case "Add" if len(known) == 2:
                add(result, where, Sum(), *known)
            case "Add" if len(known) == 1:
                return self._bias(result, source, constants[0])
            case "Mul" | "Div" if len(known) == 1 and (comes_first or kind == "Mul"):
                factor = _row(constants[0])
                if kind == "Div" and not np.all(factor):
                    return False
                if kind == "Mul" and self._joins(source, gain=factor, result=result):
                    return True
                add(result, where, Scale(1.0 / factor if kind == "Div" else factor), source)
            case "LayerNormalization" | "RMSNormalization" if (
                comes_first and options.get("axis", -1) in (-1, 1) and options.get("epsilon", 1e-5) >= 0.0
            ):
                is_centred = kind == "LayerNormalization"
                bias = constants[1] if is_centred and len(constants) > 1 else None
                gain = _row(np.unique(constants[0], axis=0)) if constants[0].ndim == 2 else constants[0]
                add(result, where, LayerNorm(gain, bias, options.get("epsilon", 1e-5), is_centred), source)
            case "Dropout":
                self._builder.same(result, source)
            case _:
                return False
        return True

    def _without_weights(self, kind: str, result: str, where: str, source: str, options: dict[str, Any]) -> bool:
        """Add an activation, or nothing."""
        element = self._builder.element
        if kind in _NOTHING or (kind == "Cast" and options.get("to") in _EXACT_TYPES):
            self._builder.same(result, source)
        elif kind == "Gelu":
            element(result, where, source, "gelu_tanh" if options.get("approximate") == "tanh" else "gelu")
        elif kind == "Selu" and {"alpha", "gamma"}.isdisjoint(options):
            element(result, where, source, "selu")
        elif (
            kind == "HardSigmoid" and options.get("beta", 0.5) == 0.5
        ):  # the catalogue's, max(0, min(1, slope·x + 1/2))
            element(result, where, source, "hard_sigmoid", slope=options.get("alpha", 0.2))
        elif kind in _ACTIVATIONS:
            which, parameters = _ACTIVATIONS[kind]
            values = {key: options.get(name, default) for key, (name, default) in parameters.items()}
            element(result, where, source, which, **values)
        else:
            return False
        return True

    def _bias(self, result: str, source: str, b: Array) -> bool:
        """Give a bias to the dense layer or the norm that has just been added without one."""
        return self._joins(source, bias=_row(b), result=result)

    def _joins(self, source: str, *, result: str, gain: Array | None = None, bias: Array | None = None) -> bool:
        """Give a gain or a bias to the node that has just been added without; return whether it takes it.

        Exporters write a dense layer as MatMul and Add, and a norm without its gain and bias.
        """
        place = self._builder.places[source]
        node = self._builder.nodes[place] if place >= 0 else None
        if node is None or not self._is_alone(place):
            return False  # others take what is there without
        match node.operation:
            case Dense(w=w, b=None) if bias is not None:
                changed: Operation = Dense(w, _spread(bias, len(w)))
            case LayerNorm(gain=None, bias=None) as norm if gain is not None and gain.ndim == 1:
                changed = replace(norm, gain=gain)
            case LayerNorm(gain=known, bias=None) as norm if bias is not None and known is not None:
                changed = replace(norm, bias=_spread(bias, len(known)))
            case _:
                return False
        self._builder.nodes[place] = Node(node.name, changed, node.sources)
        self._builder.same(result, source)
        return True

    def _is_alone(self, place: int) -> bool:
        """Return whether one operator takes what a node gives, whatever its names; each but the first takes one."""
        names = self._builder.holders[place]
        is_output = any(value.name in names for value in self._graph.output)
        return not is_output and sum(self._takers[str(name)] for name in names) == len(names)


def _spread(b: Array, width: int) -> Array:
    """Return a bias of that width, from one of shape (width,), (1, width) or ()."""
    return np.array(np.broadcast_to(_row(b), (width,)))


def _row(array: Array) -> Array:
    """Return an array of shape (n,), (1, n) or (), without axes of length 1; another would be spread over the batch."""
    if array.ndim > 2 or (array.ndim == 2 and len(array) != 1):
        raise ValueError("is not a row")
    return np.squeeze(array)


def _option(attribute: Any) -> Any:
    """Return an attribute's value; a float32 as the shortest decimal that is it."""
    match attribute.type:
        case 1:
            if not math.isfinite(attribute.f):
                raise ValueError("is not finite")
            return float(str(np.float32(attribute.f)))
        case 2:
            return attribute.i
        case 3:
            return attribute.s.decode("utf-8", "replace")
    return None
