"""The calls of a torch module's parts in a forward pass, recorded by hooks, with the gradients that come back."""

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gradtheory.audits.layers import NAN
from gradtheory.audits.modules.call import Call, forget, lead, watch_sums
from gradtheory.audits.modules.graph import Graph, maker, steps_before
from gradtheory.audits.modules.pooling import pooling
from gradtheory.audits.modules.projections import watching
from gradtheory.audits.modules.stillness import still_share, unit_axis
from gradtheory.audits.modules.tensors import (
    by_sample,
    is_finite,
    is_finite_or_masked,
    square_sum,
    sum_of_rows,
    tensors,
    viewed,
)
from gradtheory.audits.modules.unrolled import Unrolled
from gradtheory.audits.modules.weights import called_parts, kind_of


@dataclass
class Record:
    """The calls of a forward pass, which of them are open, and the tensors between them, so that none is freed.

    By the step of autograd that made it, or by itself where none did, the calls that gave a tensor are known: a module
    may hand on what a part of it gave. Where a call gave several tensors, these are views, whose steps are together.
    """

    calls: list[Call] = field(default_factory=list)
    open_calls: list[int] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    givers: dict[Any, set[int]] = field(default_factory=dict)
    views: dict[int, Any] = field(default_factory=dict)
    together: list[list[Any]] = field(default_factory=list)

    def module_now(self) -> str:
        """Return the innermost module that is being called."""
        return self.calls[self.open_calls[-1]].name if self.open_calls else ""

    def behind(self, end: Any) -> Graph:
        """Return the steps behind the one that made the loss, and let the calls know which of theirs lead there.

        What they noted of gradients is forgotten: a forward may take some itself, as forces are those of an energy.
        """
        for call in self.calls:
            forget(call)
        taken = {step for call in self.calls for step in call.entered - {call.left}}  # dropout may hand on its input
        given = {step for step, calls in self.givers.items() if 0 in calls}  # by the whole: a loss is made of that
        graph = Graph.behind(end, self.together, taken | given)
        lead(self.calls, graph)
        watch_sums(self.calls, graph.sum_of)
        return graph


@contextmanager
def recorded(module: Any) -> Iterator[Record]:
    """Record every call of every submodule while the context lasts; hooks are removed at its end, come what may."""
    record = Record()
    calls, open_calls = record.calls, record.open_calls
    handles = []

    def at_begin(name: str, kind: str) -> Callable[..., None]:
        def hook(part: Any, inputs: Any, keywords: Any) -> None:
            call = Call(name, kind)
            call.was_finite = is_finite_or_masked((inputs, keywords))
            first = next(tensors((inputs, keywords)), None)
            call.takes_floats = first is not None
            record.held.append(first)
            call.taken, call.took_same = id(first), _is_same(first)
            call.took_still = still_share(first, kind)
            call.took_size, call.took_least = _size(first), _least_size(first)
            call.sources, call.leaves = _sources((inputs, keywords), record.givers)
            call.first_sources = _sources(first, record.givers)[0]
            call.entered = {maker(tensor) for tensor in tensors((inputs, keywords))}
            call.began = None if first is None else maker(first)
            call.pooling = pooling(call.began, record.givers)
            if call.pooling and first is not None and first.requires_grad:
                first.register_hook(functools.partial(_note_pooled, call))
            call.unrolled = Unrolled.of(part, first, inputs, keywords)
            calls.append(call)
            if open_calls:
                calls[open_calls[-1]].children.append(len(calls) - 1)
            open_calls.append(len(calls) - 1)

        return hook

    def at_end(part: Any, inputs: Any, output: Any) -> Any:
        if not open_calls:
            return None
        output = _apart(output, record)
        record.held.append(output)
        place = open_calls.pop()
        call = calls[place]
        _begin_gradients(output, call)
        _note_output(call, output)
        if (note := watching(call, part, next(tensors(inputs), None), output)) and output.requires_grad:
            output.register_hook(note)
        if call.unrolled is not None:
            call.unrolled.watch(output)
        if call.children:
            call.made_of = _sources(output, record.givers)[0]
            call.ends_in = "" if call.left is None else pooling(call.left, record.givers)
        for tensor in tensors(output):
            if tensor.requires_grad:
                record.givers.setdefault(maker(tensor), set()).add(place)
        return output

    try:
        for name, part in called_parts(module):
            handles.append(part.register_forward_pre_hook(at_begin(name, kind_of(part)), with_kwargs=True))
            handles.append(part.register_forward_hook(at_end))
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _apart(output: Any, record: Record) -> Any:
    """Return several tensors as views: what comes back to one of which another is made is then what comes from outside.

    What holds them is left as it is unless it is a plain tuple, list or dict.
    """
    if sum(tensor.ndim > 1 for tensor in tensors(output)) < 2 or type(output) not in (list, tuple, dict):
        return output
    record.held.append(output)
    apart = viewed(output, record.views)
    new = [view for view in tensors(apart) if id(view) not in record.views and view.requires_grad]
    record.views.update({id(view): view for view in new})  # of a view none is made
    record.together.append([maker(view) for view in new if view.ndim > 1])
    return apart


