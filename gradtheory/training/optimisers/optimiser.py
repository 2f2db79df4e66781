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
from gradtheory.training.optimisers.update_rule import Rule
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
    third : tuple of ndarray
        The greatest s so far of AMSGrad, the running mean of gradients of a centred RMSprop; empty of others.

    """

    parameters: Arrays
    first: Arrays
    second: Arrays
    steps: int = 0
    third: Arrays = ()

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
    dampening : float
        τ: from the second step on the gradient enters the velocity as (1 - τ)·g.
    is_amsgrad, is_centred, is_fully_decoupled : bool
        Whether the greatest s so far divides, or s less the square of a mean of gradients; whether weight decay
        multiplies w by 1 - λ·η_t/η, η_t being the rate of that step, so that it does not change with η.

    """

    rule: Rule
    eta: float
    beta: float
    beta2: float
    epsilon: float
    weight_decay: float
    dampening: float = 0.0
    is_amsgrad: bool = False
    is_centred: bool = False
    is_fully_decoupled: bool = False

    @property
    def name(self) -> str:
        """The name of its rule, such as "heavy_ball"."""
        return self.rule.name

    def __repr__(self) -> str:
        numbers = {name: getattr(self, name) for name in ("eta", "beta", "beta2", "epsilon", "weight_decay")}
        told = [f"{name}={x:g}" for name, x in numbers.items() if not math.isnan(x)]
        told += [f"dampening={self.dampening:g}"] if self.dampening else []
        flags = {"amsgrad": self.is_amsgrad, "centred": self.is_centred, "fully_decoupled": self.is_fully_decoupled}
        return f"{self.name}({', '.join([*told, *(f'{name}=True' for name, is_set in flags.items() if is_set)])})"

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
        return State(copies, zeros, zeros, third=zeros if self.has_third else ())

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
        thirds = state.third or tuple(np.zeros_like(each) for each in arrays)
        rows = zip(state.parameters, state.first, state.second, thirds, arrays, strict=True)
        with np.errstate(all="ignore"):  # overflow is an answer
            after = [self._step(*row, rate, state.steps + 1) for row in rows]
        parameters, first, second, third = zip(*after, strict=True) if after else ((), (), (), ())
        return State(parameters, first, second, state.steps + 1, third if self.has_third else ())

    def preconditioners(self, state: State) -> Arrays:
        """Return by what the step from before to this state was divided, entry by entry: 1 without an adaptive rule.

        Parameters
        ----------
        state : State
            After one step or more.

        """
        thirds = state.third or state.second
        with np.errstate(all="ignore"):
            rows = zip(state.second, thirds, strict=True)
            return tuple(self._preconditioner(s, third, max(state.steps, 1)) for s, third in rows)

    @property
    def has_third(self) -> bool:
        """Whether a state holds something third."""
        return self.is_amsgrad or self.is_centred

    def _preconditioner(self, s: Array, third: Array, count: int) -> Array:
        """Return √ŝ + ε after the step of that count."""
        if not self.rule.is_adaptive:
            return np.ones_like(s)
        root = math.sqrt(1.0 - self.beta2**count) if self.rule.is_bias_corrected else 1.0
        # a variance is not negative, which rounding would make it where gradients are steady
        squares = third if self.is_amsgrad else np.maximum(s - third * third, 0.0) if self.is_centred else s
        return np.asarray(np.sqrt(squares) / root + self.epsilon)

    def _step(
        self, w: Array, v: Array, s: Array, third: Array, g: Array, eta: float, count: int
    ) -> tuple[Array, Array, Array, Array]:
        """Return w, v, s and what is third after the step of that count."""
        if self.weight_decay and not self.rule.is_decoupled:
            g = g + self.weight_decay * w
        if self.rule.is_adaptive:
            s = self.beta2 * s + (1.0 - self.beta2) * (g * g)
        if self.is_amsgrad:
            third = np.maximum(third, s)
        elif self.is_centred:
            third = self.beta2 * third + (1.0 - self.beta2) * g
        w, v = self.rule.step(
            w, v, g if count == 1 or not self.dampening else (1.0 - self.dampening) * g,
            eta=eta, beta=self.beta,
            decay=self.weight_decay / self.eta if self.is_fully_decoupled else self.weight_decay,
            correction=1.0 - self.beta**count if self.rule.is_bias_corrected else 1.0,
            preconditioner=self._preconditioner(s, third, count) if self.rule.is_adaptive else 1.0,
        )  # fmt: skip
        return w, v, s, third


def read_optimiser(value: Any, name: str = "optimiser") -> Optimiser:
    """Return an optimiser.

    Raises
    ------
    InvalidArgument
        If it is anything else, such as an optimiser of PyTorch.

    """
    return read_kind(value, name, Optimiser, "must be one of gradtheory.optimisers, such as heavy_ball(0.1)")
