"""Torch modules traced by torch.fx: what a forward does, step by step, if that is the same at every call."""

import operator
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gradtheory.errors import InvalidArgument
from gradtheory.networks.readers.building import ADVICE
from gradtheory.networks.readers.checkpoints import without_checkpoints
from gradtheory.networks.readers.untouched import is_initialised, own_tensors, untouched, unwrapped

IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ipow", "imatmul", "ifloordiv", "imod")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_BACKWARD_HOOKS = ("_backward_hooks", "_backward_pre_hooks")


def traced_module(module: Any) -> tuple[Any, str]:
    """Return the traced graph of a torch module, without what wraps it, and its class.

    Raises
    ------
    InvalidArgument
        If it is no torch module, cannot be traced, or may do something else than its trace says.

    """
    torch: Any = sys.modules.get("torch")  # who has a module has imported it
    if torch is None or not isinstance(module, torch.nn.Module):
        raise InvalidArgument("module", module, "must be a torch.nn.Module")
    module = unwrapped(module)
    kind = type(module).__name__
    if not is_initialised(module):
        rule = "has parameters without a shape: call it once on a batch, and then again this"
        raise InvalidArgument("module", kind, rule)
    hooked = [name for name, part in module.named_modules() if any(getattr(part, each) for each in _BACKWARD_HOOKS)]
    if hooked:
        where = f" at {hooked[0]!r}" if hooked[0] else ""
        raise InvalidArgument("module", kind, f"has hooks on gradients{where}, which may change them; {ADVICE}")
    try:
        with untouched(module), without_checkpoints():
            module.train(False)
            versions = [(tensor, tensor._version) for tensor in own_tensors(module)]
            state = _random_state(torch)
            traced = torch.fx.GraphModule(module, _tracer().trace(module))
            is_drawn = _random_state(torch) != state
            is_changed = any(tensor._version != version for tensor, version in versions) or _is_replaced(traced)
    except Exception as error:  # whatever the module's own code raises when it is traced
        raise InvalidArgument("module", kind, f"{_untraced(module, error)}; {ADVICE}") from None
    for is_so, rule in (
        (is_drawn, "draws random numbers in its forward"),
        (is_changed, "writes over its own tensors in its forward"),
        (has_hooks(module), "has hooks, which may change what it computes"),
        ("forward" in vars(module), "has a forward of its own in place of its class's"),
    ):
        if is_so:
            raise InvalidArgument("module", kind, f"{rule}; {ADVICE}")
    return traced, kind


def _is_replaced(traced: Any) -> bool:
    """Return whether a tensor that is read is no longer there after the forward, which put what it computes there."""
    from torch import fx

    paths = (node.target for node in traced.graph.nodes if node.op == "get_attr")
    return any(isinstance(operator.attrgetter(path)(traced), fx.Proxy) for path in paths)


def has_hooks(module: Any) -> bool:
    """Return whether something is called before or after a module; within what is traced, that is traced too."""
    return any(getattr(module, name) for name in _HOOKS)


def _tracer() -> Any:
    """Return a tracer that notes which steps gradients do not pass, and which write over their input."""
    from torch import fx, is_grad_enabled

    class Proxy(fx.Proxy):  # type: ignore[misc]  # torch is not installed where types are checked
        """A value under trace, of which g += x is no new one, as torch.fx has it."""

    for each in IN_PLACE:
        setattr(Proxy, f"__{each}__", _in_place(getattr(operator, each)))

    class Tracer(fx.Tracer):  # type: ignore[misc]  # likewise
        def create_node(self, *args: Any, **keywords: Any) -> Any:
            node = super().create_node(*args, **keywords)
            node.meta["is_passed"] = is_grad_enabled()
            return node

        def proxy(self, node: Any) -> Any:
            return Proxy(node, self)

    return Tracer()


def _in_place(operation: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def method(value: Any, other: Any) -> Any:
        return value.tracer.create_proxy("call_function", operation, (value, other), {})

    return method


def _random_state(torch: Any) -> tuple[Any, ...]:
    """Return the state of the generators that a forward may draw from: torch's, NumPy's and Python's."""
    of_numpy: Any = np.random.get_state(legacy=False)  # noqa: NPY002  # it is the one that others use
    numbers = {name: np.asarray(value).tolist() for name, value in of_numpy["state"].items()}
    return torch.get_rng_state().tolist(), numbers, random.getstate()


def _untraced(module: Any, error: Exception) -> str:
    """Return why a module cannot be read where torch.fx cannot follow its forward."""
    text = " ".join(str(error).split())
    if all(type(part).__module__.startswith("torch.nn.") for part in module.modules()):
        return f"is a torch.nn.{type(module).__name__}, which is not understood"
    if "control flow" in text or "'Proxy' object" in text:
        text = "an if or a loop in its forward depends on the values or the shape of a tensor"
    return f"cannot be traced ({text[:150]})"
