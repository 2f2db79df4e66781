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
from gradtheory.inputs import exact_positive

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


def _axes(ax: Axes | None) -> Axes:
    if ax is None:
        from matplotlib import pyplot as plt

        ax = plt.subplots()[1]
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
