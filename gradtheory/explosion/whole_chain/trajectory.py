r"""The input at which the gradient of a chain of class N is about greatest, found in float64 at any depth.

A deep chain spreads inputs apart that float64 does not tell from each other, so the unknowns are all pre-activations at
once: z_{l+1} = w·σ(z_l) + b for each l, and D = d log|f'|/dz_m = 0. One linear equation links neighbours, and Newton's
method costs a few operations a layer. It starts with each z_l where |σ'| is greatest, at which D = 0 for some other
biases, and goes at most one unit of z at a time. All is measured by z_m, m the layer that spreads inputs the most, so
that nothing overflows. No step is a proof: what is found is proven afterwards.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sympy

from gradtheory.arithmetic.enclosure import Ball, as_rational, enclose, precision
from gradtheory.explosion.depth.chain_in_balls import Layers, Part, sigma_at
from gradtheory.explosion.depth.class_n import middle_of_slope

_FAR = 1 / 16  # in z: how far apart log|σ'| is compared; wide enough not to be caught in a corner
_MOST_STEPS = 400
_SETTLED = 1e-9
_FLOAT_BITS = 50
_GUARD = 64
_SPARE_BITS = 16

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """All pre-activations for one input, each to float64's precision.

    Parameters
    ----------
    z : array of shape (L,)
    log_reach : array of shape (L,)
        log|dz_l/dz_1|.
    log_largest : array of shape (L,)
        log max(1, |w|, |b|).

    """

    z: Floats
    log_reach: Floats
    log_largest: Floats

    @property
    def turn(self) -> int:
        """The layer that spreads inputs the most."""
        return int(np.argmax(self.log_reach))


def steepest_trajectory(layers: Layers) -> Trajectory | None:
    """Return about where |f'| is greatest, or None where the method does not settle."""
    with np.errstate(all="ignore"):
        w, b = (np.array([_as_float(number) for number in numbers]) for numbers in (layers.w, layers.b))
        if not (np.isfinite(w).all() and np.isfinite(b).all() and w.all()):
            return None  # beyond float64
        z = np.array([_as_float(middle_of_slope(activation)) for activation in layers.activations])
        for _ in range(_MOST_STEPS):
            step, log_reach = _newton(layers, w, b, z)
            farthest = np.max(np.abs(step))
            if not np.isfinite(farthest):
                return None
            z = z + step * min(1.0, 1.0 / max(farthest, 1e-300))
            if farthest < _SETTLED:
                return Trajectory(z, log_reach, np.log(np.maximum(1.0, np.maximum(np.abs(w), np.abs(b)))))
    return None


def _newton(layers: Layers, w: Floats, b: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Return one step of Newton's method for all pre-activations, and log|dz_l/dz_1|."""
    value, slope = _apply(layers, z)
    log_slope = np.log(np.abs(slope))
    before, after = (np.log(np.abs(_apply(layers, z + side)[1])) for side in (-_FAR, _FAR))
    rate = (after - before) / (2 * _FAR)
    schwarzian = (after - 2 * log_slope + before) / _FAR**2 - rate**2 / 2
    factors = w[1:] * slope[:-1]
    log_reach = np.concatenate([[0.0], np.cumsum(np.log(np.abs(factors)))])
    signs = np.concatenate([[1.0], np.cumprod(np.sign(factors))])
    turn = int(np.argmax(log_reach))
    per_turn = np.exp(log_reach - log_reach[turn]) * signs * signs[turn]
    newton = (rate @ per_turn) / max(-(schwarzian @ per_turn**2), 1e-12)
    missed = w[1:] * value[:-1] + b[1:] - z[1:]
    return _corrections(factors, missed, turn) + newton * per_turn, log_reach


def _corrections(factors: Floats, missed: Floats, turn: int) -> Floats:
    """Return what closes the gaps between layers to first order, with z at the turn as it is."""
    steps = [0.0] * (len(factors) + 1)
    for number in range(turn, len(factors)):
        steps[number + 1] = factors[number] * steps[number] + missed[number]
    for number in reversed(range(turn)):
        steps[number] = (steps[number + 1] - missed[number]) / factors[number]
    return np.array(steps)


def _apply(layers: Layers, z: Floats) -> tuple[Floats, Floats]:
    """Return σ(z_l) and σ'(z_l) of all layers."""
    value, slope = np.empty((2, len(z)))
    for activation, where in layers.places.items():
        value[where], slope[where] = activation.value_and_slope(z[where])
    return value, slope


def _as_float(number: sympy.Expr) -> float:
    return float(enclose(number, _FLOAT_BITS).mid())


def pulled_back(layers: Layers, trajectory: Trajectory) -> sympy.Rational:
    """Return the input that belongs to a trajectory, with all the digits that its turn asks for.

    Backwards from the turn errors shrink, so each pre-activation follows from the next one by Halley's method.
    """
    turn, log_reach = trajectory.turn, trajectory.log_reach
    asked = (log_reach[turn] - log_reach + trajectory.log_largest) / np.log(2)
    z = enclose(sympy.Rational(trajectory.z[turn]), _FLOAT_BITS)
    for number in reversed(range(turn + 1)):
        step, bits = layers.steps[number], _GUARD + int(max(asked[number], 0.0))
        with precision(bits):
            a = ((z - step.bias(bits, {})) / step.weight(bits, {})).mid()
        if number == 0:
            return as_rational(a)
        z = _inverse(layers.steps[number - 1].parts, a, trajectory.z[number - 1], bits)
    raise AssertionError("a chain has a first layer")


def _inverse(parts: tuple[Part, ...], a: Ball, start: float, bits: int) -> Ball:
    """Return about the z near a start at which σ(z) = a; each step of Halley's method makes three times the digits."""
    z, precisions = a * 0 + start, [bits]
    while precisions[-1] > 3 * _FLOAT_BITS:
        precisions.append(precisions[-1] // 3 + _SPARE_BITS)
    for working in reversed(precisions):
        with precision(working):
            value, slope, log_slope = sigma_at(parts, z, working, _FLOAT_BITS + 2 * working // 3)
            newton = (value - a) / slope
            z = (z - newton / (1 - newton * log_slope / 2)).mid()
    return z
