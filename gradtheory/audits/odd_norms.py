"""Norms of a network that was read: whose gain is unlike that of the others, or behind which nothing passes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np

from gradtheory.audits.layers import MADE_ALIKE
from gradtheory.audits.outliers import WEIGHTS
from gradtheory.networks import Elementwise, LayerNorm, Node
from gradtheory.networks.passes import Forward


class OddNorm(NamedTuple):
    """A norm whose gain is far from that of the others.

    Attributes
    ----------
    name : str
    times : float
        Its gain beside that of the others, each as its root mean square.
    nodes : tuple of Node
        The network with a usual gain in its place.

    """

    name: str
    times: float
    nodes: tuple[Node, ...]

    @property
    def cause(self) -> str:
        """What it is, in words."""
        return f"its gain is {self.times:.3g} times as large as that of the other norms"


def odd_norm(nodes: Sequence[Node]) -> OddNorm | None:
    """Return the norm whose gain is furthest from that of the others, if it matters."""
    gains = {place: _size(node.operation) for place, node in enumerate(nodes) if isinstance(node.operation, LayerNorm)}
    usual = median(gains.values()) if len(gains) > MADE_ALIKE else 0.0
    if not 0.0 < usual < math.inf:
        return None
    by_size = {place: abs(math.log(gain / usual)) for place, gain in gains.items() if 0.0 < gain < math.inf}
    place = max(by_size, key=by_size.__getitem__)
    norm, times = nodes[place].operation, gains[place] / usual
    if by_size[place] <= math.log(WEIGHTS) or not isinstance(norm, LayerNorm) or norm.gain is None:
        return None
    mended = replace(nodes[place], operation=replace(norm, gain=norm.gain / times))
    return OddNorm(nodes[place].name, times, (*nodes[:place], mended, *nodes[place + 1 :]))


def _size(norm: LayerNorm) -> float:
    return 1.0 if norm.gain is None else math.sqrt(float(np.mean(norm.gain**2)))


def closed_norms(nodes: Sequence[Node], passed: Forward) -> list[tuple[str, str]]:
    """Return the norms that let no gradient pass, and why: a gain of 0, or a bias that leaves what follows no slope."""
    closed: list[tuple[str, str]] = []
    for place, node in enumerate(nodes):
        if not isinstance(node.operation, LayerNorm):
            continue
        takers = [number for number, other in enumerate(nodes) if place in other.sources]
        if node.operation.gain is not None and not node.operation.gain.any():
            closed.append((node.name, "its gain is 0"))
        elif len(takers) == 1 and isinstance(follower := nodes[takers[0]].operation, Elementwise):
            bias = 0.0 if node.operation.bias is None else float(np.mean(node.operation.bias))
            if not passed.kept[takers[0]][1].any():
                closed.append(
                    (node.name, f"with its bias, {bias:.3g} on average, every slope of {follower.activation.name} is 0")
                )
    return closed
