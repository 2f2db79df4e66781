"""An optimiser: a rule with its hyperparameters, and the state from which it takes the next step.

Parameters, gradients and states are tuples of float64 arrays; no step changes them, it returns new ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable, shapes_and_ranges
from gradtheory.arithmetic.inputs import Array, read_array, read_positive_float
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers.rule import Rule
from gradtheory.typing import ArrayLike

Arrays: TypeAlias = tuple[Array, ...]


@dataclass(frozen=True)
class State(ShownAsTable):
    """What an optimiser knows between two steps.

    Attributes
    ----------
    parameters : tuple of ndarray
    first, second : tuple of ndarray
        The velocity v, and the running mean s of squared gradients; of the parameters' shapes, 0 before the first step
        and for ever where the optimiser has none.
    steps : int
        How many steps were taken.

    """

    parameters: Arrays
    first: Arrays
    second: Arrays
    steps: int = 0

    def __repr__(self) -> str:
        return f"State(parameters: {shapes_and_ranges(self.parameters)}; after {self.steps} steps)"


@dataclass(frozen=True)
class Optimiser(ShownAsTable):
    """A rule for steps, with its hyperparameters.

    Attributes
    ----------
    rule : Rule
        What a step is.
    eta : float
        The learning rate.
    beta : float
        The momentum, β₁ of Adam; 0 where there is none.
    beta2 : float
        The decay of the mean of squared gradients: β₂ of Adam, α of RMSprop; nan where there is none.
    epsilon : float
        What is added to its root; nan where there is none.
    weight_decay : float
        λ: the gradient of ½λ‖w‖² is added to that of the loss, except for AdamW, which multiplies w by 1 - ηλ.

    """

    rule: Rule
    eta: float
    beta: float
    beta2: float
    epsilon: float
    weight_decay: float

    @property
    def name(self) -> str:
        """The name of its rule, such as "heavy_ball"."""
        return self.rule.name

    def __repr__(self) -> str:
        numbers = {name: getattr(self, name) for name in ("eta", "beta", "beta2", "epsilon", "weight_decay")}
        return f"{self.name}({', '.join(f'{name}={x:g}' for name, x in numbers.items() if not math.isnan(x))})"

    def start(self, parameters: Sequence[ArrayLike]) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        parameters : sequence of array_like
            Where to start, copied.

        Raises
        ------
        InvalidArgument
            If they are not arrays of real numbers.

        """
        rule = "must be a sequence of arrays, such as [[1.0, -2.0]]"
        copies = tuple(np.array(read_array(each, "parameters")) for each in read_items(parameters, "parameters", rule))
        zeros = tuple(np.zeros_like(each) for each in copies)
        return State(copies, zeros, zeros)

    def step(self, state: State, gradients: Sequence[ArrayLike], eta: float | None = None) -> State:
        """Return the state after one step.

        Parameters
        ----------
        state : State
            Where the step starts.
        gradients : sequence of array_like
            Of the loss, in the shapes of the parameters. Values that are not finite pass through.
        eta : float, optional
            Another learning rate for this step, as a schedule gives it.

        Raises
        ------
        InvalidArgument
            If the gradients are not arrays of real numbers in the parameters' shapes, or `eta` is not positive.

        """
        state = read_kind(state, "state", State, "must be what start or step returned")
        items = read_items(gradients, "gradients", "must be a sequence of arrays, such as [[0.5, 0.5]]")
        arrays = tuple(read_array(each, "gradients") for each in items)
        shapes, expected = ([each.shape for each in group] for group in (arrays, state.parameters))
        if shapes != expected:
            raise InvalidArgument("shapes of gradients", shapes, f"must be those of the parameters, {expected}")
        rate = self.eta if eta is None else read_positive_float(eta, "eta")
        rows = zip(state.parameters, state.first, state.second, arrays, strict=True)
        with np.errstate(all="ignore"):  # overflow is an answer
            after = [self._step(*row, rate, state.steps + 1) for row in rows]
        parameters, first, second = zip(*after, strict=True) if after else ((), (), ())
        return State(parameters, first, second, state.steps + 1)

    def _step(self, w: Array, v: Array, s: Array, g: Array, eta: float, count: int) -> tuple[Array, Array, Array]:
        """Return w, v and s after the step of that count."""
        if self.weight_decay and not self.rule.is_decoupled:
            g = g + self.weight_decay * w
        correction = root = 1.0
        preconditioner: Array | float = 1.0
        if self.rule.is_bias_corrected:
            correction, root = 1.0 - self.beta**count, math.sqrt(1.0 - self.beta2**count)
        if self.rule.is_adaptive:
            s = self.beta2 * s + (1.0 - self.beta2) * (g * g)
            preconditioner = np.sqrt(s) / root + self.epsilon
        w, v = self.rule.step(
            w, v, g, eta=eta, beta=self.beta, decay=self.weight_decay, correction=correction,
            preconditioner=preconditioner,
        )  # fmt: skip
        return w, v, s


def read_optimiser(value: Any, name: str = "optimiser") -> Optimiser:
    """Return an optimiser.

    Raises
    ------
    InvalidArgument
        If it is anything else, such as an optimiser of PyTorch.

    """
    return read_kind(value, name, Optimiser, "must be one of gradtheory.optimisers, such as heavy_ball(0.1)")
