"""Explosion widths and intervals over whole arrays in float64, to a few units in the last place.

>>> import numpy as np
>>> explosion_width("sigmoid", np.array([3.0, 4.0, 6.894151032]))
array([0.        , 0.        , 0.4477432])

"""

from gradtheory.errors import public
from gradtheory.explosion.arrays.explosion import explosion_intervals, explosion_width

__all__ = ["explosion_intervals", "explosion_width"]


public(__name__)
