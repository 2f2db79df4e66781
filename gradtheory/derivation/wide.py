r"""Equations between matrices of wide layers, tried on networks of random shapes against differences of 100 digits.

z_l = W_l a_{l-1} + b_l, a_l = σ(z_l), C = ½‖a_L - y‖². Nothing of backpropagation is used to check it.
"""

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.pieces import piece_at
from gradtheory.derivation.meaning import Meaning

_CONTEXT = mpmath.MPContext()
_CONTEXT.dps = 150
_STEP = _CONTEXT.mpf(10) ** -50  # of central differences: their error is its square
_SHAPES = ((2, 3, 4, 2), (1, 2, 3, 1), (3, 1, 2, 3))
_LAYER = 2  # the layer l that is looked at, one with layers on both sides
_LATEX = {
    "z_l": r"\mathbf{z}_{l}",
    "a_(l-1)": r"\mathbf{a}_{l-1}",
    "b_l": r"\mathbf{b}_{l}",
    "W_l": r"W_{l}",
    "W_(l+1)": r"W_{l+1}",
    "delta_l": r"\boldsymbol{\delta}_{l}",
    "delta_(l+1)": r"\boldsymbol{\delta}_{l+1}",
    "σ'(z_l)": r"\sigma'\left(\mathbf{z}_{l}\right)",
    "dC/dW_l": r"\frac{\partial C}{\partial W_{l}}",
    "dC/db_l": r"\frac{\partial C}{\partial \mathbf{b}_{l}}",
}
Matrix = Any  # of mpmath


class Wide(sympy.MatrixSymbol):  # type: ignore[misc]  # SymPy's classes are untyped
    """A vector or matrix of a wide layer."""

    def _latex(self, _: Any) -> str:
        return _LATEX[self.name]

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

    def holds(self, meaning: Meaning, digits: int) -> bool:
        """Return whether both sides agree on all sample networks."""
        for number, shape in enumerate(_SHAPES):
            network = _Network(meaning, shape, random.Random(number))  # noqa: S311  # samples, not secrets
            left, right = (network.value(side) for side in self.args)
            size = (left.rows, left.cols)
            if size != (right.rows, right.cols) or _CONTEXT.mnorm(left - right, 1) > _CONTEXT.mpf(10) ** -digits:
                return False
        return True


@dataclass(frozen=True)
class _Network:
    """A network of three layers with random weights."""

    meaning: Meaning
    shape: tuple[int, ...]
    source: random.Random

    @cached_property
    def weights(self) -> list[Matrix]:
        pairs = list(zip(self.shape[1:], self.shape, strict=False))
        return [_CONTEXT.matrix(rows, columns).apply(lambda _: self._number()) for rows, columns in pairs]

    @cached_property
    def biases(self) -> list[Matrix]:
        return [self._vector(size) for size in self.shape[1:]]

    @cached_property
    def input_and_target(self) -> tuple[Matrix, Matrix]:
        return self._vector(self.shape[0]), self._vector(self.shape[-1])

    def _vector(self, size: int) -> Matrix:
        return _CONTEXT.matrix(size, 1).apply(lambda _: self._number())

    def _number(self) -> Any:
        return _CONTEXT.mpf(self.source.randint(-97, 97)) / 61 + _CONTEXT.mpf(1) / 7

    def _sigma(self, z: Any, order: int = 0) -> Any:
        return self._formula(z, order)(z)

    def _formula(self, z: Any, order: int) -> Callable[[Any], Any]:
        record = self.meaning.activation
        smooth = record.expr
        if self.meaning.breaks:
            smooth = piece_at(record.expr, Z, sympy.Rational(_CONTEXT.nstr(z, 30)))
        return _function(smooth, order)

    def _applied(self, z: Matrix, order: int = 0) -> Matrix:
        return z.copy().apply(lambda each: self._sigma(each, order))

    def forward(self, weights: Sequence[Matrix], biases: Sequence[Matrix]) -> list[Matrix]:
        """Return x, z_1, a_1, z_2, a_2, …."""
        found = [self.input_and_target[0]]
        for matrix, bias in zip(weights, biases, strict=True):
            found.append(matrix * found[-1] + bias)
            found.append(self._applied(found[-1]))
        return found

    def loss(self, weights: Sequence[Matrix], biases: Sequence[Matrix]) -> Any:
        difference = self.forward(weights, biases)[-1] - self.input_and_target[1]
        return sum(each**2 for each in difference) / 2

    def value(self, expr: sympy.Basic) -> Matrix:
        """Return an expression as a matrix of numbers."""
        if isinstance(expr, Wide):
            return self.known[expr.name]()
        parts = [self.value(each) for each in expr.args if isinstance(each, sympy.MatrixExpr)]
        if isinstance(expr, sympy.Transpose):
            return parts[0].T
        if isinstance(expr, sympy.HadamardProduct):
            product = parts[0].copy()
            for part in parts[1:]:
                for row in range(product.rows):
                    for column in range(product.cols):
                        product[row, column] *= part[row, column]
            return product
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(expr, sympy.MatAdd) else total * part
        for factor in expr.args if isinstance(expr, sympy.MatMul) else ():
            total = (
                total if isinstance(factor, sympy.MatrixExpr) else total * _CONTEXT.mpf(int(factor.p)) / int(factor.q)
            )
        return total

    @cached_property
    def known(self) -> dict[str, Callable[[], Matrix]]:
        layer = _LAYER
        values = self.forward(self.weights, self.biases)
        return {
            "z_l": lambda: values[2 * layer - 1],
            "a_(l-1)": lambda: values[2 * layer - 2],
            "b_l": lambda: self.biases[layer - 1],
            "W_l": lambda: self.weights[layer - 1],
            "W_(l+1)": lambda: self.weights[layer],
            "σ'(z_l)": lambda: self._applied(values[2 * layer - 1], 1),
            "delta_l": lambda: self._slope(self.biases, layer - 1),
            "delta_(l+1)": lambda: self._slope(self.biases, layer),
            "dC/dW_l": lambda: self._slope(self.weights, layer - 1),
            "dC/db_l": lambda: self._slope(self.biases, layer - 1),
        }

    def _slope(self, moved: Sequence[Matrix], layer: int) -> Matrix:
        """Return the derivatives of C by each entry, by central differences; b_l moves C as z_l does."""
        matrix = moved[layer]
        found = matrix.copy()
        for row in range(matrix.rows):
            for column in range(matrix.cols):
                sides = []
                for step in (_STEP, -_STEP):
                    changed = matrix.copy()
                    changed[row, column] += step
                    others = [changed if each is matrix else each for each in moved]
                    weights, biases = (others, self.biases) if moved is self.weights else (self.weights, others)
                    sides.append(self.loss(weights, biases))
                found[row, column] = (sides[0] - sides[1]) / (2 * _STEP)
        return found


@functools.lru_cache(maxsize=64)
def _function(smooth: sympy.Expr, order: int) -> Callable[[Any], Any]:
    own = {name: getattr(_CONTEXT, name) for name in dir(_CONTEXT) if not name.startswith("_")}
    found: Callable[[Any], Any] = sympy.lambdify(Z, smooth.diff(Z, order), modules=[own, "mpmath"])
    return found
