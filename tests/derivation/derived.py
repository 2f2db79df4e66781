"""Derivations, each made once in a process: its steps keep what became of their checks."""

import gradtheory as gt
from gradtheory.derivation import Derivation

_MADE: dict[str, Derivation] = {}


def derived(topic: str, **asked: object) -> Derivation:
    """Return what `gt.derive` does."""
    key = repr((topic, sorted(asked.items())))
    if key not in _MADE:
        _MADE[key] = gt.derive(topic, **asked)
    return _MADE[key]
