"""Weights by name, in a mapping or a safetensors file, as dense layers in a row."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.chains.layers import read_activations
from gradtheory.errors import InvalidArgument, extra
from gradtheory.networks.nodes import Dense, Elementwise, Node
from gradtheory.networks.readers.building import exact

_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt")
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
            name: each.detach().cpu().double().numpy() if hasattr(each, "detach") else each
            for name, each in weights.items()
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
        from safetensors import SafetensorError
        from safetensors.numpy import load
    try:
        loaded = load(path.read_bytes())
    except OSError as error:
        raise InvalidArgument("weights", str(path), f"cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        rule = f"is no safetensors file: {' '.join(str(error).split())[:100]}"
        raise InvalidArgument("weights", str(path), rule) from None
    return {name: read_finite_array(exact(loaded[name]), name) for name in _natural(list(loaded))}


def _natural(names: Sequence[str]) -> list[str]:
    """Return names in the order that people count: layer2 before layer10; the file itself keeps none."""
    return sorted(
        names, key=lambda name: [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
    )
