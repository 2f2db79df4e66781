"""Keyword arguments that other libraries call otherwise, or that are misspelt: the error says their name here."""

import functools
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from types import MappingProxyType
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_NAMES = MappingProxyType(
    {
        "lr": "eta",
        "learning_rate": "eta",
        "momentum": "beta",
        "beta_1": "beta",
        "beta1": "beta",
        "beta_2": "beta2",
        "alpha": "beta2",
        "rho": "beta2",
        "eps": "epsilon",
        "c": "threshold",
        "level": "threshold",
        "weight": "w",
        "bias": "b",
        "input": "x",
        "sigma": "activation",
        "act": "activation",
        "centered": "centred",
        "chain": "network",
        "precision": "digits",
    }
)


def with_other_names(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a function say, of a keyword that it does not have, which one is meant; its signature stays.

    Examples
    --------
    >>> @with_other_names
    ... def step(eta): return 2.0 * eta
    >>> step(lr=0.1)
    Traceback (most recent call last):
    ...
    TypeError: step() got an unexpected keyword argument 'lr'; here it is called 'eta'
    >>> step(etta=0.1)
    Traceback (most recent call last):
    ...
    TypeError: step() got an unexpected keyword argument 'etta'; the nearest is 'eta'

    """
    own = inspect.signature(call).parameters
    is_closed = all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in own.values())

    @functools.wraps(call)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs.keys() - own.keys() if is_closed else ():
            raise TypeError(f"{call.__name__}() got an unexpected keyword argument {name!r}{_hint(name, list(own))}")
        return call(*args, **kwargs)

    return checked


def _hint(name: str, own: list[str]) -> str:
    """Return which name is meant: what goes on from it, as sigma_w from sigma, what it is here, or the nearest."""
    begun = [each for each in own if each.startswith(f"{name}_")]
    if not begun and (meant := _NAMES.get(name)) in own:
        return f"; here it is called {meant!r}"
    if same := [each for each in own if each.lower() == name.lower()]:
        return f"; the nearest is {same[0]!r}"
    known = [*own, *(other for other, here in _NAMES.items() if here in own)]  # 'wieght' is w, which others call weight
    near = begun or [_NAMES.get(each, each) for each in get_close_matches(name, known, n=1)]
    return f"; the nearest {'is' if len(near) == 1 else 'are'} {' and '.join(map(repr, near))}" if near else ""
