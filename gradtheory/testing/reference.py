"""Numbers to test against: activations and gradients to any number of digits, each in a proven enclosure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import Ball, evaluate, precision
from gradtheory.arithmetic.inputs import Array, read_count, read_layers, read_parameters, read_real
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import loss_for
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.networks.network import Network
from gradtheory.testing.backward import Problem, ball_gradients
from gradtheory.testing.enclosed import Enclosed
from gradtheory.testing.exact import read_exact_array
from gradtheory.testing.pointwise import far_out, value_slope_and_bend
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_MOST_DIGITS = 1_000
_GUARD_BITS = 32
_DOUBLINGS = 5  # of the precision, before an answer is judged by the size of its neighbours


@dataclass(frozen=True)
class ReferenceGradients(ShownAsTable):
    """Loss and gradients of a chain or a network, each number with its proof.

    Attributes
    ----------
    loss : Enclosed
        Summed over the batch, as w and b are.
    w, b : tuple of Enclosed
        ∂C/∂w_l and ∂C/∂b_l; of a network one tuple of rows, and one tuple of numbers, for each layer.
    x : tuple of Enclosed
        ∂C/∂x of each sample; of a network a tuple for each.

    """

    loss: Enclosed
    w: tuple[Any, ...]
    b: tuple[Any, ...]
    x: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"ReferenceGradients(loss = {self.loss}, of {len(self.w)} layers and {len(self.x)} samples)"


def reference_activation(
    activation: ActivationLike, z: NumberLike, *, derivative: int = 0, digits: int = 50
) -> Enclosed:
    """Return σ(z), σ'(z) or σ''(z) to a number of digits, with a proof.

    Parameters
    ----------
    activation : str, Activation or sympy.Expr
        As in `gradtheory.activation`.
    z : number
        Where; a float is taken at its exact binary value. On a kink the answer is the one-sided derivative that
        `Activation.slope` takes: PyTorch's in the catalogue, of your own expression the one from the left.
    derivative : {0, 1, 2}
        Which derivative.
    digits : int
        The relative accuracy; numbers so small that this is less than 5e-324, float64's least number, are only known
        to that.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If the number is not proven to so many digits, such as σ'' where an exponential of z is out of Arb's range.

    Examples
    --------
    >>> reference_activation("gelu", -8.0, digits=30)
    -4.976768459417427298812796138070550738061E-15 ± 9e-53 (certified)
    >>> reference_activation("relu", 0.0, derivative=1)
    0 ± 0 (certified)

    """
    record, place = as_activation(activation), read_real(z, "z")
    order = read_count(derivative, "derivative", 2, least=0)
    wanted = _bits(read_count(digits, "digits", _MOST_DIGITS))

    def enclose(bits: int) -> Ball:
        with precision(bits):
            return value_slope_and_bend(record).enclose(evaluate(place, bits, {}), bits, exactly=place)[order]

    for bits in _precisions(wanted):
        ball = enclose(bits)
        if not ball.is_finite():
            ends = far_out(record, place, bits)[order]
            with precision(bits):
                ball = ends.lower.union(ends.upper) if ends.lower.is_finite() and ends.upper.is_finite() else ball
        if ball.is_finite() and _is_close(ball, wanted):
            with precision(bits):
                return Enclosed.of(ball)
    raise Undecided(f"derivative {order} of {record.name} at z = {z} is not found to {digits} digits")


def reference_gradients(
    chain: Chain | Network,
    x: ArrayLike | NumberLike | Sequence[Any],
    y: ArrayLike | NumberLike | Sequence[Any],
    w: ArrayLike | Sequence[Any],
    b: ArrayLike | Sequence[Any],
    digits: int = 50,
) -> ReferenceGradients:
    """Return the loss and all gradients of a chain or a network to a number of digits, proven in ball arithmetic.

    The forward and the backward pass are done in balls, at growing precision, until every number has these digits.
    Floats are taken at their exact binary values; text such as "0.1", fractions and SymPy numbers are exact, too.

    Parameters
    ----------
    chain : Chain or Network
        Of a concrete depth L, with activations of the catalogue or your own.
    x, y : array_like of shape (batch,) or (), of floats or exact numbers
        Inputs and targets; for a network as in `Network.backprop`.
    w, b : array_like of shape (L,)
        Weights and biases; likewise.
    digits : int
        The relative accuracy of every number. Where the samples of a batch cancel to (nearly) 0, so that five doublings
        of the precision do not reach it, the accuracy is relative to the largest number of the same kind.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If a pre-activation is not told from a kink, or a number is out of Arb's range.

    Examples
    --------
    >>> chain = Chain(depth=2)
    >>> exact = reference_gradients(chain, x=[0.5, -1.0], y=[1.0, 0.0], w=[2.0, -3.0], b=[0.0, 1.0], digits=20)
    >>> exact.b[1]
    0.011020300507409429903955388423 ± 9e-30 (certified)
    >>> float(exact.loss), exact.b[1].n(20)
    (0.5090861973179828, 0.011020300507409429904)
    >>> reference_gradients(Chain(depth=1, activation="identity"), "0.1", 0, ["1/3"], [0]).b[0].n(20)
    0.033333333333333333333

    """
    exact = prove_gradients(as_problem(chain, x, y, w, b), read_count(digits, "digits", _MOST_DIGITS))
    if isinstance(chain, Network):
        return exact
    by_w, by_b = tuple(matrix[0][0] for matrix in exact.w), tuple(vector[0] for vector in exact.b)
    return ReferenceGradients(exact.loss, by_w, by_b, tuple(row[0] for row in exact.x))


def prove_gradients(problem: Problem, digits: int) -> ReferenceGradients:
    """Return loss and gradients, in the shapes of a network."""
    wanted = _bits(digits)
    for turn, bits in enumerate(_precisions(wanted)):
        with precision(bits):
            try:
                balls = ball_gradients(problem, bits)
            except Undecided:  # more bits may tell a pre-activation from a kink
                if turn == _DOUBLINGS:
                    raise
                continue
            kinds = (
                [balls.loss],
                [ball for matrix in balls.w for row in matrix for ball in row],
                [ball for vector in balls.b for ball in vector],
                [ball for row in balls.x for ball in row],
            )
            if all(_are_close(kind, wanted, to_largest=turn == _DOUBLINGS) for kind in kinds):
                return ReferenceGradients(
                    Enclosed.of(balls.loss), tuple(map(_rows, balls.w)), _rows(balls.b), _rows(balls.x)
                )
    raise Undecided(f"the gradients are not found to {digits} digits: a number is out of range, or cancels")


def _rows(balls: Sequence[Sequence[Ball]]) -> tuple[tuple[Enclosed, ...], ...]:
    return tuple(tuple(map(Enclosed.of, row)) for row in balls)


def as_problem(chain: Chain | Network, x: Any, y: Any, w: Any, b: Any) -> Problem:
    """Return the arguments, checked, in the shapes of a network."""
    if isinstance(chain, Network):
        return Problem(
            chain.layer_activations,
            loss_for(chain.loss, chain.layer_activations[-1]),
            *_exact_arrays(chain, x, y, w, b),
        )
    if not isinstance(chain, Chain):
        raise InvalidArgument("chain", chain, "must be a gradtheory.Chain or gradtheory.Network")
    depth = len(chain.layer_activations)
    inputs, targets = read_exact_array(x, "x"), read_exact_array(y, "y")
    if inputs.ndim > 1 or inputs.shape != targets.shape:
        raise InvalidArgument("shapes of x, y", (inputs.shape, targets.shape), "must be one shape, (batch,) or ()")
    weights, biases = read_exact_array(w, "w"), read_exact_array(b, "b")
    for name, array in (("w", weights), ("b", biases)):
        read_parameters(np.zeros(array.shape), name, depth)  # refuses the shape, by name
    return Problem(
        chain.layer_activations,
        chain.loss_record,
        inputs.reshape(-1, 1),
        targets.reshape(-1, 1),
        list(weights.reshape(-1, 1, 1)),
        list(biases.reshape(-1, 1)),
    )


def _exact_arrays(network: Network, x: Any, y: Any, w: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """Return the arguments of `Network.backprop`, exact, or refuse their shapes as it does."""
    inputs, targets = read_exact_array(x, "x"), read_exact_array(y, "y")
    kind = f"a sequence of {network.depth} arrays"
    weights, biases = (
        [
            read_exact_array(item, f"{name}[{at}]")
            for at, item in enumerate(read_layers(value, name, network.depth, kind))
        ]
        for name, value in (("w", w), ("b", b))
    )
    network.check_data(_zeros(inputs), _zeros(targets), [*map(_zeros, weights)], [*map(_zeros, biases)])
    return inputs, targets, tuple(weights), tuple(biases)


def _zeros(array: np.ndarray[Any, Any]) -> Array:
    return np.zeros(array.shape)


def _bits(digits: int) -> int:
    return math.ceil(digits * math.log2(10))


def _precisions(wanted: int) -> Iterator[int]:
    return ((wanted + _GUARD_BITS) << doublings for doublings in range(_DOUBLINGS + 1))


def _is_close(ball: Ball, wanted: int) -> bool:
    """Return whether a ball has so many bits, or a radius below float64's least number."""
    return bool(ball.is_finite() and (ball.rel_accuracy_bits() >= wanted or float(ball.rad()) == 0.0))


def _are_close(balls: Sequence[Ball], wanted: int, *, to_largest: bool) -> bool:
    """Return whether each of some balls has so many bits, or where that is enough, those of the largest one."""
    left = [each for each in balls if not _is_close(each, wanted)]
    if not left or not to_largest:
        return not left
    largest = max((abs(each) for each in balls), key=lambda size: float(size.mid()))
    return all(each.is_finite() and each.rad() * 2**wanted < largest for each in left)
