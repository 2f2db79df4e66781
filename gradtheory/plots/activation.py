"""One activation: its slope, the factor of one neuron, and the length of its explosion set."""

from typing import TYPE_CHECKING

import numpy as np
import sympy

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_positive, read_real
from gradtheory.document.messages import fill
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import arrays, critical_weight, explosion_set, widest_explosion
from gradtheory.explosion.superlevel import Periodic, components_of
from gradtheory.formulas import latex
from gradtheory.plots.axes import BLUE, GREY, RED, axes_or_new, legible, read_extent, shown, words_of_labels
from gradtheory.typing import ActivationLike, NumberLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_NUMBER = 16
_PRE_ACTIVATION = 8  # up to which size inputs are drawn, and to the ends of the set where these are farther


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
    record, half = as_activation(activation), read_extent(span, "span")
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
    ax.legend(handlelength=1.0, borderaxespad=0.2)  # of the usual size, as its fraction is smaller
    return legible(ax)


def factor_over_input(
    activation: ActivationLike = "sigmoid",
    w: NumberLike = 7,
    b: NumberLike = 0,
    *,
    threshold: NumberLike = 1,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw |σ'(wx + b)·w| over the input x, with the explosion set shaded.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    w, b : number
        Weight and bias, as for `gradtheory.explosion_set`; w is not 0.
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
        If w is 0, or a number is none.
    Undecided
        If the set is not proven complete.

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, bias = read_real(w, "w"), read_real(b, "b")
    if weight == 0:
        raise InvalidArgument("w", w, "must not be 0: the factor would be 0 for every input")
    explosion = explosion_set(record, weight, bias, threshold=c)
    middle, half = -bias / weight, abs(_PRE_ACTIVATION / weight)
    finite = [] if isinstance(explosion, Periodic) else [end for end in explosion.boundary if end.is_finite]
    left, right = (float(take([middle + side * half, *finite])) for take, side in ((min, -1), (max, 1)))
    sizes = [left, right, float(weight), float(bias), 2.0 * float(c)]
    if not (np.isfinite(sizes).all() and right - left > 1e-9 * abs(left)):
        raise InvalidArgument("w, b, threshold", (w, b, threshold), "must leave a picture that float64 can tell apart")
    said = words_of_labels(lang)
    ax, x = axes_or_new(ax), np.linspace(left, right, 1601)
    symbol = record.symbol
    factor = np.abs(record.slope(float(weight) * x + float(bias)) * float(weight))
    ax.plot(x, factor, color=BLUE)
    ax.axhline(float(c), color=GREY, linestyle=":", label=f"$c = {latex(c)}$")
    shown = explosion_set(record, weight, bias, threshold=c, domain=(left, right))
    for number, part in enumerate(components_of(shown)):
        ends = float(part.lower), float(part.upper)
        ax.axvspan(*ends, color=RED, alpha=0.2, linewidth=0, label=None if number else said["explosion_set"])
    ax.set_xlim(left, right)
    ax.set_ylim(0.0, 1.35 * max(float(c), float(factor[np.isfinite(factor)].max(initial=0.0))))
    ax.set_xlabel("$x$")
    ax.set_ylabel(rf"$|{symbol}'(wx+b)\,w|$")
    ax.set_title(f"{record.name}, $w = {_short(weight)},\\ b = {_short(bias)}$", fontsize="medium")
    ax.legend(fontsize="small", loc="upper right")
    return legible(ax)


def _short(number: sympy.Expr) -> str:
    """Return a number as LaTeX: exactly if that is short, as for 22/7; a float's binary value is not."""
    exact = latex(number)
    return exact if len(exact) < _LONGEST_NUMBER else shown(float(number))


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
    if not widest.is_maximum:
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
        fill(said["place"], {"width": f"${shown(height, 4)}$", "weight": shown(place, 5)}),
        (place, height),
        xytext=(-12, 8),
        textcoords="offset points",
    )
    ax.set_xlim(start - 0.04 * (w[-1] - start), w[-1])  # nothing explodes below
    ax.set_ylim(0.0, 1.25 * height)
    ax.axvline(start, color=GREY, linestyle=":", label=fill(said["critical_weight"], {"weight": f"${shown(start)}$"}))
    ax.set_xlabel("$|w|$")
    ax.set_ylabel(said["explosion_length"])
    ax.set_title(record.name, fontsize="medium")
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
