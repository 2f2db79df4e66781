"""The catalogue at a glance: each activation with its constants and a small picture of its slope."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import sympy

from gradtheory import plots
from gradtheory.activations import Activation, activation, activation_names, activation_parameters
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.document.files import drawn, read_folder, write_file
from gradtheory.errors import extra, public
from gradtheory.explosion import WidestExplosion, critical_weight, widest_explosion
from gradtheory.explosion.depth import DepthBound, depth_bound
from gradtheory.pages import page as pages

__all__ = ["AtlasEntry", "entries", "page", "write"]


public(__name__)


_WINDOW = np.linspace(-6.0, 6.0, 24)
_BARS = " ▁▂▃▄▅▆▇█"
_LIBRARIES = ("torch", "jax", "keras")
_LONG = 20  # letters of a fraction
_NOTHING = "—"  # where the theorem says nothing


@dataclass(frozen=True)
class AtlasEntry(ShownAsTable):
    """One activation in the atlas.

    Parameters
    ----------
    record : Activation
        Which one.

    Examples
    --------
    >>> import gradtheory as gt
    >>> entry = AtlasEntry(gt.activation("sigmoid"))
    >>> entry.steepest, entry.critical, entry.width, entry.weight, entry.guarantee
    ('0.25', '4', '0.4477432047', '6.894151032', 'certified')
    >>> entry.depth_bound, entry.widens, entry.factor, entry.reason
    ('0.4477432047', 'no', '1', "σ' is even and log-concave")

    """

    record: Activation

    @cached_property
    def widest(self) -> WidestExplosion:
        """K and where it is, for threshold 1."""
        return widest_explosion(self.record)

    @cached_property
    def at_any_depth(self) -> DepthBound:
        """H and whether depth widens explosion sets."""
        return depth_bound(self.record)

    @property
    def formula(self) -> str:
        """σ(z), with ten digits of numbers that are longer than that."""
        numbers = self.record.expr.atoms(sympy.Rational)
        return str(self.record.expr.xreplace({each: each.n(10) for each in numbers if len(str(each)) > _LONG}))

    @property
    def steepest(self) -> str:
        """sup|σ'|."""
        return _shown(self.record.steepest_slope)

    @property
    def critical(self) -> str:
        """The critical weight for threshold 1."""
        return _shown(critical_weight(self.record))

    @property
    def width(self) -> str:
        """K, the greatest width for threshold 1."""
        return _shown(self.widest.width)

    @property
    def weight(self) -> str:
        """The |w| of that width; an arrow where it is only approached."""
        return ("" if self.widest.is_attained else "→ ") + _shown(self.widest.weight)

    @property
    def guarantee(self) -> str:
        """Whether K and its place are exact, or certified with proven digits."""
        return self.widest.guarantee.value

    @property
    def depth_bound(self) -> str:
        """H, the greatest width for threshold 1 at any depth; a dash outside class N."""
        return _shown(self.at_any_depth.value)

    @property
    def widens(self) -> str:
        """Whether deep chains have wider sets than one neuron; a dash outside class N."""
        return {True: "yes", False: "no", None: _NOTHING}[self.at_any_depth.widens]

    @property
    def factor(self) -> str:
        """H/K; a dash outside class N, and where both are infinite."""
        return _shown(self.at_any_depth.factor)

    @property
    def reason(self) -> str:
        """Why H is what it is, or why the activation is not in class N."""
        return self.at_any_depth.reason

    @property
    def sparkline(self) -> str:
        """|σ'| from z = -6 to 6 in a line of text, each relative to the greatest of them."""
        slopes = np.abs(self.record.slope(_WINDOW))
        return "".join(_BARS[round(height)] for height in (len(_BARS) - 1) * slopes / slopes.max())

    @property
    def parameters(self) -> str:
        """The parameters with their defaults."""
        return ", ".join(f"{name}={default}" for name, default in activation_parameters(self.record.name).items())

    @property
    def peers(self) -> list[str]:
        """The names in PyTorch, JAX and Keras, each with the parameters that make it so, or nothing."""
        return [self.record.peers.get(library, "") for library in _LIBRARIES]


def _shown(number: sympy.Expr | None) -> str:
    """Return the digits of a number; a dash where there is none."""
    return _NOTHING if number is None else decimal(number).replace("oo", "∞")


def entries() -> list[AtlasEntry]:
    """Return the whole catalogue, by name."""
    return [AtlasEntry(activation(name)) for name in activation_names()]


def page() -> str:
    """Return the catalogue as a page of Markdown; its pictures are the files that `write` puts beside it."""
    return pages.page("catalogue.md.jinja", entries=entries())


def write(folder: Path) -> Iterator[Path]:
    """Write catalogue.md, and a picture of each activation below images/catalogue; yield each path."""
    folder = read_folder(folder, "folder")
    pictures = folder / "images" / "catalogue"
    pictures.mkdir(parents=True, exist_ok=True)
    for entry in entries():
        path = pictures / f"{entry.record.name}.svg"
        _draw(entry.record, path)
        yield path
    yield write_file(folder / "catalogue.md", page())


def _draw(record: Activation, path: Path) -> None:
    with extra("plots"):
        import matplotlib as mpl
        from matplotlib.figure import Figure
    figure = Figure(figsize=(1.5, 0.6))
    axes = figure.add_axes((0.0, 0.02, 1.0, 0.96))
    plots.glance(record, ax=axes)
    with mpl.rc_context({"path.simplify_threshold": 1.0}):
        write_file(path, drawn(figure, "svg"))
