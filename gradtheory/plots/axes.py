"""The colours, and the Axes to draw on."""

from matplotlib.axes import Axes

BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#7f8c8d"


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the Axes given, or those of a new figure."""
    if ax is None:
        from matplotlib import pyplot as plt

        ax = plt.subplots()[1]
    return ax
