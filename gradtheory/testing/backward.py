"""Forward and backward pass in ball arithmetic, for networks of any widths; a chain has one neuron in each layer."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.enclosure import Ball, evaluate, exactly
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.losses import Loss
from gradtheory.chains.symbols import Y
from gradtheory.testing.pointwise import Pointwise, value_and_slope

Vector: TypeAlias = list[Ball]
Matrix: TypeAlias = list[Vector]
Output: TypeAlias = Callable[[Ball, Ball, int], Sequence[Ball]]  # (z, y, bits) to C and ∂C/∂z


@dataclass(frozen=True)
class Problem:
    """A network with data: x and y of shape (batch, n), W_l of shape (n_l, n_{l-1}), b_l of shape (n_l,).

    The numbers are floats, or exact SymPy numbers in arrays of objects.
    """

    activations: Sequence[Activation]
    loss: Loss
    x: Array
    y: Array
    w: Sequence[Array]
    b: Sequence[Array]


@dataclass
class BallGradients:
    """Balls of the loss and of its gradients, in the shapes of `Problem`; loss, w and b are summed over the batch."""

    loss: Ball
    w: list[Matrix]
    b: list[Vector]
    x: Matrix


def ball_gradients(problem: Problem, bits: int) -> BallGradients:
    """Return loss and gradients in ball arithmetic, where the caller has set the precision.

    Raises
    ------
    Undecided
        If a pre-activation is not told from a kink.

    """

    def ball(number: Any) -> Ball:
        return evaluate(number, bits, {}) if isinstance(number, sympy.Expr) else exactly(number)

    w = [[[*map(ball, row)] for row in matrix] for matrix in problem.w]
    b = [[*map(ball, vector)] for vector in problem.b]
    zero = exactly(0.0)
    total = BallGradients(
        zero, [[[zero] * len(row) for row in matrix] for matrix in w], [[zero] * len(each) for each in b], []
    )
    hidden = [value_and_slope(record) for record in problem.activations[:-1]]
    output = _output(problem.activations[-1], problem.loss)
    for x, y in zip(problem.x, problem.y, strict=True):
        _add_sample(total, hidden, output, [*map(ball, x)], [*map(ball, y)], w, b, bits)
    return total


def _add_sample(
    total: BallGradients,
    hidden: Sequence[Pointwise],
    output: Output,
    x: Vector,
    y: Vector,
    w: list[Matrix],
    b: list[Vector],
    bits: int,
) -> None:
    """Add what one sample contributes, by δ_l = σ'(z_l)·W_{l+1}ᵀδ_{l+1}."""
    entering, slopes = [x], []
    for functions, weights, biases in zip(hidden, w, b, strict=False):
        values_and_slopes = [functions.enclose(z, bits) for z in _affine(weights, entering[-1], biases)]
        entering.append([value for value, _ in values_and_slopes])
        slopes.append([slope for _, slope in values_and_slopes])
    outputs = [output(z, target, bits) for z, target in zip(_affine(w[-1], entering[-1], b[-1]), y, strict=True)]
    total.loss = sum((cost for cost, _ in outputs), total.loss)
    delta = [by_z for _, by_z in outputs]
    for layer in range(len(w) - 1, -1, -1):
        total.b[layer] = [before + error for before, error in zip(total.b[layer], delta, strict=True)]
        for row, error in zip(total.w[layer], delta, strict=True):
            row[:] = [before + error * a for before, a in zip(row, entering[layer], strict=True)]
        columns = zip(*w[layer], strict=True)
        by_a = [_inner(column, delta) for column in columns]
        delta = [error * slope for error, slope in zip(by_a, slopes[layer - 1], strict=True)] if layer else by_a
    total.x.append(delta)


def _affine(weights: Matrix, a: Vector, biases: Vector) -> Vector:
    return [_inner(row, a) + bias for row, bias in zip(weights, biases, strict=True)]


def _inner(left: Sequence[Ball], right: Sequence[Ball]) -> Ball:
    first, *others = (factor * cofactor for factor, cofactor in zip(left, right, strict=True))
    return sum(others, first)


def _output(record: Activation, loss: Loss) -> Output:
    """Return what gives C and ∂C/∂z of one output neuron."""
    if loss.needs_unit_interval:
        cross_entropy = _cross_entropy(record)
        return lambda z, target, bits: cross_entropy.enclose(z, bits, {Y: target})
    functions = value_and_slope(record)

    def squared(z: Ball, target: Ball, bits: int) -> Sequence[Ball]:
        value, slope = functions.enclose(z, bits)
        error = value - target
        return error * error / 2, error * slope

    return squared


@functools.lru_cache(maxsize=64)
def _cross_entropy(record: Activation) -> Pointwise:
    """Return C and ∂C/∂z in z."""
    return Pointwise((record.expr, record.slope_expr), (False, record.branches is None), _entropy_and_slope)


@functools.lru_cache(maxsize=256)
def _entropy_and_slope(value: sympy.Expr, slope: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Return C and ∂C/∂z without 1 - σ, which would cancel; of smooth formulas, as `simplify` may lose a switch."""
    one_minus = sympy.simplify(1 - value)
    by_one, by_zero = (sympy.simplify(slope / each) for each in (value, one_minus))
    return -Y * sympy.log(value) - (1 - Y) * sympy.log(one_minus), (1 - Y) * by_zero - Y * by_one
