r"""The Jacobian of a node on boxes: M + Σ_k M_k·ε_k + R·ε, entry by entry, with every ε in [-1, 1].

The symbols ε_k are those of the inputs: so that the enclosure converges quadratically with the boxes, σ'(z) on a box is
taken as σ'(c) + σ''·(z - c) with a range of σ'' (R. E. Moore, "Interval Analysis" (1966): the mean value form).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.activation_range import ActivationRange
from gradtheory.networks.bounds.forms import Form, Normalised, centring
from gradtheory.networks.bounds.ranges import Range
from gradtheory.networks.bounds.rounding import TINY, UNIT, gamma, up
from gradtheory.networks.nodes import LayerNorm


@dataclass(frozen=True, eq=False)
class Tangent:
    """The Jacobians of a node over a batch of boxes.

    Parameters
    ----------
    centre : ndarray of shape (batch, n, m)
        By the m inputs.
    linear : ndarray of shape (k, batch, n, m)
    rest : ndarray of shape (batch, n, m)

    """

    centre: Array
    linear: Array
    rest: Array

    @cached_property
    def moduli(self) -> Array:
        """|M| + Σ|M_k|."""
        return np.asarray(np.abs(self.centre) + np.abs(self.linear).sum(axis=0))

    @cached_property
    def size(self) -> Array:
        """The largest absolute value of each entry."""
        return up(self.moduli + self.rest, len(self.linear) + 2.0)


def of_inputs(batch: int, n_inputs: int, symbols: int) -> Tangent:
    """Return the Jacobian of the inputs, which is the unit matrix."""
    centre = np.broadcast_to(np.eye(n_inputs), (batch, n_inputs, n_inputs))
    return Tangent(centre, np.zeros((symbols, *centre.shape)), np.zeros(centre.shape))


def through_dense(tangent: Tangent, w: Array) -> Tangent:
    """Return W·M."""
    n = w.shape[1]
    rest = tangent.rest + 2.0 * gamma(n + len(tangent.linear) + 4.0) * tangent.moduli
    return Tangent(w @ tangent.centre, w @ tangent.linear, up(np.abs(w) @ rest + n * TINY, n + 3.0))


def through_scale(tangent: Tangent, factor: Array) -> Tangent:
    """Return diag(factor)·M."""
    column = np.broadcast_to(factor, tangent.centre.shape[1:2])[:, None]
    rest = up(np.abs(column) * (tangent.rest + 4.0 * gamma(len(tangent.linear) + 2.0) * tangent.moduli) + TINY, 4.0)
    return Tangent(column * tangent.centre, column * tangent.linear, rest)


def through_sum(tangents: list[Tangent]) -> Tangent:
    """Return the sum of Jacobians."""
    rest: Array = sum(each.rest for each in tangents)  # type: ignore[assignment]  # a sum of arrays, not of 0
    moduli = sum(each.moduli for each in tangents)
    symbols = len(tangents[0].linear)
    rest = up(rest + 4.0 * gamma(len(tangents) + symbols) * moduli, 2.0 * len(tangents) + symbols)
    return Tangent(sum(each.centre for each in tangents), sum(each.linear for each in tangents), rest)  # type: ignore[arg-type]  # sums of arrays, not of 0


@dataclass(frozen=True, eq=False)
class Slope:
    """σ'(z) of each unit over the boxes: centre + Σ_k linear_k·ε_k + rest·ε."""

    centre: Array
    linear: Array
    rest: Array


