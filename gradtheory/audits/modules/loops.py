"""Loops that a forward writes itself: how the gradient that enters at the last step goes back to the first.

The gradient of the loss itself enters at every step that the loss reads, and is larger at an early one where the losses
of later ones are small. So the graph is run through again, without what reads the state before the last step. Where
nothing reads that of earlier steps, all of the gradient comes from the last, and that is not done: of a state that goes
around the module which is called, as that of a gated unit, the last step would hand on what goes by that module alone.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from gradtheory.audits.layers import NAN
from gradtheory.audits.modules.call import Call, apart
from gradtheory.audits.modules.graph import Graph, is_sum, steps_from
from gradtheory.audits.modules.states import State
from gradtheory.audits.modules.stream import follows, paths_of, sources_of
from gradtheory.audits.modules.tensors import square_sum
from gradtheory.audits.thresholds import STRETCH

_LEAST = 3  # calls of a module that make a loop


def follow_loops(parts: Sequence[Call], calls: list[Call], graph: Graph, module: Any) -> None:
    """Let the parts of loops know of the gradient that enters last, where it enters at several steps."""
    if not is_repeated(calls):
        return
    paths = paths_of(sources_of(parts, calls))
    on_path = ([part for part, own in zip(parts, paths, strict=True) if own == path] for path in dict.fromkeys(paths))
    spans = [span for row in on_path for span in _loops(row, module)]
    for span in spans:
        _follow(span, parts, calls, graph, module)


def is_repeated(calls: Sequence[Call]) -> bool:
    """Return whether some module is called so often that it may be in a loop."""
    return max(Counter(call.name for call in calls).values(), default=0) >= _LEAST


def counted(part: Call, before: Call | None, gain: float) -> float:
    """Return the gain of a part as a verdict counts it: what fades in a loop counts as far as all of the gradient does.

    Where early steps are read, too, that may be not at all: then it is nan.
    """
    if part.loop is None or before is None or part.loop is not before.loop:
        return gain
    return NAN if part.loop.faded is not None else gain**part.loop.fading


def compared(
    part: Call, before: Call | None, parts: Sequence[Call], calls: list[Call], graph: Graph
) -> tuple[Call, Call | None]:
    """Return what is known of the gradients by what two parts gave that may be compared.

    Of two parts of a loop these are what entered last alone. What takes the steps of a loop, as a mean of them, has the
    gradient by what it takes beside its own. What a module takes in several calls, as each step of a loop takes its
    share of the data, has the gradients by all that these gave. What goes on as a term of the state is no share.
    """
    if before is None:
        return part, None
    if before.alone is not None and part.alone is not None and part.loop is before.loop:
        return part.alone, before.alone
    if before.alone is not None and part.taken_square > 0.0:
        return part, replace(before, gradient_square=part.taken_square, by_sample=None)
    if before.name == part.name:
        return part, before
    several = [other for other in parts if other.name == part.name and follows(other, before, calls)]
    if len(several) > 1:
        several = [other for other in several if other is part or _takes_apart(other, part, before, calls, graph)]
    is_chain = any(follows(other, part, calls) for other in several)
    if len(several) < 2 or (is_chain and part.alone is None):
        return part, before
    return replace(part, gradient_square=sum(other.gradient_square for other in several), by_sample=None), before


def _takes_apart(other: Call, part: Call, before: Call, calls: Sequence[Call], graph: Graph) -> bool:
    """Return whether a call takes of what the part before gave otherwise than by sums with what another call made."""
    sums = {step for step in graph.after(part.left) if is_sum(step)}
    until = sums.union(call.left for call in calls)
    taken = {step for end in other.entered for step in steps_from(end, until=until)}
    return not taken.isdisjoint(each.left for each in (before, *before.others))


def _loops(path: Sequence[Call], module: Any) -> Iterator[list[Call]]:
    """Yield the parts of a path from the first call of a module with weights to the last, where it is called again."""
    times = Counter(part.name for part in path)
    spans: list[list[int]] = []
    for name, several in times.items():
        has_weights = several >= _LEAST and any(each.ndim > 1 for each in module.get_submodule(name).parameters())
        places = [place for place, part in enumerate(path) if part.name == name and part.gradient_square > 0.0]
        if has_weights and len(places) >= _LEAST:
            spans.append([places[0], places[-1]])
    joined: list[list[int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(last, joined[-1][1])
        else:
            joined.append([first, last])
    yield from (list(path[first : last + 1]) for first, last in joined)


def _follow(span: Sequence[Call], parts: Sequence[Call], calls: list[Call], graph: Graph, module: Any) -> None:
    """Let the parts of one loop, and those that take what it gives, know of the gradient that enters last."""
    import torch
    from torch.autograd.graph import GradientEdge

    (name, _), *_ = Counter(part.name for part in span).most_common(1)
    steps = [part for part in span if part.name == name]
    state = State.after(span, steps, graph)
    read = _reads(steps, state, graph)
    if not read:
        return
    begins = [each for each in module.parameters() if each.requires_grad] or [GradientEdge(steps[0].left, 0)]
    noted = {id(call): number for number, call in enumerate(calls)}
    own = {noted[id(part)] for part in span if id(part) in noted}
    takes = [part for part in parts if id(part) in noted and noted[id(part)] not in own and part.first_sources & own]
    taken: dict[int, float] = {}
    with apart(calls), _without(read), _noting(takes, taken):
        try:
            torch.autograd.grad(GradientEdge(graph.end, 0), begins, retain_graph=True, allow_unused=True)
        except RuntimeError:  # torch's, of what goes back once alone, as reentrant checkpoints do
            return
        alone = [replace(part) for part in span]
    for number, square in taken.items():
        takes[number].taken_square = square
    for part, known in zip(span, alone, strict=True):
        known.gradient_square, known.by_sample = known.at_sum or (known.gradient_square, known.by_sample)
        if id(part) not in noted:  # a reduction between parts
            known.gradient_square = NAN
        part.alone, part.loop = known, steps[0]
    told = state.told(steps, graph)
    _compare_with_all(steps[0], told)
    for part in span if len(told) < len(steps) else ():
        part.is_within = all(part is not each for each in told)


def _compare_with_all(loop: Call, steps: Sequence[Call]) -> None:
    """Let the first step of a loop know of fading: how much is that of all of the gradient, or that none is."""
    known = [(step, step.alone) for step in steps if step.alone is not None and step.alone.gradient_square > 0.0]
    if len(known) < 2 or not all(step.gradient_square > 0.0 for step, _ in known):
        return
    whole, alone = (
        0.5 * math.log(first.gradient_square / last.gradient_square)
        for first, last in zip(known[0], known[-1], strict=True)
    )
    if alone < -math.log(STRETCH):
        loop.faded = (alone, len(known) - 1) if whole >= -math.log(STRETCH) else None
        loop.fading = min(1.0, whole / alone)


def _reads(steps: Sequence[Call], state: State, graph: Graph) -> dict[Any, set[Any]]:
    """Return what takes the state before the last step of a loop without being part of it, and what it takes.

    The state is all that depends on the first step, and that the last is made of. There are none where nothing takes
    what the last step is not made of, before the last but one.
    """
    given = [{each.left for each in (step, *step.others) if each.left in graph.takers} for step in steps]
    made_of_first = graph.after(*given[0])
    before, last = ({each for end in step.entered for each in steps_from(end)} for step in steps[-2:])
    whole = {each for end in given[-1] | state.ends for each in steps_from(end)}
    if not _taking((before & made_of_first).union(*given[:-2]), whole, graph.takers):
        return {}
    return _taking(((last | state.beside) & made_of_first).union(*given[:-1]), whole, graph.takers)


def _taking(state: set[Any], within: set[Any], takers: Mapping[Any, Sequence[Any]]) -> dict[Any, set[Any]]:
    """Return what takes some of a state without being part of it, or within something else, and what it takes."""
    read: dict[Any, set[Any]] = {}
    for step in state:
        for taker in takers.get(step, []):
            if taker not in within and taker not in state:
                read.setdefault(taker, set()).add(step)
    return read


@contextmanager
def _without(read: Mapping[Any, set[Any]]) -> Iterator[None]:
    """Let nothing come back from some steps to some of what they take, while the context lasts."""

    def closing(step: Any, taken: set[Any]) -> Any:
        places = {k for k, (each, _) in enumerate(step.next_functions) if each in taken}

        def hook(gradients: Sequence[Any], _: Any) -> tuple[Any, ...]:
            return tuple(
                each.new_zeros(each.shape) if k in places and each is not None else each
                for k, each in enumerate(gradients)
            )

        return step.register_hook(hook)

    handles = [closing(step, taken) for step, taken in read.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _noting(parts: Sequence[Call], taken: dict[int, float]) -> Iterator[None]:
    """Note the square of the gradient by the first input of each part while the context lasts, by its number."""

    def note(number: int, gradients: Sequence[Any]) -> None:
        taken[number] = sum(float(square_sum(each)) for each in gradients if each is not None)

    begun = ((number, part.began) for number, part in enumerate(parts))
    handles = [
        step.register_prehook(partial(note, number)) for number, step in begun if hasattr(step, "register_prehook")
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
