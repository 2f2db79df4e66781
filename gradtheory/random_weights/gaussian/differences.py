# Above 300 lines: the rule, its panels and what is read off them share one change of variables.
r"""Mean square differences of an activation at two correlated Gaussians, for many variances and correlations at once.

For x₁, x₂ of variance q and correlation c

    D = E[(σ(x₁) - σ(x₂))²]/E[(x₁ - x₂)²] = (E[σ²] - E[σ(x₁)σ(x₂)])/(q·(1 - c)),

which tends to E[σ'²] as c → 1 without a difference of close numbers, jumps and kinks included. x₁ = p + m and
x₂ = p - m with independent p and m of variances q(1 ± c)/2. Let A be the greater of these and B = η²A the other: as a
function of both, D is analytic whatever σ is (see `interpolated`), and it is interpolated on panels in log A and log η,
the last of which reaches to η = 0. For one A the inner expectation, over the wide Gaussian, is found at some values
of the narrow variable, and all η share it. Of an activation with jumps η·D takes the place of D, which diverges. The
same is done for σ' in place of σ.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.gaussian.interpolated import NODES, chebyshev_nodes, to_coefficients
from gradtheory.random_weights.gaussian.pieces import cuts, has_corners, switching_places
from gradtheory.random_weights.gaussian.places import jumps

_TAIL = 9.0  # standard deviations: beyond lies 2e-19 of the Gaussian
_LENGTHS = (1.5, 0.375, 0.09375)  # of panels in log A, and of those where D changes faster
_GAUSSIAN = np.linspace(-_TAIL, _TAIL, 13)
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_FINE, _FINE_WEIGHTS = np.polynomial.legendre.leggauss(16)
_NARROWEST = 26  # halvings of the innermost interval of the narrow variable
_MOST_PIECES = 600
_ENOUGH, _USABLE = 1e-12, 1e-10  # relative errors of a panel: not refined further, and of use at all
_MOST_WORK = 5e6  # of a refinement
_FALLS = 4.0  # by how much a refinement must lower the error, or there is none after it
_NEGLIGIBLE = 1e-8  # a D of which relative errors do not matter
_EPSILON = 2.0**-52
_LEAST = 1e-34  # η², at which D is its limit
_TO_COEFFICIENTS = to_coefficients()
# from values at the nodes to the derivative's
_DERIVATIVE = chebyshev.chebvander(chebyshev_nodes(), NODES - 2) @ chebyshev.chebder(_TO_COEFFICIENTS)


class Differences(NamedTuple):
    """D, its derivatives by log A and by log η, and the errors of the three; nan where they are not known."""

    value: Array
    by_scale: Array
    by_ratio: Array
    error: Array
    by_scale_error: Array
    by_ratio_error: Array


class _Panel(NamedTuple):
    """Chebyshev coefficients of D (or η·D) on each panel of η, of shape (panels, nodes in log A, nodes in η).

    With them come the errors, of shape (panels,), of the function and of its derivatives by both places in [-1, 1].
    """

    coefficients: Array
    error: Array
    by_scale_error: Array
    by_ratio_error: Array


_UNRESOLVED = _Panel(*np.empty((4, 0)))  # where shorter panels do not help: the integrals themselves do not converge


class Interpolation:
    """D of an activation or of its slope, for c ≥ 0 or for c < 0, on panels that are made where they are asked for."""

    def __init__(self, record: Activation, *, opposite: bool = False, of: str = "value") -> None:
        self.record, self.opposite, self.of = record, opposite, of
        self._function = getattr(record, of)
        self._has_jumps = bool(jumps(record)) if of == "value" else has_corners(record)
        self._times_ratio = self._has_jumps and not opposite
        self._panels: dict[tuple[int, int], _Panel | None] = {}

    def at(self, log_scale: Array, log_ratio: Array) -> Differences:
        """Return D for each log A and log η ≤ 0, both of shape (n,)."""
        result = Differences(*np.full((6, len(log_scale)), np.nan))
        self._fill(result, log_scale, log_ratio, np.flatnonzero(np.isfinite(log_scale + log_ratio)), 0)
        return self._divided(result, log_ratio) if self._times_ratio else result

    def has(self, log_scale: Array) -> bool:
        """Return whether every panel for these log A is made."""
        return all((0, int(each)) in self._panels for each in np.unique(np.floor(log_scale / _LENGTHS[0])))

    def _fill(self, result: Differences, log_scale: Array, log_ratio: Array, chosen: np.ndarray, level: int) -> None:
        """Write D where it is chosen; shorter panels are for where the longer ones have not converged."""
        number = np.floor(log_scale[chosen] / _LENGTHS[level])
        for panel_number in np.unique(number):
            here, panel = chosen[number == panel_number], self._panel(level, int(panel_number))
            if panel is _UNRESOLVED:
                continue
            if panel is None:
                if level + 1 < len(_LENGTHS):
                    self._fill(result, log_scale, log_ratio, here, level + 1)
                continue
            last = len(panel.coefficients) - 1
            which = np.minimum(np.floor(-log_ratio[here] / math.log(2.0)).astype(int), last)
            place = 2.0 * (log_scale[here] / _LENGTHS[level] - panel_number) - 1.0
            for ratio_panel in np.unique(which):
                some = which == ratio_panel
                cell = here[some]
                parts = _evaluated(panel, int(ratio_panel), place[some], log_ratio[cell], 2.0 / _LENGTHS[level])
                for kept, part in zip(result, parts, strict=True):
                    kept[cell] = part

    def _divided(self, times: Differences, log_ratio: Array) -> Differences:
        """Return D and its derivatives from those of η·D."""
        value, by_scale, by_ratio, *errors = times
        with np.errstate(over="ignore"):
            inverse = np.exp(-log_ratio)
            return Differences(
                value * inverse, by_scale * inverse, (by_ratio - value) * inverse, *(inverse * one for one in errors)
            )

    def _panel(self, level: int, number: int) -> _Panel | None:
        key = level, number
        if key not in self._panels:
            scales = np.exp((number + (chebyshev_nodes() + 1.0) / 2.0) * _LENGTHS[level] / 2.0)
            with np.errstate(all="ignore"):
                self._panels[key] = self._made(scales)
        return self._panels[key]

    def _tail_matters(self, scale: float) -> bool:
        """Return whether σ grows so fast that what lies beyond the tail of the Gaussians is not negligible."""
        usual = np.max(np.abs(self._function(np.linspace(-3.0, 3.0, 31) * scale)))
        far = np.max(np.abs(self._function(np.array([-1.5, 1.5]) * _TAIL * scale)))
        return not math.exp(-(_TAIL**2) / 2.0) * far**2 <= _ENOUGH * max(usual**2, _NEGLIGIBLE)

    def _made(self, scales: Array) -> _Panel | None:
        """Return a panel from its nodes √A."""
        if self._tail_matters(float(scales[-1])):
            return None
        reach = math.ceil(math.log2(2.0 * _TAIL * scales[-1]))
        if self.record.period is not None and 2.0**reach > _MOST_PIECES / 8.0 * float(self.record.period):
            return None
        pieces = cuts(self.record, reach, self.of)
        if len(pieces) > _MOST_PIECES:
            return None
        innermost = min(float(scales[0]), float(np.diff(pieces).min()))
        count = max(3, math.ceil(math.log2(8.0 * scales[-1] / innermost)))
        ratios = _ratio_nodes(count)
        refined, error, before, work = 0, math.inf, math.inf, 0.0
        while error > _ENOUGH and work <= _MOST_WORK and not error > before / _FALLS:
            before = error
            given = self.record, self._function, self._has_jumps, self.opposite, pieces
            rule = _Rule(*given, innermost / 2.0**refined, refined, _POINTS, _WEIGHTS)
            finer = rule._replace(halvings=refined + 1, points=_FINE, weights=_FINE_WEIGHTS)
            tried = [rule.differences(float(each), ratios) for each in scales[[0, -1]]]
            checked = [finer.differences(float(each), ratios) for each in scales[[0, -1]]]
            times = ratios if self._times_ratio else np.ones(())
            off = (np.stack(tried) - np.stack(checked)) * times
            error = float(np.max(np.abs(off)) / np.maximum(np.max(np.abs(tried) * times), _NEGLIGIBLE))
            error, refined = (math.inf if math.isnan(error) else error), refined + 1
            work = finer.work(float(scales[-1])) * 2.0**refined
        if not error < _USABLE:
            return _UNRESOLVED
        between = [rule.differences(float(each), ratios) for each in scales[1:-1]]
        values = np.stack([tried[0], *between, tried[1]]) * times
        panel = _panel(*(each.reshape(len(each), count + 1, NODES).transpose(1, 0, 2) for each in (values, off)))
        return panel if float(np.max(panel.error)) < _USABLE * max(np.abs(values).max(), _NEGLIGIBLE) else None


def _panel(values: Array, off: Array) -> _Panel:
    """Return coefficients and errors: how two rules differ, the last coefficients, and rounding."""
    coefficients = _TO_COEFFICIENTS @ values @ _TO_COEFFICIENTS.T
    last = np.abs(coefficients[:, -2:, :]).max(axis=(1, 2)) + np.abs(coefficients[:, :, -2:]).max(axis=(1, 2))
    rounding = 4.0 * _EPSILON * np.abs(values).max(axis=(1, 2))
    noise = np.abs(off).max(axis=(1, 2)) + rounding
    steep = np.abs(_DERIVATIVE @ off.transpose(0, 2, 1)).max(axis=(1, 2)) + NODES * rounding
    error, more = 2.0 * (noise + last), 2.0 * NODES**2 * last
    return _Panel(coefficients, error, 2.0 * NODES * noise + more, 2.0 * steep + more)


def _evaluated(panel: _Panel, which: int, place: Array, log_ratio: Array, by_place: float) -> Differences:
    """Return the function on one panel of η."""
    coefficients, last = panel.coefficients[which], len(panel.coefficients) - 1
    if which == last:
        along = np.exp(log_ratio)
        inner, stretch = 2.0 * along * 2.0**last - 1.0, 2.0 * along * 2.0**last
    else:
        inner, stretch = 2.0 * (log_ratio / math.log(2.0) + which) + 1.0, np.full(len(place), 2.0 / math.log(2.0))
    rows = chebyshev.chebvander(place, NODES - 1)
    columns = chebyshev.chebvander(inner, NODES - 1)
    along_ratio = chebyshev.chebder(coefficients, axis=1)
    along_scale = chebyshev.chebder(coefficients, axis=0)
    value = np.einsum("ni,ni->n", rows @ coefficients, columns)
    by_ratio = np.einsum("ni,ni->n", rows @ along_ratio, columns[:, :-1]) * stretch
    by_scale = np.einsum("ni,ni->n", rows[:, :-1] @ along_scale, columns) * by_place
    errors = (np.full(len(place), each[which]) for each in panel[1:])
    error, by_scale_error, by_ratio_error = errors
    return Differences(value, by_scale, by_ratio, error, by_scale_error * by_place, by_ratio_error * stretch)


def _ratio_nodes(count: int) -> Array:
    """Return the nodes η of all panels: halves of (0, 1] in log η, and a last one that reaches to 0."""
    nodes = (chebyshev_nodes() + 1.0) / 2.0
    halves = [2.0 ** (nodes - 1.0 - panel) for panel in range(count)]
    return np.concatenate([*halves, nodes * 2.0**-count])


class _Rule(NamedTuple):
    """A rule for D at one A: panels of p that follow σ at p + m and p - m, and of m that close in on 0."""

    record: Activation
    function: Callable[[Array], Array]
    has_jumps: bool
    opposite: bool
    pieces: Array
    innermost: float
    halvings: int
    points: Array
    weights: Array

    def differences(self, scale: float, ratios: Array) -> Array:
        """Return D for A = scale² and each η."""
        ends = self._ends(scale)
        middle, half = (ends[1:] + ends[:-1]) / 2.0, (ends[1:] - ends[:-1]) / 2.0
        narrow = middle[:, np.newaxis] + half[:, np.newaxis] * self.points
        given = self._given(scale, narrow.reshape(-1)).reshape(narrow.shape)
        if self.opposite:
            given = (given + self._given(scale, -narrow.reshape(-1)).reshape(narrow.shape)) / 2.0
        widths = scale * ratios[:, np.newaxis]
        outer = narrow[1:].reshape(-1)
        weights = (half[1:, np.newaxis] * self.weights).reshape(-1)
        total = (_density(outer / widths) / widths) @ (weights * given[1:].reshape(-1))
        inner, inner_weights = _geometric(float(ends[1]))
        power = 0.0 if self.opposite else 1.0 if self.has_jumps else 2.0  # with which the expectation begins
        known = _between(self.points, 2.0 * inner / ends[1] - 1.0) @ (given[0] / narrow[0] ** power)
        total += (_density(inner / widths) / widths) @ (inner_weights * known * inner**power)
        variance = scale**2 if self.opposite else np.square(scale * ratios)
        return np.asarray(2.0 * total / (4.0 * variance))

    def work(self, scale: float) -> float:
        """Return about how many places σ is asked for, for one A."""
        return len(self._ends(scale)) * len(self.points) ** 2 * (len(_GAUSSIAN) + 2 * len(self.pieces))

    def _ends(self, scale: float) -> Array:
        """Return the ends of panels of the narrow variable, from 0 on: H has kinks where two of σ's meet."""
        far = _TAIL * scale
        count = max(1, math.ceil(math.log2(far / self.innermost)))
        geometric = far * 2.0 ** -np.arange(count + 1.0)
        breaks = np.array(switching_places(self.record))
        if self.record.period is not None and len(breaks):
            times = np.arange(
                -math.ceil(far / float(self.record.period)) - 1, math.ceil(far / float(self.record.period)) + 1
            )
            breaks = (breaks + times[:, np.newaxis] * float(self.record.period)).reshape(-1)
        apart = (breaks[:, np.newaxis] + (1.0 if self.opposite else -1.0) * breaks).reshape(-1) / 2.0
        meet = np.unique(np.abs(apart))
        ends = np.unique(np.concatenate([[0.0], geometric, meet[(meet > 1e-9 * far) & (meet < far)]]))
        for _ in range(self.halvings):
            ends = np.unique(np.concatenate([ends[:1], ends[1:], (ends[1:-1] + ends[2:]) / 2.0]))
        return ends

    def _given(self, scale: float, narrow: Array) -> Array:
        """Return E[(σ(x₁) - σ(x₂))²] over the wide Gaussian, given the narrow variable."""
        far = _TAIL * scale
        near = self.pieces[np.abs(self.pieces) <= far + np.abs(narrow).max()]
        own = np.broadcast_to(_GAUSSIAN * scale, (len(narrow), len(_GAUSSIAN)))
        shifted = near - narrow[:, np.newaxis]
        other = -near + narrow[:, np.newaxis] if self.opposite else near + narrow[:, np.newaxis]
        ends = np.sort(np.clip(np.concatenate([own, shifted, other], axis=1), -far, far), axis=1)
        left, right = ends[:, :-1], ends[:, 1:]
        owner, _ = used = np.nonzero(right - left > 1e-12 * scale)
        middle, half = (right[used] + left[used]) / 2.0, (right[used] - left[used]) / 2.0
        wide = middle[:, np.newaxis] + half[:, np.newaxis] * self.points
        m = narrow[owner, np.newaxis]
        # x₁ = p + m, x₂ = p - m; where c < 0 the wide variable is m
        difference = self.function(wide + m) - self.function(m - wide if self.opposite else wide - m)
        terms = np.square(difference) * _density(wide / scale) @ self.weights
        return np.asarray(np.bincount(owner, terms * half, len(narrow)) / scale)


