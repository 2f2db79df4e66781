"""The stream through a torch module: the calls of the parts that the module itself consists of, in their order.

Their outputs are the stream also where a part is a residual branch. From the last part it is followed back: each part
is made of others, and goes on from an earlier call of the same module, or from that of these which has most parts
before it, as the state of a loop has, or the last of several. What is left over are branches beside it, followed back
likewise, until they come to a part that is followed already.
"""

import functools
import operator
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from gradtheory.audits.layers import is_pooling
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import Graph, steps_from
from gradtheory.audits.modules.pooling import with_pools
from gradtheory.audits.modules.weights import called_parts, made_of, n_matrices

_MATRIX, _FEW = 2, 3  # axes of a matrix, and how many are named


def stream(calls: list[Call], graph: Graph, module: Any) -> list[Call]:
    """Return the parts from the input to the loss, with reductions between them as parts of their own."""
    parts, divided = _parts(calls, graph, module)
    _see_through(calls, divided)
    return with_pools([calls[part] for part in parts], lambda part, before: follows(part, before, calls))


def sources_of(parts: Sequence[Call], calls: Sequence[Call]) -> list[int | None]:
    """Return, for each part, that of the parts before it on which it goes on; None without one."""
    return [several[-1] if several else None for several in parts_before(parts, calls)]


def parts_before(parts: Sequence[Call], calls: Sequence[Call]) -> list[list[int]]:
    """Return, for each part, the parts behind its first input, or any, without those that others of them are made of.

    The last is that on which it goes on: a call of the same module, which it repeats in a loop, or else the one with
    most parts behind it, the last of several.
    """
    owner: dict[int, int] = {}
    numbers = {id(call): number for number, call in enumerate(calls)}
    behind: list[int] = []  # the parts that each is made of, a bit for each
    depth: list[int] = []
    before: list[list[int]] = []
    for place, part in enumerate(parts):
        made_of = {owner[call] for call in part.sources if call in owner}
        first = {owner[call] for call in part.first_sources if call in owner} or made_of
        first |= {each for each in made_of if parts[each].name == part.name}
        if place > 0 and is_pooling(parts[place - 1].kind) and not is_pooling(part.kind) and part.pooling:
            first = {place - 1}
        beyond = functools.reduce(operator.or_, (behind[each] for each in first), 0)
        nearest = (each for each in first if not beyond >> each & 1)
        before.append(sorted(nearest, key=lambda each: (parts[each].name == part.name, depth[each], each)))
        depth.append(depth[before[-1][-1]] + 1 if before[-1] else 0)
        bits = (behind[each] | 1 << each for each in made_of | first)
        behind.append(functools.reduce(operator.or_, bits, 0))
        waiting = [numbers[id(part)]] if id(part) in numbers else []
        while waiting:
            call = waiting.pop()
            owner[call] = place
            waiting += calls[call].children
    return before


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

    What a branch gives is added to the stream, so that the last part in it is as good as the sum: it lies in none. Nor
    does the last of the calls of which a step of a loop consists, though what reads its state goes around the next.
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
        is_inner = is_inner if part.is_within is None else part.is_within
        inner.append(is_inner)
        if not is_inner and step is not None:
            last[path] = step
    return inner


def unseen(parts: Sequence[Call], sources: Sequence[int | None], paths: Sequence[int], module: Any) -> list[str]:
    """Return the parts with several layers of weights that begin the stream, or a branch: no gain of theirs counts.

    Those that are called again are judged by that call, and recurrent ones through time.
    """
    times = Counter(part.name for part in parts)
    places = zip(parts, sources, paths, strict=True)
    begun = [part for part, source, path in places if source is None or paths[source] != path]
    whole = [part for part in begun if times[part.name] == 1 and part.unrolled is None and not is_pooling(part.kind)]
    return [part.name or part.kind for part in whole if n_matrices(module.get_submodule(part.name)) > 1]


def weights_beside(parts: Sequence[Call], module: Any) -> str:
    """Return the matrices that belong to no part: those of the module itself, and of what holds several parts."""
    names = {part.name for part in parts}
    around = {name[:end] for name in names for end in (0, *(k for k, mark in enumerate(name) if mark == "."))}
    matrices = []
    for name, holder in called_parts(module):
        is_list = type(holder).__name__ in ("ParameterList", "ParameterDict") and name.rpartition(".")[0] in around
        if (is_list or name in around) and name not in names:
            matrices += [
                f"{name}.{each}".strip(".")
                for each, several in made_of(holder).items()
                if any(map(_is_matrix, several))
            ]
    few = ", ".join(matrices[:_FEW])
    return "" if len(matrices) <= 1 else f"{few}, …" if len(matrices) > _FEW else few


