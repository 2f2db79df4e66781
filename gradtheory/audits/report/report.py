"""The report of an audit: what it says in a terminal, as JSON, and as a page with pictures."""

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
from gradtheory.audits.layers import AuditedBlock, AuditedLayer, module_of
from gradtheory.audits.measure import NONE
from gradtheory.audits.report.plain import fields_of, plain, remedy_fields
from gradtheory.audits.report.summary import summary_of
from gradtheory.audits.report.table import GAINS, NUMBERS, lines_of, meanings, rows_of
from gradtheory.document import Document, Figure, Heading, Paragraph, Table, save, to_html
from gradtheory.errors import extra
from gradtheory.plots import growth_of_layers, phase_diagram, singular_values_of_layers
from gradtheory.random_weights.meanfield import edge_of_chaos
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.precision import GradientSizes
from gradtheory.training.advice import NetworkAdvice, NetworkPrescription


@dataclass(frozen=True)
class AdviceRun:
    """What tries remedies and how, or why none is tried."""

    advise: Callable[[], NetworkAdvice] | None
    reason: str
    how: str = ""


@dataclass(frozen=True)
class Audit(ShownAsTable):
    """What an audit found of a network on its data; `print` shows the table, and remedies once they were tried.

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
        The factor per block by which the gradient is multiplied on its way back, the geometric mean over all but the
        first: what that does to the gradient by the input changes no weight's gradient.
    overflow : dict of str to int or float
        For each float type: after how many blocks a gradient that grows so overflows, or underflows. Empty where most
        of the growth is in a few blocks, as it then is no rate per block.
    loss : float
        nan where there were no targets.
    loss_name : str
        Which loss that is: a name, "the module's own" or "yours"; "none" without targets, where the gradient starts in
        random directions.
    is_measured_only : bool
        Whether the network is a torch module that is not understood, so that nothing but measurements is known of it.
    unread : str
        Why it was not read as a network: what is not understood, and where it stands.
    is_alone : bool
        Whether `.start` is one layer that stands out, while the gradient stays in range over the others.
    blocks : tuple of AuditedBlock
        The parts between places that every path passes: the product of their gains is what the whole does.
    headline : str
        What is wrong, where that is something else than the gradient: "{}" stands for the name of `start`.

    """

    layers: tuple[AuditedLayer, ...]
    verdict: str
    start: str | None
    cause: str
    growth: float
    overflow: dict[str, int | float]
    loss: float
    loss_name: str = NONE
    is_measured_only: bool = False
    unread: str = ""
    is_alone: bool = False
    blocks: tuple[AuditedBlock, ...] = field(default=(), repr=False, compare=False)
    trial: AdviceRun = field(default=AdviceRun(None, ""), repr=False, compare=False)
    headline: str = field(default="", repr=False, compare=False)

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
        where = f" in {self.start!r} alone" if self.is_alone else where
        number = len(self.layers)
        return f"Audit({self.verdict}{where}; {number} layer{'' if number == 1 else 's'})"

    def __str__(self) -> str:
        is_told = self.trial.advise is None or "advice" in vars(self)  # to try them takes minutes
        remedies = self._remedies() if is_told else ["report.remedies tries what helps"]
        return "\n".join([self.table, "", *remedies])

    @property
    def table(self) -> str:
        """What is wrong, and every layer beside what theory predicts, as text."""
        return "\n".join([*summary_of(self), "", *lines_of(self.layers), "", *self._meanings()])

    def _meanings(self) -> tuple[str, ...]:
        """Return what the columns mean."""
        return meanings(self.layers, self.is_measured_only)

    def _remedies(self) -> list[str]:
        """Return why there are no remedies, and those that were tried."""
        tried = [line for each in self.remedies for line in str(each).splitlines()]
        return [*filter(None, [self.reason, self.trial.how if tried else ""]), *tried]

    @property
    def marked(self) -> str | None:
        """The block that stands out, of the calls of one module the one that does so most; None where none does."""
        if not self.is_alone:
            return None
        calls = [block for block in self.blocks if self.start in self._modules(block) and block.gain > 0.0]
        block = max(calls, key=lambda block: abs(math.log(block.gain)), default=None)
        return None if block is None else block.name

    def _modules(self, block: AuditedBlock) -> set[str]:
        return {module_of(name) for name in (block.name, *(self.layers[number].name for number in block.layers))}

    def to_json(self) -> str:
        """Return all of it as JSON; numbers that are not finite are null."""
        layers = [fields_of(layer) | {"agrees": layer.agrees} for layer in self.layers]
        overflow = {name: plain(depth) for name, depth in self.overflow.items()}
        told = fields_of(self) | {"layers": layers, "overflow": overflow}
        told |= {"remedies": [remedy_fields(each) for each in self.remedies], "reason": self.reason}
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
        causes = tuple((layer.name, layer.verdict, layer.cause) for layer in self.layers if layer.cause)
        blocks: list[Any] = [*map(Paragraph, summary_of(self)), Figure("growth", "The gradient from the loss back.")]
        figures: dict[str, Callable[[str], Any]] = {"growth": self._figure}
        if any(layer.singular_values is not None for layer in self.layers):
            blocks.append(Figure("singular_values", "Singular values of each layer, where the gradient is largest."))
            figures["singular_values"] = self._singular_values
        if (record := self._usual_activation()) is not None:
            blocks.append(Figure("phases", f"Where the layers with {record.name} stand, read off their weights."))
            figures["phases"] = functools.partial(self._phases, record)
        for title, names in (("Gains", GAINS), ("Layers", NUMBERS)):
            rows = rows_of(self.layers, ("name", *names))
            blocks += [Heading(title), Table(tuple(tuple(map(_prose, row)) for row in rows))]
        blocks += [Paragraph(_prose(line)) for line in self._meanings()]
        if causes:
            blocks += [Heading("Causes"), Table(tuple(tuple(map(_prose, row)) for row in causes))]
        blocks += [Heading("Remedies"), *(Paragraph(_prose(" ".join(line.split()))) for line in self._remedies())]
        return Document("Audit of a network", "", "en", tuple(blocks), figures)

    def _figure(self, lang: str) -> Any:
        drawing = _drawing()
        names, gains, spreads = ([getattr(each, name) for each in self.blocks] for name in ("name", "gain", "spread"))
        growth_of_layers(names, gains, spreads, marked=self.marked, lang=lang, ax=drawing.subplots())
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


def _drawing() -> Any:
    with extra("plots"):
        from matplotlib.figure import Figure as Drawing
    return Drawing(figsize=(8, 4), layout="constrained")


def _prose(text: str) -> str:
    """Return text as prose without formulas: a dollar sign would start one."""
    return text.replace("$", " ").replace("*", "×")