def _density(z: Array) -> Array:
    return np.asarray(np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))


@functools.lru_cache(maxsize=1)
def _geometric_panels() -> tuple[Array, Array]:
    ends = np.concatenate([[0.0], 2.0 ** -np.arange(_NARROWEST, -1.0, -1.0)])
    middle, half = (ends[1:] + ends[:-1]) / 2.0, (ends[1:] - ends[:-1]) / 2.0
    places = (middle[:, np.newaxis] + half[:, np.newaxis] * _POINTS).reshape(-1)
    return places, (half[:, np.newaxis] * _WEIGHTS).reshape(-1)


def _geometric(end: float) -> tuple[Array, Array]:
    """Return points and weights from 0 to an end, on panels that close in on 0."""
    places, weights = _geometric_panels()
    return places * end, weights * end


def _between(nodes: Array, places: Array) -> Array:
    """Return the matrix that interpolates from Legendre's nodes to other places."""
    return np.asarray(
        np.linalg.solve(chebyshev.chebvander(nodes, len(nodes) - 1).T, chebyshev.chebvander(places, len(nodes) - 1).T).T
    )


def has_products(record: Activation, c: Array, q: Array) -> bool:
    """Return whether `products` has all it needs, so that a few cost no more than a few."""
    sides = ((c < 0.0) == side for side in (False, True))
    return all(
        interpolation(record, opposite=bool(side)).has(np.log(q[chosen] * (1.0 + np.abs(c[chosen])) / 2.0))
        for side, chosen in enumerate(sides)
    )


