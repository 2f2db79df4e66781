"""One published number, where it stands, and what computes it here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Published:
    """A number as a publication prints it, beside the one that is computed.

    Attributes
    ----------
    source : str
        Authors and year, a key of `SOURCES`.
    place : str
        The equation, table, section or figure.
    what : str
        What the number is.
    printed : str
        Its digits; it agrees with what lies within half a unit of the last one.
    by : str
        The public function that computes it.
    compute : callable
        That computation.
    exact : str
        The closed form where the publication gives one; `printed` is then its value.
    deviation : str
        Why the numbers differ, where they do.

    """

    source: str
    place: str
    what: str
    printed: str
    by: str
    compute: Callable[[], Any]
    exact: str = ""
    deviation: str = ""

    @cached_property
    def computed(self) -> float:
        """The number that comes out here."""
        return float(self.compute())

    @property
    def _places(self) -> int:
        return len(self.printed.partition(".")[2])

    @property
    def tolerance(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self._places

    @property
    def agrees(self) -> bool:
        """Whether the printed digits are those of the computed number, rounded; a thousandth is left for rounding."""
        return abs(self.computed - float(self.printed)) <= 1.001 * self.tolerance

    @property
    def shown(self) -> str:
        """The computed number to two digits more than are printed."""
        digits = self._places + 2
        return f"{round(self.computed, digits) + 0.0:.{digits}f}"  # no -0.00
