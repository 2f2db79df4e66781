"""What norms between the parts of a measured module do to the gradient: they divide it by the size of their input."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gradtheory.audits.branches import groups
from gradtheory.audits.layers import DIVIDED, INNER, NAN, NORMED, AuditedBlock
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import is_joined
from gradtheory.audits.thresholds import ALONE

_SMALL = 0.1  # the root mean square of what a norm takes: embeddings start at 0.02
_LIKE = 2.0  # times the inverse size of its input, which is the usual gain of a layer with a norm

_UNCOUNTED = "the verdict does not count it"


def learns_from_batches(part: Any) -> bool:
    """Return whether a part computes something else in training, and not by chance.

    A batch norm divides by the statistics of the batch, and the first spectral norm of torch improves what it divides
    by with each batch, which is far from right before the first.
    """
    hooks = part._forward_pre_hooks.values()
    return "BatchNorm" in type(part).__name__ or any(type(hook).__name__ == "SpectralNorm" for hook in hooks)


def divisor(part: Call, before: Call | None) -> str:
    """Return what a layer is called, if the part after it is a norm that takes its output, not a sum with it."""
    if "BatchNorm" in part.kind:
        return DIVIDED
    return NORMED if _is_norm(part) and before is not None and part.taken == before.given else ""


def _is_norm(call: Call) -> bool:
    return "Norm" in call.kind and "BatchNorm" not in call.kind


def why_uncounted(part: Call, gain: float, calls: Sequence[Call]) -> str:
    """Return why the gain of a part does not count: its input is small, or holds more than the part before gave."""
    if not 1.0 / ALONE < gain < ALONE and is_joined(part.began, {calls[k].left for k in part.sources}):
        return f"its gain is {gain:.3g}, as the gradient goes to what is joined to its input, too: {_UNCOUNTED}"
    return _of_small_input(part, gain, calls)


def _of_small_input(part: Call, gain: float, calls: Sequence[Call]) -> str:
    """Return why a part with a norm makes the gradient grow: its input is small, and the norm divides by that.

    Most of the gradient may come to one small token, as that of a class.
    """
    waiting, has_norm = [part], False
    while waiting and not has_norm:
        call = waiting.pop()
        has_norm = _is_norm(call)
        waiting += [calls[k] for k in call.children]
    if not has_norm:
        return ""
    return _small_input(part.took_size, gain) or _small_input(part.took_least, gain)


def _small_input(size: float, gain: float) -> str:
    """Return why what begins with a norm makes the gradient grow: its input is small, and the norm divides by that."""
    return _told(size, gain) if 0.0 < size < _SMALL and ALONE < gain < _LIKE / size else ""


def mark_branches(blocks: list[AuditedBlock], between: Callable[[int, int], float]) -> dict[str, str]:
    """Note in the blocks of each branch what its gain is, and return why some do not count, by name.

    It is the product of theirs, or the gain between two parts, where weights in it start with 0.
    """
    remarks: dict[str, str] = {}
    for branch in groups(blocks):
        if len(branch) > 1:
            first, last = blocks[branch[0]], blocks[branch[-1]]
            product = math.prod(blocks[number].in_branch for number in branch)
            whole = product if product > 0.0 else between(first.layers[0], last.layers[-1])
            if "Norm" in first.kind and (told := _small_input(first.took, whole)):
                remarks[first.name], whole = told, NAN
            within = f"{INNER}{' '.join(blocks[number].kind for number in branch)}"
            for place, number in enumerate(branch):
                kind = f"{blocks[number].kind}{within}, {place}"
                blocks[number] = replace(blocks[number], kind=kind, whole=whole)
    return remarks


def of_any_scale(block: AuditedBlock, layer: Call) -> tuple[AuditedBlock, str]:
    """Return a layer with its norm as one of no known gain, and why, if it takes data of another scale than usual."""
    size, gain = layer.took_size, block.gain
    grows, fades = 0.0 < size < _SMALL and gain > ALONE, size > 1.0 / _SMALL and gain * ALONE < 1.0
    most = _LIKE * max(size, 1.0 / size) if size > 0.0 else 0.0
    if not ((grows or fades) and 1.0 / most < gain < most):
        return block, ""
    return replace(block, gain=NAN, of_all=NAN), _told(size, block.gain)


def _told(size: float, gain: float) -> str:
    why = f"as its input is {'small' if size < 1.0 else 'large'}, {size:.3g}, and its norm divides by that"
    return f"its gain is {gain:.3g}, {why}: {_UNCOUNTED}"
