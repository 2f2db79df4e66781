"""Weights by name, in a mapping or a safetensors file, as dense layers in a row."""

import re
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

_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt")
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
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
        layers.setdefault(layer, {})[part] = array
    records = read_activations(activations, len(layers))
    nodes: list[Node] = []
    for number, (name, parts) in enumerate(layers.items()):
        if "w" not in parts or parts["w"].ndim != 2:
            raise InvalidArgument("weights", name, "must have a matrix of weights: NAME.weight, a row for each neuron")
        nodes.append(Node(name, Dense(parts["w"], parts.get("b")), (len(nodes) - 1,)))
        nodes.append(Node(f"{name}.activation", Elementwise(_record(records, number)), (len(nodes) - 1,)))
    return tuple(nodes), int(next(iter(layers.values()))["w"].shape[1])


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


def _read(weights: Any) -> Mapping[str, Array]:
    """Return arrays by name."""
    if isinstance(weights, Mapping):
        if not weights or not all(isinstance(name, str) for name in weights):
            raise InvalidArgument(
                "weights", weights, "must be a mapping such as {'layer1.weight': w, 'layer1.bias': b}"
            )
        raw = {
            name: weight.detach().cpu().double().numpy() if hasattr(weight, "detach") else weight
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
        held = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]  # it states no types
        loaded = {name: _tensor(name, **view) for name, view in held}
    except OSError as error:
        raise InvalidArgument("weights", str(path), f"cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        rule = f"is no safetensors file: {' '.join(str(error).split())[:100]}"
        raise InvalidArgument("weights", str(path), rule) from None
    if not loaded:
        raise InvalidArgument("weights", str(path), "holds no weights")
    return {name: read_finite_array(exact(loaded[name]), name) for name in _natural(list(loaded))}


def _tensor(name: str, dtype: str, shape: Sequence[int], data: bytes) -> Array:
    """Return the array of a tensor in a file; a bfloat16 is the first half of a float32."""
    if dtype not in _TYPES:
        raise InvalidArgument(f"type of {name!r}", dtype, f"must be one of {', '.join(_TYPES)}: convert it to float32")
    raw = np.frombuffer(data, _TYPES[dtype])
    return (raw if dtype != "BF16" else (raw.astype("<u4") << 16).view("<f4")).reshape(shape)


def _natural(names: Sequence[str]) -> list[str]:
    """Return names in the order that people count: layer2 before layer10; the file itself keeps none."""
    return sorted(
        names, key=lambda name: [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
    )
