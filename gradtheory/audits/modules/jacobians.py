"""The Jacobian of a part of a torch module: of what it gave by what the part before gave, known by its products."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.layers import NAN, AuditedLayer
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.stream import parts_before
from gradtheory.audits.singular_values import largest_of_products

_MOST_ENTRIES = 2**22  # of all that the modules give; beyond, some forty products of each part would take too long
_MOST_LOGITS = 2**20  # of one attention


def are_few(calls: Sequence[Call]) -> bool:
    """Return whether all that the calls gave has so few entries that singular values are looked for."""
    return sum(call.size for call in calls) <= _MOST_ENTRIES


def with_singular_values(
    layers: Sequence[AuditedLayer], parts: Sequence[Call], calls: list[Call]
) -> list[AuditedLayer]:
    """Return the layers with the largest singular values of what each part makes of the one before.

    What takes several others has none, as its gain is that by all of these. That runs through the graph again, so that
    what the calls noted of gradients holds no longer.
    """
    known = list(layers)
    if not are_few(calls):
        return known
    for place, (part, several) in enumerate(zip(parts, parts_before(parts, calls), strict=True)):
        if len(several) != 1 and not (several and parts[several[-1]].name == part.name):
            continue
        before = parts[several[-1]]
        are_single = all(call.edge and len(call.squares) == 1 for call in (part, before))
        if are_single and math.isfinite(part.gradient_square + before.gradient_square):
            value, error = _largest_singular_value(part, before)
            known[place] = replace(known[place], largest_singular_value=value, singular_value_error=error)
    return known


def _largest_singular_value(part: Call, before: Call) -> tuple[float, float]:
    """Return that of the Jacobian over the whole batch, and its error.

    It is nan where operations on the way have no second derivative, which J·u is made of: Jᵀv is linear in v, and the
    gradient of u·(Jᵀv) by v is J·u (Townsend 2017).
    """
    import torch

    given, taken = part.tensor, before.tensor
    along = torch.zeros_like(given, requires_grad=True)
    try:
        (back,) = torch.autograd.grad(part.edge, before.edge, along, create_graph=True)

        def push(u: Array) -> Array:
            return _array(torch.autograd.grad(back, along, _like(u, taken), retain_graph=True)[0])

        def pull(v: Array) -> Array:
            return _array(torch.autograd.grad(part.edge, before.edge, _like(v, given), retain_graph=True)[0])

        shape = given.numel(), taken.numel()
        return largest_of_products(LinearOperator(shape, matvec=push, rmatvec=pull, dtype=np.float64))
    except RuntimeError:  # torch's, of what cannot be differentiated twice
        return NAN, NAN


def _like(vector: Array, tensor: Any) -> Any:
    import torch

    return torch.as_tensor(vector).to(tensor).reshape(tensor.shape)


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.detach().double().flatten().cpu().numpy())


@contextmanager
def plain_attention() -> Iterator[None]:
    """Compute attention by single operations while the context lasts: PyTorch's fused one has no second derivative.

    Where the logits of a call are many it is left as it is: they would have to be kept.
    """
    from torch.nn import functional
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.overrides import TorchFunctionMode

    def is_small(function: Any, args: Any, keywords: Any) -> bool:
        query, key = args[:2] if len(args) > 1 else (keywords["query"], keywords["key"])
        if function is functional.multi_head_attention_forward:  # tokens, then samples, then heads times their size
            heads = args[4] if len(args) > 4 else keywords["num_heads"]
            logits = query.numel() // query.shape[-1] * key.shape[0] * heads
        else:
            logits = query.numel() // query.shape[-1] * key.shape[-2]
        return bool(logits <= _MOST_LOGITS)

    class Plain(TorchFunctionMode):  # type: ignore[misc]  # torch is not installed where types are checked
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            keywords = kwargs or {}
            attends = function in (functional.multi_head_attention_forward, functional.scaled_dot_product_attention)
            plainly = attends and is_small(function, args, keywords)
            with sdpa_kernel(SDPBackend.MATH) if plainly else nullcontext():
                return function(*args, **keywords)

    with Plain():
        yield
