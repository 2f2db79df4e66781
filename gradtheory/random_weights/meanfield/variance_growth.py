r"""Where one layer makes the variance grow, and where it leaves it as it is.

The excess is log(V(q)/q) with the variance map V, as a function of t = log q. It is made of moving averages: for even f
E[f(√q z)] = ∫ f(e^s)·k(s - t/2) ds with the density k of log|z|, whose Fourier transform falls as e^(-π|ω|/4). So what
happens between two nodes of a tenth of a decade is told by heights and slopes at the nodes; where the excess comes near
0 the nodes are made eight times as dense, and an oscillation that they miss has less than 1e-60 of the size of f. Every
turning point near 0 becomes a node itself, so that two crossings between two nodes are not lost.

Many pairs of scales are looked at together: every node says by `owner` which of them it belongs to. Layers of several
blocks are looked at in the same way (`architectures.flow`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.meanfield.tables import Moments, moment_table, variances

_EPSILON = 2.0**-52
_DIVERGES = 1e3  # the excess where V(q) is not finite, more than that of any float
_PARTS = 8
_NEAR = 1e-4
_ZERO = 1e-6  # more than a zero of the excess that was found may differ from 0
_CLEAR = 8.0  # times what rounding may have made of a slope
_AT_ONCE = 1 << 18  # nodes


class Excess(NamedTuple):
    """log(V(q)/q), its derivative in log q, and what rounding may have made of the first."""

    height: Array
    slope: Array
    noise: Array

    @classmethod
    def of(cls, log_q: Array, after: Array, growth: Array, error: Array) -> "Excess":
        """Return that of V(q), its derivative in q and its error."""
        with np.errstate(all="ignore"):
            height, slope, noise = np.log(after) - log_q, growth * np.exp(log_q) / after - 1.0, error / after
        noise = np.nan_to_num(noise) + 2.0 * _EPSILON * (8.0 + np.abs(log_q))
        lost = ~(np.isfinite(height) & np.isfinite(slope))  # V is 0, or beyond every float; the excess rises there
        height = np.where(lost, np.where(after == 0.0, -_DIVERGES, _DIVERGES), height)
        return cls(height, np.where(lost, 1.0, slope), noise)


At: TypeAlias = Callable[[np.ndarray, Array], Excess]  # of owners and log q


class Nodes(NamedTuple):
    """Places at which the excess is known, in increasing order for each owner."""

    owner: np.ndarray
    log_q: Array
    excess: Excess

    def merged(self, owner: np.ndarray, log_q: Array, excess: Excess) -> "Nodes":
        """Return these nodes and others."""
        owners, places = np.concatenate([self.owner, owner]), np.concatenate([self.log_q, log_q])
        order = np.lexsort((places, owners))
        both = (np.concatenate(pair)[order] for pair in zip(self.excess, excess, strict=True))
        return Nodes(owners[order], places[order], Excess(*both))


class Crossings(NamedTuple):
    """Zeros of the excess at log q, within `error`, in increasing order for each owner.

    `direction` is -1 where the excess falls (variances on both sides come nearer), 1 where it rises and 0 where it
    touches zero.
    """

    owner: np.ndarray
    log_q: Array
    error: Array
    direction: np.ndarray


class VarianceMap(NamedTuple):
    """The maps q → σ_w²·E[σ(√q z)²] + σ_b² of n pairs of scales, looked at for q from 10^least to 10^most.

    `moments` finds moments at variances, directly for a few or interpolated for many.
    """

    record: Activation
    sigma_w: Array
    sigma_b: Array
    least: int
    most: int
    moments: Callable[[Array], Moments]

    def _at(self, owner: np.ndarray, log_q: Array) -> Excess:
        return self._from(self.moments(np.exp(log_q)), log_q, self.sigma_w[owner], self.sigma_b[owner])

    def _from(self, moments: Moments, log_q: Array, sigma_w: Array, sigma_b: Array) -> Excess:
        with np.errstate(all="ignore"):
            weight = sigma_w**2
            after = weight * moments.value + sigma_b**2
            return Excess.of(log_q, after, weight * moments.growth, weight * moments.value_error)

    def crossings(self) -> Crossings:
        """Return the zeros of the excess."""
        ends, parts = self._ends(), []
        for owners in self._blocks():
            known = Excess(*(each.reshape(-1) for each in self._on_table(owners)))
            parts.append(zeros(self._at, Nodes(np.repeat(owners, len(ends)), np.tile(ends, len(owners)), known)))
        return _joined(parts)

    def _blocks(self) -> Iterator[np.ndarray]:
        """Yield owners, so many at once as memory allows."""
        count = len(self.sigma_w)
        step = max(1, _AT_ONCE // len(self._ends()))
        return (np.arange(start, min(start + step, count)) for start in range(0, max(count, 1), step))

    def grows_far_out(self) -> np.ndarray:
        """Whether the greatest variances that do not stay the same grow."""
        return self._first_clear(slice(None, None, -1)) > 0.0

    def shrinks_near_0(self) -> np.ndarray:
        """Whether the least variances that do not stay the same shrink, or all stay the same."""
        return self._first_clear(slice(None)) <= 0.0

    def _first_clear(self, order: slice) -> Array:
        """Return the excess at the first node, in this order, at which it is not 0; 0 where there is none."""
        heights = []
        for owners in self._blocks():
            height, _, noise = self._on_table(owners)
            height = np.where(np.abs(height) > noise, height, 0.0)[:, order]
            heights.append(np.take_along_axis(height, (height != 0.0).argmax(axis=1)[:, np.newaxis], axis=1)[:, 0])
        return np.concatenate(heights)

    def _ends(self) -> Array:
        return np.log(variances(self.least, self.most))

    def _on_table(self, owners: np.ndarray) -> Excess:
        """Return the excess at the tabulated variances, of shape (owners, variances)."""
        table = moment_table(self.record, self.least, self.most)
        return self._from(table, self._ends(), self.sigma_w[owners, np.newaxis], self.sigma_b[owners, np.newaxis])


def zeros(at: At, nodes: Nodes) -> Crossings:
    """Return the zeros of an excess among nodes that are a tenth of a decade apart, or less."""
    nodes = _with_turns(at, _refined(at, nodes))
    height, _, noise = nodes.excess
    clear = np.flatnonzero(np.abs(height) > noise)
    first, last = clear[:-1], clear[1:]
    same = nodes.owner[first] == nodes.owner[last]
    changing = same & (height[first] * height[last] < 0.0)
    touching = same & (last > first + 1) & _turns(nodes.excess, first, last)
    return _joined(
        [_crossed(at, nodes, first[changing], last[changing]), _touched(nodes, first[touching], last[touching])]
    )


def _joined(parts: Sequence[Crossings]) -> Crossings:
    owner, log_q, error, direction = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((log_q, owner))
    return Crossings(owner[order], log_q[order], error[order], direction[order])


def _refined(at: At, nodes: Nodes) -> Nodes:
    """Return nodes and excess, with more nodes where it is near 0."""
    cells = np.flatnonzero(_may_reach_0(nodes))
    parts = np.arange(1, _PARTS) / _PARTS
    left, right = nodes.log_q[cells], nodes.log_q[cells + 1]
    more = (left[:, np.newaxis] + (right - left)[:, np.newaxis] * parts).reshape(-1)
    owner = np.repeat(nodes.owner[cells], len(parts))
    return nodes.merged(owner, more, at(owner, more))


def _with_turns(at: At, nodes: Nodes) -> Nodes:
    """Return nodes and excess, with the turning points near 0 as nodes."""
    slope, noise = nodes.excess.slope, nodes.excess.noise
    clear = np.maximum(np.abs(slope[:-1]), np.abs(slope[1:])) > noise[:-1]  # else it turns by less than rounding
    cells = np.flatnonzero((slope[:-1] * slope[1:] < 0.0) & clear & _may_reach_0(nodes))
    owner = nodes.owner[cells]
    places = _solved(lambda t, which: at(which, t).slope, nodes.log_q[cells], nodes.log_q[cells + 1], owner)
    return nodes.merged(owner, places, at(owner, places))


def _solved(function: Callable[..., Array], left: Array, right: Array, owner: np.ndarray) -> Array:
    if not len(left):
        return np.empty(0)

    def flat(log_q: Array, which: Array) -> Array:
        return function(log_q.reshape(-1), which.reshape(-1).astype(int)).reshape(log_q.shape)

    roots = elementwise.find_root(flat, (left, right), args=(owner.astype(np.float64),)).x
    return np.where(np.isnan(roots), (left + right) / 2.0, roots)  # rounding alone changed the sign


def _crossed(at: At, nodes: Nodes, first: np.ndarray, last: np.ndarray) -> Crossings:
    owner, left, right = nodes.owner[first], nodes.log_q[first], nodes.log_q[last]
    places = _solved(lambda t, which: at(which, t).height, left, right, owner)
    height, slope, noise = at(owner, places)
    reach = noise / np.maximum(np.abs(slope), 1e-300) + 4.0 * _EPSILON * np.abs(places)
    crossings = Crossings(
        owner,
        places,
        np.minimum(reach, right - left),
        np.where(nodes.excess.height[last] > 0.0, 1, -1),
    )
    # else it jumps to where V diverges, or is too large for float64, without a zero
    return Crossings(*(each[np.abs(height) < _ZERO] for each in crossings))


def _touched(nodes: Nodes, first: np.ndarray, last: np.ndarray) -> Crossings:
    known, log_q = nodes.excess, nodes.log_q
    inner = np.array(
        [one + 1 + int(np.argmin(np.abs(known.height[one + 1 : two]))) for one, two in zip(first, last, strict=True)],
        dtype=int,
    )
    apart = log_q[last] - log_q[first]
    bend = np.abs(known.slope[last] - known.slope[first]) / apart
    with np.errstate(divide="ignore"):
        reach = np.sqrt(2.0 * known.noise[inner] / bend)
    return Crossings(nodes.owner[first], log_q[inner], np.minimum(reach, apart), np.zeros(len(first), dtype=int))


def _may_reach_0(nodes: Nodes) -> np.ndarray:
    """Return the cells, from each node to the next, in which the excess changes sign or may come to 0."""
    height, slope, _ = nodes.excess
    near = np.minimum(np.abs(height[:-1]), np.abs(height[1:]))
    steep = np.maximum(np.abs(slope[:-1]), np.abs(slope[1:]))
    changes = height[:-1] * height[1:] <= 0.0
    reaches = changes | (near < _NEAR + steep * np.diff(nodes.log_q)) & (near < _DIVERGES)
    return np.asarray(reaches & (nodes.owner[:-1] == nodes.owner[1:]))


def _turns(known: Excess, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return where the excess turns back to the side that it comes from, by slopes that rounding does not make."""
    clear = _CLEAR * np.maximum(known.noise[first], known.noise[last])
    one, two = known.slope[first], known.slope[last]
    same_side = known.height[first] * known.height[last] > 0.0
    return np.asarray(same_side & (one * two < 0.0) & (np.minimum(np.abs(one), np.abs(two)) > clear))
