"""The chain, and what its gradient does from layer to layer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from gradtheory.arithmetic.inputs import read_count
from gradtheory.chains.chain import Chain
from gradtheory.document.messages import fill
from gradtheory.plots.axes import BLUE, MOST_POINTS, RED, axes_or_new, legible, read_curves, shown, words_of_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DEEPEST = 100  # layers that a picture can show


def chain_diagram(depth: int = 3, *, lang: str = "en", ax: "Axes | None" = None) -> "Axes":
    """Draw the single-neuron chain: forward arrows carry weights, backward arrows the errors δ.

    Parameters
    ----------
    depth : int
        The number of layers.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    depth = read_count(depth, "depth", _DEEPEST)
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    nodes = []
    for position in range(depth + 2):
        label = "x" if position == 0 else "C" if position > depth else rf"$a_{{{position}}}=\sigma(z_{{{position}}})$"
        shape = "circle" if len(label) == 1 else "round"
        node = ax.text(
            position,
            0,
            f"${label}$" if len(label) == 1 else label,
            ha="center",
            va="center",
            bbox={"boxstyle": shape, "facecolor": "white", "edgecolor": "black"},
        )
        nodes.append(node.get_bbox_patch())
    for layer in range(1, depth + 2):
        last = layer > depth
        for start, end, height, color, line in (
            (layer - 1, layer, 0.03, BLUE, "-"),
            (layer, layer - 1, -0.03, RED, "--"),
        ):
            arrow = {"arrowstyle": "->", "color": color, "linestyle": line, "shrinkA": 0, "shrinkB": 0}
            ends = {"patchA": nodes[start], "patchB": nodes[end]}  # from the border of one to that of the other
            ax.annotate("", (end, height), (start, height), arrowprops=arrow | ends)
        forward = said["loss"] if last else rf"$w_{{{layer}}},\,b_{{{layer}}}$"
        backward = rf"$\partial C/\partial a_{{{depth}}}$" if last else rf"$\delta_{{{layer}}}\,w_{{{layer}}}$"
        ax.text(layer - 0.5, 0.14, forward, ha="center", va="bottom", color=BLUE)
        ax.text(layer - 0.5, -0.14, backward, ha="center", va="top", color=RED)
    ax.set_xlim(-0.4, depth + 1.4)
    ax.set_ylim(-0.3, 0.3)
    ax.axis("off")
    return legible(ax)


def gradient_over_layers(
    factors: Iterable[float] = (0.5, 0.9, 1.0, 1.1, 1.5), *, depth: int = 20, lang: str = "en", ax: "Axes | None" = None
) -> "Axes":
    """Draw |∂C/∂b_l| relative to the last layer, for sigmoid chains whose every factor σ'(z_l)·w_l is the same.

    Each chain has z_l = 0 throughout: w_l = 4r and b_l = -2r give the factor r; the gradients come from backprop.

    Parameters
    ----------
    factors : iterable of float
        The factors r, one curve each.
    depth : int
        The number of layers.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    rates, depth = read_curves(factors, "factors"), read_count(depth, "depth", MOST_POINTS)
    said = words_of_labels(lang)
    ax, chain = axes_or_new(ax), Chain(depth=depth, activation="sigmoid")
    layers = np.arange(1, depth + 1)
    for factor in rates:
        w = np.full(depth, 4.0 * factor)
        sizes = np.abs(chain.backprop(x=0.5, y=0.0, w=w, b=-w / 2.0).b)
        ax.semilogy(
            layers,
            sizes / sizes[-1],
            marker="o",
            markersize=3,
            label=fill(said["one_factor"], {"factor": f"${shown(factor)}$"}),
        )
    apart = max(1, round(depth / 4))
    ax.set_xticks([1, *range(depth, 1 + apart // 2, -apart)])  # the first layer and the last, and some between
    ax.invert_xaxis()  # backpropagation runs from the last layer to the first
    ax.set_xlabel(said["layer_from_input"])
    ax.set_ylabel(r"$|\partial C/\partial b_l|\ /\ |\partial C/\partial b_L|$")
    ax.legend(fontsize="small")
    return legible(ax)
