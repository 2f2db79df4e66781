"""What each optimiser does to ½h·w²: a linear iteration, whose matrix says whether it converges.

The gradient is g = h·w. RMSprop and Adam divide it by √s, which is held fixed here, as it nearly is late in training
(J. Cohen et al., "Adaptive gradient methods at the edge of stability", 2022): h is then the preconditioned curvature.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy

ETA, BETA, H, DECAY = sympy.symbols("eta beta h lambda", real=True)
_W, _V = sympy.symbols("w v", real=True)
AFTER = sympy.symbols("w' v'", real=True)  # what `ITERATIONS` give

Iteration = Callable[[], tuple[sympy.Expr, ...]]


def _gradient_descent() -> tuple[sympy.Expr, ...]:
    return (_W - ETA * H * _W,)


def _heavy_ball() -> tuple[sympy.Expr, ...]:
    after = BETA * _V + H * _W
    return _W - ETA * after, after


def _nesterov() -> tuple[sympy.Expr, ...]:
    after = BETA * _V + H * _W
    return _W - ETA * (H * _W + BETA * after), after


def _adam() -> tuple[sympy.Expr, ...]:
    after = BETA * _V + (1 - BETA) * H * _W
    return _W - ETA * after, after


def _adamw() -> tuple[sympy.Expr, ...]:
    after = BETA * _V + (1 - BETA) * H * _W
    return (1 - ETA * DECAY) * _W - ETA * after, after


ITERATIONS: Mapping[str, Iteration] = MappingProxyType(
    {
        "gradient_descent": _gradient_descent,
        "heavy_ball": _heavy_ball,
        "nesterov": _nesterov,
        "rmsprop": _gradient_descent,
        "adam": _adam,
        "adamw": _adamw,
    }
)


def matrix(name: str) -> sympy.Matrix:
    """Return the matrix that takes (w, v) before a step to (w, v) after it.

    Examples
    --------
    >>> matrix("heavy_ball")
    Matrix([
    [-eta*h + 1, -beta*eta],
    [         h,      beta]])

    """
    after = ITERATIONS[name]()
    return sympy.Matrix(after).jacobian((_W, _V)[: len(after)])
