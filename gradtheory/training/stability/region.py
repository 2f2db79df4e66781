"""The stability region of an optimiser: learning rates and momenta with which it converges on a quadratic."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import sympy

from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.inputs import one_of, read_array, read_positive, read_real
from gradtheory.errors import InvalidArgument
from gradtheory.training.stability.iteration import BETA, DECAY, ETA, ITERATIONS, H, matrix
from gradtheory.training.stability.schur_cohn import schur_cohn

_ROOT = sympy.Symbol("z", real=True)  # of the characteristic polynomial


class Optimum(NamedTuple):
    """The learning rate and momentum that converge fastest on all curvatures between two.

    Attributes
    ----------
    eta, beta : sympy.Expr
    rate : sympy.Expr
        The factor per step that the error has in the long run.

    """

    eta: sympy.Expr
    beta: sympy.Expr
    rate: sympy.Expr


class Tuning(NamedTuple):
    """β, and η·h at the least and at the greatest curvature."""

    beta: sympy.Expr
    at_least: sympy.Expr
    at_greatest: sympy.Expr


@dataclass(frozen=True)
class StabilityRegion:
    r"""Where an optimiser converges on ½h·w²: all roots of its characteristic polynomial inside the unit circle.

    Parameters
    ----------
    name : str
        The optimiser.

    Examples
    --------
    >>> region = stability_region("heavy_ball")
    >>> region.condition
    (beta >= 0) & (eta > 0) & (h > 0) & (beta < 1) & (eta < 2*(beta + 1)/h)
    >>> region.contains(eta="0.3", beta="0.5", h=10)
    False
    >>> region.latex()
    '0 < \\eta < \\frac{2 \\left(\\beta + 1\\right)}{h}, \\quad 0 \\le \\beta < 1, \\quad h > 0'
    >>> region.optimal(1, 9)
    Optimum(eta=1/4, beta=1/4, rate=1/2)

    """

    name: str

    @property
    def has_momentum(self) -> bool:
        """Whether there is a β."""
        return BETA in self.matrix.free_symbols

    @cached_property
    def matrix(self) -> sympy.Matrix:
        """What one step does to the weight and the momentum."""
        return matrix(self.name)

    @cached_property
    def polynomial(self) -> sympy.Poly:
        """The characteristic polynomial of that matrix."""
        return self.matrix.charpoly(_ROOT)

    @cached_property
    def at_one(self) -> sympy.Expr:
        """p(1), positive where no root is a real one at 1 or above."""
        return sympy.factor(self.polynomial(1))

    @cached_property
    def at_minus_one(self) -> sympy.Expr:
        """|p(-1)|, positive where no root is a real one at -1 or below."""
        return sympy.expand((-1) ** self.polynomial.degree() * self.polynomial(-1))

    @cached_property
    def limit(self) -> sympy.Expr:
        """The learning rate below which the iteration converges: where p(-1) = 0.

        Of the conditions of Schur and Cohn this one is the last to hold; `gradtheory.derive("stability")` shows it.
        """
        fall, start = sympy.Poly(self.at_minus_one, ETA).all_coeffs()
        return sympy.factor(start) / sympy.collect(sympy.expand(-fall), (H, DECAY))

    @property
    def condition(self) -> sympy.And:
        """The region, in the symbols eta, beta, h, and for AdamW lambda."""
        parts = [ETA > 0, H > 0, sympy.Lt(ETA, self.limit, evaluate=False)]
        if self.has_momentum:
            parts += [BETA >= 0, BETA < 1]
        if DECAY in self.matrix.free_symbols:
            parts.append(DECAY >= 0)
        return sympy.And(*parts, evaluate=False)

    def contains(self, *, eta: Any, h: Any, beta: Any = 0, weight_decay: Any = 0) -> bool:
        """Return whether numbers lie in the region, decided exactly.

        Parameters
        ----------
        eta, beta, h : number
            Learning rate, momentum and curvature, exact or float; β says nothing where there is no momentum.
        weight_decay : number
            λ; that of AdamW, while coupled weight decay adds λ to h.

        """
        given = {ETA: (eta, "eta"), BETA: (beta, "beta"), H: (h, "h"), DECAY: (weight_decay, "weight_decay")}
        point = {symbol: read_real(*value) for symbol, value in given.items()}
        if DECAY not in self.matrix.free_symbols:
            point[H] += point[DECAY]
        # p(-1) > 0 in place of the limit, so that nothing is divided by 0
        conditions = [point[ETA], point[H], self.at_minus_one.xreplace(point)]
        if self.has_momentum:
            conditions.append(1 - point[BETA])
        return all(map(_is_positive, conditions)) and not (self.has_momentum and _is_positive(-point[BETA]))

    def rate(self, *, eta: Any, h: Any, beta: Any = 0, weight_decay: Any = 0) -> Any:
        """Return the spectral radius: the factor per step that the error has in the long run, in float64.

        Parameters
        ----------
        eta, beta, h, weight_decay : array_like
            As for `contains`; they broadcast.

        Examples
        --------
        >>> stability_region("gradient_descent").rate(eta=0.1, h=[1.0, 5.0, 30.0])
        array([0.9, 0.5, 2. ])

        """
        given = {"eta": eta, "beta": beta, "h": h, "weight_decay": weight_decay}
        eta, beta, h, decay = np.broadcast_arrays(*(read_array(value, name) for name, value in given.items()))
        if DECAY not in self.matrix.free_symbols:
            h = h + decay
        entries = sympy.lambdify((ETA, BETA, H, DECAY), list(self.polynomial.all_coeffs()[1:]), "numpy")
        coefficients = [np.broadcast_to(each, eta.shape) for each in entries(eta, beta, h, decay)]
        if len(coefficients) == 1:
            return np.abs(coefficients[0])[()]
        half, last = coefficients[0] / 2.0, coefficients[1]
        root = np.sqrt(np.maximum(half * half - last, 0.0))
        return np.where(half * half < last, np.sqrt(np.abs(last)), np.abs(half) + root)[()]

    def optimal(self, h_min: Any, h_max: Any) -> Optimum:
        """Return the learning rate and momentum of the smallest rate over all curvatures from h_min to h_max.

        Parameters
        ----------
        h_min, h_max : number
            The least and the greatest curvature, positive; for RMSprop and Adam of the preconditioned loss, and for
            AdamW without its decay.

        References
        ----------
        L. Lessard, B. Recht & A. Packard, SIAM J. Optim. 26 (2016), table 1.

        """
        low, high = read_positive(h_min, "h_min"), read_positive(h_max, "h_max")
        if _is_positive(low - high):
            raise InvalidArgument("h_min", h_min, f"must be at most h_max = {h_max}")
        rate = self._best_rate(high / low)
        tuning = self.tuning(rate)
        return Optimum(tuning.at_least / low, tuning.beta, rate)

    def _best_rate(self, ratio: sympy.Expr) -> sympy.Expr:
        """Return the smallest rate for a ratio of curvatures."""
        if not self.has_momentum:
            return (ratio - 1) / (ratio + 1)
        if self.name == "nesterov":
            return 1 - 2 / sympy.sqrt(3 * ratio + 1)
        return (sympy.sqrt(ratio) - 1) / (sympy.sqrt(ratio) + 1)

    def tuning(self, rate: sympy.Expr) -> Tuning:
        """Return β and η·h at both ends of the curvatures for which a rate is the best that can be had."""
        if not self.has_momentum:
            return Tuning(sympy.S.Zero, 1 - rate, 1 + rate)
        least, greatest = (1 - rate) ** 2, (1 + rate) ** 2
        if self.name == "nesterov":
            return Tuning(rate / (2 - rate), least, (1 + rate) * (3 - rate) / 3)
        scale = 1 if self.name == "heavy_ball" else 1 - rate**2  # Adam steps by (1 - β) times the gradient
        return Tuning(rate**2, least / scale, greatest / scale)

    def conditions(self) -> tuple[sympy.Expr, ...]:
        """Return the expressions of Schur and Cohn, all positive in the region and nowhere else."""
        return schur_cohn(self.polynomial)

    def latex(self) -> str:
        """Return the condition as LaTeX."""
        parts = [rf"0 < \eta < {sympy.latex(self.limit)}"]
        if self.has_momentum:
            parts.append(r"0 \le \beta < 1")
        if DECAY in self.matrix.free_symbols:
            parts.append(r"\lambda \ge 0")
        return r", \quad ".join([*parts, "h > 0"])

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def stability_region(name: str) -> StabilityRegion:
    """Return where an optimiser converges on a quadratic of curvature h.

    Gradient descent: 0 < η < 2/h. Heavy ball: 0 < η < 2(1 + β)/h. Nesterov: 0 < η < 2(1 + β)/((1 + 2β)·h). Adam with
    its preconditioner held fixed: 0 < η < 2(1 + β)/((1 - β)·h).

    Parameters
    ----------
    name : {"gradient_descent", "heavy_ball", "nesterov", "rmsprop", "adam", "adamw"}
        The optimiser.

    Raises
    ------
    InvalidArgument
        If there is none of that name.

    References
    ----------
    N. Qian, Neural Networks 12 (1999), section 3 (heavy ball); J. Cohen et al. (2021), appendix B, and (2022),
    equation 3 (Adam).

    Examples
    --------
    >>> stability_region("nesterov").limit
    2*(beta + 1)/(h*(2*beta + 1))

    """
    return StabilityRegion(one_of(name, "name", tuple(ITERATIONS)))


def _is_positive(number: sympy.Expr) -> bool:
    return order(number, sympy.S.Zero) > 0
