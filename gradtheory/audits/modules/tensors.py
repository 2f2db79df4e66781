"""What is asked of the tensors in nested inputs and outputs of torch modules."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array


def by_sample(gradient: Any) -> Array | None:
    """Return the squares of a gradient, row by row; None of a sparse one, or one without rows."""
    import torch

    if gradient.is_sparse or gradient.ndim < 2:
        return None
    norms = torch.linalg.vector_norm(as_real(gradient.detach()).flatten(1), dim=1, dtype=torch.float64)
    return np.asarray(norms.cpu().numpy()) ** 2


def sum_of_rows(first: Array | None, second: Array | None) -> Array | None:
    """Return the squares of two gradients, row by row; None where they have not the same samples."""
    return None if first is None or second is None or len(first) != len(second) else first + second


def tensors(value: Any) -> Iterator[Any]:
    """Yield the tensors of floats in nested inputs or outputs, but for sparse ones: such are matrices of a graph."""
    return (tensor for tensor in _tensors_of_numbers(value) if tensor.is_floating_point() and not is_sparse(tensor))


def _tensors_of_numbers(value: Any) -> Iterator[Any]:
    """Yield the tensors of floats and of complex numbers in nested inputs or outputs."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors_of_numbers(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors_of_numbers(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for entry in fields(value):
            yield from _tensors_of_numbers(getattr(value, entry.name))
    elif hasattr(value, "is_floating_point") and is_of_numbers(value):
        yield value


def viewed(value: Any, views: dict[int, Any]) -> Any:
    """Return inputs or outputs with views in place of tensors that gradients come back to: of one tensor, one view.

    What holds them in a class of its own is left as it is.
    """
    if type(value) is dict:
        return {key: viewed(part, views) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(viewed(part, views) for part in value)
    return views.setdefault(id(value), value.view_as(value)) if getattr(value, "requires_grad", False) else value


def is_sparse(tensor: Any) -> bool:
    """Return whether a tensor keeps only the entries that are not 0, in whichever way."""
    return str(tensor.layout) != "torch.strided"


def entries(tensor: Any) -> Any:
    """Return the entries of a tensor: of a sparse one those that it keeps."""
    return (tensor.coalesce() if tensor.is_sparse else tensor).values() if is_sparse(tensor) else tensor


def is_of_numbers(tensor: Any) -> bool:
    """Return whether a tensor is one of floats, or of complex numbers."""
    return bool(tensor.is_floating_point() or tensor.is_complex())


def as_real(tensor: Any) -> Any:
    """Return a tensor with pairs of real numbers in place of complex ones."""
    import torch

    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def square_sum(tensor: Any) -> Any:
    """Return the sum of squares in float64, as a tensor: gradients of embeddings may be sparse."""
    import torch

    values = tensor.detach()
    values = as_real(entries(values))
    return torch.linalg.vector_norm(values, dtype=torch.float64) ** 2  # in one pass, without a copy


def is_finite(value: Any) -> bool:
    """Return whether every tensor of floats, or of complex numbers, in nested inputs or outputs is finite."""
    return all(_is_finite(as_real(tensor.detach())) for tensor in _tensors_of_numbers(value))


def is_finite_or_masked(value: Any) -> bool:
    """Return whether all that is not finite in nested inputs or outputs is -inf, by which masks let nothing pass."""
    reals = (as_real(tensor.detach()) for tensor in _tensors_of_numbers(value))
    return all(_is_finite(real) or not bool((real.isnan() | real.isposinf()).any()) for real in reals)


def _is_finite(tensor: Any) -> bool:
    """Return whether a tensor is finite: if its sum is; else by looking at all numbers, 20 times as slow."""
    import torch

    tensor = entries(tensor)
    sum_type = torch.promote_types(tensor.dtype, torch.float32)
    return math.isfinite(tensor.sum(dtype=sum_type).item()) or bool(tensor.isfinite().all())


def gradients_of(module: Any) -> dict[str, list[Array]]:
    """Return the gradients by each submodule's own parameters."""
    given = {
        name: [each.grad for each in part.parameters(recurse=False) if each.grad is not None]
        for name, part in module.named_modules()
    }
    return {name: [as_real(each.to_dense()).double().cpu().numpy() for each in own] for name, own in given.items()}
