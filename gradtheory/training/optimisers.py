r"""Optimisers as PyTorch defines them, one record each: how a step is taken, and what state it keeps.

A record holds the hyperparameters; parameters, gradients and states are tuples of float64 arrays that no step changes.

>>> optimiser = heavy_ball(eta=0.1, beta=0.9)
>>> state = optimiser.start([np.array([1.0, -2.0])])
>>> state = optimiser.step(state, [np.array([0.5, 0.5])])
>>> state.parameters
(array([ 0.95, -2.05]),)

Symbols: η (`eta`) is the learning rate, β (`beta`) the momentum, λ (`weight_decay`) the weight decay.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_array, read_float, read_nonnegative_float, read_positive_float
from gradtheory.errors import InvalidArgument

__all__ = ["Optimiser", "State", "adam", "adamw", "gradient_descent", "heavy_ball", "nesterov", "rmsprop"]

Arrays: TypeAlias = tuple[Array, ...]
Update: TypeAlias = Callable[["Optimiser", "State", Arrays, float], tuple[Arrays, Arrays, Arrays]]


@dataclass(frozen=True)
class State:
    """Where an optimiser stands.

    Attributes
    ----------
    parameters : tuple of ndarray
    first, second : tuple of ndarray
        The momentum, and the running mean of squared gradients; of the parameters' shapes, 0 before the first step.
    steps : int
        How many steps were taken.

    """

    parameters: Arrays
    first: Arrays
    second: Arrays
    steps: int = 0


@dataclass(frozen=True)
class Optimiser:
    """A rule for steps, with its hyperparameters.

    Attributes
    ----------
    name : str
        Such as "heavy_ball"; `gradtheory.stability_region` knows it.
    eta : float
        The learning rate.
    beta : float
        The momentum, β₁ of Adam; 0 where there is none.
    beta2 : float
        The decay of the mean of squared gradients: β₂ of Adam, α of RMSprop; nan where there is none.
    epsilon : float
        What is added to its root; nan where there is none.
    weight_decay : float
        λ: the gradient of ½λ‖w‖² is added to that of the loss, but for AdamW, which multiplies by 1 - ηλ.

    """

    name: str
    eta: float
    beta: float
    beta2: float
    epsilon: float
    weight_decay: float
    update: Update

    def __repr__(self) -> str:
        named = ("eta", "beta", "beta2", "epsilon", "weight_decay")
        shown = [f"{each}={getattr(self, each):g}" for each in named if not math.isnan(getattr(self, each))]
        return f"{self.name}({', '.join(shown)})"

    def start(self, parameters: Sequence[Any]) -> State:
        """Return the state before the first step, from a sequence of array_like parameters."""
        copies = tuple(np.array(read_array(each, "parameters")) for each in parameters)
        zeros = tuple(np.zeros_like(each) for each in copies)
        return State(copies, zeros, zeros)

    def step(self, state: State, gradients: Sequence[Any], eta: float | None = None) -> State:
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
            If the gradients do not have the parameters' shapes.

        """
        arrays = tuple(read_array(each, "gradients") for each in gradients)
        shapes = [each.shape for each in arrays]
        if shapes != (wanted := [each.shape for each in state.parameters]):
            raise InvalidArgument("shapes of gradients", shapes, f"must be those of the parameters, {wanted}")
        rate = self.eta if eta is None else read_positive_float(eta, "eta")
        with np.errstate(all="ignore"):  # overflow is an answer
            parameters, first, second = self.update(self, state, arrays, rate)
        return State(parameters, first, second, state.steps + 1)


def _decayed(optimiser: Optimiser, state: State, gradients: Arrays) -> Arrays:
    """Return the gradients of the loss with its L2 penalty."""
    if not optimiser.weight_decay:
        return gradients
    pairs = zip(gradients, state.parameters, strict=True)
    return tuple(gradient + optimiser.weight_decay * each for gradient, each in pairs)


def _moved(state: State, eta: float, directions: Arrays) -> Arrays:
    return tuple(each - eta * direction for each, direction in zip(state.parameters, directions, strict=True))


def _averaged(means: Arrays, beta: float, arrays: Arrays) -> Arrays:
    return tuple(beta * mean + (1.0 - beta) * each for mean, each in zip(means, arrays, strict=True))


