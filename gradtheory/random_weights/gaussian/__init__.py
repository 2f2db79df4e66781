"""Expectations over a Gaussian pre-activation: in closed form, in float64 with an error, or proven.

>>> round(moment("tanh", 100, of="slope"), 12)
0.053106787748

"""

from gradtheory.random_weights.gaussian.bivariate import correlated
from gradtheory.random_weights.gaussian.second_moments import KINDS, closed_form, moment

__all__ = ["KINDS", "closed_form", "correlated", "moment"]


def __dir__() -> list[str]:
    return __all__
