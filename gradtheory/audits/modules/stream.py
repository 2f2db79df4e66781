"""The stream through a torch module: the calls of the parts that the module itself consists of, in their order.

Their outputs are the stream also where a part is a residual branch. From the last part it is followed back: each part
is made of others, and goes on from an earlier call of the same module, or from that of these which has most parts
before it, as the state of a loop has, or the last of several. What is left over are branches beside it, followed back
likewise, until they come to a part that is followed already.
"""

import functools
import operator
from collections.abc import Sequence
from typing import Any

from gradtheory.audits.layers import is_pooling
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import Graph, steps_from
from gradtheory.audits.modules.pooling import with_pools


def stream(calls: list[Call]) -> list[Call]:
    """Return the parts from the input to the loss, with reductions between them as parts of their own."""
    return with_pools([calls[part] for part in _parts(calls)], lambda part, before: follows(part, before, calls))


def sources_of(parts: Sequence[Call], calls: Sequence[Call]) -> list[int | None]:
    """Return, for each part, that of the parts behind its first input, or any, on which it goes on; None without one.

    That is none that another of them is made of: a call of the same module, which it repeats in a loop, or else the one
    with most parts behind it, the last of several.
    """
    owner: dict[int, int] = {}
    numbers = {id(call): number for number, call in enumerate(calls)}
    behind: list[int] = []  # the parts that each is made of, a bit for each
    depth: list[int] = []
    sources: list[int | None] = []
    for place, part in enumerate(parts):
        made_of = {owner[call] for call in part.sources if call in owner}
        first = {owner[call] for call in part.first_sources if call in owner} or made_of
        first |= {each for each in made_of if parts[each].name == part.name}
        if place > 0 and is_pooling(parts[place - 1].kind) and not is_pooling(part.kind) and part.pooling:
            first = {place - 1}
        beyond = functools.reduce(operator.or_, (behind[each] for each in first), 0)
        nearest = [each for each in first if not beyond >> each & 1]
        source = max(nearest, key=lambda each: (parts[each].name == part.name, depth[each], each), default=None)
        sources.append(source)
        depth.append(0 if source is None else depth[source] + 1)
        bits = (behind[each] | 1 << each for each in made_of | first)
        behind.append(functools.reduce(operator.or_, bits, 0))
        waiting = [numbers[id(part)]] if id(part) in numbers else []
        while waiting:
            call = waiting.pop()
            owner[call] = place
            waiting += calls[call].children
    return sources


def paths_of(sources: Sequence[int | None]) -> list[int]:
    """Return on which path each part lies: 0 is the stream, the others are branches beside it.

    Examples
    --------
    >>> paths_of([None, 0, 0, 2, 2])
    [0, 2, 0, 1, 0]

    """
    paths = [-1] * len(sources)
    for number, end in enumerate(reversed(range(len(sources)))):
        place: int | None = end
        while place is not None and paths[place] < 0:
            paths[place] = number
            place = sources[place]
    order = list(dict.fromkeys(sorted(paths)))
    return [order.index(path) for path in paths]


def inner_parts(parts: Sequence[Call], sources: Sequence[int | None], paths: Sequence[int], graph: Graph) -> list[bool]:
    """Return which parts lie in a branch: something of what came before goes around what they give, to the end.

    What a branch gives is added to the stream, so that the last part in it is as good as the sum: it lies in none.
    """
    last: dict[int, Any] = {}
    inner = []
    for part, source, path in zip(parts, sources, paths, strict=True):
        step = graph.sum_of(part.left)
        is_inner = False
        if path in last:
            is_inner = graph.goes_around(step, last[path])
        elif source is None:  # another branch may begin with the same data
            others = [part.left for part, other in zip(parts, paths, strict=True) if other != path]
            is_inner = not part.entered.isdisjoint(steps_from(graph.end, around=[step, *others]))
        inner.append(is_inner)
        if not is_inner and step is not None:
            last[path] = step
    return inner


def follows(part: Call, before: Call, calls: list[Call]) -> bool:
    """Return whether a part is made of what the part before gave: the first of another branch is not."""
    within, waiting = [], [before]
    while waiting:
        within.append(waiting.pop())
        waiting.extend(calls[k] for k in within[-1].children)
    return any(calls[source] is each for source in part.sources for each in within)


def _parts(calls: list[Call]) -> list[int]:
    """Return the calls that make the stream: those of the root, or of the one part that it has.

    Parts that hand one tensor from each of their own parts to the next, as `torch.nn.Sequential`, are these parts.
    """
    current = 0
    while True:
        children = [k for k in calls[current].children if calls[k].is_reached]
        if len(children) != 1 or not calls[children[0]].children:
            return [part for child in children for part in _unfolded(calls, child)] or [0]
        current = children[0]


def _unfolded(calls: list[Call], part: int) -> list[int]:
    inner = calls[part].children
    handed = [calls[part].taken, *(calls[k].given for k in inner)]
    if not inner or handed != [*(calls[k].taken for k in inner), calls[part].given]:
        return [part]
    return [k for child in inner if calls[child].is_reached for k in _unfolded(calls, child)]
