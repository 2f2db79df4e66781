"""Equations between matrices of wide layers, entry by entry, for every number of neurons.

z_l and C's derivatives are what the definitions of two layers and the chain rule say: ∂C/∂v = Σ_k ∂C/∂u_k · ∂u_k/∂v,
where u are the pre-activations that v enters. Sums over the symbolic number of neurons meet Kronecker's delta.
"""

from collections.abc import Callable, Mapping

import sympy

from gradtheory.derivation.language import Sigma, Slope
from gradtheory.derivation.wide_layers import (
    BIAS,
    BY_BIAS,
    BY_WEIGHTS,
    ERROR,
    ERROR_ABOVE,
    INPUT,
    PRE_ACTIVATION,
    SLOPE,
    WEIGHTS,
    WEIGHTS_ABOVE,
    Wide,
    WideEquation,
)

_I, _J, _K, _M = sympy.symbols("i j k m", integer=True)
_BASES = {
    matrix: sympy.IndexedBase(sympy.Symbol(f"m{number}", real=True))
    for number, matrix in enumerate((INPUT, WEIGHTS, BIAS, PRE_ACTIVATION, ERROR, WEIGHTS_ABOVE, ERROR_ABOVE))
}
_BIAS_ABOVE = sympy.IndexedBase(sympy.Symbol("bias_above", real=True))


def is_matrix_identity(equation: WideEquation) -> bool:
    """Return whether an equation is proven for each entry: the left side by its definition, the right as written."""
    left, right = equation.args
    if left not in _DEFINITIONS or left.shape != right.shape:
        return False
    i, j = _I, _J if left.shape[1] != 1 else sympy.S.One
    gap = _DEFINITIONS[left](i, j) - _entry(right, i, j)
    return bool(sympy.expand(gap) == 0)


def _indexed(matrix: Wide, row: sympy.Expr, column: sympy.Expr) -> sympy.Expr:
    if matrix == SLOPE:
        return Slope(_indexed(PRE_ACTIVATION, row, column))
    return _BASES[matrix][row, column] if matrix.shape[1] != 1 else _BASES[matrix][row]


def _entry(expr: sympy.Basic, row: sympy.Expr, column: sympy.Expr) -> sympy.Expr:
    """Return an entry of an expression in matrices."""
    match expr:
        case Wide():
            return _indexed(expr, row, column)
        case sympy.Transpose():
            return _entry(expr.arg, column, row)
        case sympy.HadamardProduct():
            return sympy.Mul(*(_entry(part, row, column) for part in expr.args))
        case sympy.MatAdd():
            return sympy.Add(*(_entry(part, row, column) for part in expr.args))
        case sympy.MatMul():
            number, matrices = expr.as_coeff_matrices()
            return number * _product(matrices, row, column)
    raise TypeError(expr)


def _product(
    matrices: list[sympy.MatrixExpr], row: sympy.Expr, column: sympy.Expr, index: sympy.Symbol = _K
) -> sympy.Expr:
    if len(matrices) == 1:
        return _entry(matrices[0], row, column)
    first, second = matrices  # longer products stand in no statement
    size = first.shape[1]
    if size == 1:
        return _entry(first, row, sympy.S.One) * _entry(second, sympy.S.One, column)
    return _summed(_entry(first, row, index) * _entry(second, index, column), index, size)


def _pre_activation(row: sympy.Expr, index: sympy.Symbol = _M) -> sympy.Expr:
    return _product([WEIGHTS, INPUT], row, sympy.S.One, index) + _BASES[BIAS][row]


def _pre_activation_above(row: sympy.Expr) -> sympy.Expr:
    inner = _BASES[WEIGHTS_ABOVE][row, _M] * Sigma(_BASES[PRE_ACTIVATION][_M])
    return sympy.Sum(inner, (_M, 1, WEIGHTS_ABOVE.shape[1])) + _BIAS_ABOVE[row]


def _by(quantity: sympy.Expr, error: Wide, layer: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Return ∂C/∂v from the errors of the layer that v enters."""
    slope = _slope(layer(_K), quantity)
    return _summed(_BASES[error][_K] * slope, _K, error.shape[0])


def _slope(expr: sympy.Expr, by: sympy.Expr) -> sympy.Expr:
    """Return the derivative of sums by an entry."""
    if isinstance(expr, sympy.Add):
        return sympy.Add(*(_slope(part, by) for part in expr.args))
    if isinstance(expr, sympy.Sum):
        ((index, _, size),) = expr.limits
        return _summed(expr.function.diff(by), index, size)
    return expr.diff(by)


def _summed(expr: sympy.Expr, index: sympy.Symbol, size: sympy.Expr) -> sympy.Expr:
    """Return Σ over an index from 1 to a size: with Kronecker's delta, the one term that it leaves."""
    for delta in expr.atoms(sympy.KroneckerDelta):
        if index in delta.args:  # its other index, i or j or k, is one of 1, …, n too
            (other,) = (each for each in delta.args if each != index)
            return sympy.expand(expr.xreplace({delta: sympy.S.One}).xreplace({index: other}))
    constant, rest = sympy.expand(expr).as_independent(index, as_Add=False)
    return constant * sympy.Sum(rest, (index, 1, size)) if expr != 0 else expr


_DEFINITIONS: Mapping[Wide, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    PRE_ACTIVATION: lambda i, _: _pre_activation(i, _K),
    ERROR: lambda i, _: _by(_BASES[PRE_ACTIVATION][i], ERROR_ABOVE, _pre_activation_above),
    BY_WEIGHTS: lambda i, j: _by(_BASES[WEIGHTS][i, j], ERROR, _pre_activation),
    BY_BIAS: lambda i, _: _by(_BASES[BIAS][i], ERROR, _pre_activation),
}
