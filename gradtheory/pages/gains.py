"""The gains that PyTorch recommends, held against the exact ones, activation by activation."""

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sympy

from gradtheory.activations import Activation, activation, activation_names
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.document.files import read_folder, write_file
from gradtheory.errors import public
from gradtheory.pages import page as pages
from gradtheory.random_weights import meanfield
from gradtheory.random_weights.meanfield.backward import lasting_depth
from gradtheory.random_weights.overflow import overflow_depth

__all__ = ["TORCH", "GainsEntry", "entries", "page", "write"]


public(__name__)


# torch.nn.init.calculate_gain of PyTorch 2.13, by the names of this catalogue.
TORCH: Mapping[str, sympy.Expr] = {
    "identity": sympy.S.One,
    "leaky_relu": sympy.sqrt(2 / (1 + sympy.Rational(1, 100) ** 2)),
    "relu": sympy.sqrt(2),
    "selu": sympy.Rational(3, 4),
    "sigmoid": sympy.S.One,
    "tanh": sympy.Rational(5, 3),
}
_UNSTATED = sympy.sqrt(2)  # that of relu, which kaiming_normal_ takes unasked
_LARGE = 1e30  # a variance, beyond which χ₁ is that of an infinite one up to rounding
_ROUNDING = 1e-13  # of χ₁
_ONE = 1e-5  # χ₁ - 1 where the variance grows and χ₁ tends to 1


@dataclass(frozen=True)
class GainsEntry(ShownAsTable):
    """What a gain does to deep, wide networks without biases, for one activation.

    Parameters
    ----------
    record : Activation
        Which one.

    Examples
    --------
    >>> tanh = GainsEntry(activation("tanh"))
    >>> tanh.gain, round(tanh.exact.forward, 6), round(tanh.chi, 6), tanh.depth
    (5/3, 1.592537, 1.209831, 932)

    """

    record: Activation

    @property
    def stated(self) -> sympy.Expr | None:
        """PyTorch's gain, or None where it has none."""
        return TORCH.get(self.record.name)

    @property
    def gain(self) -> sympy.Expr:
        """PyTorch's gain; where it has none that of relu, √2, which is then used."""
        return _UNSTATED if self.stated is None else self.stated

    @cached_property
    def exact(self) -> meanfield.Gain:
        """The exact gains at q = 1."""
        return meanfield.gain(self.record, q=1)

    @cached_property
    def q(self) -> float:
        """The variance of the pre-activations after many layers with that gain; inf where it grows without bound."""
        start = float(self.gain) ** 2  # inputs of mean square 1
        step = float(meanfield.variance_map(self.record, start, float(self.gain))) - start
        if abs(step) <= 1e-12 * start:
            return start
        variances = [point.q for point in meanfield.fixed_points(self.record, float(self.gain)) if point.is_stable]
        ahead = [q for q in variances if (q - start) * step >= 0.0]
        return min(ahead, key=lambda q: abs(q - start), default=math.inf)

    @cached_property
    def chi(self) -> float:
        """The factor of the gradient's mean square per layer, at that variance."""
        if self.q == 0.0:
            return float(meanfield.fixed_points(self.record, float(self.gain))[0].chi)
        return float(meanfield.chi(self.record, min(self.q, _LARGE), float(self.gain)))

    @cached_property
    def depth(self) -> int | float:
        """The number of layers after which the root mean square of the gradient leaves float32.

        Where χ₁ only tends to 1, or to 0, on the way there.
        """
        if self.chi and abs(self.chi - 1.0) >= _ONE:
            near = (self.chi * (1.0 + side * _ROUNDING) for side in (-1, 1))  # (1/2)^150 is 0 in float32
            return min(overflow_depth(math.sqrt(chi)) for chi in near)
        return math.inf if self.critical.kind == "scale-invariant" else lasting_depth(self.record, float(self.gain))

    @cached_property
    def edge(self) -> meanfield.EdgeOfChaos:
        """The edge of chaos without biases."""
        return meanfield.edge_of_chaos(self.record, 0)

    @cached_property
    def critical(self) -> meanfield.CriticalInitialisation:
        """The critical initialisation."""
        return meanfield.critical_initialisation(self.record)


def entries() -> list[GainsEntry]:
    """Return the audit of every activation that PyTorch has among its layers."""
    return list(_entries())


@functools.cache  # an audit remembers what it has computed
def _entries() -> tuple[GainsEntry, ...]:
    audits = map(GainsEntry, map(activation, activation_names()))
    return tuple(audit for audit in audits if audit.stated or "torch.nn" in audit.record.peers.get("torch", ""))


def page() -> str:
    """Return the audit as a page of Markdown."""
    audits = entries()
    by_name = {audit.record.name: audit for audit in audits}
    return pages.page("gains.md.jinja", entries=audits, of=by_name, inf=math.inf)


def write(folder: Path) -> Iterator[Path]:
    """Write gains.md; yield its path."""
    folder = read_folder(folder, "folder")
    yield write_file(folder / "gains.md", page())
