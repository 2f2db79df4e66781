"""The losses at the end of the chain: one record each, for SymPy and for NumPy."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.catalogue.shared_kernels import logistic
from gradtheory.activations.slopes.mending import mend
from gradtheory.activations.slopes.one_sided import write_from_the_left
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.symbols import A, Y
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.formulas import WrittenProduct, WrittenSum

Multiply: TypeAlias = Callable[..., Array]
LossKernel: TypeAlias = Callable[[Activation, Array, Multiply, Array, Array, Array], None]
LossBend: TypeAlias = Callable[[Activation, Array, Array], Array]


@dataclass(frozen=True)
class Loss:
    """A loss C(a, y) of the output a and the target y.

    Parameters
    ----------
    name : str
        As `Chain` takes it.
    expr : sympy.Expr
        C(a, y), in the symbols `A` and `Y`.
    slope_expr : sympy.Expr
        ∂C/∂a, factored.
    kernel : callable
        (activation, y, multiply, z, losses, delta): writes C(σ(z), y) and ∂C/∂z in float64, from the last
        pre-activation z: a cross entropy needs 1 - a, also where a is rounded to 1. It may overwrite z.
    bend : callable
        (activation, y, z): returns ∂²C(σ(z), y)/∂z² in float64.
    needs_unit_interval : bool
        Whether the output must lie strictly between 0 and 1.

    """

    name: str
    expr: sympy.Expr
    slope_expr: sympy.Expr
    kernel: LossKernel
    bend: LossBend
    needs_unit_interval: bool = False

    def __repr__(self) -> str:
        return f"Loss({self.name}: {self.expr})"


def _squared_kernel(
    activation: Activation, y: Array, multiply: Multiply, z: Array, losses: Array, delta: Array
) -> None:
    activation.kernel(z, losses, delta)
    np.subtract(losses, y, out=losses)
    multiply(losses, delta, out=delta)
    np.square(losses, out=losses)
    np.multiply(losses, 0.5, out=losses)


def _squared_bend(activation: Activation, y: Array, z: Array) -> Array:
    value, slope = activation.value_and_slope(z)
    return np.asarray(slope * slope + (value - y) * activation.bend(z))


def _cross_entropy_kernel(
    activation: Activation, y: Array, multiply: Multiply, z: Array, losses: Array, delta: Array
) -> None:
    # With λ = log(a/(1 - a)):  C = y·softplus(-λ) + (1 - y)·softplus(λ),  ∂C/∂λ = (1 - y)·a - y·(1 - a).
    assert activation.log_odds is not None  # noqa: S101  # Chain refuses the pair otherwise
    odds, odds_slope, ones, zeros, scratch = np.empty((5, *z.shape))
    activation.log_odds(z, odds, odds_slope)
    logistic(odds.copy(), ones, scratch)
    logistic(-odds, zeros, scratch)
    losses[...] = multiply(y, np.logaddexp(0.0, -odds)) + multiply(1.0 - y, np.logaddexp(0.0, odds))
    multiply((1.0 - y) * ones - y * zeros, odds_slope, out=delta)


def _cross_entropy_bend(activation: Activation, y: Array, z: Array) -> Array:
    assert activation.log_odds is not None  # noqa: S101  # as above
    odds, odds_slope, ones, slope = np.empty((4, *z.shape))
    activation.log_odds(z.copy(), odds, odds_slope)
    logistic(odds, ones, slope)
    return np.asarray(slope * odds_slope**2 + (ones - y) * _odds_bend(activation, z))


def _odds_bend(activation: Activation, z: Array) -> Array:
    """Return λ'' in ball arithmetic: as a formula it cancels wherever λ' is nearly constant."""
    expr = log_odds_derivative(activation, 2)
    if expr.is_number:
        return np.full_like(z, float(expr))
    bend = np.full_like(z, np.nan)
    mend(bend, expr, z)
    if activation.bend_is_from_the_left:
        write_from_the_left(bend, expr, z)
    return np.nan_to_num(bend, nan=0.0)


@functools.cache
def log_odds_derivative(activation: Activation, order: int) -> sympy.Expr:
    """Return a derivative of log(σ/(1 - σ)) by z."""
    odds_slope = activation.expr.diff(Z) / (activation.expr * (1 - activation.expr))
    return sympy.cancel(sympy.together(odds_slope)).diff(Z, order - 1)


_SQUARED = Loss(
    name="squared",
    expr=WrittenProduct((sympy.S.Half, WrittenSum(A, -Y) ** 2)),
    slope_expr=WrittenSum(A, -Y),
    kernel=_squared_kernel,
    bend=_squared_bend,
)

_CROSS_ENTROPY = Loss(
    name="cross_entropy",
    expr=-Y * sympy.log(A) - (1 - Y) * sympy.log(1 - A),
    slope_expr=WrittenSum(A, -Y) / (A * (1 - A)),
    kernel=_cross_entropy_kernel,
    bend=_cross_entropy_bend,
    needs_unit_interval=True,
)

LOSSES = MappingProxyType({loss.name: loss for loss in (_SQUARED, _CROSS_ENTROPY)})


def _values(last: Activation) -> str:
    """Return between which numbers an activation lies, in words."""
    try:
        least, most = map(float, last.proven_ends)
    except Undecided:
        return "values whose bounds are not known"
    if math.isinf(least) and math.isinf(most):
        return "values without bound"
    if math.isinf(most):
        return f"values from {least:.6g} on, without bound"
    return (
        f"values up to {most:.6g}, without bound below"
        if math.isinf(least)
        else f"values from {least:.6g} to {most:.6g}"
    )


def loss_for(name: Any, last: Activation) -> Loss:
    """Return the loss of that name, or a record as it is, after an output layer with the activation `last`."""
    loss = name if isinstance(name, Loss) else LOSSES[one_of(name, "loss", tuple(LOSSES))]
    if loss.needs_unit_interval and not last.is_within_unit_interval:
        raise InvalidArgument(
            "loss",
            name,
            f"needs an output strictly between 0 and 1, and {last.name} has {_values(last)}; "
            "end the chain with sigmoid, or use 'squared'",
        )
    return loss
