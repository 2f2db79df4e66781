"""The three figures of the article: the chain, the gradients over layers, the sigmoid with its interval."""

from matplotlib.figure import Figure

from gradtheory import plots


def chain() -> Figure:
    """Draw the chain, forward and backward."""
    figure = Figure(figsize=(8, 1.5), layout="constrained")
    plots.chain_diagram(ax=figure.subplots())
    return figure


def layers() -> Figure:
    """Draw growth and decay of the gradient across layers."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    plots.gradient_over_layers(ax=figure.subplots())
    return figure


def sigmoid() -> Figure:
    """Draw the sigmoid with its slope, and the width over the weight."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.activation_and_slope("sigmoid", ax=left)
    plots.width_over_weight("sigmoid", ax=right)
    return figure
