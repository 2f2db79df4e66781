"""Pictures of what the other wings compute: every function draws on one Matplotlib Axes and returns it."""

from gradtheory.errors import public
from gradtheory.plots.activation import activation_and_slope, factor_over_input, glance, width_over_weight
from gradtheory.plots.chains import chain_diagram, gradient_over_layers
from gradtheory.plots.networks import explosion_region, growth_of_layers, singular_values_of_layers
from gradtheory.plots.phases import phase_diagram
from gradtheory.plots.random_weights import (
    factor_distribution,
    gradient_over_depth,
    lyapunov_over_weight,
)
from gradtheory.plots.signals import correlation_map, settling, variance_map
from gradtheory.plots.training import stability_diagram, training_curve
from gradtheory.plots.wide_layers import (
    basins,
    depth_scale_map,
    depth_scales,
    edges,
    trainable_depth,
)

__all__ = [
    "activation_and_slope",
    "basins",
    "chain_diagram",
    "correlation_map",
    "depth_scale_map",
    "depth_scales",
    "edges",
    "explosion_region",
    "factor_distribution",
    "factor_over_input",
    "glance",
    "gradient_over_depth",
    "gradient_over_layers",
    "growth_of_layers",
    "lyapunov_over_weight",
    "phase_diagram",
    "settling",
    "singular_values_of_layers",
    "stability_diagram",
    "trainable_depth",
    "training_curve",
    "variance_map",
    "width_over_weight",
]


public(__name__)
