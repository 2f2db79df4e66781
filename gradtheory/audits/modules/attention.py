"""Attention in a torch module: the logits of every softmax, and whether they were divided by √d.

Modules do not tell what they compute within, so the operations are watched below autograd. A product of matrices is
remembered by its storage, with the length d of its dot products and the numbers that multiply it on the way.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.audits.layers import PEERS

_MASKED = -1e4  # logits below are masks
_SHARP = 1.0  # a standard deviation of logits that is no longer small
_STANDS_OUT = 2.0  # times the usual deviation of its peers
_ONE_HOT = 10.0  # a deviation of logits beyond √(2 log n) for every n in use: softmax leaves a single 1
_LEAST = 4  # the length of dot products from which √d matters


@dataclass(frozen=True)
class Logits:
    """The logits of one softmax.

    Attributes
    ----------
    module : str
        In which it is computed.
    length : int
        d, of the dot products that the logits are; 0 where they are something else.
    factor : float
        By which the products were multiplied: 1/√d in usual attention.
    deviation : float
        The root mean square deviation of logits from the mean of their row.

    """

    module: str
    length: int
    factor: float
    deviation: float

    @property
    def is_unscaled(self) -> bool:
        """Whether the logits are dot products that nothing was divided by."""
        return self.length >= _LEAST and self.factor > 0.999

    @property
    def is_scaled(self) -> bool:
        """Whether they are divided by √d, or by more."""
        return self.length >= _LEAST and self.factor * math.sqrt(self.length) <= 1.5


@contextmanager
def watched(module_now: Callable[[], str]) -> Iterator[list[Logits]]:
    """Record the logits of every softmax while the context lasts.

    Parameters
    ----------
    module_now : callable
        Returns the name of the module that is being called.

    """
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: list[Logits] = []
    known: dict[int, tuple[Any, int, float]] = {}  # by storage: the tensor, which keeps it, its d and its factor

    def look_up(tensor: Any) -> tuple[int, float]:
        return known.get(tensor.untyped_storage().data_ptr(), (None, 0, 1.0))[1:]

    def keep(tensor: Any, length: int, factor: float) -> None:
        known[tensor.untyped_storage().data_ptr()] = (tensor, length, factor)

    class Watch(TorchDispatchMode):  # type: ignore[misc]  # torch is not installed where types are checked
        def noting(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = operation(*args, **(kwargs or {}))
            name = operation.__name__.partition(".")[0]
            if name in ("bmm", "mm", "baddbmm") and len(args) >= 2:
                left, right = args[-2:] if name == "baddbmm" else args[:2]
                keep(result, int(left.shape[-1]), look_up(left)[1] * look_up(right)[1])
            elif name in ("mul", "div", "mul_", "div_"):
                number = _number(args[1])
                if number is not None:
                    length, factor = look_up(args[0])
                    keep(result, length, factor * number if name.startswith("mul") else factor / (number or 1.0))
            elif name in ("clone", "_to_copy", "masked_fill", "masked_fill_", "add", "add_", "where"):
                source = args[1] if name == "where" else args[0]
                if hasattr(source, "untyped_storage"):
                    keep(result, *look_up(source))
            elif name in ("_softmax", "_safe_softmax"):
                seen.append(Logits(module_now(), *look_up(args[0]), _deviation(args[0])))
            elif name.startswith("_scaled_dot_product"):
                seen.append(_fused(module_now(), args, kwargs or {}))
            return result

    Watch.__torch_dispatch__ = Watch.noting  # within the class, it would import torch's compiler, which takes seconds
    with Watch():
        yield seen


def _number(value: Any) -> float | None:
    """Return a factor: a number, or a tensor of one."""
    if isinstance(value, int | float):
        return float(value)
    if hasattr(value, "numel") and value.numel() == 1:
        return float(value.detach())
    return None


def _fused(module: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Logits:
    """Return the logits of a fused attention, which are computed again."""
    query, key = args[0].detach(), args[1].detach()
    length, scale = int(query.shape[-1]), kwargs.get("scale")
    factor = 1.0 / math.sqrt(length) if scale is None else float(scale)
    return Logits(module, length, factor, _deviation(factor * (query @ key.transpose(-1, -2))))


def _deviation(logits: Any) -> float:
    values = logits.detach().double().cpu().numpy()
    masked = np.where(values > _MASKED, values, np.nan)
    counts = np.sum(~np.isnan(masked), axis=-1, keepdims=True)
    means = np.nansum(masked, axis=-1, keepdims=True) / np.maximum(counts, 1)
    squares = np.nansum((masked - means) ** 2)
    return float(np.sqrt(squares / max(1.0, float(counts.sum()))))


def attention_fault(calls: Sequence[Logits]) -> tuple[str, str] | None:
    """Return the module whose logits are not scaled, or far larger than those of its peers, and why."""
    for call in calls:
        peers = [each for each in calls if each.module != call.module and each.length]
        is_alone = bool(peers) and all(each.is_scaled for each in peers)
        if call.is_unscaled and (call.deviation > _SHARP or is_alone):
            fault = f"its attention logits are not divided by √d = {math.sqrt(call.length):.3g}"
            return call.module, f"{fault}: they deviate by {call.deviation:.3g} within a row"
    deviations = sorted(call.deviation for call in calls)
    if len(calls) > PEERS:
        usual = deviations[len(deviations) // 2]
        worst = max(calls, key=lambda call: call.deviation)
        if worst.deviation > max(_SHARP, _STANDS_OUT * usual):
            fault = f"its attention logits deviate by {worst.deviation:.3g} within a row"
            return worst.module, f"{fault}, where {usual:.3g} is usual here"
    one_hot = next((call for call in calls if call.deviation > _ONE_HOT), None)
    if one_hot is not None:
        fault = f"its attention logits deviate by {one_hot.deviation:.3g} within a row"
        return one_hot.module, f"{fault}, of which a softmax makes a single 1"
    return None
