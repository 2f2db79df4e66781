"""The figures of the article: the chain, gradients over layers, the sigmoid with its interval, an unstable run."""

from typing import TYPE_CHECKING

from gradtheory import plots
from gradtheory.errors import extra
from gradtheory.pages.article.training import JUMPS, run_with_jumps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 6  # inches, as wide as it is printed: letters have their size


def chain(lang: str = "en") -> "Figure":
    """Draw the chain, forward and backward."""
    figure = _figure(1.3)
    plots.chain_diagram(lang=lang, ax=figure.subplots())
    return figure


def layers(lang: str = "en") -> "Figure":
    """Draw growth and decay of the gradient across layers."""
    figure = _figure(2.7)
    plots.gradient_over_layers(lang=lang, ax=figure.subplots())
    return figure


def sigmoid(lang: str = "en") -> "Figure":
    """Draw the sigmoid with its slope, and the width over the weight."""
    figure = _figure(2.8)
    left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.08})
    plots.activation_and_slope("sigmoid", lang=lang, ax=left)
    plots.width_over_weight("sigmoid", lang=lang, ax=right)
    right.set_title("")
    return figure


def run(lang: str = "en") -> "Figure":
    """Draw the run whose loss jumps."""
    figure = _figure(3.1)
    plots.training_curve(run_with_jumps(JUMPS.claimed["rate"]), lang=lang, ax=figure.subplots())
    return figure


def _figure(height: float) -> "Figure":
    with extra("plots"):
        from matplotlib.figure import Figure
    return Figure(figsize=(_WIDTH, height), layout="constrained")
