"""What is known of one call of a module in a forward pass, and of the gradient that came back to what it gave."""

import functools
import math
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.layers import NAN
from gradtheory.audits.modules.tensors import by_sample, is_finite, square_sum
from gradtheory.audits.modules.unrolled import Unrolled


@dataclass
class Call:
    """One call of a module in a forward pass.

    Attributes
    ----------
    name : str
    kind : str
        The class.
    square, gradient_square : float
        Sums of squares of the output, and of the gradient by it: by all tensors of it that are no vectors, as losses
        beside the output are. Of several the others that are told of the output are those of the first that the loss
        is made of.
    squares : dict of int to float
        The squares of gradients that came back, by the number of each such tensor.
    others : list of Call
        What would be told of the output if it were another of these tensors.
    by_sample : ndarray or None
        The squares of the gradient by the output, row by row of its first axis.
    size, width : int
        The entries of the output, and how many of them vary on their own: those of a sample, or the channels of an
        image, of which all positions have the same weights.
    is_finite, was_finite : bool
        Whether the output is finite, and whether the inputs were, but for masks.
    is_masked : bool
        Whether all of the output that is not finite is -inf.
    takes_floats : bool
        Whether an input is a tensor of floats: tokens are none.
    taken, given : int
        Which tensors are the first input and the output: the same number for the same tensor.
    sources, first_sources : set of int
        The calls whose outputs its inputs, and its first input, are made of, with operations between modules at most.
    leaves : set of int
        Likewise which tensors that nothing has made, by their numbers.
    made_of : set of int
        Likewise the calls that its output is made of, if it has parts of its own.
    entered, began, left : set, and object or None
        The steps of autograd that made its inputs, the one that made the first, and the one that made its output.
    took_size, took_least : float
        The root mean square of the first input, and that of its least token.
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
    ends_in : str
        By which such reduction the output was made of what a part of its own gave.
    at_sum : tuple of float and ndarray, or None
        The square of the gradient by the sum that the output is a term of, after what is done with it alone, and the
        same row by row: in its place that tells how the gradient comes to what is beside the term.
    lets_pass : float
        Of a norm: which share of a gradient's size is left when that along what it gives is taken away, beside what is
        left of a random one.
    unrolled : Unrolled or None
        Of a recurrent module: what tells how the gradient goes back through its time steps.
    alone, loop : Call and object, or None
        Of a step of a loop: the same with the gradient that enters at the last step alone; and which loop that is.
    faded : tuple of float and int, or None
        Of the first step of a loop: by which logarithm what enters last fades, in how many, if all of it does not.
    fading : float
        Likewise which share of that, in logarithms, is fading of all of the gradient.
    is_within : bool or None
        Likewise of each of its calls, if a step has several: whether another follows before the next state.
    taken_square : float
        Of what takes the steps of such a loop: the square of the gradient by its first input.
    tensor, edge : tensor, edge of autograd's graph, or None
        The output without its graph, and its place in the graph as it was when it was given.
    keeps : bool
        Whether gradients are kept: there are few numbers.
    back, pooled_back : tensor or None
        Then the gradient by the output, if that is one tensor, or by the sum; and that by the first input.

    """

    name: str
    kind: str
    square: float = NAN
    gradient_square: float = NAN
    squares: dict[int, float] = field(default_factory=dict)
    others: list["Call"] = field(default_factory=list)
    by_sample: Array | None = None
    size: int = 0
    width: int = 1
    is_finite: bool = True
    was_finite: bool = True
    is_masked: bool = False
    is_gradient_finite: bool = True
    takes_floats: bool = True
    taken: int = 0
    given: int = 0
    sources: set[int] = field(default_factory=set)
    first_sources: set[int] = field(default_factory=set)
    leaves: set[int] = field(default_factory=set)
    made_of: set[int] = field(default_factory=set)
    entered: set[Any] = field(default_factory=set)
    began: Any = None
    left: Any = None
    took_size: float = NAN
    took_least: float = NAN
    took_same: bool = False
    gave_same: bool = False
    units: int = 0
    took_still: float = NAN
    gave_still: float = NAN
    pooling: str = ""
    pooled_square: float = NAN
    ends_in: str = ""
    at_sum: tuple[float, Array | None] | None = None
    lets_pass: float = 1.0
    unrolled: Unrolled | None = None
    alone: "Call | None" = None
    loop: Any = None
    faded: tuple[float, int] | None = None
    fading: float = 1.0
    is_within: bool | None = None
    taken_square: float = NAN
    tensor: Any = None
    edge: Any = None
    keeps: bool = False
    back: Any = None
    pooled_back: Any = None
    children: list[int] = field(default_factory=list)

    @property
    def is_origin(self) -> bool:
        """Whether its inputs are finite and its output is not."""
        return self.was_finite and not self.is_finite

    @property
    def is_reached(self) -> bool:
        """Whether a gradient came back to the output, or numbers overflowed before."""
        return bool(self.squares) or not self.is_finite

    @property
    def through_time(self) -> tuple[str, float, int, str] | None:
        """Of which module the gradient that enters last grows on its way to the first time step.

        Then come by which logarithm, in how many steps, and by what that gradient is: its input or its state.
        """
        growth = None if self.unrolled is None else self.unrolled.growth()
        if self.unrolled is None or growth is None:
            return None
        return self.name or self.kind, *growth, self.unrolled.by

    def share_above_1(self, before: "Call | None") -> float:
        """Return the share of samples on which the gradient grows; nan where the parts have not the same samples."""
        here, there = self.by_sample, None if before is None else before.by_sample
        if here is None or there is None or len(here) != len(there) or not math.isfinite(self.gradient_square):
            return NAN
        return float((there > here).mean())


