"""Public calls end: what is asked of a chain, or of an expression of one's own, gets a budget of work."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.effort import EFFORT, read_effort, within
from gradtheory.arithmetic.keywords import with_other_names

_P = ParamSpec("_P")
_R = TypeVar("_R")


def limited(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a function of an activation or a chain work within its keyword argument `effort`.

    It also says which keyword is meant where another library has another name for it. Questions about one activation of
    the catalogue, whose proofs are known to end, take the time that they take.
    """

    @with_other_names
    @functools.wraps(call)
    def within_effort(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        subject = args[0] if args else kwargs.get("activation", kwargs.get("chain"))
        effort: Any = kwargs.get("effort", EFFORT)
        read_effort(effort)
        if not _is_limited(subject):
            return call(*args, **kwargs)
        with within(effort):
            return call(*args, **kwargs)

    return within_effort


def _is_limited(subject: object) -> bool:
    if isinstance(subject, list | tuple):
        return any(_is_limited(part) for part in subject if not isinstance(part, list | tuple))
    if isinstance(subject, Activation):
        return subject.branches is None
    if isinstance(subject, str | sympy.Basic):
        return isinstance(subject, sympy.Basic)
    from gradtheory.chains.chain import Chain  # here, because the set of one neuron needs no chains

    return isinstance(subject, Chain)