def _heavy_ball(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    velocity = _velocity(optimiser, state, _decayed(optimiser, state, gradients))
    return _moved(state, eta, velocity), velocity, state.second


def _nesterov(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    gradients = _decayed(optimiser, state, gradients)
    velocity = _velocity(optimiser, state, gradients)
    ahead = tuple(each + optimiser.beta * after for each, after in zip(gradients, velocity, strict=True))
    return _moved(state, eta, ahead), velocity, state.second


def _velocity(optimiser: Optimiser, state: State, gradients: Arrays) -> Arrays:
    return tuple(optimiser.beta * before + each for before, each in zip(state.first, gradients, strict=True))


def _rmsprop(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    gradients = _decayed(optimiser, state, gradients)
    second = _averaged(state.second, optimiser.beta2, tuple(each * each for each in gradients))
    directions = tuple(each / (np.sqrt(mean) + optimiser.epsilon) for each, mean in zip(gradients, second, strict=True))
    return _moved(state, eta, directions), state.first, second


def _adam(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    return _adaptive(optimiser, state, _decayed(optimiser, state, gradients), eta)


def _adamw(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    shrink = 1.0 - eta * optimiser.weight_decay
    shrunk = tuple(shrink * each for each in state.parameters)
    return _adaptive(optimiser, replace(state, parameters=shrunk), gradients, eta)


def _adaptive(optimiser: Optimiser, state: State, gradients: Arrays, eta: float) -> tuple[Arrays, Arrays, Arrays]:
    first = _averaged(state.first, optimiser.beta, gradients)
    second = _averaged(state.second, optimiser.beta2, tuple(each * each for each in gradients))
    unbiased = 1.0 - optimiser.beta ** (state.steps + 1)
    root = math.sqrt(1.0 - optimiser.beta2 ** (state.steps + 1))
    directions = tuple(
        mean / (np.sqrt(square) / root + optimiser.epsilon) for mean, square in zip(first, second, strict=True)
    )
    return _moved(state, eta / unbiased, directions), first, second


def _optimiser(
    name: str,
    update: Update,
    eta: Any,
    weight_decay: Any,
    *,
    beta: Any = 0.0,
    beta2: Any = None,
    epsilon: Any = None,
) -> Optimiser:
    return Optimiser(
        name,
        read_positive_float(eta, "eta"),
        momentum(beta, "beta"),
        math.nan if beta2 is None else momentum(beta2, "beta2"),
        math.nan if epsilon is None else read_positive_float(epsilon, "epsilon"),
        read_nonnegative_float(weight_decay, "weight_decay"),
        update,
    )


def momentum(value: Any, name: str) -> float:
    """Return a momentum: a float from 0 to below 1."""
    number = read_float(value, name)
    if 0.0 <= number < 1.0:
        return number
    raise InvalidArgument(name, value, "must lie in [0, 1), such as 0.9")


def gradient_descent(eta: float, *, weight_decay: float = 0.0) -> Optimiser:
    """Return gradient descent, w ← w - η·g.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    torch.optim.SGD.

    Examples
    --------
    >>> gradient_descent(0.1)
    gradient_descent(eta=0.1, beta=0, weight_decay=0)

    """
    return _optimiser("gradient_descent", _heavy_ball, eta, weight_decay)


def heavy_ball(eta: float, beta: float = 0.9, *, weight_decay: float = 0.0) -> Optimiser:
    """Return Polyak's heavy ball, v ← β·v + g, w ← w - η·v.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta : float
        The momentum, from 0 to below 1.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    References
    ----------
    B. Polyak, USSR Comput. Math. 4 (1964), equation 9; torch.optim.SGD with `momentum`.

    Examples
    --------
    >>> heavy_ball(0.1, 0.5)
    heavy_ball(eta=0.1, beta=0.5, weight_decay=0)

    """
    return _optimiser("heavy_ball", _heavy_ball, eta, weight_decay, beta=beta)


def nesterov(eta: float, beta: float = 0.9, *, weight_decay: float = 0.0) -> Optimiser:
    """Return Nesterov's momentum, v ← β·v + g, w ← w - η·(g + β·v).

    The parameters are those of `heavy_ball`.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum" (2013), equations 3-4, in the variable
    θ + μv, which PyTorch steps; torch.optim.SGD with `nesterov=True`.

    Examples
    --------
    >>> nesterov(0.1)
    nesterov(eta=0.1, beta=0.9, weight_decay=0)

    """
    return _optimiser("nesterov", _nesterov, eta, weight_decay, beta=beta)


def rmsprop(eta: float = 0.01, beta2: float = 0.99, *, epsilon: float = 1e-8, weight_decay: float = 0.0) -> Optimiser:
    """Return RMSprop, s ← β₂·s + (1 - β₂)·g², w ← w - η·g/(√s + ε).

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta2 : float
        The decay of the mean of squares, PyTorch's alpha, from 0 to below 1.
    epsilon : float
        ε, positive.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    References
    ----------
    T. Tieleman & G. Hinton, COURSERA lecture 6.5 (2012); torch.optim.RMSprop.

    Examples
    --------
    >>> rmsprop()
    rmsprop(eta=0.01, beta=0, beta2=0.99, epsilon=1e-08, weight_decay=0)

    """
    return _optimiser("rmsprop", _rmsprop, eta, weight_decay, beta2=beta2, epsilon=epsilon)


def adam(
    eta: float = 1e-3, beta: float = 0.9, beta2: float = 0.999, *, epsilon: float = 1e-8, weight_decay: float = 0.0
) -> Optimiser:
    """Return Adam, m ← β·m + (1 - β)·g, s ← β₂·s + (1 - β₂)·g², w ← w - η·m̂/(√ŝ + ε).

    m̂ = m/(1 - βᵗ) and ŝ = s/(1 - β₂ᵗ) after t steps.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta, beta2 : float
        The decays of the two means, from 0 to below 1.
    epsilon : float
        ε, positive.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    References
    ----------
    D. Kingma & J. Ba, "Adam" (2015), algorithm 1; torch.optim.Adam.

    Examples
    --------
    >>> adam()
    adam(eta=0.001, beta=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0)

    """
    return _optimiser("adam", _adam, eta, weight_decay, beta=beta, beta2=beta2, epsilon=epsilon)


def adamw(
    eta: float = 1e-3, beta: float = 0.9, beta2: float = 0.999, *, epsilon: float = 1e-8, weight_decay: float = 0.01
) -> Optimiser:
    """Return AdamW: w ← (1 - ηλ)·w, then Adam's step by the gradient of the loss alone.

    The parameters are those of `adam`; λ does not pass through the mean of squares.

    References
    ----------
    I. Loshchilov & F. Hutter, "Decoupled weight decay regularization" (2019), algorithm 2; torch.optim.AdamW.

    Examples
    --------
    >>> adamw()
    adamw(eta=0.001, beta=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)

    """
    return _optimiser("adamw", _adamw, eta, weight_decay, beta=beta, beta2=beta2, epsilon=epsilon)
