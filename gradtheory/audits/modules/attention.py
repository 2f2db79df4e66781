"""Attention in a torch module: the logits of every softmax, and whether they were divided by √d.

Modules do not tell what they compute within, so the operations are watched below autograd. A product of matrices is
remembered by its storage, with the length d of its dot products, the numbers that multiply it on the way, and what is
added to it: masks, and biases as those of relative positions. Queries and keys are judged by their products alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gradtheory.audits.layers import PEERS
from gradtheory.audits.modules.graph import maker, steps_before

_MASKED = -5e3  # logits below are masks, whatever wrote them
_SHARP = 1.0  # a standard deviation of logits that is no longer small
_UNSCALED = 1.5  # the same where nothing is divided by √d: T5's queries are small, so that theirs is 1
_TEMPERED = 2.0  # the same of others than dot products, as those times a temperature: cosine attention starts at 1.7
_STANDS_OUT = 4.0  # times the usual deviation of its peers, which a training that goes well may double
_ONE_HOT = 10.0  # a deviation of logits beyond √(2 log n) for every n in use: softmax leaves a single 1
_MOST_STEPS = 50  # that parametrizations take from a parameter to a weight
_LEAST = 4  # the length of dot products from which √d matters


@dataclass(frozen=True)
class Logits:
    """The logits of one softmax.

    Attributes
    ----------
    module : str
        In which it is computed.
    length : int
        d, of the dot products that the logits are; 0 where they are something else, or times a tensor.
    factor : float
        By which the products were multiplied: 1/√d in usual attention.
    deviation : float
        The root mean square deviation of logits from the mean of their row, without what was added to the products, and
        among those that this lets through.

    """

    module: str
    length: int
    factor: float
    deviation: float

    @property
    def sharp(self) -> float:
        """The deviation from which it is no longer small."""
        return _SHARP if self.length else _TEMPERED

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
    known = _Known()

    class Watch(TorchDispatchMode):  # type: ignore[misc]  # torch is not installed where types are checked
        def noting(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result, named = operation(*args, **(kwargs or {})), kwargs or {}
            name = operation.__name__.partition(".")[0]
            if name in ("_softmax", "_safe_softmax"):
                length, factor, added = known.held(args[0])
                seen.append(Logits(module_now(), length, factor, _deviation(args[0], added, args[1])))
            elif name.startswith("_scaled_dot_product"):
                seen.append(_fused(module_now(), args, named))
            else:
                known.note(name.removesuffix("_"), args, named, result)
            return result

    Watch.__torch_dispatch__ = Watch.noting  # within the class, it would import torch's compiler, which takes seconds
    with Watch():
        yield seen


_Held = tuple[int, float, Any]  # of products: d, their factor, and what was added to them; None where there are none
_NOTHING: _Held = (0, 1.0, None)


class _Known:
    """What tensors hold, by their storage; it keeps them, so that no storage is used again."""

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.by_storage: dict[int, tuple[Any, _Held]] = {}

    def held(self, tensor: Any) -> _Held:
        """Return what a tensor, or another view of its numbers, holds."""
        if not self._is_dense(tensor):
            return _NOTHING
        whole, (length, factor, added) = self.by_storage.get(_storage(tensor), (tensor, _NOTHING))
        if whole.dtype != tensor.dtype:
            return _NOTHING
        if self._is_dense(added) and _layout(whole) != _layout(tensor):
            numbers = whole.new_zeros(whole.untyped_storage().nbytes() // whole.element_size())
            numbers.as_strided(*_layout(whole)).copy_(added)
            added = numbers.as_strided(*_layout(tensor))
        return length, factor, added

    def note(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> None:
        """Note what the result of an operation holds."""
        if name in ("bmm", "mm", "baddbmm"):
            holding = self._product(name, args, kwargs)
        elif name in ("mul", "div"):
            holding = self._times(name, *args[:2])
        elif name in ("add", "sub"):
            holding = self._sum(args[0], args[1], (1.0 if name == "add" else -1.0) * kwargs.get("alpha", 1))
        elif name == "masked_fill":
            length, factor, added = self.held(args[0])
            holding = length, factor, None if added is None else self.torch.where(args[1], args[2], added)
        elif name == "where" and len(args) == 3:
            one, other = self.held(args[1]), self.held(args[2])
            length, factor, added = other if one[2] is None else one
            parts = [arg if held[2] is None else held[2] for arg, held in zip(args[1:], (one, other), strict=True)]
            holding = length, factor, None if added is None else self.torch.where(args[0], *parts)
        elif name in ("clone", "_to_copy"):
            holding = self.held(args[0])
        else:
            return
        if self._is_dense(result) and result.numel() and (holding != _NOTHING or _storage(result) in self.by_storage):
            self.by_storage[_storage(result)] = result, holding

    def _product(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> _Held:
        left, right = args[1:3] if name == "baddbmm" else args[:2]
        factor = self.held(left)[1] * self.held(right)[1]
        is_layer = name == "mm" and (self._is_weight(left) or self._is_weight(right))
        length = 0 if is_layer else int(left.shape[-1])
        if name != "baddbmm":
            return length, factor, 0.0
        beta = kwargs.get("beta", 1)
        return length, factor * kwargs.get("alpha", 1), beta * args[0] if beta else 0.0

    def _times(self, name: str, one: Any, other: Any) -> _Held:
        if name == "mul" and self.held(one)[2] is None and self.held(other)[2] is not None:
            one, other = other, one
        (length, factor, added), number = self.held(one), _number(other)
        if number is None:
            length, factor = 0, 1.0
        elif name == "mul":
            factor *= number
        else:
            factor /= number or 1.0
        return length, factor, added if not self._is_dense(added) else added * other if name == "mul" else added / other

    def _sum(self, one: Any, other: Any, times: float) -> _Held:
        (length, factor, added), (other_length, other_factor, other_added) = self.held(one), self.held(other)
        if added is None and other_added is None:
            return length, factor, None
        if length == 0:
            length, factor = other_length, times * other_factor
        added, other_added = one if added is None else added, other if other_added is None else other_added
        is_nothing = isinstance(other_added, float) and other_added == 0.0
        return length, factor, added if is_nothing else added + times * other_added

    def _is_dense(self, value: Any) -> bool:
        return isinstance(value, self.torch.Tensor) and value.layout == self.torch.strided

    def _is_weight(self, matrix: Any) -> bool:
        """Whether a matrix is a parameter, or made of parameters alone: what it multiplies are no queries and keys."""
        waiting = [maker(matrix if matrix._base is None else matrix._base)]
        seen = set(waiting)
        while waiting:
            step = waiting.pop()
            made_of = set(steps_before(step))
            is_fixed = bool(made_of) or isinstance(step, self.torch.nn.Parameter)
            if not is_fixed or len(seen) > _MOST_STEPS or (made_of and "Embedding" in step.name()):
                return False
            waiting += made_of - seen
            seen |= made_of
        return True


def _storage(tensor: Any) -> int:
    return int(tensor.untyped_storage().data_ptr())


def _layout(tensor: Any) -> tuple[Any, Any, Any]:
    return tensor.size(), tensor.stride(), tensor.storage_offset()


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
    return Logits(module, length, factor, _deviation(factor * (query @ key.transpose(-1, -2)), None, -1))


def _deviation(logits: Any, added: Any, dim: int) -> float:
    """Return how far logits deviate without what was added to them, by the weights that a softmax gives that alone."""
    values = logits.detach().double().cpu()
    alone = values.new_zeros(values.shape) + (
        0.0 if added is None else added if isinstance(added, float) else added.cpu()
    )
    alone = alone.masked_fill(~(values > _MASKED), -math.inf)
    weights = alone.softmax(dim).nan_to_num()  # of a row that is all masked, none
    products = (values - alone).masked_fill(weights == 0.0, 0.0)
    means = (weights * products).sum(dim, keepdim=True)
    squares, rows = (weights * (products - means) ** 2).nansum(), weights.sum()
    return math.sqrt(float(squares) / max(1.0, float(rows)))


def attention_fault(calls: Sequence[Logits]) -> tuple[str, str] | None:
    """Return the module whose logits are not scaled, or far larger than those of its peers, and why."""
    for call in calls:
        peers = [each for each in calls if each.module != call.module and each.length]
        is_alone = bool(peers) and all(each.is_scaled for each in peers)
        if call.is_unscaled and (call.deviation > _UNSCALED or is_alone):
            fault = f"its attention logits are not divided by √d = {math.sqrt(call.length):.3g}"
            return call.module, f"{fault}: they deviate by {call.deviation:.3g} within a row"
    deviations = sorted(call.deviation for call in calls)
    if len(calls) > PEERS:
        usual = deviations[len(deviations) // 2]
        worst = max(calls, key=lambda call: call.deviation - call.sharp)
        if worst.deviation > max(worst.sharp, _STANDS_OUT * usual):
            fault = f"its attention logits deviate by {worst.deviation:.3g} within a row"
            return worst.module, f"{fault}, where {usual:.3g} is usual here"
    one_hot = next((call for call in calls if call.deviation > _ONE_HOT), None)
    if one_hot is not None:
        fault = f"its attention logits deviate by {one_hot.deviation:.3g} within a row"
        return one_hot.module, f"{fault}, of which a softmax makes a single 1"
    return None
