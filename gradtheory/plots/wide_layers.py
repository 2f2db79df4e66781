"""Where wide layers let signals pass, over their weights: depth scales, trainable depth, edges and basins."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import percent
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import read_count, read_depth
from gradtheory.arithmetic.kinds import read_flag, read_items
from gradtheory.errors import InvalidArgument
from gradtheory.plots.axes import (
    BLUE,
    GREY,
    MOST_POINTS,
    RED,
    axes_or_new,
    legible,
    read_axis,
    read_extent,
    words_of_labels,
)
from gradtheory.plots.settled import mark_elsewhere, settles_elsewhere
from gradtheory.plots.signals import named
from gradtheory.random_weights import meanfield
from gradtheory.typing import ActivationLike, ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SCALES = {"xi_q": r"\xi_q", "xi_c": r"\xi_c", "xi_gradient": r"\xi_\nabla"}


def depth_scales(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike | None = None,
    *,
    sigma_b: float = 0.3,
    squared: bool = False,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the depth scales ξ_q, ξ_c and |ξ_∇| over the weight scale, with the edge of chaos.

    They are those at the smallest stable variance; where inputs of mean square 1 do not come there, the picture is
    violet, and no scale is drawn.

    Parameters
    ----------
    activation, sigma_b, ax
        As for `variance_map`.
    lang : {"en", "zh"}
        The language of the labels; English where no font for Chinese is installed.
    sigma_w : array_like of shape (n,), optional
        The weight scales, increasing; 200 from 0.5 to 3 by default.
    squared : bool
        Whether the axis shows σ_w².

    References
    ----------
    Schoenholz et al. (2017), figures 1 and 2.

    """
    squared = read_flag(squared, "squared")
    said = words_of_labels(lang)
    record, bias = as_activation(activation), read_extent(sigma_b, "sigma_b", may_be_0=True)
    weight = np.linspace(0.5, 3.0, 200) if sigma_w is None else read_axis(sigma_w, "sigma_w")
    scales, ax = meanfield.depth_scales(record, weight, bias), axes_or_new(ax)
    elsewhere = settles_elsewhere(record, weight, bias, scales)
    for number, (name, symbol) in enumerate(_SCALES.items()):
        size = np.where(elsewhere, np.nan, np.abs(getattr(scales, name).plain))
        label = f"${symbol}$" if name != "xi_gradient" else f"$|{symbol}|$"
        size = np.where(np.isfinite(size) & (size > 0.0), size, np.nan)  # a logarithmic axis has no 0
        ax.semilogy(_axis(weight, squared), size, color=f"C{number}", label=label)
    mark_elsewhere(ax, _axis(weight, squared), elsewhere, said["start_decides"])
    edge = meanfield.edge_of_chaos(record, bias)
    if edge and weight.min() <= edge.sigma_w <= weight.max():
        ax.axvline(_axis(edge.sigma_w, squared), color=GREY, linestyle=":")
    ax.set(xlabel=_symbol("w", squared), ylabel=said["layers"])
    return named(ax, record.name, bias)


