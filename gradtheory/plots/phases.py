"""The phases of wide layers: where gradients vanish, where they explode, and where the start decides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import (
    Array,
    read_count,
    read_finite_array,
    read_nonnegative_array,
    read_positive_array,
)
from gradtheory.document.wrapping import columns
from gradtheory.errors import InvalidArgument
from gradtheory.plots.axes import (
    BLUE,
    GREY,
    MOST_POINTS,
    RED,
    VIOLET,
    axes_or_new,
    legible,
    read_extent,
    words_of_labels,
)
from gradtheory.random_weights.meanfield import critical_initialisation, edge_of_chaos
from gradtheory.random_weights.meanfield.edge_of_chaos import edge_at
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.phases import phases_over
from gradtheory.typing import ActivationLike, ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS, _ROWS = 100, 50
_EM = 0.06  # inches: the width of a small letter, and a little more
_FAR = 4.0  # medians: an edge that runs off, as that of softshrink for small σ_b, is drawn so far
_HALVINGS = 10  # of a column, to where inputs of mean square 1 explode


def phase_diagram(
    activation: ActivationLike = "tanh",
    *,
    largest_bias: float = 1.0,
    points: int = 120,
    networks: ArrayLike | None = None,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw where gradients vanish and where they explode with depth, over σ_w and σ_b, and the edge of chaos.

    Where a stable fixed point of the variance has χ₁ < 1 and larger variances, beyond an unstable one, have χ₁ > 1, the
    start decides: that is a region of its own, in which a dotted line bounds from below what explodes for inputs of
    mean square 1. The edge is drawn through where its fixed point is stable, and dashed where it is not. Of relu and
    its like χ₁ does not depend on σ_b: a line.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        One with an edge of chaos, such as tanh or gelu.
    largest_bias : float
        σ_b from 0 to this.
    points : int
        How many σ_b.
    networks : array_like of shape (n, 2), optional
        Pairs (σ_w, σ_b) to mark: where networks, or their layers, stand.
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
        If there is no edge for any of the σ_b.

    """
    record, many = as_activation(activation), read_count(points, "points", MOST_POINTS, least=2)
    largest_bias = read_extent(largest_bias, "largest_bias")
    marked = np.zeros((0, 2)) if networks is None else read_finite_array(networks, "networks")
    if marked.ndim != 2 or marked.shape[1] != 2:
        raise InvalidArgument("networks.shape", marked.shape, "must be (n, 2): pairs of σ_w and σ_b")
    read_positive_array(marked[:, 0], "networks[:, 0]")
    read_nonnegative_array(marked[:, 1], "networks[:, 1]")
    edge = edge_of_chaos(record, np.linspace(0.0, largest_bias, many))
    if Origin.of(record).is_homogeneous:  # χ₁ is the same for every σ_b, though the variance grows with depth
        edge = replace(edge, sigma_w=np.full(many, edge.sigma_w[0]), stable=np.ones(many, dtype=bool))
    if np.isnan(edge.sigma_w).all() or np.isfinite(edge.sigma_w).sum() < 2:
        raise InvalidArgument("activation", record.name, f"has no edge of chaos to draw: {edge.reason}")
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    farthest = min(float(np.nanmax(edge.sigma_w)), _FAR * float(np.nanmedian(edge.sigma_w)))
    right = 1.4 * max(farthest, float(marked[:, 0].max(initial=0.0)))
    stable = np.where(edge.stable, edge.sigma_w, np.nan)
    ax.plot(stable, edge.sigma_b, color=BLUE, label=said["edge_of_chaos"] if edge.stable.any() else None)
    critical = critical_initialisation(record)
    if critical.sigma_w is not None and critical.sigma_b is not None and critical.sigma_b <= largest_bias:
        ax.plot([critical.sigma_w], [critical.sigma_b], "o", color=RED, label=said["critical_initialisation"])
    curve = edge_at(record, np.geomspace(1e-6, 1e4, 400))
    if not (edge.stable | np.isnan(edge.sigma_w)).all():
        unstable = np.where(curve.stable, np.nan, curve.sigma_b)
        ax.plot(curve.sigma_w, unstable, color=BLUE, linestyle="--", label=said["unstable_edge"])
    _fill_phases(ax, record, right, largest_bias, said)
    if len(marked):
        ax.plot(*marked.T, "x", color="black", label=said["this_network"], clip_on=False)
    ax.set_xlim(0.0, right)
    ax.set_ylim(0.0, largest_bias)
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel(r"$\sigma_b$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="x-small", loc="upper left", handlelength=1.0, borderaxespad=0.2)  # left of the edge
    return legible(ax)


def _fill_phases(ax: "Axes", record: Activation, right: float, top: float, said: Mapping[str, str]) -> None:
    """Colour the phases, each alone: levels between the first and the last would pass through the second."""
    weights, biases = np.linspace(0.0, right, _COLUMNS + 1), np.linspace(0.0, top, _ROWS)
    phase, explodes = phases_over(record, *np.meshgrid(weights[1:], biases))
    phase = np.column_stack([phase[:, 0], phase])  # at σ_w = 0, where there is no gradient, as beside it
    names = (said["ordered"], said["chaotic"], said["start_decides"])
    for which, (name, color) in enumerate(zip(names, (BLUE, RED, VIOLET), strict=True)):
        is_there = phase == which
        if is_there.any():
            ax.contourf(weights, biases, 1.0 * is_there, levels=[0.5, 1.5], colors=[color], alpha=0.12)
            _name_phase(ax, weights, biases, is_there, name, color, is_crossed=which == 2)
    there = (phase == 2).any(axis=1)
    bounded = there & explodes.any(axis=1)
    if bounded.any():
        first = np.argmax(explodes[bounded], axis=1)
        near, far = weights[first], weights[first + 1]
        for _ in range(_HALVINGS):
            middles = (near + far) / 2.0
            beyond = phases_over(record, middles, biases[bounded])[1]
            near, far = np.where(beyond, near, middles), np.where(beyond, middles, far)
        ax.plot(far, biases[bounded], color=GREY, linestyle=":", label=said["usual_start"])


def _name_phase(
    ax: "Axes", weights: Array, biases: Array, is_there: Array, name: str, color: str, *, is_crossed: bool
) -> None:
    """Write the name of a phase where it is, or else, where it is too narrow or lines cross it, beside it."""
    rows = np.flatnonzero(is_there.any(axis=1))
    row = int(np.median(np.repeat(rows, is_there[rows].sum(axis=1))))
    across, right = weights[is_there[row]], weights[-1]
    width = _EM * columns(name) / (ax.get_window_extent().width / ax.figure.dpi) * right
    gap = 0.06 * right + width
    has_room = across[-1] + gap < right, across[0] - gap > 0.0
    if not any(has_room) or (not is_crossed and across[-1] - across[0] > width):
        ax.text(float(np.mean(across)), float(biases[row]), name, color=color, fontsize="small", ha="center")
        return
    row = row if is_crossed else int(rows[len(rows) // 4])  # away from the name of the phase beside it
    across = weights[is_there[row]]
    beside = across[-1] + 0.06 * right if has_room[0] else across[0] - 0.06 * right
    line = {"arrowstyle": "-", "color": color, "linewidth": 0.8}
    place, side = (float(np.mean(across)), float(biases[row])), "left" if has_room[0] else "right"
    text = (float(beside), place[1])
    ax.annotate(name, place, text, color=color, fontsize="small", arrowprops=line, va="center", ha=side)
