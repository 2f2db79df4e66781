"""What norms take away of a gradient since it lies along what they give: of a batch that is fitted nearly all of it.

What a norm gives has the same size whatever its input, so that no gradient comes back along it. Of random gradients
that is one direction of many, and with a mean that is taken off another.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradtheory.audits.layers import AuditedBlock
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.pooling import is_on_every_path
from gradtheory.audits.thresholds import STRETCH

_LIKE = 0.01  # beside numbers of size 1: epsilon may be that large, and float16 as coarse
_MATTERS = 0.9  # of the gradient


def watching(call: Call, part: Any, taken: Any, given: Any) -> Callable[[Any], None] | None:
    """Return what notes in a call of a norm which share of the gradient it lets pass; None where that is not known."""
    if "Norm" not in call.kind or taken is None or not taken.numel() or getattr(given, "shape", None) != taken.shape:
        return None
    weight, bias = (_parameter(part, name) for name in ("weight", "bias"))
    axes = tuple(range(-1 if weight is None else -weight.ndim, 0))
    if not axes or any(each is not None and each.shape != taken.shape[axes[0] :] for each in (weight, bias)):
        return None
    factor = 1.0 if weight is None else weight.detach().float()
    for is_centred in (True, False):
        u, _ = _normed(taken, axes, is_centred)
        wanted = u * factor + (0.0 if bias is None else bias.detach().float())
        if not (given.detach().float() - wanted).abs().max() <= _LIKE * wanted.abs().max():
            continue

        def note(gradient: Any, is_centred: bool = is_centred) -> None:
            u, size = _normed(taken, axes, is_centred)
            by_u = gradient.detach().float() * factor / size
            passed = by_u - u * (u * by_u).mean(axes, keepdim=True)
            if is_centred:
                passed = passed - by_u.mean(axes, keepdim=True)
            number = math.prod(taken.shape[axis] for axis in axes)
            usual = (1.0 - (1.0 + is_centred) / number) * float((by_u**2).sum())
            call.lets_pass = min(1.0, math.sqrt(float((passed**2).sum()) / usual)) if usual > 0.0 else 1.0

        return note
    return None


def _parameter(part: Any, name: str) -> Any:
    """Return the tensor of a name: a part of one's own may hold anything there, or nothing."""
    value = getattr(part, name, None)
    return value if hasattr(value, "detach") and hasattr(value, "ndim") else None


def _normed(taken: Any, axes: tuple[int, ...], is_centred: bool) -> tuple[Any, Any]:
    """Return numbers divided by their root mean square, and that."""
    values = taken.detach().float()
    values = values - values.mean(axes, keepdim=True) if is_centred else values
    size = (values**2).mean(axes, keepdim=True).sqrt().clamp(min=1e-30)
    return values / size, size


def lets_pass(part: Call, calls: Sequence[Call]) -> float:
    """Return which share of the gradient the norms in a part let pass that all it gives goes through."""
    share, waiting = part.lets_pass, list(part.children)
    while waiting:
        call = calls[waiting.pop()]
        waiting += call.children
        if call.lets_pass < _MATTERS and part.left is not None and is_on_every_path(call, part):
            share *= call.lets_pass
    return share


def not_let_pass(blocks: Sequence[AuditedBlock]) -> dict[str, str]:
    """Return why blocks do not count that make the gradient much smaller by what norms take away of it."""
    why = (
        "as most of the gradient lies along what a norm gives, which no norm lets pass: the verdict does not count that"
    )
    known = [block for block in blocks if block.gain * STRETCH < 1.0 and block.lets_pass > 0.0]
    return {
        block.name: f"its gain is {block.gain:.3g}, {why}" for block in known if block.gain * STRETCH > block.lets_pass
    }
