"""The colours, and the Axes to draw on."""

from typing import TYPE_CHECKING

from gradtheory.errors import extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, RED, GREY, VIOLET = "#1f5fa8", "#c0392b", "#7f8c8d", "#7d3c98"


def axes_or_new(ax: "Axes | None") -> "Axes":
    """Return the Axes given, or those of a new figure.

    Raises
    ------
    MissingDependency
        If a new figure is needed and Matplotlib is not installed.

    """
    if ax is None:
        with extra("plots"):
            from matplotlib import pyplot as plt

        ax = plt.subplots()[1]
    return ax
