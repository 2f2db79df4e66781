"""Random weights: phase diagram, gradients over depth, the factor's law, growth rates."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_positive_array, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.plots.axes import BLUE, GREY, RED, axes_or_new
from gradtheory.random_weights.lyapunov import factor_probability, lyapunov_exponent
from gradtheory.random_weights.meanfield import critical_initialisation, edge_of_chaos, gradients
from gradtheory.random_weights.simulation import random_networks
from gradtheory.typing import ActivationLike, ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def phase_diagram(
    activation: ActivationLike = "tanh", *, largest_bias: float = 1.0, points: int = 120, ax: "Axes | None" = None
) -> "Axes":
    """Draw the edge of chaos over σ_w and σ_b: left of it gradients vanish with depth, right of it they explode.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        One with an edge of chaos, such as tanh or gelu.
    largest_bias : float
        σ_b from 0 to this.
    points : int
        How many σ_b.
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
    ax, record = axes_or_new(ax), as_activation(activation)
    edge = edge_of_chaos(record, np.linspace(0.0, read_positive_float(largest_bias, "largest_bias"), points))
    if np.isnan(edge.sigma_w).all() or np.isfinite(edge.sigma_w).sum() < 2:
        raise InvalidArgument("activation", record.name, f"has no edge of chaos to draw: {edge.reason}")
    ax.plot(edge.sigma_w, edge.sigma_b, color=BLUE, label=r"edge of chaos, $\chi_1 = 1$")
    left, right = 0.0, 1.4 * float(np.nanmax(edge.sigma_w))
    ax.fill_betweenx(edge.sigma_b, left, edge.sigma_w, color=BLUE, alpha=0.08)
    ax.fill_betweenx(edge.sigma_b, edge.sigma_w, right, color=RED, alpha=0.08)
    middle = float(edge.sigma_b[points // 2])
    ax.text(0.05 * right, middle, "ordered: gradients vanish", color=BLUE, fontsize="small")
    ax.text(0.97 * right, middle, "chaotic: they explode", color=RED, fontsize="small", ha="right")
    critical = critical_initialisation(record)
    if critical.sigma_w is not None and critical.sigma_b is not None and critical.sigma_b <= largest_bias:
        ax.plot([critical.sigma_w], [critical.sigma_b], "o", color=RED, label="critical initialisation")
    ax.set_xlim(left, right)
    ax.set_ylim(0.0, largest_bias)
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel(r"$\sigma_b$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="small", loc="upper left")
    return ax


def gradient_over_depth(
    activation: ActivationLike = "tanh",
    sigma_w: Iterable[float] = (0.9, 1.0, 1.2),
    *,
    sigma_b: float = 0.0,
    depth: int = 30,
    width: int = 256,
    networks: int = 10,
    seed: int = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the gradient's root mean square in every layer of wide networks: lines from theory, dots from simulation.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    sigma_w : iterable of float
        The weight scales σ_w, one curve each.
    sigma_b : float
        The bias scale.
    depth, width, networks, seed : int
        What is simulated; bars are 95 % confidence intervals.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    ax, record = axes_or_new(ax), as_activation(activation)
    layers = np.arange(1, depth + 1)
    for position, scale in enumerate(sigma_w):
        sample = random_networks(record, depth, width, scale, sigma_b, networks=networks, seed=seed)
        theory = gradients(record, depth, scale, sigma_b)
        color = f"C{position}"
        ax.semilogy(layers, np.sqrt(theory), color=color, label=rf"$\sigma_w = {scale:g}$")
        low, high = (np.sqrt(np.maximum(end, 1e-300)) for end in sample.gradient.interval())
        ax.vlines(layers, low, high, color=color, linewidth=1.0)
        ax.semilogy(layers, np.sqrt(sample.gradient.mean), "o", color=color, markersize=3)
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.invert_xaxis()  # backpropagation runs from the last layer to the first
    ax.set_xlabel("layer $l$ (the input is on the right)")
    ax.set_ylabel(r"root mean square of $\partial C/\partial z_l$")
    ax.set_title(f"{record.name}, width {width}", fontsize="medium")
    ax.legend(fontsize="small")
    return ax


def factor_distribution(
    activation: ActivationLike = "sigmoid",
    sigma_w: Iterable[float] = (1.0, 4.0, 16.0),
    *,
    sigma_b: float = 1.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw P(|σ'(z)·w| > c) over c for chains of single neurons in their stationary law, with c = 1 marked.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    sigma_w : iterable of float
        The weight scales σ_w, one curve each.
    sigma_b : float
        The bias scale.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    ax, record = axes_or_new(ax), as_activation(activation)
    thresholds = np.geomspace(1e-3, 1e2, 81)
    for scale in sigma_w:
        shares = [factor_probability(record, scale, threshold=each, sigma_b=sigma_b) for each in thresholds]
        explodes = factor_probability(record, scale, sigma_b=sigma_b)
        ax.semilogx(thresholds, shares, label=rf"$\sigma_w = {scale:g}$: {float(explodes):.3g} explode")
    ax.axvline(1.0, color=GREY, linestyle=":")
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("$c$")
    ax.set_ylabel(r"$P(|\sigma'(z)\,w| > c)$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="small")
    return ax


def lyapunov_over_weight(
    activation: ActivationLike = "sigmoid",
    sigma_w: ArrayLike | None = None,
    *,
    sigma_b: float = 1.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the Lyapunov exponent and the mean-square exponent over σ_w, for chains of single neurons.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    sigma_w : array_like of shape (n,), optional
        The weight scales σ_w; 60 from 0.1 to 100 by default.
    sigma_b : float
        The bias scale.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    ax, record = axes_or_new(ax), as_activation(activation)
    scales = np.geomspace(0.1, 100.0, 60) if sigma_w is None else read_positive_array(sigma_w, "sigma_w")
    exponents = [lyapunov_exponent(record, float(scale), sigma_b) for scale in scales]
    ax.semilogx(scales, [each.value for each in exponents], color=BLUE, label="almost every chain: $\\lambda$")
    ax.semilogx(scales, [each.mean_square for each in exponents], color=RED, label="root mean square of a factor")
    ax.axhline(0.0, color=GREY, linestyle=":")
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel("growth of the log-gradient per layer")
    ax.set_title(rf"{record.name}, $\sigma_b = {sigma_b:g}$", fontsize="medium")
    ax.legend(fontsize="small")
    return ax
