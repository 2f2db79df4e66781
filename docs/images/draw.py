"""Draw the pictures of the README and of the tutorials, except those on depth, which `draw_depth.py` draws."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import gradtheory as gt


def audit(figure: Figure) -> None:
    """Draw the gradient through twelve layers of relu, one of them with weights five times too large."""
    rng = np.random.default_rng(0)
    w = [rng.normal(0, np.sqrt(2 / 64), (64, 64)) for _ in range(12)]
    w[4] *= 5
    network = gt.Network((64,) * 13, "relu", w=w, b=[np.zeros(64)] * 12)
    report = gt.audit(network, rng.normal(size=(100, 64)))
    names, gains, spreads = zip(*((block.name, block.gain, block.spread) for block in report.blocks), strict=True)
    gt.plots.growth_of_layers(names, gains, spreads, marked=report.marked, ax=figure.subplots())


def factor(figure: Figure) -> None:
    """Draw the sigmoid with its slope, and how wide its explosion sets are."""
    left, right = figure.subplots(1, 2)
    gt.plots.activation_and_slope("sigmoid", ax=left)
    gt.plots.width_over_weight("sigmoid", ax=right)


def random_weights(figure: Figure) -> None:
    """Draw the phases of gelu, and gradients of wide tanh networks, theory and simulation."""
    left, right = figure.subplots(1, 2)
    gt.plots.phase_diagram("gelu", ax=left)
    gt.plots.gradient_over_depth("tanh", (0.9, 1.0, 1.5), networks=8, ax=right)


def training(figure: Figure) -> None:
    """Draw a run that diverges, and the same chain with steps chosen by the curvature."""
    chain, x, y = gt.Chain(depth=4, activation="identity"), [1.0], [0.0]
    descent = gt.optimisers.gradient_descent(0.5)
    stable = gt.remedies.stable_schedule(chain, x, y, descent)
    for axes, schedule, title in zip(figure.subplots(1, 2), (None, stable), ("η = 0.5", "stable steps"), strict=True):
        run = gt.train(chain, x, y, [2.0] * 4, [0.0] * 4, optimiser=descent, schedule=schedule)
        gt.plots.training_curve(run, ax=axes)
        axes.set_title(title)


_DRAWINGS: dict[Callable[[Figure], None], tuple[float, float]] = {
    audit: (7.0, 3.2),
    factor: (10.0, 3.6),
    random_weights: (10.0, 3.6),
    training: (10.0, 3.2),
}

for draw, size in _DRAWINGS.items():
    drawn = Figure(figsize=size, layout="constrained")
    draw(drawn)
    with mpl.rc_context({"svg.hashsalt": "gradtheory"}):
        path = Path(__file__).with_name(f"{draw.__name__}.svg")
        drawn.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    print(path)
