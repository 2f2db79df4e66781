"""The choice of activation: the catalogue ranked by what decides over exploding and vanishing gradients."""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from gradtheory.activations import Activation, activation, activation_names
from gradtheory.arithmetic.inputs import read_nonnegative_float, read_positive_float
from gradtheory.errors import GradTheoryError
from gradtheory.explosion import critical_weight, widest_explosion
from gradtheory.random_weights.lyapunov import factor_probability, lyapunov_exponent
from gradtheory.random_weights.meanfield import edge_of_chaos

VANISHED = 0.1  # a factor below it takes nine tenths of the gradient


@dataclass(frozen=True)
class ActivationRow:
    """One activation in a comparison; nan where the quantity does not exist.

    Attributes
    ----------
    name : str
    steepest_slope : float
        sup|σ'|.
    critical_weight : float
        1/sup|σ'|: no factor exceeds 1 unless |w| does.
    widest_explosion : float
        K, the length of the widest explosion set over all weights.
    explodes, vanishes : float
        P(|σ'(z)·w| > 1) and P(|σ'(z)·w| < 0.1) in a chain of random neurons.
    lyapunov : float
        The mean of log|σ'(z)·w| in it.
    edge_of_chaos : float
        σ_w at which wide layers with these biases keep their gradients.

    """

    name: str
    steepest_slope: float
    critical_weight: float
    widest_explosion: float
    explodes: float
    vanishes: float
    lyapunov: float
    edge_of_chaos: float


_TITLES = ("activation", "sup|σ'|", "critical |w|", "K", "explodes", "vanishes", "λ", "edge σ_w")


@dataclass(frozen=True)
class Comparison:
    """Activations, the safest first: in order of critical weight, then of K.

    Attributes
    ----------
    rows : tuple of ActivationRow
    sigma_w, sigma_b : float
        The random weights and biases that the last four columns suppose.

    """

    rows: tuple[ActivationRow, ...]
    sigma_w: float
    sigma_b: float

    def __iter__(self) -> Iterator[ActivationRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _cells(self) -> Iterator[list[str]]:
        for row in self.rows:
            values = [getattr(row, each.name) for each in fields(row)]
            yield [values[0], *("" if math.isnan(each) else f"{each:.4g}" for each in values[1:])]

    def __str__(self) -> str:
        table = Table(*_TITLES)
        for cells in self._cells():
            table.add_row(*cells)
        text = io.StringIO()
        Console(file=text, width=120).print(table)
        return text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        rows = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in self._cells()]
        return f"<table><tr>{''.join(f'<th>{each}</th>' for each in _TITLES)}</tr>{''.join(rows)}</table>"


def compare_activations(
    names: Iterable[str | Activation] | None = None,
    *,
    sigma_w: float = 1.0,
    sigma_b: float = 1.0,
    progress: bool = False,
) -> Comparison:
    """Rank activations by how far they are from exploding gradients.

    Parameters
    ----------
    names : iterable of str or Activation, optional
        Which; the whole catalogue unless given, which takes half a minute.
    sigma_w, sigma_b : float
        The standard deviations for the chain of random neurons; the edge of chaos is taken at σ_b.
    progress : bool
        Whether to show a progress bar.

    Examples
    --------
    >>> found = compare_activations(["relu", "sigmoid", "tanh"])
    >>> [(row.name, row.critical_weight, round(row.lyapunov, 3)) for row in found]
    [('sigmoid', 4.0, -2.308), ('tanh', 1.0, -1.638), ('relu', 1.0, -inf)]

    """
    scales = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    records = [activation(each) for each in (activation_names() if names is None else names)]
    rows = [_row(each, *scales) for each in track(records, "activations", disable=not progress)]
    return Comparison(tuple(sorted(rows, key=lambda row: (-row.critical_weight, row.widest_explosion))), *scales)


def _row(record: Activation, sigma_w: float, sigma_b: float) -> ActivationRow:
    def or_nan(function: Any, *arguments: Any, **more: Any) -> float:
        try:
            found = function(record, *arguments, **more)
        except GradTheoryError:  # there is none, or it diverges
            return math.nan
        return float(getattr(found, "value", found))

    return ActivationRow(
        record.name,
        float(record.steepest_slope),
        float(critical_weight(record)),
        float(widest_explosion(record).width),
        or_nan(factor_probability, sigma_w, sigma_b=sigma_b),
        1.0 - or_nan(factor_probability, sigma_w, sigma_b=sigma_b, threshold=VANISHED),
        or_nan(lyapunov_exponent, sigma_w, sigma_b),
        float(edge_of_chaos(record, sigma_b).sigma_w),
    )
