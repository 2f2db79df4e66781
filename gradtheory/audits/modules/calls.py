"""The calls of a torch module's parts in a forward pass, recorded by hooks, with the gradients that come back."""

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.layers import NAN
from gradtheory.audits.modules.pooling import pooling
from gradtheory.audits.modules.stillness import still_share, unit_axis
from gradtheory.audits.modules.tensors import by_sample, is_finite, square_sum, tensors


@dataclass
class Call:
    """One call of a module in a forward pass.

    Attributes
    ----------
    name : str
    kind : str
        The class.
    square, gradient_square : float
        Sums of squares of the output, and of the gradient by it.
    by_sample : ndarray or None
        The squares of the gradient by the output, row by row of its first axis.
    size, width : int
        The entries of the output, and how many of them vary on their own: those of a sample, or the channels of an
        image, of which all positions have the same weights.
    is_finite, was_finite : bool
        Whether the output is finite, and whether the inputs were.
    takes_floats : bool
        Whether an input is a tensor of floats: tokens are none.
    taken, given : int
        Which tensors are the first input and the output: the same number for the same tensor.
    sources, first_sources : set of int
        The calls whose outputs its inputs, and its first input, are made of, with operations between modules at most.
    leaves : set of int
        Likewise which tensors that nothing has made, by their numbers.
    entered, left : set, and object or None
        The steps of autograd that made its inputs, and the one that made its output.
    took_size : float
        The root mean square of the first input.
    took_same, gave_same : bool
        Whether the first input, and the output, is the same for all samples.
    units : int
        Of the output.
    took_still, gave_still : float
        The share of units of the first input, and of the output, that do not move over samples and positions; nan where
        that cannot be told.
    pooling : str
        By which reduction without weights the first input was made of what a module gave, such as "mean of 49".
    pooled_square : float
        Then the square of the gradient by that input.
    by_time : list of float
        Of a recurrent module: the squares of the gradient by its input, for each time step.
    tensor, edge : tensor, edge of autograd's graph, or None
        The output without its graph, and its place in the graph as it was when it was given.

    """

    name: str
    kind: str
    square: float = NAN
    gradient_square: float = NAN
    by_sample: Array | None = None
    size: int = 0
    width: int = 1
    is_finite: bool = True
    was_finite: bool = True
    is_gradient_finite: bool = True
    takes_floats: bool = True
    taken: int = 0
    given: int = 0
    sources: set[int] = field(default_factory=set)
    first_sources: set[int] = field(default_factory=set)
    leaves: set[int] = field(default_factory=set)
    entered: set[Any] = field(default_factory=set)
    left: Any = None
    took_size: float = NAN
    took_same: bool = False
    gave_same: bool = False
    units: int = 0
    took_still: float = NAN
    gave_still: float = NAN
    pooling: str = ""
    pooled_square: float = NAN
    by_time: list[float] = field(default_factory=list)
    tensor: Any = None
    edge: Any = None
    children: list[int] = field(default_factory=list)

    @property
    def is_origin(self) -> bool:
        """Whether its inputs are finite and its output is not."""
        return self.was_finite and not self.is_finite

    @property
    def is_reached(self) -> bool:
        """Whether a gradient came back to the output, or numbers overflowed before."""
        return math.isfinite(self.gradient_square) or not self.is_finite


@dataclass
class Record:
    """The calls of a forward pass, which of them are open, and the tensors between them, so that none is freed.

    By the step of autograd that made it, or by itself where none did, the calls that gave a tensor are known: a module
    may hand on what a part of it gave.
    """

    calls: list[Call] = field(default_factory=list)
    open_calls: list[int] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    givers: dict[Any, set[int]] = field(default_factory=dict)

    def module_now(self) -> str:
        """Return the innermost module that is being called."""
        return self.calls[self.open_calls[-1]].name if self.open_calls else ""


