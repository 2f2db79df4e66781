"""The report of an audit: what it says in a terminal, as JSON, and as a page with pictures."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.audits.layers import AuditedLayer
from gradtheory.document import Document, Figure, Heading, Paragraph, Table, to_html
from gradtheory.errors import extra
from gradtheory.plots import growth_of_layers

_HIDDEN = ("log_fans", "activation")
_COLUMNS = (
    ("layer", "name", ""),
    ("kind", "kind", ""),
    ("gain", "gain", ".3g"),
    ("theory", "predicted_gain", ".3g"),
    ("slopes", "slope_gain", ".3g"),
    ("weights", "weight_gain", ".3g"),
    ("s_max", "largest_singular_value", ".3g"),
    ("> 1", "share_above_1", ".0%"),
    ("E z²", "mean_square_z", ".3g"),
    ("satur.", "saturated", ".0%"),
    ("dead", "dead", ".0%"),
    ("|dC/dW|", "gradient_norm", ".2e"),
    ("verdict", "verdict", ""),
)
_GAINS = ("gain", "predicted_gain", "slope_gain", "weight_gain", "largest_singular_value", "share_above_1", "verdict")
_NUMBERS = ("kind", "mean_square_z", "saturated", "dead", "gradient_norm")  # a page is too narrow for all columns
_WIDEST = 28  # characters of a name in a table


@dataclass(frozen=True)
class Audit(ShownAsTable):
    """What an audit found of a network on its data; `print` shows the table.

    Attributes
    ----------
    layers : tuple of AuditedLayer
        From the input to the output.
    verdict : {"explodes", "vanishes", "saturates", "stable"}
        Of the whole network.
    start : str or None
        The layer, or the torch module, in which growth or fading starts, seen from the loss back; where numbers are
        not finite, the first on the way forward.
    cause : str
        Why, in words.
    growth : float
        The factor per block by which the gradient grows on its way back.
    overflow : dict of str to int or float
        For each float type: after how many blocks a gradient that grows so overflows, or underflows.
    loss : float
        nan where there were no targets.
    is_measured_only : bool
        Whether the network is a torch module that is not understood, so that nothing but measurements is known of it.

    """

    layers: tuple[AuditedLayer, ...]
    verdict: str
    start: str | None
    cause: str
    growth: float
    overflow: dict[str, int | float]
    loss: float
    is_measured_only: bool = False

    def __repr__(self) -> str:
        where = "" if self.start is None else f", from {self.start!r} back"
        return f"Audit({self.verdict}{where}; {len(self.layers)} layers)"

    def __str__(self) -> str:
        columns = self._columns()
        rows = [[title for title, _, _ in columns], *(_row(layer, columns) for layer in self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*self._summary(), "", *lines])

    def to_json(self) -> str:
        """Return all of it as JSON; numbers that are not finite are null."""
        layers = [_fields(layer) | {"agrees": layer.agrees} for layer in self.layers]
        overflow = {name: _plain(depth) for name, depth in self.overflow.items()}
        told = _fields(self) | {"layers": layers, "overflow": overflow}
        return json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2)

    def to_html(self) -> str:
        """Return a page of its own, with pictures; it needs no network.

        Raises
        ------
        MissingDependency
            If the extras "documents" and "plots" are not installed.

        """
        return to_html(self.document)

    @property
    def document(self) -> Document:
        """The report before it has a format."""
        columns = self._columns()
        causes = tuple((layer.name, layer.verdict, layer.cause) for layer in self.layers if layer.cause)
        blocks: list[Any] = [*map(Paragraph, self._summary()), Figure("growth", "The gradient from the loss back.")]
        for title, names in (("Gains", _GAINS), ("Layers", _NUMBERS)):
            shown = [column for column in columns if column[1] in ("name", *names)]
            rows = ([heading for heading, _, _ in shown], *(_row(layer, shown) for layer in self.layers))
            blocks += [Heading(title), Table(tuple(tuple(map(_prose, row)) for row in rows))]
        if causes:
            blocks += [Heading("Causes"), Table(tuple(tuple(map(_prose, row)) for row in causes))]
        return Document("Audit of a network", "", "en", tuple(blocks), {"growth": self._figure})

    def _figure(self, lang: str) -> Any:
        with extra("plots"):
            from matplotlib.figure import Figure as Drawing
        drawing = Drawing(figsize=(8, 4), layout="constrained")
        names, gains, spreads = ([getattr(layer, name) for layer in self.layers] for name in ("name", "gain", "spread"))
        growth_of_layers(names, gains, spreads, lang=lang, ax=drawing.subplots())
        return drawing

    def _columns(self) -> list[tuple[str, str, str]]:
        """Return the columns of which something is known."""
        return [
            column
            for column in _COLUMNS
            if any(
                not (isinstance(value := getattr(layer, column[1]), float) and math.isnan(value))
                for layer in self.layers
            )
        ]

    def _summary(self) -> list[str]:
        start = "" if self.start is None else f", from {self.start} back"
        lines = [f"The network {_VERB[self.verdict]}{start}." + (f" Cause: {self.cause}." if self.cause else "")]
        if self.growth > 0.0:
            lasts = ", ".join(f"{name} {depth}" for name, depth in self.overflow.items())
            lines.append(
                f"The gradient grows by {self.growth:.4g} per block; a float type lasts so many blocks: {lasts}."
            )
        if self.is_measured_only:
            lines.append("Measured only: the module holds parts that gradtheory does not know.")
        return lines


_VERB = {
    "explodes": "explodes",
    "vanishes": "lets gradients vanish",
    "saturates": "saturates",
    "stable": "keeps gradients in range",
}


def _fields(result: Any) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(result) if field.name not in _HIDDEN)
    return {name: _plain(getattr(result, name)) for name in names}


def _row(layer: AuditedLayer, columns: list[tuple[str, str, str]]) -> list[str]:
    return [_cell(getattr(layer, name), form) for _, name, form in columns]


def _cell(value: Any, form: str) -> str:
    if isinstance(value, str):
        return value if len(value) <= _WIDEST else f"…{value[1 - _WIDEST :]}"
    return "" if math.isnan(value) else format(value, form)


def _prose(text: str) -> str:
    """Return text as prose without formulas: a dollar sign would start one."""
    return text.replace("$", " ").replace("*", "×")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
