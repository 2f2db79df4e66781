"""Reductions without weights between the modules of a measured network: means and sums over positions or tokens.

The mean over N entries divides the norm of the gradient by √N, and the sum multiplies it by √N: the module after it has
nothing to do with that, nor has any weight.
"""

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Any

from gradtheory.audits.layers import POOLS
from gradtheory.audits.modules.graph import steps_before

_NAMES = {"Mean": "mean", "Sum": "sum"}


def pooling(made_by: Any, givers: Container[Any]) -> str:
    """Return by which reduction a step ends that begins with what a module gave, such as "mean of 49"; empty if none.

    All steps between have to be on one path, so that a norm written by hand, which takes means too, is none.
    """
    step, told = made_by, ""
    while step is not None and step not in givers:
        sources = steps_before(step)
        if len(sources) != 1:
            return ""
        told = _told(step) or told
        step = sources[0]
    return told if step is not None else ""


def _told(step: Any) -> str:
    name: str = step.name().partition("Backward")[0]
    if name.startswith(POOLS):
        return name
    if name not in _NAMES:
        return ""
    sizes = step._saved_self_sym_sizes
    axes = getattr(step, "_saved_dim", range(len(sizes)))  # -1 is 2⁶⁴ - 1
    number = math.prod(sizes[axis if axis < len(sizes) else axis - 2**64] for axis in axes or range(len(sizes)))
    return f"{_NAMES[name]} of {number}" if number > 1 else ""


def factor_within(part: Any, calls: Sequence[Any]) -> float:
    """Return what means and sums within a part do to the gradient: 1 where something goes around them, or none is."""
    within, waiting = [], list(part.children)
    while waiting:
        within.append(calls[waiting.pop()])
        waiting += within[-1].children
    ends, factor = part.entered.union(call.left for call in within), 1.0
    for call in within:
        kind, _, number = pooling(call.began, ends).partition(" of ")
        if number and not call.children and part.left is not None and is_on_every_path(call, part):
            factor *= float(number) ** (-0.5 if kind == "mean" else 0.5)
    return factor


def is_on_every_path(call: Any, part: Any) -> bool:
    """Return whether the output of a part is made of its input by way of one call alone."""
    waiting, seen = [part.left], {call.left}
    while waiting:
        step = waiting.pop()
        if step in seen:
            continue
        if step in part.entered:
            return False
        seen.add(step)
        waiting += steps_before(step)
    return True


def with_pools(parts: Sequence[Any], follows: Callable[[Any, Any], bool]) -> list[Any]:
    """Return the parts of a stream, each a `Call`, with a row of its own for each reduction between two of them."""
    rows: list[Any] = []
    for part in parts:
        if part.pooling and rows and part.pooled_square > 0.0 and follows(part, rows[-1]):
            row = replace(part, name=f"before {part.name or part.kind}", kind=part.pooling, children=[], pooling="")
            row = replace(row, left=part.began, at_sum=None, back=part.pooled_back)
            rows.append(replace(row, gradient_square=part.pooled_square, size=0, gave_same=False, edge=None))
        rows.append(part)
    return rows
