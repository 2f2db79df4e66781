"""Many layers: how fast variances and correlations settle, and how fast gradients grow or fade there."""

import math
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import enclose, precision
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.gaussian.second_moments import BITS, proven_moment
from gradtheory.random_weights.meanfield.correlation import settled_correlation
from gradtheory.random_weights.meanfield.fixed_points import FixedPoint, fixed_points, variance_map_of
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.typing import ActivationLike, NumberLike


@dataclass(frozen=True)
class DepthScales(ShownAsTable):
    """The depth scales of a wide network: in how many layers a deviation changes by a factor of e.

    inf where nothing changes exponentially, or so slowly that float64 does not tell the factor from 1.

    Attributes
    ----------
    point : FixedPoint
        The stable fixed point of the variance map.
    c : Estimate
        The stable fixed point of the correlation map: 1 in the ordered phase, and where every correlation is kept; less
        in the chaotic phase, and where σ jumps.
    xi_q : Estimate
        -1/log|χ_∥|: layers in which a deviation of the variance falls by e.
    xi_c : Estimate
        -1/log of the correlation map's slope at c: layers in which a deviation of the correlation falls by e. inf where
        q = 0 and σ has a slope at 0: a smooth σ keeps correlations there, and those of relu tend to 1 as 9π²/(2l²).
    xi_gradient : Estimate
        1/log χ₁: layers in which the gradient's mean square grows by e; negative where it falls.

    """

    point: FixedPoint
    c: Estimate
    xi_q: Estimate
    xi_c: Estimate
    xi_gradient: Estimate

    def __repr__(self) -> str:
        scales = f"xi_q={self.xi_q:g}, xi_c={self.xi_c:g}, xi_gradient={self.xi_gradient:g}"
        return f"DepthScales(q={self.point.q:g}, c={self.c:g}, {scales})"


def depth_scales(activation: ActivationLike, sigma_w: NumberLike, sigma_b: NumberLike = 0.0) -> DepthScales:
    r"""Return the depth scales at the smallest stable fixed point.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `fixed_points`.

    Raises
    ------
    InvalidArgument
        If there is no stable fixed point.
    Undecided
        If χ₁ is infinite there, because the slope is at some place.

    References
    ----------
    Schoenholz et al. (2017), equations 7 and 9, and section 4.

    Examples
    --------
    >>> scales = depth_scales("tanh", 2.5, 0.3)  # chaotic
    >>> round(scales.c, 6), round(scales.xi_gradient, 6)
    (0.122104, 2.170486)

    """
    record = as_activation(activation)
    weight, bias = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    point = next((each for each in fixed_points(record, weight, bias) if each.is_stable), None)
    if point is None:
        raise InvalidArgument("sigma_w", sigma_w, _why_none(record, weight, bias))
    if math.isinf(point.chi) and record.infinite_slopes:
        place = record.infinite_slopes[0]
        raise Undecided(f"depth scales of {record.name} are not decided: its slope is infinite at {place}, so is χ₁")
    chi = _sharpened(record, point, bias)
    try:
        c, slope = settled_correlation(record, point.q, chi, weight, bias)
    except InvalidArgument as error:
        raise InvalidArgument("sigma_w", sigma_w, f"makes q = {float(point.q):.6g}: {error}") from None
    fades = _scale(chi)
    grows = fades if math.isinf(fades) else Estimate(0.0 - float(fades), fades.error)
    return DepthScales(point, c, _scale(point.chi_parallel), _scale(slope), grows)


def _sharpened(record: Activation, point: FixedPoint, sigma_b: float) -> Estimate:
    """Return χ₁, in balls where float64 does not tell it from 1.

    At a fixed point it is (q - σ_b²)·E[σ'²]/E[σ²], which near q = 0 hardly depends on q, so that its own error is
    small.
    """
    chi = point.chi
    if abs(chi - 1.0) > chi.error or point.q <= sigma_b**2 or Origin.of(record).is_homogeneous:
        return chi
    q, excesses = float(point.q), []
    try:
        for place in (q, q - point.q.error, q + point.q.error):
            value, slope = (proven_moment(record, place, kind) for kind in ("value", "slope"))
            kept = sympy.Rational(place) - sympy.Rational(sigma_b) ** 2
            with precision(BITS):
                excesses.append(slope / value * enclose(kept, BITS) - 1)
    except (InvalidArgument, Undecided):
        return chi
    middle, *others = (float(each.mid()) for each in excesses)
    return Estimate(1.0 + middle, 2.0 * max(abs(each - middle) for each in others) + 2.0**-52)


def _scale(factor: Estimate) -> Estimate:
    """Return -1/log|factor|; inf where the factor is not told from 1, 0 where it is not told from 0."""
    size, error = abs(float(factor)), factor.error
    if abs(size - 1.0) <= error:
        return Estimate(math.inf, math.inf)
    if size <= error:
        return Estimate(0.0, -1.0 / math.log(size + error) if 0.0 < error < 0.5 else 0.0)
    layers = -1.0 / math.log(size)
    return Estimate(layers, layers**2 * error / (size - error) + 4.0 * 2.0**-52 * abs(layers))


def _why_none(record: Activation, sigma_w: float, sigma_b: float) -> str:
    start = f"{record.name} has no stable fixed point for sigma_b = {sigma_b:g}, "
    if variance_map_of(record, sigma_w, sigma_b).grows_far_out():
        return f"{start}the variance grows; take a smaller sigma_w"
    return f"{start}the variance does not settle; take another sigma_w"
