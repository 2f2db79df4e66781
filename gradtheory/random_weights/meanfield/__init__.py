"""Wide layers in the mean-field limit: variances, correlations and gradients over depth.

>>> round(edge_of_chaos("gelu", 0.5).sigma_w, 10)
1.3998682164

"""

from gradtheory.errors import public
from gradtheory.random_weights.meanfield.backward import JacobianMoments, gradients, jacobian_moments
from gradtheory.random_weights.meanfield.critical_initialisation import CriticalInitialisation, critical_initialisation
from gradtheory.random_weights.meanfield.depth import DepthScales, depth_scales
from gradtheory.random_weights.meanfield.edge_of_chaos import EdgeOfChaos, edge_of_chaos
from gradtheory.random_weights.meanfield.fixed_points import FixedPoint, fixed_points
from gradtheory.random_weights.meanfield.gains import Gain, gain
from gradtheory.random_weights.meanfield.maps import (
    chi,
    chi_parallel,
    correlation_map,
    correlation_slope,
    variance_map,
)
from gradtheory.random_weights.meanfield.phases import settled_chi

__all__ = [
    "CriticalInitialisation",
    "DepthScales",
    "EdgeOfChaos",
    "FixedPoint",
    "Gain",
    "JacobianMoments",
    "chi",
    "chi_parallel",
    "correlation_map",
    "correlation_slope",
    "critical_initialisation",
    "depth_scales",
    "edge_of_chaos",
    "fixed_points",
    "gain",
    "gradients",
    "jacobian_moments",
    "settled_chi",
    "variance_map",
]


public(__name__)
