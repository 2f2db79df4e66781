"""Norms of a network that was read: whose gain is unlike that of the others, or behind which nothing passes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np

from gradtheory.audits.layers import MADE_ALIKE
from gradtheory.audits.thresholds import WEIGHTS
from gradtheory.networks import LayerNorm, Node, Sum
from gradtheory.networks.graph import activation_at, followers
from gradtheory.networks.passes import Forward


class OddNorm(NamedTuple):
    """A norm whose gain is far from that of the others.

    Attributes
    ----------
    name : str
    times : float
        Its gain beside that of the others, each as its root mean square.
    what : str
        What that gain is called.

    """

    name: str
    times: float
    what: str = "gain"

    @property
    def cause(self) -> str:
        """What it is, in words."""
        return f"its {self.what} is {self.times:.3g} times as large as that of the other norms"


def odd_norms(nodes: Sequence[Node]) -> tuple[list[OddNorm], list[Node]]:
    """Return the norms whose gains are far from the others', the furthest first, and the network with usual ones."""
    gains = {place: _size(node.operation) for place, node in enumerate(nodes) if isinstance(node.operation, LayerNorm)}
    usual = median(gains.values()) if len(gains) > MADE_ALIKE else 0.0
    mended, odd = list(nodes), list[OddNorm]()
    for place, gain in gains.items():
        norm = nodes[place].operation
        times = gain / usual if 0.0 < usual < math.inf else math.nan
        is_odd = 0.0 < times < math.inf and abs(math.log(times)) > math.log(WEIGHTS)
        if is_odd and isinstance(norm, LayerNorm) and norm.gain is not None:
            odd.append(OddNorm(nodes[place].name, times))
            mended[place] = replace(nodes[place], operation=replace(norm, gain=norm.gain / times))
    return sorted(odd, key=lambda each: -abs(math.log(each.times))), mended


def _size(norm: LayerNorm) -> float:
    return 1.0 if norm.gain is None else math.sqrt(float(np.mean(norm.gain**2)))


def closed_norms(nodes: Sequence[Node], passed: Forward) -> list[tuple[str, str]]:
    """Return the norms that let no gradient pass, and why: a gain of 0, or a bias that leaves what follows no slope.

    That all branches end with a norm of gain 0 is a way to initialise.
    """
    closed: list[tuple[str, str]] = []
    behind = followers(nodes)
    ends = [_ends_a_branch(nodes, place) for place, node in enumerate(nodes)]
    is_meant = all(_is_zero(node) for node, is_end in zip(nodes, ends, strict=True) if is_end)
    for place, node in enumerate(nodes):
        follower = behind.get(place)
        if _is_zero(node) and not (is_meant and ends[place]):
            closed.append((node.name, "its gain is 0"))
        elif isinstance(node.operation, LayerNorm) and follower is not None and not passed.kept[follower][1].any():
            bias = 0.0 if node.operation.bias is None else float(np.mean(node.operation.bias))
            name = activation_at(nodes, follower).name
            closed.append((node.name, f"with its bias, {bias:.3g} on average, every slope of {name} is 0"))
    return closed


def _is_zero(node: Node) -> bool:
    norm = node.operation
    return isinstance(norm, LayerNorm) and norm.gain is not None and not norm.gain.any()


def _ends_a_branch(nodes: Sequence[Node], place: int) -> bool:
    """Return whether a norm is what a sum takes."""
    takers = [other for other in nodes if place in other.sources]
    return isinstance(nodes[place].operation, LayerNorm) and any(isinstance(each.operation, Sum) for each in takers)
