"""What a torch module is called with: one batch, of arrays, of tensors, or of several of them."""

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.audits.modules.tensors import entries, is_sparse
from gradtheory.errors import InvalidArgument

SEVERAL = "several inputs are a tuple, or a dict by name"


def read_batch(value: Any, name: str) -> Any:
    """Return what may be a batch; a loader of batches is none, and what NumPy reads as an array becomes one."""
    if hasattr(value, "__array__") and not hasattr(value, "detach"):
        return np.asarray(value)
    if isinstance(value, list | tuple | Mapping | Real) or hasattr(value, "shape"):
        return value
    rule = f"must be one batch of arrays or tensors, as x, y = next(iter(loader)) gives; {SEVERAL}"
    raise InvalidArgument(name, type(value).__name__, rule)


def one_array(value: Any, name: str) -> Array:
    """Return a batch as one array of float64."""
    if isinstance(value, list) and len({getattr(part, "shape", None) for part in value}) > 1:
        rule = f"must be one array: pass the targets of a batch as y; {SEVERAL}"
        raise InvalidArgument(name, [type(part).__name__ for part in value], rule)
    return read_finite_array(raw(value), name)


def raw(value: Any) -> Any:
    """Return a tensor as an array, and anything else as it is; NumPy has no bfloat16, of which float32 holds all."""
    if not hasattr(value, "detach"):
        return value
    tensor = value.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def given_to(x: Any, module: Any) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Return what a module is called with, and the leaves of it that gradients come back to."""
    leaves: list[Any] = []
    if isinstance(x, Mapping):
        return [], _tensor(x, module, leaves, may_mask=True), leaves
    if is_several(x):
        return [_tensor(value, module, leaves, may_mask=True) for value in x], {}, leaves
    return [_tensor(x, module, leaves)], {}, leaves


def is_several(x: Any) -> bool:
    """Return whether x is a tuple of what a module takes, rather than an array that is written as a tuple."""
    return isinstance(x, tuple) and all(map(holds_arrays, x))


def holds_arrays(x: Any) -> bool:
    """Return whether x is an array, or holds one however deep within."""
    return hasattr(x, "shape") or (isinstance(x, list | tuple | Mapping) and any(map(holds_arrays, _items(x))))


def _items(x: Any) -> Iterable[Any]:
    return x.values() if isinstance(x, Mapping) else x


def _tensor(x: Any, module: Any, leaves: list[Any], *, may_mask: bool = False) -> Any:
    """Return x as the tensor that a module takes: where its parameters are, and floats in their type.

    One of several may be a mask, of 0 and -inf.
    """
    import torch

    if x is None or isinstance(x, bool | str):
        return x
    if isinstance(x, Mapping):
        return {key: _tensor(each, module, leaves, may_mask=may_mask) for key, each in x.items()}
    if isinstance(x, list | tuple) and holds_arrays(x):
        parts = [_tensor(each, module, leaves, may_mask=may_mask) for each in x]
        return x._make(parts) if hasattr(x, "_make") else type(x)(parts)
    tensor, first = torch.as_tensor(x), next(module.parameters(), None)
    held = entries(tensor)
    is_mask = may_mask and tensor.is_floating_point() and set(held.unique().tolist()) <= {0.0, -math.inf}
    if tensor.numel() == 0 or not (is_mask or bool(held.isfinite().all())):
        raise InvalidArgument("x", tuple(tensor.shape), "must have a sample or more, all of finite numbers")
    if first is not None:
        tensor = tensor.to(first.device)
    if not tensor.is_floating_point() or is_sparse(tensor):  # such as the matrix of a graph
        return tensor
    of_reals = next((each for each in module.parameters() if not each.is_complex()), first)
    leaves.append(tensor.detach().to(tensor if of_reals is None else of_reals).clone().requires_grad_())
    return leaves[-1].clone()  # a module may write over what it is given
