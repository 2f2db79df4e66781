"""The gallery: published figures of signal propagation, each drawn by the lines that the page shows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gradtheory import plots
from gradtheory.document.files import drawn, read_folder, write_file
from gradtheory.errors import extra
from gradtheory.pages import page as pages

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["page", "write"]


class _Figure(NamedTuple):
    """A figure: its file, what it shows, where it was published if it was, the function, and its arguments."""

    name: str
    title: str
    source: str
    draw: "Callable[..., Axes]"
    arguments: dict[str, Any]

    @property
    def code(self) -> str:
        """The line that draws it."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"gt.plots.{self.draw.__name__}({shown})"


_POOLE = "Poole et al., *Exponential expressivity in deep neural networks through transient chaos* (2016)"
_SCHOENHOLZ = "Schoenholz et al., *Deep information propagation* (2017)"
_HAYOU = "Hayou, Doucet & Rousseau, *On the impact of the activation function on deep neural networks training* (2019)"

_FIGURES = (
    _Figure("variance_map", "Variances", f"{_POOLE}, figure 1 A", plots.variance_map, {}),
    _Figure("variances", "Variances settle", f"{_POOLE}, figure 1 B", plots.settling, {"of": "q", "depth": 10}),
    _Figure("correlation_map", "Correlations", f"{_POOLE}, figure 2 A", plots.correlation_map, {}),
    _Figure("correlations", "Correlations settle", f"{_POOLE}, figure 2 B", plots.settling, {"of": "c"}),
    _Figure("depth_scales", "Depth scales", f"{_SCHOENHOLZ}, figure 2", plots.depth_scales, {}),
    _Figure(
        "depth_scale_map",
        "Depth scales of all scales",
        f"{_SCHOENHOLZ}, figure 1",
        plots.depth_scale_map,
        {"squared": True},
    ),
    _Figure("trainable_depth", "How deep a network trains", f"{_SCHOENHOLZ}, figure 5", plots.trainable_depth, {}),
    _Figure("edges", "Edges of chaos", f"{_HAYOU}, figure 1", plots.edges, {}),
    _Figure("basins", "Two fates of one network", "", plots.basins, {}),
)


def page() -> str:
    """Return the gallery as Markdown; its figures are the files that `write` puts beside it."""
    return pages.page("gallery.md.jinja", figures=_FIGURES)


def write(folder: str | Path) -> Iterator[Path]:
    """Write the page and its figures into a folder, and yield each path.

    Parameters
    ----------
    folder : path
        A folder; it is made if there is none.

    """
    target = read_folder(folder, "folder")
    with extra("plots"):
        from matplotlib.figure import Figure
    for entry in _FIGURES:
        figure = Figure(figsize=(5.2, 3.9), layout="constrained")
        entry.draw(**entry.arguments, ax=figure.subplots())
        yield write_file(target / f"{entry.name}.svg", drawn(figure, "svg", dpi=150))
    yield write_file(target / "index.md", page())
