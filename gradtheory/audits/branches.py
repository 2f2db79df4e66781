"""The branches of a measured module that its own parts make, each as one block.

Within a branch the gradient is that of the branch alone, and what a norm does at its mouth is undone where it is added
to the stream. So only the product of its gains tells how the gradient goes on.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from gradtheory.audits.layers import AuditedBlock, module_of


def groups(blocks: Sequence[AuditedBlock]) -> list[list[int]]:
    """Return the places of the blocks of each branch; a block that lies in none, or in one without an end, is alone."""
    grouped: list[list[int]] = []
    begun: dict[int, list[int]] = {}
    for place, block in enumerate(blocks):
        begun.setdefault(block.path, []).append(place)
        if not block.is_inner:
            grouped.append(begun.pop(block.path))
    grouped += [[place] for places in begun.values() for place in places]
    return sorted(grouped, key=lambda places: places[-1])


def joined(blocks: Sequence[AuditedBlock]) -> list[AuditedBlock]:
    """Return the blocks with each branch as one, named after the member that changes the gradient most its way."""
    return [_one([blocks[place] for place in places]) for places in groups(blocks)]


def stream_of(blocks: Sequence[AuditedBlock]) -> list[AuditedBlock]:
    """Return the blocks that stand in a row from the input to the loss."""
    return [block for block in joined(blocks) if block.path == 0]


def _one(members: Sequence[AuditedBlock]) -> AuditedBlock:
    *_, last = members
    if len(members) == 1:
        return last
    is_known = all(member.in_branch > 0.0 and math.isfinite(member.in_branch) for member in members)
    gain = last.whole if is_known else math.nan
    way = 1.0 if gain > 1.0 else -1.0
    name = _steepest(members, way) if is_known else last.name
    return replace(
        last,
        name=name,
        gain=gain,
        spread=math.hypot(*(member.spread for member in members)),
        least_spread=math.hypot(*(member.least_spread for member in members)),
        layers=tuple(layer for member in members for layer in member.layers),
        kind=" ".join(member.kind for member in members),
        took=members[0].took,
        members=tuple(member.name for member in members),
    )


def _steepest(members: Sequence[AuditedBlock], way: float) -> str:
    """Return the member that changes the gradient most one way: of the module that does so by all of its calls."""
    totals: dict[str, float] = {}
    for member in members:
        module = module_of(member.name)
        totals[module] = totals.get(module, 0.0) + way * _size(member)
    return max(members, key=lambda member: (totals[module_of(member.name)], way * _size(member))).name


def _size(member: AuditedBlock) -> float:
    return math.log(member.gain if member.gain > 0.0 else member.in_branch)
