"""Training: where learning rate and momentum are stable, and what a run did."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradtheory.arithmetic.inputs import read_count
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.errors import InvalidArgument
from gradtheory.plots.axes import GREY, MOST_POINTS, RED, axes_or_new, legible, words_of_labels
from gradtheory.training import Training
from gradtheory.training.stability import stability_region
from gradtheory.training.stability.iteration import BETA, H

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def stability_diagram(
    optimisers: Sequence[str] = ("heavy_ball", "nesterov"),
    *,
    points: int = 200,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the limit of η·h over the momentum β: below its line an optimiser is stable on a quadratic.

    Parameters
    ----------
    optimisers : sequence of str
        As in `gradtheory.stability_region`, without AdamW, whose limit depends on η alone too.
    points : int
        How many β from 0 to 0.99.
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
        If a name is no optimiser, or is AdamW.

    """
    names = read_items(optimisers, "optimisers", "must be a sequence of names, such as ('heavy_ball', 'nesterov')")
    betas = np.linspace(0.0, 0.99, read_count(points, "points", MOST_POINTS, least=2))
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    for position, name in enumerate(names):
        region = stability_region(name)
        if region.rule.is_decoupled:
            raise InvalidArgument("optimisers", name, "has a region in η, β, h and λ, which one line cannot show")
        limit = region.limit.subs(H, 1)
        limits = [float(limit.subs(BETA, float(each))) for each in betas]
        ax.plot(betas, limits, color=f"C{position}", label=said.get(region.name, region.rule.title))
        ax.fill_between(betas, 0.0, limits, color=f"C{position}", alpha=0.08)
    ax.axhline(2.0, color=GREY, linestyle=":", label=said["gradient_descent"])
    ax.set_xlim(0.0, 0.99)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel(said["momentum"])
    ax.set_ylabel(said["rate_times_curvature"])
    ax.legend(fontsize="small")
    return legible(ax)


def training_curve(run: Training, *, lang: str = "en", ax: "Axes | None" = None) -> "Axes":
    """Draw the loss and the norm of the gradient of a run over its steps, with its loss jumps marked.

    Parameters
    ----------
    run : Training
        What `gradtheory.train` returned.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    read_kind(run, "run", Training, "must be what gradtheory.train returned")
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    steps = np.arange(len(run.loss))
    ax.semilogy(steps, run.loss, label=said["loss"])
    ax.semilogy(steps, run.gradient_norm, label=said["gradient_norm"])
    ends = [event.step for event in run.events if event.is_fatal]
    for places, word, style in ((run.jumps, "loss_jump", ":"), (ends, "end_of_run", "-")):
        for number, step in enumerate(places):
            ax.axvline(step, color=RED, linestyle=style, linewidth=1.0, label=None if number else said[word])
    ax.set_xlabel(said["step"])
    ax.set_ylabel(said["logarithmic"])
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, fontsize="small", frameon=False)  # covers nothing
    return legible(ax)
