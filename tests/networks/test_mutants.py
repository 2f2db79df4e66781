"""Mutants of safetensors files: whatever a header says, a file is read as it stands or refused in one line."""

import json
import random
import struct
import tracemalloc

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from tests.networks.test_hostile import safetensors_file

_SIZES = (0, 1, 2, 3, 4, -1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, 1.5, 1e300, "4", None, True, [2])
_TYPES = (
    "I32",
    "U32",
    "I32",
    "F64",
    "F16",
    "BF16",
    "I64",
    "U8",
    "BOOL",
    "F8_E4M3",
    "f32",
    "",
    None,
    7,
    ["F32"],
    "F32\0",
)
_NAMES = ("", "a.weight", "b", "x" * 5000, "__metadata__", "\0", "\ud800", "0" * 400 + ".weight", "9" * 30 + ".bias")
_MOST_BYTES = 2**22  # of memory: a file here has less than 2**13, but for a header with a long name


def healthy(rng):
    """Return a header and data of two dense layers."""
    shapes = {"a.weight": [3, 2], "a.bias": [3], "b.weight": [2, 3], "b.bias": [2]}
    header, data = {}, b""
    for name, shape in shapes.items():
        part = struct.pack(f"<{np.prod(shape)}f", *(rng.uniform(-1, 1) for _ in range(np.prod(shape))))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    return header, data


def mutated(rng):
    """Return the header as text, the data, and the length that is stated."""
    header, data = healthy(rng)
    name = rng.choice(list(header))
    entry, other = header[name], header[rng.choice(list(header))]
    kind = rng.randrange(14)
    match kind:
        case 0 | 1:
            entry["data_offsets"] = [rng.choice(_SIZES), rng.choice(_SIZES)]
        case 2:
            entry["shape"] = [rng.choice(_SIZES) for _ in range(rng.randrange(6))]
        case 3:
            entry["dtype"] = rng.choice(_TYPES)
        case 4:
            entry["data_offsets"] = other["data_offsets"]
        case 5:
            del entry[rng.choice(list(entry))]
        case 6:
            header[rng.choice(_NAMES)] = header.pop(name)
        case 7:
            entry["shape"] = [0, *entry["shape"]] if rng.random() < 0.5 else [1] * rng.choice([0, 3, 2000])
        case 8 | 9:
            name = "__metadata__" if kind == 8 else name
            header[name] = rng.choice([None, [], {}, "x", 3, [[[]]], {"a": "b"}, {"dtype": {}, "shape": {"a": []}}])
    text = json.dumps(header).encode()
    match kind:
        case 10:
            doubled = json.dumps({name: entry})[1:-1]
            text = f"{text.decode()[:-1]}, {doubled}}}".encode()
        case 11:
            deep = rng.choice([100, 5000, 100_000])
            text = rng.choice([b"[" * deep + b"]" * deep, b'{"a":' * deep + b"0" + b"}" * deep, b"[" * deep])
        case 12:
            place = rng.randrange(len(text))
            text = text[:place] + bytes(rng.randrange(256) for _ in range(rng.randrange(4))) + text[place + 1 :]
    if rng.random() < 0.2:
        data = data[: rng.randrange(len(data))] if rng.random() < 0.5 else data + bytes(rng.randrange(1, 40))
    lengths = (0, 1, len(text) - 1, len(text) + 1, len(text) + len(data), 2**31, 2**62, 2**63, 2**64 - 1)
    return text, data, rng.choice(lengths) if kind == 13 else len(text)


def check(path, seed):
    path.write_bytes(b"")
    text, data, length = mutated(random.Random(seed))
    safetensors_file(path, text, data, length)
    if seed % 7 == 0:
        path.write_bytes(path.read_bytes()[: random.Random(-seed).randrange(len(text) + 8)])
    try:
        network = gt.Network.from_weights(path, "tanh")
    except InvalidArgument as error:
        network, told = None, str(error)
    if network is None:
        assert "\n" not in told
        assert len(told) < 1000
        return False
    assert all(np.isfinite(w).all() and w.size <= len(data) for w in network.w)
    return True


@pytest.mark.parametrize(
    "seeds", [range(60), pytest.param(range(60, 2000), marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_mutants_of_headers(tmp_path, seeds):
    check(tmp_path / "a.safetensors", 0)  # what is imported is not counted
    tracemalloc.start()
    try:
        read = sum(check(tmp_path / "a.safetensors", seed) for seed in seeds)
        assert tracemalloc.get_traced_memory()[1] < _MOST_BYTES
    finally:
        tracemalloc.stop()
    assert 0 < read < 0.6 * len(seeds)  # some mutants mean the same
