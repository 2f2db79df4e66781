"""A torch module that is left as it was: whatever its forward pass does to itself is undone."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np


def unwrapped(module: Any) -> Any:
    """Return the module within torch.compile and DataParallel, which compute the same."""
    from torch.nn.parallel import DataParallel, DistributedDataParallel

    while not any(
        getattr(module, f"_{way}_{kind}") for way in ("forward", "backward") for kind in ("hooks", "pre_hooks")
    ):
        if hasattr(module, "_orig_mod"):  # of torch.compile
            module = module._orig_mod
        elif isinstance(module, DataParallel | DistributedDataParallel):
            module = module.module
        else:
            break
    return module


@contextmanager
def untouched(module: Any) -> Iterator[None]:
    """Record gradients while the context lasts, and undo at its end what happened to the module and to random numbers.

    Modes, attributes, buffers and gradients are those of before. Lists and dicts that the module itself writes into are
    not copied.
    """
    import torch

    parts = list(module.modules())
    attributes = [(part, dict(part.__dict__), dict(part._buffers)) for part in parts]
    buffers = [(tensor, tensor.detach().clone()) for tensor in own_tensors(module)]
    generators = np.random.get_state(), random.getstate()  # noqa: NPY002  # those that a forward may draw from
    gradients = [(parameter, parameter.grad) for parameter in module.parameters()]
    devices = {parameter.device.index for parameter, _ in gradients if parameter.is_cuda}
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(sorted(devices)))
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            yield
    finally:
        np.random.set_state(generators[0])  # noqa: NPY002
        random.setstate(generators[1])
        for part, kept, own in attributes:
            part.__dict__.clear()
            part.__dict__.update(kept)
            part._buffers.clear()
            part._buffers.update(own)
        with torch.no_grad():
            for buffer, values in buffers:
                buffer.copy_(values)
        for parameter, gradient in gradients:
            parameter.grad = gradient


def own_tensors(module: Any) -> list[Any]:
    """Return the tensors that a module holds, buffers or plain attributes, but its parameters."""
    import torch

    plain = (value for part in module.modules() for value in vars(part).values() if isinstance(value, torch.Tensor))
    return [tensor for tensor in (*module.buffers(), *plain) if not _is_lazy(tensor)]


def uncompiled(module: Any) -> Any:
    """Return a context in which a compiled module runs as it is written: hooks do not see into compiled code."""
    import torch

    is_compiled = any(hasattr(part, "_orig_mod") or part._compiled_call_impl is not None for part in module.modules())
    return torch.compiler.set_stance("force_eager") if is_compiled else nullcontext()


def is_initialised(module: Any) -> bool:
    """Return whether all parameters have shapes: those of lazy modules have none before the first batch."""
    return not any(map(_is_lazy, (*module.parameters(), *module.buffers())))


def _is_lazy(tensor: Any) -> bool:
    from torch.nn.parameter import is_lazy

    return bool(is_lazy(tensor))
