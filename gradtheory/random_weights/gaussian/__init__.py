"""Expectations over a Gaussian pre-activation: in closed form, in float64 with an error, or proven.

>>> round(moment("tanh", 100, of="slope"), 12)
0.053106787748

"""

from gradtheory.errors import public
from gradtheory.random_weights.gaussian.bivariate import correlated
from gradtheory.random_weights.gaussian.second_moments import KINDS, closed_form, moment
from gradtheory.random_weights.gaussian.softmax import SoftmaxMoments, softmax

__all__ = ["KINDS", "SoftmaxMoments", "closed_form", "correlated", "moment", "softmax"]


public(__name__)
