"""Pictures of what the other rooms compute; each draws on one Matplotlib Axes and returns it."""

from typing import Any

import numpy as np
import sympy
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from gradtheory import activations as catalogue
from gradtheory.activations import Activation
from gradtheory.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import critical_weight, explosion_formula, widest_explosion
from gradtheory.inputs import exact_positive, positive_array, positive_number
from gradtheory.lyapunov import factor_probability, lyapunov_exponent
from gradtheory.meanfield import critical_initialisation, edge_of_chaos, gradients
from gradtheory.simulation import random_networks

_BLUE, _RED, _GREY = "#1f5fa8", "#c0392b", "#7f8c8d"


def gradient_over_layers(factors: Any = (0.5, 0.9, 1.0, 1.1, 1.5), *, depth: int = 20, ax: Axes | None = None) -> Axes:
    """Draw |∂C/∂b_l| relative to the last layer, for sigmoid chains whose every factor σ'(z_l)·w_l is the same.

    Each chain has z_l = 0 throughout: w_l = 4r and b_l = -2r give the factor r; the gradients come from backprop.

    Parameters
    ----------
    factors : iterable of float
        The factors r, one curve each.
    depth : int
        The number of layers.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax = _axes(ax)
    chain = Chain(depth=depth, activation="sigmoid")
    layers = np.arange(1, depth + 1)
    for factor in factors:
        w = np.full(depth, 4.0 * factor)
        sizes = np.abs(chain.backprop(x=0.5, y=0.0, w=w, b=-w / 2.0).b)
        ax.semilogy(layers, sizes / sizes[-1], marker="o", markersize=3, label=f"factor {factor:g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.invert_xaxis()  # backpropagation runs from the last layer to the first
    ax.set_xlabel("layer $l$ (the input is on the right)")
    ax.set_ylabel(r"$|\partial C/\partial b_l|\ /\ |\partial C/\partial b_L|$")
    ax.legend(fontsize="small")
    return ax


def chain_diagram(depth: int = 3, *, ax: Axes | None = None) -> Axes:
    """Draw the single-neuron chain: forward arrows carry weights, backward arrows the errors δ.

    Parameters
    ----------
    depth : int
        The number of layers.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax = _axes(ax)
    for position in range(depth + 2):
        label = "x" if position == 0 else "C" if position > depth else rf"$a_{{{position}}}=\sigma(z_{{{position}}})$"
        ax.text(
            position,
            0,
            f"${label}$" if len(label) == 1 else label,
            ha="center",
            va="center",
            bbox={
                "boxstyle": "circle" if len(label) == 1 else "round",
                "facecolor": "white",
                "edgecolor": "black",
            },
        )
    for layer in range(1, depth + 2):
        last = layer > depth
        ax.annotate(
            "",
            (layer - 0.33, 0.05),
            (layer - 0.67, 0.05),
            arrowprops={"arrowstyle": "->", "color": _BLUE},
        )
        ax.annotate(
            "",
            (layer - 0.67, -0.05),
            (layer - 0.33, -0.05),
            arrowprops={"arrowstyle": "->", "color": _RED, "linestyle": "--"},
        )
        forward = "loss" if last else rf"$w_{{{layer}}},\,b_{{{layer}}}$"
        backward = rf"$\partial C/\partial a_{{{depth}}}$" if last else rf"$\delta_{{{layer}}}\,w_{{{layer}}}$"
        ax.text(layer - 0.5, 0.14, forward, ha="center", va="bottom", color=_BLUE)
        ax.text(layer - 0.5, -0.14, backward, ha="center", va="top", color=_RED)
    ax.set_xlim(-0.4, depth + 1.4)
    ax.set_ylim(-0.3, 0.3)
    ax.axis("off")
    return ax


