"""Recurrent modules of torch, run again: how the gradient that enters at one time step goes back to the first.

The gradient of the loss itself enters at every step that the loss reads, and is larger at an early one where the losses
of later ones are small. What goes through time is told by what enters last alone.

The gradient by the input of a single layer goes the same way as that by its state. Of several layers it does not: the
input of the last time step has one path to the last output, through all layers at once, and earlier ones have many.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from gradtheory.audits.modules.tensors import square_sum, tensors
from gradtheory.audits.thresholds import STRETCH


@dataclass
class Unrolled:
    """A call of a recurrent module of torch, to be run again: step by step, if it has several layers.

    Attributes
    ----------
    module, x : Module, tensor
        The module, and its input.
    start : tuple of tensor
        The state before the first time step, if one was given.
    state : tuple of tensor
        The state after the last one.
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
        """Return what unrolls a call of a recurrent module of torch that runs in one direction; None of any other.

        Packed sequences, which end at different steps, have no gradient at one last step; and what the outputs are of a
        subclass with a `forward` of its own is not known.
        """
        from torch import nn

        forwards = [base.forward for base in (nn.RNN, nn.GRU, nn.LSTM) if isinstance(module, base)]
        is_packed = any(hasattr(each, "batch_sizes") for each in (*inputs, *keywords.values()))
        if x is None or is_packed or type(module).forward not in forwards or module.bidirectional:
            return None
        return cls(module, x, tuple(tensors((*inputs[1:], keywords.get("hx")))))

    def watch(self, output: Any) -> None:
        """Note what comes back to what the module gives."""
        for place, tensor in enumerate(given := list(tensors(output))):
            if tensor.requires_grad:
                tensor.register_hook(lambda gradient, place=place: self.gradients.update({place: gradient.detach()}))
        self.state = tuple(given[1:])

    @property
    def by(self) -> str:
        """By what the gradient is followed."""
        return "input" if self.module.num_layers < 2 else "state"

    @property
    def read(self) -> list[int]:
        """At which time steps a gradient enters."""
        output, steps = self.gradients.get(0), self.x.shape[self._axis]
        at = set() if output is None else {k for k, square in enumerate(_by_step(output, self._axis)) if square > 0.0}
        states = (gradient for place, gradient in self.gradients.items() if place)
        return sorted(at | {steps - 1 for gradient in states if bool(gradient.any())})

    def growth(self, *, whole: bool = False) -> tuple[float, int] | None:
        """Return by which logarithm the gradient that enters last, or all of it, grows to the first step, in how many.

        What has faded to 0 on the way is not followed further. None where there is nothing to follow.
        """
        squares = self.squares(whole=whole)
        first = next((k for k, square in enumerate(squares) if square > 0.0), len(squares))
        steps = len(squares) - 1 - first
        if steps < 1 or not squares[-1] > 0.0 or not math.isfinite(sum(squares)):
            return None
        return 0.5 * math.log(squares[first] / squares[-1]), steps

    @property
    def is_read_early(self) -> bool:
        """Whether what enters last fades, and all of the gradient does not, as early steps are read, too."""
        growths = (self.growth(whole=whole) for whole in (False, True)) if len(self.read) > 1 else ()
        faded = [growth is not None and growth[0] < -math.log(STRETCH) for growth in growths]
        return faded == [True, False]

    def squares(self, *, whole: bool = False) -> list[float]:
        """Return the squares of the gradient that enters last, or all of it, by the input of each step up to that one.

        Of several layers it is by the state before. There are none where that is not known.
        """
        import torch

        if not (read := self.read) or not read[-1]:
            return []
        last, axis = read[-1], self._axis
        x = self.x.detach().narrow(axis, 0, last + 1).clone().requires_grad_()
        start = [each.detach().requires_grad_() for each in self.start or map(torch.zeros_like, self.state)]
        with torch.enable_grad():
            if self.by == "input":
                output, state = self._run(x, start)
                begins = [x]
            else:
                states, rows, state = [], [], start
                for row in x.split(1, dim=axis):
                    states.append(state)
                    output, state = self._run(row, state)
                    rows.append(output)
                output, begins = torch.cat(rows, dim=axis), list(chain(*states))
            begin, count = (0, last + 1) if whole else (last, 1)
            ends = {0: output.narrow(axis, begin, count)} | dict(enumerate(state, 1))
            back = self.gradients if last == self.x.shape[axis] - 1 else {0: self.gradients[0]}
            back = back | {0: back[0].narrow(axis, begin, count)} if 0 in back else back
            by_all = torch.autograd.grad([ends[k] for k in back], begins, list(back.values()), allow_unused=True)
        if self.by == "input":
            return [] if by_all[0] is None else _by_step(by_all[0], axis)
        sizes = [0.0 if each is None else float(square_sum(each)) for each in by_all]
        squares = [sum(sizes[k : k + len(start)]) for k in range(0, len(sizes), len(start))]
        return _above_rounding(squares, x, sum(each.numel() for each in start))

    @property
    def _axis(self) -> int:
        """Which axis of the input is time: without a batch the first is."""
        return 1 if self.module.batch_first and self.x.ndim == 3 else 0

    def _run(self, x: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        output, after = self.module.forward(x, tuple(state) if len(state) > 1 else state[0])
        return output, list(tensors((after,)))


def _by_step(gradient: Any, axis: int) -> list[float]:
    """Return the squares of a gradient for each time step."""
    others = [k for k in range(gradient.ndim) if k != axis]
    squares = (gradient.detach().double() ** 2).sum(dim=others).tolist()
    return _above_rounding(squares, gradient, gradient.numel() // max(1, gradient.shape[axis]))


def _above_rounding(squares: Sequence[float], gradient: Any, n: int) -> list[float]:
    """Return squares of n numbers each, with 0 for those near the least of their type, where rounding stops fading."""
    import torch

    kind = torch.finfo(gradient.dtype)
    return [square if square > 16.0 * n * (kind.tiny * kind.eps) ** 2 else 0.0 for square in squares]
