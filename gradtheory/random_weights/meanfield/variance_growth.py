r"""Where one layer makes the variance grow, and where it leaves it as it is.

The excess is log(V(q)/q) with the variance map V, as a function of t = log q. It is made of moving averages: for even f
E[f(√q z)] = ∫ f(e^s)·k(s - t/2) ds with the density k of log|z|, whose Fourier transform falls as e^(-π|ω|/4). So what
happens between two nodes of a tenth of a decade is told by heights and slopes at the nodes; where the excess comes near
0 the nodes are made eight times as dense, and an oscillation that they miss has less than 1e-60 of the size of f. Every
turning point near 0 becomes a node itself, so that two crossings between two nodes are not lost.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import elementwise

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.meanfield.tables import Moments, moment_table, moments_at, variances

_EPSILON = 2.0**-52
_DIVERGES = 1e3  # the excess where V(q) is not finite, more than that of any float
_PARTS = 8
_NEAR = 1e-4
_ZERO = 1e-6  # more than a zero of the excess that was found may differ from 0
_CLEAR = 8.0  # times what rounding may have made of a slope


class _Excess(NamedTuple):
    """log(V(q)/q), its derivative in log q, and what rounding may have made of the first."""

    height: Array
    slope: Array
    noise: Array


class Crossing(NamedTuple):
    """A zero of the excess at log q, within `error`.

    `direction` is -1 where the excess falls (variances on both sides come nearer), 1 where it rises and 0 where it
    touches zero.
    """

    log_q: float
    error: float
    direction: int


class VarianceMap(NamedTuple):
    """The map q → σ_w²·E[σ(√q z)²] + σ_b², looked at for q from 10^least to 10^most."""

    record: Activation
    sigma_w: float
    sigma_b: float
    least: int
    most: int

    def excess(self, log_q: Array) -> _Excess:
        """Return the excess at each log q."""
        flat = np.asarray(log_q).reshape(-1)
        excess = self._from(moments_at(self.record, np.exp(flat)), flat)
        return _Excess(*(each.reshape(np.shape(log_q)) for each in excess))

    def _from(self, moments: Moments, log_q: Array) -> _Excess:
        with np.errstate(all="ignore"):
            after = self.sigma_w**2 * moments.value + self.sigma_b**2
            height = np.log(after) - log_q
            slope = self.sigma_w**2 * moments.growth * np.exp(log_q) / after - 1.0
            noise = self.sigma_w**2 * moments.value_error / after
        noise = np.nan_to_num(noise) + 2.0 * _EPSILON * (8.0 + np.abs(log_q))
        lost = ~(np.isfinite(height) & np.isfinite(slope))  # V is 0, or beyond every float; the excess rises there
        height = np.where(lost, np.where(after == 0.0, -_DIVERGES, _DIVERGES), height)
        return _Excess(height, np.where(lost, 1.0, slope), noise)

    def crossings(self) -> list[Crossing]:
        """Return the zeros of the excess, in increasing order."""
        log_q = np.log(variances(self.least, self.most))
        nodes = self._with_turns(*self._refined(log_q))
        log_q, (height, _, noise) = nodes
        clear = np.flatnonzero(np.abs(height) > noise)
        pairs = list(itertools.pairwise(map(int, clear)))
        changing = [pair for pair in pairs if height[pair[0]] * height[pair[1]] < 0.0]
        touching = [pair for pair in pairs if pair[1] > pair[0] + 1 and _turns(nodes[1], *pair)]
        return sorted([*self._crossed(nodes, changing), *self._touched(nodes, touching)])

    def grows_far_out(self) -> bool:
        """Whether the greatest variances that do not stay the same grow."""
        return bool(self._clear()[-1:].sum() > 0.0)

    def shrinks_near_0(self) -> bool:
        """Whether the least variances that do not stay the same shrink, or all stay the same."""
        return bool(self._clear()[:1].sum() <= 0.0)

    def _clear(self) -> Array:
        """Return the excess at the nodes where it is not 0."""
        height, _, noise = self._from(moment_table(self.record, self.least, self.most), self._ends())
        return height[np.abs(height) > noise]

    def _ends(self) -> Array:
        return np.log(variances(self.least, self.most))

    def _refined(self, log_q: Array) -> tuple[Array, _Excess]:
        """Return nodes and excess, with more nodes where it is near 0."""
        known = self._from(moment_table(self.record, self.least, self.most), log_q)
        cells = np.flatnonzero(_may_reach_0(log_q, known))
        parts = np.arange(1, _PARTS) / _PARTS
        more = (log_q[cells, np.newaxis] + (log_q[cells + 1] - log_q[cells])[:, np.newaxis] * parts).reshape(-1)
        return _merged(log_q, known, more, self.excess(more))

    def _with_turns(self, log_q: Array, known: _Excess) -> tuple[Array, _Excess]:
        """Return nodes and excess, with the turning points near 0 as nodes."""
        turns = known.slope[:-1] * known.slope[1:] < 0.0
        cells = np.flatnonzero(turns & _may_reach_0(log_q, known))
        places = self._zeros(lambda t: self.excess(t).slope, log_q[cells], log_q[cells + 1])
        return _merged(log_q, known, places, self.excess(places))

    def _zeros(self, function: Callable[[Array], Array], left: Array, right: Array) -> Array:
        if not len(left):
            return np.empty(0)
        return np.asarray(elementwise.find_root(function, (left, right)).x)

    def _crossed(self, nodes: tuple[Array, _Excess], pairs: list[tuple[int, int]]) -> list[Crossing]:
        log_q, known = nodes
        left, right = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
        places = self._zeros(lambda t: self.excess(t).height, log_q[left], log_q[right])
        height, slope, noise = self.excess(places)
        crossings = []
        for place, at, steep, rounding, first, last in zip(places, height, slope, noise, left, right, strict=True):
            if abs(at) < _ZERO:  # else it jumps to where V diverges, or is too large for float64, without a zero
                reach = rounding / max(abs(steep), 1e-300) + 4.0 * _EPSILON * abs(place)
                error = min(reach, log_q[last] - log_q[first])
                crossings.append(Crossing(float(place), float(error), 1 if known.height[last] > 0.0 else -1))
        return crossings

    def _touched(self, nodes: tuple[Array, _Excess], pairs: list[tuple[int, int]]) -> list[Crossing]:
        log_q, known = nodes
        crossings = []
        for first, last in pairs:
            inner = first + 1 + int(np.argmin(np.abs(known.height[first + 1 : last])))
            bend = abs(known.slope[last] - known.slope[first]) / (log_q[last] - log_q[first])
            reach = np.sqrt(2.0 * known.noise[inner] / bend) if bend > 0.0 else np.inf
            crossings.append(Crossing(float(log_q[inner]), float(min(reach, log_q[last] - log_q[first])), 0))
        return crossings


def _may_reach_0(log_q: Array, known: _Excess) -> np.ndarray:
    """Return the cells in which the excess changes sign or may come to 0."""
    height, slope, _ = known
    near = np.minimum(np.abs(height[:-1]), np.abs(height[1:]))
    steep = np.maximum(np.abs(slope[:-1]), np.abs(slope[1:]))
    changes = height[:-1] * height[1:] <= 0.0
    return np.asarray(changes | (near < _NEAR + steep * np.diff(log_q)) & (near < _DIVERGES))


def _turns(known: _Excess, first: int, last: int) -> bool:
    """Return whether the excess turns back to the side that it comes from, by slopes that rounding does not make."""
    clear = _CLEAR * max(known.noise[first], known.noise[last])
    slopes = known.slope[first], known.slope[last]
    same_side = known.height[first] * known.height[last] > 0.0
    return bool(same_side and slopes[0] * slopes[1] < 0.0 and min(map(abs, slopes)) > clear)


def _merged(log_q: Array, known: _Excess, more: Array, new: _Excess) -> tuple[Array, _Excess]:
    both = np.concatenate([log_q, more])
    order = np.argsort(both, kind="stable")
    return both[order], _Excess(*(np.concatenate(pair)[order] for pair in zip(known, new, strict=True)))