@contextmanager
def recorded(module: Any) -> Iterator[Record]:
    """Record every call of every submodule while the context lasts; hooks are removed at its end, come what may."""
    record = Record()
    calls, open_calls = record.calls, record.open_calls
    handles = []

    def before(name: str, kind: str) -> Callable[..., None]:
        def hook(part: Any, inputs: Any, keywords: Any) -> None:
            call = Call(name, kind)
            call.was_finite = is_finite((inputs, keywords))
            first = next(tensors((inputs, keywords)), None)
            call.takes_floats = first is not None
            record.held.append(first)
            call.taken, call.took_same = id(first), _is_same(first)
            call.took_still = still_share(first, kind)
            call.took_size = _size(first)
            call.sources, call.leaves = _sources((inputs, keywords), record.givers)
            call.first_sources = _sources(first, record.givers)[0]
            call.entered = {maker(tensor) for tensor in tensors((inputs, keywords))}
            call.pooling = "" if first is None else pooling(maker(first), record.givers)
            if call.pooling and first is not None and first.requires_grad:
                first.register_hook(functools.partial(_note_pooled, call))
            if _has_time(part) and first is not None and first.requires_grad:
                first.register_hook(_noting_time(call, 1 if part.batch_first and first.ndim == 3 else 0))
            calls.append(call)
            if open_calls:
                calls[open_calls[-1]].children.append(len(calls) - 1)
            open_calls.append(len(calls) - 1)

        return hook

    def after(_module: Any, _inputs: Any, output: Any) -> None:
        if not open_calls:
            return
        record.held.append(output)
        place = open_calls.pop()
        call = calls[place]
        _begin_gradients(output, call)
        _note_output(call, output)
        for tensor in tensors(output):
            if tensor.requires_grad:
                record.givers.setdefault(maker(tensor), set()).add(place)

    try:
        for name, part in module.named_modules():
            handles.append(part.register_forward_pre_hook(before(name, type(part).__name__), with_kwargs=True))
            handles.append(part.register_forward_hook(after))
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _begin_gradients(output: Any, call: Call) -> None:
    """Let gradients come back to a frozen embedding, which takes no floats that they could go on to."""
    is_tensor = next(tensors(output), None) is output
    if is_tensor and output is not None and not call.takes_floats and output.is_leaf:
        output.requires_grad_()


def maker(tensor: Any) -> Any:
    """Return the step of autograd that made a tensor; of a leaf the tensor itself."""
    return tensor if tensor.grad_fn is None else tensor.grad_fn


def _sources(inputs: Any, givers: Mapping[Any, set[int]]) -> tuple[set[int], set[int]]:
    """Return the calls, and the leaves, that inputs are made of, by the steps of autograd between."""
    waiting = [maker(tensor) for tensor in tensors(inputs)]
    seen, sources, leaves = set(waiting), set[int](), set[int]()
    while waiting:
        step = waiting.pop()
        if step in givers:
            sources |= givers[step]
            continue
        steps = [each for each, _ in getattr(step, "next_functions", ()) if each is not None]
        if not steps:
            leaves.add(id(step))
        before = {getattr(each, "variable", each) for each in steps}
        waiting.extend(before - seen)
        seen |= before
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


def _has_time(module: Any) -> bool:
    """Return whether it is a recurrent module of torch that runs in one direction, or several such layers."""
    return hasattr(module, "weight_hh_l0") and not module.bidirectional


def _note_pooled(call: Call, gradient: Any) -> None:
    call.pooled_square = float(square_sum(gradient))


def _noting_time(call: Call, axis: int) -> Callable[[Any], None]:
    def note(gradient: Any) -> None:
        others = [k for k in range(gradient.ndim) if k != axis]
        call.by_time = (gradient.detach().double() ** 2).sum(dim=others).tolist()

    return note


def _note_output(call: Call, output: Any) -> None:
    """Note the size of an output, and that of its gradient when it is known."""
    from torch.autograd.graph import get_gradient_edge

    tensor = next(tensors(output), None)
    if tensor is None:
        return
    call.square, call.size = float(square_sum(tensor)), tensor.numel()
    call.width, call.given, call.gave_same = _width(tensor), id(tensor), _is_same(tensor)
    call.gave_still = still_share(tensor, call.kind)
    call.units = tensor.shape[unit_axis(tensor, call.kind)] if tensor.ndim else 1
    call.is_finite, call.left = is_finite(output), tensor.grad_fn
    if not tensor.requires_grad or not call.size:  # of no entries none comes back
        return
    call.tensor, call.edge = tensor.detach(), get_gradient_edge(tensor)

    def note(gradient: Any) -> None:
        call.gradient_square = float(square_sum(gradient))
        call.by_sample = by_sample(gradient)
        call.is_gradient_finite = is_finite(gradient)

    tensor.register_hook(note)
