r"""Affine forms: what a node computes on a box, c + Σ_k G_k·ε_k + r·ε with every ε in [-1, 1], box by box.

The first symbols ε_k are the inputs of the network, so that what depends on one input moves together; each activation
adds one symbol for what it is not linear (L. H. de Figueiredo & J. Stolfi, "Affine arithmetic", Numer. Algorithms 37
(2004); G. Singh et al., "Fast and effective robustness certification", NeurIPS 2018). Rounding errors go into r.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.activation_range import ActivationRange
from gradtheory.networks.bounds.ranges import Range
from gradtheory.networks.bounds.rounding import TINY, UNIT, gamma, up
from gradtheory.networks.nodes import LayerNorm

_MOST_ENTRIES = 4_000_000  # of the coefficients of one node: then a remainder stays a remainder


@dataclass(frozen=True, eq=False)
class Form:
    """The outputs of a node over a batch of boxes.

    Parameters
    ----------
    centre : ndarray of shape (batch, n)
    linear : ndarray of shape (batch, n, k)
        The coefficients of k symbols.
    rest : ndarray of shape (batch, n)
        How far the outputs are from those at most.
    known : Range, optional
        Bounds known otherwise, which may be tighter.

    """

    centre: Array
    linear: Array
    rest: Array
    known: Range | None = None

    @cached_property
    def radius(self) -> Array:
        """How far the form reaches from its centre, from above."""
        return up(np.abs(self.linear).sum(axis=-1) + self.rest, self.linear.shape[-1] + 1.0)

    @cached_property
    def hull(self) -> Range:
        """Bounds of the outputs, each from the form or known otherwise, whichever is tighter."""
        with np.errstate(invalid="ignore", over="ignore"):
            room = 2.0 * UNIT * (np.abs(self.centre) + self.radius) + TINY
            lower, upper = self.centre - self.radius - room, self.centre + self.radius + room
        lower, upper = np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)
        if self.known is None:
            return Range(lower, upper)
        return Range(np.maximum(lower, self.known.lower), np.minimum(upper, self.known.upper))

    @cached_property
    def reach(self) -> Array:
        """How far the outputs are from the centre, from above: by the hull, which may be less than the radius."""
        lower, upper = self.hull
        with np.errstate(invalid="ignore", over="ignore"):
            far = up(np.maximum(np.maximum(upper - self.centre, self.centre - lower), 0.0), 2.0)
        return np.where(np.isnan(far), np.inf, np.minimum(far, self.radius))


def of_boxes(lower: Array, upper: Array) -> Form:
    """Return the inputs in boxes, of shape (batch, n) each."""
    centre = lower + (upper - lower) / 2.0
    radius = up(np.maximum(upper - centre, centre - lower), 2.0)
    return Form(centre, radius[:, :, None] * np.eye(lower.shape[1]), np.zeros_like(centre), Range(lower, upper))


def affine(form: Form, w: Array, b: Array | None) -> Form:
    """Return W·a + b."""
    n = w.shape[1]
    size = np.abs(w)
    offset = np.zeros(w.shape[0]) if b is None else b
    moduli = np.abs(form.centre) + np.abs(form.linear).sum(axis=-1)
    rest = form.rest + 2.0 * gamma(n + form.linear.shape[-1] + 4.0) * moduli
    rest = up(rest @ size.T + 4.0 * UNIT * np.abs(offset) + n * TINY, n + 4.0)
    lower, upper = form.hull
    with np.errstate(invalid="ignore", over="ignore"):
        middle = lower + (upper - lower) / 2.0
        spread = np.maximum(upper - middle, middle - lower) * (1.0 + 4.0 * UNIT)
        spread = spread + 2.0 * gamma(n + 4.0) * (np.abs(middle) + spread)
        spread = up(spread @ size.T + 4.0 * UNIT * np.abs(offset) + n * TINY, n + 4.0)
        middle = middle @ w.T + offset
        known = Range(_or(middle - spread, -np.inf), _or(middle + spread, np.inf))
    return Form(form.centre @ w.T + offset, w @ form.linear, rest, known)


def _or(bound: Array, otherwise: float) -> Array:
    """Return bounds moved outwards by the rounding of their last sum, or an infinite one where they are not numbers."""
    return np.where(np.isnan(bound), otherwise, np.nextafter(bound, otherwise))


def total(forms: list[Form]) -> Form:
    """Return the sum of forms; those made sooner have fewer symbols."""
    most = max(form.linear.shape[-1] for form in forms)
    padded = [np.pad(form.linear, ((0, 0), (0, 0), (0, most - form.linear.shape[-1]))) for form in forms]
    moduli = sum(np.abs(form.centre) + np.abs(form.linear).sum(axis=-1) for form in forms)
    rest = up(sum(form.rest for form in forms) + 4.0 * gamma(len(forms) + most) * moduli, 2.0 * len(forms) + most)
    lower, upper = (_of_sum([form.hull[side] for form in forms], side) for side in (0, 1))
    return Form(sum(form.centre for form in forms), sum(padded), rest, Range(lower, upper))  # type: ignore[arg-type]  # sums of arrays, not of 0


def _of_sum(parts: list[Array], side: int) -> Array:
    room = gamma(2.0 * len(parts)) * sum(np.abs(part) for part in parts)
    with np.errstate(invalid="ignore"):
        bound = sum(parts) + (room if side else -room)
    return np.where(np.isnan(bound), np.inf if side else -np.inf, bound)


def scaled(form: Form, factor: Array, offset: Array | None = None) -> Form:
    """Return factor·a + offset, entry by entry."""
    size = np.abs(factor)
    shift = np.zeros_like(form.centre) if offset is None else np.broadcast_to(offset, form.centre.shape)
    moduli = np.abs(form.centre) + np.abs(form.linear).sum(axis=-1)
    rest = up(
        size * (form.rest + 2.0 * gamma(form.linear.shape[-1] + 4.0) * moduli) + 4.0 * UNIT * np.abs(shift) + TINY, 5.0
    )
    lower, upper = form.hull
    with np.errstate(invalid="ignore", over="ignore"):
        products = np.stack([factor * lower, factor * upper])
        low, high = products.min(axis=0) + shift, products.max(axis=0) + shift
        room = 4.0 * UNIT * (np.abs(products).max(axis=0) + np.abs(shift)) + TINY
        known = Range(_or(low - room, -np.inf), _or(high + room, np.inf))
    linear = np.broadcast_to(factor, form.centre.shape)[:, :, None] * form.linear
    return Form(factor * form.centre + shift, linear, rest, known)


def activated(
    form: Form, ranges: ActivationRange, over: tuple[Range, Range], at_centre: Range, *, taken: int | None
) -> Form:
    """Return σ(a), from the ranges of σ and σ' over its hull and that of σ at its centre.

    There is a new symbol for each unit, behind those that are taken, where they are wanted and not too many.
    σ(z) = σ(c) + s·(z - c) up to sup|σ' - s|·|z - c|, or σ(z) = s·z + half the range of σ(z) - s·z with the slope s of
    its secant.
    """
    lower, upper = form.hull
    values, slopes = over
    with np.errstate(all="ignore"):
        middle = slopes.lower + (slopes.upper - slopes.lower) / 2.0
        centre = at_centre.lower + (at_centre.upper - at_centre.lower) / 2.0
        error = np.maximum(at_centre.upper - centre, centre - at_centre.lower)
        bent = up(np.maximum(slopes.upper - middle, middle - slopes.lower) * form.reach, 4.0)
        if ranges.is_piecewise_linear or taken is not None:
            ends = ranges.values(lower, lower), ranges.values(upper, upper)
            secant = (ends[1].lower - ends[0].lower) / (upper - lower)
            secant = np.where(np.isfinite(secant), secant, middle)
            excess = ranges.excess(lower, upper, secant)
            half = excess.lower + (excess.upper - excess.lower) / 2.0
            beside = up(np.maximum(excess.upper - half, half - excess.lower), 2.0)
            better = (beside < bent) | ranges.is_piecewise_linear
            middle = np.where(better, secant, middle)
            of_secant = 4.0 * UNIT * (np.abs(secant * form.centre) + np.abs(half)) + TINY
            centre = np.where(better, secant * form.centre + half, centre)
            bent, error = np.where(better, beside, bent), np.where(better, of_secant, error)
        of_rounding = 4.0 * UNIT * np.abs(middle) * np.abs(form.linear).sum(axis=-1)
        rest = up(np.abs(middle) * form.rest + bent + error + of_rounding, 6.0 + form.linear.shape[-1])
        reach = np.abs(middle) * np.abs(form.linear).sum(axis=-1) + rest
        # A box is taken where it is smaller: far out, where the units saturate, and where σ jumps.
        box_centre = values.lower + (values.upper - values.lower) / 2.0
        box = up(np.maximum(values.upper - box_centre, box_centre - values.lower), 2.0)
        usable = np.isfinite(reach) & np.isfinite(centre) & ranges.is_continuous(lower, upper)
        boxed = ~usable | (box < 0.9 * reach)
        box_centre = np.where(np.isfinite(box_centre), box_centre, 0.0)
        box = np.where(np.isfinite(box), box, np.inf)
        linear = np.where(boxed[:, :, None], 0.0, middle[:, :, None] * form.linear)
        centre, rest = np.where(boxed, box_centre, centre), np.where(boxed, box, rest)
    rough = Form(centre, linear, rest, values)
    return rough if taken is None else with_new_symbols(rough, taken)


def with_new_symbols(form: Form, taken: int) -> Form:
    """Return a form whose remainders are symbols, if they are not too many.

    They stand behind those that any form has, also one that this was not made of: in two branches from one node the
    symbols of one are not those of the other.
    """
    batch, n, k = form.linear.shape
    if batch * n * (n + taken) > _MOST_ENTRIES or not np.isfinite(form.rest).all():
        return form
    others = np.zeros((batch, n, taken - k))
    linear = np.concatenate([form.linear, others, form.rest[:, :, None] * np.eye(n)], axis=-1)
    return Form(form.centre, linear, np.zeros_like(form.rest), form.known)


@dataclass(frozen=True, eq=False)
class Normalised:
    """What a LayerNorm or RMSNorm computes: its output, d = a - mean a (or a), and bounds of q = 1/√(mean d² + ε)."""

    output: Form
    deviation: Form
    inverse: Range


def normalised(form: Form, norm: LayerNorm) -> Normalised:
    """Return gain·d·q + bias."""
    n = form.centre.shape[1]
    deviation = affine(form, centring(n), None) if norm.is_centred else form
    lower, upper = deviation.hull
    with np.errstate(all="ignore"):
        least = np.where((lower <= 0.0) & (upper >= 0.0), 0.0, np.minimum(np.abs(lower), np.abs(upper)))
        room = gamma(2.0 * n + 8.0)
        low = (np.mean(least**2, axis=1) * (1.0 - 2.0 * room) - n * TINY).clip(0.0) + norm.epsilon
        high = np.mean(deviation.hull.size**2, axis=1) * (1.0 + 2.0 * room) + n * TINY + norm.epsilon
        inverse = Range((1.0 - 8.0 * UNIT) / np.sqrt(high), (1.0 + 8.0 * UNIT) / np.sqrt(low))
        middle = inverse.lower + (inverse.upper - inverse.lower) / 2.0
        middle = np.where(np.isfinite(middle), middle, 0.0)
        spread = up(np.maximum(inverse.upper - middle, middle - inverse.lower), 2.0)
        stretched = scaled(deviation, middle[:, None])
        rest = up(stretched.rest + spread[:, None] * deviation.hull.size, 3.0)
        rest = np.where(np.isnan(rest), np.inf, rest)
        # |d_i|·q is at most √n, as d_i² is one of the n terms of the mean.
        most = np.minimum(up(deviation.hull.size * inverse.upper[:, None], 2.0), np.sqrt(n) * (1.0 + 8.0 * UNIT))
        most = np.where(np.isnan(most), np.sqrt(n) * (1.0 + 8.0 * UNIT), most)
        known = Range(np.where(lower >= 0.0, 0.0, -most), np.where(upper <= 0.0, 0.0, most))
    gain = np.ones(n) if norm.gain is None else norm.gain
    output = scaled(Form(stretched.centre, stretched.linear, rest, known), gain, norm.bias)
    return Normalised(output, deviation, inverse)


def centring(n: int) -> Array:
    """Return the matrix that takes off the mean; each entry is right to a rounding, which `affine` counts."""
    return np.eye(n) - 1.0 / n