def activation_and_slope(
    activation: str | Activation = "sigmoid", *, span: float = 8.0, ax: Axes | None = None
) -> Axes:
    """Draw σ and σ' over the pre-activation, with sup|σ'| marked.

    Parameters
    ----------
    activation : str or Activation
        A name in the catalogue, or a record.
    span : float
        Half the width of the window in z.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax, record = _axes(ax), catalogue.activation(activation)
    z = np.linspace(-span, span, 801)
    ax.plot(z, record.value(z), color=_BLUE, label=rf"${record.latex}(z)$")
    ax.plot(z, record.slope(z), color=_RED, label=rf"${record.latex}'(z)$")
    steepest = record.steepest_slope
    ax.axhline(
        float(steepest),
        color=_GREY,
        linestyle=":",
        label=rf"$\sup|{record.latex}'| = {sympy.latex(steepest)}$",
    )
    ax.set_xlabel("pre-activation $z$")
    ax.legend(fontsize="small")
    return ax


def width_over_weight(activation: str | Activation = "sigmoid", *, threshold: Any = 1, ax: Axes | None = None) -> Axes:
    """Draw the length of the explosion set over |w|, with its maximum marked.

    Parameters
    ----------
    activation : str or Activation
        One whose widest explosion is finite and attained.
    threshold : number
        c > 0.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    Raises
    ------
    InvalidArgument
        If the width has no maximum.

    """
    ax, c = _axes(ax), exact_positive(threshold, "threshold")
    formula, widest = explosion_formula(activation), widest_explosion(activation, threshold=c)
    if not widest.attained:
        raise InvalidArgument(
            "activation",
            widest.activation.name,
            f"has no widest explosion to mark ({widest}); sigmoid and tanh have",
        )
    start, place, height = (
        float(each) for each in (critical_weight(activation, threshold=c), widest.weight, widest.width)
    )
    w = np.linspace(start, start + 5.0 * (place - start), 801)[1:]
    width = sympy.lambdify(formula.w, formula.width.subs(formula.c, c), modules="numpy")
    ax.plot(w, width(w), color=_BLUE)
    ax.plot([place], [height], marker="o", color=_RED)
    ax.annotate(f"{height:.4f} at |w| = {place:.4f}", (place, height), xytext=(0, 8), textcoords="offset points")
    ax.set_xlim(left=0.0)
    ax.set_ylim(0.0, 1.25 * height)
    ax.axvline(start, color=_GREY, linestyle=":", label=f"critical weight {start:g}")
    ax.set_xlabel("$|w|$")
    ax.set_ylabel("length of the explosion interval")
    ax.legend(fontsize="small")
    return ax


def glance(activation: str | Activation, *, ax: Axes | None = None) -> Axes:
    """Draw σ and |σ'| from z = -6 to 6 without axes, for a picture the size of a word.

    Parameters
    ----------
    activation : str or Activation
        Which one.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax = _axes(ax)
    record = catalogue.activation(activation)
    z = np.linspace(-6.0, 6.0, 241)
    value, slope = record.value(z), np.abs(record.slope(z))
    ax.axhline(0.0, color=_GREY, linewidth=0.4)
    ax.plot(z, value, color=_GREY, linewidth=0.8)
    ax.plot(z, slope, color=_BLUE, linewidth=1.2)
    top = max(1.6 * float(slope[np.isfinite(slope)].max()), 1.2) if slope.max() < 10 else 3.0
    ax.set_ylim(min(-0.3, max(float(value.min()), -top)), top)
    ax.set_axis_off()
    return ax


