"""The loss with which the gradient of a measured torch module starts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradtheory.audits.measure import NONE, OWN, YOURS
from gradtheory.audits.modules.batches import is_several, raw
from gradtheory.audits.modules.tensors import tensors
from gradtheory.errors import InvalidArgument

_LOSSES = {
    "mse": "mse_loss",
    "softmax_cross_entropy": "cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits",
}

_UNDONE = {"BinaryCrossEntropy": "Sigmoid", "NllLoss": "LogSoftmax", "NllLoss2D": "LogSoftmax"}
_NEAR = 4  # steps from the end, where a loss is scaled, or one of several
_OF_SHAPES = re.compile(
    "(UnsafeView|View|ReshapeAlias|(Un)?[Ss]queeze|T(ranspose)?|Permute|Select|Slice|ToCopy|Alias|Clone)Backward.*"
)


def undone_by(value: Any, output: Any) -> str:
    """Return the kind of last module whose slopes a loss undoes: it divides by them, or takes logarithms for numbers.

    What is left of the gradient in front of that module is p - y, as where the loss takes logits. It must take the
    output as it is, but for its shape.
    """
    given = [tensor.grad_fn for tensor in tensors(output)]
    steps = [] if value.grad_fn is None else [value.grad_fn]
    for _ in range(_NEAR):
        for step in steps:
            kind = _UNDONE.get(step.name().partition("Backward")[0], "")
            if kind and _takes(step.next_functions[0][0], given):
                return kind
        steps = [before for step in steps for before, _ in step.next_functions if before is not None]
    return ""


def _takes(step: Any, given: Sequence[Any]) -> bool:
    """Return whether a step takes one of the tensors that some steps have made, but for its shape."""
    while step is not None and step not in given and _OF_SHAPES.fullmatch(step.name()):
        step = step.next_functions[0][0]
    return step in given


def name_of(returned: Any, y: Any, loss: Any) -> str:
    """Return which loss the gradient starts from: its name, the module's own, a function, or none."""
    output = next(tensors(returned))
    if y is None:
        return OWN if output.ndim == 0 else NONE
    if loss is not None:
        return loss if isinstance(loss, str) else YOURS
    kind, ndim = np.asarray(raw(y)).dtype.kind, np.asarray(raw(y)).ndim
    return "softmax_cross_entropy" if kind in "biu" and ndim == output.ndim - 1 else "mse"


def loss_of(returned: Any, y: Any, loss: Any, seed: int, torch: Any) -> Any:
    """Return the loss of what a module returned: its own where there are no targets, or along a random direction."""
    output = next(tensors(returned), None)
    if output is None:
        raise InvalidArgument("module", type(returned).__name__, "must return a tensor of floats, or what holds one")
    if y is None and output.ndim == 0:
        return output  # a loss of the module's own
    if y is None:
        generator = torch.Generator().manual_seed(seed)
        return (output * torch.randn(output.shape, generator=generator).to(output)).sum()
    if callable(loss):
        return _by(loss, returned, _targets(y, output.device, torch))
    target = torch.as_tensor(y).to(output.device)
    name = name_of(returned, y, loss)
    if name == "mse_sum":
        return torch.nn.functional.mse_loss(output, _alike(target, output), reduction="sum")
    if name not in _LOSSES:
        names = ", ".join(map(repr, (*_LOSSES, "mse_sum")))
        raise InvalidArgument("loss", loss, f"must be one of {names}, or a callable of the output and y")
    if name == "softmax_cross_entropy" and target.ndim < output.ndim:
        is_last = output.ndim > 2 and target.shape == output.shape[:-1]  # torch has classes second
        return torch.nn.functional.cross_entropy(output.movedim(-1, 1) if is_last else output, target.long())
    return getattr(torch.nn.functional, _LOSSES[name])(output, _alike(target, output))


def _by(loss: Any, returned: Any, targets: Any) -> Any:
    """Return what a function of the caller's makes of the output and the targets: a tensor of one number."""
    if isinstance(loss, type):
        raise InvalidArgument("loss", loss.__name__, f"is a class: make a loss of it, as {loss.__name__}()")
    try:
        value = loss(returned, targets)
    except Exception as error:  # whatever it raises
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InvalidArgument("loss", loss, f"does not take the output and y: {text}") from error
    if not hasattr(value, "requires_grad") or value.numel() != 1:
        what = f"one of shape {tuple(value.shape)}" if hasattr(value, "numel") else f"a {type(value).__name__}"
        raise InvalidArgument("loss", loss, f"must return a tensor of one number, as a mean does; it returned {what}")
    return value


def _targets(y: Any, device: Any, torch: Any) -> Any:
    """Return targets as tensors: one, or as many as are given in a tuple or a dict."""
    if isinstance(y, Mapping):
        return {key: _targets(each, device, torch) for key, each in y.items()}
    if isinstance(y, tuple) and is_several(y):
        return tuple(_targets(each, device, torch) for each in y)
    return torch.as_tensor(y).to(device)


def _alike(target: Any, output: Any) -> Any:
    """Return targets in the type of the output; torch would broadcast other shapes."""
    if target.shape != output.shape:
        raise InvalidArgument("y.shape", tuple(target.shape), f"must be {tuple(output.shape)}, as the output's")
    return target.to(output)
