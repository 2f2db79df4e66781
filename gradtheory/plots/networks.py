"""Networks: where in a box of inputs the Jacobian exceeds a threshold, and how the gradient grows on its way back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradtheory.arithmetic.inputs import read_array
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.errors import InvalidArgument, extra
from gradtheory.networks.bounds.region import ExplosionRegion
from gradtheory.plots.axes import BLUE, GREY, RED, axes_or_new, legible, log_sizes, shown, words_of_labels
from gradtheory.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 40  # layers whose names fit


def explosion_region(region: ExplosionRegion, *, lang: str = "en", ax: "Axes | None" = None) -> "Axes":
    r"""Draw the boxes in which ‖∂f/∂x‖ > c is proven, those in which it is refuted, and the undecided ones.

    Parameters
    ----------
    region : ExplosionRegion
        As `gradtheory.explosion_region` returns it, of one or two inputs: intervals are drawn as bars, boxes as
        rectangles.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
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
    said = words_of_labels(lang)
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
        ax.add_collection(
            PolyCollection(list(corners), facecolors=colour, edgecolors="none", alpha=0.7, label=said[label])
        )
    ax.set_xlim(region.box[0][0], region.box[1][0])
    ax.set_xlabel(r"$x_1$" if n == 2 else r"$x$")
    if n == 2:
        ax.set_ylim(region.box[0][1], region.box[1][1])
        ax.set_ylabel(r"$x_2$")
    else:
        ax.set_ylim(0.0, 1.0)
        ax.set_yticks([])
    ax.set_title(rf"$\|\partial f/\partial x\| > {shown(region.threshold)}$")
    ax.legend(fontsize="small")
    return legible(ax)


def growth_of_layers(
    names: Sequence[str],
    gains: ArrayLike,
    spreads: ArrayLike | None = None,
    *,
    marked: str | None = None,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the size of the gradient from the output, at the right, back to the input, on a log scale up to 1e200.

    Parameters
    ----------
    names : sequence of str
        Of the layers, from the input to the output.
    gains : array_like of shape (L,)
        By which each layer makes the gradient grow on its way back; those that are not positive are left out.
    spreads : array_like of shape (L,), optional
        Standard deviations of their logarithms: two of them for the whole way are a grey band around no growth.
    marked : str, optional
        A layer that stands out: its own step is drawn in red, with its factor, as it may be far beyond chance while the
        whole way is not.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidArgument
        If there is not one gain, or one spread, for each name, or none has the name that is to be marked.

    """
    listed = read_items(names, "names", "must be a sequence of names, such as ['layer1', 'layer2']")
    numbers = read_array(gains, "gains")
    if numbers.shape != (len(listed),):
        raise InvalidArgument("gains.shape", numbers.shape, f"must be ({len(listed)},): one for each name")
    widths = np.zeros_like(numbers) if spreads is None else np.nan_to_num(read_array(spreads, "spreads"))
    if widths.shape != numbers.shape:
        raise InvalidArgument("spreads.shape", widths.shape, f"must be {numbers.shape}, as that of gains")
    if marked is not None and not (isinstance(marked, str) and marked in listed):
        raise InvalidArgument("marked", marked, "must be one of the names")
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    is_drawn = np.isfinite(numbers) & (numbers > 0.0)
    logs = np.where(is_drawn, np.log(np.where(is_drawn, numbers, 1.0)), 0.0)
    places = np.arange(len(listed) + 1)  # the last is the output, where the way back begins
    deviations = np.append(np.sqrt(np.cumsum(widths[::-1] ** 2))[::-1], 0.0)
    ax.fill_between(places, np.exp(-2 * deviations), np.exp(2 * deviations), color=GREY, alpha=0.2, linewidth=0)
    with np.errstate(over="ignore"):  # a product beyond float64 is not drawn
        sizes = np.append(np.exp(np.cumsum(logs[::-1])[::-1]), 1.0)
    ax.plot(places, sizes, "o-", color=BLUE)
    if marked is not None:
        place = listed.index(marked)
        ax.plot(places[place : place + 2], sizes[place : place + 2], "o-", color=RED, linewidth=2.0)
        ax.annotate(
            rf"$\times{shown(numbers[place], 3)}$", (place, sizes[place]), (4, 4), textcoords="offset points", color=RED
        )
    ax.axhline(1.0, color=GREY, linewidth=0.8)
    log_sizes(ax, sizes)
    ax.set_xlabel(said["layer"])
    ax.set_ylabel(said["relative_gradient"])
    if len(listed) <= _NAMED:
        names = [*map(str, listed), said["output"]]
        ax.set_xticks(places, names, rotation=60, ha="right", fontsize=7)
    return legible(ax)


def singular_values_of_layers(
    names: Sequence[str], values: Sequence[ArrayLike], *, lang: str = "en", ax: "Axes | None" = None
) -> "Axes":
    """Draw the singular values of every layer as dots above its name, on a logarithmic scale up to 1e200; 1 is marked.

    Parameters
    ----------
    names : sequence of str
        Of the layers, from the input to the output.
    values : sequence of array_like
        The singular values of each layer's factor diag(σ'(z))·W, or of its weights; those that are 0 are left out.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidArgument
        If there is not one array for each name.

    """
    listed = read_items(names, "names", "must be a sequence of names, such as ['layer1', 'layer2']")
    rows = [
        np.ravel(read_array(row, "values"))
        for row in read_items(values, "values", "must be a sequence of arrays, such as [[2.0, 0.5], [1.0]]")
    ]
    if len(rows) != len(listed):
        raise InvalidArgument("values", values, f"must be {len(listed)} arrays: one for each name")
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    for place, row in enumerate(rows):
        shown = row[(row > 0.0) & np.isfinite(row)]
        ax.plot(np.full(len(shown), place), shown, ".", color=BLUE, alpha=0.4, markersize=4)
        ax.plot([place] * bool(len(shown)), shown.max(keepdims=True) if len(shown) else [], "_", color=RED)
    ax.axhline(1.0, color=GREY, linewidth=0.8)
    log_sizes(ax, np.concatenate([np.ones(1), *rows]))
    ax.set_xlabel(said["layer"])
    ax.set_ylabel(said["singular_values"])
    ax.set_xlim(-0.5, len(listed) - 0.5)
    if len(listed) <= _NAMED:
        ax.set_xticks(range(len(listed)), [str(name) for name in listed], rotation=60, ha="right", fontsize=7)
    return legible(ax)
