"""The spectral radius of an iteration in float64, over arrays of learning rates, momenta and curvatures."""

import math
from collections.abc import Mapping

import numpy as np
import sympy

from gradtheory.arithmetic.inputs import Array


def spectral_radius(polynomial: sympy.Poly, point: Mapping[sympy.Symbol, Array]) -> Array | np.float64:
    """Return the greatest modulus of the roots of a characteristic polynomial of degree 1 or 2."""
    coefficients = [_evaluate(each, point) for each in polynomial.all_coeffs()[1:]]
    if len(coefficients) == 1:
        return np.abs(coefficients[0])[()]
    half, last = coefficients[0] / 2.0, coefficients[1]
    root = np.sqrt(np.maximum(half * half - last, 0.0))
    return np.where(half * half < last, np.sqrt(np.abs(last)), np.abs(half) + root)[()]


def _evaluate(coefficient: sympy.Expr, point: Mapping[sympy.Symbol, Array]) -> Array:
    """Return a polynomial in the symbols of a point at its arrays."""
    total = np.zeros(next(iter(point.values())).shape)
    for powers, number in sympy.Poly(coefficient, *point).terms():
        total += float(number) * math.prod(array**power for array, power in zip(point.values(), powers, strict=True))
    return total
