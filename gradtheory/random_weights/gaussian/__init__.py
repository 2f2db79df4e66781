"""Expectations over a Gaussian pre-activation: in closed form, in float64 with an error, or proven.

>>> round(moment("tanh", 100, of="slope"), 12)
0.053106787748

"""

from gradtheory.random_weights.gaussian.bivariate import correlated
from gradtheory.random_weights.gaussian.quadrature import Gaussians, Integrand, fixed_rule, integrate
from gradtheory.random_weights.gaussian.second_moments import (
    KINDS,
    closed_form,
    moment,
    moments,
    places_and_period,
    why_infinite,
)

__all__ = [
    "KINDS",
    "Gaussians",
    "Integrand",
    "closed_form",
    "correlated",
    "why_infinite",
    "fixed_rule",
    "integrate",
    "moment",
    "moments",
    "places_and_period",
]


def __dir__() -> list[str]:
    return __all__