def products(record: Activation, c: Array, q: Array, value: Array, *, slopes: bool = False) -> tuple[Array, Array]:
    """Return E[σ(x₁)σ(x₂)], or its derivative by c over q, and errors, at c and q of shape (n,); nan where not known.

    `value` is E[σ²] at q. The derivative is E[σ'(x₁)σ'(x₂)] with the masses of jumps.
    """
    result, error = np.full(len(c), np.nan), np.full(len(c), np.inf)
    for opposite in (False, True):
        chosen = np.flatnonzero((c < 0.0) == opposite)
        if not len(chosen):
            continue
        away = 1.0 - np.abs(c[chosen])
        square, log_scale = away / (2.0 - away), np.log(q[chosen] * (2.0 - away) / 2.0)
        known = interpolation(record, opposite=opposite).at(log_scale, np.log(np.maximum(square, _LEAST)) / 2.0)
        if slopes:
            factor = 1.0 / np.maximum(square, _LEAST) if opposite else np.ones(len(chosen))
            side, half = -1.0 if opposite else 1.0, (1.0 + square) / 2.0
            with np.errstate(invalid="ignore", over="ignore"):
                result[chosen] = known.value + side * factor * (half * known.by_ratio - square * known.by_scale)
                error[chosen] = known.error + factor * (half * known.by_ratio_error + square * known.by_scale_error)
        else:
            part = q[chosen] * (1.0 - c[chosen])
            with np.errstate(invalid="ignore"):
                result[chosen] = value[chosen] - np.where(part == 0.0, 0.0, part * known.value)
                error[chosen] = np.where(part == 0.0, 0.0, part * known.error)
    return result, error


@functools.lru_cache(maxsize=64)
def interpolation(record: Activation, *, opposite: bool = False, of: str = "value") -> Interpolation:
    """Return the interpolation of an activation or of its slope, the same one every time."""
    return Interpolation(record, opposite=opposite, of=of)
