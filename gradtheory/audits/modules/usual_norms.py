"""The norms of a measured module whose weights are unlike those of the others, and the module with usual ones."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

from gradtheory.audits.layers import MADE_ALIKE, module_of
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.tensors import square_sum
from gradtheory.audits.odd_norms import OddNorm
from gradtheory.audits.thresholds import WEIGHTS


def odd_norms_within(
    module: Any, rows: Sequence[str], calls: Sequence[Call]
) -> tuple[list[OddNorm], list[tuple[Any, float]]]:
    """Return the norms whose weights are far from the others', the furthest first, and these weights, and how far.

    Each is named after the row of the audit that is it, or holds it. Those that no gradient comes to do nothing.
    """
    reached = {call.name for call in calls if call.is_reached}
    weights = {path: part.weight for path, part in module.named_modules() if path in reached and _has_gain(part)}
    sizes = {path: math.sqrt(float(square_sum(each)) / each.numel()) for path, each in weights.items()}
    usual = median(sizes.values()) if len(sizes) > MADE_ALIKE else 0.0
    times = {path: size / usual for path, size in sizes.items() if 0.0 < usual < math.inf and 0.0 < size < math.inf}
    far = {path: each for path, each in times.items() if abs(math.log(each)) > math.log(WEIGHTS)}
    order = sorted(far, key=lambda path: -abs(math.log(far[path])))
    names = [module_of(row) for row in rows]
    odd: list[OddNorm] = []
    for path in order:
        row = next((name for name in names if f"{path}.".startswith(f"{name}.")), path)
        odd.append(OddNorm(row, far[path], f"{path}.weight"[len(row) + 1 :]))
    return odd, [(weights[path], far[path]) for path in order]


def _has_gain(part: Any) -> bool:
    """Return whether a module is a norm with a weight for each channel."""
    weight = part._parameters.get("weight")
    return "Norm" in type(part).__name__ and weight is not None and weight.ndim == 1 and weight.numel() > 0


@contextmanager
def divided(weights: Sequence[tuple[Any, float]]) -> Iterator[None]:
    """Let weights be so many times smaller while the context lasts; the numbers themselves are not touched."""
    own = {weight: weight.data for weight, _ in weights}
    try:
        for weight, times in weights:
            weight.data = own[weight] / times
        yield
    finally:
        for weight, data in own.items():
            weight.data = data
