r"""Softmax of two rows of Gaussian logits that are correlated: how far their weights fall on the same entries.

With logits x_j = √c·u_j + √(1 - c)·e_j and y_j = √c·u_j + √(1 - c)·f_j, given the shared part u both rows are
independent, so that φ(t, s) = E[exp(-t·e^x - s·e^y)] is a sum over u of products of functions of one variable, and
every mean is an integral over t and s: E[Σ p_j·q_j] = n∫∫ E[t·e^x·s·e^y·exp(-t·e^x - s·e^y)]·φ^(n-1) dt/t ds/s.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array

_REACH = 9.0  # standard deviations
_STEP, _FINER = 0.25, 0.8  # of log t and of logits, as in `softmax`
_LARGEST = 40.0
_NODES = 10.0  # over the step: how many points of Gauss-Hermite narrow logits have
_NEGLIGIBLE = -100.0  # as a logarithm
_EPSILON = 2.0**-52


class SoftmaxPair(NamedTuple):
    """What two rows of softmax have in common: E[Σ p·q], and E[tr(J_p·J_q)] of their Jacobians."""

    overlap: Estimate
    jacobians: Estimate


def softmax_pair(n: int, v: float, c: float) -> SoftmaxPair:
    """Return the means over two rows of n independent logits N(0, v), of which those of one place have correlation c.

    Examples
    --------
    >>> pair = softmax_pair(16, 1.0, 0.0)
    >>> round(pair.overlap, 12), round(softmax_pair(16, 1.0, 1.0).overlap, 6)  # 1/n, and the participation
    (0.0625, 0.132452)

    """
    if v == 0.0:
        flat = 1.0 / n
        return SoftmaxPair(Estimate(flat, _EPSILON), Estimate(flat - flat * flat, _EPSILON))
    coarse, fine = _means(n, v, c, _STEP), _means(n, v, c, _STEP * _FINER)
    errors = np.abs(coarse - fine) + 64.0 * _EPSILON * (1.0 + v) * fine[0]
    return SoftmaxPair(*(Estimate(value, error) for value, error in zip(fine, errors, strict=True)))


def _means(n: int, v: float, c: float, step: float) -> Array:
    """Return both means, by the trapezoidal rule in log t, log s and the logits, or Gauss-Hermite in narrow logits."""
    size, reach = math.sqrt(v), _REACH + math.sqrt(2.0 * math.log(n))
    shared, own = math.sqrt(abs(c)) * size, math.sqrt(max(0.0, 1.0 - abs(c))) * size
    most = math.log(n) + reach * size + _LARGEST  # of y = -log t, from 5 standard deviations and more below 0
    y = np.arange(math.floor((-5.0 - reach * size) / step), math.ceil(most / step) + 1)  # in steps
    weights = np.full(len(y), step)
    if shared < 1.0:
        u, parts = _gauss_hermite(shared, step)
        if own < 1.0:
            e, own_parts = _gauss_hermite(own, step)
            log_t, weights = _times(n, v, step)
            lost, *g = _of_logits((log_t[:, np.newaxis] + u)[..., np.newaxis] + e) @ own_parts
        else:
            lost, *g = _own_means(u - step * y[-1], len(y), own, reach, step)[..., ::-1].transpose(0, 2, 1)
    else:  # on the steps of y, so that only differences count
        far = math.ceil(reach * shared / step)
        places = np.arange(-far, far + 1)
        parts = _normal(places.astype(float) * step, shared)
        first = -int(y[-1]) - far
        sums = _own_means(np.array([first * step]), len(y) + 2 * far, own, reach, step)[:, 0]
        lost, *g = sums[:, (places - y[:, np.newaxis]) - first]  # of shapes (times, shared parts)
    other = slice(None, None, -1 if c < 0.0 else 1)
    alone = lost @ parts
    one_row = (n - 1) * np.log1p(np.maximum(-alone, _EPSILON - 1.0))  # its φ^(n-1) bounds that of both
    matter = (one_row > _NEGLIGIBLE) & (g[0] @ parts * weights > _EPSILON**1.25 / n)
    lost, *g = (each[matter] for each in (lost, *g))
    weighted, alone, weights = [each * parts for each in (lost, *g)], alone[matter], weights[matter]
    beyond = -(alone[:, np.newaxis] + alone) + weighted[0] @ lost[:, other].T
    log_phi = np.log1p(np.maximum(beyond, _EPSILON - 1.0))
    one, two = g[0][:, other].T, g[1][:, other].T
    both, square, fourth = weighted[1] @ one, weighted[2] @ one, weighted[2] @ two
    rest = n * np.exp((n - 1) * log_phi)
    overlap, third, alike, pairs = (
        weights @ each @ weights
        for each in (both * rest, square * rest, fourth * rest, n * (n - 1) * both**2 * np.exp((n - 2) * log_phi))
    )
    return np.array([overlap, overlap - 2.0 * third + alike + pairs])


def _times(n: int, v: float, step: float) -> tuple[Array, Array]:
    """Return log t and weights, for narrow logits: log t = y - e^-y + const, where means fade as t does for t → 0.

    So few steps do for 1e-16 on both sides (H. Takahasi & M. Mori, "Double exponential formulas for numerical
    integration", 1974), as long as t·e^x is small for all logits where the bend is.
    """
    size, bend = math.sqrt(v), -math.log(n) - v - 4.0 * math.sqrt(v)
    y = np.arange(-4.0, 4.0 - bend + (_REACH + math.sqrt(2.0 * math.log(n))) * size, step)
    fading = np.exp(-y)
    return bend + y - fading, step * (1.0 + fading)


def _gauss_hermite(size: float, step: float) -> tuple[Array, Array]:
    """Return places and weights for N(0, size²)."""
    places, weights = hermegauss(round(_NODES / step) if size else 1)
    return size * places, weights / weights.sum()


def _own_means(starts: Array, count: int, own: float, reach: float, step: float) -> Array:
    """Return 1 - E[exp(-s)], E[s·exp(-s)] and E[s²·exp(-s)] for s = exp(x + own·e), e ~ N(0, 1).

    From each start x takes so many steps; the result has the shape (3, starts, count).
    """
    if own < 1.0:
        e, weights = _gauss_hermite(own, step)
        return _of_logits((starts[:, np.newaxis] + step * np.arange(count))[..., np.newaxis] + e) @ weights
    e = np.arange(-reach * own, reach * own, step)
    weights = _normal(e, own)
    # x + e takes the steps of x, so that every value stands in many means
    values = _of_logits((starts + e[0])[:, np.newaxis] + step * np.arange(count + len(e) - 1))
    return np.array([[np.correlate(row, weights, "valid") for row in kind] for kind in values])


def _of_logits(x: Array) -> Array:
    s = np.exp(np.minimum(x, _LARGEST))
    kept = np.exp(-s)
    return np.array([-np.expm1(-s), s * kept, s * s * kept])


def _normal(places: Array, size: float) -> Array:
    density = np.exp(-(places**2) / (2.0 * size * size))
    return np.asarray(density / density.sum())
