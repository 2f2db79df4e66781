"""What each optimiser does to ½h·w²: a linear iteration, whose matrix says whether it converges.

The gradient is g = h·w. RMSprop and Adam divide it by √s, which is held fixed here, as it nearly is late in training
(J. Cohen et al., "Adaptive gradient methods at the edge of stability", 2022): h is then the preconditioned curvature,
the raw one divided by √s + ε. Near w = 0, where s is of second order in w, that is the raw one divided by ε.
"""

import sympy

from gradtheory.training.optimisers.update_rule import Rule

ETA, BETA, H, DECAY = sympy.symbols("eta beta h lambda", real=True)
EPSILON = sympy.Symbol("epsilon", positive=True)
BEFORE = sympy.symbols("w v", real=True)  # weight and velocity before a step
AFTER = sympy.symbols("w' v'", real=True)  # and after it


def iteration(rule: Rule) -> tuple[sympy.Expr, ...]:
    """Return the weight after a step on ½h·w², and the velocity if the rule has momentum, in the symbols `BEFORE`.

    Examples
    --------
    >>> from gradtheory.training.optimisers.catalogue import RULES
    >>> iteration(RULES["heavy_ball"])
    (-eta*(beta*v + h*w) + w, beta*v + h*w)
    >>> iteration(RULES["gradient_descent"])
    (-eta*h*w + w,)

    """
    w, v = BEFORE
    after = rule.step(w, v, H * w, eta=ETA, beta=BETA, decay=DECAY)
    return after if rule.has_momentum else after[:1]


def matrix(rule: Rule) -> sympy.Matrix:
    """Return the matrix that takes (w, v) before a step to (w, v) after it.

    Examples
    --------
    >>> from gradtheory.training.optimisers.catalogue import RULES
    >>> matrix(RULES["heavy_ball"])
    Matrix([
    [-eta*h + 1, -beta*eta],
    [         h,      beta]])

    """
    after = iteration(rule)
    return sympy.Matrix(after).jacobian(BEFORE[: len(after)])
