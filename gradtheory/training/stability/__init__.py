"""Which learning rates and momenta are stable on a quadratic of curvature h, and which converge fastest.

>>> print(stability_region("heavy_ball").limit)
2*(beta + 1)/h

"""

from gradtheory.training.optimisers.update_rule import Optimum
from gradtheory.training.stability.largest_step import largest_stable_step
from gradtheory.training.stability.region import StabilityRegion, stability_region
from gradtheory.training.stability.schur_cohn import schur_cohn

__all__ = ["largest_stable_step", "Optimum", "StabilityRegion", "schur_cohn", "stability_region"]
