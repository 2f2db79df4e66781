r"""log|f'| at inputs near a known one, in float64, for distances as small as 1e-1000.

In each layer z is known at one input, and how far z is from that at another: as a logarithm and a sign, so that nothing
underflows. A small distance is passed on by the slope in the middle, a large one by the difference of values; one that
float64 cannot add to z by the slope at z, through all first layers at once. This is how far the ends of an explosion
set are; proofs come afterwards.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gradtheory.explosion.depth.chain_in_balls import Layers

_SMALL = np.log(1e-4)  # distances below it are passed on by the slope: its error is of third order
_VANISHING = np.log(1e-20)  # distances below it change no slope
_PLACES = 64  # distances that are tried at once
_FINE = 2e-4  # of log|x - y|, before the last step by a line
_SHARES = np.array([0.0, 0.5, 1.0])[:, None, None]  # of the way from x
_SIDES = np.array([[-1.0], [1.0]])
_USUAL = 8.0  # of log|z - z(x)| of the layer that spreads inputs the most, in most chains
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
    log_w, signs : arrays of shape (L,)
        log|w| and the signs of w.

    """

    layers: Layers
    z: Floats
    log_w: Floats
    signs: Floats

    def ends(self, log_threshold: float, nearest: float) -> tuple[float, float]:
        """Return log|x - y| for the ends y of {|f'| > c} to the left and to the right of x, which lies within.

        `nearest` is a log|x - y| less than both.
        """
        _, _, log_reach = self._at_x
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

    def _log_gradient(self, distances: Floats, sides: Floats) -> Floats:
        """Return log|f'| at the inputs x ± exp(distances)."""
        log_slopes, signs, log_reach = self._at_x
        matters = log_reach + distances.max() > _VANISHING
        first = int(np.argmax(matters)) if matters.any() else len(matters)
        total = np.full_like(distances, self.log_w.sum() + log_slopes[:first].sum())
        if first == len(matters):
            return total
        log_step, sign = distances + log_reach[first] - self.log_w[first], sides * np.prod(signs[:first])
        rest = (each[first:] for each in (self.z, self.log_w, self.signs))
        with np.errstate(all="ignore"):
            for activation, z, log_w, side in zip(self.layers.activations[first:], *rest, strict=True):
                log_step, sign = log_step + log_w, sign * side
                step = sign * np.exp(log_step)
                value, slope = activation.value_and_slope(z + _SHARES * step)
                total += np.log(np.abs(slope[2]))
                is_small, difference = log_step < _SMALL, value[2] - value[0]
                sign = np.where(is_small, sign * np.sign(slope[1]), np.sign(difference))
                log_step = np.where(is_small, log_step + np.log(np.abs(slope[1])), np.log(np.abs(difference)))
        return total

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
