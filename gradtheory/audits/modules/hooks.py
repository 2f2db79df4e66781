"""Hooks that belong to one torch module: a copy of it, or what is saved of it, does without."""

import contextlib
import weakref
from collections.abc import Callable, MutableSequence
from typing import Any


class Hook:
    """A hook that does nothing when another module calls it, as a copy of its own does.

    Parameters
    ----------
    module : torch.nn.Module
        The one whose calls count, with its replicas on several devices.
    does : callable
        Takes what a hook takes.
    copies : list
        Where weak references to copies of the module are noted, for `without_hooks`.

    """

    def __init__(self, module: Any, does: Callable[..., Any], copies: MutableSequence[Any]) -> None:
        self.module, self.does, self.copies = weakref.ref(module), does, copies

    def __call__(self, module: Any, *given: Any) -> Any:
        """Do it, if it is the module's own call."""
        is_own = module is self.module() or getattr(module, "_is_replica", False)
        return self.does(module, *given) if is_own else None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Hook":
        copy = memo.get(id(self.module()))
        if copy is None:  # the hooks alone are copied
            return self
        self.copies.append(weakref.ref(copy))
        return Hook(copy, _nothing, self.copies)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what takes anything and returns None, of the standard library: it is loaded without this package."""
        return getattr, (contextlib.nullcontext(), "__exit__")


def without_hooks(copies: MutableSequence[Any]) -> None:
    """Remove the hooks from the copies of modules that are still there."""
    for reference in copies:
        if (module := reference()) is None:
            continue
        for hooks, marks in (
            (module._forward_pre_hooks, module._forward_pre_hooks_with_kwargs),
            (module._forward_hooks, module._forward_hooks_with_kwargs),
        ):
            for key in [key for key, hook in hooks.items() if isinstance(hook, Hook) and hook.copies is copies]:
                del hooks[key]
                marks.pop(key, None)
    copies.clear()


def _nothing(*_given: Any) -> None:
    return None