def _begin_gradients(output: Any, call: Call) -> None:
    """Let gradients come back to a frozen embedding, which takes no floats that they could go on to."""
    is_tensor = next(tensors(output), None) is output
    if is_tensor and output is not None and not call.takes_floats and output.is_leaf:
        output.requires_grad_()


def _sources(inputs: Any, givers: Mapping[Any, set[int]]) -> tuple[set[int], set[int]]:
    """Return the calls, and the leaves, that inputs are made of, by the steps of autograd between."""
    waiting = [maker(tensor) for tensor in tensors(inputs)]
    seen, sources, leaves = set(waiting), set[int](), set[int]()
    while waiting:
        step = waiting.pop()
        if step in givers:
            sources |= givers[step]
            continue
        made_of = set(steps_before(step))
        if not made_of:
            leaves.add(id(step))
        waiting.extend(made_of - seen)
        seen |= made_of
    return sources, leaves


def _width(tensor: Any) -> int:
    """Return how many entries of an output vary on their own."""
    size = int(tensor.numel())
    return max(1, size if tensor.ndim < 2 else tensor.shape[1] if tensor.ndim > 3 else size // max(1, len(tensor)))


def _is_same(tensor: Any) -> bool:
    """Return whether a tensor is the same for all samples; of a single one, whether it is 0."""
    if tensor is None:
        return False
    return bool((tensor == tensor[:1]).all()) if tensor.ndim > 1 and len(tensor) > 1 else not bool(tensor.any())


def _size(tensor: Any) -> float:
    """Return the root mean square of a tensor; nan where there is none."""
    return NAN if tensor is None or not tensor.numel() else math.sqrt(float(square_sum(tensor)) / tensor.numel())


def _least_size(tensor: Any) -> float:
    """Return the least root mean square of a token, over all samples; nan where there are none, or one is 0."""
    if tensor is None or tensor.ndim != 3 or not tensor.numel():
        return NAN
    return float((tensor.detach().double() ** 2).mean(dim=(0, 2)).min().sqrt()) or NAN


def _note_pooled(call: Call, gradient: Any) -> None:
    call.pooled_square, call.pooled_back = float(square_sum(gradient)), gradient.detach() if call.keeps else None


def _note_output(call: Call, output: Any) -> None:
    """Note the size of an output, and that of its gradient when it is known."""
    given = list(tensors(output))
    told = [tensor for tensor in given if tensor.ndim > 1] or given[:1]
    if not told:
        return
    call.given, call.is_finite = id(given[0]), is_finite(output)
    call.is_masked = not call.is_finite and is_finite_or_masked(output)
    call.others = [Call(call.name, call.kind) for _ in told[1:]]
    for noted, tensor in zip((call, *call.others), told, strict=True):
        _note_tensor(noted, tensor, call)


def _note_tensor(noted: Call, tensor: Any, call: Call) -> None:
    """Note what is told of one tensor of an output; what comes back to it is the call's."""
    from torch.autograd.graph import get_gradient_edge

    noted.square, noted.size = float(square_sum(tensor)), tensor.numel()
    noted.width, noted.gave_same = _width(tensor), _is_same(tensor)
    noted.gave_still = still_share(tensor, call.kind)
    noted.units, noted.left = tensor.shape[unit_axis(tensor, call.kind)] if tensor.ndim else 1, tensor.grad_fn
    if not tensor.requires_grad or not noted.size:  # of no entries none comes back
        return
    noted.tensor, noted.edge = tensor.detach(), get_gradient_edge(tensor)
    number = id(tensor)

    def note(gradient: Any) -> None:
        rows = by_sample(gradient)
        if call.at_sum is None:
            call.back = gradient.detach() if call.keeps and not call.squares else None
        call.by_sample = sum_of_rows(call.by_sample, rows) if call.squares else rows
        call.squares[number] = float(square_sum(gradient))
        call.gradient_square = sum(call.squares.values())
        call.is_gradient_finite = call.is_gradient_finite and is_finite(gradient)

    tensor.register_hook(note)
