"""The gain of each part of a module by what the part itself sends back, where others send back to the same place, too.

Of what one part gives several may take, as two heads of a trunk, and the gradient by it is the sum of what they send
back. And one part may take what several give, as a product of two: what it sends back is what comes to all of these.
So products of gains are not the gradient's over the whole; where branches come together again, that tells it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from gradtheory.audits.layers import NAN
from gradtheory.audits.modules.call import Call, apart
from gradtheory.audits.modules.graph import Graph, steps_from
from gradtheory.audits.modules.loops import compared
from gradtheory.audits.modules.tensors import by_sample, square_sum, sum_of_rows

_MOST_KEPT = 2**28  # entries of all that the modules give: a gigabyte of gradients in float32


@dataclass(frozen=True)
class OwnGain:
    """What a part does to the gradient itself.

    Attributes
    ----------
    gain : float
        The norm of all that it sends back to the parts that it takes from, over that of the gradient by what it gives.
    counted : float
        The same as a verdict counts it: growth by what comes to the part before, fading by what comes to all. It is nan
        where another part that goes to the loss by itself sends more to the same place, so that this one matters less;
        and where branches come together again, of a part that begins one beside the stream.
    of_all : float
        By all of the gradient that comes to the part before on the same path, whatever goes around this one.
    share_above_1 : float
        The share of samples on which what it sends back is larger than the gradient by what it gives.
    leader : int or None
        The place of the part that sends most to the part on which it goes on, where it sends less to the loss's end.

    """

    gain: float = NAN
    counted: float = NAN
    of_all: float = NAN
    share_above_1: float = NAN
    leader: int | None = None


def keep_gradients(calls: Sequence[Call]) -> bool:
    """Let calls keep the gradients that come back to them, unless these are too many; return whether they do."""
    keeps = sum(call.size for call in calls) <= _MOST_KEPT
    for call in calls:
        call.keeps = keeps
    return keeps


def own_gains(
    parts: Sequence[Call], before: Sequence[Sequence[int]], paths: Sequence[int], calls: list[Call],
    graph: Graph, by_x: Mapping[int, float], passed_by: Set[str],
) -> list[OwnGain]:  # fmt: skip
    """Return the gain of each part by what it sends back itself.

    Parameters
    ----------
    parts, before, paths : sequence
        The stream, and for each part the parts that it takes from, and its path.
    calls : list of Call
        All of the module.
    graph : Graph
        That behind the loss.
    by_x : dict of int to float
        The squares of the gradients by the data, by the number of each tensor.
    passed_by : set of str
        The modules of which some call passes gradients on: a gain of 0 of another call tells nothing.

    """
    steps = [_step(part, graph) for part in parts]
    before = [_apart(part, several, parts, steps) for part, several in zip(parts, before, strict=True)]
    takers = Counter(each for several in before for each in several)
    is_closed = [graph.comes_together(step, steps) for step in steps]
    beside = [
        [
            each
            for each in several
            if graph.goes_around(step, steps[each]) and not (takers[each] < 2 and is_closed[each])
        ]
        for step, several in zip(steps, before, strict=True)
    ]
    joins = _joins(parts, beside, paths, steps)
    sent = _sent_back(parts, before, beside, joins, calls, graph)
    most: dict[int, tuple[float, int]] = {}
    for place, own in enumerate(sent):
        for each, call in own.items():
            most[each] = max(most.get(each, (0.0, place)), (call.gradient_square, place))
    by_data = Counter(leaf for part in parts for leaf in part.leaves)
    gains = []
    for place, (part, several, others, own, path) in enumerate(zip(parts, before, beside, sent, paths, strict=True)):
        source = parts[several[-1]] if several and paths[several[-1]] == path else None
        told, prior = compared(part, source, parts, calls, graph)
        data = [by_x[leaf] for leaf in part.leaves & by_x.keys() if by_data[leaf] == 1]
        of_all = gain_of(told, prior.gradient_square if prior else sum(data) if data else NAN)
        is_apart = [each for each in others if not is_closed[each]]
        is_most = joins[place] != place or all(own[each].gradient_square >= most[each][0] for each in is_apart)
        if told is not part or prior is not source or not several:  # of loops, and of the data
            known = of_all if several or part is parts[0] else NAN
            its = OwnGain(of_all, known, known, told.share_above_1(prior))
        else:
            together = _together(parts[several[-1]], own)
            to_all, to_last = (gain_of(part, each.gradient_square) for each in (together, own[several[-1]]))
            counts = is_most and (source is not None or bool(is_apart))
            counted = _counted(to_all, to_last) if source is not None else to_all
            leader = None if is_most else most[several[-1]][1]
            its = OwnGain(to_all, counted if counts else NAN, of_all, part.share_above_1(together), leader)
            if to_all == 0.0 and any(parts[each].gradient_square > 0.0 for each in several):
                its = OwnGain(of_all=of_all)
        gains.append(OwnGain() if its.gain == 0.0 and part.name in passed_by else its)
    return gains


def led(paths: Sequence[int], before: Sequence[Sequence[int]], own: Sequence[OwnGain]) -> list[int]:
    """Return the paths, of which at each fork that goes on which sends most back, whichever is called last."""
    paths = list(paths)
    for place, (several, leader) in enumerate(zip(before, (its.leader for its in own), strict=True)):
        path = paths[place]
        if leader is None or paths[several[-1]] != path or before[leader][-1:] != several[-1:]:
            continue
        other = paths[leader]
        rows = [(k, leader if each == other else place) for k, each in enumerate(paths) if each in (path, other)]
        for k, begin in rows:
            if k >= begin:
                paths[k] = path if begin == leader else other
    return paths


def _counted(to_all: float, to_last: float) -> float:
    """Return a gain as a verdict counts it, from that by all parts before, and that by the last: nan if not known."""
    if to_last <= to_all:
        return min(max(to_last, 1.0), to_all)
    return to_last if to_last > 1.0 else NAN


def _apart(part: Call, several: Sequence[int], parts: Sequence[Call], steps: Sequence[Any]) -> Sequence[int]:
    """Return the parts that one takes from, of those whose outputs are added up the last; in a loop the step before."""
    if several and parts[several[-1]].name == part.name:
        return several[-1:]
    last = {each if steps[each] is None else steps[each]: each for each in several}
    return sorted(last.values(), key=several.index)


def gain_of(part: Call, before: float) -> float:
    """Return the norm of a gradient, given by its square, over that of the gradient by the output of a part."""
    return math.sqrt(before / part.gradient_square) if part.gradient_square > 0.0 else NAN


def _together(before: Call, sent: Mapping[int, Call]) -> Call:
    """Return the part before, with the gradient that comes to all parts that one takes from."""
    first, *others = sent.values()
    rows = first.by_sample
    for other in others:
        rows = sum_of_rows(rows, other.by_sample)
    return replace(before, gradient_square=sum(each.gradient_square for each in sent.values()), by_sample=rows)


def _sent_back(
    parts: Sequence[Call], before: Sequence[Sequence[int]], beside: Sequence[Sequence[int]],
    joins: Sequence[int], calls: list[Call], graph: Graph,
) -> list[dict[int, Call]]:  # fmt: skip
    """Return, for each part, the parts that it takes from, with the gradient that it sends back to each.

    That is all of it where nothing goes around the part. Else it is the product of its Jacobian with the gradient, if
    gradients were kept; of a part that begins a residual branch that of the whole branch, and of what goes around it.
    """
    sent = [{each: parts[each] for each in several} for several in before]
    if not any(beside):
        return sent
    edges, gradients = [_edge(part, graph) for part in parts], [part.back for part in parts]
    with apart(calls):
        for place, others in enumerate(beside):
            ends = [edges[each] for each in others]
            back = _products(edges[joins[place]], gradients[joins[place]], ends)
            for each, gradient in zip(others, back, strict=True):
                square, rows = (NAN, None) if gradient is None else (float(square_sum(gradient)), by_sample(gradient))
                sent[place][each] = replace(parts[each], gradient_square=square, by_sample=rows)
    return sent


def _joins(
    parts: Sequence[Call], beside: Sequence[Sequence[int]], paths: Sequence[int], steps: Sequence[Any]
) -> list[int]:
    """Return for each part that on its path at which what it takes is added again, by no other part; or itself.

    Only that counts which something goes around.
    """
    joins = list(range(len(steps)))
    if not any(beside):
        return joins
    made_of = [
        steps_from(step, until=set(steps) - {step}) if part.at_sum else set()
        for part, step in zip(parts, steps, strict=True)
    ]
    for place, several in enumerate(beside):
        taken = {steps[each] for each in several}
        later = (
            k for k in range(place + 1, len(steps)) if paths[k] == paths[place] and not taken.isdisjoint(made_of[k])
        )
        joins[place] = next(later, place) if several else place
    return joins


def _products(edge: Any, gradient: Any, ends: Sequence[Any]) -> Iterator[Any]:
    """Yield what a gradient sends back to each of some ends; None where that is not known."""
    import torch

    known = [end for end in ends if end is not None]
    products: Sequence[Any] = [None] * len(known)
    if edge is not None and gradient is not None and known:
        try:
            products = torch.autograd.grad(edge, known, gradient, retain_graph=True, allow_unused=True)
            products = [gradient.new_zeros(1) if each is None else each for each in products]
        except RuntimeError:  # torch's, of what goes back once alone, as reentrant checkpoints do
            pass
    rest = iter(products)
    return (None if end is None else next(rest) for end in ends)


def _step(call: Call, graph: Graph) -> Any:
    """Return the step at which the gradient by what a call gives is told."""
    return call.left if call.at_sum is None else graph.sum_of(call.left)


def _edge(call: Call, graph: Graph) -> Any:
    """Return the place in autograd's graph at which the gradient of a call is told; None if these are several."""
    from torch.autograd.graph import GradientEdge

    if call.back is None:
        return None
    return call.edge if call.edge is not None and call.at_sum is None else GradientEdge(_step(call, graph), 0)
