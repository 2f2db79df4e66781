"""Checkpoints of torch, which keep nothing of a forward pass and run it again on the way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any


@contextmanager
def without_checkpoints() -> Iterator[None]:
    """Run what is under a checkpoint as it stands while the context lasts.

    No hook sees the first pass under a reentrant one, and the second pass is made outside of the contexts of the first.
    """
    from torch.utils import checkpoint

    def reentrant(function: Any, _: bool, *inputs: Any) -> Any:  # whether random numbers are to be the same again
        return function(*inputs)

    def other(*_: Any, **__: Any) -> Iterator[None]:
        yield

    names = {
        "CheckpointFunction": SimpleNamespace(apply=reentrant),
        "_checkpoint_without_reentrant_generator": other,  # a version of torch without this name does what it does
    }
    own = {name: vars(checkpoint)[name] for name in names if hasattr(checkpoint, name)}
    try:
        vars(checkpoint).update({name: names[name] for name in own})
        yield
    finally:
        vars(checkpoint).update(own)