def slope_of(form: Form, ranges: ActivationRange, slopes: Range, symbols: int) -> Slope:
    """Return the slopes at a pre-activation, from their ranges over its hull.

    It is the mean value form where that is tighter, else the range.
    """
    with np.errstate(all="ignore"):
        middle = slopes.lower + (slopes.upper - slopes.lower) / 2.0
        half = up(np.maximum(slopes.upper - middle, middle - slopes.lower), 2.0)
        nothing = np.zeros((symbols, *middle.shape))
        if not symbols:
            return Slope(middle, nothing, half)
        bends = ranges.formulas.bends(*form.hull)
        bend = bends.lower + (bends.upper - bends.lower) / 2.0
        excess = ranges.excess_of_slope(*form.hull, bend, in_pieces=len(middle) == 1)
        between = excess.lower + (excess.upper - excess.lower) / 2.0
        centre = bend * form.centre + between
        others = np.abs(form.linear[:, :, symbols:]).sum(axis=-1) + form.rest
        moduli = np.abs(form.linear[:, :, :symbols]).sum(axis=-1) + np.abs(form.centre)
        rest = np.maximum(excess.upper - between, between - excess.lower) + np.abs(bend) * others
        rest = up(rest + 8.0 * UNIT * (np.abs(bend) * moduli + np.abs(between)), form.linear.shape[-1] + 8.0)
        better = np.isfinite(bend) & (rest < half)
        linear = np.moveaxis(bend[:, :, None] * form.linear[:, :, :symbols], -1, 0)
        return Slope(np.where(better, centre, middle), np.where(better, linear, nothing), np.where(better, rest, half))


def through_activation(tangent: Tangent, slope: Slope) -> Tangent:
    """Return diag(σ'(z))·M: of the products of two symbols only the size is kept."""
    symbols = len(tangent.linear)
    with np.errstate(all="ignore"):
        centre = slope.centre[:, :, None] * tangent.centre
        linear = slope.centre[:, :, None] * tangent.linear + slope.linear[..., None] * tangent.centre
        of_slope = np.abs(slope.linear).sum(axis=0)[..., None]
        of_tangent = np.abs(tangent.linear).sum(axis=0)
        size = (np.abs(slope.centre) + slope.rest)[..., None] + of_slope
        rest = size * tangent.rest + slope.rest[..., None] * tangent.moduli + of_slope * of_tangent
        rest = up(rest + 4.0 * gamma(symbols + 3.0) * size * tangent.moduli, 2.0 * symbols + 8.0)
    return Tangent(centre, linear, np.where(np.isnan(rest), np.inf, rest))


def through_norm(tangent: Tangent, norm: LayerNorm, parts: Normalised) -> Tangent:
    r"""Return diag(gain)·(q·D - q³·d·(dᵀD)/n), where D = M - mean M, or M where nothing is centred."""
    n = tangent.centre.shape[1]
    inner = through_dense(tangent, centring(n)) if norm.is_centred else tangent
    q, d = parts.inverse, parts.deviation
    with np.errstate(all="ignore"):
        middle = (q.lower + (q.upper - q.lower) / 2.0)[:, None, None]
        spread = up(np.maximum(q.upper[:, None, None] - middle, middle - q.lower[:, None, None]), 2.0)
        most = (q.upper * (1.0 + 4.0 * UNIT))[:, None, None]
        along = d.centre[:, :, None]
        far, size = d.reach[:, :, None], np.abs(along) + d.reach[:, :, None]
        # u = q·d: its size, and how far it is from that at the centre.
        unit, off = most * size, most * far + spread * np.abs(along)
        centred = middle * along

        def removed(matrix: Array) -> Array:
            return np.asarray(matrix - centred * np.sum(centred * matrix, axis=-2, keepdims=True) / n)

        def length(left: Array, right: Array) -> Array:
            return np.asarray(left * np.sum(right, axis=-2, keepdims=True) / n)

        moduli = inner.moduli
        rest = inner.rest + length(unit, unit * inner.rest)
        rest = rest + length(off, unit * moduli) + length(np.abs(centred), off * moduli)
        rounding = 4.0 * gamma(2.0 * n + len(inner.linear) + 12.0) * (moduli + length(unit, unit * moduli))
        inside = moduli + length(unit, unit * moduli)
        rest = most * (rest + rounding) + spread * inside
        gain = (np.ones(n) if norm.gain is None else np.abs(norm.gain))[:, None]
        signed = (np.ones(n) if norm.gain is None else norm.gain)[:, None]
        rest = up(gain * (rest + 4.0 * UNIT * most * inside) + TINY, 3.0 * n + len(inner.linear) + 20.0)
        centre = signed * (middle * removed(inner.centre))
        linear = signed * (middle * removed(inner.linear))
        broken = ~(np.isfinite(centre) & np.isfinite(rest))
    return Tangent(np.where(broken, 0.0, centre), np.where(broken, 0.0, linear), np.where(broken, np.inf, rest))
