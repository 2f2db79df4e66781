"""The rule of an optimiser: one step of it, taken on arrays to train and on SymPy symbols to prove.

A rule holds no numbers. It takes them, floats or symbols alike, and only adds, multiplies and divides.

>>> rule = Rule("heavy_ball", "heavy ball", HEAVY_BALL)
>>> rule.step(1.0, 0.0, 0.5, eta=0.1, beta=0.9)
(0.95, 0.5)
>>> w, v, g, eta, beta = sympy.symbols("w v g eta beta")
>>> rule.step(w, v, g, eta=eta, beta=beta)
(-eta*(beta*v + g) + w, beta*v + g)

"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import sympy

Term: TypeAlias = Any  # a float, an array or a SymPy expression: whatever has +, -, * and /
Combine: TypeAlias = Callable[[Term, Term, Term], Term]


class Optimum(NamedTuple):
    """The learning rate and momentum that converge fastest on all curvatures between two.

    Attributes
    ----------
    eta, beta : sympy.Expr
    rate : sympy.Expr
        The factor by which the error shrinks per step in the long run, at the worst curvature.

    """

    eta: sympy.Expr
    beta: sympy.Expr
    rate: sympy.Expr


class Tuning(NamedTuple):
    """β, and η·h at the least and at the greatest curvature h."""

    beta: sympy.Expr
    at_least: sympy.Expr
    at_greatest: sympy.Expr


@dataclass(frozen=True)
class Momentum:
    """How a step depends on those before it, and which η and β are best on quadratics.

    Parameters
    ----------
    velocity : callable
        Takes (v, g, β) and returns the velocity v' after the step.
    direction : callable
        Takes (v', g, β) and returns the direction d of the step w' = w - η·d.
    best_rate : callable
        Takes h_max/h_min and returns the best rate: the error shrinks by that factor per step, or faster, at every
        curvature from h_min to h_max, and no other η and β guarantee a smaller one.
    best_tuning : callable
        Takes the best rate and returns the `Tuning` that attains it.

    """

    velocity: Combine
    direction: Combine
    best_rate: Callable[[sympy.Expr], sympy.Expr]
    best_tuning: Callable[[sympy.Expr], Tuning]


@dataclass(frozen=True)
class Rule:
    """What one step of an optimiser is.

    Parameters
    ----------
    name : str
        That of the function in `gradtheory.optimisers`.
    title : str
        The name in pictures and documents.
    momentum : Momentum
    is_adaptive : bool
        Whether steps are divided by the root of the running mean s of squared gradients, plus ε.
    is_bias_corrected : bool
        Whether v and s, which start at 0, are divided by 1 - βᵗ and 1 - β₂ᵗ after t steps.
    is_decoupled : bool
        Whether weight decay multiplies the weights by 1 - ηλ, and is not part of the gradient.

    """

    name: str
    title: str
    momentum: Momentum
    is_adaptive: bool = False
    is_bias_corrected: bool = False
    is_decoupled: bool = False

    @property
    def has_momentum(self) -> bool:
        """Whether there is a β."""
        return self.momentum != NO_MOMENTUM

    def step(
        self,
        w: Term,
        v: Term,
        g: Term,
        *,
        eta: Term,
        beta: Term,
        decay: Term = 0,
        correction: Term = 1,
        preconditioner: Term = 1,
    ) -> tuple[Term, Term]:
        """Return the weight w' and the velocity v' after a step from w and v with the gradient g.

        v' = velocity(v, g, β), w' = w - η/correction · direction(v', g, β)/preconditioner; where the weight decay is
        decoupled, (1 - η·decay)·w takes the place of w.
        """
        start = (1 - eta * decay) * w if self.is_decoupled else w
        after = self.momentum.velocity(v, g, beta)
        return start - eta / correction * (self.momentum.direction(after, g, beta) / preconditioner), after


def _kept(v: Term, g: Term, beta: Term) -> Term:
    return v


def _summed(v: Term, g: Term, beta: Term) -> Term:
    return beta * v + g


def _averaged(v: Term, g: Term, beta: Term) -> Term:
    return beta * v + (1 - beta) * g


def _along_gradient(v: Term, g: Term, beta: Term) -> Term:
    return g


def _along_velocity(v: Term, g: Term, beta: Term) -> Term:
    return v


def _ahead(v: Term, g: Term, beta: Term) -> Term:
    return g + beta * v


# The best rates and tunings: L. Lessard, B. Recht & A. Packard, SIAM J. Optim. 26 (2016), table 1, where an average is
# the heavy ball with 1 - β times the learning rate.


def _plain_rate(ratio: sympy.Expr) -> sympy.Expr:
    return (ratio - 1) / (ratio + 1)


def _plain_tuning(rate: sympy.Expr) -> Tuning:
    return Tuning(sympy.S.Zero, 1 - rate, 1 + rate)


def _heavy_ball_rate(ratio: sympy.Expr) -> sympy.Expr:
    return (sympy.sqrt(ratio) - 1) / (sympy.sqrt(ratio) + 1)


def _heavy_ball_tuning(rate: sympy.Expr) -> Tuning:
    return Tuning(rate**2, (1 - rate) ** 2, (1 + rate) ** 2)


def _average_tuning(rate: sympy.Expr) -> Tuning:
    return Tuning(rate**2, (1 - rate) / (1 + rate), (1 + rate) / (1 - rate))


def _nesterov_rate(ratio: sympy.Expr) -> sympy.Expr:
    return 1 - 2 / sympy.sqrt(3 * ratio + 1)


def _nesterov_tuning(rate: sympy.Expr) -> Tuning:
    return Tuning(rate / (2 - rate), (1 - rate) ** 2, (1 + rate) * (3 - rate) / 3)


NO_MOMENTUM = Momentum(_kept, _along_gradient, _plain_rate, _plain_tuning)
HEAVY_BALL = Momentum(_summed, _along_velocity, _heavy_ball_rate, _heavy_ball_tuning)
NESTEROV = Momentum(_summed, _ahead, _nesterov_rate, _nesterov_tuning)
AVERAGE = Momentum(_averaged, _along_velocity, _heavy_ball_rate, _average_tuning)
