"""Expectations over two correlated Gaussian pre-activations: a quadrature within a quadrature."""

from typing import Any

import numpy as np
import sympy

from gradtheory.activations import Activation, activation
from gradtheory.errors import InvalidArgument
from gradtheory.gaussian.quadrature import TOLERANCE, Gaussians, integrate
from gradtheory.gaussian.second_moments import divergence, moments, structure
from gradtheory.guarantee import Estimate
from gradtheory.inputs import Array, positive_array

__all__ = ["correlated"]

_MOST_PERIODS = 4  # of the activation in a standard deviation
_TOLERANCE = 10 * TOLERANCE  # the inner integral has an error of its own


def correlated(name: str | sympy.Expr | Activation, c: float, q: Any, *, of: str) -> Estimate:
    r"""Return E[σ(x₁)σ(x₂)], or E[σ'(x₁)σ'(x₂)], for Gaussians of variance q and correlation c, in float64.

    Given x₁, x₂ is N(c·x₁, (1 - c²)·q): the inner expectation is found for all nodes of the outer at once.

    Parameters
    ----------
    name : str, sympy.Expr or Activation
        The activation σ.
    c : float
        From -1 to 1.
    q : number
        The variance, positive.
    of : {"value", "slope"}
        Whether the product is of values or of slopes.

    Examples
    --------
    >>> round(correlated("relu", 0.0, 1, of="value"), 12)
    0.159154943092

    """
    record = activation(name)
    function = record.value if of == "value" else record.slope
    variance = positive_array(q, "q")
    if variance.ndim:
        raise InvalidArgument("q", q, "must be one number, such as 1")
    places, period = structure(record)
    if period and variance > (_MOST_PERIODS * period) ** 2:
        most = (_MOST_PERIODS * period) ** 2
        raise InvalidArgument("q", q, f"must be at most {most:.4g} for {record.name}: a double integral is slow beyond")
    narrow = float(np.sqrt(variance * (1.0 - c) * (1.0 + c)))
    law = Gaussians.centred(variance.reshape(1))
    typical = float(np.sqrt(moments(record, variance.reshape(1), (of,)).value[0, 0]))

    def given(x: Array) -> Array:
        """Return E[f(x₂) | x₁ = x]."""
        if narrow == 0.0:
            return np.asarray(function(c * x))
        means = Gaussians(c * x, np.full(len(x), narrow))
        found = integrate(lambda x, z, owner: function(x)[np.newaxis], means, places, period, floor=typical)
        return np.asarray(found.value[0])

    def integrand(x: Array, z: Array, owner: np.ndarray) -> Array:
        return np.asarray((function(x) * given(x))[np.newaxis])

    value, error = integrate(integrand, law, places, period, floor=typical**2, tolerance=_TOLERANCE)
    if not np.isfinite(value).all():
        raise InvalidArgument("q", q, divergence(record))
    return Estimate(value[0, 0], error[0, 0] + 2 * TOLERANCE * typical**2)