def phase_diagram(
    activation: str | Activation = "tanh", *, largest_bias: float = 1.0, points: int = 120, ax: Axes | None = None
) -> Axes:
    """Draw the edge of chaos over σ_w and σ_b: left of it gradients vanish with depth, right of it they explode.

    Parameters
    ----------
    activation : str or Activation
        One with an edge of chaos, such as tanh or gelu.
    largest_bias : float
        σ_b from 0 to this.
    points : int
        How many σ_b.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    Raises
    ------
    InvalidArgument
        If there is no edge for any of the σ_b.

    """
    ax, record = _axes(ax), catalogue.activation(activation)
    edge = edge_of_chaos(record, np.linspace(0.0, positive_number(largest_bias, "largest_bias"), points))
    if np.isnan(edge.sigma_w).all() or np.isfinite(edge.sigma_w).sum() < 2:
        raise InvalidArgument("activation", record.name, f"has no edge of chaos to draw: {edge.reason}")
    ax.plot(edge.sigma_w, edge.sigma_b, color=_BLUE, label=r"edge of chaos, $\chi_1 = 1$")
    left, right = 0.0, 1.4 * float(np.nanmax(edge.sigma_w))
    ax.fill_betweenx(edge.sigma_b, left, edge.sigma_w, color=_BLUE, alpha=0.08)
    ax.fill_betweenx(edge.sigma_b, edge.sigma_w, right, color=_RED, alpha=0.08)
    middle = float(edge.sigma_b[points // 2])
    ax.text(0.05 * right, middle, "ordered: gradients vanish", color=_BLUE, fontsize="small")
    ax.text(0.97 * right, middle, "chaotic: they explode", color=_RED, fontsize="small", ha="right")
    critical = critical_initialisation(record)
    if critical.sigma_w is not None and critical.sigma_b is not None and critical.sigma_b <= largest_bias:
        ax.plot([critical.sigma_w], [critical.sigma_b], "o", color=_RED, label="critical initialisation")
    ax.set_xlim(left, right)
    ax.set_ylim(0.0, largest_bias)
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel(r"$\sigma_b$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="small", loc="upper left")
    return ax


def gradient_over_depth(
    activation: str | Activation = "tanh",
    weights: Any = (0.9, 1.0, 1.2),
    *,
    sigma_b: float = 0.0,
    depth: int = 30,
    width: int = 256,
    networks: int = 10,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the gradient's root mean square in every layer of wide networks: lines from theory, dots from simulation.

    Parameters
    ----------
    activation : str or Activation
        The activation.
    weights : iterable of float
        The weight scales σ_w, one curve each.
    sigma_b : float
        The bias scale.
    depth, width, networks, seed : int
        What is simulated; bars are 95 % confidence intervals.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax, record = _axes(ax), catalogue.activation(activation)
    layers = np.arange(1, depth + 1)
    for position, sigma_w in enumerate(weights):
        sample = random_networks(record, depth, width, sigma_w, sigma_b, networks=networks, seed=seed)
        theory = gradients(record, depth, sigma_w, sigma_b)
        color = f"C{position}"
        ax.semilogy(layers, np.sqrt(theory), color=color, label=rf"$\sigma_w = {sigma_w:g}$")
        low, high = (np.sqrt(np.maximum(end, 1e-300)) for end in sample.gradient.interval())
        ax.vlines(layers, low, high, color=color, linewidth=1.0)
        ax.semilogy(layers, np.sqrt(sample.gradient.mean), "o", color=color, markersize=3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.invert_xaxis()  # backpropagation runs from the last layer to the first
    ax.set_xlabel("layer $l$ (the input is on the right)")
    ax.set_ylabel(r"root mean square of $\partial C/\partial z_l$")
    ax.set_title(f"{record.name}, width {width}", fontsize="medium")
    ax.legend(fontsize="small")
    return ax


def factor_distribution(
    activation: str | Activation = "sigmoid",
    weights: Any = (1.0, 4.0, 16.0),
    *,
    sigma_b: float = 1.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw P(|σ'(z)·w| > c) over c for chains of single neurons in their stationary law, with c = 1 marked.

    Parameters
    ----------
    activation : str or Activation
        The activation.
    weights : iterable of float
        The weight scales σ_w, one curve each.
    sigma_b : float
        The bias scale.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax, record = _axes(ax), catalogue.activation(activation)
    thresholds = np.geomspace(1e-3, 1e2, 81)
    for sigma_w in weights:
        shares = [factor_probability(record, sigma_w, threshold=each, sigma_b=sigma_b) for each in thresholds]
        explodes = factor_probability(record, sigma_w, sigma_b=sigma_b)
        ax.semilogx(thresholds, shares, label=rf"$\sigma_w = {sigma_w:g}$: {float(explodes):.3g} explode")
    ax.axvline(1.0, color=_GREY, linestyle=":")
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("$c$")
    ax.set_ylabel(r"$P(|\sigma'(z)\,w| > c)$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="small")
    return ax


def lyapunov_over_weight(
    activation: str | Activation = "sigmoid",
    weights: Any = None,
    *,
    sigma_b: float = 1.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the Lyapunov exponent and the rate of the root mean square over σ_w, for chains of single neurons.

    Parameters
    ----------
    activation : str or Activation
        The activation.
    weights : array_like of float, optional
        The weight scales σ_w; 60 from 0.1 to 100 unless given.
    sigma_b : float
        The bias scale.
    ax : matplotlib Axes, optional
        Where to draw; a new figure unless given.

    """
    ax, record = _axes(ax), catalogue.activation(activation)
    scales = np.geomspace(0.1, 100.0, 60) if weights is None else positive_array(weights, "weights")
    found = [lyapunov_exponent(record, float(each), sigma_b) for each in scales]
    ax.semilogx(scales, [each.value for each in found], color=_BLUE, label="almost every chain: $\\lambda$")
    ax.semilogx(scales, [each.mean_square_rate for each in found], color=_RED, label="root mean square")
    ax.axhline(0.0, color=_GREY, linestyle=":")
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel("growth of the log-gradient per layer")
    ax.set_title(rf"{record.name}, $\sigma_b = {sigma_b:g}$", fontsize="medium")
    ax.legend(fontsize="small")
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is None:
        from matplotlib import pyplot as plt

        ax = plt.subplots()[1]
    return ax
