"""Random weights: gradients over depth, the factor's law, growth rates."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import sympy
from scipy.interpolate import PchipInterpolator

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import (
    Array,
    read_depth,
    read_nonnegative_float,
)
from gradtheory.document.messages import fill
from gradtheory.formulas import latex
from gradtheory.plots.axes import (
    BLUE,
    GREY,
    RED,
    axes_or_new,
    legible,
    read_curves,
    read_extent,
    shown,
    words_of_labels,
)
from gradtheory.random_weights.finite_width import factors
from gradtheory.random_weights.lyapunov import factor_probability, lyapunov_exponent
from gradtheory.random_weights.lyapunov.factor import rough_probabilities
from gradtheory.random_weights.meanfield import gradients
from gradtheory.random_weights.simulation import random_networks
from gradtheory.typing import ActivationLike, ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BARS, _LAYERS = 10, 100  # of chains of single neurons
_STRIDE, _SEEN = 20, 5e-4  # between thresholds at first, and a sixth of a pixel


def gradient_over_depth(
    activation: ActivationLike = "tanh",
    sigma_w: Iterable[float] = (0.9, 1.0, 1.2),
    *,
    sigma_b: float = 0.0,
    depth: int = 30,
    width: int = 256,
    networks: int = 10,
    seed: int = 0,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the gradient's root mean square in every layer of wide networks: lines from theory, dots from simulation.

    A band holds the gradient by one input in about two thirds of networks of this width (`gradtheory.log_jacobian`).

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
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    record, scales, depth = as_activation(activation), read_curves(sigma_w, "sigma_w"), read_depth(depth)
    sigma_b = read_nonnegative_float(sigma_b, "sigma_b")
    said = words_of_labels(lang)
    ax, layers = axes_or_new(ax), np.arange(1, depth + 1)
    for position, scale in enumerate(scales):
        sample = random_networks(record, depth, width, scale, sigma_b, networks=networks, seed=seed)
        theory = gradients(record, depth, scale, sigma_b)
        color = f"C{position}"
        ax.semilogy(layers, np.sqrt(theory), color=color, label=rf"$\sigma_w = {shown(scale)}$")
        low, high = (np.sqrt(np.maximum(end, 1e-300)) for end in sample.gradient.interval())
        ax.vlines(layers, low, high, color=color, linewidth=1.0)
        ax.fill_between(
            layers, *_two_thirds(record, theory, width, scale, sigma_b), color=color, alpha=0.12, linewidth=0
        )
        ax.semilogy(layers, np.sqrt(sample.gradient.mean), "o", color=color, markersize=3)
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.invert_xaxis()  # backpropagation runs from the last layer to the first
    ax.set_xlabel(said["layer_from_input"])
    ax.set_ylabel(said["root_mean_square"])
    ax.set_title(fill(said["width_of_network"], {"activation": record.name, "width": width}), fontsize="medium")
    ax.legend(fontsize="small")
    return legible(ax)


def _two_thirds(record: Activation, theory: Array, width: int, sigma_w: float, sigma_b: float) -> tuple[Array, Array]:
    """Return what the gradient in every layer of one network lies between, one standard deviation of its logarithm."""
    laws = factors(record, [width] * (len(theory) + 1), sigma_w, sigma_b, 1.0)
    below, spread = np.cumsum([(each.log_mean - each.mean, each.variance) for each in reversed(laws)], axis=0)[::-1].T
    middle = np.log(np.maximum(theory, 1e-300)) - below
    return np.exp((middle - np.sqrt(spread)) / 2.0), np.exp((middle + np.sqrt(spread)) / 2.0)


def factor_distribution(
    activation: ActivationLike = "sigmoid",
    sigma_w: Iterable[float] = (1.0, 4.0, 16.0),
    *,
    sigma_b: float = 1.0,
    lang: str = "en",
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
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    record, scales = as_activation(activation), read_curves(sigma_w, "sigma_w")
    bias, said = read_extent(sigma_b, "sigma_b", may_be_0=True), words_of_labels(lang)
    ax, thresholds = axes_or_new(ax), np.linspace(-3.0, 2.0, 401)
    for scale in scales:
        shares = _law_over(thresholds, record, scale, bias)
        explodes = factor_probability(record, scale, sigma_b=bias)
        ax.semilogx(
            10.0**thresholds,
            shares,
            label=fill(
                said["share"], {"scale": shown(scale), "share": latex(sympy.Float(f"{float(explodes):.3g}", 3))}
            ),
        )
    ax.axvline(1.0, color=GREY, linestyle=":")
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("$c$")
    ax.set_ylabel(r"$P(|\sigma'(z)\,w| > c)$")
    ax.set_title(record.name, fontsize="medium")
    ax.legend(fontsize="small")
    return legible(ax)


def _law_over(logs: Array, record: Activation, sigma_w: float, sigma_b: float) -> Array:
    """Return P(|σ'(z)·w| > c) at these log₁₀(c): a monotone cubic through as few as it takes, to less than a pixel.

    Between two of them the law falls, so that where it falls by nothing that is seen, nothing is to be looked for.
    """

    def shares_at(places: np.ndarray) -> Array:
        shares = rough_probabilities(record, sigma_w, sigma_b, 10.0 ** logs[places])
        return np.round(shares, 9)  # less than it is right to: the cubic divides by differences

    known = np.arange(0, len(logs), _STRIDE)
    shares, left, right = shares_at(known), known[:-1], known[1:]
    while True:
        cubic = np.asarray(PchipInterpolator(logs[known], shares)(logs))
        seen = (right - left > 1) & (np.abs(cubic[left] - cubic[right]) > _SEEN)
        left, right = left[seen], right[seen]
        if not len(left):
            return cubic
        middles = (left + right) // 2
        between = shares_at(middles)
        off = np.abs(between - cubic[middles]) > _SEEN
        known, shares = np.append(known, middles), np.append(shares, between)
        order = np.argsort(known)
        known, shares = known[order], shares[order]
        left, right = np.append(left[off], middles[off]), np.append(middles[off], right[off])


def lyapunov_over_weight(
    activation: ActivationLike = "sigmoid",
    sigma_w: ArrayLike | None = None,
    *,
    sigma_b: float = 1.0,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the Lyapunov exponent and the mean-square exponent over σ_w, for chains of single neurons.

    Bars at some scales are one standard deviation of the growth over 100 layers: of two thirds of chains.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    sigma_w : array_like of shape (n,), optional
        The weight scales σ_w; 46 from 0.1 to 100 by default. The curves break off where an exponent is -inf or refused.
    sigma_b : float
        The bias scale.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    """
    record, sigma_b = as_activation(activation), read_extent(sigma_b, "sigma_b", may_be_0=True)
    scales = [*np.geomspace(0.1, 100.0, 46)] if sigma_w is None else read_curves(sigma_w, "sigma_w")
    said = words_of_labels(lang)
    ax, exponents = axes_or_new(ax), lyapunov_exponent(record, scales, sigma_b)
    if np.isnan(exponents.value).all():
        lyapunov_exponent(record, scales[0], sigma_b)  # says why
    some = scales[:: 1 + len(scales) // _BARS]
    barred = lyapunov_exponent(record, some, sigma_b)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(np.where(np.isfinite(barred.value) & np.isfinite(barred.variance), barred.variance, np.nan))
    ax.semilogx(scales, exponents.value, color=BLUE, label=said["almost_every"])
    ax.errorbar(some, barred.value, spread / _LAYERS**0.5, fmt="none", ecolor=BLUE, label=said["bars"])
    ax.semilogx(scales, exponents.mean_square, color=RED, label=said["of_a_factor"])
    ax.axhline(0.0, color=GREY, linestyle=":")
    ax.set_xlabel(r"$\sigma_w$")
    ax.set_ylabel(said["growth"])
    ax.set_title(rf"{record.name}, $\sigma_b = {shown(sigma_b)}$", fontsize="medium")
    ax.legend(fontsize="small")
    return legible(ax)
