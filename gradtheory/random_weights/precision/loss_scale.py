"""Which loss scales keep the gradients of every layer within a short float type."""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erfcinv, erfinv

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_count, read_finite_array, read_positive_float
from gradtheory.arithmetic.kinds import read_flag, read_mapping
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures.architecture import Propagation
from gradtheory.random_weights.architectures.growth import Growth
from gradtheory.random_weights.floats import FloatType, read_float_type
from gradtheory.random_weights.precision.sizes import GradientSizes
from gradtheory.typing import NumberLike

_RULE = "must be a Growth or Propagation of an architecture, an audit, or a mapping of names to gradients"
_MOST_ENTRIES = 10**15
_GREATEST = Fraction(sys.float_info.max)
_LEAST_SHARE = 1e-200  # of any number of entries a float64
_BEYOND_FLOAT32 = 2.0**128


@dataclass(frozen=True, repr=False, eq=False)
class LossScale(ShownAsTable):
    """The loss scales with which gradients fit a float type: those between `least` and `most`, if there are any.

    Attributes
    ----------
    dtype : FloatType
    share : float
        How many of a layer's gradients other than 0 may be rounded to 0.
    layers : tuple of str
        From the input to the output.
    lower, upper : ndarray of shape (k,)
        Of each layer: with larger scales than `lower` no more underflow, with smaller ones than `upper` none overflows.
        inf where that is beyond float64: then no float64 is enough for `lower`, and any is small enough for `upper`.

    """

    dtype: FloatType
    share: float
    layers: tuple[str, ...]
    lower: Array
    upper: Array

    @property
    def least(self) -> float:
        """The greatest lower end of all layers."""
        return float(self.lower.max())

    @property
    def most(self) -> float:
        """The least upper end of all layers."""
        return float(self.upper.min())

    @property
    def is_empty(self) -> bool:
        """Whether no scale suits all layers."""
        return not self.least < self.most

    @property
    def suits_grad_scaler(self) -> bool:
        """Whether its rule comes to a right scale: it keeps the scale between `most`/2 and `most`, as a float32.

        Where `most` is beyond float32 the scale stays near float32's greatest. One of 2⁻¹²⁸ or less suits none: its
        reciprocal, with which gradients are multiplied, overflows.
        """
        most = min(self.most, _BEYOND_FLOAT32)
        return 2.0 * self.least < most and most > 2.0 / _BEYOND_FLOAT32

    def __repr__(self) -> str:
        if self.is_empty:
            low, high = int(self.lower.argmax()), int(self.upper.argmin())
            none = f"no loss scale for {self.dtype.name}: {self.layers[low]} asks for more than"
            if math.isinf(self.least):
                return f"{none} any float64"
            return f"{none} {self.least:.4g}, {self.layers[high]} for less than {self.most:.4g}"
        most = f"{self.most:.4g}" if math.isfinite(self.most) else "any float64"
        return f"loss scale between {self.least:.4g} and {most} for {self.dtype.name} (numeric)"


