"""Parts of a measured module that nothing comes through, forward or backward."""

from typing import Any

from gradtheory.audits.calls import Call
from gradtheory.audits.layers import AuditedLayer

_SHOWN = 8  # of the modules that get no gradient


def silent(parts: list[Call], layers: list[AuditedLayer], module: Any) -> int | None:
    """Return the part that nothing of its input comes through, if a gradient is 0.

    That is the first to give all samples the same, or the one before, if it took the same already, or has nothing that
    it could do otherwise, as an activation: then what is done to the output of that one kills it.
    """
    if all(layer.gain != 0.0 for layer in layers):
        return None
    same = next((k for k, part in enumerate(parts) if part.gave_same and part.takes_floats), None)
    if same is None:
        return None
    is_fixed = next(module.get_submodule(parts[same].name).parameters(), None) is None
    return max(0, same - 1) if parts[same].took_same or is_fixed else same


def unreached(calls: list[Call], module: Any) -> str:
    """Return which modules with trainable parameters took part and get no gradient."""
    reached = {call.name for call in calls if call.is_reached}  # perhaps when it is called again, by a checkpoint
    called = dict.fromkeys(call.name for call in calls if call.name not in reached and call.size)
    names = [name for name in called if _is_trainable(module, name)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"no gradient comes back to {', '.join(names[:_SHOWN])}{more}" if names else ""


def _is_trainable(module: Any, name: str) -> bool:
    return any(parameter.requires_grad for parameter in module.get_submodule(name).parameters(recurse=False))
