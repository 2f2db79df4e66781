"""Where in a box of one to three inputs the Jacobian of a network exceeds a threshold: bisection with proofs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable, downward, upward
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.arithmetic.inputs import Array, read_count, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.networks.bounds.boxes import halves, read_box, shares
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.bounds.local_norms import norms_from_above, norms_from_below
from gradtheory.networks.bounds.rounding import TINY, gamma
from gradtheory.networks.bounds.tangents import Tangent
from gradtheory.networks.nodes import Node
from gradtheory.typing import ArrayLike, NumberLike

MOST_INPUTS = 3
_MOST_BOXES, _BATCH = 1_000_000, 2048
_SMALLEST = 1e-300  # volume of a box, and its reciprocal the largest
_PARTS = 64  # at first, about so many boxes


@dataclass(frozen=True, eq=False)
class ExplosionRegion(ShownAsTable):
    r"""Where the norm of a network's Jacobian exceeds a threshold, within a box.

    Attributes
    ----------
    threshold : float
    box : pair of ndarray of shape (n,)
        The box that was asked about: its lower and its upper corner.
    inside, outside, undecided : pair of ndarray of shape (boxes, n)
        Lower and upper corners of boxes: those in which ‖∂f/∂x‖ > c is proven wherever f has a derivative, those in
        which ‖∂f/∂x‖ ≤ c is, and the others. Together they are the whole box.
    measure : pair of float
        The volume of the set, from below and from above: certified.
    is_complete : bool
        Whether the share of the undecided boxes is within the tolerance; else the budget of boxes was used up.

    """

    threshold: float
    box: tuple[Array, Array]
    inside: tuple[Array, Array]
    outside: tuple[Array, Array]
    undecided: tuple[Array, Array]
    measure: tuple[float, float]
    is_complete: bool

    @property
    def guarantee(self) -> Guarantee:
        """That of the bracket and of every box inside and outside."""
        return Guarantee.CERTIFIED

    @property
    def undecided_share(self) -> float:
        """The share of the box that is not decided, in float64."""
        return float(shares(*self.undecided, self.box).sum())

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, name)[0])} {name}" for name in ("inside", "outside", "undecided"))
        low, high = downward(self.measure[0]), upward(self.measure[1])
        end = "" if self.is_complete else ", budget of boxes used up"
        return (
            f"ExplosionRegion(‖J‖ > {self.threshold:g} on a measure between {low} and {high} (certified), "
            f"boxes: {counts}; {self.undecided_share:.2%} undecided{end})"
        )


def explosion_region(
    network: Any,
    box: Sequence[ArrayLike],
    *,
    threshold: NumberLike = 1,
    tolerance: NumberLike = 0.01,
    most_boxes: int = 200_000,
) -> ExplosionRegion:
    r"""Return where in a box the Jacobian of a network exceeds a threshold: {x : ‖∂f/∂x‖ > c}, in the spectral norm.

    Boxes are cut in halves until all but a small share of the volume is decided. On each the Jacobian is enclosed in
    mean value form with all rounding errors counted; so a box inside, or outside, is one with a proof. Where f has
    kinks, boxes that meet one are decided only if both sides agree.

    Parameters
    ----------
    network : Network
        Of one to three inputs, with its weights.
    box : pair of array_like of shape (n,)
        (lower, upper).
    threshold : number
        c > 0.
    tolerance : number
        The share of the box that may be left undecided.
    most_boxes : int
        The budget: with so many boxes looked at, the rest is left undecided.

    Returns
    -------
    ExplosionRegion

    Raises
    ------
    InvalidArgument
        If the network has more than three inputs, or an argument breaks a rule.
    Undecided
        If the monotone branches of an activation's slope are not proven.

    References
    ----------
    R. E. Moore, R. B. Kearfott & M. J. Cloud, "Introduction to Interval Analysis" (2009), chapters 5 and 6.

    Examples
    --------
    >>> import gradtheory as gt
    >>> network = gt.Network((1, 1), "tanh", w=[[[2.0]]], b=[[0.0]])
    >>> region = explosion_region(network, ([-2], [2]), tolerance=1e-4)
    >>> region.measure[0] < gt.explosion_set("tanh", w=2).measure < region.measure[1]
    True

    """
    nodes, n = read_nodes(network)
    if not 1 <= n <= MOST_INPUTS:
        raise InvalidArgument("network.n_inputs", n, "must be 1, 2 or 3; for more, network.jacobian_bound(box)")
    corners = read_box(box, n)
    if np.any(corners[0] == corners[1]):
        raise InvalidArgument("box", box, "must have lower < upper in every entry: a volume is asked for")
    if not _SMALLEST < _volume(corners) < 1 / _SMALLEST:
        raise InvalidArgument("box", box, f"must have a volume between {_SMALLEST:g} and {1 / _SMALLEST:g}, in float64")
    c = read_positive_float(threshold, "threshold")
    share = read_positive_float(tolerance, "tolerance")
    budget = read_count(most_boxes, "most_boxes", _MOST_BOXES)
    return _bisected(nodes, corners, c, share, budget)


def read_nodes(network: Any) -> tuple[Sequence[Node], int]:
    """Return the nodes of a network, with its weights, and the width of its input, or refuse it."""
    nodes, n = getattr(network, "nodes", None), getattr(network, "n_inputs", None)
    if not (isinstance(nodes, tuple) and isinstance(n, int) and all(isinstance(node, Node) for node in nodes)):
        rule = (
            "must be a gradtheory.Network with its weights, such as Network((1, 1), 'tanh', w=[[[2]]], b=[[0]]) "
            "or Network.from_torch(module)"
        )
        raise InvalidArgument("network", network, rule)
    return nodes, n


def _bisected(
    nodes: Sequence[Node], corners: tuple[Array, Array], c: float, share: float, budget: int
) -> ExplosionRegion:
    lower, upper = (corner[None] for corner in corners)
    inside: list[tuple[Array, Array]] = []
    outside: list[tuple[Array, Array]] = []
    undecided = in_parts(lower, upper, min(_PARTS, budget))
    looked_at, left = 0, 1.0
    while len(undecided[0]) and left > share and looked_at + len(undecided[0]) <= budget:
        looked_at += len(undecided[0])
        remaining, later = [], []
        for low, high in in_batches(undecided):
            if left <= share:  # the last of these need not be looked at
                later.append((low, high))
                continue
            jacobian = jacobian_on(nodes, low, high)
            is_in = norms_from_below(jacobian) > c
            is_out = ~is_in & (norms_from_above(jacobian) <= c)
            open_yet = ~(is_in | is_out)
            inside.append((low[is_in], high[is_in]))
            outside.append((low[is_out], high[is_out]))
            remaining.append((low[open_yet], high[open_yet], steepest_axis(jacobian, low, high)[open_yet]))
            left -= float(shares(low[~open_yet], high[~open_yet], corners).sum())
        low, high, axis = (np.concatenate(parts) for parts in zip(*remaining, strict=True))
        if left <= share or looked_at + 2 * len(low) > budget or not _can_be_cut(low, high, axis):
            undecided = _joined([(low, high), *later], lower.shape[1])
            break
        undecided = halves(low, high, axis)
    complete = not len(undecided[0]) or float(shares(*undecided, corners).sum()) <= share
    n = lower.shape[1]
    sets = [_joined(part, n) for part in (inside, outside, [undecided])]
    below, rest = (float(shares(*sets[place], corners).sum()) for place in (0, 2))
    count = len(sets[0][0]) + len(sets[2][0])
    room, underflow = 2.0 * gamma(count + 6.0 * n + 4.0), count * n * TINY
    volume = float(_volume(corners))
    bracket = max(below * (1.0 - room) - underflow, 0.0) * volume, ((below + rest) * (1.0 + room) + underflow) * volume
    return ExplosionRegion(c, corners, sets[0], sets[1], sets[2], bracket, complete)


def _volume(box: tuple[Array, Array]) -> Fraction:
    sides = (Fraction(high) - Fraction(low) for low, high in zip(*map(Array.tolist, box), strict=True))
    return math.prod(sides, start=Fraction(1))


def jacobian_on(nodes: Sequence[Node], lower: Array, upper: Array) -> Tangent:
    """Return the Jacobians on boxes, linear in the inputs."""
    return enclose_network(nodes, lower, upper, symbols=lower.shape[1]).jacobian


def _can_be_cut(lower: Array, upper: Array, axis: Array) -> bool:
    """Return whether there are floats between the sides of all boxes."""
    rows = np.arange(len(lower))
    low, high = lower[rows, axis], upper[rows, axis]
    middle = low + (high - low) / 2.0
    return bool(((low < middle) & (middle < high)).all())


def steepest_axis(jacobian: Tangent, lower: Array, upper: Array) -> Array:
    """Return along which input each box is to be cut: the one along which it varies most."""
    with np.errstate(all="ignore"):
        change = np.sqrt((jacobian.linear**2).sum(axis=(2, 3))).T
        widths = upper - lower
        total = change.sum(axis=1, keepdims=True)
        known = np.isfinite(total) & (total > 0.0)
        score = np.where(known, change / total, 0.0) + 0.5 * widths / widths.sum(axis=1, keepdims=True)
    return np.asarray(score.argmax(axis=1))


def in_parts(lower: Array, upper: Array, parts: int) -> tuple[Array, Array]:
    """Return boxes cut in halves, along their widest sides, until there are as many."""
    while 2 * len(lower) <= parts:
        lower, upper = halves(lower, upper, (upper - lower).argmax(axis=1))
    return lower, upper


def in_batches(boxes: tuple[Array, Array]) -> list[tuple[Array, Array]]:
    """Return boxes in batches of at least two, so that none is taken for a single box with symbols of its own."""
    lower, upper = boxes
    if len(lower) == 1:
        return [(lower, upper)]
    cuts = list(range(0, len(lower) - 1, _BATCH)) or [0]
    ends = [*cuts[1:], len(lower)]
    return [(lower[start:end], upper[start:end]) for start, end in zip(cuts, ends, strict=True)]


def _joined(parts: list[tuple[Array, Array]], n: int) -> tuple[Array, Array]:
    empty = np.empty((0, n))
    lower, upper = (np.concatenate([empty, *(part[side] for part in parts)]) for side in (0, 1))
    return lower, upper
