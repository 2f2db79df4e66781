"""The table of an audit: a row for each layer, a column for each number of which something is known."""

import math
from collections.abc import Sequence
from typing import Any

from gradtheory.arithmetic.brief import percent
from gradtheory.audits.layers import MUCH, AuditedLayer, is_pooling

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
    ("E a²", "mean_square_a", ".3g"),
    ("satur.", "saturated", ".0%"),
    ("dead", "dead", ".0%"),
    ("|dC/dW|", "gradient_norm", ".2e"),
    ("verdict", "verdict", ""),
)
GAINS = ("gain", "predicted_gain", "slope_gain", "weight_gain", "largest_singular_value", "share_above_1", "verdict")
NUMBERS = (
    "described",
    "mean_square_z",
    "mean_square_a",
    "saturated",
    "dead",
    "gradient_norm",
)  # a page is too narrow for all columns
_NOT_COUNTED = (
    "mean, sum, average pooling: it has no weights; what it does to the gradient, by √N, is not counted in the verdict"
)
_ALONE = "gains are those of dense layers alone; with what stands beside them, as factors, norms, residual connections"
_TOLD = 4
_WIDEST = 28  # characters of a name in a table
_MEASURED = (
    "gain: by which the gradient grows on its way back; > 1: samples on which it does; E a²: mean square of the output",
    "s_max: the largest singular value of the part's Jacobian; dead: units whose output is the same for all samples",
    "|dC/dW|: the gradient's norm by the parameters",
)
_MEANINGS = (
    "gain: by which the gradient grows on its way back, slopes × weights; theory: that of random weights of this scale",
    "s_max: the largest singular value; > 1: samples on which the gradient grows; E z²: mean square before σ",
    "satur., dead: units with slopes near 0 on 99% of the samples, or 0 on all; |dC/dW|: the norm of its gradient",
)


def rows_of(layers: Sequence[AuditedLayer], names: Sequence[str] | None = None) -> list[list[str]]:
    """Return the titles and a row for each layer, of all columns or of those with such names."""
    left_out = "" if all(layer.is_measured_only for layer in layers) else "mean_square_a"  # for want of room
    columns = [
        (title, name, form)
        for title, name, form in _COLUMNS
        if (names is None or name in names) and any(_is_known(getattr(layer, name)) for layer in layers)
        if name != left_out
    ]
    rows = [[_cell(getattr(layer, name), form) for _, name, form in columns] for layer in layers]
    return [[title for title, _, _ in columns], *rows]


def meanings(layers: Sequence[AuditedLayer], is_measured_only: bool) -> tuple[str, ...]:
    """Return what the columns mean, and the rows without weights."""
    pools = (_NOT_COUNTED,) if any(is_pooling(layer.kind) for layer in layers) else ()
    return (_MEASURED if is_measured_only else _MEANINGS + _beside(layers)) + pools


def _beside(layers: Sequence[AuditedLayer]) -> tuple[str, ...]:
    """Return that gains of layers are not those of the parts that hold them, and what these are, if they are far."""
    pairs = [(layer, layer.block_gain / layer.gain) for layer in layers if layer.gain > 0.0 and layer.block_gain > 0.0]
    far = [layer for layer, times in pairs if not 1.0 / MUCH < times < MUCH]
    told = ", ".join(f"{layer.name}: {layer.block_gain:.3g}" for layer in far[:_TOLD])
    more = ", …" if len(far) > _TOLD else ""
    return (f"{_ALONE} – {told}{more}",) if far else ()


def lines_of(layers: Sequence[AuditedLayer]) -> list[str]:
    """Return the table as lines of text."""
    rows = rows_of(layers)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _is_known(value: Any) -> bool:
    return not (isinstance(value, float) and math.isnan(value))


def _cell(value: Any, form: str) -> str:
    if isinstance(value, str):
        return value if len(value) <= _WIDEST else f"…{value[1 - _WIDEST :]}"
    return "" if math.isnan(value) else percent(value) if form == ".0%" else format(value, form)
