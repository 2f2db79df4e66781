"""The report of an audit: what it says in a terminal, as JSON, and as a page with pictures."""

import dataclasses
import functools
import json
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.audits.layers import AuditedLayer
from gradtheory.document import Document, Figure, Heading, Paragraph, Table, save, to_html
from gradtheory.errors import extra
from gradtheory.plots import growth_of_layers, phase_diagram, singular_values_of_layers
from gradtheory.random_weights.meanfield import edge_of_chaos
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.precision import GradientSizes
from gradtheory.training.advice import NetworkAdvice, NetworkPrescription

_HIDDEN = ("fans", "gradient_sizes", "activation", "singular_values", "trial")
_COLUMNS = (
    ("layer", "name", ""),
    ("kind", "described", ""),
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
_NUMBERS = ("described", "mean_square_z", "saturated", "dead", "gradient_norm")  # a page is too narrow for all columns
_WIDEST = 28  # characters of a name in a table


@dataclass(frozen=True)
class AdviceRun:
    """What tries remedies, or why none is tried."""

    advise: Callable[[], NetworkAdvice] | None
    reason: str


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
        The factor per block by which the gradient is multiplied on its way back.
    overflow : dict of str to int or float
        For each float type: after how many blocks a gradient that grows so overflows, or underflows.
    loss : float
        nan where there were no targets.
    is_measured_only : bool
        Whether the network is a torch module that is not understood, so that nothing but measurements is known of it.
    unread : str
        Why it was not read as a network: what is not understood, and where it stands.

    """

    layers: tuple[AuditedLayer, ...]
    verdict: str
    start: str | None
    cause: str
    growth: float
    overflow: dict[str, int | float]
    loss: float
    is_measured_only: bool = False
    unread: str = ""
    trial: AdviceRun = field(default=AdviceRun(None, ""), repr=False, compare=False)

    @cached_property
    def advice(self) -> NetworkAdvice | None:
        """What `gradtheory.advise` says of this network; None where nothing is tried. It is trained for that."""
        return None if self.trial.advise is None else self.trial.advise()

    @property
    def remedies(self) -> tuple[NetworkPrescription, ...]:
        """The remedies that were tried on this network, from the smallest change to the largest."""
        return () if self.advice is None else self.advice.remedies

    @property
    def reason(self) -> str:
        """Why no remedy is advised, or none was tried; empty if one is advised."""
        return self.trial.reason if self.advice is None else self.advice.reason

    @property
    def gradient_sizes(self) -> dict[str, GradientSizes]:
        """How large the gradients by the parameters of each layer are, for `gradtheory.precision.loss_scale`."""
        return {layer.name: layer.gradient_sizes for layer in self.layers if layer.gradient_sizes is not None}

    def __repr__(self) -> str:
        where = "" if self.start is None else f", from {self.start!r} back"
        number = len(self.layers)
        return f"Audit({self.verdict}{where}; {number} layer{'' if number == 1 else 's'})"

    def __str__(self) -> str:
        columns = self._columns()
        rows = [[title for title, _, _ in columns], *(_row(layer, columns) for layer in self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*self._summary(), "", *lines, "", *self._remedies()])

    def _remedies(self) -> list[str]:
        """Return why there are no remedies, and those that were tried."""
        return [*filter(None, [self.reason]), *(line for each in self.remedies for line in str(each).splitlines())]

    def to_json(self) -> str:
        """Return all of it as JSON; numbers that are not finite are null."""
        layers = [_fields(layer) | {"agrees": layer.agrees} for layer in self.layers]
        overflow = {name: _plain(depth) for name, depth in self.overflow.items()}
        told = _fields(self) | {"layers": layers, "overflow": overflow}
        told |= {"remedies": [_remedy(each) for each in self.remedies], "reason": self.reason}
        return json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2)

    def to_html(self) -> str:
        """Return a page of its own, with pictures; it needs no network.

        Raises
        ------
        MissingDependency
            If the extras "documents" and "plots" are not installed.

        """
        return to_html(self.document)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report to a file in the format of its suffix, such as .html, .md or .pdf; return the path.

        Raises
        ------
        InvalidArgument
            If the suffix is unknown, or the file cannot be written.
        MissingProgram
            If a PDF is asked for, and there is no TeX engine.

        """
        return save(self.document, path)

    @property
    def document(self) -> Document:
        """The report before it has a format."""
        columns = self._columns()
        causes = tuple((layer.name, layer.verdict, layer.cause) for layer in self.layers if layer.cause)
        blocks: list[Any] = [*map(Paragraph, self._summary()), Figure("growth", "The gradient from the loss back.")]
        figures: dict[str, Callable[[str], Any]] = {"growth": self._figure}
        if any(layer.singular_values is not None for layer in self.layers):
            blocks.append(Figure("singular_values", "Singular values of each layer, where the gradient is largest."))
            figures["singular_values"] = self._singular_values
        if (record := self._usual_activation()) is not None:
            blocks.append(Figure("phases", f"Where the layers with {record.name} stand, read off their weights."))
            figures["phases"] = functools.partial(self._phases, record)
        for title, names in (("Gains", _GAINS), ("Layers", _NUMBERS)):
            shown = [column for column in columns if column[1] in ("name", *names)]
            rows = ([heading for heading, _, _ in shown], *(_row(layer, shown) for layer in self.layers))
            blocks += [Heading(title), Table(tuple(tuple(map(_prose, row)) for row in rows))]
        if causes:
            blocks += [Heading("Causes"), Table(tuple(tuple(map(_prose, row)) for row in causes))]
        blocks += [Heading("Remedies"), *(Paragraph(_prose(" ".join(line.split()))) for line in self._remedies())]
        return Document("Audit of a network", "", "en", tuple(blocks), figures)

    def _figure(self, lang: str) -> Any:
        drawing = _drawing()
        names, gains, spreads = ([getattr(layer, name) for layer in self.layers] for name in ("name", "gain", "spread"))
        growth_of_layers(names, gains, spreads, lang=lang, ax=drawing.subplots())
        return drawing

    def _singular_values(self, lang: str) -> Any:
        drawing = _drawing()
        shown = [layer for layer in self.layers if layer.singular_values is not None]
        names, values = ([getattr(layer, name) for layer in shown] for name in ("name", "singular_values"))
        singular_values_of_layers(names, values, lang=lang, ax=drawing.subplots())
        return drawing

    def _phases(self, record: Activation, lang: str) -> Any:
        drawing = _drawing()
        places = [(layer.sigma_w, layer.sigma_b) for layer in self.layers if layer.activation == record]
        top = max(1.0, 1.2 * max(sigma_b for _, sigma_b in places))
        phase_diagram(record, largest_bias=top, points=40, networks=places, lang=lang, ax=drawing.subplots())
        return drawing

    def _usual_activation(self) -> Activation | None:
        """Return the activation of most layers, if it has phases to draw, and the layers have a place there."""
        records = Counter(layer.activation for layer in self.layers if layer.activation is not None)
        finite = all(math.isfinite(layer.sigma_w) for layer in self.layers if layer.activation is not None)
        for record, _ in records.most_common() if finite else ():
            if record.name != "identity":
                edge = edge_of_chaos(record, np.linspace(0.0, 1.0, 3))
                return record if np.isfinite(edge.sigma_w).sum() > 1 or Origin.of(record).is_homogeneous else None
        return None

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
        if self.overflow:
            what = "part of the network" if self.is_measured_only else "layer or residual block"
            lines.append(
                f"On its way back the gradient is multiplied by {self.growth:.4g} per {what} (geometric mean)."
            )
            if lasts := ", ".join(f"{name} {depth}" for name, depth in self.overflow.items() if depth < math.inf):
                lost = "would overflow" if self.growth > 1.0 else "would become 0"
                lines.append(f"At that rate it {lost} after so many of them: {lasts}.")
        if self.is_measured_only:
            lines.append(f"Measured only, without theory, as it could not be read as a network: {self.unread}.")
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


def _drawing() -> Any:
    with extra("plots"):
        from matplotlib.figure import Figure as Drawing
    return Drawing(figsize=(8, 4), layout="constrained")


def _remedy(remedy: NetworkPrescription) -> dict[str, Any]:
    value = remedy.value.tolist() if hasattr(remedy.value, "tolist") else remedy.value
    names = ("loss_without", "loss_with", "growth_without", "growth_with", "cost")
    told = {name: _plain(getattr(remedy, name)) for name in names}
    return {"kind": remedy.kind, "value": value, "works": remedy.works} | told


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
