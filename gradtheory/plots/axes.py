"""The colours, and the Axes to draw on."""

from typing import TYPE_CHECKING, Any

from gradtheory.arithmetic.inputs import read_positive_float
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.errors import InvalidArgument, extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 10_000  # of a curve
BLUE, RED, GREY, VIOLET = "#1f5fa8", "#c0392b", "#7f8c8d", "#7d3c98"


def axes_or_new(ax: "Axes | None") -> "Axes":
    """Return the Axes given, or those of a new figure.

    Raises
    ------
    MissingDependency
        If Matplotlib is not installed.
    InvalidArgument
        If anything else is given.

    """
    with extra("plots"):
        from matplotlib import pyplot as plt
        from matplotlib.axes import Axes
    if ax is None:
        return plt.subplots()[1]
    return read_kind(ax, "ax", Axes, "must be Axes of Matplotlib, such as plt.subplots()[1]")


def read_curves(values: Any, name: str) -> list[float]:
    """Return positive numbers, one for each curve."""
    rule = "must be a sequence of positive numbers, one for each curve, such as (0.5, 1.0)"
    items = read_items(values, name, rule)
    if not items:
        raise InvalidArgument(name, values, rule)
    return [read_positive_float(each, name) for each in items]