def hands_on(part: Call, before: Call, module: Any) -> bool:
    """Return whether a part without weights only hands on the numbers of the part before, as `Identity`, `Flatten`."""
    if part.children or next(module.get_submodule(part.name).parameters(), None) is not None:
        return False
    pairs = (part.size, before.size), (part.square, before.square), (part.gradient_square, before.gradient_square)
    return all(math.isclose(*pair, rel_tol=1e-6) for pair in pairs)  # what works in place gives the same tensor, too


def names_of(parts: Sequence[Call]) -> list[str]:
    """Return what the parts are called: the second call of a module, say, is its name and "#2"."""
    seen = Counter[str]()
    names = []
    for part in parts:
        seen[part.name] += 1
        names.append(part.name or part.kind if seen[part.name] == 1 else f"{part.name}#{seen[part.name]}")
    return names


def lead(calls: Sequence[Call], steps: Container[Any]) -> None:
    """Let each call be known by the first tensor that it gave of which the loss is made, by these steps of autograd."""
    told = ("square", "size", "width", "gave_same", "gave_still", "units", "left", "tensor", "edge")
    for call in calls:
        if call.left not in steps:
            leading = next((other for other in call.others if other.left in steps), call)
            for name in told:
                setattr(call, name, getattr(leading, name))


def watch_sums(calls: Sequence[Call], sum_of: Callable[[Any], Any]) -> None:
    """Let each call know of the gradient by the sum that it is a term of."""
    for call in calls:
        if call.left is not None and (step := sum_of(call.left)) is not call.left:
            step.register_prehook(functools.partial(_note_sum, call))


def _note_sum(call: Call, gradients: Sequence[Any]) -> None:
    if gradients[0] is not None:
        call.at_sum = float(square_sum(gradients[0])), by_sample(gradients[0])
        call.back = gradients[0].detach() if call.keeps else None


def settle(calls: Sequence[Call], outcome: Any) -> None:
    """Tell of each term the gradient by its sum; and if all that came of them is finite, what is masked is no fault."""
    is_harmless = is_finite(outcome) and all(call.is_gradient_finite for call in calls)
    for call in calls:
        call.is_finite = call.is_finite or (is_harmless and call.is_masked)
        if call.at_sum is not None and call.at_sum[0] != call.gradient_square:
            call.gradient_square, call.by_sample = call.at_sum
            call.edge = None


def origin_of(calls: Sequence[Call]) -> str | None:
    """Return the innermost module of which the inputs are finite and the output is not: in what it does itself."""
    origin = next((call for call in calls if call.is_origin), None)
    while origin is not None and (inner := next((calls[k] for k in origin.children if calls[k].is_origin), None)):
        origin = inner
    return None if origin is None else origin.name or origin.kind


def forget(call: Call) -> None:
    """Let a call know nothing of gradients."""
    call.squares, call.gradient_square, call.by_sample, call.at_sum, call.back = {}, NAN, None, None, None
    call.is_gradient_finite, call.pooled_square, call.pooled_back = True, NAN, None
    if call.unrolled is not None:
        call.unrolled.gradients = {}


@contextmanager
def apart(calls: list[Call]) -> Iterator[None]:
    """Let calls note gradients anew while the context lasts; then they know what they knew.

    A checkpoint calls modules again on the way back, and adds calls.
    """
    known = [(call, dict(vars(call)), None if call.unrolled is None else call.unrolled.gradients) for call in calls]
    for call in calls:
        forget(call)
    try:
        yield
    finally:
        for call, own, gradients in known:
            vars(call).update(own)
            if call.unrolled is not None and gradients is not None:
                call.unrolled.gradients = gradients
