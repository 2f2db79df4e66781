"""The state of a loop after its last step, and the calls of a module after which a state is told.

A step may call one module several times, as those of Runge and Kutta do, and hand the state around it. What it gives
last is a term of the new state, and of the calls only those compare whose terms every way to the last state passes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import Graph, steps_before, steps_from


@dataclass(frozen=True)
class State:
    """What a loop gives last.

    Attributes
    ----------
    end : step
        The last sum that what the most repeated module gave last is a term of, if it is a state; or what it gave.
    ends : set of step
        Likewise of all modules that are called as often.
    beside : set of step
        What these sums are made of beside that.

    """

    end: Any
    ends: set[Any]
    beside: set[Any]

    @classmethod
    def after(cls, span: Sequence[Call], steps: Sequence[Call], graph: Graph) -> "State":
        """Return the state after the parts of a loop, of which those of its most repeated module are given, too."""
        times = Counter(part.name for part in span)
        last = {part.name: part for part in span if part.left in graph and times[part.name] == len(steps)}
        of_second_half = graph.after(steps[(len(steps) - 1) // 2].left)
        made_of_first = graph.after(steps[0].left)
        ends, beside = {}, set[Any]()
        for name, part in last.items():
            behind = steps_from(part.left)
            for end in reversed(graph.sums_of(part.left)):
                new = steps_from(end, until=behind) - behind
                taken = {each for step in new for each in steps_before(step)} - new
                if taken & made_of_first <= of_second_half:  # else it adds up all states
                    ends[name], beside = end, beside | new
                    break
        end = ends.get(steps[-1].name, steps[-1].left)
        return cls(end, set(ends.values()), beside - set(ends.values()))

    def told(self, steps: Sequence[Call], graph: Graph) -> Sequence[Call]:
        """Return the calls whose sums are states that all ways to the last one pass; all of them if none do."""
        begin = steps[0].left
        above = Graph.behind(self.end).above
        passed, step = set[Any](), begin
        while step in above and step not in passed:
            passed.add(step)
            step = above[step]
        known = [k for k, each in enumerate(steps[:-1]) if graph.sum_of(each.left) in passed]
        if len(known) < len(steps) - 1:  # what is between the first call and the next alone is passed, too
            known = [k for k in known if k > 0]
        return [*(steps[k] for k in known), steps[-1]] if known else steps
