"""The choice of activation: the catalogue, with the numbers on which exploding and vanishing gradients depend.

Nothing ranks them. sup|σ'| and K change when σ(z) becomes a·σ(b·z), and so do the weights that go with it: tanh(z)/10
would be "safer" than tanh, and needs weights ten times as large.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from gradtheory.activations import Activation, activation_names
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.kinds import read_items
from gradtheory.errors import GradTheoryError
from gradtheory.explosion import critical_weight, widest_explosion
from gradtheory.random_weights.lyapunov import factor_probability, lyapunov_exponent
from gradtheory.random_weights.meanfield import edge_of_chaos
from gradtheory.typing import ActivationLike, NumberLike

VANISHED = 0.1  # a factor below it takes nine tenths of the gradient


@dataclass(frozen=True)
class ActivationRow(ShownAsTable):
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

    def __repr__(self) -> str:
        name, *numbers = (field.name for field in fields(self))
        values = ", ".join(f"{number}={getattr(self, number):g}" for number in numbers)
        return f"ActivationRow({getattr(self, name)}: {values})"


_TITLES = ("activation", "sup|σ'|", "critical |w|", "K", "explodes", "vanishes", "λ", "edge σ_w")


@dataclass(frozen=True)
class Comparison:
    """Activations in the order in which they were given, which ranks nothing.

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
            name, *numbers = (getattr(row, field.name) for field in fields(row))
            yield [name, *("" if math.isnan(number) else f"{number:.4g}" for number in numbers)]

    def __str__(self) -> str:
        table = [list(_TITLES), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in table)
        return "\n".join(map(str.rstrip, lines))

    def __repr__(self) -> str:
        return f"Comparison({len(self)} activations at sigma_w={self.sigma_w:g}, sigma_b={self.sigma_b:g})"

    def _repr_html_(self) -> str:
        rows = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in self._cells()]
        return f"<table><tr>{''.join(f'<th>{each}</th>' for each in _TITLES)}</tr>{''.join(rows)}</table>"


def compare_activations(
    activations: Iterable[ActivationLike] | None = None, *, sigma_w: NumberLike = 1.0, sigma_b: NumberLike = 1.0
) -> Comparison:
    """Return a table of the numbers on which exploding and vanishing gradients of activations depend.

    The rows keep the order of the arguments. sup|σ'|, the critical weight and K are those of σ as it is written: a
    factor that its weights make up for, as in tanh(z)/10, changes them, so they do not say which activation is safer.

    Parameters
    ----------
    activations : iterable of str, sympy.Expr or Activation, optional
        Which; the whole catalogue by name if there are none, which takes half a minute.
    sigma_w, sigma_b : float
        The standard deviations of the weights and biases in the chain of random neurons; the edge of chaos is taken at
        the same σ_b.

    Returns
    -------
    Comparison
        A table of `ActivationRow`; `print` and Jupyter show it.

    Raises
    ------
    InvalidArgument
        If an activation is unknown, `sigma_w` not positive or `sigma_b` negative.
    Undecided
        If the slope of your own expression cannot be analysed, as for sin(z)·z.

    Examples
    --------
    >>> comparison = compare_activations(["relu", "sigmoid", "tanh"])
    >>> [(row.name, row.critical_weight, round(row.lyapunov, 3)) for row in comparison]
    [('relu', 1.0, -inf), ('sigmoid', 4.0, -2.308), ('tanh', 1.0, -1.638)]

    """
    scales = read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
    rule = "must be a sequence of activations, such as ['tanh', 'gelu']"
    names = activation_names() if activations is None else read_items(activations, "activations", rule)
    records = list(map(as_activation, names))
    return Comparison(tuple(_row(record, *scales) for record in records), *scales)


def _row(record: Activation, sigma_w: float, sigma_b: float) -> ActivationRow:
    return ActivationRow(
        record.name,
        float(record.steepest_slope),
        float(critical_weight(record)),
        float(widest_explosion(record).width),
        _or_nan(lambda: factor_probability(record, sigma_w, sigma_b=sigma_b)),
        1.0 - _or_nan(lambda: factor_probability(record, sigma_w, sigma_b=sigma_b, threshold=VANISHED)),
        _or_nan(lambda: lyapunov_exponent(record, sigma_w, sigma_b).value),
        float(edge_of_chaos(record, sigma_b).sigma_w),
    )


def _or_nan(quantity: Callable[[], float]) -> float:
    """Return a quantity, or nan if there is none or it diverges."""
    try:
        return float(quantity())
    except GradTheoryError:
        return math.nan
