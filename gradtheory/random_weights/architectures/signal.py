"""What flows through a wide network at initialisation: the variances of two inputs' pre-activations, and gradients.

Between blocks the stream of a wide network is Gaussian with mean 0 over its neurons, so that its variance q and the
covariance p of two inputs say all (B. Poole et al., "Exponential expressivity in deep neural networks through transient
chaos", 2016).
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import correlated
from gradtheory.random_weights.gaussian.bivariate import of_jumps
from gradtheory.random_weights.gaussian.interpolated import Interpolated
from gradtheory.random_weights.gaussian.quadrature import Integrals
from gradtheory.random_weights.gaussian.second_moments import why_infinite
from gradtheory.random_weights.meanfield.tables import interpolated

_LEAST = 1e-300


class Signal(NamedTuple):
    """The stream in one place: its variance q, and the covariance p of two inputs, nan where only one is asked for."""

    variance: float
    covariance: float = math.nan

    @property
    def correlation(self) -> float:
        """p/q."""
        return self.covariance / self.variance if self.variance else math.nan

    @property
    def distance(self) -> float:
        """(1 - c)/(1 + c), from 0 for equal inputs."""
        return (self.variance - self.covariance) / (self.variance + self.covariance)


class Step(NamedTuple):
    """What a block does.

    `gradient` multiplies the mean square g of the gradient on its way back, and `slope`, which is dp'/dp, the mean
    product h of the gradients of two inputs. Where inputs are tokens that attention mixes, `mixing` says what h adds
    to g, and g to h. `error` bounds the relative errors of all of them.
    """

    signal: Signal
    gradient: float
    slope: float = math.nan
    error: float = 0.0
    mixing: tuple[float, float] = (0.0, 0.0)

    @property
    def backward(self) -> Array:
        """The matrix that multiplies (g, h) on its way back."""
        return np.array([[self.gradient, self.mixing[0]], [self.mixing[1], np.nan_to_num(self.slope)]])

    @property
    def factor(self) -> float:
        """By what g is multiplied by each of many layers that are alike."""
        if not self.mixing[1]:
            return self.gradient
        return float(np.abs(np.linalg.eigvals(self.backward)).max())


class Variances(NamedTuple):
    """What blocks make of many variances: V(q), its derivative in q and its error; nan where it diverges."""

    value: Array
    growth: Array
    error: Array


def mean_squares(record: Activation, q: Array) -> Variances:
    """Return E[σ(√q u)²] for u ~ N(0, 1), at variances of which blocks before may have made 0 or inf."""
    (value, _, growth), (error, *_) = interpolated(record, 1).at(np.clip(q, _LEAST, 1.0 / _LEAST))
    return Variances(value, growth, error)


def second_moments(record: Activation, q: float) -> tuple[Estimate, Estimate]:
    """Return E[σ(√q u)²] and E[σ'(√q u)²] for u ~ N(0, 1)."""
    if not q > _LEAST:
        raise InvalidArgument("variance", q, f"vanishes before {record.name}: take a larger sigma_w, or a bias")
    (value, slope, _), (value_error, slope_error, _) = interpolated(record, 1).at(np.array([q]))
    if not np.isfinite(value + slope).all():
        raise InvalidArgument("variance", q, why_infinite(record))
    return Estimate(value[0], value_error[0]), Estimate(slope[0], slope_error[0])


@functools.lru_cache(maxsize=4096)
def product_moments(record: Activation, signal: Signal) -> tuple[Estimate, Estimate]:
    """Return E[σ(x)σ(y)] and E[σ'(x)σ'(y)] for the two inputs, where a jump of σ is a point mass of σ'."""
    if abs(signal.correlation) >= 1.0:
        return _correlated(record, signal.variance, math.copysign(1.0, signal.covariance))
    value, slope = by_distance(_along(record, signal.variance), signal.distance)
    return value, slope


def of_distance(means: Callable[[float], Sequence[Estimate]]) -> Interpolated:
    """Return means over two Gaussians of correlation c as functions of (1 - c)/(1 + c).

    Layers of which one is like the other ask for them at one variance and many correlations.
    """

    def exact(distance: Array) -> Integrals:
        many = [means((1.0 - each) / (1.0 + each)) for each in distance.tolist()]
        return Integrals(np.array(many, dtype=float).T, np.array([[one.error for one in row] for row in many]).T)

    return Interpolated(exact)


def by_distance(known: Interpolated, distance: float) -> list[Estimate]:
    """Return the means at one distance."""
    value, error = known.at(np.array([distance]))
    return list(map(Estimate, value[:, 0].tolist(), error[:, 0].tolist()))


@functools.lru_cache(maxsize=64)
def _along(record: Activation, q: float) -> Interpolated:
    return of_distance(functools.partial(_correlated, record, q))


def _correlated(record: Activation, q: float, c: float) -> tuple[Estimate, Estimate]:
    value, slope = (correlated(record, c, q, of=kind) for kind in ("value", "slope"))
    masses = of_jumps(record, c, q)
    return value, Estimate(slope + masses, slope.error + masses.error)
