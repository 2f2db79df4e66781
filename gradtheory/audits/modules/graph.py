"""The steps of autograd behind a loss, and which of them every path to the loss passes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gradtheory.audits.modules.shortcuts import times


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
        For each step that a sum or a factor alone takes, that one.

    """

    end: Any
    above: dict[Any, Any]
    depth: dict[Any, int]
    sums: dict[Any, Any]

    @classmethod
    def behind(cls, end: Any) -> "Graph":
        """Return the graph behind a step."""
        takers: dict[Any, list[Any]] = {end: []}
        for step in steps_from(end):
            for each in set(before(step)):
                takers.setdefault(each, []).append(step)
        missing = {step: len(several) for step, several in takers.items()}
        above, depth, waiting = {end: end}, {end: 0}, [end]
        while waiting:  # each step after all that take it
            step = waiting.pop()
            for each in set(before(step)):
                missing[each] -= 1
                if not missing[each]:
                    above[each] = _common(takers[each], above, depth)
                    depth[each] = depth[above[each]] + 1
                    waiting.append(each)
        alone = {step: several[0] for step, several in takers.items() if len(several) == 1}
        return cls(end, above, depth, {step: taker for step, taker in alone.items() if _keeps_gradients(taker)})

    def goes_around(self, step: Any, start: Any) -> bool:
        """Return whether some way from a start to the end does not pass a step."""
        if start not in self.depth or step not in self.depth:
            return start in self.depth
        while self.depth[start] > self.depth[step]:
            start = self.above[start]
        return start is not step


def before(step: Any) -> list[Any]:
    """Return the steps that a step takes from; a tensor that nothing has made stands for itself."""
    steps = (each for each, _ in getattr(step, "next_functions", ()) if each is not None)
    return [getattr(each, "variable", each) for each in steps]


def steps_from(end: Any, around: Iterable[Any] = ()) -> set[Any]:
    """Return the steps that lead to the end, without those that do so by way of some of them alone."""
    left_out = set(around)
    waiting, seen = [end], set(left_out)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += before(step)
    return seen - left_out


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


def _keeps_gradients(step: Any) -> bool:
    """Return whether a step adds something, or multiplies by a number."""
    name = step.name()
    return name == "AddBackward0" or times(step, name) is not None
