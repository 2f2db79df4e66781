"""The stream through a torch module: the calls of the parts that the module itself consists of, in their order.

Their outputs are the stream also where a part is a residual branch.
"""

from gradtheory.audits.calls import Call
from gradtheory.audits.pooling import with_pools


def stream(calls: list[Call]) -> list[Call]:
    """Return the parts from the input to the loss, with reductions between them as parts of their own."""
    return with_pools([calls[part] for part in _parts(calls)], lambda part, before: follows(part, before, calls))


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
