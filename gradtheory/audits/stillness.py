"""Whether the units of a tensor move over samples and positions: of those of a dead layer none does."""

from typing import Any

_OF_CHANNELS = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm", "Pool")
_OF_LAST = ("Linear", "LayerNorm", "RMSNorm", "Embedding")
_STILL = 1e-12  # what silu lets through at -30: less moves no weight


def unit_axis(tensor: Any, kind: str) -> int:
    """Return the axis of a tensor's units: of an image these are its channels."""
    of_channels = tensor.ndim > 3 if not kind.startswith(_OF_LAST) else False
    return 1 if tensor.ndim > 2 and (of_channels or any(name in kind for name in _OF_CHANNELS)) else -1


def is_still(tensor: Any, kind: str) -> bool | None:
    """Return whether no unit of a tensor moves over samples and positions; None where that cannot be told."""
    if tensor is None or tensor.ndim < 2 or not tensor.numel():
        return None
    rows = tensor.detach().movedim(unit_axis(tensor, kind), -1).flatten(0, -2)
    if len(rows) < 2:
        return None
    is_moving = ((rows[0] - rows[-1]).abs() > _STILL).any()  # as most do
    return not bool(is_moving) and bool((rows.amax(0) - rows.amin(0) <= _STILL).all())
