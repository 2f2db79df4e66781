"""The stability region of an optimiser: learning rates and momenta with which it converges on a quadratic."""

# Above 300 lines: one class, whose attributes each need their formula and their source.

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.inputs import Array, broadcast, read_array, read_positive, read_real
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import latex
from gradtheory.training.optimisers.catalogue import RULES
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.optimisers.update_rule import Optimum, Rule, Tuning
from gradtheory.training.stability.iteration import BETA, DECAY, ETA, H, iteration, matrix
from gradtheory.training.stability.near_zero import near_zero
from gradtheory.training.stability.radius import spectral_radius
from gradtheory.training.stability.schur_cohn import schur_cohn
from gradtheory.typing import ArrayLike, NumberLike

_ROOT = sympy.Symbol("z", real=True)  # of the characteristic polynomial


@dataclass(frozen=True)
class StabilityRegion:
    r"""Where an optimiser converges on ½h·w²: all roots of its characteristic polynomial inside the unit circle.

    For RMSprop, Adam and AdamW h is preconditioned, with the preconditioner held fixed; `near_zero` says what they do
    near the minimum.

    Parameters
    ----------
    rule : Rule
        What a step of the optimiser is.
    optimiser : Optimiser, optional
        Whose numbers `contains` and `rate` take where they get none.

    Examples
    --------
    >>> region = stability_region("heavy_ball")
    >>> region
    StabilityRegion(heavy_ball: 0 < eta < 2*(beta + 1)/h)
    >>> region.condition
    (beta >= 0) & (eta > 0) & (h > 0) & (beta < 1) & (eta < 2*(beta + 1)/h)
    >>> region.contains(eta="0.3", beta="0.5", h=10)
    False
    >>> region.latex()
    '0 < \\eta < \\frac{2 \\left(1 + \\beta\\right)}{h}, \\quad 0 \\le \\beta < 1, \\quad h > 0'
    >>> region.optimal(1, 9)
    Optimum(eta=1/4, beta=1/4, rate=1/2)

    """

    rule: Rule
    optimiser: Optimiser | None = None

    def __repr__(self) -> str:
        h = ", h preconditioned" if self.is_preconditioned else ""
        return f"StabilityRegion({self.name}: 0 < eta < {self.limit}{h})"

    @property
    def name(self) -> str:
        """The name of the optimiser."""
        return self.rule.name

    @property
    def has_momentum(self) -> bool:
        """Whether there is a β."""
        return self.rule.has_momentum

    @property
    def is_preconditioned(self) -> bool:
        """Whether h is the curvature divided by √s + ε, s the running mean of squared gradients, held fixed."""
        return self.rule.is_adaptive

    @cached_property
    def _penalty(self) -> sympy.Expr:
        """What the optimiser's own weight decay adds to h, where it is part of the gradient."""
        if self.optimiser is None or self.rule.is_decoupled:
            return sympy.S.Zero
        return read_real(self.optimiser.weight_decay, "weight_decay")

    @property
    def _held(self) -> sympy.Expr:
        """What must be positive for w to be held at 0: h, or a negative h that weight decay makes up for."""
        return H + (DECAY if self.rule.is_decoupled else self._penalty)

    @property
    def curvature(self) -> str:
        """What h is."""
        return "preconditioned: h/(√s + ε), s held fixed" if self.is_preconditioned else "of the loss"

    @property
    def near_zero(self) -> str:
        """What the optimiser does near w = 0."""
        return near_zero(self.rule, self.limit)

    @cached_property
    def iteration(self) -> tuple[sympy.Expr, ...]:
        """The weight after a step on ½h·w², and the velocity if there is one, in w and v before it."""
        return iteration(self.rule)

    @cached_property
    def matrix(self) -> sympy.Matrix:
        """The matrix of that linear map."""
        return matrix(self.rule)

    @cached_property
    def polynomial(self) -> sympy.Poly:
        """The characteristic polynomial of that matrix."""
        return self.matrix.charpoly(_ROOT)

    @cached_property
    def at_one(self) -> sympy.Expr:
        """p(1): positive if no real root is 1 or more."""
        return sympy.factor(self.polynomial(1))

    @cached_property
    def at_minus_one(self) -> sympy.Expr:
        """p(-1), times -1 for an odd degree: positive if no real root is -1 or less."""
        return sympy.expand((-1) ** self.polynomial.degree() * self.polynomial(-1))

    @cached_property
    def limit(self) -> sympy.Expr:
        """The learning rate below which the iteration converges: where p(-1) = 0.

        The other conditions of Schur and Cohn follow from that one; `gradtheory.derive("stability")` shows it.
        """
        fall, start = sympy.Poly(self.at_minus_one, ETA).all_coeffs()
        limit = sympy.factor(start) / sympy.collect(sympy.expand(-fall), (H, DECAY))
        return limit.xreplace({H: H + self._penalty})

    @property
    def condition(self) -> sympy.And:
        """The region, in the symbols eta, beta, h, and for AdamW lambda."""
        parts = [ETA > 0, self._held > 0, sympy.Lt(ETA, self.limit, evaluate=False)]
        if self.has_momentum:
            parts += [BETA >= 0, BETA < 1]
        if self.rule.is_decoupled:
            parts.append(DECAY >= 0)
        return sympy.And(*parts, evaluate=False)

    def contains(
        self,
        *,
        h: NumberLike,
        eta: NumberLike | None = None,
        beta: NumberLike | None = None,
        weight_decay: NumberLike | None = None,
    ) -> bool:
        """Return whether numbers lie in the region, decided exactly.

        Parameters
        ----------
        h : number
            The curvature, exact or float; for RMSprop, Adam and AdamW the preconditioned one, on which alone they are
            then stable: `near_zero` says what they do near the minimum.
        eta, beta : number, optional
            Learning rate and momentum: those of the optimiser, or else β is 0 and η must be there. β says nothing where
            there is no momentum.
        weight_decay : number, optional
            λ; that of AdamW, not negative, while a coupled one adds to h, preconditioned as h is. That of the
            optimiser, or else 0.

        Raises
        ------
        InvalidArgument
            If one of them is no finite real number, or there is no learning rate.

        Examples
        --------
        >>> from gradtheory.training.optimisers import adam
        >>> stability_region(adam(0.1)).contains(h=100), stability_region(adam(0.1)).contains(h=500)
        (True, False)

        """
        numbers = self._numbers(eta, beta, weight_decay)
        point = {symbol: read_real(value, name) for symbol, name, value in numbers} | {H: read_real(h, "h")}
        if not self.rule.is_decoupled:
            point[H] += point[DECAY]
        held = point[H] + (point[DECAY] if self.rule.is_decoupled else 0)
        # p(-1) > 0 in place of the limit, so that nothing is divided by 0
        conditions = [point[ETA], held, self.at_minus_one.xreplace(point)]
        if self.has_momentum:
            conditions.append(1 - point[BETA])
        not_negative = [BETA] * self.has_momentum + [DECAY] * self.rule.is_decoupled
        return all(map(_is_positive, conditions)) and not any(_is_positive(-point[each]) for each in not_negative)

    def rate(
        self,
        *,
        h: ArrayLike,
        eta: ArrayLike | None = None,
        beta: ArrayLike | None = None,
        weight_decay: ArrayLike | None = None,
    ) -> Array | np.float64:
        """Return the spectral radius, by which the error is multiplied per step in the long run, in float64.

        Parameters
        ----------
        h, eta, beta, weight_decay : array_like
            As for `contains`; they broadcast.

        Raises
        ------
        InvalidArgument
            If one of them is not an array of real numbers, they do not broadcast, or there is no learning rate.

        Examples
        --------
        >>> stability_region("gradient_descent").rate(eta=0.1, h=[1.0, 5.0, 30.0])
        array([0.9, 0.5, 2. ])

        """
        numbers = self._numbers(eta, beta, weight_decay)
        arrays = [read_array(h, "h"), *(read_array(value, name) for _, name, value in numbers)]
        curvature, *others = broadcast(**dict(zip(("h", *(name for _, name, _ in numbers)), arrays, strict=True)))
        point = dict(zip((ETA, BETA, DECAY), others, strict=True))
        point[H] = curvature if self.rule.is_decoupled else curvature + point[DECAY]
        with np.errstate(all="ignore"):  # nan where a number is infinite
            return spectral_radius(self.polynomial, point)

    def _numbers(self, eta: Any, beta: Any, weight_decay: Any) -> list[tuple[sympy.Symbol, str, Any]]:
        """Return learning rate, momentum and weight decay with symbol and name: as given, or the optimiser's, or 0."""
        defaults = {"beta": 0, "weight_decay": 0} if self.optimiser is None else vars(self.optimiser)
        asked = ((ETA, "eta", eta), (BETA, "beta", beta), (DECAY, "weight_decay", weight_decay))
        numbers = [(symbol, name, defaults.get(name) if value is None else value) for symbol, name, value in asked]
        if numbers[0][-1] is None:
            raise InvalidArgument("eta", eta, "must be a number unless the region is that of an optimiser with one")
        return numbers

    def optimal(self, h_min: NumberLike, h_max: NumberLike) -> Optimum:
        """Return the learning rate and momentum of the smallest rate over all curvatures from h_min to h_max.

        Parameters
        ----------
        h_min, h_max : number
            The least and the greatest curvature, positive; for RMSprop and Adam of the preconditioned loss, and for
            AdamW without its decay.

        Returns
        -------
        Optimum

        Raises
        ------
        InvalidArgument
            If a curvature is not positive, or the least exceeds the greatest.

        References
        ----------
        L. Lessard, B. Recht & A. Packard, SIAM J. Optim. 26 (2016), table 1.

        """
        low, high = (read_positive(h, name) + self._penalty for h, name in ((h_min, "h_min"), (h_max, "h_max")))
        if _is_positive(low - high):
            raise InvalidArgument("h_min", h_min, f"must be at most h_max = {h_max}")
        rate = self.rule.momentum.best_rate(high / low)
        return Optimum((tuning := self.tuning(rate)).at_least / low, tuning.beta, rate)

    def tuning(self, rate: sympy.Expr) -> Tuning:
        """Return the β and η·h, at both ends of the curvatures, that attain a given best rate, a number in [0, 1)."""
        wanted = rate if isinstance(rate, sympy.Expr) and not rate.is_number else read_real(rate, "rate")
        if wanted.is_number and (_is_positive(-wanted) or not _is_positive(1 - wanted)):
            raise InvalidArgument(
                "rate", rate, "must lie in [0, 1), such as 1/2: the error is multiplied by it per step"
            )
        return self.rule.momentum.best_tuning(wanted)

    def conditions(self) -> tuple[sympy.Expr, ...]:
        """Return the expressions of Schur and Cohn, all positive in the region and nowhere else."""
        return tuple(each.xreplace({H: H + self._penalty}) for each in schur_cohn(self.polynomial))

    def latex(self) -> str:
        """Return the condition as LaTeX."""
        beta, decay = r"0 \le \beta < 1" * self.has_momentum, r"\lambda \ge 0" * self.rule.is_decoupled
        h = f"{latex(self._held)} > 0" + r" \text{ (preconditioned)}" * self.is_preconditioned
        return r", \quad ".join(filter(None, (rf"0 < \eta < {latex(self.limit)}", beta, decay, h)))

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def stability_region(optimiser: str | Optimiser) -> StabilityRegion:
    """Return where an optimiser converges on a quadratic of curvature h.

    Gradient descent: 0 < η < 2/h. Heavy ball: 0 < η < 2(1 + β)/h. Nesterov: 0 < η < 2(1 + β)/((1 + 2β)·h). Adam with
    its preconditioner held fixed, h then being the preconditioned curvature: 0 < η < 2(1 + β)/((1 - β)·h).

    Parameters
    ----------
    optimiser : {"gradient_descent", "heavy_ball", "nesterov", "rmsprop", "adam", "adamw"} or Optimiser
        Its name, or one of `gradtheory.optimisers` with its numbers, which `contains` and `rate` then take.

    Raises
    ------
    InvalidArgument
        If there is none of that name, or the optimiser has a dampening or a fully decoupled weight decay; or, if it is
        adaptive, a weight decay that is preconditioned with the loss, centring or AMSGrad.

    References
    ----------
    N. Qian, Neural Networks 12 (1999), section 3; J. Cohen et al. (2021), appendix B, and (2022), equation 3 (Adam).

    Examples
    --------
    >>> stability_region("nesterov").limit
    2*(beta + 1)/(h*(2*beta + 1))

    """
    if isinstance(optimiser, Optimiser):
        if optimiser.dampening or optimiser.is_fully_decoupled:
            raise InvalidArgument("optimiser", optimiser, "must have no dampening and no fully decoupled decay")
        coupled = optimiser.weight_decay and not optimiser.rule.is_decoupled
        if optimiser.rule.is_adaptive and (coupled or optimiser.is_amsgrad or optimiser.is_centred):
            rule = "must have no AMSGrad, no centring and no weight decay that is preconditioned with the loss"
            raise InvalidArgument("optimiser", optimiser, rule)
        return StabilityRegion(optimiser.rule, optimiser)
    return StabilityRegion(RULES[one_of(optimiser, "optimiser", tuple(RULES))])


def _is_positive(number: sympy.Expr) -> bool:
    return order(number, sympy.S.Zero) > 0
