"""What the residual connections of a measured module multiply by, read off the steps that autograd recorded.

Within each call the calls of parts are opaque. A sum c·u + v is a residual connection if v is made of u, and multiplies
by c. It is one among peers: a scheme may give all of them a factor, so that only one unlike the others is a fault.
"""

import functools
import heapq
import operator
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from gradtheory.audits.layers import MADE_ALIKE, NAN
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import SUMS, steps_before


def odd_shortcut(calls: Sequence[Call]) -> tuple[str, float, float] | None:
    """Return the module whose residual connection multiplies by most, beside what is usual; None without peers."""
    factors: dict[str, dict[str, float]] = {}
    for call in calls:
        if call.left is not None and call.children and (factor := _factor(call, calls)) is not None:
            factors.setdefault(call.kind, {})[call.name] = factor
    odd = [
        (name, factor, usual)
        for by_name in factors.values()
        if len(by_name) >= MADE_ALIKE and (usual := median(by_name.values())) != 0.0
        for name, factor in by_name.items()
    ]
    return max(odd, key=lambda each: abs(each[1] / each[2]), default=None)


def _factor(call: Call, calls: Sequence[Call]) -> float | None:
    """Return what the residual connection of one call multiplies by, the largest of several; None without any."""
    parts = {calls[k].left: calls[k].entered for k in call.children if calls[k].left is not None}
    before = _steps(call, parts)
    order = list(_in_order(before))
    place = {step: k for k, step in enumerate(order)}
    made_of: dict[Any, int] = {}  # of which steps, a bit for each: sets would need a hundred times the room
    for step in order:
        made_of[step] = functools.reduce(operator.or_, (made_of[source] for source in before[step]), 1 << place[step])
    largest = None
    for step in before:
        if step not in parts and before[step] and step.name() in SUMS:  # a tensor that nothing made has none before it
            terms = _terms(step, before, parts, place)
            for u, factor in terms.items():
                if any(made_of[v] >> place[u] & 1 for v in terms if v is not u) and abs(factor) > abs(largest or 0.0):
                    largest = factor
    return largest


def _steps(call: Call, parts: Mapping[Any, Any]) -> dict[Any, list[Any]]:
    """Return the steps between the inputs and the output of a call, with the steps before each."""
    sources: dict[Any, list[Any]] = {}
    waiting = [call.left]
    while waiting:
        step = waiting.pop()
        if step in sources:
            continue
        if step in call.entered and step is not call.left:
            sources[step] = []
        elif step in parts:
            sources[step] = [each for each in parts[step] if each is not step]
        else:
            sources[step] = steps_before(step)
        waiting += sources[step]
    return sources


def _in_order(before: Mapping[Any, Sequence[Any]]) -> Iterator[Any]:
    """Yield the steps, each after those before it."""
    done: set[Any] = set()
    waiting = [*before]
    while waiting:
        step = waiting[-1]
        missing = [each for each in before[step] if each not in done]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        if step not in done:
            done.add(step)
            yield step


def _terms(
    step: Any, before: Mapping[Any, Sequence[Any]], parts: Mapping[Any, Any], place: Mapping[Any, int]
) -> dict[Any, float]:
    """Return a step as a sum of others, with their factors; each is looked at after all that take it."""
    factors, terms, waiting = {step: 1.0}, dict[Any, float](), [(-place[step], step)]

    def take(source: Any, factor: float) -> None:
        if source not in factors:
            heapq.heappush(waiting, (-place[source], source))
        factors[source] = factors.get(source, 0.0) + factor

    while waiting:
        _, step = heapq.heappop(waiting)
        factor, sources = factors[step], [] if step in parts else before[step]
        name = step.name() if sources else ""
        if name in SUMS and len(sources) == 2:
            take(sources[0], factor)
            take(sources[1], SUMS[name] * float(step._saved_alpha) * factor)
        elif (number := times(step, name)) is not None and len(sources) == 1:
            take(sources[0], number * factor)
        else:
            terms[step] = factor
    return terms


def times(step: Any, name: str) -> float | None:
    """Return the number by which a step multiplies; None if it does something else."""
    if name in ("CloneBackward0", "ToCopyBackward0"):
        return 1.0
    if name == "NegBackward0":
        return -1.0
    if name not in ("MulBackward0", "DivBackward0"):
        return None
    other = step._saved_other
    if other is None or other.ndim > 0 or other.is_complex():
        return None
    value = float(other.detach())
    return value if name == "MulBackward0" else 1.0 / value if value else NAN
