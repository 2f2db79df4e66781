"""Where inputs of mean square 1 come to another variance than the one whose numbers are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.plots.axes import VIOLET
from gradtheory.random_weights import meanfield

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEAR = 1e-3  # of each other are the χ₁ of one variance, found by two methods


def settles_elsewhere(record: Activation, weight: Array, bias: Array | float, scales: meanfield.DepthScales) -> Array:
    """Return where inputs of mean square 1 do not come to the smallest stable variance, though there is one."""
    at_point, settled = scales.point.chi, meanfield.settled_chi(record, weight, bias)
    apart = np.abs(np.asarray(settled) - at_point.plain)
    return np.asarray(apart > _NEAR * np.abs(at_point.plain) + at_point.error + settled.error)  # not where one is nan


def mark_elsewhere(ax: "Axes", along: Array, elsewhere: Array, label: str) -> None:
    """Fill that part of a picture over weight scales, from bottom to top."""
    if elsewhere.any():
        whole = ax.get_xaxis_transform()
        ax.fill_between(along, 0.0, 1.0, elsewhere, color=VIOLET, alpha=0.15, transform=whole, label=label)
