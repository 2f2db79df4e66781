"""The three figures of the page on depth."""

from typing import TYPE_CHECKING

import numpy as np

from gradtheory.errors import extra
from gradtheory.explosion.depth import depth_bound
from gradtheory.pages.depth import sample, search
from gradtheory.plots.axes import BLUE, GREY, RED, VIOLET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNT = 1000  # of random chains
_BOUND = float(depth_bound("sigmoid").value or 0)


def line() -> "Figure":
    """Draw the widths of the explosion sets of random deep chains, under the line K/c."""
    sets = sample.explosions(sample.draw(COUNT))
    figure = _figure(7, 4)
    ax = figure.subplots()
    lowest, highest = 1e-3, 1e4
    ends = np.array([lowest, highest])
    ax.loglog(ends, _BOUND / ends, color=RED, label="K/c: no chain is above")
    ax.loglog(sets.threshold, sets.right - sets.left, ".", color=BLUE, markersize=3, label=f"{COUNT} random chains")
    ax.set(xlim=(lowest, highest), ylim=(1e-7, 1e3), xlabel="threshold c", ylabel="width of the explosion set")
    ax.legend(frameon=False)
    return figure


def limits() -> "Figure":
    """Draw lower bounds of D_L over the depth, and the limits H."""
    figure = _figure(7, 4)
    ax = figure.subplots()
    for name, colour in zip(search.SEARCHED, (BLUE, VIOLET, GREY), strict=True):
        ax.semilogx(search.DEPTHS, search.lower_bounds(name), "o-", color=colour, label=f"{name}: found")
        ax.axhline(float(depth_bound(name).value or 0), color=colour, linestyle=":", label=f"{name}: H, proven")
    ax.set_xticks(search.DEPTHS, map(str, search.DEPTHS))
    ax.minorticks_off()
    ax.set(ylim=(0.4, 1.05), xlabel="depth L", ylabel="c · width, at most $D_L$")
    ax.legend(frameon=False, loc="center right")
    return figure


def elsewhere() -> "Figure":
    """Draw the gradient of one deep chain over the input, under the bound that its greatest value sets elsewhere."""
    chains = sample.draw(COUNT)
    sets = sample.explosions(chains)
    sizes = np.exp(sample.log_gradient(chains, sets.peak))
    number = int(np.argmin(np.abs(np.log(sizes) - np.log(100.0))))  # a chain whose gradient reaches about 100
    one = sample.Chains(chains.w[:, number, None], chains.b[:, number, None])
    away = np.concatenate([-np.geomspace(1e-4, 1.0, 400)[::-1], np.geomspace(1e-4, 1.0, 400)])
    x = sets.peak[number] + away
    figure = _figure(7, 4)
    ax = figure.subplots()
    ax.semilogy(away, _BOUND**2 / (sizes[number] * away**2), color=RED, label="the bound: K²/(|f'(x)|·(y - x)²)")
    ax.semilogy(away, np.exp(sample.log_gradient(one, x)), color=BLUE, label="|f'(y)|")
    ax.set(xlim=(-0.5, 0.5), ylim=(1e-6, 1e4), xlabel="y - x", ylabel="gradient")
    ax.legend(frameon=False)
    return figure


def _figure(width: float, height: float) -> "Figure":
    with extra("plots"):
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")
