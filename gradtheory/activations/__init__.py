"""The catalogue: every `Activation` defined in a module of this package, by name.

Adding an activation touches one file: define a record in the module of its family.
"""

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from gradtheory.activations.record import Activation, Branch, Stationarity, T, Z
from gradtheory.errors import InvalidArgument

__all__ = ["Activation", "Branch", "Stationarity", "T", "Z", "activation", "activation_names"]


def activation_names() -> tuple[str, ...]:
    """Return the names in the catalogue, in alphabetical order.

    Examples
    --------
    >>> "sigmoid" in activation_names()
    True

    """
    return tuple(_catalogue())


def activation(name: str | Activation) -> Activation:
    """Return the record of an activation.

    Parameters
    ----------
    name : str or Activation
        A name in the catalogue; a record is returned as it is.

    Raises
    ------
    InvalidArgument
        If there is no such name; the message says the nearest ones.

    Examples
    --------
    >>> activation("tanh").derivative
    cosh(z)**(-2)

    """
    if isinstance(name, Activation):
        return name
    if isinstance(name, str) and name in _catalogue():
        return _catalogue()[name]
    raise InvalidArgument("activation", name, _nearest(name))


@cache
def _catalogue() -> MappingProxyType[str, Activation]:
    found: dict[str, Activation] = {}
    for module in pkgutil.iter_modules(__path__):
        for record in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(record, Activation) and found.setdefault(record.name, record) is not record:
                raise ValueError(f"two activations are named {record.name}")
    return MappingProxyType(dict(sorted(found.items())))


def _nearest(name: Any) -> str:
    near = get_close_matches(name.lower(), _catalogue(), n=3, cutoff=0.5) if isinstance(name, str) else ()
    if near:
        return f"is not in the catalogue; the nearest names are {', '.join(near)}"
    return f"is not in the catalogue, which holds {', '.join(_catalogue())}"
