"""Gaussian expectations in float64, on panels that follow both the activation and the Gaussian.

The integrand lives on two scales: that of the activation, about 1 with kinks at known places, and that of the
Gaussian, √q. A rule that knows only one of them fails where they differ: Gauss-Hermite with 25 nodes is wrong by 367 %
for E[tanh'(√q z)²] at q = 100. Here every kink and turning point is the end of a panel, panels grow geometrically from
there to the tail of the Gaussian, and each is integrated by the Gauss-Kronrod pair of 10 and 21 points (R. Piessens et
al., "QUADPACK", 1983) and halved while the two disagree. Many variances are done at once.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from gradtheory.arithmetic.brief import shape_and_range
from gradtheory.arithmetic.inputs import Array

Integrand: TypeAlias = Callable[[Array, Array, np.ndarray], Array]

TOLERANCE = 1e-13  # of the sum of sizes
_EPSILON = 2.0**-52
_ROUNDING = 8 * _EPSILON  # of each size: kernels are right to 4 units in the last place, squares and sums double it
_SUBNORMAL = 1e-317  # by which sums of numbers near the least of float64 may be off
_TAIL = 12.0  # beyond 9 lies 1e-19 of the Gaussian: what is found between must be negligible
_STEP = 3.0
_LONGEST_TAIL = 36.0  # beyond it float64 has no density left
_NEGLIGIBLE = 1e-18
_VANISHES, _BEYOND = 1e-200, 1e-280  # of integrals of what is 0 as far as there is density, and what is left of them
_MOST_HALVINGS = 48
# When panels that disagree are told from rounding.
_PATIENT, _MANY, _SETTLED, _SHRINKS, _FAINT = 5, 64, 10.0, 0.75, 1e-3
_MOST_PANELS = 1 << 19
_PANELS_AT_ONCE = 1 << 15
_GEOMETRIC = 2.0 ** np.arange(0, 44)

# The nodes in [0, 1], descending, and the weights of both rules there; Gauss's nodes are every other one.
# fmt: off
_NODES, _KRONROD, _GAUSS = np.array([
    (0.99565716302580808073, 0.01169463886737187427, 0.0),
    (0.97390652851717172007, 0.03255816230796472747, 0.06667134430868813759),
    (0.93015749135570822600, 0.05475589657435199603, 0.0),
    (0.86506336668898451073, 0.07503967481091995276, 0.14945134915058059314),
    (0.78081772658641689706, 0.09312545458369760553, 0.0),
    (0.67940956829902440623, 0.10938715880229764189, 0.21908636251598204399),
    (0.56275713466860468333, 0.12349197626206585107, 0.0),
    (0.43339539412924719079, 0.13470921731147332592, 0.26926671930999635509),
    (0.29439286270146019813, 0.14277593857706008079, 0.0),
    (0.14887433898163121088, 0.14773910490133849137, 0.29552422471475287017),
    (0.0, 0.14944555400291690566, 0.0),
]).T
# fmt: on


def _both_sides(half: Array, sign: float) -> Array:
    return np.concatenate([sign * half, half[-2::-1]])


NODES, _WEIGHTS = _both_sides(_NODES, -1.0), np.stack([_both_sides(_KRONROD, 1.0), _both_sides(_GAUSS, 1.0)])


class Gaussians(NamedTuple):
    """Means and standard deviations, both of shape (m,)."""

    mean: Array
    scale: Array

    def __repr__(self) -> str:
        return f"Gaussians(mean {shape_and_range(self.mean)}, scale {shape_and_range(self.scale)})"

    @classmethod
    def centred(cls, variances: Array) -> "Gaussians":
        """Return the laws N(0, q)."""
        return cls(np.zeros(len(variances)), np.sqrt(variances))


class Integrals(NamedTuple):
    """E[f(x)] for k integrands and m Gaussians, and bounds of the errors, both of shape (k, m).

    inf where the integral diverges or exceeds float64.
    """

    value: Array
    error: Array


class _Panels(NamedTuple):
    owner: np.ndarray
    left: Array
    right: Array


class _Wanted(NamedTuple):
    breaks: tuple[float, ...]
    period: float
    floor: Array  # of shape (k or 1, 1)
    tolerance: float


def integrate(
    integrand: Integrand,
    laws: Gaussians,
    breaks: Sequence[float] = (),
    period: float = 0.0,
    *,
    floor: float | Sequence[float] = 0.0,
    tolerance: float = TOLERANCE,
) -> Integrals:
    """Return E[f(x)] for x = m + s·z, z ~ N(0, 1), for each mean m and standard deviation s, with its error.

    Parameters
    ----------
    integrand : callable
        (x, z, owner), arrays of shape (n,), to an array of shape (k, n): k integrands at once; `owner` says which of
        the laws each belongs to.
    laws : Gaussians
        The means and standard deviations.
    breaks : sequence of float
        The places x where the integrand has a kink, a jump or a peak.
    period : float
        The period in x, if there is one, with at least one of `breaks` in it.
    floor : float or sequence of float
        A size of E|f| below which relative accuracy is not wanted, for all integrands or for each.
    tolerance : float
        How far the two rules may disagree, relative to E|f|.

    Examples
    --------
    >>> import numpy as np
    >>> laws = Gaussians.centred(np.array([1.0, 4.0]))
    >>> value, error = integrate(lambda x, z, owner: np.maximum(x, 0)[None] ** 2, laws, breaks=[0.0])
    >>> value
    array([[0.5, 2. ]])

    """
    if not len(laws.scale):
        nothing = integrand(np.empty(0), np.empty(0), np.empty(0, dtype=int))
        return Integrals(nothing, nothing)
    wanted = _Wanted(tuple(breaks), period, np.reshape(floor, (-1, 1)), tolerance)
    waves = 4.0 * _TAIL * float(np.max(laws.scale, initial=0.0)) / period if period else 0.0
    block = max(1, int(_PANELS_AT_ONCE / (2 * len(_GEOMETRIC) + len(breaks) + waves)))
    parts = [
        _integrate_chosen(integrand, laws, np.arange(start, min(start + block, len(laws.scale))), wanted)
        for start in range(0, len(laws.scale), block)
    ]
    return Integrals(*(np.concatenate(each, axis=1) for each in zip(*parts, strict=True)))


def _integrate_chosen(integrand: Integrand, laws: Gaussians, chosen: np.ndarray, wanted: _Wanted) -> Integrals:
    """Integrate under the chosen laws, as far out as is needed."""
    tail = _TAIL
    with np.errstate(all="ignore"):
        result = _within(integrand, laws, chosen, wanted, tail)

        def widen(which: np.ndarray) -> None:
            again = _within(integrand, laws, chosen[which], wanted, tail)
            for kept, new in zip(result, again, strict=True):
                kept[..., which] = new

        is_0 = (result.value == 0.0).all(axis=0)
        while (outer := result.outer.any(axis=0) & ~is_0).any() and tail < _LONGEST_TAIL:
            tail = min(tail + _STEP, _LONGEST_TAIL)  # the integrand grows so fast that the tail matters
            widen(outer)
        if is_0.any():  # at once: nothing tells how far out it starts
            tail = _LONGEST_TAIL
            widen(is_0)
    value, error, outer = result
    lost = (outer & ~(np.abs(value) <= _VANISHES)).any(axis=0)
    error += np.where(outer & (value != 0.0), _BEYOND, 0.0)
    value[:, lost], error[:, lost] = np.inf, np.inf
    return Integrals(value, error)


def fixed_rule(
    laws: Gaussians, breaks: Sequence[float], period: float = 0.0, *, coarse: bool = False
) -> tuple[np.ndarray, Array, Array]:
    """Return owners, points x and weights, all of shape (n,), of a rule that is not adapted to an integrand.

    A coarse rule has 10 points a panel, the other 21.
    """
    panels = _first_panels(laws.mean, laws.scale, _Wanted(tuple(breaks), period, np.zeros((1, 1)), TOLERANCE), _TAIL)
    rule = _WEIGHTS[1 if coarse else 0]
    used = rule != 0.0
    z = (panels.right + panels.left)[:, None] / 2 + (panels.right - panels.left)[:, None] / 2 * NODES[used]
    weights = np.exp(-0.5 * z * z) * (panels.right - panels.left)[:, None] * (rule[used] / np.sqrt(8 * np.pi))
    x = laws.mean[panels.owner, None] + laws.scale[panels.owner, None] * z
    return np.repeat(panels.owner, used.sum()), x.reshape(-1), weights.reshape(-1)


class _Result(NamedTuple):
    value: Array
    error: Array
    outer: np.ndarray  # where the outermost panels still matter, or everything is 0


def _within(integrand: Integrand, laws: Gaussians, chosen: np.ndarray, wanted: _Wanted, tail: float) -> _Result:
    """Integrate over |z| <= tail, under the chosen laws.

    After some halvings what is left may be rounding: where it is small in all, or spread over many panels and does not
    shrink, as log(1 + z) makes it near 0. It is then part of the error. At jumps and zeros of a logarithm it halves,
    and where an oscillation is not resolved yet it is no small part of the whole.
    """
    mean, scale = laws.mean[chosen], laws.scale[chosen]
    panels = _first_panels(mean, scale, wanted, tail)
    count = len(chosen)
    value = error = size = at_end = np.zeros(())
    before = np.full((), np.inf)
    for halving in range(_MOST_HALVINGS):
        centre, half = (panels.right + panels.left) / 2, (panels.right - panels.left) / 2
        z = centre[:, None] + half[:, None] * NODES
        x = mean[panels.owner, None] + scale[panels.owner, None] * z
        density = np.exp(-0.5 * z * z)
        density *= half[:, None] / np.sqrt(2 * np.pi)
        terms = integrand(x.reshape(-1), z.reshape(-1), np.repeat(chosen[panels.owner], len(NODES)))
        terms = terms.reshape(-1, *z.shape) * density
        both = terms @ _WEIGHTS.T  # (k, panels, 2)
        sizes = np.abs(terms) @ _WEIGHTS[0]
        if halving == 0:
            shape = (len(both), count)
            value, error, size = np.zeros(shape), np.zeros(shape), np.zeros(shape)
            at_end = np.add.reduceat(
                np.where(np.abs(centre) > tail - _STEP, sizes, 0.0),
                np.searchsorted(panels.owner, np.arange(count)),
                axis=1,
            )
            whole = np.maximum(_summed(sizes, panels.owner, count), wanted.floor)
        differences = np.abs(both[..., 0] - both[..., 1])
        far = np.abs(centre + (mean / scale)[panels.owner]) / half
        # x itself is rounded, far from 0 the more; exp(-z²/2) is right to z²/2 units
        rounding = (_ROUNDING + _EPSILON * (far + np.square(centre))) * sizes + np.where(sizes > 0.0, _SUBNORMAL, 0.0)
        allowed = wanted.tolerance * np.maximum(whole, size)[:, panels.owner] * np.minimum(half, 1.0) / tail
        split = (differences > np.maximum(allowed, rounding)).any(axis=0)
        if halving >= _PATIENT:
            left = _summed(differences * split, panels.owner, count)
            settled = (left <= _SETTLED * wanted.tolerance * np.maximum(whole, size)).all(axis=0)
            crowded = np.bincount(panels.owner[split], minlength=count) > _MANY
            is_faint = (left <= _FAINT * _summed(sizes * split, panels.owner, count)).all(axis=0)
            split &= ~(settled | crowded & is_faint & (left > _SHRINKS * before).any(axis=0))[panels.owner]
            before = left
        if halving == _MOST_HALVINGS - 1 or 2 * split.sum() > _MOST_PANELS:
            split[:] = False
        done = ~split
        owner = panels.owner[done]
        value += _summed(both[:, done, 0], owner, count)
        error += _summed(np.maximum(differences, rounding)[:, done], owner, count)
        size += _summed(sizes[:, done], owner, count)
        if not split.any():
            break
        middle = centre[split]
        panels = _Panels(
            np.repeat(panels.owner[split], 2),
            np.stack([panels.left[split], middle], axis=1).reshape(-1),
            np.stack([middle, panels.right[split]], axis=1).reshape(-1),
        )
    outer = ~np.isfinite(value) | (at_end >= _NEGLIGIBLE * np.maximum(size, wanted.floor))
    return _Result(value, error, outer)


def _summed(parts: Array, owner: np.ndarray, count: int) -> Array:
    return np.stack([np.bincount(owner, weights=row, minlength=count) for row in parts])


def _first_panels(mean: Array, scale: Array, wanted: _Wanted, tail: float) -> _Panels:
    """Cut [-tail, tail] where the Gaussian and the activation change."""
    gaussian = np.linspace(-tail, tail, 2 * round(tail / 1.5) + 1)
    near = np.unique(np.concatenate([-_GEOMETRIC, [0.0], _GEOMETRIC, np.asarray(wanted.breaks)]))
    centre, width = mean[:, np.newaxis], scale[:, np.newaxis]
    places = np.broadcast_to(near, (len(mean), len(near)))
    if period := wanted.period:
        first, last = ((centre + side * tail * width) / period - side for side in (-1.0, 1.0))
        counts = np.minimum(np.ceil(last), first + _MOST_PANELS // 4) - np.floor(first) + 1.0
        steps = np.arange(np.max(counts, initial=0.0))
        times = np.where(steps < counts, np.floor(first) + steps, np.nan)
        places = (times[..., np.newaxis] * period + np.asarray(wanted.breaks)).reshape(len(mean), -1)
    inside = np.clip((places - centre) / width, -tail, tail)
    cuts = np.sort(np.concatenate([np.broadcast_to(gaussian, (len(mean), len(gaussian))), inside], axis=1), axis=1)
    kept = np.diff(cuts, prepend=-np.inf) > 1e-9 * np.abs(cuts)  # not twice, nor nan
    owner, ends = np.nonzero(kept)[0], cuts[kept]
    same = owner[1:] == owner[:-1]
    return _Panels(owner[1:][same], ends[:-1][same], ends[1:][same])
