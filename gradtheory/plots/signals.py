"""How signals pass through wide layers: maps of variance and correlation, and how they settle."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array, read_count, read_nonnegative_array
from gradtheory.errors import InvalidArgument
from gradtheory.plots.axes import (
    GREY,
    axes_or_new,
    legible,
    read_curves,
    read_extent,
    shown,
    words_of_labels,
)
from gradtheory.random_weights import meanfield
from gradtheory.typing import ActivationLike, ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LAYERS = 1_000
_SEVERAL = (1.3, 2.5, 4.0)  # Poole et al. (2016), figures 1 and 2, with σ_b = 0.3
_STARTS = (0.0, 0.2, 0.4, 0.6, 0.8)


def variance_map(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike = _SEVERAL,
    *,
    sigma_b: float = 0.3,
    largest: float = 15.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the next layer's variance over this one's, with fixed points: filled where they are stable, else open.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression, or a record.
    sigma_w : array_like of shape (n,)
        The weight scales, one curve each.
    sigma_b : float
        The bias scale.
    largest : float
        q from 0 to this.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    References
    ----------
    Poole et al. (2016), figure 1 A.

    """
    record, scales = as_activation(activation), read_curves(sigma_w, "sigma_w")
    bias, end = read_extent(sigma_b, "sigma_b", may_be_0=True), read_extent(largest, "largest")
    ax, q = axes_or_new(ax), np.linspace(0.0, end, 301)[1:]
    ax.plot([0.0, end], [0.0, end], color=GREY, linestyle=":")
    for number, scale in enumerate(scales):
        color = f"C{number}"
        ax.plot(q, meanfield.variance_map(record, q, scale, bias), color=color, label=rf"$\sigma_w = {shown(scale)}$")
        for point in meanfield.fixed_points(record, scale, bias):
            if point.q <= end:
                face = color if point.is_stable else "white"
                ax.plot([point.q], [point.q], "o", color=color, markerfacecolor=face)
    ax.set(xlabel=r"$q_l$", ylabel=r"$q_{l+1}$", xlim=(0.0, end))
    return named(ax, record.name, bias)


def correlation_map(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike = _SEVERAL,
    *,
    sigma_b: float = 0.3,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the next layer's correlation of two inputs over this one's, at the smallest stable variance q*.

    A dot marks the correlation that they settle at; the legend names scales where q* is 0, and nothing is drawn, or
    where no variance is stable. The arguments are those of `variance_map`.

    References
    ----------
    Poole et al. (2016), figure 2 A.

    """
    record, scales = as_activation(activation), read_curves(sigma_w, "sigma_w")
    bias = read_extent(sigma_b, "sigma_b", may_be_0=True)
    ax, c = axes_or_new(ax), np.linspace(0.0, 1.0, 201)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=GREY, linestyle=":")
    settled = meanfield.depth_scales(record, [*scales], bias)
    for number, (scale, q) in enumerate(zip(scales, settled.point.q.plain, strict=True)):
        if not q > 0.0:  # said in the legend
            why = r"q^\ast = 0" if q == 0.0 else r"\mathrm{no\ stable}\ q^\ast"
            ax.plot([], [], color=f"C{number}", label=rf"$\sigma_w = {shown(scale)},\ {why}$")
        else:
            after = meanfield.correlation_map(record, c, q, scale, bias)
            label = rf"$\sigma_w = {shown(scale)},\ q^\ast = {shown(q, 3)}$"
            ax.plot(c, after, color=f"C{number}", label=label)
            ax.plot([settled.c[number]], [settled.c[number]], "o", color=f"C{number}")
    ax.set(xlabel="$c_l$", ylabel="$c_{l+1}$", xlim=(0.0, 1.0))
    return named(ax, record.name, bias)


def settling(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike = _SEVERAL,
    *,
    sigma_b: float = 0.3,
    of: str = "c",
    starts: ArrayLike | None = None,
    depth: int = 20,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw over the layers how variances, or correlations at the smallest stable one, settle from several starts.

    Parameters
    ----------
    activation, sigma_w, sigma_b, ax
        As for `variance_map`.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    of : {"q", "c"}
        Variances or correlations.
    starts : array_like of shape (m,), optional
        Where they start: variances 1, 5, 10 and 15, or correlations 0 to 0.8 by default.
    depth : int
        The number of layers.

    References
    ----------
    Poole et al. (2016), figures 1 B and 2 B.

    """
    said = words_of_labels(lang)
    record, scales = as_activation(activation), read_curves(sigma_w, "sigma_w")
    bias = read_extent(sigma_b, "sigma_b", may_be_0=True)
    many, kind = read_count(depth, "depth", _MOST_LAYERS), one_of(of, "of", ("q", "c"))
    usual = (1.0, 5.0, 10.0, 15.0) if kind == "q" else _STARTS
    begin = read_nonnegative_array(usual if starts is None else starts, "starts").reshape(-1)
    if kind == "c" and not np.all(begin <= 1.0):
        raise InvalidArgument("starts", starts, 'must be correlations from 0 to 1; variances are drawn with of="q"')
    weight, now = (each.reshape(-1) for each in np.meshgrid(scales, begin, indexing="ij"))
    q = meanfield.depth_scales(record, weight, bias).point.q.plain if kind == "c" else now
    if kind == "c":  # panels of the whole map are made once, for all layers
        usual_q = np.unique(q[q > 0.0])
        meanfield.correlation_map(record, np.linspace(0.0, 1.0, 201)[:, np.newaxis], usual_q, 1.0)
    course = [now]
    for _ in range(many):
        after = np.full(len(now), np.nan)
        here = np.isfinite(now) & ((now if kind == "q" else q) > 0.0)
        if kind == "q":
            after[now == 0.0] = np.square(weight[now == 0.0] * record.value(0.0)) + bias**2  # of z = 0
            after[here] = _variances(record, now[here], weight[here], bias)
        elif here.any():
            after[here] = np.clip(meanfield.correlation_map(record, now[here], q[here], weight[here], bias), -1.0, 1.0)
        now = after
        course.append(now)
    ax = axes_or_new(ax)
    for line, (path, scale) in enumerate(zip(np.array(course).T, weight, strict=True)):
        number = line // len(begin)
        label = rf"$\sigma_w = {shown(scale)}$" if line % len(begin) == 0 else None
        ax.plot(np.arange(many + 1), path, ".-", color=f"C{number}", linewidth=1.0, markersize=3, label=label)
    ax.set(xlabel=f"{said['layer']} $l$", ylabel=rf"${kind}_l$")
    return named(ax, record.name, bias)


def _variances(record: Activation, q: Array, weight: Array, bias: float) -> Array:
    """Return the next layer's variances; inf where they exceed float64 or are none, so that lines break off."""
    try:
        return np.asarray(meanfield.variance_map(record, q, weight, bias))
    except InvalidArgument:  # at one of them at least
        if len(q) == 1:
            return np.full(1, np.inf)
        return np.concatenate([_variances(record, *one, bias) for one in zip(q[:, None], weight[:, None], strict=True)])


def named(ax: "Axes", name: str, sigma_b: float, *, legend: Literal["best", "upper right"] = "best") -> "Axes":
    """Title a picture by its activation and σ_b; name a place for the legend over an image, where "best" is slow."""
    ax.set_title(rf"{name}, $\sigma_b = {shown(float(sigma_b), 3)}$", fontsize="medium")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize="small", loc=legend)
    return legible(ax)
