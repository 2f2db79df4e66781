"""Recurrent modules of torch, time step by time step: the gradient by the states of all layers together.

The gradient by the input of a single layer goes the same way as that by its state. Of several layers it does not: the
input of the last time step has one path to the last output, through all layers at once, and earlier ones have many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from gradtheory.audits.modules.tensors import square_sum, tensors


def has_time(module: Any, inputs: Sequence[Any]) -> bool:
    """Return whether it is a recurrent module of torch that runs in one direction, or several such layers.

    Packed sequences, which end at different steps, have no gradient at one last step.
    """
    is_packed = any(hasattr(each, "batch_sizes") for each in inputs)
    return hasattr(module, "weight_hh_l0") and not module.bidirectional and not is_packed


def axis_of_time(module: Any, x: Any) -> int:
    """Return which axis of its input is time: without a batch the first is."""
    return 1 if module.batch_first and x.ndim == 3 else 0


def above_rounding(squares: Sequence[float], gradient: Any, n: int) -> list[float]:
    """Return squares of n numbers each, with 0 for those near the least of their type, where rounding stops fading."""
    import torch

    kind = torch.finfo(gradient.dtype)
    return [square if square > 16.0 * n * (kind.tiny * kind.eps) ** 2 else 0.0 for square in squares]


@dataclass
class Unrolled:
    """A call of a recurrent module of several layers, to be run again step by step.

    Attributes
    ----------
    module, x : Module, tensor
        The module, and its input.
    start : tuple of tensor
        The state before the first time step, if one was given.
    state : tuple of tensor
        The state after the last one; none where the module gives something else.
    gradients : dict of int to tensor
        What came back to its outputs: to those of all time steps, 0, and to the last state.

    """

    module: Any
    x: Any
    start: tuple[Any, ...]
    state: tuple[Any, ...] = ()
    gradients: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, module: Any, x: Any, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> "Unrolled | None":
        """Return what unrolls a call of a module of several layers; None of a single one."""
        if module.num_layers < 2:
            return None
        return cls(module, x, tuple(tensors((*inputs[1:], keywords.get("hx")))))

    def watch(self, output: Any) -> None:
        """Note what comes back to what the module gives, if that is what torch's own modules give."""
        from torch import nn

        forwards = [base.forward for base in (nn.RNN, nn.GRU, nn.LSTM) if isinstance(self.module, base)]
        if type(self.module).forward not in forwards:
            return
        for place, tensor in enumerate(given := list(tensors(output))):
            if tensor.requires_grad:
                tensor.register_hook(lambda gradient, place=place: self.gradients.update({place: gradient.detach()}))
        self.state = tuple(given[1:])

    def squares(self) -> list[float]:
        """Return the squares of the gradient by the states before each time step; none where that is not known."""
        import torch

        if not self.state or not self.gradients:
            return []
        axis = axis_of_time(self.module, self.x)
        state = [each.detach().requires_grad_() for each in self.start or map(torch.zeros_like, self.state)]
        states, rows = [], []
        with torch.enable_grad():
            for x in self.x.detach().split(1, dim=axis):
                states.append(state)
                row, after = self.module.forward(x, tuple(state) if len(state) > 1 else state[0])
                rows.append(row)
                state = list(tensors((after,)))
            given = [torch.cat(rows, dim=axis), *state]
            ends = [given[place] for place in self.gradients]
            begins, back = list(chain(*states)), list(self.gradients.values())
            by_all = torch.autograd.grad(ends, begins, back, allow_unused=True)
        sizes = [0.0 if each is None else float(square_sum(each)) for each in by_all]
        squares = [sum(sizes[k : k + len(state)]) for k in range(0, len(sizes), len(state))]
        return above_rounding(squares, self.x, sum(each.numel() for each in state))
