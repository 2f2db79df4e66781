"""Weights that hold nan or inf before anything is run: what follows from them is no fault of what they are in."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.modules.tensors import as_real, entries, is_of_numbers
from gradtheory.networks import Node
from gradtheory.networks.parameters import slots

_WORDS = {"w": "weight", "b": "bias"}


def broken_nodes(nodes: Sequence[Node]) -> dict[str, str]:
    """Return the nodes of a network with parameters that are not finite, and what these hold."""
    named = (
        (nodes[slot.place].name, _WORDS.get(slot.name, slot.name), getattr(nodes[slot.place].operation, slot.name))
        for slot in slots(nodes)
    )
    return _told((name, parameter, value) for name, parameter, value in named if not np.isfinite(value).all())


def broken_modules(module: Any) -> dict[str, str]:
    """Return the parts of a torch module with parameters that are not finite, or buffers that hold nan.

    A buffer with inf is a mask. The running statistics of a batch norm in training are not taken, but written.
    """
    return _told(
        (name, parameter, as_real(value.detach()).double().cpu().numpy()) for name, parameter, value in _tensors(module)
    )


def _tensors(module: Any) -> Iterator[tuple[str, str, Any]]:
    for path, part in module.named_modules():
        name = path or type(part).__name__
        for parameter, value in part.named_parameters(recurse=False):
            if is_of_numbers(value) and not bool(value.isfinite().all()):
                yield name, parameter, value
        is_written = part.training and "BatchNorm" in type(part).__name__
        for buffer, value in () if is_written else part.named_buffers(recurse=False):
            if is_of_numbers(value) and bool(entries(value).isnan().any()):
                yield name, buffer, entries(value)


def _told(parameters: Iterable[tuple[str, str, Array]]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, parameter, value in parameters:
        number, what = int((~np.isfinite(value)).sum()), "nan" if np.isnan(value).any() else "inf"
        told.setdefault(
            name, f"its {parameter} holds {what} before anything is run, in {number} of {value.size} entries"
        )
    return told
