"""Networks: where in a box of inputs the Jacobian exceeds a threshold."""

from typing import TYPE_CHECKING

import numpy as np

from gradtheory.arithmetic.kinds import read_kind
from gradtheory.errors import InvalidArgument, extra
from gradtheory.networks.bounds.region import ExplosionRegion
from gradtheory.plots.axes import BLUE, GREY, RED, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def explosion_region(region: ExplosionRegion, *, ax: "Axes | None" = None) -> "Axes":
    r"""Draw the boxes in which ‖∂f/∂x‖ > c is proven, those in which it is refuted, and the undecided ones.

    Parameters
    ----------
    region : ExplosionRegion
        As `gradtheory.explosion_region` returns it, of one or two inputs: intervals are drawn as bars, boxes as
        rectangles.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidArgument
        If the region has three inputs, or is none.

    """
    region = read_kind(region, "region", ExplosionRegion, "must be what gradtheory.explosion_region returns")
    n = len(region.box[0])
    if n > 2:
        raise InvalidArgument("region", region, f"has {n} inputs, and one or two can be drawn")
    ax = axes_or_new(ax)
    with extra("plots"):
        from matplotlib.collections import PolyCollection
    for boxes, colour, label in (
        (region.outside, BLUE, "outside"),
        (region.undecided, GREY, "undecided"),
        (region.inside, RED, "inside"),
    ):
        lower, upper = boxes
        if n == 1:  # bars of height 1
            lower, upper = (
                np.column_stack([corner, np.full(len(corner), end)]) for corner, end in ((lower, 0), (upper, 1))
            )
        corners = np.stack(
            [lower, np.column_stack([upper[:, 0], lower[:, 1]]), upper, np.column_stack([lower[:, 0], upper[:, 1]])], 1
        )
        ax.add_collection(PolyCollection(list(corners), facecolors=colour, edgecolors="none", alpha=0.7, label=label))
    ax.set_xlim(region.box[0][0], region.box[1][0])
    ax.set_xlabel(r"$x_1$" if n == 2 else r"$x$")
    if n == 2:
        ax.set_ylim(region.box[0][1], region.box[1][1])
        ax.set_ylabel(r"$x_2$")
    else:
        ax.set_ylim(0.0, 1.0)
        ax.set_yticks([])
    ax.set_title(rf"$\|\partial f/\partial x\| > {region.threshold:g}$")
    ax.legend(fontsize="small")
    return ax