def loss_scale(
    gradients: Growth | Propagation | Mapping[str, Any] | Any,
    dtype: npt.DTypeLike = "float16",
    *,
    share: float = 0.001,
    output: NumberLike = 1,
    entries: int = 2**20,
    flush: bool = False,
) -> LossScale:
    r"""Return the loss scales S with which no gradient overflows, and at most a share p of them underflows, by layer.

    S·max|g| must stay below the number that is rounded to inf, and at most p of the S·|g| may be rounded to 0. Of an
    architecture a layer's gradients are Gaussian with root mean square r, which holds in the limit of large width: S
    lies between u/(r·√2·erf⁻¹(p)) and M/(r·√2·erfc⁻¹(p/n)), with M and u the limits of the type, so that any of n
    gradients overflows with a probability of at most p. Of an audit the sizes are known between powers of 2: the lower
    end is right among powers of 2.

    Parameters
    ----------
    gradients : Growth, Propagation, audit or mapping
        `architecture(…).propagate(depth)`, whose layers are those in front of which the gradient is taken;
        `architecture(…).growth`, by the distance from the output; a report of `gradtheory.audit`; or measured gradients
        by name, each an array.
    dtype : str or dtype
        As for `range`.
    share : float
        p, above 0 and below 1.
    output : number
        What all gradients are multiplied by: for an architecture their root mean square at its output, such as
        1/(batch·√classes).
    entries : int
        n, how many entries a layer's gradient has, for an architecture.
    flush : bool
        Whether subnormal numbers are rounded to 0.

    Returns
    -------
    LossScale
        `.least`, `.most`, `.is_empty`, and by layer `.lower`, `.upper`.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, or gradients are not finite.

    References
    ----------
    P. Micikevicius et al., "Mixed precision training" (2018), section 3.2.

    Examples
    --------
    >>> import gradtheory as gt
    >>> from gradtheory import blocks
    >>> flow = gt.architecture([blocks.dense("relu", sigma_w=2**0.5)]).propagate(50)
    >>> loss_scale(flow, "float16", output=1e-7)
    loss scale between 237.8 and 1.071e+11 for float16 (numeric)
    >>> exploding = gt.architecture([blocks.dense("relu", sigma_w=2)]).propagate(90)
    >>> loss_scale(exploding, "float16")
    no loss scale for float16: output asks for more than 2.378e-05, input for less than 3.044e-10

    """
    limits, factor = read_float_type(dtype), read_positive_float(output, "output")
    p, many = read_positive_float(share, "share"), read_count(entries, "entries", _MOST_ENTRIES)
    if p >= 1.0:
        raise InvalidArgument("share", share, "must be below 1, such as 0.001")
    if p < _LEAST_SHARE:
        raise InvalidArgument("share", share, "must be at least 1e-200, such as 0.001")
    lost, overflow = limits.underflow, min(limits.overflow, _GREATEST)
    if read_flag(flush, "flush"):
        lost = Fraction(limits.smallest_normal) - lost
    names, small, large = zip(*_sizes(gradients, p, many), strict=True)
    lower, upper = (
        np.array([_quotient(limit, factor, size) for size in sizes])
        for limit, sizes in ((lost, small), (overflow, large))
    )
    return LossScale(limits, p, names, lower, upper)


def _quotient(limit: Fraction, factor: float, size: float | Fraction) -> float:
    """Return limit/(factor·size), of which the product may leave float64; inf where the quotient does."""
    if size in (0, math.inf):
        return 0.0 if size else math.inf
    quotient = limit / (Fraction(factor) * Fraction(size))
    return float(quotient) if quotient <= _GREATEST else math.inf


def _sizes(gradients: Any, share: float, entries: int) -> Iterator[tuple[str, float | Fraction, float | Fraction]]:
    """Yield for each layer its name, the size that all but a share of the gradients exceed, and the greatest."""
    if isinstance(gradients, Growth | Propagation):
        usual, rare = (Fraction(math.sqrt(2.0) * float(each)) for each in (erfinv(share), erfcinv(share / entries)))
        for name, log in _log_mean_squares(gradients):
            root = _exponential(log / 2.0)
            yield (name, root * usual, root * rare) if root else (name, math.inf, 0.0)
        return
    named = read_mapping(getattr(gradients, "gradient_sizes", gradients), "gradients", _RULE)
    if not named:
        raise InvalidArgument("gradients", gradients, _RULE)
    for name, gradient in named.items():
        if isinstance(gradient, GradientSizes):
            if not math.isfinite(gradient.largest):
                raise InvalidArgument(f"gradients[{name!r}]", gradient, "must be finite")
            yield name, gradient.least(share), gradient.largest
        else:
            sizes = np.sort(np.abs(read_finite_array(gradient, f"gradients[{name!r}]")), axis=None)
            sizes = sizes[sizes > 0.0]
            yield (
                (name, float(sizes[int(share * len(sizes))]), float(sizes[-1])) if len(sizes) else (name, math.inf, 0.0)
            )


def _log_mean_squares(gradients: Growth | Propagation) -> Iterator[tuple[str, float]]:
    if isinstance(gradients, Growth):
        for depth, log in zip(reversed(gradients.depths), reversed(gradients.logs), strict=True):
            yield f"{depth} layers before the output", log
        return
    last = len(gradients.log_gradient) - 1
    for layer, log in enumerate(gradients.log_gradient):
        yield "input" if layer == 0 else "output" if layer == last else f"after layer {layer}", float(log)


def _exponential(log: float) -> Fraction:
    """Return e^log, however large or small; 0 of -inf."""
    if log == -math.inf:
        return Fraction(0)
    power = round(log / math.log(2.0))
    return Fraction(math.exp(log - power * math.log(2.0))) * Fraction(2) ** power
