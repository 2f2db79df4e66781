"""The optimisers: each is a row of `RULES` and a function that takes its hyperparameters."""

# Above 300 lines: a function for each optimiser, and more lines of documentation than of code.

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from gradtheory.arithmetic.inputs import read_float, read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.errors import InvalidArgument
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.optimisers.update_rule import AVERAGE, HEAVY_BALL, NESTEROV, NO_MOMENTUM, Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule("gradient_descent", "gradient descent", NO_MOMENTUM),
            Rule("heavy_ball", "heavy ball", HEAVY_BALL),
            Rule("nesterov", "Nesterov", NESTEROV),
            Rule("rmsprop", "RMSprop", NO_MOMENTUM, is_adaptive=True),
            Rule("adam", "Adam", AVERAGE, is_adaptive=True, is_bias_corrected=True),
            Rule("adamw", "AdamW", AVERAGE, is_adaptive=True, is_bias_corrected=True, is_decoupled=True),
        )
    }
)


@with_other_names
def gradient_descent(eta: float, *, weight_decay: float = 0.0) -> Optimiser:
    """Return gradient descent, w ← w - η·g.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

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
    return _optimiser("gradient_descent", eta, weight_decay)


@with_other_names
def heavy_ball(eta: float, beta: float = 0.9, *, weight_decay: float = 0.0, dampening: float = 0.0) -> Optimiser:
    """Return Polyak's heavy ball, v ← β·v + g, w ← w - η·v.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta : float
        The momentum, from 0 to below 1.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.
    dampening : float
        τ, from 0 to below 1: from the second step on v ← β·v + (1 - τ)·g.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    B. Polyak, USSR Comput. Math. 4 (1964), equation 9; torch.optim.SGD with `momentum`.

    Examples
    --------
    >>> heavy_ball(0.1, 0.5)
    heavy_ball(eta=0.1, beta=0.5, weight_decay=0)

    """
    ball = _optimiser("heavy_ball", eta, weight_decay, beta=beta)
    return replace(ball, dampening=_read_beta(dampening, "dampening"))


@with_other_names
def nesterov(eta: float, beta: float = 0.9, *, weight_decay: float = 0.0) -> Optimiser:
    """Return Nesterov's momentum, v ← β·v + g, w ← w - η·(g + β·v).

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta : float
        The momentum, from 0 to below 1.
    weight_decay : float
        λ ≥ 0; g is then ∇C + λ·w.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum" (2013), equations 3-4, in the variable
    θ + μv, which PyTorch steps; torch.optim.SGD with `nesterov=True`.

    Examples
    --------
    >>> nesterov(0.1)
    nesterov(eta=0.1, beta=0.9, weight_decay=0)

    """
    return _optimiser("nesterov", eta, weight_decay, beta=beta)


@with_other_names
def rmsprop(
    eta: float = 0.01,
    beta2: float = 0.99,
    *,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
    centred: bool = False,
) -> Optimiser:
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
    centred : bool
        Whether the variance s - m² takes the place of s, with m ← β₂·m + (1 - β₂)·g: PyTorch's centered, except that
        rounding does not make it negative, and the step nan.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    T. Tieleman & G. Hinton, COURSERA lecture 6.5 (2012); torch.optim.RMSprop.

    Examples
    --------
    >>> rmsprop()
    rmsprop(eta=0.01, beta=0, beta2=0.99, epsilon=1e-08, weight_decay=0)

    """
    plain = _optimiser("rmsprop", eta, weight_decay, beta2=beta2, epsilon=epsilon)
    return replace(plain, is_centred=read_flag(centred, "centred"))


@with_other_names
def adam(
    eta: float = 1e-3,
    beta: float = 0.9,
    beta2: float = 0.999,
    *,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
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
    amsgrad : bool
        Whether the greatest s so far takes the place of s.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    D. Kingma & J. Ba, "Adam" (2015), algorithm 1; S. Reddi, S. Kale & S. Kumar, "On the convergence of Adam and
    beyond" (2018), algorithm 2, for AMSGrad; torch.optim.Adam.

    Examples
    --------
    >>> adam()
    adam(eta=0.001, beta=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0)

    """
    plain = _optimiser("adam", eta, weight_decay, beta=beta, beta2=beta2, epsilon=epsilon)
    return replace(plain, is_amsgrad=read_flag(amsgrad, "amsgrad"))


@with_other_names
def adamw(
    eta: float = 1e-3,
    beta: float = 0.9,
    beta2: float = 0.999,
    *,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
    amsgrad: bool = False,
    fully_decoupled: bool = False,
) -> Optimiser:
    """Return AdamW: w ← (1 - ηλ)·w, then Adam's step by the gradient of the loss alone.

    λ does not pass through the mean of squares.

    Parameters
    ----------
    eta : float
        The learning rate η, positive.
    beta, beta2 : float
        The decays of the two means, from 0 to below 1.
    epsilon : float
        ε, positive.
    weight_decay : float
        λ ≥ 0.
    amsgrad : bool
        Whether the greatest s so far takes the place of s.
    fully_decoupled : bool
        Whether w ← (1 - λ·η_t/η)·w, where a schedule makes η_t of η: λ is then the share by which weights shrink in a
        step, whatever η, as in the reference; PyTorch's is λ/η.

    Returns
    -------
    Optimiser
        Its `start` gives a state, its `step` the next one.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    I. Loshchilov & F. Hutter, "Decoupled weight decay regularization" (2019), algorithm 2; torch.optim.AdamW.

    Examples
    --------
    >>> adamw()
    adamw(eta=0.001, beta=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)

    """
    plain = _optimiser("adamw", eta, weight_decay, beta=beta, beta2=beta2, epsilon=epsilon)
    decoupled = read_flag(fully_decoupled, "fully_decoupled")
    return replace(plain, is_amsgrad=read_flag(amsgrad, "amsgrad"), is_fully_decoupled=decoupled)


def _optimiser(
    name: str, eta: float, weight_decay: float, *, beta: float = 0.0, beta2: float | None = None, epsilon: float = 1e-8
) -> Optimiser:
    """Return the optimiser of that name, its numbers checked; without β₂ there is no mean of squares and no ε."""
    return Optimiser(
        RULES[name],
        read_positive_float(eta, "eta"),
        _read_beta(beta, "beta"),
        math.nan if beta2 is None else _read_beta(beta2, "beta2"),
        math.nan if beta2 is None else read_positive_float(epsilon, "epsilon"),
        read_nonnegative_float(weight_decay, "weight_decay"),
    )


def _read_beta(value: float, name: str) -> float:
    """Return a momentum or a decay: a float from 0 to below 1."""
    number = read_float(value, name)
    if 0.0 <= number < 1.0:
        return number
    raise InvalidArgument(name, value, "must lie in [0, 1), such as 0.9")
