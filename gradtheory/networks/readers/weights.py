"""Weights by name, in a mapping or a safetensors file, as dense layers in a row."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.chains.layers import read_activations
from gradtheory.errors import InvalidArgument, extra
from gradtheory.networks.nodes import Dense, Elementwise, Node
from gradtheory.networks.readers.building import exact
from gradtheory.networks.readers.files import bytes_of

_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt")
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_MOST_TENSORS = 10_000
_WEIGHT, _BIAS = (".weight", ".w", "_weight", "_w"), (".bias", ".b", "_bias", "_b")


def nodes_of_weights(weights: Any, activations: Any) -> tuple[tuple[Node, ...], int]:
    """Return dense layers in the order of the names, each with its activation.

    Raises
    ------
    InvalidArgument
        If the names or shapes do not make dense layers in a row, or the file is none that is read.

    """
    arrays = _read(weights)
    layers: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        layer, part = _layer(name)
        if part in layers.setdefault(layer, {}):
            raise InvalidArgument("weights", name, f"is a second array of {layer!r}: give each layer one of each kind")
        layers[layer][part] = array
    _check_order(list(layers), weights)
    records = read_activations(activations, len(layers))
    nodes: list[Node] = []
    for number, (name, parts) in enumerate(layers.items()):
        if "w" not in parts or parts["w"].ndim != 2:
            raise InvalidArgument("weights", name, "must have a matrix of weights: NAME.weight, a row for each neuron")
        nodes.append(Node(name, Dense(parts["w"], parts.get("b")), (len(nodes) - 1,)))
        nodes.append(Node(f"{name}.activation", Elementwise(_record(records, number)), (len(nodes) - 1,)))
    if not isinstance(weights, Mapping):
        _check_names({name: parts["w"].shape for name, parts in layers.items()}, weights)
    return tuple(nodes), int(next(iter(layers.values()))["w"].shape[1])


def _check_order(names: Sequence[str], weights: Any) -> None:
    """Raise InvalidArgument where layers are in the order of the alphabet, which is another than that of numbers."""
    counted = _natural(names)
    if names == sorted(names) != counted:
        k = next(k for k, name in enumerate(names) if name != counted[k])
        rule = f"must be in the order of the layers: {names[k]!r} stands before {counted[k]!r}, as in the alphabet"
        raise InvalidArgument("weights", type(weights).__name__, rule)


def _check_names(shapes: Mapping[str, tuple[int, ...]], path: Any) -> None:
    """Raise InvalidArgument where two layers of a file might change places: only numbers in names tell their order."""
    alike: dict[tuple[int, ...], dict[str, str]] = {}
    for name, shape in shapes.items():
        alike.setdefault(shape, {}).setdefault(re.sub(r"\d+", "", name), name)
    for names in alike.values():
        if len(names) > 1:
            first, other, *_ = names.values()
            rule = f"does not tell the order of {first!r} and {other!r}, as no numbers do: pass a mapping in that order"
            raise InvalidArgument("weights", str(path), rule)


def _record(records: Any, number: int) -> Activation:
    record = records[number]
    assert isinstance(record, Activation)  # noqa: S101  # read_activations returns nothing else
    return record


def _layer(name: str) -> tuple[str, str]:
    for part, endings in (("w", _WEIGHT), ("b", _BIAS)):
        for ending in endings:
            if name.endswith(ending):
                return name.removesuffix(ending), part
    raise InvalidArgument("weights", name, "must be named NAME.weight or NAME.bias, as torch names them")


def _as_array(tensor: Any) -> Any:
    return tensor.numpy() if tensor.is_complex() else tensor.double().numpy()  # of short floats NumPy knows not all


def _read(weights: Any) -> Mapping[str, Array]:
    """Return arrays by name."""
    if isinstance(weights, Mapping):
        if not weights or not all(isinstance(name, str) for name in weights):
            raise InvalidArgument(
                "weights", weights, "must be a mapping such as {'layer1.weight': w, 'layer1.bias': b}"
            )
        raw = {
            name: _as_array(weight.detach().cpu()) if hasattr(weight, "detach") else weight
            for name, weight in weights.items()
        }
        return {name: read_finite_array(each, name) for name, each in raw.items()}
    if not isinstance(weights, str | Path):
        raise InvalidArgument(
            "weights", weights, "must be a mapping of names to arrays, or the path of a .safetensors file"
        )
    path = Path(weights)
    if path.suffix in _PICKLES:
        rule = "is a pickle, which may run code when it is loaded: pass the module, or save its weights as .safetensors"
        raise InvalidArgument("weights", str(path), rule)
    with extra("networks"):
        from safetensors import SafetensorError, deserialize
    try:
        data = bytes_of(path, "weights")
        held = deserialize(data)  # type: ignore[no-untyped-call]  # it states no types
    except SafetensorError as error:
        rule = f"is no safetensors file: {' '.join(str(error).split())[:100]}"
        raise InvalidArgument("weights", str(path), rule) from None
    if len(held) > _MOST_TENSORS:
        raise InvalidArgument("weights", str(path), f"must have at most {_MOST_TENSORS} tensors")
    for name, times in Counter(_names(data)).items():
        if times > 1:
            raise InvalidArgument("weights", str(path), f"has {times} tensors of the name {name[:40]!r}")
    loaded = {name: _tensor(name, **view) for name, view in held}
    if not loaded:
        raise InvalidArgument("weights", str(path), "holds no weights")
    return {name: read_finite_array(exact(loaded[name]), name) for name in _natural(list(loaded))}


def _tensor(name: str, dtype: str, shape: Sequence[int], data: bytes) -> Array:
    """Return the array of a tensor in a file; a bfloat16 is the first half of a float32."""
    if dtype not in _TYPES:
        raise InvalidArgument(f"type of {name!r}", dtype, f"must be one of {', '.join(_TYPES)}: convert it to float32")
    if len(shape) > 2:
        raise InvalidArgument(f"shape of {name!r}", f"{len(shape)} axes", "must be that of a matrix or a vector")
    raw = np.frombuffer(data, _TYPES[dtype])
    return (raw if dtype != "BF16" else (raw.astype("<u4") << 16).view("<f4")).reshape(shape)


def _names(data: bytes) -> list[str]:
    """Return the names in the header of a file that has been read: JSON, where a name may stand twice."""
    pairs: list[tuple[str, Any]] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=list)
    return [name for name, _ in pairs]


def _natural(names: Sequence[str]) -> list[str]:
    """Return names in the order that people count: layer2 before layer10; the file itself keeps none."""
    return sorted(names, key=lambda name: [_order(part) for part in re.split(r"(\d+)", name)])


def _order(part: str) -> tuple[int, str]:
    """Return what sorts text before numbers, and numbers by their size."""
    digits = part.lstrip("0")
    return (len(digits), digits) if part.isdecimal() else (-1, part)
