"""Whether the units of a tensor move over samples and positions: of those of a dead layer none does."""

from typing import Any

from gradtheory.audits.layers import NAN

_OF_CHANNELS = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm", "Pool")
_OF_LAST = ("Linear", "LayerNorm", "RMSNorm", "Embedding")
_STILL = 1e-12  # what silu lets through at -30: less moves no weight


def unit_axis(tensor: Any, kind: str) -> int:
    """Return the axis of a tensor's units: of an image these are its channels."""
    of_channels = tensor.ndim > 3 if not kind.startswith(_OF_LAST) else False
    return 1 if tensor.ndim > 2 and (of_channels or any(name in kind for name in _OF_CHANNELS)) else -1


def still_share(tensor: Any, kind: str) -> float:
    """Return which share of the units of a tensor moves over no samples and positions; nan where that is not told."""
    if tensor is None or tensor.ndim < 2 or not tensor.numel():
        return NAN
    rows = tensor.detach().movedim(unit_axis(tensor, kind), -1).flatten(0, -2)
    if len(rows) < 2:
        return NAN
    if bool(((rows[0] - rows[-1]).abs() > _STILL).all()):  # as mostly
        return 0.0
    return float((rows.amax(0) - rows.amin(0) <= _STILL).double().mean())
