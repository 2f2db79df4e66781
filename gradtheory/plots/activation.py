"""One activation: its slope, and the length of its explosion set."""

from typing import TYPE_CHECKING

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_positive, read_positive_float
from gradtheory.document.messages import fill
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import arrays, critical_weight, widest_explosion
from gradtheory.formulas import latex
from gradtheory.plots.axes import BLUE, GREY, RED, axes_or_new, legible, words_of_labels
from gradtheory.typing import ActivationLike, NumberLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def activation_and_slope(
    activation: ActivationLike = "sigmoid", *, span: float = 8.0, lang: str = "en", ax: "Axes | None" = None
) -> "Axes":
    """Draw σ and σ' over the pre-activation, with sup|σ'| marked.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    span : float
        Half the width of the window in z.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    record, half = as_activation(activation), read_positive_float(span, "span")
    said = words_of_labels(lang)
    ax, z = axes_or_new(ax), np.linspace(-half, half, 801)
    ax.plot(z, record.value(z), color=BLUE, label=rf"${record.symbol}(z)$")
    ax.plot(z, record.slope(z), color=RED, label=rf"${record.symbol}'(z)$")
    steepest = record.steepest_slope
    ax.axhline(
        float(steepest),
        color=GREY,
        linestyle=":",
        label=rf"$\sup|{record.symbol}'| = {latex(steepest)}$",
    )
    ax.set_xlabel(said["pre_activation"])
    ax.legend(fontsize="small")
    return legible(ax)


def width_over_weight(
    activation: ActivationLike = "sigmoid", *, threshold: NumberLike = 1, lang: str = "en", ax: "Axes | None" = None
) -> "Axes":
    """Draw the length of the explosion set over |w|, with its maximum marked.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        One whose widest explosion is finite and attained.
    threshold : number
        c > 0.
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
        If the width has no maximum.

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    widest = widest_explosion(record, threshold=c)
    if not widest.is_attained:
        raise InvalidArgument(
            "activation",
            record.name,
            f"has no widest explosion to mark ({widest}); sigmoid and tanh have",
        )
    said = words_of_labels(lang)
    ax = axes_or_new(ax)
    start, place, height = map(float, (critical_weight(record, threshold=c), widest.weight, widest.width))
    w = start + 5.0 * (place - start) * np.linspace(0.0, 1.0, 801)[1:] ** 2  # dense where it rises from 0
    ax.plot(w, arrays.explosion_width(record, w, threshold=float(c)), color=BLUE)
    ax.plot([place], [height], marker="o", color=RED)
    ax.annotate(
        fill(said["place"], {"width": f"{height:.4f}", "weight": f"{place:.4f}"}),
        (place, height),
        xytext=(0, 8),
        textcoords="offset points",
    )
    ax.set_xlim(start - 0.04 * (w[-1] - start), w[-1])  # nothing explodes below
    ax.set_ylim(0.0, 1.25 * height)
    ax.axvline(start, color=GREY, linestyle=":", label=fill(said["critical_weight"], {"weight": f"{start:g}"}))
    ax.set_xlabel("$|w|$")
    ax.set_ylabel(said["explosion_length"])
    ax.legend(fontsize="small")
    return legible(ax)


def glance(activation: ActivationLike, *, ax: "Axes | None" = None) -> "Axes":
    """Draw σ and |σ'| from z = -6 to 6 without axes, for a picture the size of a word.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    record = as_activation(activation)
    ax = axes_or_new(ax)
    z = np.linspace(-6.0, 6.0, 241)
    value, slope = record.value(z), np.abs(record.slope(z))
    ax.axhline(0.0, color=GREY, linewidth=0.4)
    ax.plot(z, value, color=GREY, linewidth=0.8)
    ax.plot(z, slope, color=BLUE, linewidth=1.2)
    top = max(1.6 * float(slope[np.isfinite(slope)].max()), 1.2) if slope.max() < 10 else 3.0
    ax.set_ylim(min(-0.3, max(float(value.min()), -top)), top)
    ax.set_axis_off()
    return ax
