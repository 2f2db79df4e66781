"""A monitor of training: gradient norms per module, and where the first number that is not finite came from."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import read_count
from gradtheory.audits.modules.hooks import Hook, check_takes_hooks, keep_from_copies, let_copy
from gradtheory.audits.modules.module import is_module
from gradtheory.audits.modules.tensors import is_finite, is_finite_or_masked, square_sum, tensors, viewed
from gradtheory.errors import InvalidArgument
from gradtheory.networks.readers.untouched import uncompiled


class NotFinite(NamedTuple):
    """Where a number that is not finite started, or was first seen where not every step is recorded.

    Attributes
    ----------
    step : int
        Counted from 1. Of the steps before, those that were not recorded may have had such a number already: the
        weights are nan afterwards, and the module named is then the first that they are met in.
    module : str
        The innermost module whose inputs were finite and whose output was not; or, backward, whose output had a finite
        gradient and whose inputs, or parameters, had not. "(input)" where what the module was given was not finite, and
        "(loss)" where the gradient that came to its output was not.
    direction : {"forward", "backward"}

    """

    step: int
    module: str
    direction: str


@dataclass
class Monitor(ShownAsTable):
    """What is recorded while a torch module is trained; made by `monitor`.

    Attributes
    ----------
    steps : list of int
        The steps that were recorded. A step is a backward pass and what was forward before it; norms are those of the
        gradients that have been added up in the parameters by then, with the loss scale where there is one.
    gradient_norms : dict of str to list of float
        For each module with parameters of its own: the norm of the gradient by them, for each recorded step.
    not_finite : NotFinite or None
        The first number that was inf or nan, among the recorded steps.
    unseen : str
        Why some numbers could not be looked at, as those within `torch.func.vmap`; "" where all were.

    """

    module: Any = field(repr=False)
    every: int = 1
    steps: list[int] = field(default_factory=list)
    gradient_norms: dict[str, list[float]] = field(default_factory=dict, repr=False)
    not_finite: NotFinite | None = None
    unseen: str = ""
    _count: int = field(default=0, repr=False)
    _handles: list[Any] = field(default_factory=list, repr=False)
    _squares: dict[str, dict[Any, Any]] = field(default_factory=dict, repr=False)  # of each parameter's gradient
    _was_finite: dict[Any, bool] = field(default_factory=dict, repr=False)
    _watched: set[Any] = field(default_factory=set, repr=False)
    _is_open: bool = field(default=False, repr=False)
    _sick: list[str] = field(default_factory=list, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        self._stack.enter_context(uncompiled(self.module))
        self._watch_parameters()
        for path, part in self.module.named_modules():
            name = path or type(part).__name__
            own = list(part.parameters(recurse=False))
            if own:
                self.gradient_norms.setdefault(name, [])
            self._handles.append(part.register_forward_pre_hook(self._hook(self._begin), with_kwargs=True))
            self._handles.append(part.register_forward_hook(self._hook(self._forward(name)), with_kwargs=True))
            keep_from_copies(part)
        return self

    def _watch_parameters(self) -> None:
        """Note the gradients of parameters, also of those that are no longer frozen."""
        for path, part in self.module.named_modules():
            for parameter in part.parameters(recurse=False):
                if parameter.requires_grad and parameter not in self._watched:
                    hook = self._hook(self._noting(path or type(part).__name__))
                    self._handles.append(parameter.register_post_accumulate_grad_hook(hook))
                    self._watched.add(parameter)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        for part in self.module.modules():
            let_copy(part)
        self._handles.clear()
        self._watched.clear()
        self._stack.close()
        self._close()

    def __repr__(self) -> str:
        first = self.not_finite
        where = "" if first is None else f"; {first.module!r} is not finite at step {first.step}"
        if first is not None and self.every > 1 and first.step > 1:
            where += (
                f", the first recorded after step {first.step - self.every}: it may have come up between, elsewhere"
            )
        steps, modules = (
            f"{n} {what}{'' if n == 1 else 's'}"
            for n, what in ((len(self.steps), "step"), (len(self.gradient_norms), "module"))
        )
        unseen = f"; some numbers were not looked at: {self.unseen}" if self.unseen else ""
        return f"Monitor({steps} recorded, {modules}{where}{unseen})"

    def _hook(self, act: Callable[..., Any]) -> Hook:
        return Hook(act, self._not_seeing)

    def _not_seeing(self, why: str) -> None:
        self.unseen = self.unseen or why

    @property
    def _is_recording(self) -> bool:
        return self._count % self.every == 0

    def _begin(self, module: Any, inputs: Any, keywords: Any) -> Any:
        """Begin a step, if a backward pass has ended, and return views of a module's inputs.

        The gradient by a view is what comes back through this module alone.
        """
        if self._is_open and not _is_backward():
            self._close()
        if module is self.module:
            self._watch_parameters()
        if self.not_finite is not None or not self._is_recording:
            return None
        if not type(module).__module__.startswith("torch.nn."):  # which may write over its inputs
            self._was_finite[module] = is_finite_or_masked((inputs, keywords))
        views: dict[int, Any] = {}
        return viewed(inputs, views), viewed(keywords, views)

    def _close(self) -> None:
        """Write down the step whose backward pass is over."""
        if not self._is_open:
            return
        if self._is_recording:
            self.steps.append(self._count + 1)
            self._blame()
            for name, norms in self.gradient_norms.items():
                squares = self._squares.get(name)
                norms.append(math.sqrt(float(sum(squares.values()))) if squares else math.nan)
        self._count, self._is_open = self._count + 1, False
        self._squares.clear()
        self._sick.clear()

    def _blame(self) -> None:
        """Name what made gradients infinite where no module did between its output and its inputs.

        It stands around the first module to which such a gradient came, or else is the first with such parameters.
        """
        if self.not_finite is None and self._sick:
            path, root = self._sick[0], type(self.module).__name__
            while path != root and path in self._sick:
                path = path.rpartition(".")[0] or root
            self.not_finite = NotFinite(self._count + 1, "(loss)" if path in self._sick else path, "backward")
        elif self.not_finite is None:
            sums = {name: float(sum(squares.values())) for name, squares in self._squares.items()}
            worst = next((name for name, square in sums.items() if not math.isfinite(square)), None)
            if worst is not None:
                self.not_finite = NotFinite(self._count + 1, worst, "backward")

    def _noting(self, name: str) -> Any:
        def hook(parameter: Any) -> None:
            self._is_open = True
            if self._is_recording:
                self._squares.setdefault(name, {})[parameter] = square_sum(parameter.grad)

        return hook

    def _forward(self, name: str) -> Any:
        def hook(module: Any, inputs: Any, keywords: Any, output: Any) -> None:
            if self.not_finite is not None or not self._is_recording or _is_backward():
                return
            was_finite = self._was_finite.pop(module, None)
            if is_finite_or_masked(output):
                self._watch_backward(name, (inputs, keywords), output)
            elif is_finite_or_masked((inputs, keywords)) if was_finite is None else was_finite:
                self.not_finite = NotFinite(self._count + 1, name, "forward")
            elif module is self.module:
                self.not_finite = NotFinite(self._count + 1, "(input)", "forward")

        return hook

    def _watch_backward(self, name: str, inputs: Any, output: Any) -> None:
        """Note whether gradients are finite when they come to the output, and not when they leave by the inputs."""
        is_finite_before = True

        def by_output(gradient: Any) -> None:
            nonlocal is_finite_before
            is_finite_before = is_finite_before and is_finite(gradient)
            if not is_finite_before:
                self._sick.append(name)

        def by_input(gradient: Any) -> None:
            if self.not_finite is None and not self._sick and is_finite_before and not is_finite(gradient):
                self.not_finite = NotFinite(self._count + 1, name, "backward")

        for value, hook in ((output, by_output), (inputs, by_input)):
            for tensor in tensors(value):
                if tensor.requires_grad:
                    tensor.register_hook(self._hook(hook))


def _is_backward() -> bool:
    """Return whether a backward pass is under way: a checkpoint then calls modules again."""
    import torch

    return bool(torch._C._current_graph_task_id() != -1)


def monitor(module: Any, *, every: int = 1) -> Monitor:
    """Return a context manager that records the gradients of a torch module while it is trained.

    Parameters
    ----------
    module : torch.nn.Module
        Hooks are added when the context is entered, and removed when it is left; copies that are made meanwhile, and
        pickles, have none. What is compiled of the module runs
        uncompiled meanwhile, as hooks do not see into compiled code.
    every : int
        Record every so many steps: checking and adding up costs about as much as a small layer. To know where a number
        that is not finite started, record every step.

    Returns
    -------
    Monitor
        `.steps`, `.gradient_norms` by module, and `.not_finite`: where the first inf or nan among the recorded steps
        came up.

    Raises
    ------
    InvalidArgument
        If it is no torch module, or one whose parameters have no shapes yet, or holds one of TorchScript, or if `every`
        is no positive int.

    Examples
    --------
    >>> with monitor(model) as watch:  # doctest: +SKIP
    ...     train(model)
    >>> watch.not_finite  # doctest: +SKIP
    NotFinite(step=12, module='blocks.3.attention', direction='backward')

    """
    if not is_module(module):
        raise InvalidArgument("module", module, "must be a torch.nn.Module")
    check_takes_hooks(module, "module")
    return Monitor(module, read_count(every, "every", 1_000_000))
