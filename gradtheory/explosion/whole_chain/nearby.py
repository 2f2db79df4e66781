r"""log|f'| at inputs near a known one, in float64, for distances as small as 1e-1000.

In each layer z is known at one input, and how far z is from that at another: as a logarithm and a sign, so that nothing
underflows. A small distance is passed on by the slope in the middle, a large one by the difference of values. This is
how far the ends of an explosion set are; proofs come afterwards.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradtheory.explosion.depth.layers import Layers

_SMALL = np.log(1e-4)  # distances below it are passed on by the slope: its error is of third order
_PLACES = 64  # distances that are tried at once
_REFINEMENTS = 4
_SHARES = np.array([0.0, 0.5, 1.0])[:, None, None]  # of the way from x
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
        sides = np.array([[-1.0], [1.0]])
        lower, upper = np.full((2, 1), nearest), np.full((2, 1), _FARTHEST - self.log_w[0])
        for _ in range(_REFINEMENTS):
            distances = lower + (upper - lower) * np.linspace(0.0, 1.0, _PLACES)
            excess = self._log_gradient(distances, sides) - log_threshold
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
        total = np.full_like(distances, self.log_w.sum())
        log_step, sign = distances, sides
        with np.errstate(all="ignore"):
            for activation, z, log_w, side in zip(self.layers.activations, self.z, self.log_w, self.signs, strict=True):
                log_step, sign = log_step + log_w, sign * side
                step = sign * np.exp(log_step)
                value, slope = activation.value_and_slope(z + _SHARES * step)
                total += np.log(np.abs(slope[2]))
                is_small, difference = log_step < _SMALL, value[2] - value[0]
                sign = np.where(is_small, sign * np.sign(slope[1]), np.sign(difference))
                log_step = np.where(is_small, log_step + np.log(np.abs(slope[1])), np.log(np.abs(difference)))
        return total
