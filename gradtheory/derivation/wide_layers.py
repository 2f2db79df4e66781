r"""Equations between matrices of wide layers, tried on networks of random shapes against differences of 100 digits.

z_l = W_l a_{l-1} + b_l, a_l = σ(z_l), C = ½‖a_L - y‖². Nothing of backpropagation is used to check them: derivatives of
C are central differences.
"""

import functools
import itertools
import operator
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.switches import formula_near, switches
from gradtheory.arithmetic.enclosure import Ball, as_rational, derivative, evaluate, exactly, precision
from gradtheory.derivation.meaning import Meaning

_BITS = 512
_STEP_BITS = 166  # the step of central differences is 2**-166, about 1e-50: their error is its square
_SHAPES = ((2, 3, 4, 2), (1, 2, 3, 1), (3, 1, 2, 3))  # of three layers: inputs, neurons, neurons, outputs
_LARGEST, _MOST_HALVINGS = 8, 30  # of what a neuron takes and gives; and of the weights until nothing is larger
_FEW_DIGITS = 20  # of a gap that is no error of central differences
_LAYER = 2  # the layer l that is looked at, one with layers on both sides
Matrix: TypeAlias = Any  # a NumPy array of balls


class Wide(sympy.MatrixSymbol):  # type: ignore[misc]  # SymPy's classes are untyped
    """A vector or matrix of a wide layer."""

    def _latex(self, _: Any) -> str:
        return _LATEX[self]

    def _sympystr(self, _: Any) -> str:
        return str(self.name)


class WideEquation(sympy.Basic):  # type: ignore[misc]  # SymPy's classes are untyped
    """An equation between matrices of layer l and its neighbours."""

    lhs = property(lambda self: self.args[0], doc="The left side.")
    rhs = property(lambda self: self.args[1], doc="The right side.")

    def _latex(self, printer: Any) -> str:
        return f"{printer._print(self.lhs)} = {printer._print(self.rhs)}"

    def _sympystr(self, printer: Any) -> str:
        return f"{printer._print(self.lhs)} = {printer._print(self.rhs)}"


_NEURONS_BELOW, _NEURONS, _NEURONS_ABOVE = sympy.symbols("n_(l-1) n_l n_(l+1)", integer=True, positive=True)
INPUT = Wide("aₗ₋₁", _NEURONS_BELOW, 1)
WEIGHTS = Wide("Wₗ", _NEURONS, _NEURONS_BELOW)
BIAS = Wide("bₗ", _NEURONS, 1)
PRE_ACTIVATION = Wide("zₗ", _NEURONS, 1)
SLOPE = Wide("σ'(zₗ)", _NEURONS, 1)
ERROR = Wide("δₗ", _NEURONS, 1)
WEIGHTS_ABOVE = Wide("Wₗ₊₁", _NEURONS_ABOVE, _NEURONS)
ERROR_ABOVE = Wide("δₗ₊₁", _NEURONS_ABOVE, 1)
BY_WEIGHTS = Wide("∂C/∂Wₗ", _NEURONS, _NEURONS_BELOW)
BY_BIAS = Wide("∂C/∂bₗ", _NEURONS, 1)

_LATEX: Mapping[Wide, str] = {
    INPUT: r"\mathbf{a}_{l-1}",
    WEIGHTS: r"\mathbf{W}_{l}",
    BIAS: r"\mathbf{b}_{l}",
    PRE_ACTIVATION: r"\mathbf{z}_{l}",
    SLOPE: r"\sigma'\left(\mathbf{z}_{l}\right)",
    ERROR: r"\boldsymbol{\delta}_{l}",
    WEIGHTS_ABOVE: r"\mathbf{W}_{l+1}",
    ERROR_ABOVE: r"\boldsymbol{\delta}_{l+1}",
    BY_WEIGHTS: r"\frac{\partial C}{\partial \mathbf{W}_{l}}",
    BY_BIAS: r"\frac{\partial C}{\partial \mathbf{b}_{l}}",
}


def holds(equation: WideEquation, activation: Activation, digits: int) -> bool | None:
    """Return whether both sides agree to so many digits on all sample networks; None where numbers are too large."""
    agrees = True
    for number in range(len(_SHAPES)):
        matrices = _sample(activation, number)
        with precision(_BITS):
            left, right = (_value(side, matrices) for side in equation.args)
            if left.shape != right.shape:
                return False
            size = exactly(1) + max(abs(entry).upper() for entry in (*left.flat, *right.flat))
            gaps = [abs(gap) / size for gap in (left - right).flat]
            if any(gap > exactly(10) ** -_FEW_DIGITS for gap in gaps):
                return False
            agrees = agrees and size.is_finite() and all(gap < exactly(10) ** -digits for gap in gaps)
    return agrees or None


