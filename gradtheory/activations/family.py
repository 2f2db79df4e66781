"""Activations with parameters: a family builds one record for each choice of them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import sympy

from gradtheory.activations.record import Activation
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.inputs import read_real
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import latex
from gradtheory.formulas.text import GREEK

_BITS, _LEAST = 64, 1e-300


@dataclass(frozen=True)
class Family:
    """Activations that share a formula with parameters.

    Parameters
    ----------
    build : callable
        Takes exact parameters by keyword, each with an exact default, and returns the record, or raises
        `InvalidArgument` where a parameter is out of range. Its name is that of the family and of the default record;
        others are named with their parameters, such as ``elu(alpha=2)``.

    """

    build: Callable[..., Activation]

    @property
    def name(self) -> str:
        """The family's name."""
        return self.build.__name__

    @cached_property
    def defaults(self) -> Mapping[str, sympy.Expr]:
        """The parameters and their defaults."""
        return {each.name: each.default for each in inspect.signature(self.build).parameters.values()}

    def __call__(self, *positional: Any, **named: Any) -> Activation:
        """Return the record of these parameters; the others keep their defaults.

        Raises
        ------
        InvalidArgument
            If a parameter is unknown, given twice, not an exact real number or out of range.

        """
        unknown = [*named.keys() - self.defaults.keys(), *positional[len(self.defaults) :]]
        by_place = dict(zip(self.defaults, positional, strict=False))
        twice = by_place.keys() & named.keys()
        for name in (*unknown, *twice):
            raise InvalidArgument(
                f"parameter of {self.name}", name, f"must be one of {', '.join(self.defaults)}, given once"
            )
        exact = {name: _read(value, name) for name, value in (by_place | named).items()}
        return self._record(tuple(exact.get(name, default) for name, default in self.defaults.items()))

    @lru_cache(maxsize=256)  # noqa: B019  # families live as long as the module
    def _record(self, values: tuple[sympy.Expr, ...]) -> Activation:
        record = self.build(**dict(zip(self.defaults, values, strict=True)))
        named = zip(self.defaults.items(), values, strict=True)
        changed = ", ".join(_in_latex(name, value) for (name, default), value in named if value != default)
        return replace(record, peers={}, symbol=f"{record.symbol}_{{{changed}}}") if changed else record

    def name_with_parameters(self, **values: sympy.Expr) -> str:
        """Return the name of the record with these parameters: the family's own for the defaults."""
        changed = [f"{name}={value}" for name, value in values.items() if value != self.defaults[name]]
        return f"{self.name}({', '.join(changed)})" if changed else self.name


def _in_latex(name: str, value: sympy.Expr) -> str:
    letter = latex(sympy.Symbol(name)) if name in GREEK else rf"\mathrm{{{name}}}"
    return f"{letter} = {latex(value)}"


def _read(value: Any, name: str) -> sympy.Expr:
    """Return a parameter, which the float64 kernels have to hold."""
    exact = read_real(value, name)
    size = abs(enclose(exact, _BITS))
    if not exact.is_zero and not (size > _LEAST and size < 1.0 / _LEAST):
        raise InvalidArgument(name, value, "must be 0, or between 1e-300 and 1e300 in size")
    return exact
