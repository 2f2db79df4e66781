"""Hooks of a monitor, which no copy of the module keeps, and which end nobody's training."""

from collections.abc import Callable
from contextlib import nullcontext
from types import MethodType
from typing import Any

from gradtheory.errors import InvalidArgument
from gradtheory.networks.readers.untouched import is_initialised

_KINDS = ("_forward_hooks", "_forward_pre_hooks")


class Hook:
    """What is done at a call of a module, or with a gradient; where that fails, it is told, and nothing is done."""

    def __init__(self, act: Callable[..., Any], tell: Callable[[str], None]) -> None:
        self.act, self.tell = act, tell

    def __call__(self, *given: Any) -> Any:
        """Act, or tell why that is not possible."""
        try:
            return self.act(*given)
        except Exception as error:  # of tensors of some kind that PyTorch cannot add up, as those of torch.func
            self.tell(" ".join(f"{type(error).__name__}: {error}".split())[:200])
            return None

    def __reduce__(self) -> Any:
        """Return what is in place of it where a module copies what it holds by a method of its own: it does nothing."""
        return getattr, (nullcontext(), "__exit__")


def check_takes_hooks(module: Any, argument: str) -> None:
    """Raise InvalidArgument where hooks see nothing: before parameters have shapes, and in TorchScript."""
    from torch.jit import ScriptModule

    if not is_initialised(module):
        rule = "has parameters without a shape: call it once on a batch first"
        raise InvalidArgument(argument, type(module).__name__, rule)
    for path, part in module.named_modules():
        if isinstance(part, ScriptModule):
            rule = "is of TorchScript, which takes no hooks: give the module that was scripted or traced"
            raise InvalidArgument(argument, path or type(part).__name__, rule)


def keep_from_copies(part: Any) -> None:
    """Let copies of a module, and pickles, go without the hooks of monitors, until `let_copy`."""
    part.__dict__["__getstate__"] = MethodType(_state_without_hooks, part)


def let_copy(part: Any) -> None:
    """Undo `keep_from_copies`, if no monitor is left."""
    if not any(_ours(part.__dict__, kind) for kind in _KINDS):
        part.__dict__.pop("__getstate__", None)


def _state_without_hooks(part: Any) -> Any:
    of_its_class: Any = type(part).__getstate__
    state = of_its_class(part)
    if not isinstance(state, dict):
        return state
    state = {key: value for key, value in state.items() if key != "__getstate__"}
    for kind in _KINDS:
        ours = _ours(state, kind)
        for name in (kind, f"{kind}_with_kwargs"):
            if ours and name in state:
                state[name] = type(state[name])((key, each) for key, each in state[name].items() if key not in ours)
    return state


def _ours(state: dict[str, Any], kind: str) -> set[int]:
    return {key for key, hook in state.get(kind, {}).items() if isinstance(hook, Hook)}