def _is_matrix(weight: Any) -> bool:
    return bool(weight.ndim == _MATRIX and min(weight.shape) > 1)


def _weights(part: Call, module: Any) -> list[Any]:
    return list(module.get_submodule(part.name).parameters())


def follows(part: Call, before: Call, calls: list[Call]) -> bool:
    """Return whether a part is made of what the part before gave: the first of another branch is not."""
    within, waiting = [], [before]
    while waiting:
        within.append(waiting.pop())
        waiting.extend(calls[k] for k in within[-1].children)
    return any(calls[source] is each for source in part.sources for each in within)


def _parts(calls: Sequence[Call], graph: Graph, module: Any) -> tuple[list[int], set[int]]:
    """Return the calls that make the stream, and those that are divided into them: the root, or the one part it has.

    A part is divided, too, if its own parts stand in a row in all calls of it, and these are no steps of a loop.
    """
    current, divided = 0, {0}
    while True:
        children = _reached(calls, current)
        if len(children) != 1 or not calls[children[0]].children:
            break
        current = children[0]
        divided.add(current)
    called: dict[str, list[int]] = {}
    for part, call in enumerate(calls):
        if call.is_reached:
            called.setdefault(call.name, []).append(part)
    loops, alone = _loops(calls), _alone(calls)

    @functools.cache
    def is_divided(name: str) -> bool:
        return name not in loops and all(_is_divided(calls, part, graph, module, alone) for part in called[name])

    def unfolded(part: int) -> list[int]:
        if not is_divided(calls[part].name):
            return [part]
        divided.add(part)
        return [k for child in _reached(calls, part) for k in unfolded(child)]

    return [part for child in children for part in unfolded(child)] or [0], divided


def _reached(calls: Sequence[Call], part: int) -> list[int]:
    return [k for k in calls[part].children if calls[k].is_reached]


def _loops(calls: Sequence[Call]) -> set[str]:
    """Return the modules of which some call is made of an earlier one."""
    several: dict[str, list[Any]] = {}
    for call in calls:
        if call.children and call.left is not None:
            several.setdefault(call.name, []).append(call.left)
    return {name for name, left in several.items() if left[0] is not left[-1] and left[0] in steps_from(left[-1])}


def _alone(calls: Sequence[Call]) -> set[str]:
    """Return the classes of which there is one module alone."""
    names: dict[str, set[str]] = {}
    for call in calls:
        names.setdefault(call.kind, set()).add(call.name)
    return {kind for kind, several in names.items() if len(several) == 1}


def _is_divided(calls: Sequence[Call], part: int, graph: Graph, module: Any, alone: Collection[str]) -> bool:
    """Return whether a part is divided into its own parts: if nothing goes around one of them, so that they are a row.

    Of a part that is the only one of its class, as a trunk, two in a row are enough, and something may be added to what
    they give. A single one with weights is all of the part, unless something is done to what it gives. What makes only
    a factor of the input, or the weights by which that is multiplied, is no row.
    """
    whole, own, is_alone = calls[part], [calls[k] for k in _reached(calls, part)], calls[part].kind in alone
    row: list[Call] = []
    last = None
    for each in own:
        end = graph.sum_of(each.left) if is_alone else each.left
        if last is None:
            around = steps_from(whole.left, [each.left, end], whole.entered)
            is_inner = not around.isdisjoint({whole.began, own[0].began})
        else:
            is_inner = graph.goes_around(end, last)
        if not is_inner:
            row.append(each)
            last = end
    if not is_alone and len(row) < len(own):
        return False
    heavy = [each for each in row if _weights(each, module)]
    is_all = any(each.left is whole.left for each in own) and (bool(heavy) or not _weights(whole, module))
    return is_all or len(heavy) > 1 or any(each.children for each in heavy)


def _see_through(calls: Sequence[Call], divided: set[int]) -> None:
    """Let calls that take what a divided part gave know what that is made of, and of a reduction at its end."""

    def resolved(sources: set[int]) -> set[int]:
        own = (resolved(calls[k].made_of) if k in divided else {k} for k in sources)
        return functools.reduce(operator.or_, own, set())

    for call in calls:
        through = [calls[k] for k in sorted(call.first_sources & divided) if calls[k].ends_in]
        if through and not call.pooling:
            call.pooling, call.pooled_square = through[0].ends_in, through[0].gradient_square
        call.sources, call.first_sources = resolved(call.sources), resolved(call.first_sources)
