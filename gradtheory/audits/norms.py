"""What norms between the parts of a measured module do to the gradient: they divide it by the size of their input."""

import math
from collections.abc import Sequence

from gradtheory.audits.calls import Call
from gradtheory.audits.layers import DIVIDED, NAN, NORMED
from gradtheory.audits.outliers import ALONE, MATTERS
from gradtheory.audits.summary import called

_SMALL = 0.1  # the root mean square of what a norm takes: embeddings start at 0.02


def divisor(kind: str) -> str:
    """Return what a layer before a module of this kind is called, if that is a norm."""
    if "Norm" not in kind:
        return ""
    return DIVIDED if "BatchNorm" in kind else NORMED


def of_small_input(part: Call, before: Call, gain: float, calls: Sequence[Call]) -> str:
    """Return why a part with a norm makes the gradient grow: its input is small, and the norm divides by that."""
    size = math.sqrt(before.square / before.size) if before.size else NAN
    waiting, has_norm = [part], False
    while waiting and not has_norm:
        call = waiting.pop()
        has_norm = divisor(call.kind) == NORMED
        waiting += [calls[k] for k in call.children]
    if not (has_norm and 0.0 < size < _SMALL and ALONE < gain < MATTERS / size):
        return ""
    what = f"the norm in {called(part.name)} divides by that, so that the gradient grows by {gain:.3g}"
    return f"its output is {size:.3g} large, and {what}, which is not counted in the verdict"
