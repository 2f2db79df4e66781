"""The steps of autograd behind a loss, and which of them every path to the loss passes."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

SUMS = {"AddBackward0": 1.0, "SubBackward0": -1.0}  # names of steps, and by what they multiply the second term
_SUMS_TOO = "RsubBackward0", "LerpBackward0", "AddcmulBackward0", "IndexAddBackward0"
_JOINS = "CatBackward", "StackBackward", "CopySlices", "IndexPut", "Scatter"  # in the names of steps


@dataclass(frozen=True)
class Graph:
    """The steps that lead to a loss; made before the backward pass, which frees what they know.

    Attributes
    ----------
    end : step
        That which made the loss.
    above : dict of step to step
        For each step the nearest that all ways from it to the end pass: its immediate dominator, seen from the end.
    depth : dict of step to int
        How many of those stand between it and the end.
    sums : dict of step to step
        For each step that a sum alone takes, or a step that takes nothing else, that one.
    one : dict of step to step
        For each of several that are taken for one, the one that stands for them.

    """

    end: Any
    above: dict[Any, Any]
    depth: dict[Any, int]
    sums: dict[Any, Any]
    one: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def behind(cls, end: Any, together: Iterable[Iterable[Any]] = (), taken: Container[Any] = ()) -> "Graph":
        """Return the graph behind a step, in which those that are given together, and lead there, are one.

        Of those that modules take no sums are told: what is done with them is done in a module.
        """
        reached = steps_from(end)
        groups = [[step for step in group if step in reached] for group in together]
        one = {step: group[0] for group in groups for step in group}
        members = {group[0]: group for group in groups if group}

        def made_of(step: Any) -> set[Any]:
            return {one.get(each, each) for member in members.get(step, [step]) for each in steps_before(member)}

        takers: dict[Any, list[Any]] = {end: []}
        for step in {one.get(each, each) for each in reached}:
            for each in made_of(step):
                takers.setdefault(each, []).append(step)
        missing = {step: len(several) for step, several in takers.items()}
        above, depth, waiting = {end: end}, {end: 0}, [end]
        while waiting:  # each step after all that take it
            step = waiting.pop()
            for each in made_of(step):
                missing[each] -= 1
                if not missing[each]:
                    above[each] = _common(takers[each], above, depth)
                    depth[each] = depth[above[each]] + 1
                    waiting.append(each)
        alone = {step: several[0] for step, several in takers.items() if len(several) == 1}
        sums = {step: taker for step, taker in alone.items() if step not in taken and _goes_on(taker)}
        return cls(end, above, depth, sums, one)

    def sum_of(self, step: Any) -> Any:
        """Return the last sum that a step is a term of, alone or by what is done with it alone; without one itself."""
        *_, last = self.sums_of(step)
        return last

    def sums_of(self, step: Any) -> list[Any]:
        """Return a step, and all sums that it is a term of, alone or by what is done with it alone."""
        several = [step]
        while step in self.sums:
            step = self.sums[step]
            several += [step] if is_sum(step) else []
        return several

    @cached_property
    def takers(self) -> dict[Any, list[Any]]:
        """What takes each step, where none is taken for another."""
        takers: dict[Any, list[Any]] = {}
        for step in steps_from(self.end):
            for before in steps_before(step):
                takers.setdefault(before, []).append(step)
        return takers

    def after(self, *steps: Any) -> set[Any]:
        """Return steps that lead to the end, and all that is made of them."""
        waiting, seen = [step for step in steps if step in self.takers], set[Any]()
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                waiting += self.takers.get(step, [])
        return seen

    def __contains__(self, step: Any) -> bool:
        return self.one.get(step, step) in self.depth

    def goes_around(self, step: Any, start: Any) -> bool:
        """Return whether some way from a start to the end does not pass a step."""
        step, start = self.one.get(step, step), self.one.get(start, start)
        if start not in self.depth or step not in self.depth:
            return start in self.depth
        while self.depth[start] > self.depth[step]:
            start = self.above[start]
        return start is not step

    def comes_together(self, step: Any, ends: Iterable[Any]) -> bool:
        """Return whether all ways from a step to the end pass one of some others."""
        others = {self.one.get(each, each) for each in ends}
        step = self.one.get(step, step)
        while step in self.depth and step is not self.end:
            step = self.above[step]
            if step in others:
                return True
        return False


def maker(tensor: Any) -> Any:
    """Return the step of autograd that made a tensor; of a leaf the tensor itself."""
    return tensor if tensor.grad_fn is None else tensor.grad_fn


def steps_before(step: Any) -> list[Any]:
    """Return the steps that a step takes from; a tensor that nothing has made stands for itself."""
    steps = (each for each, _ in getattr(step, "next_functions", ()) if each is not None)
    return [getattr(each, "variable", each) for each in steps]


def steps_from(end: Any, around: Iterable[Any] = (), until: Container[Any] = ()) -> set[Any]:
    """Return the steps that lead to the end, without those that do so by way of some of them alone.

    Those before some others are left out, too.
    """
    left_out = set(around)
    waiting, seen = [end], set(left_out)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += [] if step in until else steps_before(step)
    return seen - left_out


def is_sum(step: Any) -> bool:
    """Return whether a step adds two tensors, or subtracts one from the other."""
    return hasattr(step, "next_functions") and _adds(step) and len(steps_before(step)) > 1


def is_joined(step: Any, ends: Container[Any]) -> bool:
    """Return whether a step is made of one of some others with something beside it that nothing has made: a token."""
    while step is not None and step not in ends:
        sources = steps_before(step)
        made = [each for each in sources if not _is_made_of_nothing(each)]
        if len(made) != 1:
            return False
        if len(sources) > 1 and _joins(step):
            return True
        (step,) = made
    return False


def _common(steps: list[Any], above: dict[Any, Any], depth: dict[Any, int]) -> Any:
    """Return the nearest step that all ways from some to the end pass."""
    first, *others = steps
    for other in others:
        while first is not other:
            if depth[first] < depth[other]:
                other = above[other]  # noqa: PLW2901  # it climbs
            else:
                first = above[first]
    return first


def _goes_on(step: Any) -> bool:
    """Return whether a step adds something, or does something with one tensor, and with what nothing has made.

    What joins that to the tensor, or writes the one into the other, does not: the gradient by both is not the tensor's.
    Nor does what gives a number, as losses are.
    """
    is_number = not any(getattr(each, "shape", True) for each in getattr(step, "_input_metadata", [None]))
    if is_number or _joins(step):
        return False
    return _adds(step) or sum(not _is_made_of_nothing(each) for each in steps_before(step)) <= 1


def _adds(step: Any) -> bool:
    """Return whether a step adds up what it takes, times factors that nothing has made."""
    if step.name() == "AddcmulBackward0":
        factors = (getattr(each, "variable", each) for each, _ in step.next_functions[1:] if each is not None)
        return sum(not _is_made_of_nothing(each) for each in factors) < 2
    return step.name() in SUMS or step.name() in _SUMS_TOO


def _joins(step: Any) -> bool:
    return any(name in step.name() for name in _JOINS)


def _is_made_of_nothing(step: Any) -> bool:
    """Return whether a step gives a leaf, such as a parameter, or what is done with it alone."""
    while len(sources := steps_before(step)) == 1:
        step = sources[0]
    return not sources