def _value(expr: sympy.Basic, matrices: Mapping[Wide, Matrix]) -> Matrix:
    """Return an expression with matrices of numbers for those of the network."""
    if isinstance(expr, Wide):
        return matrices[expr]
    if isinstance(expr, sympy.Rational):
        return exactly(int(expr.p)) / int(expr.q)
    parts = [_value(part, matrices) for part in expr.args]
    if isinstance(expr, sympy.Transpose):
        return parts[0].T
    if isinstance(expr, sympy.HadamardProduct):
        return functools.reduce(operator.mul, parts)
    if isinstance(expr, sympy.MatAdd):
        return functools.reduce(operator.add, parts)
    factors = [part for part in parts if not isinstance(part, np.ndarray)]
    product = functools.reduce(operator.matmul, (part for part in parts if isinstance(part, np.ndarray)))
    return functools.reduce(operator.mul, factors, product)


@functools.lru_cache(maxsize=64)
def _sample(activation: Activation, number: int) -> Mapping[Wide, Matrix]:
    """Return the matrices of layer l and its neighbours in a network with random weights."""
    with precision(_BITS):
        network = _random_network(Meaning(activation), _SHAPES[number], seed=number)
        here, above = _LAYER - 1, _LAYER  # their places in lists that start with the first layer
        pre_activations, activations = network.forward(network.weights, network.biases)
        error, error_above = (network.slopes(network.biases, place) for place in (here, above))  # b_l moves C as z_l
        return {
            INPUT: activations[here - 1],
            WEIGHTS: network.weights[here],
            BIAS: network.biases[here],
            PRE_ACTIVATION: pre_activations[here],
            SLOPE: network.applied(pre_activations[here], order=1),
            ERROR: error,
            WEIGHTS_ABOVE: network.weights[above],
            ERROR_ABOVE: error_above,
            BY_WEIGHTS: network.slopes(network.weights, here),
            BY_BIAS: error,
        }


@dataclass(frozen=True)
class _Network:
    """A network of wide layers, and a target for its outputs."""

    meaning: Meaning
    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]
    x: Matrix
    y: Matrix

    def forward(self, weights: Sequence[Matrix], biases: Sequence[Matrix]) -> tuple[list[Matrix], list[Matrix]]:
        """Return z_1, z_2, … and a_1, a_2, …."""
        pre_activations, activations = [], []
        layer = self.x
        for matrix, bias in zip(weights, biases, strict=True):
            pre_activations.append(matrix @ layer + bias)
            layer = self.applied(pre_activations[-1])
            activations.append(layer)
        return pre_activations, activations

    def applied(self, z: Matrix, order: int = 0) -> Matrix:
        """Return σ or one of its derivatives of each entry."""
        return _array(z.shape, (self._sigma(entry, order) for entry in z.flat))

    def slopes(self, matrices: tuple[Matrix, ...], place: int) -> Matrix:
        """Return the derivatives of C by each entry of the weights or biases of a layer, by central differences."""
        shape, step = matrices[place].shape, exactly(2) ** -_STEP_BITS
        slopes = np.empty(shape, dtype=object)
        for entry in np.ndindex(shape):
            moved = np.full(shape, exactly(0), dtype=object)
            moved[entry] = step
            above, below = (self._loss_with(matrices, place, matrices[place] + sign * moved) for sign in (1, -1))
            slopes[entry] = (above - below) / (2 * step)
        return slopes

    def _loss_with(self, matrices: tuple[Matrix, ...], place: int, changed: Matrix) -> Ball:
        """Return C with another matrix in the place of one of the weights or biases."""
        replaced = (*matrices[:place], changed, *matrices[place + 1 :])
        weights, biases = (self.weights, replaced) if matrices is self.biases else (replaced, self.biases)
        _, activations = self.forward(weights, biases)
        return ((activations[-1] - self.y) ** 2).sum() / 2

    def _sigma(self, z: Ball, order: int) -> Ball:
        formula = self.meaning.activation.expr
        if switches(formula):
            formula = formula_near(formula, Z, as_rational(z.mid()))
        return evaluate(derivative(formula, Z, order), _BITS, {Z: z})


def _random_network(meaning: Meaning, shape: Sequence[int], seed: int) -> _Network:
    """Return a network with weights so small that nothing in it is large, where differences would have no digits."""
    for halvings in range(_MOST_HALVINGS):
        network = _scaled_network(meaning, shape, seed, exactly(2) ** -halvings)
        numbers = itertools.chain.from_iterable(network.forward(network.weights, network.biases))
        if all(abs(entry) < _LARGEST for matrix in numbers for entry in matrix.flat):
            break
    return network


def _scaled_network(meaning: Meaning, shape: Sequence[int], seed: int, scale: Ball) -> _Network:
    source = random.Random(seed)  # noqa: S311  # samples, not secrets

    def matrix(rows: int, columns: int = 1) -> Matrix:
        sizes = (scale * (exactly(source.randint(-97, 97)) / 61 + exactly(1) / 7) for _ in range(rows * columns))
        return _array((rows, columns), sizes)

    weights = tuple(matrix(rows, columns) for columns, rows in itertools.pairwise(shape))
    biases = tuple(matrix(rows) for rows in shape[1:])
    return _Network(meaning, weights, biases, matrix(shape[0]), matrix(shape[-1]))


def _array(shape: tuple[int, ...], entries: Iterable[Ball]) -> Matrix:
    array = np.empty(shape, dtype=object)
    array.flat[:] = list(entries)
    return array