def depth_scale_map(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike | None = None,
    sigma_b: ArrayLike | None = None,
    *,
    of: str = "xi_c",
    squared: bool = False,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a depth scale over σ_w and σ_b in colours, and the stable edge of chaos.

    It is that at the smallest stable variance: white is where there is none, or inputs of mean square 1 do not come
    there.

    Parameters
    ----------
    activation, ax
        As for `variance_map`.
    sigma_w : array_like of shape (n,), optional
        The weight scales, increasing; 100 from 0.5 to 3 by default.
    sigma_b : array_like of shape (m,), optional
        The bias scales, increasing; 100 from 0.01 to 1 by default.
    of : {"xi_q", "xi_c", "xi_gradient"}
        Which of them; of ξ_∇ its size.
    squared : bool
        Whether the axes show σ_w² and σ_b².

    References
    ----------
    Schoenholz et al. (2017), section 4.

    """
    squared = read_flag(squared, "squared")
    record, name = as_activation(activation), one_of(of, "of", tuple(_SCALES))
    weight = np.linspace(0.5, 3.0, 100) if sigma_w is None else read_axis(sigma_w, "sigma_w")
    bias = np.linspace(0.01, 1.0, 100) if sigma_b is None else read_axis(sigma_b, "sigma_b", least=0.0)
    scales = meanfield.depth_scales(record, weight, bias[:, np.newaxis])
    with np.errstate(divide="ignore"):
        size = np.log10(np.abs(getattr(scales, name).plain))
    size[settles_elsewhere(record, weight, bias[:, np.newaxis], scales)] = np.nan
    ax = axes_or_new(ax)
    shown = np.clip(size, -1.0, 3.0)  # nan stays what it is
    image = ax.pcolormesh(
        _axis(weight, squared), _axis(bias, squared), shown, shading="nearest", cmap="viridis", rasterized=True
    )
    ax.figure.colorbar(image, ax=ax, label=rf"$\log_{{10}} |{_SCALES[name]}|$")
    edge = meanfield.edge_of_chaos(record, bias)
    ax.plot(_axis(np.where(edge.stable, edge.sigma_w, np.nan), squared), _axis(bias, squared), color="white")
    ax.set_xlim(*_axis(weight[[0, -1]], squared))
    ax.set(xlabel=_symbol("w", squared), ylabel=_symbol("b", squared))
    ax.set_title(record.name, fontsize="medium")
    return legible(ax)


def trainable_depth(
    activation: ActivationLike = "tanh",
    sigma_w: ArrayLike | None = None,
    *,
    sigma_b: float = 0.05**0.5,
    depth: int = 300,
    squared: bool = True,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw over the weight scale which share exp(-L/ξ_c) of a difference is left after L layers, and the line 6·ξ_c.

    Networks deeper than about 6·ξ_c did not train. ξ_c is that at the smallest stable variance; where inputs of mean
    square 1 do not come there, the picture is violet.

    Parameters
    ----------
    activation, sigma_w, squared, lang, ax
        As for `depth_scales`.
    sigma_b : float
        The bias scale; σ_b² = 0.05 by default.
    depth : int
        L from 1 to this.

    References
    ----------
    Schoenholz et al. (2017), figure 5.

    """
    squared = read_flag(squared, "squared")
    said = words_of_labels(lang)
    record, many = as_activation(activation), read_depth(depth)
    bias = read_extent(sigma_b, "sigma_b", may_be_0=True)
    weight = np.sqrt(np.linspace(1.0, 4.0, 150)) if sigma_w is None else read_axis(sigma_w, "sigma_w")
    scales = meanfield.depth_scales(record, weight, bias)
    elsewhere = settles_elsewhere(record, weight, bias, scales)
    scale = np.where(elsewhere, np.nan, scales.xi_c.plain)
    layers, ax = np.linspace(1.0, many, min(many, 200)), axes_or_new(ax)
    with np.errstate(divide="ignore"):  # nothing is left where correlations settle in one layer
        left = np.exp(-layers[:, np.newaxis] / scale)
    image = ax.pcolormesh(
        _axis(weight, squared), layers, left, shading="nearest", cmap="magma", vmin=0, vmax=1, rasterized=True
    )
    ax.figure.colorbar(image, ax=ax, label=r"$e^{-L/\xi_c}$")
    mark_elsewhere(ax, _axis(weight, squared), elsewhere, said["start_decides"])
    ax.plot(_axis(weight, squared), 6.0 * scale, color="white", linestyle="--", label=r"$6\,\xi_c$")
    ax.set(xlabel=_symbol("w", squared), ylabel=said["depth"], ylim=(1.0, max(many, 2)))
    return named(ax, record.name, bias, legend="upper right")


def edges(
    activations: ActivationLike | Sequence[ActivationLike] = ("tanh", "elu", "selu", "softsign", "gelu", "silu"),
    *,
    largest_bias: float = 1.0,
    squared: bool = False,
    points: int = 120,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the edge of chaos of several activations: dashed where its fixed point is not stable, dots where q is 0.

    An edge that is one point, with fixed points of any q, as that of relu, is an open dot.

    Parameters
    ----------
    activations : sequence of str, sympy.Expr or Activation
        One curve each.
    largest_bias : float
        σ_b from 0 to this.
    squared : bool
        Whether the axes show σ_w² and σ_b².
    points : int
        How many σ_b.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the Axes of a new figure by default.

    Raises
    ------
    InvalidArgument
        If there is no activation, or an argument breaks a rule.

    References
    ----------
    Hayou, Doucet & Rousseau (2019), figure 1.

    """
    squared = read_flag(squared, "squared")
    rule = "must be a sequence of activations, one for each curve, such as ('tanh', 'gelu')"
    records = [as_activation(each) for each in read_items(activations, "activations", rule)]
    if not records:
        raise InvalidArgument("activations", activations, rule)
    bias = np.linspace(
        0.0, read_extent(largest_bias, "largest_bias"), read_count(points, "points", MOST_POINTS, least=2)
    )
    ax = axes_or_new(ax)
    for number, record in enumerate(records):
        edge, color = meanfield.edge_of_chaos(record, bias), f"C{number}"
        stable, there = np.asarray(edge.stable), np.isfinite(edge.sigma_w)
        along = _axis(bias, squared)
        ax.plot(_axis(np.where(stable, edge.sigma_w, np.nan), squared), along, color=color, label=record.name)
        ax.plot(_axis(np.where(stable, np.nan, edge.sigma_w), squared), along, color=color, linestyle="--")
        if edge.q.plain[0] == 0.0 or (there[0] and not there[1:].any()):
            face = color if edge.q.plain[0] == 0.0 else "white"
            place = [_axis(edge.sigma_w[0], squared)], [0.0]
            ax.plot(*place, "o", color=color, markerfacecolor=face, clip_on=False)
    ax.set(xlabel=_symbol("w", squared), ylabel=_symbol("b", squared), ylim=(0.0, _axis(bias[-1], squared)))
    ax.legend(fontsize="small")
    return legible(ax)


def basins(
    activation: ActivationLike = "gelu",
    sigma_w: ArrayLike | None = None,
    *,
    sigma_b: float = 0.05,
    squared: bool = False,
    lang: str = "en",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw whether gradients vanish or explode over σ_w and the variance at the start, with all fixed points.

    Stable fixed points are lines, others dashed; they bound the basins. Blue is where χ₁ tends to less than 1, red
    where it tends to more; the legend says what share each has of what is drawn, with variances by their logarithm.

    Parameters
    ----------
    activation, sigma_b, squared, lang, ax
        As for `depth_scales`.
    sigma_w : array_like of shape (n,), optional
        The weight scales, increasing; 200 from 1 to 2.5 by default.

    """
    squared = read_flag(squared, "squared")
    said = words_of_labels(lang)
    record, bias = as_activation(activation), read_extent(sigma_b, "sigma_b", may_be_0=True)
    weight = np.linspace(1.0, 2.5, 200) if sigma_w is None else read_axis(sigma_w, "sigma_w")
    starts, ax = np.geomspace(1e-3, 1e2, 120), axes_or_new(ax)
    chi = meanfield.settled_chi(record, weight, bias, q=starts[:, np.newaxis])
    along = _axis(weight, squared)
    explodes = np.asarray(chi > 1.0)
    ax.contourf(along, starts, explodes.astype(float), levels=[-0.5, 0.5, 1.5], colors=[BLUE, RED], alpha=0.15)
    for name, color, part in (("ordered", BLUE, ~explodes), ("chaotic", RED, explodes)):
        ax.fill_between([], [], color=color, alpha=0.15, label=f"{said[name]} ({percent(float(np.mean(part)))})")
    for point in meanfield.fixed_points(record, weight, bias):
        for stable, style in ((True, "-"), (False, "--")):
            shown = (point.is_stable == stable) & (point.q > 0.0)
            ax.plot(along, np.where(shown, point.q, np.nan), color=GREY, linestyle=style)
    ax.plot(along, weight**2 + bias**2, color=GREY, linestyle=":", label=said["unit_inputs"])
    ax.set(xlabel=_symbol("w", squared), ylabel="$q_1$", yscale="log", ylim=(starts[0], starts[-1]))
    ax.set_xlim(along[0], along[-1])
    return named(ax, record.name, bias, legend="upper right")


def _axis(scale: Any, squared: bool) -> Any:
    """Return a scale as the axis shows it."""
    return np.square(scale) if squared else scale


def _symbol(which: str, squared: bool) -> str:
    return rf"$\sigma_{which}^2$" if squared else rf"$\sigma_{which}$"
