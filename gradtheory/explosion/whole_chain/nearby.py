r"""log|f'| at inputs near a known one, in float64, for distances as small as 1e-1000.

In each layer z is known at one input, and how far z is from that at another: as a logarithm and a sign, so that nothing
underflows. A small distance is passed on by the slope in the middle, a large one by the difference of values; one that
float64 cannot add to z by the slope at z, through all first layers at once. This is how far the ends of an explosion
set are; proofs come afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import sympy

from gradtheory.arithmetic.enclosure import enclose, precision, sign
from gradtheory.explosion.depth.chain_in_balls import Layers

_SMALL = np.log(1e-4)  # distances below it are passed on by the slope: its error is of third order
_VANISHING = np.log(1e-20)  # distances below it change no slope
_BITS = 64
_PLACES = 64  # distances that are tried at once
_FINE = 2e-4  # of log|x - y|, before the last step by a line
_SHARES = np.array([0.0, 0.5, 1.0])[:, None, None]  # of the way from x
_SIDES = np.array([[-1.0], [1.0]])
_USUAL = 8.0  # of log|z - z(x)| of the layer that spreads inputs the most, in most chains
_NEAREST = -32 * np.log(2)  # of the same, less than all that matter
_FARTHEST = 200.0  # of log|z_1 - z_1(x)|

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Neighbourhood:
    """A chain near an input x.

    Parameters
    ----------
    layers : Layers
    z : array of shape (L,)
        The pre-activations at x.

    """

    layers: Layers
    z: Floats

    @cached_property
    def log_w(self) -> Floats:
        """log|w| of each layer."""
        return np.array([_logarithm(abs(weight)) for weight in self.layers.w])

    @cached_property
    def signs(self) -> Floats:
        """The sign of each w."""
        return np.array([float(sign(weight)) for weight in self.layers.w])

    @property
    def overflows(self) -> bool:
        """Whether a pre-activation or a slope at x is beyond float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            return not (np.isfinite(self.z).all() and (self._at_x[2] < np.inf).all())

    def ends(self, threshold: sympy.Expr) -> tuple[float, float]:
        """Return log|x - y| for the ends y of {|f'| > c} to the left and to the right of x, which lies within."""
        log_threshold = _logarithm(threshold)
        _, _, log_reach = self._at_x
        nearest = _NEAREST - log_reach.max()
        usual, far = _USUAL - log_reach.max(), _FARTHEST - self.log_w[0]
        is_usual = self._log_gradient(np.full((2, 1), usual), _SIDES) < log_threshold
        return self._ends_between(nearest, usual if is_usual.all() else far, log_threshold)

    def _ends_between(self, nearest: float, farthest: float, log_threshold: float) -> tuple[float, float]:
        lower, upper = np.full((2, 1), nearest), np.full((2, 1), farthest)
        while (upper - lower).max() > _FINE:
            distances = lower + (upper - lower) * np.linspace(0.0, 1.0, _PLACES)
            excess = self._log_gradient(distances, _SIDES) - log_threshold
            last = _PLACES - 1 - np.argmax(excess[:, ::-1] > 0, axis=1)
            last = np.clip(last, 0, _PLACES - 2)[:, None]
            lower, upper = (np.take_along_axis(distances, each, 1) for each in (last, last + 1))
        before, after = (np.take_along_axis(excess, each, 1) for each in (last, last + 1))
        with np.errstate(all="ignore"):
            share = np.clip(np.nan_to_num(before / (before - after)), 0.0, 1.0)
        left, right = (lower + (upper - lower) * share)[:, 0]
        return float(left), float(right)

    def at(self, distances: tuple[float, float]) -> Iterator[tuple[Floats, Floats]]:
        """Yield all z, and log|dz_l/dx|, at the inputs at log|x - y| to the left and to the right."""
        columns = np.array([distances]).T
        first, passed = self._passed(columns, _SIDES)
        z, log_slopes = (np.repeat(at_x[:, None], 2, 1) for at_x in (self.z, self._at_x[0]))
        with np.errstate(all="ignore"):
            for number, (step, slope) in enumerate(passed, first):
                z[number] += step[:, 0]
                log_slopes[number] = np.log(np.abs(slope[:, 0]))
        for column in (0, 1):
            yield z[:, column], np.cumsum(np.concatenate([[0.0], log_slopes[:-1, column]]) + self.log_w)

    def _log_gradient(self, distances: Floats, sides: Floats) -> Floats:
        """Return log|f'| at the inputs x ± exp(distances)."""
        first, passed = self._passed(distances, sides)
        total = np.full_like(distances, self.log_w.sum() + self._at_x[0][:first].sum())
        with np.errstate(all="ignore"):
            for _, slope in passed:
                total += np.log(np.abs(slope))
        return total

    def _passed(self, distances: Floats, sides: Floats) -> tuple[int, Iterator[tuple[Floats, Floats]]]:
        """Return the first layer in which a distance matters, and from there on z - z(x) and σ'(z) of each layer."""
        _, signs, log_reach = self._at_x
        matters = log_reach + distances.max() > _VANISHING
        first = int(np.argmax(matters)) if matters.any() else len(matters)
        if first == len(matters):
            return first, iter(())
        log_step, side = distances + log_reach[first] - self.log_w[first], sides * np.prod(signs[:first])
        return first, self._passed_from(first, log_step, side)

    def _passed_from(self, first: int, log_step: Floats, side: Floats) -> Iterator[tuple[Floats, Floats]]:
        rest = (each[first:] for each in (self.z, self.log_w, self.signs))
        for activation, z, log_w, sign_w in zip(self.layers.activations[first:], *rest, strict=True):
            log_step, side = log_step + log_w, side * sign_w
            step = side * np.exp(log_step)
            value, slope = activation.value_and_slope(z + _SHARES * step)
            yield step, slope[2]
            is_small, difference = log_step < _SMALL, value[2] - value[0]
            side = np.where(is_small, side * np.sign(slope[1]), np.sign(difference))
            log_step = np.where(is_small, log_step + np.log(np.abs(slope[1])), np.log(np.abs(difference)))

    @cached_property
    def _at_x(self) -> tuple[Floats, Floats, Floats]:
        """log|σ'|, the sign of σ'·w and log|dz/dx| of each layer at x."""
        slope = np.empty_like(self.z)
        for activation, where in self.layers.places.items():
            _, slope[where] = activation.value_and_slope(self.z[where])
        with np.errstate(divide="ignore"):
            log_slopes = np.log(np.abs(slope))
        factors = np.concatenate([[0.0], log_slopes[:-1]]) + self.log_w
        return log_slopes, self.signs * np.sign(slope), np.cumsum(factors)


def _logarithm(number: sympy.Expr) -> float:
    """Return about the logarithm of a positive number, which may be no float64."""
    with precision(_BITS):
        return float(enclose(number, _BITS).log().mid())
